/* SPDX-License-Identifier: MIT
 *
 * A network from a file, whatever it is written in: ONNX where the name ends in .onnx, our
 * JSON else.
 */
#ifndef ANOLE_LOAD_H
#define ANOLE_LOAD_H

#include "frontend/onnx_import.h"
#include "graph/workload.h"

/* Sizes as people write them: "1x3x640x640".  `word` is what they are part of, for messages.
 * ERR_USAGE. */
ANOLE_CHECKED enum anole_status anole_onnx_dims_parse(int64_t dims[ANOLE_MAX_RANK], uint32_t *rank,
                                                      const char *text, const char *word,
                                                      struct anole_error *error);

/* A shape as people write it: "images=1x3x640x640".  *name: its part before the last '=', the
 * caller's to free; shape->input points to it.  ERR_USAGE. */
ANOLE_CHECKED enum anole_status anole_onnx_shape_parse(struct anole_onnx_shape *shape, char **name,
                                                       const char *text, struct anole_error *error);

/* Reads, checks and infers types, then lets transposes cancel and folds factors of channels
 * into weights; nothing is fused.  `options` is for ONNX alone, and may be NULL. */
ANOLE_CHECKED enum anole_status anole_graph_load(struct anole_graph **graph, const char *path,
                                                 const struct anole_onnx_options *options,
                                                 struct anole_error *error);

/* The tasks that it comes to, once what can be fused is. */
ANOLE_CHECKED enum anole_status anole_workload_load(struct anole_workload **workload,
                                                    const char *path,
                                                    const struct anole_onnx_options *options,
                                                    struct anole_error *error);

#endif
