/* SPDX-License-Identifier: MIT
 *
 * matmul: the product of matrices, the last two dimensions; those before broadcast.  A list
 * counts as a row on the left and as a column on the right, and that dimension goes again.
 *
 * Real types are summed in double, integers in 64 bits and wrapped.
 */
#include "kernels/op_matmul.cl.h"
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The matrices in it: [batch][m][k] times [batch][k][n]. */
struct product {
    struct anole_operand a, b;  /* of rank 2 and more */
    struct anole_operand batch; /* what both broadcast to */
    int64_t m, k, n;
};

static enum anole_status make_product(struct product *product, const struct anole_call *call,
                                      struct anole_error *error)
{
    struct anole_operand a = *call->inputs[0], b = *call->inputs[1];
    char left[128], right[128];
    if (a.rank == 1) {
        a.dims[1] = a.dims[0];
        a.dims[0] = 1;
        a.rank = 2;
    }
    if (b.rank == 1) {
        b.dims[1] = 1;
        b.rank = 2;
    }
    if (a.rank < 2 || b.rank < 2 || a.dims[a.rank - 1] != b.dims[b.rank - 2])
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "matrices of shape %s and %s; expected the last size of the first to be "
                          "the last but one of the second",
                          anole_operand_shape_text(left, sizeof left, call->inputs[0]),
                          anole_operand_shape_text(right, sizeof right, call->inputs[1]));
    product->m = a.dims[a.rank - 2];
    product->k = a.dims[a.rank - 1];
    product->n = b.dims[b.rank - 1];
    a.rank -= 2;
    b.rank -= 2;
    product->batch.rank = 0;
    product->a = a;
    product->b = b;
    return anole_operand_broadcast(&product->batch, &a, &b, error);
}

static enum anole_status infer(struct anole_call *call, struct anole_error *error)
{
    const struct anole_operand *a = call->inputs[0], *b = call->inputs[1];
    struct anole_operand *output = &call->outputs[0];
    struct product product;
    enum anole_status status = anole_check_type(
        a, ANOLE_TYPES_REAL | ANOLE_TYPE(I32) | ANOLE_TYPE(U32) | ANOLE_TYPE(I64) | ANOLE_TYPE(U64),
        "the first input", error);
    if (status == ANOLE_DONE)
        status = anole_check_same_type(b, a, "the second input", error);
    if (status == ANOLE_DONE)
        status = make_product(&product, call, error);
    if (status)
        return status;
    output->dtype = a->dtype;
    output->rank = product.batch.rank;
    memcpy(output->dims, product.batch.dims, output->rank * sizeof *output->dims);
    if (a->rank > 1)
        output->dims[output->rank++] = product.m;
    if (b->rank > 1)
        output->dims[output->rank++] = product.n;
    return anole_check_size(output, error);
}

/* ------------------------------------------------------------------- matrices */

#define COLUMNS 256

/* A strip of up to COLUMNS columns and ROWS rows of one product, summed in `sum_type`. */
#define STRIP(name, type, sum_type)                                                                \
    static void name(sum_type *sums, const type *a, const type *b, int64_t rows, int64_t columns,  \
                     int64_t k, int64_t n)                                                         \
    {                                                                                              \
        for (int64_t i = 0; i < rows * COLUMNS; i++)                                               \
            sums[i] = 0;                                                                           \
        for (int64_t l = 0; l < k; l++)                                                            \
            for (int64_t i = 0; i < rows; i++) {                                                   \
                sum_type x = (sum_type)a[i * k + l];                                               \
                sum_type *row = sums + i * COLUMNS;                                                \
                const type *y = b + l * n;                                                         \
                for (int64_t j = 0; j < columns; j++)                                              \
                    row[j] += x * (sum_type)y[j];                                                  \
            }                                                                                      \
    }

STRIP(strip_f32, float, double)
STRIP(strip_f64, double, double)
STRIP(strip_int, uint64_t, uint64_t)

#define ROWS 4

/* One product into the output from `to` on.  `a` and `b` are of F32, or converted: to double
 * for other real types, to 64 bits for integers. */
static void multiply(struct anole_operand *output, int64_t to, const void *a, const void *b,
                     const struct product *product)
{
    int64_t k = product->k, n = product->n;
    for (int64_t j = 0; j < n; j += COLUMNS)
        for (int64_t i = 0; i < product->m; i += ROWS) {
            int64_t rows = product->m - i < ROWS ? product->m - i : ROWS;
            int64_t columns = n - j < COLUMNS ? n - j : COLUMNS;
            double reals[ROWS * COLUMNS];
            uint64_t ints[ROWS * COLUMNS];
            bool real = anole_dtype_is_real(output->dtype);
            if (output->dtype == ANOLE_F32)
                strip_f32(reals, (const float *)a + i * k, (const float *)b + j, rows, columns, k,
                          n);
            else if (real)
                strip_f64(reals, (const double *)a + i * k, (const double *)b + j, rows, columns, k,
                          n);
            else
                strip_int(ints, (const uint64_t *)a + i * k, (const uint64_t *)b + j, rows, columns,
                          k, n);
            for (int64_t r = 0; r < rows; r++) {
                int64_t at = to + (i + r) * n + j;
                if (real)
                    anole_store_reals(output, at, 1, reals + r * COLUMNS, (size_t)columns);
                else
                    anole_store_ints(output, at, 1, (const int64_t *)ints + r * COLUMNS,
                                     (size_t)columns);
            }
        }
}

/* The elements as multiply() takes them; *owned is to be freed.  NULL: no memory. */
static const void *prepare(void **owned, const struct anole_operand *operand)
{
    size_t count = anole_operand_elements(operand);
    *owned = NULL;
    if (operand->dtype == ANOLE_F32)
        return operand->data;
    *owned = malloc((count + 1) * sizeof(double));
    if (*owned && anole_dtype_is_real(operand->dtype))
        anole_load_reals(*owned, operand, 0, 1, count);
    else if (*owned)
        anole_load_ints(*owned, operand, 0, 1, count);
    return *owned;
}

static enum anole_status compute(const struct anole_call *call, struct anole_error *error)
{
    struct anole_operand *output = &call->outputs[0];
    size_t bytes = output->dtype == ANOLE_F32 ? sizeof(float) : sizeof(double);
    int64_t strides[2][ANOLE_MAX_RANK], to = 0;
    struct product product;
    struct anole_walk walk;
    void *owned_a = NULL, *owned_b = NULL;
    enum anole_status status = make_product(&product, call, error);
    if (status)
        return status;
    if (anole_operand_elements(output) == 0)
        return ANOLE_DONE;
    const char *a = prepare(&owned_a, call->inputs[0]), *b = prepare(&owned_b, call->inputs[1]);
    if (!a || !b) {
        status = anole_fail_memory(error);
        goto end;
    }
    anole_operand_strides(strides[0], &product.a, &product.batch);
    anole_operand_strides(strides[1], &product.b, &product.batch);
    for (bool more = anole_walk_begin(&walk, product.batch.rank, product.batch.dims, 2, strides);
         more; more = anole_walk_next(&walk))
        for (int64_t i = 0; i < walk.length; i++, to += product.m * product.n) {
            int64_t at_a = (walk.at[0] + i * walk.step[0]) * product.m * product.k;
            int64_t at_b = (walk.at[1] + i * walk.step[1]) * product.k * product.n;
            multiply(output, to, a + (size_t)at_a * bytes, b + (size_t)at_b * bytes, &product);
        }
end:
    free(owned_b);
    free(owned_a);
    return status;
}

static double flops(const struct anole_call *call)
{
    struct product product;
    if (make_product(&product, call, NULL))
        return 0;
    return 2 * (double)product.k * (double)anole_operand_elements(&call->outputs[0]);
}

#define TALL 4 /* rows of a work-item */

static enum anole_status kernel(const struct anole_call *call, struct anole_kernel_builder *builder,
                                struct anole_error *error)
{
    const char *type = anole_plain_type(call->outputs[0].dtype);
    struct anole_plain_source source = {.builder = builder};
    int64_t strides[2][ANOLE_MAX_RANK], batch = 1;
    struct product product;
    enum anole_status status = make_product(&product, call, error);
    if (status)
        return status;
    if (!type || product.m < 1 || product.n < 1 || product.k < 1)
        return anole_plain_none("this type or size", error);
    anole_operand_strides(strides[0], &product.a, &product.batch);
    anole_operand_strides(strides[1], &product.b, &product.batch);
    for (uint32_t d = 0; d < product.batch.rank; d++) {
        batch *= product.batch.dims[d];
        strides[0][d] *= product.m * product.k;
        strides[1][d] *= product.k * product.n;
    }
    const int64_t width = product.n >= 16 ? 16 : product.n >= 8 ? 8 : product.n >= 4 ? 4 : 2;
    const int64_t down = (product.m + TALL - 1) / TALL, chunks = (product.n + width - 1) / width;
    const int64_t items = batch * (product.n == 1 ? product.m : down * chunks);
    anole_plain_define(&source, "TYPE", "%s", type);
    anole_plain_define_int(&source, "ROWS", product.m);
    anole_plain_define_int(&source, "DEPTH", product.k);
    anole_plain_define_int(&source, "COLUMNS", product.n);
    anole_plain_define_int(&source, "WIDTH", width);
    anole_plain_define_int(&source, "CHUNKS", chunks);
    anole_plain_define_int(&source, "TALL", TALL);
    anole_plain_define_int(&source, "DOWN", down);
    anole_plain_define_int(&source, "PRODUCTS", items);
    anole_plain_define_sum(&source, "AT_A", product.batch.rank, product.batch.dims, strides[0], 0);
    anole_plain_define_sum(&source, "AT_B", product.batch.rank, product.batch.dims, strides[1], 0);
    anole_plain_text(&source, kernel_op_matmul);
    const struct anole_arg args[] = {ANOLE_PLAIN_INPUT(0), ANOLE_PLAIN_INPUT(1),
                                     ANOLE_PLAIN_OUTPUT(0)};
    anole_plain_launch(&source, "matmul", items, args, 3);
    return anole_plain_finish(&source, error);
}

const struct anole_op anole_op_matmul = {
    .name = "matmul",
    .fewest_inputs = 2,
    .most_inputs = 2,
    .fewest_outputs = 1,
    .most_outputs = 1,
    .infer = infer,
    .compute = compute,
    .kernel = kernel,
    .flops = flops,
};
