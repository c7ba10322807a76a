/* SPDX-License-Identifier: MIT
 *
 * Between the data of a task, its reference, and the files of operators, which compute it.
 */
#ifndef ANOLE_REFERENCE_PRIVATE_H
#define ANOLE_REFERENCE_PRIVATE_H

#include "op/reference.h"
#include "op/task_ops.h"

#include <stdatomic.h>

#define ANOLE_REFERENCE_LANES 32  /* output channels worked on together */
#define ANOLE_REFERENCE_CHUNK 128 /* output pixels of one piece of work */

/* sums[lane] += x[i] * w[i][lane] for all i of n, w and sums of ANOLE_REFERENCE_LANES. */
typedef void anole_multiply_add(double *restrict sums, const double *restrict x,
                                const double *restrict w, size_t n);

/* The whole computation; shared by its threads. */
struct anole_reference {
    const struct anole_task *task;
    struct anole_task_data *data;
    double *input;                          /* as data->input */
    const float *weights, *bias, *residual; /* as those of data */
    anole_multiply_add *multiply;
    size_t reduction;
    size_t pixels;         /* batch x out_h x out_w */
    size_t pieces;         /* of work */
    double unit_tolerance; /* tolerance is this times (sum + |bias| + |residual|) */
    double sum;            /* mean of the sum of |x w| */
    atomic_size_t next;    /* the piece of work to be taken next */
    atomic_bool out_of_memory;
};

/* Of an output, from the sum of its products: bias, residual and activation, and how far off
 * it may be. */
void anole_reference_finish(const struct anole_reference *r, size_t pixel, size_t channel,
                            double value);

/* `compute` and `flops` of operators whose calls are tasks: see struct anole_op. */
struct anole_call;
enum anole_status anole_reference_call(const struct anole_call *call, struct anole_error *error);
double anole_reference_call_flops(const struct anole_call *call);

/* Fills in expected outputs and tolerances, whose room is there.  The tensors of `data`
 * are floats here, whatever the task's type; `scale` is what weights were multiplied by. */
enum anole_status anole_reference_compute(struct anole_task_data *data,
                                          const struct anole_task *task,
                                          const struct anole_task_ops *ops, double scale,
                                          unsigned threads, struct anole_error *error);

#endif
