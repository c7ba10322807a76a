/* SPDX-License-Identifier: MIT
 *
 * Layers that differ by their sizes alone: of one network at two batch sizes, or for two sizes of
 * its images.
 */
#ifndef ANOLE_TASK_KIN_H
#define ANOLE_TASK_KIN_H

#include "op/task.h"

/* Whether two tasks may be the same layer in two sizes: they differ at most in their batch, in the
 * heights and widths of their tensors, and in what follows from these, which are padding and, of a
 * product of two matrices, all of its sizes.  Kernels that come with their task are no kin. */
bool anole_task_is_kin(const struct anole_task *a, const struct anole_task *b);

/* How far apart the sizes of two kin are: 0 if they are the same, 1 for twice the batch, or twice
 * the pixels.  INFINITY: no kin. */
double anole_task_distance(const struct anole_task *a, const struct anole_task *b);

#endif
