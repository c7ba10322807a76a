/* SPDX-License-Identifier: MIT
 *
 * The answer that every kernel is held to: the direct algorithm, accumulated in
 * double, and for each output element how far off a correct fp32 kernel may be.
 */
#ifndef ANOLE_REFERENCE_H
#define ANOLE_REFERENCE_H

#include "base/status.h"
#include "network/task.h"

#include <stdint.h>

/* Tensors of one task; [elements] as anole_task_*_elements says, NULL if absent. */
struct anole_task_data {
    float *input, *weights, *bias, *residual;
    double *expected; /* [output] */
    float *tolerance; /* [output]: largest error allowed, absolute; positive */
    /* Of a kernel that comes with its task, instead of expected and tolerance:
     * what it writes to, as it is before a run, and as it has to be after. */
    void *initial, *answer; /* [anole_custom.output_bytes] */
};

/* Fills the inputs from the seed with random numbers, of both signs, none of
 * them denormal, and computes expected and tolerance on up to `threads` threads
 * (0: one).  The same seed gives the same data everywhere.  ERR_INPUT if the
 * task is ill-formed, or has no reference (custom, f16).
 *
 * tolerance = (64 + 512 / sqrt(n)) u S, where n is the length of the reduction,
 * u = 2^-24, and S what the sum of |x w| over a whole window is on average, plus
 * |bias| plus |residual|: for data of mean zero the error does not grow with
 * sqrt(n) (Higham and Mary, 2020).  reference.c says how the factor was found. */
enum anole_status anole_task_data_create(struct anole_task_data **data,
                                         const struct anole_task *task, uint64_t seed,
                                         unsigned threads, struct anole_error *error);
void anole_task_data_destroy(struct anole_task_data *data);

/* Largest |output - expected| / tolerance over all elements; infinity if an
 * element is NaN or infinite.  *where: its index (may be NULL). */
double anole_task_data_error(const struct anole_task_data *data, const struct anole_task *task,
                             const float *output, size_t *where);

#endif
