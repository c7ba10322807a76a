/* SPDX-License-Identifier: MIT
 *
 * Constants.  A network's weights are most of its memory, and are wanted once: when a kernel's
 * layout is made of them.  So what passes do to them, such as a transpose or a factor for each
 * channel, is not done when the pass runs but kept as a recipe, and done when the elements are
 * wanted, for one tensor at a time.
 */
#include "graph/graph_constant.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MOST_DEPTH 8            /* of recipes within recipes */
#define PIECE ((size_t)4 << 20) /* bytes of a file that are looked at before they are forgotten */

bool anole_graph_is_constant(const struct anole_graph *graph, size_t tensor)
{
    return graph->tensors[tensor].type.data || graph->tensors[tensor].recipe;
}

static size_t bytes_of(const struct anole_operand *type)
{
    return anole_operand_elements(type) * anole_dtype_bytes(type->dtype);
}

size_t anole_graph_constant_bytes(const struct anole_graph *graph)
{
    size_t bytes = 0;
    for (size_t i = 0; i < graph->tensor_count; i++)
        if (graph->tensors[i].owns_data)
            bytes += bytes_of(&graph->tensors[i].type);
    return bytes;
}

/* ------------------------------------------------------------------- recipes */

static uint32_t depth_of(const struct anole_graph *graph, const size_t *inputs, size_t count)
{
    uint32_t depth = 0;
    for (size_t i = 0; i < count; i++) {
        const struct anole_recipe *recipe = graph->tensors[inputs[i]].recipe;
        if (recipe && recipe->depth > depth)
            depth = recipe->depth;
    }
    return depth + 1;
}

bool anole_recipe_suits(const struct anole_graph *graph, const struct anole_op *op,
                        const size_t *inputs, size_t input_count,
                        const struct anole_operand *output)
{
    size_t large = 0;
    if (output->dtype != ANOLE_F32 || output->rank < 2 || bytes_of(output) < ANOLE_RECIPE_BYTES ||
        !op->compute || input_count == 0 || input_count > ANOLE_RECIPE_INPUTS ||
        (!(op->flags & (ANOLE_OP_VIEW | ANOLE_OP_ELEMENTWISE)) && op != anole_op_find("transpose")))
        return false;
    for (size_t i = 0; i < input_count; i++) {
        if (inputs[i] == ANOLE_NONE || !anole_graph_is_constant(graph, inputs[i]))
            return false;
        const struct anole_operand *input = &graph->tensors[inputs[i]].type;
        if (anole_operand_elements(input) == anole_operand_elements(output))
            large++;
        else if (bytes_of(input) >= ANOLE_RECIPE_BYTES)
            return false;
    }
    return large == 1 && depth_of(graph, inputs, input_count) <= MOST_DEPTH;
}

enum anole_status anole_recipe_create(struct anole_recipe **recipe, const struct anole_graph *graph,
                                      const struct anole_op *op, const void *attributes,
                                      const size_t *inputs, size_t input_count, const void *bytes,
                                      struct anole_error *error)
{
    struct anole_recipe *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    *new = (struct anole_recipe){.op = op,
                                 .input_count = input_count,
                                 .bytes = bytes,
                                 .depth = depth_of(graph, inputs, input_count)};
    if (op) {
        memcpy(new->inputs, inputs, input_count * sizeof *inputs);
        new->attributes = calloc(1, op->attribute_bytes + 1);
        if (!new->attributes) {
            free(new);
            return anole_fail_memory(error);
        }
        if (op->attribute_bytes > 0)
            memcpy(new->attributes, attributes, op->attribute_bytes);
    }
    *recipe = new;
    return ANOLE_DONE;
}

void anole_recipe_destroy(struct anole_recipe *recipe)
{
    if (!recipe)
        return;
    free(recipe->attributes);
    free(recipe);
}

void anole_recipe_mark(bool *marks, const struct anole_graph *graph, size_t tensor)
{
    const struct anole_recipe *recipe = graph->tensors[tensor].recipe;
    marks[tensor] = true;
    for (size_t i = 0; recipe && i < recipe->input_count; i++)
        anole_recipe_mark(marks, graph, recipe->inputs[i]);
}

/* -------------------------------------------------------------------- reading */

static void forget_bytes(const struct anole_graph *graph, const void *data, size_t bytes)
{
    if (graph->backing_forget)
        graph->backing_forget(graph->backing, data, bytes);
}

void anole_graph_forget(const struct anole_graph *graph, size_t tensor)
{
    const struct anole_graph_tensor *constant = &graph->tensors[tensor];
    const struct anole_recipe *recipe = constant->recipe;
    for (size_t i = 0; recipe && i < recipe->input_count; i++)
        anole_graph_forget(graph, recipe->inputs[i]);
    if (recipe && recipe->bytes)
        forget_bytes(graph, recipe->bytes, bytes_of(&constant->type));
    else if (constant->type.data && !constant->owns_data)
        forget_bytes(graph, constant->type.data, bytes_of(&constant->type));
}

/* Mapped: what malloc() is given back, it keeps. */
static enum anole_status make_room(struct anole_constant *constant, size_t bytes,
                                   struct anole_error *error)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return anole_fail_memory(error);
    *constant = (struct anole_constant){.data = memory, .memory = memory, .bytes = bytes};
    return ANOLE_DONE;
}

/* Piece by piece, so that the file's memory is not there beside all of the copy. */
static void copy_bytes(void *to, const struct anole_graph *graph, const void *from, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += PIECE) {
        size_t count = bytes - at < PIECE ? bytes - at : PIECE;
        memcpy((char *)to + at, (const char *)from + at, count);
        forget_bytes(graph, (const char *)from + at, count);
    }
    forget_bytes(graph, from, bytes);
}

static enum anole_status compute(struct anole_constant *constant, const struct anole_graph *graph,
                                 size_t tensor, const struct anole_constant *inputs,
                                 struct anole_error *error)
{
    const struct anole_recipe *recipe = graph->tensors[tensor].recipe;
    struct anole_operand operands[ANOLE_RECIPE_INPUTS], output = graph->tensors[tensor].type;
    const struct anole_operand *pointers[ANOLE_RECIPE_INPUTS];
    enum anole_status status = make_room(constant, bytes_of(&output), error);
    if (status)
        return status;
    for (size_t i = 0; i < recipe->input_count; i++) {
        operands[i] = graph->tensors[recipe->inputs[i]].type;
        operands[i].data = (void *)inputs[i].data;
        pointers[i] = &operands[i];
    }
    output.data = constant->memory;
    const struct anole_call call = {.op = recipe->op,
                                    .attributes = recipe->attributes,
                                    .inputs = pointers,
                                    .input_count = (uint32_t)recipe->input_count,
                                    .outputs = &output,
                                    .output_count = 1};
    return recipe->op->compute(&call, error);
}

static enum anole_status follow(struct anole_constant *constant, const struct anole_graph *graph,
                                size_t tensor, struct anole_error *error)
{
    const struct anole_recipe *recipe = graph->tensors[tensor].recipe;
    struct anole_constant inputs[ANOLE_RECIPE_INPUTS] = {{.data = NULL}};
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < recipe->input_count && status == ANOLE_DONE; i++)
        status = anole_graph_open_constant(&inputs[i], graph, recipe->inputs[i], error);
    if (status == ANOLE_DONE && recipe->op->flags & ANOLE_OP_VIEW) {
        *constant = inputs[0]; /* the same elements in the same order */
        inputs[0].memory = NULL;
    } else if (status == ANOLE_DONE) {
        status = compute(constant, graph, tensor, inputs, error);
        anole_graph_forget(graph, tensor);
    }
    for (size_t i = 0; i < recipe->input_count; i++)
        anole_constant_close(&inputs[i]);
    return status;
}

enum anole_status anole_graph_open_constant(struct anole_constant *constant,
                                            const struct anole_graph *graph, size_t tensor,
                                            struct anole_error *error)
{
    const struct anole_recipe *recipe = graph->tensors[tensor].recipe;
    struct anole_constant new = {.data = graph->tensors[tensor].type.data};
    enum anole_status status = ANOLE_DONE;
    if (recipe && recipe->op) {
        status = follow(&new, graph, tensor, error);
    } else if (recipe) {
        const size_t bytes = bytes_of(&graph->tensors[tensor].type);
        status = make_room(&new, bytes, error);
        if (status == ANOLE_DONE)
            copy_bytes(new.memory, graph, recipe->bytes, bytes);
    }
    if (status)
        anole_constant_close(&new);
    else
        *constant = new;
    return status;
}

void anole_constant_close(struct anole_constant *constant)
{
    if (constant->memory)
        munmap(constant->memory, constant->bytes);
    *constant = (struct anole_constant){.data = NULL};
}

/* -------------------------------------------------------------------- hashing */

struct hashing {
    const struct anole_graph *graph;
    uint64_t (*hash)(const void *context, const void *data, size_t bytes);
    const void *context;
};

/* Piece by piece as well. */
static uint64_t hash_bytes(const struct hashing *h, const void *data, size_t bytes, bool forget)
{
    uint64_t words[2] = {bytes, 0};
    for (size_t at = 0; at < bytes; at += PIECE) {
        size_t count = bytes - at < PIECE ? bytes - at : PIECE;
        words[0] = h->hash(h->context, words, sizeof words);
        words[1] = h->hash(h->context, (const char *)data + at, count);
        if (forget)
            forget_bytes(h->graph, (const char *)data + at, count);
    }
    if (forget)
        forget_bytes(h->graph, data, bytes);
    return h->hash(h->context, words, sizeof words);
}

/* By the types of all operands, the operator, and the numbers of its inputs. */
static uint64_t hash_tensor(const struct hashing *h, size_t tensor)
{
    const struct anole_graph_tensor *constant = &h->graph->tensors[tensor];
    const struct anole_recipe *recipe = constant->recipe;
    const size_t bytes = bytes_of(&constant->type);
    uint64_t words[2 + ANOLE_MAX_RANK + 2 + ANOLE_RECIPE_INPUTS] = {constant->type.dtype,
                                                                    constant->type.rank};
    size_t count = 2;
    for (uint32_t i = 0; i < constant->type.rank; i++)
        words[count++] = (uint64_t)constant->type.dims[i];
    if (!recipe || !recipe->op) {
        words[count++] = hash_bytes(h, recipe ? recipe->bytes : constant->type.data, bytes,
                                    recipe || !constant->owns_data);
    } else {
        words[count++] = h->hash(h->context, recipe->op->name, strlen(recipe->op->name));
        words[count++] = h->hash(h->context, recipe->attributes, recipe->op->attribute_bytes);
        for (size_t i = 0; i < recipe->input_count; i++)
            words[count++] = hash_tensor(h, recipe->inputs[i]);
    }
    return h->hash(h->context, words, count * sizeof *words);
}

uint64_t anole_graph_hash_constant(const struct anole_graph *graph, size_t tensor,
                                   uint64_t (*hash)(const void *context, const void *data,
                                                    size_t bytes),
                                   const void *context)
{
    const struct hashing h = {.graph = graph, .hash = hash, .context = context};
    return hash_tensor(&h, tensor);
}
