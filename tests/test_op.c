/* SPDX-License-Identifier: MIT
 *
 * Every operator against vectors: tests/data/op/NAME.json, made by make.py there from ONNX's
 * reference evaluator and numpy.  A vector has what inference and computation have to make of
 * inputs, or a part of the message that they are refused with.
 */
#include "allocator.h"
#include "base/rng.h"
#include "op_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POISON 0xa5

/* ------------------------------------------------------------------- running */

static struct anole_call make_call(struct op_vector *vector)
{
    return (struct anole_call){.op = vector->op,
                               .attributes = vector->attributes,
                               .inputs = vector->pointers,
                               .input_count = vector->input_count,
                               .outputs = vector->outputs,
                               .output_count = vector->output_count};
}

/* Memory for all outputs that the vector wants (a refused one: all).  False: that would be a
 * lot. */
static bool make_room(struct op_vector *vector)
{
    bool refused = json_object_get(vector->json, "error") != NULL;
    for (uint32_t i = 0; i < vector->output_count; i++) {
        struct anole_operand *output = &vector->outputs[i];
        size_t elements = anole_operand_elements(output);
        if (elements == SIZE_MAX || !anole_dtype_bytes(output->dtype) || output->data)
            op_vector_fail(vector, "output %u is no tensor", i);
        if (elements > (size_t)1 << 22)
            return false;
        if (!refused && !vector->expected[i].dtype)
            continue;
        size_t bytes = elements * anole_dtype_bytes(output->dtype);
        output->data = malloc(bytes + !bytes);
        assert_non_null(output->data);
        memset(output->data, POISON, bytes);
    }
    return true;
}

/* Computes again and again, and another allocation fails each time. */
static void exhaust(struct op_vector *vector)
{
    struct anole_call call = make_call(vector);
    for (uint64_t n = 1;; n++) {
        struct anole_error error = {.status = ANOLE_DONE};
        size_t before = allocator_held();
        allocator_arm(n, false);
        enum anole_status status = vector->op->compute(&call, &error);
        bool failed = allocator_disarm();
        if (allocator_held() != before)
            op_vector_fail(vector, "allocation %ju fails: not all is freed", (uintmax_t)n);
        if (failed != (status == ANOLE_ERR_MEMORY) || (!failed && status))
            op_vector_fail(vector, "allocation %ju fails: status %d", (uintmax_t)n, status);
        if (!failed)
            return;
    }
}

/* Infers and computes. */
static enum anole_status run(struct op_vector *vector, struct anole_error *error)
{
    struct anole_call call = make_call(vector);
    enum anole_status status = op_vector_attributes(vector, error);
    if (status == ANOLE_DONE)
        status = vector->op->infer(&call, error);
    if (status)
        return status;
    if (!make_room(vector))
        op_vector_fail(vector, "the outputs are huge");
    return vector->op->compute(&call, error);
}

static void check_vector(struct op_vector *vector)
{
    const char *wanted = json_string_value(json_object_get(vector->json, "error"));
    struct anole_error error = {.status = ANOLE_DONE};
    op_vector_read(vector);
    enum anole_status status = run(vector, &error);
    if (!wanted && status)
        op_vector_fail(vector, "refused: %s", error.text);
    if (wanted && (status != ANOLE_ERR_INPUT || error.status != status))
        op_vector_fail(vector, "status %d; expected a refusal with \"%s\"", status, wanted);
    if (wanted && !strstr(error.text, wanted))
        op_vector_fail(vector, "\"%s\"; expected to find \"%s\"", error.text, wanted);
    for (uint32_t i = 0; !wanted && i < vector->output_count; i++)
        if (vector->expected[i].dtype)
            op_vector_compare(vector, i, 0);
    if (!wanted)
        exhaust(vector);
    op_vector_free(vector);
}

/* ------------------------------------------------------------------ spoiling */

static int64_t odd_number(struct anole_rng *rng)
{
    static const int64_t numbers[] = {0,         1,         -1,      2,         3,
                                      7,         -5,        255,     INT32_MAX, INT32_MIN,
                                      INT64_MAX, INT64_MIN, 1 << 16, 1 << 30,   -(1 << 20)};
    return numbers[anole_rng_below(rng, sizeof numbers / sizeof *numbers)];
}

/* Another shape or type, with elements of its own where they are few. */
static void spoil_operand(struct anole_operand *operand, struct anole_rng *rng)
{
    switch (anole_rng_below(rng, 4)) {
    case 0:
        operand->rank = (uint32_t)anole_rng_below(rng, ANOLE_MAX_RANK + 1);
        break;
    case 1:
        operand->dtype = 1 + (uint32_t)anole_rng_below(rng, ANOLE_BOOL);
        break;
    default:
        if (operand->rank > 0)
            operand->dims[anole_rng_below(rng, operand->rank)] =
                anole_rng_below(rng, 4) ? (int64_t)anole_rng_below(rng, 9)
                                        : odd_number(rng) & INT32_MAX;
    }
    size_t elements = anole_operand_elements(operand);
    free(operand->data);
    operand->data = NULL;
    if (elements > 10000)
        return;
    operand->data = malloc(elements * anole_dtype_bytes(operand->dtype) + !elements);
    assert_non_null(operand->data);
    for (size_t i = 0; i < elements; i++)
        if (anole_dtype_is_real(operand->dtype))
            anole_operand_set_real(operand, i, anole_rng_normal(rng));
        else
            anole_operand_set_int(operand, i, (int64_t)anole_rng_below(rng, 7) - 3);
}

static void spoil_element(struct anole_operand *operand, struct anole_rng *rng)
{
    static const double reals[] = {0, -1, 1e-30, 1e30, INFINITY, -INFINITY, NAN};
    size_t elements = anole_operand_elements(operand);
    if (!operand->data || elements == 0)
        return;
    size_t i = anole_rng_below(rng, elements);
    if (anole_dtype_is_real(operand->dtype))
        anole_operand_set_real(operand, i, reals[anole_rng_below(rng, 7)]);
    else
        anole_operand_set_int(operand, i, odd_number(rng));
}

static void spoil_attribute(struct op_vector *vector, struct anole_rng *rng)
{
    static const double reals[] = {0, -1, 1e-30, 1e30, INFINITY, -INFINITY, NAN};
    const struct anole_op_key *keys = vector->op->keys, *key;
    struct anole_error error = {.status = ANOLE_DONE};
    int64_t list[ANOLE_MAX_INTS];
    size_t count = 0;
    while (keys && keys[count].name)
        count++;
    if (count == 0)
        return;
    key = &keys[anole_rng_below(rng, count)];
    if (key->kind == ANOLE_KEY_BOOL)
        anole_op_set_bool(vector->op, vector->attributes, key->name, anole_rng_below(rng, 2),
                          &error);
    else if (key->kind == ANOLE_KEY_INT)
        anole_op_set_int(vector->op, vector->attributes, key->name, odd_number(rng), &error);
    else if (key->kind == ANOLE_KEY_REAL)
        anole_op_set_real(vector->op, vector->attributes, key->name, reals[anole_rng_below(rng, 7)],
                          &error);
    if (key->kind == ANOLE_KEY_CHOICE) {
        for (count = 0; key->choices[count];)
            count++;
        anole_op_set_choice(vector->op, vector->attributes, key->name,
                            key->choices[anole_rng_below(rng, count)], &error);
    }
    if (key->kind == ANOLE_KEY_INTS) {
        count = anole_rng_below(rng, 5);
        for (size_t i = 0; i < count; i++)
            list[i] = anole_rng_below(rng, 2) ? (int64_t)anole_rng_below(rng, 5) : odd_number(rng);
        anole_op_set_ints(vector->op, vector->attributes, key->name, list, count, &error);
    }
}

static void spoil(struct op_vector *vector, struct anole_rng *rng)
{
    uint32_t i = (uint32_t)anole_rng_below(rng, vector->input_count);
    switch (anole_rng_below(rng, 4)) {
    case 0:
        spoil_attribute(vector, rng);
        break;
    case 1:
        spoil_element(&vector->inputs[i], rng);
        break;
    case 2:
        if (i >= vector->op->fewest_inputs)
            vector->pointers[i] = NULL;
        break;
    default:
        if (vector->pointers[i])
            spoil_operand(&vector->inputs[i], rng);
    }
}

/* A vector with a few faults: computed, or refused with a message. */
static bool survive(struct op_vector *vector, struct anole_rng *rng)
{
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_call call = make_call(vector);
    bool known = true;
    if (op_vector_attributes(vector, &error))
        error.status = ANOLE_DONE; /* one that is refused anyhow */
    for (uint64_t faults = 1 + anole_rng_below(rng, 3); faults > 0; faults--)
        spoil(vector, rng);
    error = (struct anole_error){.status = ANOLE_DONE};
    enum anole_status status = vector->op->infer(&call, &error);
    for (uint32_t i = 0; i < vector->input_count; i++)
        known &= !vector->pointers[i] || vector->pointers[i]->data;
    if (status == ANOLE_DONE && known && make_room(vector))
        status = vector->op->compute(&call, &error);
    if (status && (status != ANOLE_ERR_INPUT || error.status != status || !error.text[0]))
        op_vector_fail(vector, "spoilt: status %d, \"%s\"", status, error.text);
    return status == ANOLE_DONE;
}

/* --------------------------------------------------------------------- tests */

/* How many vectors met operator i: accepted and refused. */
static unsigned met[256][2];

static json_t *load_file(const char *name)
{
    char path[4096];
    const char *folder = getenv("ANOLE_TEST_DATA");
    struct anole_error error = {.status = ANOLE_DONE};
    json_t *root = NULL;
    assert_non_null(folder);
    snprintf(path, sizeof path, "%s/op/%s.json", folder, name);
    if (anole_json_load(&root, path, 0, &error))
        fail_msg("%s", error.text);
    assert_true(json_array_size(root) > 0);
    return root;
}

static void check_file(const char *name)
{
    json_t *root = load_file(name);
    for (size_t i = 0; i < json_array_size(root); i++) {
        struct op_vector vector = {.file = name, .index = i, .json = json_array_get(root, i)};
        check_vector(&vector);
        for (size_t j = 0; anole_op_at(j); j++)
            if (anole_op_at(j) == vector.op)
                met[j][json_object_get(vector.json, "error") != NULL]++;
    }
    json_decref(root);
}

static void test_compute_elementwise_as_expected(void **state)
{
    (void)state;
    check_file("elementwise");
}

static void test_compute_places_as_expected(void **state)
{
    (void)state;
    check_file("places");
}

static void test_compute_axes_as_expected(void **state)
{
    (void)state;
    check_file("axes");
}

static void test_compute_windows_as_expected(void **state)
{
    (void)state;
    check_file("windows");
}

static void test_compute_recurrent_as_expected(void **state)
{
    (void)state;
    check_file("recurrent");
}

static void test_spoilt_vectors_are_refused_or_computed(void **state)
{
    (void)state;
    static const char *const files[] = {"elementwise", "places", "axes", "windows", "recurrent"};
    const char *rounds = getenv("ANOLE_OP_ROUNDS"); /* more by hand */
    struct anole_rng rng;
    unsigned computed = 0, refused = 0;
    anole_rng_init(&rng, 16);
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        json_t *root = load_file(files[f]);
        size_t count = json_array_size(root);
        for (size_t i = 0; i < count * (rounds ? strtoul(rounds, NULL, 10) : 8); i++) {
            struct op_vector vector = {
                .file = files[f], .index = i % count, .json = json_array_get(root, i % count)};
            op_vector_read(&vector);
            if (survive(&vector, &rng))
                computed++;
            else
                refused++;
            op_vector_free(&vector);
        }
        json_decref(root);
    }
    assert_true(computed > 1000 && refused > 1000);
}

/* Runs last: reads what the others have met. */
static void test_vectors_meet_every_operator(void **state)
{
    (void)state;
    for (size_t i = 0; anole_op_at(i); i++)
        if (met[i][0] == 0)
            fail_msg("no vector computes %s: add some to tests/data/op/make.py",
                     anole_op_at(i)->name);
}

static void test_set_element_of_no_type_does_nothing(void **state)
{
    (void)state;
    uint64_t element = 7;
    struct anole_operand none = {.dtype = 99, .data = &element};
    anole_operand_set_real(&none, 0, 1);
    anole_operand_set_int(&none, 0, 1);
    assert_true(element == 7);
    assert_true(anole_operand_real(&none, 0) == 0);
    assert_true(anole_operand_int(&none, 0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_element_of_no_type_does_nothing),
        cmocka_unit_test(test_compute_elementwise_as_expected),
        cmocka_unit_test(test_compute_places_as_expected),
        cmocka_unit_test(test_compute_axes_as_expected),
        cmocka_unit_test(test_compute_windows_as_expected),
        cmocka_unit_test(test_compute_recurrent_as_expected),
        cmocka_unit_test(test_spoilt_vectors_are_refused_or_computed),
        cmocka_unit_test(test_vectors_meet_every_operator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
