/* SPDX-License-Identifier: MIT */
#include "op/parameters.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *const anole_dtype_choices[] = {
#define X(name, value, text, bytes, kind) [value - 1] = text,
    ANOLE_DTYPE_MAP(X)
#undef X
        NULL,
};

const struct anole_operand *anole_call_input(const struct anole_call *call, uint32_t i)
{
    return i < call->input_count ? call->inputs[i] : NULL;
}

/* ------------------------------------------------------------------- checks */

enum anole_status anole_check_type(const struct anole_operand *operand, uint32_t types,
                                   const char *what, struct anole_error *error)
{
    char list[160] = "";
    size_t length = 0;
    if (operand->dtype < 32 && types & 1u << operand->dtype)
        return ANOLE_DONE;
    for (uint32_t dtype = 1; dtype < 32; dtype++)
        if (types & 1u << dtype && length < sizeof list)
            length += (size_t)snprintf(list + length, sizeof list - length, "%s%s",
                                       length > 0 ? ", " : "", anole_dtype_text(dtype));
    return anole_fail(error, ANOLE_ERR_INPUT, "%s has the type %s; expected one of: %s", what,
                      anole_dtype_text(operand->dtype), list);
}

enum anole_status anole_check_same_type(const struct anole_operand *operand,
                                        const struct anole_operand *as, const char *what,
                                        struct anole_error *error)
{
    if (operand->dtype == as->dtype)
        return ANOLE_DONE;
    return anole_fail(error, ANOLE_ERR_INPUT, "%s has the type %s; expected %s, as of the others",
                      what, anole_dtype_text(operand->dtype), anole_dtype_text(as->dtype));
}

enum anole_status anole_check_rank(const struct anole_operand *operand, uint32_t low, uint32_t high,
                                   const char *what, struct anole_error *error)
{
    char shape[128];
    if (operand->rank >= low && operand->rank <= high)
        return ANOLE_DONE;
    anole_operand_shape_text(shape, sizeof shape, operand);
    if (low == high)
        return anole_fail(error, ANOLE_ERR_INPUT, "%s has the shape %s; expected %u dimensions",
                          what, shape, low);
    return anole_fail(error, ANOLE_ERR_INPUT, "%s has the shape %s; expected %u to %u dimensions",
                      what, shape, low, high);
}

enum anole_status anole_check_list(const struct anole_operand *operand, int64_t length,
                                   const char *what, struct anole_error *error)
{
    char shape[128];
    if (operand->rank == 1 && operand->dims[0] == length)
        return ANOLE_DONE;
    return anole_fail(error, ANOLE_ERR_INPUT, "%s has the shape %s; expected [%" PRId64 "]", what,
                      anole_operand_shape_text(shape, sizeof shape, operand), length);
}

enum anole_status anole_check_size(const struct anole_operand *output, struct anole_error *error)
{
    char shape[192];
    if (anole_operand_elements(output) != SIZE_MAX)
        return ANOLE_DONE;
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "the output has the shape %s; expected fewer than 2^31 elements",
                      anole_operand_shape_text(shape, sizeof shape, output));
}

/* ------------------------------------------------------- numbers from inputs */

/* Input i, if it is there; ERR_INPUT: its elements are not known. */
static enum anole_status known_input(const struct anole_operand **input,
                                     const struct anole_call *call, uint32_t i, const char *what,
                                     struct anole_error *error)
{
    *input = anole_call_input(call, i);
    if (*input && !(*input)->data)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: known only when the network runs; expected a constant", what);
    return ANOLE_DONE;
}

enum anole_status anole_input_ints(struct anole_ints *list, bool *given,
                                   const struct anole_call *call, uint32_t i, uint32_t most,
                                   const char *what, struct anole_error *error)
{
    const struct anole_operand *input;
    enum anole_status status = known_input(&input, call, i, what, error);
    char shape[128];
    *given = false;
    if (status || !input)
        return status;
    status = anole_check_type(input, ANOLE_TYPES_INTEGER, what, error);
    if (status)
        return status;
    size_t count = anole_operand_elements(input);
    if (input->rank > 1 || count > most || count > ANOLE_MAX_INTS)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: a tensor of shape %s; expected a list of at most %u numbers", what,
                          anole_operand_shape_text(shape, sizeof shape, input), most);
    list->count = (uint32_t)count;
    for (size_t j = 0; j < count; j++)
        list->values[j] = anole_operand_int(input, j);
    *given = true;
    return ANOLE_DONE;
}

/* The one element of input i; *input NULL: absent. */
static enum anole_status known_scalar(const struct anole_operand **input,
                                      const struct anole_call *call, uint32_t i, uint32_t types,
                                      const char *what, struct anole_error *error)
{
    char shape[128];
    enum anole_status status = known_input(input, call, i, what, error);
    if (status || !*input)
        return status;
    status = anole_check_type(*input, types, what, error);
    if (status == ANOLE_DONE && anole_operand_elements(*input) != 1)
        status = anole_fail(error, ANOLE_ERR_INPUT, "%s: a tensor of shape %s; expected one number",
                            what, anole_operand_shape_text(shape, sizeof shape, *input));
    return status;
}

enum anole_status anole_input_int(int64_t *value, const struct anole_call *call, uint32_t i,
                                  const char *what, struct anole_error *error)
{
    const struct anole_operand *input;
    enum anole_status status = known_scalar(&input, call, i, ANOLE_TYPES_INTEGER, what, error);
    if (status == ANOLE_DONE && input)
        *value = anole_operand_int(input, 0);
    return status;
}

enum anole_status anole_input_real(double *value, const struct anole_call *call, uint32_t i,
                                   const char *what, struct anole_error *error)
{
    const struct anole_operand *input;
    enum anole_status status = known_scalar(&input, call, i, ANOLE_TYPES_NUMBER, what, error);
    if (status == ANOLE_DONE && input)
        *value = anole_operand_real(input, 0);
    return status;
}

enum anole_status anole_axes_set(bool set[ANOLE_MAX_RANK], const struct anole_ints *axes,
                                 uint32_t rank, bool all, struct anole_error *error)
{
    for (uint32_t i = 0; i < ANOLE_MAX_RANK; i++)
        set[i] = all && axes->count == 0 && i < rank;
    for (uint32_t i = 0; i < axes->count; i++) {
        uint32_t axis;
        enum anole_status status = anole_operand_axis(&axis, axes->values[i], rank, error);
        if (status)
            return status;
        if (set[axis])
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "axis %" PRId64 " is listed twice; expected each axis once",
                              axes->values[i]);
        set[axis] = true;
    }
    return ANOLE_DONE;
}

enum anole_status anole_check_index(int64_t *at, int64_t value, int64_t size,
                                    struct anole_error *error)
{
    if (value < -size || value >= size)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "an index of %" PRId64 "; expected %" PRId64 " to %" PRId64, value, -size,
                          size - 1);
    *at = value < 0 ? value + size : value;
    return ANOLE_DONE;
}

enum anole_status anole_check_tuple(int64_t *at, const struct anole_operand *indices, size_t i,
                                    uint32_t width, const int64_t *sizes, const int64_t *strides,
                                    struct anole_error *error)
{
    int64_t sum = 0;
    for (uint32_t j = 0; j < width; j++) {
        int64_t index = 0;
        enum anole_status status =
            anole_check_index(&index, anole_operand_int(indices, i * width + j), sizes[j], error);
        if (status)
            return status;
        sum += index * strides[j];
    }
    *at = sum;
    return ANOLE_DONE;
}
