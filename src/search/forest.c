/* SPDX-License-Identifier: MIT */
#include "search/forest.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NESTING 32
#define MAX_NODES 32768 /* a tree */
#define MAX_TREES 100000

/* Two children lie side by side.  A leaf is its own left child, and every number
 * is less than its bound: so a walk of `depth` steps ends in a leaf without ever
 * asking whether it is there. */
struct node {
    float bound; /* below it: left */
    uint16_t feature;
    uint16_t left; /* from the tree's first node; right is left + 1 */
};

struct tree {
    size_t first; /* its root, among all nodes */
    unsigned depth;
};

struct anole_forest {
    struct tree *trees;
    size_t tree_count, tree_capacity;
    struct node *nodes;
    float *values; /* of leaves */
    size_t node_count, node_capacity;
};

/* -- UBJSON: as much of it as saved models use -- */

struct reader {
    const uint8_t *at, *end;
    size_t features;
    struct anole_forest *forest;
    bool starved; /* memory ran out */
};

/* An array of numbers of one type, still in the file's byte order. */
struct numbers {
    const uint8_t *data;
    size_t count;
    char type;
};

/* What a tree is made of, while its object is being read. */
struct parts {
    struct numbers left, right, feature, bound;
};

static bool take(struct reader *reader, size_t bytes, const uint8_t **data)
{
    if ((size_t)(reader->end - reader->at) < bytes)
        return false;
    *data = reader->at;
    reader->at += bytes;
    return true;
}

static size_t type_size(char type)
{
    switch (type) {
    case 'Z':
    case 'T':
    case 'F':
        return 0;
    case 'i':
    case 'U':
    case 'C':
        return 1;
    case 'I':
        return 2;
    case 'l':
    case 'd':
        return 4;
    case 'L':
    case 'D':
        return 8;
    default:
        return SIZE_MAX;
    }
}

static uint64_t big_endian(const uint8_t *data, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | data[i];
    return value;
}

static bool read_length(struct reader *reader, size_t *length)
{
    const uint8_t *type, *data;
    if (!take(reader, 1, &type) || !memchr("iUIlL", *type, 5))
        return false;
    size_t bytes = type_size((char)*type);
    if (!take(reader, bytes, &data) || (*type != 'U' && data[0] & 0x80))
        return false;
    *length = (size_t)big_endian(data, bytes);
    return true;
}

static bool read_key(struct reader *reader, char *key, size_t size)
{
    size_t length;
    const uint8_t *text;
    if (!read_length(reader, &length) || !take(reader, length, &text))
        return false;
    size_t kept = length < size - 1 ? length : size - 1;
    memcpy(key, text, kept);
    key[kept] = '\0';
    return true;
}

static bool read_value(struct reader *reader, const char *key, struct parts *parts,
                       unsigned nesting);
static bool add_tree(struct reader *reader, const struct parts *parts);

static bool read_object(struct reader *reader, unsigned nesting)
{
    struct parts parts = {0};
    for (;;) {
        if (reader->at < reader->end && *reader->at == '}') {
            reader->at++;
            return !parts.left.data || add_tree(reader, &parts);
        }
        char key[32];
        if (!read_key(reader, key, sizeof key) || !read_value(reader, key, &parts, nesting + 1))
            return false;
    }
}

static void keep(struct parts *parts, const char *key, const struct numbers *numbers)
{
    if (strcmp(key, "left_children") == 0)
        parts->left = *numbers;
    else if (strcmp(key, "right_children") == 0)
        parts->right = *numbers;
    else if (strcmp(key, "split_indices") == 0)
        parts->feature = *numbers;
    else if (strcmp(key, "split_conditions") == 0)
        parts->bound = *numbers;
}

static bool read_array(struct reader *reader, const char *key, struct parts *parts,
                       unsigned nesting)
{
    const uint8_t *byte;
    struct numbers numbers = {0};
    bool counted = false;
    if (reader->end - reader->at >= 2 && *reader->at == '$') {
        numbers.type = (char)reader->at[1];
        reader->at += 2;
    }
    if (reader->at < reader->end && *reader->at == '#') {
        reader->at++;
        counted = true;
        if (!read_length(reader, &numbers.count))
            return false;
    }
    if (numbers.type) {
        size_t size = type_size(numbers.type), bytes;
        if (!counted || size == SIZE_MAX || __builtin_mul_overflow(numbers.count, size, &bytes) ||
            !take(reader, bytes, &numbers.data))
            return false;
        keep(parts, key, &numbers);
        return true;
    }
    for (size_t i = 0; !counted || i < numbers.count; i++) {
        if (!counted && reader->at < reader->end && *reader->at == ']')
            return take(reader, 1, &byte);
        if (!read_value(reader, "", &(struct parts){0}, nesting + 1))
            return false;
    }
    return true;
}

static bool read_value(struct reader *reader, const char *key, struct parts *parts,
                       unsigned nesting)
{
    const uint8_t *type, *skipped;
    size_t length;
    if (nesting > MAX_NESTING || !take(reader, 1, &type))
        return false;
    switch (*type) {
    case '{':
        return read_object(reader, nesting);
    case '[':
        return read_array(reader, key, parts, nesting);
    case 'S':
        return read_length(reader, &length) && take(reader, length, &skipped);
    default:
        length = type_size((char)*type);
        return length != SIZE_MAX && take(reader, length, &skipped);
    }
}

/* -- Trees -- */

static int32_t whole_at(const struct numbers *numbers, size_t i)
{
    return (int32_t)(uint32_t)big_endian(numbers->data + 4 * i, 4);
}

static float float_at(const struct numbers *numbers, size_t i)
{
    uint32_t bits = (uint32_t)big_endian(numbers->data + 4 * i, 4);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static bool reserve_tree(struct anole_forest *forest, size_t nodes)
{
    if (forest->tree_count == forest->tree_capacity) {
        size_t capacity = forest->tree_capacity ? 2 * forest->tree_capacity : 64;
        struct tree *grown = reallocarray(forest->trees, capacity, sizeof *grown);
        if (!grown)
            return false;
        forest->trees = grown;
        forest->tree_capacity = capacity;
    }
    if (forest->node_capacity - forest->node_count >= nodes)
        return true;
    size_t capacity = 2 * forest->node_capacity + nodes;
    struct node *grown = reallocarray(forest->nodes, capacity, sizeof *grown);
    if (!grown)
        return false;
    forest->nodes = grown;
    float *values = reallocarray(forest->values, capacity, sizeof *values);
    if (!values)
        return false;
    forest->values = values;
    forest->node_capacity = capacity;
    return true;
}

static bool sound(const struct parts *parts, size_t features, size_t node)
{
    int32_t left = whole_at(&parts->left, node), right = whole_at(&parts->right, node);
    size_t count = parts->left.count;
    int32_t feature = whole_at(&parts->feature, node);
    return left > (int32_t)node && right > (int32_t)node && (size_t)left < count &&
           (size_t)right < count && feature >= 0 && (size_t)feature < features;
}

/* Copies a tree breadth first, so that children come to lie side by side. */
static bool copy_tree(struct anole_forest *forest, const struct parts *parts, size_t features,
                      uint16_t *source, uint8_t *level)
{
    size_t count = parts->left.count, made = 1;
    struct node *nodes = forest->nodes + forest->node_count;
    float *values = forest->values + forest->node_count;
    source[0] = 0;
    level[0] = 0;
    for (size_t n = 0; n < made; n++) {
        size_t from = source[n];
        nodes[n] = (struct node){INFINITY, 0, (uint16_t)n};
        values[n] = float_at(&parts->bound, from);
        if (whole_at(&parts->left, from) < 0)
            continue;
        if (!sound(parts, features, from) || made + 2 > count || level[n] == UINT8_MAX)
            return false;
        nodes[n] =
            (struct node){values[n], (uint16_t)whole_at(&parts->feature, from), (uint16_t)made};
        for (size_t side = 0; side < 2; side++, made++) {
            source[made] = (uint16_t)whole_at(side ? &parts->right : &parts->left, from);
            level[made] = (uint8_t)(level[n] + 1);
        }
    }
    forest->trees[forest->tree_count++] = (struct tree){forest->node_count, level[made - 1]};
    forest->node_count += made;
    return true;
}

static bool add_tree(struct reader *reader, const struct parts *parts)
{
    size_t count = parts->left.count;
    if (!count || count > MAX_NODES || reader->forest->tree_count >= MAX_TREES ||
        parts->left.type != 'l' || parts->right.type != 'l' || parts->feature.type != 'l' ||
        parts->bound.type != 'd' || parts->right.count != count || parts->feature.count != count ||
        parts->bound.count != count)
        return false;
    uint16_t *source = calloc(count, sizeof *source);
    uint8_t *level = calloc(count, sizeof *level);
    reader->starved = !source || !level || !reserve_tree(reader->forest, count);
    bool added =
        !reader->starved && copy_tree(reader->forest, parts, reader->features, source, level);
    free(level);
    free(source);
    return added;
}

enum anole_status anole_forest_load(struct anole_forest **forest, const void *ubjson, size_t length,
                                    size_t features, struct anole_error *error)
{
    struct anole_forest *made = calloc(1, sizeof *made);
    if (!made)
        return anole_fail_memory(error);
    const uint8_t *data = ubjson;
    struct reader reader = {data, data + length, features, made, false};
    if (!features || features > UINT16_MAX || !read_value(&reader, "", &(struct parts){0}, 0) ||
        !made->tree_count) {
        size_t at = (size_t)(reader.at - data);
        anole_forest_destroy(made);
        if (reader.starved)
            return anole_fail_memory(error);
        return anole_fail(error, ANOLE_ERR_INTERNAL,
                          "the trees of the cost model cannot be read: expected a model of "
                          "XGBoost 1.6 or later as UBJSON, found something else near byte %zu of "
                          "%zu; try another version of XGBoost",
                          at, length);
    }
    *forest = made;
    return ANOLE_DONE;
}

void anole_forest_destroy(struct anole_forest *forest)
{
    if (!forest)
        return;
    free(forest->trees);
    free(forest->nodes);
    free(forest->values);
    free(forest);
}

size_t anole_forest_trees(const struct anole_forest *forest)
{
    return forest->tree_count;
}

float anole_forest_score(const struct anole_forest *forest, const float *row)
{
    float sum = 0.0f;
    for (size_t t = 0; t < forest->tree_count; t++) {
        const struct tree *tree = &forest->trees[t];
        const struct node *nodes = forest->nodes + tree->first;
        size_t n = 0;
        for (unsigned d = 0; d < tree->depth; d++)
            n = nodes[n].left + (size_t)(row[nodes[n].feature] >= nodes[n].bound);
        sum += forest->values[tree->first + n];
    }
    return sum;
}
