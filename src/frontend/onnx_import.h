/* SPDX-License-Identifier: MIT
 *
 * From an ONNX model to a graph of our operators.
 *
 * ONNX has channels second, our windows have them last: a convolution becomes a transpose, the
 * convolution, and the way back; graph_layout.c removes what cancels out.  Types and shapes are
 * inferred and constants folded as nodes are added, so that arithmetic on shapes is known where
 * a shape is asked for.
 */
#ifndef ANOLE_ONNX_IMPORT_H
#define ANOLE_ONNX_IMPORT_H

#include "frontend/onnx_model.h"
#include "graph/graph.h"

/* The sizes of an input, where the file leaves some open. */
struct anole_onnx_shape {
    const char *input;
    uint32_t rank;
    int64_t dims[ANOLE_MAX_RANK];
};

/* The elements of an input that is no input any more: shapes that depend on them are then
 * known. */
struct anole_onnx_known {
    const char *input;
    struct anole_operand value; /* copied */
};

struct anole_onnx_options {
    const struct anole_onnx_known *known; /* [known_count] */
    size_t known_count;
    const struct anole_onnx_shape *shapes; /* [shape_count] */
    size_t shape_count;
    int64_t batch; /* the first size of inputs that leave it open; 0: must be given */
    /* Bytes of the largest constant that is computed beforehand; 0: 1 GiB. */
    size_t fold_limit;
};

/* Takes the model over, also on failure: constants are used where they lie.  ERR_INPUT names
 * the node, or the sizes that must be given. */
enum anole_status anole_onnx_import(struct anole_graph **graph, struct anole_onnx_model *model,
                                    const struct anole_onnx_options *options,
                                    struct anole_error *error);

/* Loads and imports a file. */
enum anole_status anole_onnx_load(struct anole_graph **graph, const char *path,
                                  const struct anole_onnx_options *options,
                                  struct anole_error *error);

#endif
