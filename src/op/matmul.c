/* SPDX-License-Identifier: MIT
 *
 * matmul: the product of matrices, the last two dimensions; those before broadcast.  A list
 * counts as a row on the left and as a column on the right, and that dimension goes again.
 * With `transpose_b` the last two dimensions of the second input change places first.
 *
 * Real types are summed in double, integers in 64 bits and wrapped.
 *
 * It is tuned where each matrix of one side meets one of the other, or one matrix on the right
 * meets all: then the rows of all on the left are those of one.
 */
#include "kernels/op_matmul.cl.h"
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"
#include "op/reference_private.h"
#include "op/task_ops.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- as a task */

static enum anole_status infer_output(struct anole_task *task, struct anole_error *error)
{
    (void)error;
    task->out_h = 1;
    task->out_w = task->in_w;
    return ANOLE_DONE;
}

static enum anole_status check_task(const struct anole_task *task, struct anole_error *error)
{
    const uint32_t ones[] = {task->in_h,     task->out_h,      task->kernel_h,
                             task->kernel_w, task->stride_h,   task->stride_w,
                             task->groups,   task->dilation_h, task->dilation_w};
    for (size_t i = 0; i < sizeof ones / sizeof *ones; i++)
        if (ones[i] != 1)
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "a matmul task has a size of %" PRIu32
                              " besides batch, rows and channels; expected a height, kernel, "
                              "stride, dilation and groups of 1",
                              ones[i]);
    if (task->in_w < 1)
        return anole_fail(error, ANOLE_ERR_INPUT, "a matmul task has no rows; expected some");
    if (task->pad_top || task->pad_left || task->pad_bottom || task->pad_right)
        return anole_fail(error, ANOLE_ERR_INPUT, "a matmul task has padding; expected none");
    return ANOLE_DONE;
}

static void set_ones(struct anole_task *t)
{
    t->in_h = t->out_h = t->kernel_h = t->kernel_w = t->stride_h = t->stride_w = 1;
    t->dilation_h = t->dilation_w = t->groups = 1;
}

static void write_key(char *out, size_t size, const struct anole_task *t)
{
    snprintf(out, size, " n%" PRIu32 " m%" PRIu32 " i%" PRIu32 " o%" PRIu32 "%s%s", t->batch,
             t->in_w, t->in_c, t->out_c, t->flags & ANOLE_TASK_TRANSPOSE_A ? " ta" : "",
             t->flags & ANOLE_TASK_TRANSPOSE_B ? " tb" : "");
}

static void scan_flag(const char **at, struct anole_task *t, const char *word, uint32_t flag)
{
    if (!*at || strncmp(*at, word, strlen(word)) != 0)
        return;
    *at += strlen(word);
    t->flags |= flag;
}

static void scan_key(const char **at, struct anole_task *t)
{
    anole_key_scan(at, " n", &t->batch);
    anole_key_scan(at, " m", &t->in_w);
    anole_key_scan(at, " i", &t->in_c);
    anole_key_scan(at, " o", &t->out_c);
    scan_flag(at, t, " ta", ANOLE_TASK_TRANSPOSE_A);
    scan_flag(at, t, " tb", ANOLE_TASK_TRANSPOSE_B);
    set_ones(t);
}

static void label(struct anole_text *text, const struct anole_task *task)
{
    anole_text_printf(text, "matmul %" PRIu32 "x%" PRIu32 "x%" PRIu32 "%s%s", task->in_w,
                      task->in_c, task->out_c, task->flags & ANOLE_TASK_TRANSPOSE_A ? " ta" : "",
                      task->flags & ANOLE_TASK_TRANSPOSE_B ? " tb" : "");
}

static uint32_t output_of_task(uint32_t dims[4], const struct anole_task *task)
{
    dims[0] = task->batch;
    dims[1] = task->out_w;
    dims[2] = task->out_c;
    return 3;
}

static uint32_t right_of_task(uint32_t dims[4], const struct anole_task *task)
{
    const bool transposed = task->flags & ANOLE_TASK_TRANSPOSE_B;
    dims[0] = task->batch;
    dims[1] = transposed ? task->out_c : task->in_c;
    dims[2] = transposed ? task->in_c : task->out_c;
    return 3;
}

static size_t reduction(const struct anole_task *task)
{
    return task->in_c;
}

#define LANES ANOLE_REFERENCE_LANES

static size_t blocks_of(const struct anole_task *task)
{
    return ((size_t)task->out_c + LANES - 1) / LANES;
}

static size_t pieces(const struct anole_task *task)
{
    return task->batch * blocks_of(task);
}

/* Columns first .. first + count - 1 of matrix n on the right: packed[c][LANES]. */
static void pack_columns(double *packed, const struct anole_reference *r, size_t n, size_t first,
                         size_t count)
{
    const struct anole_task *t = r->task;
    const bool transposed = t->flags & ANOLE_TASK_TRANSPOSE_B;
    const size_t across = transposed ? t->in_c : 1, down = transposed ? 1 : t->out_c;
    const float *b = r->weights + n * t->in_c * t->out_c + first * across;
    for (size_t c = 0; c < t->in_c; c++)
        for (size_t k = 0; k < LANES; k++)
            packed[c * LANES + k] = k < count ? (double)b[c * down + k * across] : 0;
}

/* Takes pieces until there are none: each is all rows of LANES columns of one product. */
static void *work(void *reference)
{
    struct anole_reference *r = reference;
    const struct anole_task *t = r->task;
    const size_t depth = t->in_c, blocks = blocks_of(t);
    const bool transposed = t->flags & ANOLE_TASK_TRANSPOSE_A;
    double *packed = calloc(depth * (LANES + 1), sizeof *packed);
    size_t piece;
    if (!packed) {
        atomic_store(&r->out_of_memory, true);
        return NULL;
    }
    double *row = packed + depth * LANES;
    while ((piece = atomic_fetch_add(&r->next, 1)) < r->pieces) {
        const size_t n = piece / blocks, first = piece % blocks * LANES;
        const size_t count = t->out_c - first < LANES ? t->out_c - first : LANES;
        const double *a = r->input + n * t->in_w * depth;
        pack_columns(packed, r, n, first, count);
        for (size_t i = 0; i < t->in_w; i++) {
            double sums[LANES] = {0};
            for (size_t c = 0; c < depth && transposed; c++)
                row[c] = a[c * t->in_w + i];
            r->multiply(sums, transposed ? row : a + i * depth, packed, depth);
            for (size_t k = 0; k < count; k++)
                anole_reference_finish(r, n * t->in_w + i, first + k, sums[k]);
        }
    }
    free(packed);
    return NULL;
}

static const struct anole_task_ops task_ops = {
    .kind = ANOLE_TASK_MATMUL,
    .name = "matmul",
    .flags =
        ANOLE_TASK_BIAS | ANOLE_TASK_RESIDUAL | ANOLE_TASK_TRANSPOSE_A | ANOLE_TASK_TRANSPOSE_B,
    .dynamic = true,
    .infer_output = infer_output,
    .check = check_task,
    .write_key = write_key,
    .scan_key = scan_key,
    .label = label,
    .output = output_of_task,
    .weights = right_of_task,
    .reduction = reduction,
    .pieces = pieces,
    .work = work,
};

/* -------------------------------------------------------------- as an operator */

struct matmul {
    bool transpose_b;
};

static const struct anole_op_key keys[] = {
    {.name = "transpose_b", .kind = ANOLE_KEY_BOOL, .offset = offsetof(struct matmul, transpose_b)},
    {.name = NULL},
};

/* The matrices in it: [batch][m][k] times [batch][k][n]. */
struct product {
    struct anole_operand a, b;  /* the dimensions before the last two of each */
    struct anole_operand batch; /* what both broadcast to */
    int64_t m, k, n;
    bool transposed; /* b is [batch][n][k] */
};

static enum anole_status make_product(struct product *product, const struct anole_call *call,
                                      struct anole_error *error)
{
    const struct matmul *matmul = call->attributes;
    struct anole_operand a = *call->inputs[0], b = *call->inputs[1];
    char left[128], right[128];
    product->transposed = matmul->transpose_b && b.rank > 1;
    if (a.rank == 1) {
        a.dims[1] = a.dims[0];
        a.dims[0] = 1;
        a.rank = 2;
    }
    if (b.rank == 1) {
        b.dims[1] = 1;
        b.rank = 2;
    }
    const uint32_t down = product->transposed ? 1 : 2, across = 3 - down;
    if (a.rank < 2 || b.rank < 2 || a.dims[a.rank - 1] != b.dims[b.rank - down])
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "matrices of shape %s and %s; expected the last size of the first to be "
                          "the last%s of the second",
                          anole_operand_shape_text(left, sizeof left, call->inputs[0]),
                          anole_operand_shape_text(right, sizeof right, call->inputs[1]),
                          down == 2 ? " but one" : "");
    product->m = a.dims[a.rank - 2];
    product->k = a.dims[a.rank - 1];
    product->n = b.dims[b.rank - across];
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

/* See the head of this file for what is none. */
static bool task_of(const struct anole_call *call, struct anole_task *task)
{
    struct product product;
    const uint32_t dtype = call->inputs[0]->dtype;
    if ((dtype != ANOLE_F32 && dtype != ANOLE_F16) || make_product(&product, call, NULL))
        return false;
    const size_t batch = anole_operand_elements(&product.batch);
    const size_t left = anole_operand_elements(&product.a);
    const size_t right = anole_operand_elements(&product.b);
    const bool one = right == 1 && left == batch;
    const int64_t rows = one ? (int64_t)batch * product.m : product.m;
    if ((!one && (left != batch || right != batch)) || batch < 1 || rows < 1 || product.k < 1 ||
        product.n < 1 || rows >= INT32_MAX || product.k >= INT32_MAX || product.n >= INT32_MAX)
        return false;
    *task = (struct anole_task){.size = sizeof *task,
                                .kind = ANOLE_TASK_MATMUL,
                                .dtype = dtype,
                                .flags = product.transposed ? ANOLE_TASK_TRANSPOSE_B : 0,
                                .batch = one ? 1 : (uint32_t)batch,
                                .in_w = (uint32_t)rows,
                                .out_w = (uint32_t)rows,
                                .in_c = (uint32_t)product.k,
                                .out_c = (uint32_t)product.n};
    set_ones(task);
    return anole_task_check_fields(task, &task_ops, NULL) == ANOLE_DONE;
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

/* The same of matrices [n][k] as [k][n]. */
static const void *prepare_transposed(void **owned, const struct anole_operand *operand,
                                      const struct product *product)
{
    const size_t each = operand->dtype == ANOLE_F32 ? sizeof(float) : sizeof(double);
    const size_t count = anole_operand_elements(operand);
    const size_t n = (size_t)product->n, k = (size_t)product->k;
    void *converted;
    const char *from = prepare(&converted, operand);
    char *to = from ? malloc((count + 1) * each) : NULL;
    for (size_t first = 0; to && first < count; first += n * k)
        for (size_t i = 0; i < n * k; i++)
            memcpy(to + (first + i % k * n + i / k) * each, from + (first + i) * each, each);
    free(converted);
    *owned = to;
    return to;
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
    const char *a = prepare(&owned_a, call->inputs[0]);
    const char *b = product.transposed ? prepare_transposed(&owned_b, call->inputs[1], &product)
                                       : prepare(&owned_b, call->inputs[1]);
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
    anole_plain_define_int(&source, "TRANSPOSED", product.transposed);
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
    .attribute_bytes = sizeof(struct matmul),
    .keys = keys,
    .infer = infer,
    .compute = compute,
    .kernel = kernel,
    .task = task_of,
    .task_ops = &task_ops,
    .flops = flops,
};
