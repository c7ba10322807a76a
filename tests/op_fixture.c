/* SPDX-License-Identifier: MIT */
#include "op_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE 2e-6

void op_vector_fail(const struct op_vector *vector, const char *format, ...)
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

static uint32_t dtype_of(const struct op_vector *vector, const char *text)
{
#define X(name, value, name_text, bytes, kind)                                                     \
    if (strcmp(text, name_text) == 0)                                                              \
        return value;
    ANOLE_DTYPE_MAP(X)
#undef X
    op_vector_fail(vector, "no type is called %s", text);
}

static void set_element(const struct op_vector *vector, struct anole_operand *operand, size_t i,
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
        op_vector_fail(vector, "element %zu is none", i);
}

static void read_operand(const struct op_vector *vector, struct anole_operand *operand,
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
        op_vector_fail(vector, "%zu values for %zu elements", json_array_size(values), count);
    operand->data = malloc(count * anole_dtype_bytes(operand->dtype) + !count);
    assert_non_null(operand->data);
    for (size_t i = 0; i < count; i++)
        set_element(vector, operand, i, json_array_get(values, i));
}

static enum anole_status set_attribute(const struct op_vector *vector, const char *name,
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

enum anole_status op_vector_attributes(struct op_vector *vector, struct anole_error *error)
{
    const char *key;
    json_t *value;
    enum anole_status status = ANOLE_DONE;
    json_object_foreach(json_object_get(vector->json, "attributes"), key, value)
    {
        status = set_attribute(vector, key, value, error);
        if (status)
            return status;
    }
    return status;
}

void op_vector_read(struct op_vector *vector)
{
    const json_t *inputs = json_object_get(vector->json, "inputs");
    const json_t *outputs = json_object_get(vector->json, "outputs");
    const char *name = json_string_value(json_object_get(vector->json, "op"));
    vector->op = anole_op_find(name);
    if (!vector->op)
        op_vector_fail(vector, "no operator is called %s", name);
    vector->input_count = (uint32_t)json_array_size(inputs);
    vector->output_count =
        outputs ? (uint32_t)json_array_size(outputs) : vector->op->fewest_outputs;
    assert_true(vector->input_count <= OP_VECTOR_MOST && vector->output_count <= OP_VECTOR_MOST);
    if (vector->input_count < vector->op->fewest_inputs ||
        vector->input_count > vector->op->most_inputs ||
        vector->output_count < vector->op->fewest_outputs ||
        vector->output_count > vector->op->most_outputs)
        op_vector_fail(vector, "the operator does not have as many operands");
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

void op_vector_free(struct op_vector *vector)
{
    for (uint32_t i = 0; i < OP_VECTOR_MOST; i++) {
        free(vector->inputs[i].data);
        free(vector->expected[i].data);
        free(vector->outputs[i].data);
    }
    free(vector->attributes);
}

static bool is_close(double found, double expected, double tolerance)
{
    if (isnan(expected) || isinf(expected))
        return isnan(expected) ? isnan(found) : found == expected;
    return fabs(found - expected) <= tolerance * fmax(fabs(expected), 1);
}

static double tolerance_of(const struct op_vector *vector, uint32_t dtype)
{
    double own = json_number_value(json_object_get(vector->json, "tolerance"));
    return own > 0 ? own : dtype == ANOLE_F16 ? 1e-3 : TOLERANCE;
}

void op_vector_compare(const struct op_vector *vector, uint32_t index, double least)
{
    const struct anole_operand *found = &vector->outputs[index];
    const struct anole_operand *expected = &vector->expected[index];
    char left[128], right[128];
    if (found->dtype != expected->dtype || !anole_operand_same_shape(found, expected))
        op_vector_fail(vector, "output %u has type %u and shape %s, expected %u and %s", index,
                       found->dtype, anole_operand_shape_text(left, sizeof left, found),
                       expected->dtype, anole_operand_shape_text(right, sizeof right, expected));
    for (size_t i = 0; i < anole_operand_elements(expected); i++) {
        double x = anole_operand_real(found, i), y = anole_operand_real(expected, i);
        bool same = anole_dtype_is_real(found->dtype)
                        ? is_close(x, y, fmax(least, tolerance_of(vector, found->dtype)))
                        : anole_operand_int(found, i) == anole_operand_int(expected, i);
        if (!same)
            op_vector_fail(vector, "element %zu of output %u is %.9g, expected %.9g", i, index, x,
                           y);
    }
}
