/* SPDX-License-Identifier: MIT
 *
 * What is to be known of one kind of task (enum anole_task_kind): the file of the operator
 * that is tuned as such tasks defines it, and struct anole_op points to it.  Everything
 * else asks op/task.h, and knows no kind by name.
 *
 * All functions get tasks whose common fields are in range (see anole_task_check()).
 */
#ifndef ANOLE_TASK_OPS_H
#define ANOLE_TASK_OPS_H

#include "base/text.h"
#include "op/task.h"

#define ANOLE_TASK_ELEMENTS_END (UINT64_C(1) << 31)

struct anole_call;
struct anole_reference;

struct anole_task_ops {
    uint32_t kind;    /* enum anole_task_kind */
    const char *name; /* in keys and reports */
    uint32_t flags;   /* enum anole_task_flag: those that it may have */
    bool output_pad;  /* it may have some */
    bool dynamic;     /* what lies in ANOLE_ROLE_WEIGHTS is made while the network runs */

    /* Sets out_h and out_w from the other fields. */
    enum anole_status (*infer_output)(struct anole_task *task, struct anole_error *error);
    /* What must hold besides; sizes of tensors are checked by the caller. */
    enum anole_status (*check)(const struct anole_task *task, struct anole_error *error);

    /* The key between the kind and the type, with a space before each word; and back: moves
     * *at past it, or sets it to NULL. */
    void (*write_key)(char *out, size_t size, const struct anole_task *task);
    void (*scan_key)(const char **at, struct anole_task *task);
    /* The label up to the batch. */
    void (*label)(struct anole_text *text, const struct anole_task *task);

    /* (optional) The output's shape without what a kind does not have; returns its rank.
     * Absent: [batch][out_h][out_w][out_c]. */
    uint32_t (*output)(uint32_t dims[4], const struct anole_task *task);
    /* The shape of what lies in ANOLE_ROLE_WEIGHTS; returns its rank. */
    uint32_t (*weights)(uint32_t dims[4], const struct anole_task *task);
    /* Multiply-adds behind one output element. */
    size_t (*reduction)(const struct anole_task *task);
    /* (optional) Floating-point operations, where they are not 2 for each of these. */
    double (*flops)(const struct anole_task *task);

    /* The reference (reference_private.h): how many pieces of work there are, and what each
     * of its threads does: takes pieces until there are none.  NULL: there is none. */
    size_t (*pieces)(const struct anole_task *task);
    void *(*work)(void *reference);

    /* (goes with anole_task_call_infer()) Of a use of the operator: sets the task, but for what is
     * fused into it, and the type of the output.  ERR_INPUT: the inputs do not fit. */
    enum anole_status (*describe)(struct anole_task *task, struct anole_call *call,
                                  struct anole_error *error);
};

/* The operations of a kind; NULL: there is no such kind. */
const struct anole_task_ops *anole_task_ops_of(uint32_t kind);

/* anole_task_check() without a look into the table: `ops` NULL: a custom task, of which only
 * what all have in common is looked at. */
enum anole_status anole_task_check_fields(const struct anole_task *task,
                                          const struct anole_task_ops *ops,
                                          struct anole_error *error);
/* Floating-point operations of one run. */
double anole_task_ops_flops(const struct anole_task_ops *ops, const struct anole_task *task);

/* -- For scanning keys: each moves the cursor past what it expects, or sets it to NULL. -- */
void anole_key_skip(const char **at, const char *literal);
void anole_key_scan(const char **at, const char *before, uint32_t *value);

#endif
