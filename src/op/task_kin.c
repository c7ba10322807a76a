/* SPDX-License-Identifier: MIT */
#include "op/task_kin.h"

#include <math.h>
#include <string.h>

/* The task without its sizes. */
static struct anole_task sizeless(const struct anole_task *task)
{
    struct anole_task out = *task;
    out.batch = 0;
    out.in_h = out.in_w = out.out_h = out.out_w = 0;
    out.pad_top = out.pad_left = out.pad_bottom = out.pad_right = 0;
    out.output_pad_h = out.output_pad_w = 0;
    if (task->kind == ANOLE_TASK_MATMUL)
        out.in_c = out.out_c = 0;
    return out;
}

bool anole_task_is_kin(const struct anole_task *a, const struct anole_task *b)
{
    const struct anole_task x = sizeless(a), y = sizeless(b);
    return a->kind != ANOLE_TASK_CUSTOM && a->kind != ANOLE_TASK_OPERATOR && !a->custom &&
           memcmp(&x, &y, sizeof x) == 0;
}

static double apart(double a, double b)
{
    return a > 0 && b > 0 ? fabs(log2(a / b)) : 0;
}

double anole_task_distance(const struct anole_task *a, const struct anole_task *b)
{
    if (!anole_task_is_kin(a, b))
        return INFINITY;
    double distance =
        apart(a->batch, b->batch) + apart((double)a->in_h * a->in_w, (double)b->in_h * b->in_w);
    if (a->kind == ANOLE_TASK_MATMUL)
        distance += apart(a->in_c, b->in_c) + apart(a->out_c, b->out_c);
    return distance;
}
