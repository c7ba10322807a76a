/* SPDX-License-Identifier: MIT
 *
 * Operands: shapes, and elements of every type.
 */
#include "op/op.h"

#include "base/half.h"
#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define ELEMENTS_END ((size_t)1 << 31)

size_t anole_operand_elements(const struct anole_operand *operand)
{
    size_t elements = 1;
    bool empty = false;
    for (uint32_t i = 0; i < operand->rank; i++) {
        if (operand->dims[i] < 0 || operand->dims[i] >= (int64_t)ELEMENTS_END)
            return SIZE_MAX;
        if (operand->dims[i] == 0)
            empty = true;
        else if (elements < ELEMENTS_END)
            elements *= (size_t)operand->dims[i];
    }
    if (empty)
        return 0;
    return elements < ELEMENTS_END ? elements : SIZE_MAX;
}

size_t anole_dtype_bytes(uint32_t dtype)
{
    switch (dtype) {
#define X(name, value, text, bytes, kind)                                                          \
    case ANOLE_##name:                                                                             \
        return bytes;
        ANOLE_DTYPE_MAP(X)
#undef X
    default:
        return 0;
    }
}

const char *anole_dtype_text(uint32_t dtype)
{
    switch (dtype) {
#define X(name, value, text, bytes, kind)                                                          \
    case ANOLE_##name:                                                                             \
        return text;
        ANOLE_DTYPE_MAP(X)
#undef X
    default:
        return "unknown";
    }
}

enum { REAL, INT, UINT, BOOL, NONE };

static int kind_of(uint32_t dtype)
{
    switch (dtype) {
#define X(name, value, text, bytes, kind)                                                          \
    case ANOLE_##name:                                                                             \
        return kind;
        ANOLE_DTYPE_MAP(X)
#undef X
    default:
        return NONE;
    }
}

bool anole_dtype_is_real(uint32_t dtype)
{
    return kind_of(dtype) == REAL;
}

bool anole_operand_same_shape(const struct anole_operand *a, const struct anole_operand *b)
{
    return a->rank == b->rank && memcmp(a->dims, b->dims, a->rank * sizeof *a->dims) == 0;
}

const char *anole_operand_shape_text(char *out, size_t size, const struct anole_operand *operand)
{
    size_t length = (size_t)snprintf(out, size, "[");
    for (uint32_t i = 0; i < operand->rank && length < size; i++)
        length += (size_t)snprintf(out + length, size - length, "%s%" PRId64, i > 0 ? ", " : "",
                                   operand->dims[i]);
    if (length < size)
        snprintf(out + length, size - length, "]");
    return out;
}

/* ------------------------------------------------------------------ elements */

static float bfloat_to_float(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

/* To nearest even. */
static uint16_t bfloat_from_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (isnan(value))
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* The element as its own C type; U64 above INT64_MAX wraps in get_int. */
#define AT(type) (((const type *)operand->data)[i])

int64_t anole_operand_int(const struct anole_operand *operand, size_t i)
{
    switch (operand->dtype) {
    case ANOLE_I8:
        return AT(int8_t);
    case ANOLE_U8:
    case ANOLE_BOOL:
        return AT(uint8_t);
    case ANOLE_I16:
        return AT(int16_t);
    case ANOLE_U16:
        return AT(uint16_t);
    case ANOLE_I32:
        return AT(int32_t);
    case ANOLE_U32:
        return AT(uint32_t);
    case ANOLE_I64:
        return AT(int64_t);
    case ANOLE_U64:
        return (int64_t)AT(uint64_t);
    default: {
        double value = anole_dtype_is_real(operand->dtype) ? anole_operand_real(operand, i) : 0;
        if (isnan(value))
            return 0;
        return value >= 9.2e18 ? INT64_MAX : value <= -9.2e18 ? INT64_MIN : (int64_t)value;
    }
    }
}

double anole_operand_real(const struct anole_operand *operand, size_t i)
{
    switch (operand->dtype) {
    case ANOLE_F32:
    case ANOLE_TF32:
        return AT(float);
    case ANOLE_F64:
        return AT(double);
    case ANOLE_F16:
        return anole_half_to_float(AT(uint16_t));
    case ANOLE_BF16:
        return bfloat_to_float(AT(uint16_t));
    case ANOLE_U64:
        return (double)AT(uint64_t);
    default:
        return kind_of(operand->dtype) == NONE ? 0 : (double)anole_operand_int(operand, i);
    }
}

void anole_operand_set_real(struct anole_operand *operand, size_t i, double value)
{
    switch (operand->dtype) {
    case ANOLE_F32:
    case ANOLE_TF32:
        ((float *)operand->data)[i] = (float)value;
        break;
    case ANOLE_F64:
        ((double *)operand->data)[i] = value;
        break;
    case ANOLE_F16:
        ((uint16_t *)operand->data)[i] = anole_half_from_float((float)value);
        break;
    case ANOLE_BF16:
        ((uint16_t *)operand->data)[i] = bfloat_from_float((float)value);
        break;
    case ANOLE_U64:
        ((uint64_t *)operand->data)[i] = !(value > 0)      ? 0
                                         : value >= 1.8e19 ? UINT64_MAX
                                                           : (uint64_t)value;
        break;
    case ANOLE_BOOL:
        ((uint8_t *)operand->data)[i] = value != 0;
        break;
    default:
        if (kind_of(operand->dtype) != NONE)
            anole_operand_set_int(operand, i,
                                  isnan(value)       ? 0
                                  : value >= 9.2e18  ? INT64_MAX
                                  : value <= -9.2e18 ? INT64_MIN
                                                     : (int64_t)value);
    }
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

void anole_operand_set_int(struct anole_operand *operand, size_t i, int64_t value)
{
    switch (operand->dtype) {
    case ANOLE_I8:
        ((int8_t *)operand->data)[i] = (int8_t)clamp(value, INT8_MIN, INT8_MAX);
        break;
    case ANOLE_U8:
        ((uint8_t *)operand->data)[i] = (uint8_t)clamp(value, 0, UINT8_MAX);
        break;
    case ANOLE_BOOL:
        ((uint8_t *)operand->data)[i] = value != 0;
        break;
    case ANOLE_I16:
        ((int16_t *)operand->data)[i] = (int16_t)clamp(value, INT16_MIN, INT16_MAX);
        break;
    case ANOLE_U16:
        ((uint16_t *)operand->data)[i] = (uint16_t)clamp(value, 0, UINT16_MAX);
        break;
    case ANOLE_I32:
        ((int32_t *)operand->data)[i] = (int32_t)clamp(value, INT32_MIN, INT32_MAX);
        break;
    case ANOLE_U32:
        ((uint32_t *)operand->data)[i] = (uint32_t)clamp(value, 0, UINT32_MAX);
        break;
    case ANOLE_I64:
        ((int64_t *)operand->data)[i] = value;
        break;
    case ANOLE_U64:
        ((uint64_t *)operand->data)[i] = (uint64_t)value;
        break;
    default:
        if (kind_of(operand->dtype) != NONE)
            anole_operand_set_real(operand, i, (double)value);
    }
}

/* -------------------------------------------------------------- broadcasting */

enum anole_status anole_operand_broadcast(struct anole_operand *out, const struct anole_operand *a,
                                          const struct anole_operand *b, struct anole_error *error)
{
    uint32_t rank = a->rank > b->rank ? a->rank : b->rank;
    char left[128], right[128];
    struct anole_operand both = *out;
    both.rank = rank;
    for (uint32_t i = 0; i < rank; i++) {
        int64_t of_a = i + a->rank < rank ? 1 : a->dims[i + a->rank - rank];
        int64_t of_b = i + b->rank < rank ? 1 : b->dims[i + b->rank - rank];
        if (of_a != of_b && of_a != 1 && of_b != 1)
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "shapes %s and %s do not fit together; expected sizes that are "
                              "equal or 1, from the last on",
                              anole_operand_shape_text(left, sizeof left, a),
                              anole_operand_shape_text(right, sizeof right, b));
        both.dims[i] = of_a == 1 ? of_b : of_a;
    }
    *out = both;
    return ANOLE_DONE;
}

void anole_operand_strides(int64_t *strides, const struct anole_operand *operand,
                           const struct anole_operand *as)
{
    uint64_t stride = 1; /* may wrap where there are no elements */
    for (uint32_t i = as->rank; i-- > 0;) {
        int64_t size =
            i + operand->rank < as->rank ? 1 : operand->dims[i + operand->rank - as->rank];
        strides[i] = size == 1 ? 0 : (int64_t)stride;
        stride *= (uint64_t)size;
    }
}

enum anole_status anole_operand_axis(uint32_t *axis, int64_t value, uint32_t rank,
                                     struct anole_error *error)
{
    if (value < -(int64_t)rank || value >= (int64_t)rank)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "axis %" PRId64 " of a tensor with %u dimensions; expected %" PRId64
                          " to %" PRId64,
                          value, rank, -(int64_t)rank, (int64_t)rank - 1);
    *axis = (uint32_t)(value < 0 ? value + rank : value);
    return ANOLE_DONE;
}

double anole_operand_error(const struct anole_operand *found, const struct anole_operand *expected,
                           size_t *at)
{
    size_t elements = anole_operand_elements(expected);
    double largest = 0, worst = -1;
    for (size_t i = 0; i < elements; i++) {
        double e = fabs(anole_operand_real(expected, i));
        if (isfinite(e) && e > largest)
            largest = e;
    }
    *at = 0;
    for (size_t i = 0; i < elements; i++) {
        double e = anole_operand_real(expected, i), f = anole_operand_real(found, i);
        double difference = e == f || (isnan(e) && isnan(f)) ? 0 : fabs(f - e);
        if (isnan(difference))
            difference = INFINITY;
        if (difference > worst) {
            worst = difference;
            *at = i;
        }
    }
    return worst <= 0 ? 0 : worst / (largest > 0 ? largest : 1);
}
