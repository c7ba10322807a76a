/* SPDX-License-Identifier: MIT
 *
 * Outputs in double precision, and how far off a right kernel may be.
 *
 * The factor of the tolerance was chosen by measuring, on the data of task_data.c,
 * the largest error of fp32 implementations in units of u S (10^3 to 10^6 outputs
 * each; the test repeats this on a smaller scale):
 *
 *     n                                9      36     144     576    4608   25088
 *     direct, any order, fma or not    3.2    3.5     3.5     3.3     2.7     1.6
 *     Winograd F(2x2,3x3)              3.8    1.8     1.3     1.1     1.1
 *     Winograd F(4x4,3x3)             90     40      31      19      20
 *     Winograd F(6x6,3x3)            194     81      51      34      28
 *     the factor                     235    149     107      85      72      67
 *     smallest product, |x w|     829000 207000   52000   13000    1620     297
 *
 * The last line is what one product too few or too many costs at least: it is
 * caught, in any output that the activation does not flatten, up to n = 10^5.
 * Products of 10-bit mantissas (TF32) are caught up to n = 10^4.
 *
 * Where they are asked for, an input x in [1/2, 1) is off by up to 2^-12, a weight by up
 * to 2^-11 of itself; a product then by up to 2.67 2^-11 of the mean of |x w|, and a sum
 * of n of them, whose errors are independent, by a deviation of at most
 * 0.61 2^-11 / sqrt(n) S.  The tolerance's term 4 2^-11 / sqrt(n) S is more than can be
 * where n <= 2, and more than six deviations elsewhere.  The largest found, in units of
 * 2^-11 / sqrt(n) S, of 3000 outputs or fewer (test_tolerance): 2.1 (n = 9), 1.9 (64),
 * 2.0 (576), 1.4 (4608).  One product too few is still caught up to n = 25088.
 *
 * Halves in and out: outputs, of a deviation near 1, are rounded by up to 2^-11 then; a
 * product too few is still caught up to n = 25088, sums in halves are caught at any n.
 */
#include "op/reference_private.h"

#include "base/half.h"
#include "op/activation.h"
#include "op/op.h"
#include "op/task_ops.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define MEAN_PRODUCT (0.75 * 0.75) /* of |x w|, before scaling */
#define UNIT 0x1p-24

#define LANES ANOLE_REFERENCE_LANES
#define MAX_THREADS 64
#define CALL_THREADS 4 /* of a call that no kernel is measured by */

/* ---------------------------------------------------------------- inner loop */

/* sums[lane] += x[i] * w[i][lane], for all i.  Four i at a time, for the sums are
 * in memory; loops of constant length, for compilers vectorise those. */
static inline __attribute__((always_inline)) void multiply_add_body(double *restrict sums,
                                                                    const double *restrict x,
                                                                    const double *restrict w,
                                                                    size_t n)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4, w += 4 * LANES) {
        double x0 = x[i], x1 = x[i + 1], x2 = x[i + 2], x3 = x[i + 3];
        for (size_t k = 0; k < LANES; k++)
            sums[k] +=
                x0 * w[k] + x1 * w[k + LANES] + x2 * w[k + 2 * LANES] + x3 * w[k + 3 * LANES];
    }
    for (; i < n; i++, w += LANES)
        for (size_t k = 0; k < LANES; k++)
            sums[k] += x[i] * w[k];
}

static void multiply_add_plain(double *restrict sums, const double *restrict x,
                               const double *restrict w, size_t n)
{
    multiply_add_body(sums, x, w, n);
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static void multiply_add_avx2(double *restrict sums,
                                                                  const double *restrict x,
                                                                  const double *restrict w,
                                                                  size_t n)
{
    multiply_add_body(sums, x, w, n);
}
#endif

static anole_multiply_add *pick_multiply(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return multiply_add_avx2;
#endif
    return multiply_add_plain;
}

/* ------------------------------------------------------------------- outputs */

void anole_reference_finish(const struct anole_reference *r, size_t pixel, size_t channel,
                            double value)
{
    const struct anole_task *task = r->task;
    size_t i = pixel * task->out_c + channel;
    double sum = r->sum;
    if (r->bias) {
        value += (double)r->bias[channel];
        sum += fabs((double)r->bias[channel]);
    }
    if (r->residual) {
        value += (double)r->residual[i];
        sum += fabs((double)r->residual[i]);
    }
    const struct anole_activate activate = {task->activation, task->alpha, task->beta};
    value = anole_activation_apply(&activate, value);
    r->data->expected[i] = value;
    double tolerance = anole_activation_error(&activate, value, r->unit_tolerance * sum);
    if (task->dtype == ANOLE_F16)
        tolerance += anole_half_rounding(fabs(value) + tolerance);
    r->data->tolerance[i] = (float)tolerance;
}

/* ------------------------------------------------------------------- threads */

/* Runs `work` on this thread and up to `threads` - 1 others; makes do with fewer
 * where the system grants no more. */
static void run(struct anole_reference *r, void *(*work)(void *), unsigned threads)
{
    pthread_t others[MAX_THREADS];
    size_t limit = threads < MAX_THREADS ? threads : MAX_THREADS, started = 0;
    if (limit > r->pieces)
        limit = r->pieces;
    while (started + 1 < limit && pthread_create(&others[started], NULL, work, r) == 0)
        started++;
    work(r);
    for (size_t i = 0; i < started; i++)
        pthread_join(others[i], NULL);
}

/* What rounding inputs and weights to TF32 may add, as a part of S. */
static double tf32_tolerance(size_t n)
{
    return 0x1p-9 / sqrt((double)n);
}

enum anole_status anole_reference_compute(struct anole_task_data *data,
                                          const struct anole_task *task,
                                          const struct anole_task_ops *ops, double scale,
                                          unsigned threads, struct anole_error *error)
{
    const float *input = data->input;
    size_t n = ops->reduction(task), elements = anole_task_input_elements(task);
    struct anole_reference r = {
        .task = task,
        .data = data,
        .input = calloc(elements, sizeof(double)),
        .weights = data->weights,
        .bias = data->bias,
        .residual = data->residual,
        .multiply = pick_multiply(),
        .reduction = n,
        .pixels = (size_t)task->batch * task->out_h * task->out_w,
        .unit_tolerance = (64.0 + 512.0 / sqrt((double)n)) * UNIT +
                          (task->dtype == ANOLE_TF32 ? tf32_tolerance(n) : 0.0),
        .sum = (double)n * MEAN_PRODUCT * scale,
    };
    r.pieces = ops->pieces(task);
    enum anole_status status = ANOLE_DONE;
    if (r.input) {
        for (size_t i = 0; i < elements; i++)
            r.input[i] = (double)input[i];
        run(&r, ops->work, threads);
    }
    if (!r.input || atomic_load(&r.out_of_memory))
        status = anole_fail_memory(error);
    free(r.input);
    return status;
}

/* ---------------------------------------------------------------- as an operator */

/* A tensor as floats; NULL: no memory. */
static float *floats_of(const struct anole_operand *operand)
{
    size_t count = anole_operand_elements(operand);
    float *values = calloc(count + 1, sizeof *values);
    for (size_t i = 0; values && i < count; i++)
        values[i] = (float)anole_operand_real(operand, i);
    return values;
}

enum anole_status anole_reference_call(const struct anole_call *call, struct anole_error *error)
{
    struct anole_task task;
    struct anole_operand *output = &call->outputs[0];
    if (!call->op->task(call, &task))
        return anole_fail(error, ANOLE_ERR_INTERNAL, "a %s that is no task", call->op->name);
    const size_t outputs = anole_task_output_elements(&task);
    const struct anole_operand *bias = call->input_count > 2 ? call->inputs[2] : NULL;
    struct anole_task_data data = {
        .input = floats_of(call->inputs[0]),
        .weights = floats_of(call->inputs[1]),
        .bias = bias ? floats_of(bias) : NULL,
        .expected = calloc(outputs + 1, sizeof *data.expected),
        .tolerance = calloc(outputs + 1, sizeof *data.tolerance),
    };
    enum anole_status status = ANOLE_DONE;
    if (!data.input || !data.weights || (bias && !data.bias) || !data.expected || !data.tolerance)
        status = anole_fail_memory(error);
    if (status == ANOLE_DONE)
        status =
            anole_reference_compute(&data, &task, call->op->task_ops, 1.0, CALL_THREADS, error);
    for (size_t i = 0; i < outputs && status == ANOLE_DONE; i++)
        anole_operand_set_real(output, i, data.expected[i]);
    free(data.input);
    free(data.weights);
    free(data.bias);
    free(data.expected);
    free(data.tolerance);
    return status;
}

double anole_reference_call_flops(const struct anole_call *call)
{
    struct anole_task task;
    return call->op->task(call, &task) ? anole_task_ops_flops(call->op->task_ops, &task) : 0;
}
