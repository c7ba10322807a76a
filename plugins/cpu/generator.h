/* SPDX-License-Identifier: MIT
 *
 * What a kernel generator of the CPU backend is.
 *
 * Several generators may serve one task, each with an algorithm of its own.
 * They share one design space: its first knob is `algorithm` (left out if there
 * is only one), and the knobs of those that a config does not choose are held
 * at their first value by a constraint.  A generator sees nothing of this: it
 * declares its knobs, and gets their values back in that order.
 *
 * Everything here is pure: no global state, no device, any thread.
 */
#ifndef ANOLE_CPU_GENERATOR_H
#define ANOLE_CPU_GENERATOR_H

#include <anole/plugin.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPU_MAX_GENERATORS 4
#define CPU_MAX_KNOBS 24  /* of one generator */
#define CPU_MAX_VALUES 64 /* of one knob */

/* ----------------------------------------------------------- design space */

/* The space as a generator fills it in.  Opaque: see generator.c. */
struct cpu_space;

/* A knob.  `values` ascend (they are copied; at most CPU_MAX_VALUES).  `preferred` is the
 * value in the default config; if it is not in the list, the largest one below
 * it is taken, else the first.  Names are identifiers of up to 31 bytes, unique
 * over all generators that may serve one task: prefix them ("wino_..."), the
 * direct convolution alone uses plain ones. */
void cpu_space_ordinal(struct cpu_space *space, const char *name, const int64_t *values,
                       uint32_t count, int64_t preferred);
/* A knob without an order: values 0 .. count - 1, each with a label. */
void cpu_space_categorical(struct cpu_space *space, const char *name, const char *const *labels,
                           uint32_t count, int64_t preferred);
/* `format` makes an expression (see anole_space_builder) that must hold, over
 * this generator's own knobs; at most 511 bytes.  `why` is a literal, for the
 * user.  May come before or after the knobs that it speaks of. */
void cpu_space_constraint(struct cpu_space *space, const char *why, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ----------------------------------------------------------------- kernel */

/* Source text, options and launches on their way to the host.  After a failure
 * the calls do nothing, and cpu_emit_status() says what it was. */
struct cpu_emit {
    struct anole_kernel_builder *builder;
    int status; /* enum anole_code */
};

/* "#define name value\n" */
void cpu_emit_define(struct cpu_emit *emit, const char *name, int64_t value);
/* Appends text, e.g. an embedded template. */
void cpu_emit_text(struct cpu_emit *emit, const char *text);
/* The shape of a task as defines: N H W C K G R S P Q, CG and KG (channels of a
 * group), STRIDE_H STRIDE_W DILATION_H DILATION_W PAD_H PAD_W (above and left),
 * ACTIVATION (enum anole_activation), BIAS and RESIDUAL (0 or 1). */
void cpu_emit_task(struct cpu_emit *emit, const struct anole_task *task);
/* A launch of x * y * z work-groups of one work-item.  Its arguments: input,
 * packed weights, bias and residual if the task has them, output, and then
 * the workspace if `workspace` is set; those are the kernel's parameters, in
 * this order. */
void cpu_emit_launch(struct cpu_emit *emit, const char *kernel, const struct anole_task *task,
                     uint64_t x, uint64_t y, uint64_t z, bool workspace);
/* A launch of any other kind. */
void cpu_emit_raw_launch(struct cpu_emit *emit, const struct anole_launch *launch);
void cpu_emit_packed_weights(struct cpu_emit *emit, size_t bytes);
void cpu_emit_workspace(struct cpu_emit *emit, size_t bytes);

/* ---------------------------------------------------------------- features */

/* What tells a cost model how fast a config will be; each generator fills in
 * what it knows, the rest stays 0. */
struct cpu_features {
    double operations;   /* floating-point operations done, also in vain, over
                            those that the layer needs by its definition */
    double accumulators; /* vector registers that hold sums */
    double registers;    /* vector registers in use in the innermost loop, over
                            those that there are */
    double vector_width; /* lanes of a vector, over the device's */
    double loads;        /* vector loads and broadcasts for each multiply-add */
    double inner_length; /* iterations of the innermost loop */
    double l1_bytes;     /* touched by one tile, over the size of L1 */
    double l2_bytes;     /* kept between tiles (weights of a block, ...), over L2 */
    double traffic;      /* bytes read and written beyond L2, over the layer's tensors */
    double groups;       /* work-groups, over compute units */
    double balance;      /* work of all units, over units x that of the busiest one */
    double code;         /* multiply-adds in the unrolled code */
};

/* --------------------------------------------------------------- generator */

struct cpu_generator {
    const char *name;    /* the label of the `algorithm` knob */
    uint32_t knob_count; /* the same for every task */

    /* 0: cannot do this task on this device.  Else a rank: the default config
     * uses the supporting generator that ranks highest. */
    int (*supports)(const struct anole_device *device, const struct anole_task *task);

    /* Declares exactly knob_count knobs, and the constraints.  What it allows
     * must build, run and be right.  The knobs' defaults must be a valid and a
     * sensible config: what someone who knows the device would write by hand. */
    void (*space)(const struct anole_device *device, const struct anole_task *task,
                  struct cpu_space *space);

    /* (optional) What constraints cannot say.  values[knob_count]. */
    bool (*valid)(const struct anole_device *device, const struct anole_task *task,
                  const int64_t *values);

    /* (optional) */
    void (*features)(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *values, struct cpu_features *features);

    void (*generate)(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *values, struct cpu_emit *emit);

    /* (optional: without it the weights go in as they are) Writes all of
     * `packed`, of as many bytes as generate() announced.  `weights` is in the
     * task's canonical layout. */
    void (*pack)(const struct anole_device *device, const struct anole_task *task,
                 const int64_t *values, const float *weights, float *packed, size_t packed_bytes);
};

extern const struct cpu_generator cpu_conv_direct;
extern const struct cpu_generator cpu_conv_grouped;
extern const struct cpu_generator cpu_pointwise;
extern const struct cpu_generator cpu_winograd;
extern const struct cpu_generator cpu_depthwise;
extern const struct cpu_generator cpu_dense;

/* Those that serve a task on a device: at most CPU_MAX_GENERATORS; returns how
 * many (0: none) and the index of the default one.  See algorithms.c. */
uint32_t cpu_generators_for(const struct anole_device *device, const struct anole_task *task,
                            const struct cpu_generator *found[CPU_MAX_GENERATORS],
                            uint32_t *preferred);

/* ----------------------------------------------------------- what they share */

/* Facts about the device, with a plain guess where it is silent. */
int64_t cpu_simd_width(const struct anole_device *device); /* fp32 lanes: 4, 8 or 16 */
int64_t cpu_registers(const struct anole_device *device);  /* vector registers */
int64_t cpu_l1_bytes(const struct anole_device *device);
int64_t cpu_l2_bytes(const struct anole_device *device);
int64_t cpu_units(const struct anole_device *device); /* threads that run work-groups */

static inline int64_t cpu_ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static inline int64_t cpu_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t cpu_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The share of `units` that `pieces` equal pieces of work keep busy: 1 is best. */
double cpu_balance(int64_t pieces, int64_t units);
/* Multiply-adds x 2 of a task by its definition. */
double cpu_task_operations(const struct anole_task *task);

#endif
