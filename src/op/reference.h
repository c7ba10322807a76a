/* SPDX-License-Identifier: MIT
 *
 * The answer that every kernel is held to: the direct algorithm, accumulated in
 * double, and for each output element how far off may be what a correct kernel, which
 * adds up in fp32, writes.
 */
#ifndef ANOLE_REFERENCE_H
#define ANOLE_REFERENCE_H

#include "base/status.h"
#include "op/task.h"

#include <stdint.h>

/* Tensors of one task; [elements] as anole_task_*_elements says, NULL if absent.
 * float, or for f16 the bits of halves (base/half.h): anole_task_value() reads both. */
struct anole_task_data {
    void *input, *weights, *bias, *residual;
    double *expected; /* [output] */
    float *tolerance; /* [output]: largest error allowed, absolute; positive */
    /* Of a kernel that comes with its task, instead of expected and tolerance:
     * what it writes to, as it is before a run, and as it has to be after. */
    void *initial, *answer; /* [anole_custom.output_bytes] */
};

/* Fills the inputs from the seed with random numbers, of both signs, none of
 * them denormal, and computes expected and tolerance on up to `threads` threads
 * (0: one).  The same seed gives the same data everywhere.  ERR_INPUT if the
 * task is ill-formed, or has no reference (custom).
 *
 * tolerance = (64 + 512 / sqrt(n)) u S, where n is the length of the reduction,
 * u = 2^-24, and S what the sum of |x w| over a whole window is on average, plus
 * |bias| plus |residual|: for data of mean zero the error does not grow with
 * sqrt(n) (Higham and Mary, 2020).  reference.c says how the factor was found.
 *
 * tf32: kernels may round inputs and weights to mantissas of 10 bits, to nearest, which
 * adds 4 2^-11 / sqrt(n) S: the sum of n independent errors grows with sqrt(n)
 * (Blanchard, Higham, Lopez, Mary and Pranesh, "Mixed precision block fused multiply-add:
 * error analysis and application to GPU tensor cores", 2020, and Higham and Mary, 2020).
 *
 * f16: the tensors are rounded to halves first, so that the expected output is that
 * of what the kernel gets; products of halves are exact in fp32, sums as above.  A
 * kernel then rounds its result once, to nearest:
 *     tolerance16 = tolerance + h(|expected| + tolerance),
 * where h(x) is half the distance of halves at x: 2^(e - 11) for 2^e <= x < 2^(e + 1)
 * (Higham, Accuracy and Stability of Numerical Algorithms, 2002, theorem 2.2), with e
 * at least -14.  Weights are scaled by 1 / sqrt(n), so that sums of |x w| stay below
 * 2 sqrt(n) and no output overflows; none of them is subnormal up to n = 10^8. */
enum anole_status anole_task_data_create(struct anole_task_data **data,
                                         const struct anole_task *task, uint64_t seed,
                                         unsigned threads, struct anole_error *error);
void anole_task_data_destroy(struct anole_task_data *data);

/* Largest |output - expected| / tolerance over all elements; infinity if an
 * element is NaN or infinite.  `output` is of the task's type.  *where: its index (may
 * be NULL). */
double anole_task_data_error(const struct anole_task_data *data, const struct anole_task *task,
                             const void *output, size_t *where);

/* Element i of a tensor of the task's type. */
double anole_task_value(const struct anole_task *task, const void *tensor, size_t i);

#endif
