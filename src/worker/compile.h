/* SPDX-License-Identifier: MIT
 *
 * Kernels that a worker builds for another process, which gets their binaries.
 */
#ifndef ANOLE_COMPILE_H
#define ANOLE_COMPILE_H

#include "worker/message.h"

#define ANOLE_COMPILE_BYTES ((size_t)8 << 20) /* of a request; see anole_compile_add() */

/* A kernel as it arrives: `kernel` points into all the others. */
struct anole_compiled_kernel {
    struct anole_kernel kernel;
    struct anole_launch launches[ANOLE_MAX_LAUNCHES];
    char names[ANOLE_MAX_LAUNCHES][128];
    struct anole_task task;
    struct anole_custom custom;
    char operator_name[64];
    uint64_t *tensor_bytes; /* [custom.tensor_count] */
    int64_t values[ANOLE_MAX_KNOBS];
};

/* -- The asking side: a request is a wire, an answer a list of blocks -- */

/* Begins a request for kernels of one device, as this process would build them. */
void anole_compile_begin(struct anole_wire *wire, const char *path, const char *driver,
                         uint32_t index, uint32_t threads);
/* Adds kernels[count] with one source.  False: they do not fit any more, and were not added. */
bool anole_compile_add(struct anole_wire *wire, const struct anole_kernel *const *kernels,
                       size_t count) __attribute__((warn_unused_result));
/* Reads the binary of what was added next: borrowed from the answer; NULL: there is none. */
void anole_compile_take(struct anole_wire *wire, const void **binary, size_t *bytes);

/* -- The answering side -- */

struct anole_compile_request {
    char path[ANOLE_PATH];
    char driver[ANOLE_DRIVER];
    uint32_t index, threads;
    bool guest; /* for a process that is not ours: see ANOLE_HOST_GUEST */
};

/* The head of a request; the kernels follow in `wire`. */
void anole_wire_compile_request(struct anole_wire *wire, struct anole_compile_request *message);
/* Opens the device, builds all that follow, and writes the answer into `reply`.  What cannot be
 * built has no binary.  Fails if the device cannot be opened, or if the request cannot be read. */
ANOLE_CHECKED enum anole_status anole_compile(struct anole_wire *reply, struct anole_wire *wire,
                                              const struct anole_compile_request *request,
                                              const struct anole_plugin *plugin,
                                              struct anole_error *error);

#endif
