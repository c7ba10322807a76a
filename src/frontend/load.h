/* SPDX-License-Identifier: MIT
 *
 * What there is to tune in a network from a file, whatever it is written in: ONNX where the name
 * ends in .onnx, our JSON else.
 */
#ifndef ANOLE_LOAD_H
#define ANOLE_LOAD_H

#include "frontend/given.h"
#include "graph/workload.h"

/* Reads, checks and infers types, lets transposes of ONNX files cancel and folds factors of
 * channels into weights, and fuses what can be: the tasks that it then comes to.  `given` NULL:
 * nothing is. */
ANOLE_CHECKED enum anole_status anole_workload_load(struct anole_workload **workload,
                                                    const char *path,
                                                    const struct anole_given *given,
                                                    struct anole_error *error);

#endif
