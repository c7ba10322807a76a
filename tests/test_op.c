/* SPDX-License-Identifier: MIT
 *
 * Every operator against vectors: tests/data/op/NAME.json, made by make.py there from ONNX's
 * reference evaluator and numpy.  A vector has what inference and computation have to make of
 * inputs, or a part of the message that they are refused with.
 */
#include "allocator.h"
#include "base/json.h"
#include "base/rng.h"
#include "op/op.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOST 32 /* operands of a vector */
#define TOLERANCE 2e-6
#define POISON 0xa5

struct vector {
    const char *file;
    size_t index;
    const json_t *json;
    const struct anole_op *op;
    void *attributes;
    struct anole_operand inputs[MOST], expected[MOST], outputs[MOST];
    const struct anole_operand *pointers[MOST];
    uint32_t input_count, output_count;
};

static void complain(const struct vector *vector, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

static void complain(const struct vector *vector, const char *format, ...)
{
    char text[1024], *json = json_dumps(vector->json, JSON_COMPACT);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fail_msg("%s, vector %zu: %s\n%.600s", vector->file, vector->index, text, json);
    abort();
}

/* ------------------------------------------------------------------- reading */

static uint32_t dtype_of(const struct vector *vector, const char *text)
{
#define X(name, value, name_text, bytes, kind)                                                     \
    if (strcmp(text, name_text) == 0)                                                              \
        return value;
    ANOLE_DTYPE_MAP(X)
#undef X
    complain(vector, "no type is called %s", text);
}

static void set_element(const struct vector *vector, struct anole_operand *operand, size_t i,
                        const json_t *value)
{
    if (json_is_integer(value) && operand->dtype == ANOLE_U64)
        ((uint64_t *)operand->data)[i] = (uint64_t)json_integer_value(value);
    else if (json_is_integer(value) && !anole_dtype_is_real(operand->dtype))
        anole_operand_set_int(operand, i, json_integer_value(value));
    else if (json_is_number(value))
        anole_operand_set_real(operand, i, json_number_value(value));
    else if (json_is_string(value) && operand->dtype == ANOLE_U64)
        ((uint64_t *)operand->data)[i] = strtoull(json_string_value(value), NULL, 10);
    else if (json_is_string(value))
        anole_operand_set_real(operand, i, strtod(json_string_value(value), NULL));
    else
        complain(vector, "element %zu is none", i);
}

static void read_operand(const struct vector *vector, struct anole_operand *operand,
                         const json_t *json)
{
    const json_t *dims = json_object_get(json, "dims"), *values = json_object_get(json, "values");
    memset(operand, 0, sizeof *operand);
    operand->dtype = dtype_of(vector, json_string_value(json_object_get(json, "dtype")));
    operand->rank = (uint32_t)json_array_size(dims);
    assert_true(operand->rank <= ANOLE_MAX_RANK);
    for (uint32_t i = 0; i < operand->rank; i++)
        operand->dims[i] = json_integer_value(json_array_get(dims, i));
    if (!values)
        return;
    size_t count = anole_operand_elements(operand);
    if (json_array_size(values) != count)
        complain(vector, "%zu values for %zu elements", json_array_size(values), count);
    operand->data = malloc(count * anole_dtype_bytes(operand->dtype) + !count);
    assert_non_null(operand->data);
    for (size_t i = 0; i < count; i++)
        set_element(vector, operand, i, json_array_get(values, i));
}

static enum anole_status set_attribute(const struct vector *vector, const char *name,
                                       const json_t *value, struct anole_error *error)
{
    const struct anole_op_key *key = anole_op_key_find(vector->op, name);
    int64_t list[64];
    size_t count = json_array_size(value);
    if (json_is_boolean(value))
        return anole_op_set_bool(vector->op, vector->attributes, name, json_is_true(value), error);
    if (json_is_string(value))
        return anole_op_set_choice(vector->op, vector->attributes, name, json_string_value(value),
                                   error);
    if (json_is_array(value)) {
        assert_true(count <= 64);
        for (size_t i = 0; i < count; i++)
            list[i] = json_integer_value(json_array_get(value, i));
        return anole_op_set_ints(vector->op, vector->attributes, name, list, count, error);
    }
    if (json_is_integer(value) && key && key->kind == ANOLE_KEY_INT)
        return anole_op_set_int(vector->op, vector->attributes, name, json_integer_value(value),
                                error);
    return anole_op_set_real(vector->op, vector->attributes, name, json_number_value(value), error);
}

static void read_vector(struct vector *vector)
{
    const json_t *inputs = json_object_get(vector->json, "inputs");
    const json_t *outputs = json_object_get(vector->json, "outputs");
    const char *name = json_string_value(json_object_get(vector->json, "op"));
    vector->op = anole_op_find(name);
    if (!vector->op)
        complain(vector, "no operator is called %s", name);
    vector->input_count = (uint32_t)json_array_size(inputs);
    vector->output_count =
        outputs ? (uint32_t)json_array_size(outputs) : vector->op->fewest_outputs;
    assert_true(vector->input_count <= MOST && vector->output_count <= MOST);
    if (vector->input_count < vector->op->fewest_inputs ||
        vector->input_count > vector->op->most_inputs ||
        vector->output_count < vector->op->fewest_outputs ||
        vector->output_count > vector->op->most_outputs)
        complain(vector, "the operator does not have as many operands");
    for (uint32_t i = 0; i < vector->input_count; i++) {
        if (json_is_null(json_array_get(inputs, i)))
            continue;
        read_operand(vector, &vector->inputs[i], json_array_get(inputs, i));
        vector->pointers[i] = &vector->inputs[i];
    }
    for (uint32_t i = 0; outputs && i < vector->output_count; i++)
        if (!json_is_null(json_array_get(outputs, i)))
            read_operand(vector, &vector->expected[i], json_array_get(outputs, i));
    vector->attributes = calloc(1, vector->op->attribute_bytes + 1);
    assert_non_null(vector->attributes);
    if (vector->op->defaults)
        memcpy(vector->attributes, vector->op->defaults, vector->op->attribute_bytes);
}

static void free_vector(struct vector *vector)
{
    for (uint32_t i = 0; i < MOST; i++) {
        free(vector->inputs[i].data);
        free(vector->expected[i].data);
        free(vector->outputs[i].data);
    }
    free(vector->attributes);
}

/* ------------------------------------------------------------------- running */

static struct anole_call make_call(struct vector *vector)
{
    return (struct anole_call){.op = vector->op,
                               .attributes = vector->attributes,
                               .inputs = vector->pointers,
                               .input_count = vector->input_count,
                               .outputs = vector->outputs,
                               .output_count = vector->output_count};
}

static enum anole_status set_attributes(const struct vector *vector, struct anole_error *error)
{
    const char *key;
    json_t *value;
    enum anole_status status = ANOLE_DONE;
    json_object_foreach(json_object_get(vector->json, "attributes"), key, value)
    {
        status = set_attribute(vector, key, value, error);
        if (status)
            break;
    }
    return status;
}

/* Memory for all outputs that the vector wants (a refused one: all).  False: that would be a
 * lot. */
static bool make_room(struct vector *vector)
{
    bool refused = json_object_get(vector->json, "error") != NULL;
    for (uint32_t i = 0; i < vector->output_count; i++) {
        struct anole_operand *output = &vector->outputs[i];
        size_t elements = anole_operand_elements(output);
        if (elements == SIZE_MAX || !anole_dtype_bytes(output->dtype) || output->data)
            complain(vector, "output %u is no tensor", i);
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
static void exhaust(struct vector *vector)
{
    struct anole_call call = make_call(vector);
    for (uint64_t n = 1;; n++) {
        struct anole_error error = {.status = ANOLE_DONE};
        size_t before = allocator_held();
        allocator_arm(n, false);
        enum anole_status status = vector->op->compute(&call, &error);
        bool failed = allocator_disarm();
        if (allocator_held() != before)
            complain(vector, "allocation %ju fails: not all is freed", (uintmax_t)n);
        if (failed != (status == ANOLE_ERR_MEMORY) || (!failed && status))
            complain(vector, "allocation %ju fails: status %d", (uintmax_t)n, status);
        if (!failed)
            return;
    }
}

/* Infers and computes. */
static enum anole_status run(struct vector *vector, struct anole_error *error)
{
    struct anole_call call = make_call(vector);
    enum anole_status status = set_attributes(vector, error);
    if (status == ANOLE_DONE)
        status = vector->op->infer(&call, error);
    if (status)
        return status;
    if (!make_room(vector))
        complain(vector, "the outputs are huge");
    return vector->op->compute(&call, error);
}

static bool is_close(double found, double expected, double tolerance)
{
    if (isnan(expected) || isinf(expected))
        return isnan(expected) ? isnan(found) : found == expected;
    return fabs(found - expected) <= tolerance * fmax(fabs(expected), 1);
}

static double tolerance_of(const struct vector *vector, uint32_t dtype)
{
    double own = json_number_value(json_object_get(vector->json, "tolerance"));
    return own > 0 ? own : dtype == ANOLE_F16 ? 1e-3 : TOLERANCE;
}

static void compare_output(const struct vector *vector, uint32_t index)
{
    const struct anole_operand *found = &vector->outputs[index];
    const struct anole_operand *expected = &vector->expected[index];
    char left[128], right[128];
    if (found->dtype != expected->dtype || !anole_operand_same_shape(found, expected))
        complain(vector, "output %u has type %u and shape %s, expected %u and %s", index,
                 found->dtype, anole_operand_shape_text(left, sizeof left, found), expected->dtype,
                 anole_operand_shape_text(right, sizeof right, expected));
    for (size_t i = 0; i < anole_operand_elements(expected); i++) {
        double x = anole_operand_real(found, i), y = anole_operand_real(expected, i);
        bool same = anole_dtype_is_real(found->dtype)
                        ? is_close(x, y, tolerance_of(vector, found->dtype))
                        : anole_operand_int(found, i) == anole_operand_int(expected, i);
        if (!same)
            complain(vector, "element %zu of output %u is %.9g, expected %.9g", i, index, x, y);
    }
}

static void check_vector(struct vector *vector)
{
    const char *wanted = json_string_value(json_object_get(vector->json, "error"));
    struct anole_error error = {.status = ANOLE_DONE};
    read_vector(vector);
    enum anole_status status = run(vector, &error);
    if (!wanted && status)
        complain(vector, "refused: %s", error.text);
    if (wanted && (status != ANOLE_ERR_INPUT || error.status != status))
        complain(vector, "status %d; expected a refusal with \"%s\"", status, wanted);
    if (wanted && !strstr(error.text, wanted))
        complain(vector, "\"%s\"; expected to find \"%s\"", error.text, wanted);
    for (uint32_t i = 0; !wanted && i < vector->output_count; i++)
        if (vector->expected[i].dtype)
            compare_output(vector, i);
    if (!wanted)
        exhaust(vector);
    free_vector(vector);
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

static void spoil_attribute(struct vector *vector, struct anole_rng *rng)
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

static void spoil(struct vector *vector, struct anole_rng *rng)
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
static bool survive(struct vector *vector, struct anole_rng *rng)
{
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_call call = make_call(vector);
    bool known = true;
    if (set_attributes(vector, &error))
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
        complain(vector, "spoilt: status %d, \"%s\"", status, error.text);
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
        struct vector vector = {.file = name, .index = i, .json = json_array_get(root, i)};
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
            struct vector vector = {
                .file = files[f], .index = i % count, .json = json_array_get(root, i % count)};
            read_vector(&vector);
            if (survive(&vector, &rng))
                computed++;
            else
                refused++;
            free_vector(&vector);
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
