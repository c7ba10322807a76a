/* SPDX-License-Identifier: MIT
 *
 * What translators of ONNX's operators share.  A translator gets a node of ONNX, adds nodes
 * of ours, and says which tensors its outputs are.  It is one function; a table in its file
 * names it, and onnx_import.c searches these tables.
 *
 * All that can fail does so once and for all: after a failure every function here does
 * nothing and answers ANOLE_NONE or a default, so that translators need not look.
 */
#ifndef ANOLE_ONNX_TRANSLATE_H
#define ANOLE_ONNX_TRANSLATE_H

#include "frontend/onnx_import.h"

struct anole_onnx_importer;

struct anole_onnx_translator;

/* How far the graph has come. */
struct anole_onnx_progress {
    size_t inferred;   /* nodes whose outputs have types */
    size_t last;       /* the node that was added last, whose attributes may be set */
    size_t fold_limit; /* bytes of the largest constant that is computed beforehand */
};

/* A node in translation. */
struct anole_onnx_context {
    struct anole_onnx_importer *importer;
    const struct anole_onnx_body_ops *body;
    struct anole_onnx_progress *progress;
    const struct anole_onnx_translator *translator;
    struct anole_graph *graph;
    const struct anole_onnx_model *model;
    const struct anole_onnx_node *node;
    int64_t opset;   /* of the node's domain */
    size_t *inputs;  /* tensors, [node->input_count]; ANOLE_NONE: absent */
    size_t *outputs; /* to be set: tensors, [node->output_count]; ANOLE_NONE at first */
    enum anole_status status;
    struct anole_error *error;
};

struct anole_onnx_translator {
    const char *op_type;
    void (*translate)(struct anole_onnx_context *context);
    /* A word of ours that goes with it, such as the function of `unary`. */
    const char *function;
};

/* Ended by a NULL op_type. */
extern const struct anole_onnx_translator anole_onnx_elementwise[];
extern const struct anole_onnx_translator anole_onnx_shapes[];
extern const struct anole_onnx_translator anole_onnx_windows[];
extern const struct anole_onnx_translator anole_onnx_products[];
extern const struct anole_onnx_translator anole_onnx_axes[];
extern const struct anole_onnx_translator anole_onnx_quantized[];
extern const struct anole_onnx_translator anole_onnx_einsum[];
extern const struct anole_onnx_translator anole_onnx_loops[];
/* Of the domain com.microsoft. */
extern const struct anole_onnx_translator anole_onnx_microsoft[];
extern const struct anole_onnx_translator anole_onnx_microsoft_quantized[];

/* Conv, of context->inputs, for operators that come down to it. */
void anole_onnx_conv(struct anole_onnx_context *context);

/* -- Graphs within a node -- */

/* Says what a name of the graph is, before it is imported: what its inputs read. */
void anole_onnx_body_set(struct anole_onnx_context *context, const struct anole_onnx_graph *body,
                         const char *name, size_t tensor);
/* Adds its nodes; may be done again, with other inputs.  How often in a model has a limit. */
void anole_onnx_body_import(struct anole_onnx_context *context,
                            const struct anole_onnx_graph *body);
/* What a name is then. */
size_t anole_onnx_body_get(struct anole_onnx_context *context, const struct anole_onnx_graph *body,
                           const char *name);

/* How the importer, which translators know nothing of, does these three. */
struct anole_onnx_body_ops {
    enum anole_status (*set)(struct anole_onnx_context *context,
                             const struct anole_onnx_graph *body, const char *name, size_t tensor);
    enum anole_status (*import)(struct anole_onnx_context *context,
                                const struct anole_onnx_graph *body);
    enum anole_status (*get)(struct anole_onnx_context *context, size_t *tensor,
                             const struct anole_onnx_graph *body, const char *name);
};

/* -- Failing -- */

/* Fails with the node's name in front. */
void anole_onnx_refuse(struct anole_onnx_context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Fails with a status whose message is there. */
void anole_onnx_fail_with(struct anole_onnx_context *context, enum anole_status status);

/* -- The node's operands and attributes -- */

/* Input i; ANOLE_NONE: there is none. */
size_t anole_onnx_input(const struct anole_onnx_context *context, size_t i);
/* The same, which must be there. */
size_t anole_onnx_need(struct anole_onnx_context *context, size_t i);
/* True if output i is wanted. */
bool anole_onnx_wants(const struct anole_onnx_context *context, size_t i);
/* Type of a tensor; data NULL unless it is constant.  Valid until something is added. */
const struct anole_operand *anole_onnx_type(const struct anole_onnx_context *context,
                                            size_t tensor);
/* Rank of a tensor; 0 after a failure. */
uint32_t anole_onnx_rank(const struct anole_onnx_context *context, size_t tensor);

/* An attribute of a kind; NULL: it is absent, or of another kind, and refused. */
const struct anole_onnx_attribute *anole_onnx_need_kind(struct anole_onnx_context *context,
                                                        const char *name,
                                                        enum anole_onnx_attribute_kind kind);
bool anole_onnx_has(const struct anole_onnx_context *context, const char *name);
int64_t anole_onnx_get_int(struct anole_onnx_context *context, const char *name, int64_t otherwise);
double anole_onnx_get_real(struct anole_onnx_context *context, const char *name, double otherwise);
/* A literal, or text of the model. */
const char *anole_onnx_get_text(struct anole_onnx_context *context, const char *name,
                                const char *otherwise);
/* False (and *ints as it was): there is none. */
bool anole_onnx_get_ints(struct anole_onnx_context *context, const char *name,
                         struct anole_ints *ints);
/* Numbers of an attribute (older opsets) or of input i (newer ones), which must be constant. */
bool anole_onnx_numbers(struct anole_onnx_context *context, const char *name, size_t i,
                        struct anole_ints *ints);
/* Our type of an element type of ONNX; 0: we have none. */
uint32_t anole_onnx_dtype_of(enum anole_array_type element);
/* The same; none is refused. */
uint32_t anole_onnx_dtype(struct anole_onnx_context *context, int64_t element);

/* -- Adding nodes -- */

/* Adds a node of the operator `op` with one output.  `name` NULL: a name is made; the node's
 * first output's name is what its last step should have. */
size_t anole_onnx_add(struct anole_onnx_context *context, const char *op, const size_t *inputs,
                      size_t count);
size_t anole_onnx_add1(struct anole_onnx_context *context, const char *op, size_t a);
size_t anole_onnx_add2(struct anole_onnx_context *context, const char *op, size_t a, size_t b);
/* The same with several outputs, whose tensors go to outputs[output_count]. */
void anole_onnx_add_many(struct anole_onnx_context *context, const char *op, const size_t *inputs,
                         size_t count, size_t *outputs, size_t output_count);

/* Attributes of the node that was added last; infers its type when the next is added, or is
 * asked for. */
void anole_onnx_set_int(struct anole_onnx_context *context, const char *name, int64_t value);
void anole_onnx_set_bool(struct anole_onnx_context *context, const char *name, bool value);
void anole_onnx_set_real(struct anole_onnx_context *context, const char *name, double value);
void anole_onnx_set_choice(struct anole_onnx_context *context, const char *name, const char *value);
void anole_onnx_set_ints(struct anole_onnx_context *context, const char *name,
                         const struct anole_ints *ints);
/* Infers what was added; to be called when its attributes are set, and answers `tensor`. */
size_t anole_onnx_done(struct anole_onnx_context *context, size_t tensor);

/* A constant list of whole numbers, and a scalar of a type. */
size_t anole_onnx_constant_ints(struct anole_onnx_context *context, const int64_t *values,
                                size_t count);
size_t anole_onnx_constant_real(struct anole_onnx_context *context, uint32_t dtype, double value);

/* -- Steps that many translators make -- */

/* Whether its sizes depend on data: those that it has are then the largest. */
bool anole_onnx_is_data_sized(const struct anole_onnx_context *context, size_t tensor);
/* As anole_onnx_reshape(); from[rank]: the dimension of x that each size is of, -1: none. */
size_t anole_onnx_reshape_from(struct anole_onnx_context *context, size_t x, const int64_t *dims,
                               const int64_t *from, uint32_t rank);

size_t anole_onnx_transpose(struct anole_onnx_context *context, size_t x, const int64_t *perm,
                            uint32_t rank);
size_t anole_onnx_reshape(struct anole_onnx_context *context, size_t x, const int64_t *dims,
                          uint32_t rank);
size_t anole_onnx_unary(struct anole_onnx_context *context, const char *function, size_t x);
size_t anole_onnx_binary(struct anole_onnx_context *context, const char *function, size_t a,
                         size_t b);
/* x itself, if it is of that type. */
size_t anole_onnx_cast(struct anole_onnx_context *context, size_t x, uint32_t dtype);
/* A reduction: `axes` NULL: of all. */
size_t anole_onnx_reduce(struct anole_onnx_context *context, const char *function, size_t x,
                         const struct anole_ints *axes, bool keep_dims);
/* a times b, as MatMul; a dense layer where b is a constant matrix. */
size_t anole_onnx_product(struct anole_onnx_context *context, size_t a, size_t b);
/* [n, c, ...] to [n, ..., c], and back. */
size_t anole_onnx_channels_last(struct anole_onnx_context *context, size_t x);
size_t anole_onnx_channels_second(struct anole_onnx_context *context, size_t x);

#endif
