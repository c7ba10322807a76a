/* SPDX-License-Identifier: MIT
 *
 * What the operators that slide a kernel over an image share: their attributes, checks,
 * keys, and the reference.
 */
#ifndef ANOLE_CONVOLUTION_H
#define ANOLE_CONVOLUTION_H

#include "op/op.h"
#include "op/reference_private.h"
#include "op/task_ops.h"

#include <stddef.h>
#include <string.h>

enum anole_auto_pad {
    ANOLE_AUTO_PAD_EXPLICIT,
    ANOLE_AUTO_PAD_SAME_UPPER, /* as many outputs as input / stride, rounded up; what is odd of
                                  the padding goes to the bottom and right */
    ANOLE_AUTO_PAD_SAME_LOWER, /* or to the top and left */
    ANOLE_AUTO_PAD_VALID,      /* none */
};

struct anole_convolution {
    int64_t channels;                     /* 0: as the weights say */
    struct anole_ints kernel;             /* empty: as the weights say */
    struct anole_ints strides, dilations; /* empty: 1 */
    struct anole_ints pads;               /* top, left, bottom, right; empty: 0 */
    struct anole_ints output_padding;     /* empty: 0 */
    uint32_t auto_pad;                    /* enum anole_auto_pad */
    int64_t groups;
    int64_t multiplier; /* depthwise: output channels of each channel */
};

extern const char *const anole_auto_pads[];

/* Keys that all of them have. */
#define ANOLE_CONVOLUTION_INTS(key, field, least, how_few, how_many)                               \
    {                                                                                              \
        .name = key, .kind = ANOLE_KEY_INTS, .offset = offsetof(struct anole_convolution, field),  \
        .low = least, .high = ANOLE_TASK_MAX_WINDOW, .fewest = how_few, .most = how_many           \
    }
#define ANOLE_CONVOLUTION_INT(key, field)                                                          \
    {                                                                                              \
        .name = key, .kind = ANOLE_KEY_INT, .offset = offsetof(struct anole_convolution, field),   \
        .low = 1, .high = INT32_MAX                                                                \
    }
#define ANOLE_CONVOLUTION_KEYS                                                                     \
    ANOLE_CONVOLUTION_INTS("kernel", kernel, 1, 2, 2),                                             \
        ANOLE_CONVOLUTION_INTS("strides", strides, 1, 2, 2),                                       \
        ANOLE_CONVOLUTION_INTS("pads", pads, 0, 4, 4),                                             \
        ANOLE_CONVOLUTION_INTS("dilations", dilations, 1, 2, 2),                                   \
    {                                                                                              \
        .name = "auto_pad", .kind = ANOLE_KEY_CHOICE,                                              \
        .offset = offsetof(struct anole_convolution, auto_pad), .choices = anole_auto_pads         \
    }

/* Fills in a task of this kind from input, weights (if they are known) and attributes, but
 * for groups and out_c; completes kernel and padding.  The kernel's size is at place
 * `kernel_at` of the weights' shape. */
enum anole_status anole_convolution_task(struct anole_task *task, struct anole_call *call,
                                         uint32_t kind, uint32_t kernel_at,
                                         struct anole_error *error);
/* Checks the task, which is complete but for its output, and the types of weights and bias
 * against it, and sets the type of the output; the first one applies `auto_pad` as
 * convolutions have it before. */
enum anole_status anole_convolution_finish(struct anole_task *task, struct anole_call *call,
                                           struct anole_error *error);
enum anole_status anole_convolution_output(struct anole_task *task, struct anole_call *call,
                                           struct anole_error *error);

/* The same for any call whose inputs are an activation, weights and an optional bias: sets
 * the flag of the bias, infers the output, checks the task and the types of both. */
enum anole_status anole_task_of_call(struct anole_task *task, struct anole_call *call,
                                     struct anole_error *error);
/* `infer`, `task` and `parameter` of such an operator, by its task_ops->describe. */
enum anole_status anole_task_call_infer(struct anole_call *call, struct anole_error *error);
bool anole_task_call_task(const struct anole_call *call, struct anole_task *task);
bool anole_task_call_parameter(struct anole_operand *type, const struct anole_call *call,
                               uint32_t i);

/* -- Of struct anole_task_ops, for all that have a window -- */
enum anole_status anole_convolution_infer_output(struct anole_task *task,
                                                 struct anole_error *error);
enum anole_status anole_convolution_check(const struct anole_task *task, struct anole_error *error);
void anole_convolution_write_key(char *out, size_t size, const struct anole_task *task);
void anole_convolution_scan_key(const char **at, struct anole_task *task);
/* `name`: "conv". */
void anole_convolution_label(struct anole_text *text, const struct anole_task *task,
                             const char *name);
uint32_t anole_convolution_weights(uint32_t dims[4], const struct anole_task *task);
size_t anole_convolution_reduction(const struct anole_task *task);
size_t anole_convolution_pieces(const struct anole_task *task);
/* The reference; `find` gives the input pixel under kernel position (kh, kw) of an output
 * pixel, or NULL where there is none. */
typedef const double *anole_find_pixel(const struct anole_reference *r, size_t pixel, size_t kh,
                                       size_t kw);
void *anole_convolution_work(struct anole_reference *r, anole_find_pixel *find);
anole_find_pixel anole_convolution_pixel;

#endif
