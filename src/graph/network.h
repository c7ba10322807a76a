/* SPDX-License-Identifier: MIT
 *
 * A network: a graph of layers, read from our JSON (docs/network.md has the
 * schema), with inferred and checked shapes, and the tasks that it comes to.
 *
 * A reader of another format fills in a struct anole_network (name, path, and
 * the layers with what their kinds ask for) and calls anole_network_finish().
 */
#ifndef ANOLE_NETWORK_H
#define ANOLE_NETWORK_H

#include "base/status.h"
#include "op/task.h"

/* value, name in the JSON */
#define ANOLE_LAYER_MAP(X)                                                                         \
    X(INPUT, "input")                                                                              \
    X(CONV2D, "conv2d")                     /* depthwise where groups == in channels > 1 */        \
    X(DEPTHWISE_CONV2D, "depthwise_conv2d") /* groups and out_c from the input */                  \
    X(DENSE, "dense")                                                                              \
    X(MAX_POOL, "max_pool")                                                                        \
    X(AVERAGE_POOL, "average_pool") /* padding does not count */                                   \
    X(GLOBAL_AVERAGE_POOL, "global_average_pool")                                                  \
    X(ADD, "add")                                                                                  \
    X(CONCAT, "concat") /* of channels */                                                          \
    X(ACTIVATION, "activation")                                                                    \
    X(FLATTEN, "flatten") /* in the order h, w, c */                                               \
    X(LRN, "lrn")         /* across channels */                                                    \
    X(SOFTMAX, "softmax") /* over the channels */

enum anole_layer_kind {
#define X(name, text) ANOLE_LAYER_##name,
    ANOLE_LAYER_MAP(X)
#undef X
        ANOLE_LAYER_KIND_COUNT
};

#define ANOLE_NETWORK_MAX_LAYERS 100000
#define ANOLE_LAYER_MAX_NAME 200 /* bytes */

/* How the padding of a convolution or a pooling comes about. */
enum anole_pad_mode {
    ANOLE_PAD_EXPLICIT, /* as pad_top to pad_right say */
    ANOLE_PAD_SAME,     /* output = ceil(input / stride); the odd row or column
                           of padding goes to the bottom or right */
};

/* NHWC. */
struct anole_shape {
    uint32_t n, h, w, c;
};

struct anole_lrn {
    uint32_t size;         /* channels, odd */
    double alpha, beta, k; /* x / (k + alpha / size * sum of squares) ** beta */
};

struct anole_layer {
    char *name; /* unique */
    enum anole_layer_kind kind;
    int line;       /* in the file; 0 if not known */
    size_t *inputs; /* indices of earlier layers, [input_count] */
    size_t input_count;
    struct anole_shape shape; /* of the output */
    /* convolutions and pooling; dense sets out_c alone.  Padding and, for
     * depthwise_conv2d, groups are known once shapes are. */
    uint32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    uint32_t pad_mode; /* enum anole_pad_mode */
    uint32_t pad_top, pad_left, pad_bottom, pad_right;
    bool ceil; /* pooling: the output's size is rounded up */
    uint32_t out_c, groups;
    uint32_t multiplier; /* depthwise_conv2d: output channels of each channel */
    bool bias;
    uint32_t activation; /* enum anole_activation: as read of this layer, or of one
                            that is fused into it */
    struct anole_lrn lrn;
    /* What anole_network_finish() sets: */
    size_t residual;   /* index of the layer added before the activation, or SIZE_MAX */
    size_t fused_into; /* the layer whose kernel also does the work of this one (an add
                          or an activation), or SIZE_MAX */
    /* Index into the network's tasks, or SIZE_MAX: this layer is not tuned. */
    size_t task;
};

struct anole_network_task {
    struct anole_task task;
    uint32_t multiplicity; /* layers that share it */
    size_t first_layer;
};

struct anole_network {
    char *name;
    uint32_t dtype;             /* enum anole_dtype: of all tensors */
    char *path;                 /* as given */
    struct anole_layer *layers; /* in an order in which inputs and residuals come first:
                                   the file's, except where a residual asks for another */
    size_t layer_count;
    struct anole_network_task *tasks; /* in order of first use; at least one */
    size_t task_count;
};

/* Reads, checks, infers shapes, collects tasks.  Every message names the file
 * and, where one is at fault, the line and the layer. */
enum anole_status anole_network_load(struct anole_network **network, const char *path,
                                     struct anole_error *error);

/* The same from text; `path` is for messages. */
enum anole_status anole_network_parse(struct anole_network **network, const char *text,
                                      size_t length, const char *path, struct anole_error *error);

/* For readers: makes a layer ready to be filled in, with the defaults of every
 * field. */
void anole_layer_init(struct anole_layer *layer);

/* For readers: infers and checks shapes, fuses, collects tasks.  Needs name, dtype,
 * path and layers whose inputs come first.  On failure the network is to be
 * destroyed. */
enum anole_status anole_network_finish(struct anole_network *network, struct anole_error *error);

void anole_network_destroy(struct anole_network *network);

/* Asks for all layers in another precision than the file says: enum anole_dtype. */
void anole_network_set_precision(struct anole_network *network, uint32_t dtype);

/* The layer whose kernel computes the value of layer `index`: itself, or what it
 * is fused into.  For inputs and residuals. */
size_t anole_network_value(const struct anole_network *network, size_t index);

/* Of the tuned layers, all together: operations (two a multiply-add), and
 * elements of weights and biases. */
double anole_network_flops(const struct anole_network *network);
double anole_network_parameters(const struct anole_network *network);

/* A literal, as in the JSON: "conv2d", "max_pool", ... */
const char *anole_layer_kind_text(enum anole_layer_kind kind);

/* For readers: fails with `PATH:LINE: layer "NAME": MESSAGE`. */
enum anole_status anole_network_fail(const struct anole_network *network,
                                     const struct anole_layer *layer, struct anole_error *error,
                                     const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
