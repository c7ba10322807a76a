/* SPDX-License-Identifier: MIT
 *
 * A network as a graph: tensors, some of them constants, and nodes, each of which applies an
 * operator (op/op.h) to tensors and makes tensors.
 *
 * A front end adds tensors and nodes in any order, marks inputs and outputs, and calls
 * anole_graph_infer().  What follows are passes over the graph, each a file of this folder:
 * graph_fold.c (types, and nodes of constants), graph_constant.c (constants), graph_layout.c
 * (transposes), graph_activation.c (activations that are spelled out), graph_affine.c (factors into
 * weights), graph_fuse.c (activations and residuals into the kernel before them).  workload.h has
 * what is tuned.
 */
#ifndef ANOLE_GRAPH_H
#define ANOLE_GRAPH_H

#include "op/op.h"

#include <stddef.h>

#define ANOLE_NONE SIZE_MAX /* no tensor, no node */

/* Bounds that files are held to. */
#define ANOLE_GRAPH_MAX_NODES 100000
#define ANOLE_GRAPH_MAX_NAME 1000 /* bytes */

struct anole_recipe; /* private: how a constant is made from others */

struct anole_graph_tensor {
    char *name; /* unique */
    /* dtype 0: not known yet.  data: the elements of a constant; NULL for all others, and for
     * constants that have a recipe. */
    struct anole_operand type;
    bool owns_data;
    bool folded; /* it owns data that folding made */
    /* Of a constant that is made anew whenever its elements are wanted: see
     * anole_graph_open_constant(). */
    struct anole_recipe *recipe;
    /* A weight whose elements the file leaves out: never folded; whoever runs the network
     * fills it with random numbers.  Its type may follow from its node's attributes. */
    bool parameter;
    bool data_sized; /* as anole_graph_find_data_sized() has it */
    size_t producer; /* the node that makes it; ANOLE_NONE: an input or a constant */
};

struct anole_node {
    char *name; /* for people; need not be unique */
    const struct anole_op *op;
    void *attributes; /* [op->attribute_bytes] */
    size_t *inputs;   /* tensors, [input_count]; ANOLE_NONE: an optional one is absent */
    size_t input_count;
    size_t *outputs; /* [output_count]; ANOLE_NONE: an optional one nobody wants */
    size_t output_count;
    int line; /* in the file; 0: not known */
    /* What the graph has fused into it; see struct anole_task. */
    uint32_t activation; /* enum anole_activation */
    float activation_alpha, activation_beta;
    size_t residual; /* the tensor that is added before the activation, or ANOLE_NONE */
};

struct anole_graph {
    char *name;
    char *path; /* as given, for messages */
    struct anole_graph_tensor *tensors;
    size_t tensor_count, tensor_room;
    struct anole_node *nodes; /* after anole_graph_infer(): each after what it reads */
    size_t node_count, node_room;
    /* Tensors by name, open addressing: index + 1, 0: free.  [name_room], a power of two. */
    size_t *names, name_room;
    size_t *inputs, *outputs; /* tensors, in the file's order */
    size_t input_count, output_count;
    size_t layer_count; /* of the file, for people; passes leave it as it is */
    size_t fold_limit;  /* of passes, as of anole_graph_infer() */
    size_t folded;      /* bytes that folding made, and which are there */
    bool tf32;          /* products of f32 may be computed as ANOLE_TF32 allows */
    /* What constants that were not copied lie in; released with the graph.  May be NULL. */
    void *backing;
    void (*backing_destroy)(void *backing);
    /* (optional) Elements there will not be looked at for a while; they must not change. */
    void (*backing_forget)(void *backing, const void *data, size_t bytes);
};

enum anole_status anole_graph_create(struct anole_graph **graph, const char *name, const char *path,
                                     struct anole_error *error);
void anole_graph_destroy(struct anole_graph *graph);

/* Adds a tensor.  `name` is copied; NULL or taken: a new one is made from it.  `type` NULL:
 * inference finds it.  *tensor: its index. */
enum anole_status anole_graph_add_tensor(struct anole_graph *graph, size_t *tensor,
                                         const char *name, const struct anole_operand *type,
                                         struct anole_error *error);
/* Adds a constant.  type->data is copied, or, with `borrow`, used in place: it must live as
 * long as the graph does (graph->backing), and be aligned for its type. */
enum anole_status anole_graph_add_constant(struct anole_graph *graph, size_t *tensor,
                                           const char *name, const struct anole_operand *type,
                                           bool borrow, struct anole_error *error);
/* The same for elements that stay where they are but need not be aligned: those of large tensors
 * are copied whenever they are wanted (a recipe), others at once. */
enum anole_status anole_graph_add_unaligned(struct anole_graph *graph, size_t *tensor,
                                            const char *name, const struct anole_operand *type,
                                            struct anole_error *error);
/* The same for a list of whole numbers (I64, rank 1), as shapes and axes are. */
enum anole_status anole_graph_add_ints(struct anole_graph *graph, size_t *tensor, const char *name,
                                       const int64_t *values, size_t count,
                                       struct anole_error *error);

/* Gives a tensor another name, made anew if it is NULL or taken. */
enum anole_status anole_graph_rename(struct anole_graph *graph, size_t tensor, const char *name,
                                     struct anole_error *error);
/* Gives an input the name that an output has, too: it is looked for among inputs only, and
 * anole_graph_find() finds either. */
enum anole_status anole_graph_name_alike(struct anole_graph *graph, size_t input, size_t output,
                                         struct anole_error *error);

/* Adds a node with the operator's default attributes, to be set by anole_op_set_*() on
 * graph->nodes[*node].attributes.  ERR_INPUT: counts of operands that the operator does not
 * have; an output that another node makes.  Pointers into graph->nodes and graph->tensors
 * last until something is added. */
enum anole_status anole_graph_add_node(struct anole_graph *graph, size_t *node,
                                       const struct anole_op *op, const char *name,
                                       const size_t *inputs, size_t input_count,
                                       const size_t *outputs, size_t output_count,
                                       struct anole_error *error);
/* The usual case: one output, which is added too; *output: its index.  Attributes are set by
 * the caller afterwards: *attributes (may be NULL). */
enum anole_status anole_graph_apply(struct anole_graph *graph, size_t *output, void **attributes,
                                    const struct anole_op *op, const char *name,
                                    const size_t *inputs, size_t input_count,
                                    struct anole_error *error);

enum anole_status anole_graph_add_input(struct anole_graph *graph, size_t tensor,
                                        struct anole_error *error);
enum anole_status anole_graph_add_output(struct anole_graph *graph, size_t tensor,
                                         struct anole_error *error);

/* The tensor of a name; ANOLE_NONE: there is none. */
size_t anole_graph_find(const struct anole_graph *graph, const char *name);

/* Infers the types of one node's outputs, and of its parameters, from its inputs, which have
 * types.  For front ends that want to know types as they go; ERR_INPUT: the operator's own
 * message, without the node's name. */
enum anole_status anole_graph_infer_node(struct anole_graph *graph, size_t node,
                                         struct anole_error *error);

/* Puts nodes in an order in which each comes after what it reads, then goes through them:
 * infers the types of their outputs, and computes at once what depends on constants alone
 * (so that arithmetic on shapes is known where a shape is asked for); such nodes are
 * removed.  What is no more than another constant rearranged or scaled (weights in another order)
 * gets a recipe, and takes no memory.  Of all others, no more than `fold_limit` bytes are made,
 * in a single node and in all of the graph; the nodes that would make more stay (0: no limit).
 * May be called again after the graph was changed.  ERR_INPUT names the node: a cycle, a tensor
 * that nothing makes, types that do not fit. */
enum anole_status anole_graph_infer(struct anole_graph *graph, size_t fold_limit,
                                    struct anole_error *error);

/* The same for the nodes from `first` on, which stand in an order to be run in, after all that
 * they read: for front ends that want to know shapes as they go. */
enum anole_status anole_graph_infer_from(struct anole_graph *graph, size_t first, size_t fold_limit,
                                         struct anole_error *error);

/* Has kernels do the work of what follows them: an activation, or the addition of another
 * tensor, that alone reads what a kernel makes which takes one (op->flags) becomes part of
 * its node.  Nodes stay in an order to be run in. */
enum anole_status anole_graph_fuse(struct anole_graph *graph, struct anole_error *error);

/* The task that a node is tuned as, with what is fused into it; false: none. */
bool anole_graph_task(struct anole_task *task, const struct anole_graph *graph, size_t node);

/* Releases what a node has; for passes that take nodes out. */
void anole_node_fini(struct anole_node *node);

/* Which tensors are of a size that is not known until data are: what such operators make
 * (ANOLE_OP_DATA_SIZED), and all that comes of that.  sized[tensor_count]; of an inferred graph,
 * whose types say how large they can be. */
void anole_graph_find_data_sized(bool *sized, const struct anole_graph *graph);

/* -- Constants (graph_constant.c).  Weights are large: those of a file stay there, and what
 * passes do to them is done again by whoever needs the result, once the result is needed. -- */

/* Whether a tensor's elements are known ahead of time. */
bool anole_graph_is_constant(const struct anole_graph *graph, size_t tensor);

/* The elements of a constant while somebody looks at them. */
struct anole_constant {
    const void *data; /* [bytes of the tensor], aligned for its type */
    void *memory;     /* [bytes] of what was made for it; NULL: nothing was */
    size_t bytes;
};
/* Threads may do so side by side.  ERR_MEMORY. */
enum anole_status anole_graph_open_constant(struct anole_constant *constant,
                                            const struct anole_graph *graph, size_t tensor,
                                            struct anole_error *error);
void anole_constant_close(struct anole_constant *constant);

/* A number for a constant's elements without making them: constants with the same number are the
 * same, as sure as `hash` is.  Two of the same elements may have different numbers.  Memory of the
 * file is given back on the way. */
uint64_t anole_graph_hash_constant(const struct anole_graph *graph, size_t tensor,
                                   uint64_t (*hash)(const void *context, const void *data,
                                                    size_t bytes),
                                   const void *context);

/* The function of an operator of one output on constants, which are no more than two; *tensor: a
 * constant, with a recipe if that is worth it.  `attributes` are copied. */
enum anole_status anole_graph_derive(struct anole_graph *graph, size_t *tensor, const char *name,
                                     const struct anole_op *op, const void *attributes,
                                     const size_t *inputs, size_t input_count,
                                     struct anole_error *error);

/* A constant will not be looked at for a while: if it lies in a file, its memory can be used for
 * something else. */
void anole_graph_forget(const struct anole_graph *graph, size_t tensor);

/* Bytes of constants that the graph holds in memory of its own. */
size_t anole_graph_constant_bytes(const struct anole_graph *graph);

/* Removes nodes whose results nobody reads, and frees the constants that then are not
 * needed.  Indices of tensors stay. */
void anole_graph_remove_dead(struct anole_graph *graph);

/* Fails with `PATH: node "NAME" (OP): MESSAGE`. */
enum anole_status anole_graph_fail(const struct anole_graph *graph, const struct anole_node *node,
                                   struct anole_error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The use of the operator that a node is.  `call` borrows from the graph and from
 * `operands`, which has room for node->input_count pointers; outputs[] are copies. */
void anole_graph_call(struct anole_call *call, const struct anole_graph *graph,
                      const struct anole_node *node, const struct anole_operand **operands,
                      struct anole_operand *outputs);

#endif
