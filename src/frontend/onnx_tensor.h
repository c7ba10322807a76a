/* SPDX-License-Identifier: MIT
 *
 * Tensors as ONNX files hold them: inside a model, in a file of their own, or as a
 * description with the elements in a file beside it.
 */
#ifndef ANOLE_ONNX_TENSOR_H
#define ANOLE_ONNX_TENSOR_H

#include "base/arena.h"
#include "frontend/file_view.h"
#include "frontend/onnx_wire.h"

/* Files with elements that a model may name. */
#define ANOLE_ONNX_MAX_EXTERNAL 10000
#define ANOLE_ONNX_MAX_NAME 1000 /* bytes of a name */

struct anole_onnx_external;

/* What tensors are read from, and what keeps their elements: views of the files and an arena.
 * Zero-initialise, then set `path`. */
struct anole_onnx_source {
    const char *path; /* of the model: external data are sought in its folder */
    struct anole_arena arena;
    struct anole_file_view file;
    struct anole_onnx_external *externals;
    size_t external_count;
};

void anole_onnx_source_fini(struct anole_onnx_source *source);
/* See anole_file_view_forget(). */
void anole_onnx_source_forget(const struct anole_onnx_source *source, const void *data,
                              size_t bytes);

/* Reads a TensorProto.  The elements stay where they are if they can: in the file, at any
 * address; numbers that the file writes one by one are decoded into the arena.  Either way they
 * last as long as the source.  Messages are without the path. */
enum anole_status anole_onnx_tensor_read(struct anole_array *array,
                                         struct anole_onnx_source *source,
                                         struct anole_onnx_message message,
                                         struct anole_error *error);

/* A name: copied, ended by a NUL.  ERR_INPUT: a NUL inside, or too long. */
enum anole_status anole_onnx_name(const char **name, struct anole_onnx_source *source,
                                  const struct anole_onnx_field *field, struct anole_error *error);

/* Reads a file that is one TensorProto, as those of ONNX's test data (.pb).  The array owns
 * what it has. */
enum anole_status anole_onnx_tensor_load(struct anole_array *array, const char *path,
                                         struct anole_error *error);
/* The same from memory; `path` is for messages, and for external data. */
enum anole_status anole_onnx_tensor_parse(struct anole_array *array, const void *data, size_t bytes,
                                          const char *path, struct anole_error *error);

#endif
