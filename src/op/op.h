/* SPDX-License-Identifier: MIT
 *
 * Operators: what a node of a network may compute.  Each is one file in this folder, which
 * defines one struct anole_op, and one line in ANOLE_OP_MAP: its name in files, its
 * attributes, the shapes it infers, the reference that every kernel of it is held to, and
 * what a planner may do with it.  Nothing outside that file knows the operator by name,
 * but for front ends that translate another format into it.
 *
 * Tensors are dense and in C order.  Where an operator tells height, width and channels
 * apart, activations are [batch][height][width][channels] (one-dimensional ones have a
 * height of 1); other operators take any rank.
 */
#ifndef ANOLE_OP_H
#define ANOLE_OP_H

#include "base/status.h"
#include "op/activation.h"

#include <anole/plugin.h>

#define ANOLE_MAX_RANK 8
#define ANOLE_MAX_INTS 16
#define ANOLE_MAX_OPERANDS 16 /* outputs of a node; inputs may be more */

/* The type of a tensor, and its elements where they are known or asked for. */
struct anole_operand {
    uint32_t dtype; /* enum anole_dtype */
    uint32_t rank;  /* 0: a scalar */
    int64_t dims[ANOLE_MAX_RANK];
    void *data; /* [elements]; NULL: not known (yet) */
};

/* A list of numbers, as an attribute. */
struct anole_ints {
    uint32_t count;
    int64_t values[ANOLE_MAX_INTS];
};

/* -- Attributes: fields of a struct that the operator's file defines -- */

enum anole_key_kind {
    ANOLE_KEY_INT,    /* int64_t */
    ANOLE_KEY_BOOL,   /* bool */
    ANOLE_KEY_REAL,   /* double */
    ANOLE_KEY_CHOICE, /* uint32_t: index into `choices` */
    ANOLE_KEY_INTS,   /* struct anole_ints */
};

struct anole_op_key {
    const char *name;
    enum anole_key_kind kind;
    size_t offset;              /* in the struct of attributes */
    int64_t low, high;          /* INT, INTS: bounds of each number */
    uint32_t fewest, most;      /* INTS: how many */
    const char *const *choices; /* CHOICE: NULL-terminated */
    bool required;              /* files must say it */
    bool is_axis;               /* INT, INTS: they are axes of the first input */
};

/* One use of an operator: a node with the types of its operands. */
struct anole_call {
    const struct anole_op *op;
    void *attributes; /* [op->attribute_bytes] */
    /* NULL where an optional input is absent. */
    const struct anole_operand *const *inputs;
    uint32_t input_count;
    struct anole_operand *outputs;
    uint32_t output_count;
};

enum anole_op_flag {
    /* The output has the first input's elements in its order, under another shape: no
     * work at all where both may share memory (reshape). */
    ANOLE_OP_VIEW = 1u << 0,
    /* Element i of the output depends on element i of the inputs alone, after
     * broadcasting: the output may take an input's memory (where it is as large), and layouts may
     * change around it. */
    ANOLE_OP_ELEMENTWISE = 1u << 1,
    /* Its kernel can apply an activation, or add a tensor shaped as its output, before
     * it stores: see struct anole_task. */
    ANOLE_OP_TAKES_ACTIVATION = 1u << 2,
    ANOLE_OP_TAKES_RESIDUAL = 1u << 3,
    /* It always runs on the host (data-dependent work: sorting, suppression). */
    ANOLE_OP_HOST = 1u << 4,
    /* How much it makes depends on data: infer() gives the largest size that an output can
     * have, and compute() lowers call->outputs[i].dims to what it is (dense, from the start
     * of the memory). */
    ANOLE_OP_DATA_SIZED = 1u << 5,
    /* Its outputs depend on its inputs' types alone: compute() needs no elements (shape). */
    ANOLE_OP_TYPES_ONLY = 1u << 6,
    /* It treats all dimensions alike but for those that its attributes marked is_axis name:
     * on permuted dimensions, with these renumbered, it makes the same, permuted. */
    ANOLE_OP_ALONG_AXES = 1u << 7,
    /* Its second input are weights, the third an optional bias, and a factor of an output
     * channel is one of its weights, which are the first dimension of these, or the last. */
    ANOLE_OP_CHANNEL_WEIGHTS = 1u << 8,
    ANOLE_OP_CHANNELS_LAST_WEIGHTS = 1u << 9,
};

struct anole_kernel_builder; /* anole/plugin.h */
struct anole_task_ops;       /* op/task_ops.h */

struct anole_op {
    const char *name; /* in files and messages: "conv2d" */
    uint32_t flags;   /* enum anole_op_flag */
    uint32_t fewest_inputs, most_inputs;
    uint32_t fewest_outputs, most_outputs;
    size_t attribute_bytes;
    const void *defaults;            /* [attribute_bytes]; NULL: zeroes */
    const struct anole_op_key *keys; /* ended by a NULL name; NULL: none */

    /* Checks inputs and attributes against each other, completes attributes that follow
     * from them (padding "same"), and sets dtype, rank and dims of each output.  Values of
     * an input that shapes depend on are in its `data`; ERR_INPUT where they are not
     * known, or anything does not fit: what was expected, what was found. */
    enum anole_status (*infer)(struct anole_call *call, struct anole_error *error);

    /* The reference: sets the elements of each output (`data` is the caller's, of the size
     * that infer() said).  Sums and transcendental functions are computed in double, then
     * rounded once to the output's type.  Also what constants are folded with, and what
     * runs on the host where a backend has no kernel.  Inputs all have data; none
     * overlaps an output.  ERR_INPUT for values that the operator does not take (an index
     * out of range). */
    enum anole_status (*compute)(const struct anole_call *call, struct anole_error *error);

    /* (optional) The task that this call is tuned as; false: none.  Weights and biases are
     * constants; fused parts are added by the graph. */
    bool (*task)(const struct anole_call *call, struct anole_task *task);

    /* (optional) What a kernel before it can do instead: an activation, on input 0 alone; the
     * addition of inputs 0 and 1, of one shape and a real type.  False: neither. */
    bool (*activation)(const struct anole_call *call, struct anole_activate *activate);
    bool (*adds)(const struct anole_call *call);

    /* (goes with task) What is to be known of such tasks. */
    const struct anole_task_ops *task_ops;
    /* (optional) The type that attributes and the first input give input i, a weight or a
     * bias, where a file does not say it (its dtype is 0 in the call); false: none. */
    bool (*parameter)(struct anole_operand *type, const struct anole_call *call, uint32_t i);

    /* (optional) Floating-point operations of one run, a multiply-add counted as two. */
    double (*flops)(const struct anole_call *call);

    /* (optional) A plain kernel in OpenCL C for where it is not tuned: source, options and
     * launches go to the builder.  Arguments: inputs first, then outputs, as
     * ANOLE_ROLE_INPUT / ANOLE_ROLE_OUTPUT with their index in anole_arg.value (whoever
     * runs it puts offsets there).  ERR_INPUT: there is none for these types. */
    enum anole_status (*kernel)(const struct anole_call *call, struct anole_kernel_builder *builder,
                                struct anole_error *error);
};

/* The operators, in alphabetical order within their families.  A line is NAME of the struct
 * anole_op_NAME that the file of the same name, or its family's, defines. */
#include "op/op_table.h"

#define X(name) extern const struct anole_op anole_op_##name;
ANOLE_OP_MAP(X)
#undef X

/* The operator of a name; NULL: there is none. */
const struct anole_op *anole_op_find(const char *name);
/* The i-th of all; NULL behind the last. */
const struct anole_op *anole_op_at(size_t i);

/* -- Attributes by name.  ERR_INPUT: no such key, wrong kind, out of bounds; the message
 * names the key, and what was expected. -- */
const struct anole_op_key *anole_op_key_find(const struct anole_op *op, const char *name);
enum anole_status anole_op_set_int(const struct anole_op *op, void *attributes, const char *name,
                                   int64_t value, struct anole_error *error);
enum anole_status anole_op_set_bool(const struct anole_op *op, void *attributes, const char *name,
                                    bool value, struct anole_error *error);
enum anole_status anole_op_set_real(const struct anole_op *op, void *attributes, const char *name,
                                    double value, struct anole_error *error);
enum anole_status anole_op_set_choice(const struct anole_op *op, void *attributes, const char *name,
                                      const char *value, struct anole_error *error);
enum anole_status anole_op_set_ints(const struct anole_op *op, void *attributes, const char *name,
                                    const int64_t *values, size_t count, struct anole_error *error);

/* The way back; false (and *ints as it was): there is no such list. */
bool anole_op_get_ints(const struct anole_op *op, const void *attributes, const char *name,
                       struct anole_ints *ints);

/* The word that is chosen; NULL: there is no such choice. */
const char *anole_op_get_choice(const struct anole_op *op, const void *attributes,
                                const char *name);

/* -- Operands -- */

/* Elements of a shape; SIZE_MAX if there are 2^31 or more, or a size is negative. */
size_t anole_operand_elements(const struct anole_operand *operand);
/* A literal: "f32", "f16", "i64", …; "unknown" for what is no type. */
const char *anole_dtype_text(uint32_t dtype);
/* Bytes of an element. */
size_t anole_dtype_bytes(uint32_t dtype);
/* True for F32, F16, F64, BF16 (TF32 is a way to compute: its tensors are F32). */
bool anole_dtype_is_real(uint32_t dtype);
bool anole_operand_same_shape(const struct anole_operand *a, const struct anole_operand *b);
/* "[1, 56, 56, 64]"; returns out. */
const char *anole_operand_shape_text(char *out, size_t size, const struct anole_operand *operand);

/* Element i as a double, and as an integer (of real types truncated); and back, rounded to
 * nearest even (real types) or saturated (integers).  0 and nothing where the type is none. */
double anole_operand_real(const struct anole_operand *operand, size_t i);
int64_t anole_operand_int(const struct anole_operand *operand, size_t i);
void anole_operand_set_real(struct anole_operand *operand, size_t i, double value);
void anole_operand_set_int(struct anole_operand *operand, size_t i, int64_t value);

/* How far `found` is from `expected`, of the same shape: the largest |found - expected| over the
 * largest finite |expected| (or 1, if that is 0); infinity where only one is NaN, or two infinities
 * differ.  *at: the element (0 if there are none). */
double anole_operand_error(const struct anole_operand *found, const struct anole_operand *expected,
                           size_t *at);

/* The shape that two broadcast to, as numpy has it: aligned at the last dimension, 1 fits
 * all.  ERR_INPUT names both shapes. */
enum anole_status anole_operand_broadcast(struct anole_operand *out, const struct anole_operand *a,
                                          const struct anole_operand *b, struct anole_error *error);
/* Strides in elements of `operand` as seen from the broadcast shape `as`: 0 where it repeats.
 * strides[as->rank]. */
void anole_operand_strides(int64_t *strides, const struct anole_operand *operand,
                           const struct anole_operand *as);
/* An axis as files have it (negative: from the end) within 0..rank-1.  ERR_INPUT. */
enum anole_status anole_operand_axis(uint32_t *axis, int64_t value, uint32_t rank,
                                     struct anole_error *error);

#endif
