/* SPDX-License-Identifier: MIT
 *
 * An ONNX file in memory: what onnx.proto says of it, checked, and without a word on what
 * operators mean.
 *
 * Everything belongs to the model and lasts as long as it does.  Elements of tensors lie in the
 * file (mapped if it is large: see file_view.h) or in a file beside it; they are not copied and
 * may be at any address, see anole_array_aligned().  Names are texts without a NUL inside, but
 * otherwise as the file has them: anole_text_printable() before a terminal sees them.
 *
 * After a load these hold, in the graph and in every subgraph:
 *   - names of inputs, initializers and outputs of nodes are unique in their graph (but an
 *     initializer may give an input its default); an inner graph's name hides an outer one's;
 *   - each input of a node, and each output of the graph, is "" (an absent one; inputs only) or
 *     found by anole_onnx_find();
 *   - each node stands after those whose outputs it reads, also from within its subgraphs;
 *   - tensors have as many bytes as their sizes take, and at most ANOLE_ARRAY_MAX_RANK of these;
 *   - the domain of every node is imported, and no node calls a function of the model.
 */
#ifndef ANOLE_ONNX_MODEL_H
#define ANOLE_ONNX_MODEL_H

#include "frontend/array.h"

#define ANOLE_ONNX_MIN_OPSET 7
#define ANOLE_ONNX_MAX_OPSET 27
#define ANOLE_ONNX_MAX_IR 13
#define ANOLE_ONNX_MAX_DEPTH 16 /* of graphs within graphs */
/* Nodes, operands, attributes, tensors, dimensions and the like, in all.  Elements of tensors
 * and of lists do not count. */
#define ANOLE_ONNX_MAX_PARTS 4000000

struct anole_onnx_graph;

/* -- Values: inputs, outputs, and what is known of those between them -- */

struct anole_onnx_dim {
    int64_t value;    /* 0 or more; -1: not known */
    const char *name; /* of a size that is not known, such as "batch"; NULL: it has none */
};

enum anole_onnx_value_kind {
    ANOLE_ONNX_UNTYPED, /* nothing is said */
    ANOLE_ONNX_TENSOR,
    ANOLE_ONNX_OTHER, /* a sequence, a map, an optional, a sparse tensor */
};

struct anole_onnx_value {
    const char *name;
    enum anole_onnx_value_kind kind;
    enum anole_array_type element; /* NONE: not said */
    bool has_shape;                /* false: not even the rank is known */
    size_t rank;
    struct anole_onnx_dim *dims; /* [rank] */
};

/* -- Nodes -- */

/* The values are those of AttributeProto.AttributeType. */
enum anole_onnx_attribute_kind {
    ANOLE_ONNX_ATTRIBUTE_FLOAT = 1,
    ANOLE_ONNX_ATTRIBUTE_INT = 2,
    ANOLE_ONNX_ATTRIBUTE_STRING = 3,
    ANOLE_ONNX_ATTRIBUTE_TENSOR = 4,
    ANOLE_ONNX_ATTRIBUTE_GRAPH = 5,
    ANOLE_ONNX_ATTRIBUTE_FLOATS = 6,
    ANOLE_ONNX_ATTRIBUTE_INTS = 7,
    ANOLE_ONNX_ATTRIBUTE_STRINGS = 8,
    ANOLE_ONNX_ATTRIBUTE_TENSORS = 9,
    ANOLE_ONNX_ATTRIBUTE_GRAPHS = 10,
    /* Known to be there, but not read. */
    ANOLE_ONNX_ATTRIBUTE_SPARSE_TENSOR = 11,
    ANOLE_ONNX_ATTRIBUTE_SPARSE_TENSORS = 12,
    ANOLE_ONNX_ATTRIBUTE_TYPE = 13,
    ANOLE_ONNX_ATTRIBUTE_TYPES = 14,
};

struct anole_onnx_attribute {
    const char *name;
    enum anole_onnx_attribute_kind kind;
    size_t count; /* of what the kind says: 1 unless it is a list */
    /* [count], the one of the kind; the others are NULL. */
    float *floats;
    int64_t *ints;
    struct anole_bytes *strings; /* each ended by a NUL behind its length */
    struct anole_array *tensors;
    struct anole_onnx_graph *graphs;
};

struct anole_onnx_node {
    const char *name;    /* may be "", need not be unique */
    const char *op_type; /* "Conv"; never "" */
    const char *domain;  /* "": ONNX's own (also for "ai.onnx") */
    size_t index;        /* in the file's order, from 0, in its graph */
    const char **inputs; /* [input_count]; "": absent */
    size_t input_count;
    const char **outputs; /* [output_count]; "": nobody wants it */
    size_t output_count;
    struct anole_onnx_attribute *attributes; /* [attribute_count]; names are unique */
    size_t attribute_count;
};

/* -- Graphs -- */

struct anole_onnx_symbol; /* private: names of a graph */

struct anole_onnx_graph {
    const char *name;
    const struct anole_onnx_graph *parent; /* NULL: the model's own */
    struct anole_onnx_node *nodes;         /* [node_count], each after what it reads */
    size_t node_count;
    struct anole_array *initializers; /* constants, by name */
    size_t initializer_count;
    struct anole_onnx_value *inputs; /* with those that an initializer gives a default */
    size_t input_count;
    struct anole_onnx_value *outputs;
    size_t output_count;
    struct anole_onnx_value *values; /* types of values between, as far as the file has them */
    size_t value_count;
    struct anole_onnx_symbol *symbols; /* by name; private */
    size_t symbol_count;
};

struct anole_onnx_opset {
    const char *domain; /* "": ONNX's own */
    int64_t version;
};

struct anole_onnx_model {
    const char *path; /* as given */
    int64_t ir_version;
    const char *producer;            /* "pytorch 2.1.0"; may be "" */
    int64_t opset;                   /* of ONNX's own domain; 0: not imported, nor used */
    struct anole_onnx_opset *opsets; /* [opset_count]; domains are unique */
    size_t opset_count;
    struct anole_onnx_graph graph;
};

/* Reads a file, and what it refers to.  ERR_INPUT: `model.onnx: node "conv1" (Conv): ...`. */
enum anole_status anole_onnx_model_load(struct anole_onnx_model **model, const char *path,
                                        struct anole_error *error);
/* The same from memory, which must last as long as the model; `path` is for messages, and
 * external data are sought in its folder. */
enum anole_status anole_onnx_model_parse(struct anole_onnx_model **model, const void *data,
                                         size_t bytes, const char *path, struct anole_error *error);
void anole_onnx_model_destroy(struct anole_onnx_model *model);
/* Elements of a tensor are not needed for now: see anole_file_view_forget(). */
void anole_onnx_model_forget(const struct anole_onnx_model *model, const void *data, size_t bytes);

/* -- Looking around -- */

/* What makes a value. */
struct anole_onnx_origin {
    const struct anole_onnx_graph *graph; /* where it is: that asked, or one around it */
    /* One of them; an input with a default has input and initializer. */
    const struct anole_onnx_value *input;
    const struct anole_array *initializer;
    const struct anole_onnx_node *node;
    size_t output; /* of the node */
};

/* Finds a name in a graph or those around it; false: there is none. */
bool anole_onnx_find(struct anole_onnx_origin *origin, const struct anole_onnx_graph *graph,
                     const char *name);
/* NULL: the node has none of that name. */
const struct anole_onnx_attribute *anole_onnx_attribute_find(const struct anole_onnx_node *node,
                                                             const char *name);
/* Version of a domain; 0: it is not imported. */
int64_t anole_onnx_opset_find(const struct anole_onnx_model *model, const char *domain);

/* `node "conv1" (Conv)`, or `node 12 (Conv, which makes "y")` if it has no name.  Returns out. */
const char *anole_onnx_node_text(char *out, size_t size, const struct anole_onnx_node *node);
/* Fails with `model.onnx: node "conv1" (Conv): MESSAGE`; node NULL: `model.onnx: MESSAGE`. */
enum anole_status anole_onnx_fail(const struct anole_onnx_model *model,
                                  const struct anole_onnx_node *node, struct anole_error *error,
                                  const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
