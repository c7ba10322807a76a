/* SPDX-License-Identifier: MIT */
#include "op/iterate.h"

#include <string.h>

/* -------------------------------------------------------------------- chunks */

#define LOAD(type)                                                                                 \
    do {                                                                                           \
        const type *from = (const type *)operand->data + first;                                    \
        if (stride == 1)                                                                           \
            for (size_t i = 0; i < count; i++)                                                     \
                values[i] = from[i];                                                               \
        else                                                                                       \
            for (size_t i = 0; i < count; i++)                                                     \
                values[i] = from[(int64_t)i * stride];                                             \
    } while (0)

#define STORE(type)                                                                                \
    do {                                                                                           \
        type *to = (type *)operand->data + first;                                                  \
        if (stride == 1)                                                                           \
            for (size_t i = 0; i < count; i++)                                                     \
                to[i] = (type)values[i];                                                           \
        else                                                                                       \
            for (size_t i = 0; i < count; i++)                                                     \
                to[(int64_t)i * stride] = (type)values[i];                                         \
    } while (0)

void anole_load_reals(double *values, const struct anole_operand *operand, int64_t first,
                      int64_t stride, size_t count)
{
    switch (operand->dtype) {
    case ANOLE_F32:
    case ANOLE_TF32:
        LOAD(float);
        break;
    case ANOLE_F64:
        LOAD(double);
        break;
    default:
        for (size_t i = 0; i < count; i++)
            values[i] = anole_operand_real(operand, (size_t)(first + (int64_t)i * stride));
    }
}

void anole_store_reals(struct anole_operand *operand, int64_t first, int64_t stride,
                       const double *values, size_t count)
{
    switch (operand->dtype) {
    case ANOLE_F32:
    case ANOLE_TF32:
        STORE(float);
        break;
    case ANOLE_F64:
        STORE(double);
        break;
    default:
        for (size_t i = 0; i < count; i++)
            anole_operand_set_real(operand, (size_t)(first + (int64_t)i * stride), values[i]);
    }
}

void anole_load_ints(int64_t *values, const struct anole_operand *operand, int64_t first,
                     int64_t stride, size_t count)
{
    switch (operand->dtype) {
    case ANOLE_I32:
        LOAD(int32_t);
        break;
    case ANOLE_I64:
        LOAD(int64_t);
        break;
    case ANOLE_BOOL:
    case ANOLE_U8:
        LOAD(uint8_t);
        break;
    default:
        for (size_t i = 0; i < count; i++)
            values[i] = anole_operand_int(operand, (size_t)(first + (int64_t)i * stride));
    }
}

void anole_store_ints(struct anole_operand *operand, int64_t first, int64_t stride,
                      const int64_t *values, size_t count)
{
    switch (operand->dtype) {
    case ANOLE_I8:
    case ANOLE_U8:
        STORE(uint8_t);
        break;
    case ANOLE_I16:
    case ANOLE_U16:
        STORE(uint16_t);
        break;
    case ANOLE_I32:
    case ANOLE_U32:
        STORE(uint32_t);
        break;
    case ANOLE_I64:
    case ANOLE_U64:
        STORE(uint64_t);
        break;
    default:
        for (size_t i = 0; i < count; i++)
            anole_operand_set_int(operand, (size_t)(first + (int64_t)i * stride), values[i]);
    }
}

/* ---------------------------------------------------------------------- rows */

/* Whether dimension `at` of the walk continues the one before it in every operand. */
static bool continues(const struct anole_walk *walk, int64_t size,
                      const int64_t strides[][ANOLE_MAX_RANK], uint32_t at)
{
    if (walk->rank == 0)
        return false;
    for (uint32_t k = 0; k < walk->count; k++)
        if (walk->strides[k][walk->rank - 1] != strides[k][at] * size)
            return false;
    return true;
}

bool anole_walk_begin(struct anole_walk *walk, uint32_t rank, const int64_t *dims, uint32_t count,
                      const int64_t strides[][ANOLE_MAX_RANK])
{
    memset(walk, 0, sizeof *walk);
    walk->count = count;
    for (uint32_t i = 0; i < rank; i++)
        if (dims[i] == 0)
            return false;
    for (uint32_t i = 0; i < rank; i++) {
        if (dims[i] == 1)
            continue;
        if (continues(walk, dims[i], strides, i)) {
            walk->dims[walk->rank - 1] *= dims[i];
        } else {
            walk->dims[walk->rank++] = dims[i];
        }
        for (uint32_t k = 0; k < count; k++)
            walk->strides[k][walk->rank - 1] = strides[k][i];
    }
    walk->length = 1;
    if (walk->rank > 0) {
        walk->length = walk->dims[--walk->rank];
        for (uint32_t k = 0; k < count; k++)
            walk->step[k] = walk->strides[k][walk->rank];
    }
    return true;
}

bool anole_walk_next(struct anole_walk *walk)
{
    for (uint32_t i = walk->rank; i-- > 0;) {
        if (++walk->index[i] < walk->dims[i]) {
            for (uint32_t k = 0; k < walk->count; k++)
                walk->at[k] += walk->strides[k][i];
            return true;
        }
        walk->index[i] = 0;
        for (uint32_t k = 0; k < walk->count; k++)
            walk->at[k] -= walk->strides[k][i] * (walk->dims[i] - 1);
    }
    return false;
}

void anole_dense_strides(int64_t *strides, const struct anole_operand *operand)
{
    uint64_t stride = 1; /* may wrap where there are no elements */
    for (uint32_t i = operand->rank; i-- > 0;) {
        strides[i] = (int64_t)stride;
        stride *= (uint64_t)operand->dims[i];
    }
}

struct anole_axis anole_axis_split(const struct anole_operand *operand, uint32_t axis)
{
    struct anole_axis split = {1, operand->dims[axis], 1};
    if (anole_operand_elements(operand) == 0)
        return (struct anole_axis){0, operand->dims[axis], 0};
    for (uint32_t i = 0; i < axis; i++)
        split.outer *= operand->dims[i];
    for (uint32_t i = axis + 1; i < operand->rank; i++)
        split.inner *= operand->dims[i];
    return split;
}

/* -------------------------------------------------------------------- copies */

#define COPY_ROW(type)                                                                             \
    do {                                                                                           \
        type *to = (type *)out + out_at;                                                           \
        const type *from = (const type *)in + in_at;                                               \
        for (int64_t i = 0; i < length; i++)                                                       \
            to[i * out_step] = from[i * in_step];                                                  \
    } while (0)

static void copy_row(void *out, int64_t out_at, int64_t out_step, const void *in, int64_t in_at,
                     int64_t in_step, int64_t length, size_t bytes)
{
    if (out_step == 1 && in_step == 1) {
        /* Signed: walks may go backwards from where they begin. */
        memcpy((char *)out + out_at * (int64_t)bytes, (const char *)in + in_at * (int64_t)bytes,
               (size_t)length * bytes);
        return;
    }
    switch (bytes) {
    case 1:
        COPY_ROW(uint8_t);
        break;
    case 2:
        COPY_ROW(uint16_t);
        break;
    case 4:
        COPY_ROW(uint32_t);
        break;
    default:
        COPY_ROW(uint64_t);
    }
}

void anole_copy_strided(void *out, const int64_t *out_strides, const void *in,
                        const int64_t *in_strides, uint32_t rank, const int64_t *dims, size_t bytes)
{
    int64_t strides[2][ANOLE_MAX_RANK];
    struct anole_walk walk;
    memcpy(strides[0], out_strides, rank * sizeof **strides);
    memcpy(strides[1], in_strides, rank * sizeof **strides);
    for (bool more = anole_walk_begin(&walk, rank, dims, 2, strides); more;
         more = anole_walk_next(&walk))
        copy_row(out, walk.at[0], walk.step[0], in, walk.at[1], walk.step[1], walk.length, bytes);
}

/* Whether the innermost map is a run of neighbours, without a place that is filled. */
static bool is_run(const int64_t *map, int64_t size)
{
    for (int64_t i = 0; i < size; i++)
        if (map[i] != map[0] + i || map[i] < 0)
            return false;
    return true;
}

static void copy_mapped_row(char *out, const char *in, const int64_t *map, int64_t size, bool run,
                            const void *fill, size_t bytes)
{
    if (run && in) {
        memcpy(out, in + (size_t)map[0] * bytes, (size_t)size * bytes);
        return;
    }
    for (int64_t i = 0; i < size; i++)
        memcpy(out + (size_t)i * bytes, in && map[i] >= 0 ? in + (size_t)map[i] * bytes : fill,
               bytes);
}

void anole_copy_mapped(struct anole_operand *out, const struct anole_operand *in,
                       const int64_t *const *maps, const void *fill)
{
    static const int64_t zero[1] = {0};
    size_t bytes = anole_dtype_bytes(out->dtype);
    uint32_t outer = out->rank > 0 ? out->rank - 1 : 0;
    int64_t size = out->rank > 0 ? out->dims[outer] : 1;
    const int64_t *last = out->rank > 0 ? maps[outer] : zero;
    int64_t strides[ANOLE_MAX_RANK], index[ANOLE_MAX_RANK] = {0};
    char *row = out->data;
    if (anole_operand_elements(out) == 0)
        return;
    anole_dense_strides(strides, in);
    for (bool run = is_run(last, size), more = true; more; row += (size_t)size * bytes) {
        int64_t at = 0;
        bool filled = false;
        for (uint32_t d = 0; d < outer; d++) {
            filled |= maps[d][index[d]] < 0;
            at += maps[d][index[d]] * strides[d];
        }
        copy_mapped_row(row, filled ? NULL : (const char *)in->data + at * (int64_t)bytes, last,
                        size, run, fill, bytes);
        more = false;
        for (uint32_t d = outer; d-- > 0 && !more;) {
            more = ++index[d] < out->dims[d];
            if (!more)
                index[d] = 0;
        }
    }
}
