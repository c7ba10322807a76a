/* SPDX-License-Identifier: MIT
 *
 * A network as it runs on a device: its nodes as steps in order, each with its kernel, and
 * a place for each tensor and each constant.  A node's kernel is the backend's for its task, with
 * what is fused into it if the backend says so, else for the task without, and an epilogue; or the
 * operator's plain one; or none, and the host does its work.  Made without the device being open;
 * to run it see program/instance.h.
 *
 * Memory is one arena for what changes (inputs, what lies between the steps, outputs,
 * scratch memory), planned by lifetimes, and blocks of constants, which are written once:
 * weights as their kernel reads them, all others as they are.
 */
#ifndef ANOLE_PROGRAM_H
#define ANOLE_PROGRAM_H

#include "graph/graph.h"
#include "plugin/generator.h"
#include "program/failures.h"

/* Offsets in buffers are multiples of this: see struct anole_binding. */
#define ANOLE_PROGRAM_ALIGNMENT 4096u

/* name, text: how a step is done */
#define ANOLE_STEP_MAP(X)                                                                          \
    X(TUNED, "tuned")       /* by the backend's generator, with a config that was found */         \
    X(DEFAULT, "default")   /* the same with the generator's default config */                     \
    X(BUILT_IN, "built in") /* by the operator's plain kernel */                                   \
    X(HOST, "host")         /* by the operator's reference, on the host */

enum anole_step_kind {
#define X(name, text) ANOLE_STEP_##name,
    ANOLE_STEP_MAP(X)
#undef X
        ANOLE_STEP_KIND_COUNT
};

/* A literal. */
const char *anole_step_kind_text(enum anole_step_kind kind);

/* A part of a buffer.  Buffer 0 is the arena, the others hold constants. */
struct anole_place {
    size_t buffer; /* ANOLE_NONE: nothing is there */
    size_t offset, bytes;
};

/* Another kernel that a step can run with, in place of its own: see struct anole_variant. */
struct anole_step_other {
    size_t kernel;
    struct anole_place places[ANOLE_ROLE_COUNT];
};

struct anole_step {
    size_t node; /* of the graph */
    enum anole_step_kind kind;
    size_t kernel; /* index; ANOLE_NONE: on the host */
    /* What its kernel is run with: [ANOLE_ROLE_COUNT], or, of a plain kernel, its tensors. */
    struct anole_place *places;
    size_t place_count;
    /* It adds the residual and applies the activation that were fused into the node, after a
     * plain kernel: see program/epilogue.h.  A step of the node's own, behind it. */
    bool epilogue;
    /* How much it makes depends on data, its own or of a step before it: it runs on the host, where
     * sizes are inferred again each time.  The types in the graph are the largest that can be. */
    bool data_sized;
    /* Why better kernels are not used, which would have been but fail; NULL: none does. */
    char *problem;
    struct anole_step_other *others; /* [other_count]; of steps by the backend's generator */
    size_t other_count;
};

/* A kernel, used by one step or more. */
struct anole_program_kernel {
    struct anole_generated *generated;
    bool tuned;
    double seconds;  /* what tuning measured; NaN: not known */
    uint64_t config; /* of the generator's space; a plain kernel: 0 */
    bool is_default; /* that config is the space's default */
};

/* What is written once. */
struct anole_program_constant {
    size_t tensor; /* of the graph */
    size_t kernel; /* whose pack() lays it out; ANOLE_NONE: as it is */
    struct anole_place place;
};

/* Chooses the config of a task, which is the generator's; its space is not to be walked
 * (anole_space_finish_unwalked()).  *found false: the default.  *seconds: what it took when it was
 * tuned, or NaN. */
typedef enum anole_status anole_program_chooser(void *context,
                                                const struct anole_generator *generator,
                                                uint64_t *config, bool *found, double *seconds,
                                                struct anole_error *error);

/* Further configs that the steps of a task, which is without a pitch, are to be able to run with:
 * configs[ANOLE_MOST_OTHERS], *count.  Those that are no kernel, or that of the step already, are
 * left out. */
#define ANOLE_MOST_OTHERS 8
typedef enum anole_status anole_program_adviser(void *context,
                                                const struct anole_generator *generator,
                                                uint64_t *configs, size_t *count,
                                                struct anole_error *error);

struct anole_program_options {
    anole_program_chooser *choose; /* NULL: defaults everywhere */
    void *context;                 /* of both */
    anole_program_adviser *others; /* NULL: each step has one kernel */
    bool no_generator;             /* no kernels of the backend's generator */
    bool no_built_in;              /* no plain kernels */
    /* (may be NULL) Kernels that are not to be used; building a program's adds to it, instead of
     * failing at the first.  It must outlive the program, or be taken from it.  See
     * program/deploy.h. */
    struct anole_kernel_failures *failures;
};

struct anole_program {
    const struct anole_graph *graph; /* borrowed */
    const struct anole_backend *backend;
    struct anole_device device;
    struct anole_step *steps;
    size_t step_count;
    struct anole_program_kernel *kernels;
    size_t kernel_count;
    struct anole_program_constant *constants;
    size_t constant_count;
    struct anole_place *tensors; /* of each of the graph's; constants are not in here */
    size_t *buffer_bytes;        /* [buffer_count] */
    size_t buffer_count;
    bool *data_sized;                       /* [tensors]: how large it is depends on data */
    struct anole_kernel_failures *failures; /* of the options; borrowed */
};

/* From a graph whose types are inferred; graph and backend must outlive it, and the graph
 * stay as it is.  `options` may be NULL.  ERR_INPUT: the device is simulated, or has not
 * the memory; or from the chooser. */
enum anole_status
anole_program_create(struct anole_program **program, const struct anole_graph *graph,
                     const struct anole_backend *backend, const struct anole_device *device,
                     const struct anole_program_options *options, struct anole_error *error)
    __attribute__((warn_unused_result));
void anole_program_destroy(struct anole_program *program);

/* Writes a constant as its place is to hold it.  out[constant->place.bytes]. */
enum anole_status anole_program_pack(const struct anole_program *program,
                                     const struct anole_program_constant *constant, void *out,
                                     struct anole_error *error) __attribute__((warn_unused_result));

/* The constant whose elements a tensor has: itself, or what it is a view of; ANOLE_NONE: it is
 * none. */
size_t anole_program_constant_of(const struct anole_graph *graph, size_t tensor);

/* The first step that can run with a kernel; ANOLE_NONE: none. */
size_t anole_program_step_of(const struct anole_program *program, size_t kernel);

/* Bytes of a tensor of the graph. */
size_t anole_program_tensor_bytes(const struct anole_graph *graph, size_t tensor);

#endif
