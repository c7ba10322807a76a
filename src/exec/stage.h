/* SPDX-License-Identifier: MIT
 *
 * What is being done with a device, said before it is done: who dies or hangs then is
 * known to have died of that.
 */
#ifndef ANOLE_STAGE_H
#define ANOLE_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANOLE_MAX_SLOTS 32 /* kernels that a worker holds at once, for comparisons */

/* The largest binary that travels; a larger one is built again from source. */
#define ANOLE_MAX_BINARY ((size_t)32 << 20)

/* What a worker is at: name, words for "... while ...". */
#define ANOLE_STAGE_MAP(X)                                                                         \
    X(START, "starting")                                                                           \
    X(LOAD, "loading the plugin")                                                                  \
    X(PROBE, "describing the devices")                                                             \
    X(OPEN, "opening the device")                                                                  \
    X(PREPARE, "computing the reference")                                                          \
    X(TASK, "moving the task's data to the device")                                                \
    X(GENERATE, "generating the kernel")                                                           \
    X(BUILD, "building the kernel")                                                                \
    X(TRANSFER, "moving the kernel's data")                                                        \
    X(RUN, "running the kernel")                                                                   \
    X(VERIFY, "verifying the output")                                                              \
    X(TIME, "timing the kernel")                                                                   \
    X(RELEASE, "releasing the kernel")                                                             \
    X(DIAGNOSE, "being examined")

enum anole_stage {
#define X(name, words) ANOLE_STAGE_##name,
    ANOLE_STAGE_MAP(X)
#undef X
        ANOLE_STAGE_COUNT
};

/* A literal. */
const char *anole_stage_words(unsigned stage);

/* True if what goes wrong at this stage is the kernel's doing. */
bool anole_stage_blames_kernel(enum anole_stage stage);

/* What a worker has used up so far. */
struct anole_usage {
    uint64_t resident; /* bytes that are its own */
    uint64_t held;     /* bytes of these that it knows of: buffers, tensors */
    uint32_t builds;
    uint32_t maps; /* memory maps when last counted */
    bool tainted;  /* it may be damaged: use no longer */
};

#endif
