/* SPDX-License-Identifier: MIT
 *
 * What a kernel generator is, for the backends on OpenCL.
 *
 * Several generators may serve one task, each with an algorithm of its own.
 * They share one design space: its first knob is `algorithm` (left out if there
 * is only one), and the knobs of those that a config does not choose are held
 * at their first value by a constraint.  Two that are made of the same parts may
 * have knobs in common.  A generator sees nothing of this: it
 * declares its knobs, and gets their values back in that order.
 *
 * Everything here is pure: no global state, no device, any thread.
 */
#ifndef ANOLE_GEN_H
#define ANOLE_GEN_H

#include <anole/plugin.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GEN_MAX_GENERATORS 8
#define GEN_MAX_KNOBS 24  /* of one generator */
#define GEN_MAX_VALUES 64 /* of one knob */

/* ----------------------------------------------------------- design space */

/* The space as a generator fills it in; opaque. */
struct gen_space;

/* A knob.  `values` ascend (they are copied; at most GEN_MAX_VALUES).  `preferred` is the
 * value in the default config; if it is not in the list, the largest one below
 * it is taken, else the first.  Names are identifiers of up to 31 bytes, unique
 * over all generators that may serve one task: prefix them ("wino_..."), the
 * direct convolution alone uses plain ones. */
void gen_space_ordinal(struct gen_space *space, const char *name, const int64_t *values,
                       uint32_t count, int64_t preferred);
/* A knob without an order: values 0 .. count - 1, each with a label. */
void gen_space_categorical(struct gen_space *space, const char *name, const char *const *labels,
                           uint32_t count, int64_t preferred);
/* `format` makes an expression (see anole_space_builder) that must hold, over
 * this generator's own knobs; at most 511 bytes.  `why` is a literal, for the
 * user.  May come before or after the knobs that it speaks of. */
void gen_space_constraint(struct gen_space *space, const char *why, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* -- Lists of values for knobs --
 * Each function fills list[GEN_MAX_VALUES] in ascending order and returns how many
 * there are: at least one. */

/* first, first + 1, ... last; cut at GEN_MAX_VALUES. */
uint32_t gen_range(int64_t *list, int64_t first, int64_t last);
/* first, 2 * first, 4 * first, ... not beyond last. */
uint32_t gen_powers(int64_t *list, int64_t first, int64_t last);
/* Divisors of n that are at least `least`, and n itself. */
uint32_t gen_divisors(int64_t *list, int64_t n, int64_t least);

/* ----------------------------------------------------------------- kernel */

/* Source text, options and launches on their way to the host.  After a failure
 * the calls do nothing, and gen_emit_status() says what it was. */
struct gen_emit {
    struct anole_kernel_builder *builder;
    int status; /* enum anole_code */
};

/* "#define name value\n" */
void gen_emit_define(struct gen_emit *emit, const char *name, int64_t value);
/* Appends text, e.g. an embedded template. */
void gen_emit_text(struct gen_emit *emit, const char *text);
/* The shape of a task as defines: N H W C K G R S P Q, CG and KG (channels of a
 * group), STRIDE_H STRIDE_W DILATION_H DILATION_W PAD_H PAD_W (above and left),
 * ACTIVATION (enum anole_activation), BIAS and RESIDUAL (0 or 1). */
void gen_emit_task(struct gen_emit *emit, const struct anole_task *task);
/* A launch of x * y * z work-groups of one work-item.  Its arguments: input,
 * packed weights, bias and residual if the task has them, output, and then
 * the workspace if `workspace` is set; those are the kernel's parameters, in
 * this order. */
void gen_emit_launch(struct gen_emit *emit, const char *kernel, const struct anole_task *task,
                     uint64_t x, uint64_t y, uint64_t z, bool workspace);
/* The same, and then numbers[count], each an int: knobs that inner loops need not know, so that
 * configs which differ in them share a build. */
void gen_emit_launch_with(struct gen_emit *emit, const char *kernel, const struct anole_task *task,
                          uint64_t x, uint64_t y, uint64_t z, bool workspace,
                          const int64_t *numbers, uint32_t count);
/* A launch of any other kind. */
void gen_emit_raw_launch(struct gen_emit *emit, const struct anole_launch *launch);
void gen_emit_packed_weights(struct gen_emit *emit, size_t bytes);
void gen_emit_workspace(struct gen_emit *emit, size_t bytes);

/* ---------------------------------------------------------------- features */

/* What tells a cost model how fast a config will be: doubles and nothing else.
 * Each backend defines its own; a generator fills in what it knows, the rest
 * stays 0. */
struct gen_features;

/* --------------------------------------------------------------- generator */

struct gen_generator {
    const char *name;    /* the label of the `algorithm` knob */
    uint32_t knob_count; /* the same for every task */

    /* (optional) The last shared_count knobs are the first ones of this other
     * generator, which serves every task that this one serves, stands before it in
     * the family, and shares none itself.  Both declare them; values are the other
     * one's, constraints each one's own, and so is the default. */
    const struct gen_generator *shares;
    uint32_t shared_count;

    /* 0: cannot do this task on this device.  Else a rank: the default config
     * uses the supporting generator that ranks highest. */
    int (*supports)(const struct anole_device *device, const struct anole_task *task);

    /* Declares exactly knob_count knobs, and the constraints.  What it allows
     * must build, run and be right.  The knobs' defaults must be a valid and a
     * sensible config: what someone who knows the device would write by hand. */
    void (*space)(const struct anole_device *device, const struct anole_task *task,
                  struct gen_space *space);

    /* (optional) What constraints cannot say.  values[knob_count]. */
    bool (*valid)(const struct anole_device *device, const struct anole_task *task,
                  const int64_t *values);

    /* (optional) */
    void (*features)(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *values, struct gen_features *features);

    void (*generate)(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *values, struct gen_emit *emit);

    /* (optional: without it the weights go in as they are) Writes all of
     * `packed`, of as many bytes as generate() announced.  `weights` is in the
     * task's canonical layout; floats, or halves where the task's dtype says so. */
    void (*pack)(const struct anole_device *device, const struct anole_task *task,
                 const int64_t *values, const float *weights, float *packed, size_t packed_bytes);
};

/* ----------------------------------------------------------- what they share */

static inline int64_t gen_ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static inline int64_t gen_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t gen_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The share of `units` that `pieces` equal pieces of work keep busy: 1 is best. */
double gen_balance(int64_t pieces, int64_t units);
/* Multiply-adds x 2 of a task by its definition. */
double gen_task_operations(const struct anole_task *task);
/* Are tensors small enough for the 32-bit indices of the templates, and are all
 * dimensions what they should be? */
bool gen_task_fits(const struct anole_task *task);
/* The same of an ANOLE_TASK_MATMUL, whose second operand may be transposed. */
bool gen_product_fits(const struct anole_task *task);
/* The same of templates that store to rows of OUT_K channels: an output may have a pitch. */
bool gen_task_fits_pitched(const struct anole_task *task);

#endif
