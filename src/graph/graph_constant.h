/* SPDX-License-Identifier: MIT
 *
 * Recipes: constants that are made anew from others whenever their elements are wanted.  For the
 * files of this folder; all others see graph.h.
 */
#ifndef ANOLE_GRAPH_CONSTANT_H
#define ANOLE_GRAPH_CONSTANT_H

#include "graph/graph.h"

#define ANOLE_RECIPE_BYTES 32768u /* less is made at once */
#define ANOLE_RECIPE_INPUTS 2

struct anole_recipe {
    const struct anole_op *op; /* NULL: a copy of `bytes`, which need not be aligned */
    void *attributes;
    size_t inputs[ANOLE_RECIPE_INPUTS]; /* constants, made with the graph before this one */
    size_t input_count;
    const void *bytes; /* in the graph's backing */
    uint32_t depth;    /* recipes that are followed for it, one within the other */
};

/* Whether `output` is better made when it is wanted: large, and one input of its size rearranged
 * or combined with small ones, element by element. */
bool anole_recipe_suits(const struct anole_graph *graph, const struct anole_op *op,
                        const size_t *inputs, size_t input_count,
                        const struct anole_operand *output);

/* Of what suits, or with op NULL of bytes.  `attributes` are copied. */
enum anole_status anole_recipe_create(struct anole_recipe **recipe, const struct anole_graph *graph,
                                      const struct anole_op *op, const void *attributes,
                                      const size_t *inputs, size_t input_count, const void *bytes,
                                      struct anole_error *error);
void anole_recipe_destroy(struct anole_recipe *recipe);

/* Marks a tensor, and what its recipe needs. */
void anole_recipe_mark(bool *marks, const struct anole_graph *graph, size_t tensor);

#endif
