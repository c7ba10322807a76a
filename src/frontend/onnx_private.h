/* SPDX-License-Identifier: MIT
 *
 * What the files that read ONNX models share.
 */
#ifndef ANOLE_ONNX_PRIVATE_H
#define ANOLE_ONNX_PRIVATE_H

#include "frontend/onnx_model.h"
#include "frontend/onnx_tensor.h"

/* In the order in which those of one name are kept. */
enum anole_onnx_symbol_kind {
    ANOLE_ONNX_SYMBOL_INPUT,
    ANOLE_ONNX_SYMBOL_INITIALIZER,
    ANOLE_ONNX_SYMBOL_NODE
};

/* A table is sorted by name, and searched by halves: unlike hashing, that is fast whatever
 * names a file has. */
struct anole_onnx_symbol {
    const char *name;
    enum anole_onnx_symbol_kind kind;
    uint32_t index;  /* of the input, initializer or node */
    uint32_t output; /* of the node */
};

/* A function of the model: known so that its calls can be refused. */
struct anole_onnx_function {
    const char *name, *domain;
};

/* The model, with what keeps it. */
struct anole_onnx_holder {
    struct anole_onnx_model model; /* the first: the holder is found by it */
    struct anole_onnx_source source;
    struct anole_onnx_function *functions;
    size_t function_count;
    size_t parts; /* of ANOLE_ONNX_MAX_PARTS */
    unsigned depth;
};

/* onnx_check.c: what must hold of a model that is read.  Sorts nodes, and makes the tables of
 * names.  Messages are without the path. */
enum anole_status anole_onnx_check(struct anole_onnx_holder *holder, struct anole_error *error);

#endif
