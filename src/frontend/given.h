/* SPDX-License-Identifier: MIT
 *
 * A network from a file, with what is known of its inputs beforehand: their sizes, and the
 * elements of those that are sizes themselves.
 */
#ifndef ANOLE_GIVEN_H
#define ANOLE_GIVEN_H

#include "graph/graph.h"

/* Elements of an input that shapes may depend on: whole numbers in a list, or one by itself. */
#define ANOLE_GIVEN_MOST 4096

/* An array that an input will hold. */
struct anole_given_input {
    const char *name; /* the input's; or its number in the file: "in_0" */
    /* Its shape counts.  Its elements do as well if there are at most ANOLE_GIVEN_MOST of them in
     * one dimension, of whole numbers; `data` NULL: the shape alone. */
    struct anole_operand value;
    bool required; /* there must be such an input */
};

struct anole_given {
    int64_t batch; /* the first size of inputs that leave it open; 0: 1 */
    /* Words as in given_words.h, [shape_count].  What they say of an input counts, and then what
     * the arrays say. */
    const char *const *shapes;
    size_t shape_count;
    const struct anole_given_input *inputs; /* [input_count] */
    size_t input_count;
};

struct anole_loaded {
    struct anole_graph *graph;
    bool batch_1; /* the file leaves the batch open, and nothing says it: 1 is taken */
    /* Inputs that shapes depend on are constants now, of what was given for them. */
    char **known;
    size_t known_count;
    size_t *numbers; /* of each input of the graph: its number among the file's */
};

/* Reads a network as its file has it, ONNX or our JSON; else like anole_given_load(). */
enum anole_status anole_given_read(struct anole_loaded *loaded, const char *path,
                                   const struct anole_given *given, struct anole_error *error)
    __attribute__((warn_unused_result));

/* Reads a network, ONNX or our JSON (which has all sizes: what is given is not looked at), and
 * makes it ready to run: fused, and without what nobody reads.  Inputs stay inputs where they can:
 * only if shapes depend on them do they become constants.  ERR_USAGE: a shape that is none;
 * ERR_INPUT: there is no such input, or sizes are missing, which are named. */
enum anole_status anole_given_load(struct anole_loaded *loaded, const char *path,
                                   const struct anole_given *given, struct anole_error *error)
    __attribute__((warn_unused_result));
/* A zeroed one is fine. */
void anole_loaded_fini(struct anole_loaded *loaded);

/* What arrays say of the inputs of an ONNX file, a word for each input that there is an array of:
 * (*words)[*count], the caller's to free, and each of them.  ERR_INPUT: there is no input for an
 * array that requires it. */
enum anole_status anole_given_words(char ***words, size_t *count, const char *path,
                                    const struct anole_given_input *inputs, size_t input_count,
                                    struct anole_error *error) __attribute__((warn_unused_result));

#endif
