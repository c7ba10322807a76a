/* SPDX-License-Identifier: MIT */
#include "cli/run_arrays.h"

#include "base/text.h"
#include "frontend/npy.h"
#include "frontend/onnx_tensor.h"
#include "op/task.h"
#include "program/weights.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Types that both sides know. */
#define TYPES(X)                                                                                   \
    X(F32) X(F16) X(F64) X(BF16) X(I8) X(U8) X(I16) X(U16) X(I32) X(U32) X(I64) X(U64) X(BOOL)

static uint32_t dtype_of(enum anole_array_type element)
{
    switch (element) {
#define X(name)                                                                                    \
    case ANOLE_ARRAY_##name:                                                                       \
        return ANOLE_##name;
        TYPES(X)
#undef X
    default:
        return 0;
    }
}

static enum anole_array_type element_of(uint32_t dtype)
{
    switch (dtype) {
#define X(name)                                                                                    \
    case ANOLE_##name:                                                                             \
        return ANOLE_ARRAY_##name;
        TYPES(X)
#undef X
    case ANOLE_TF32:
        return ANOLE_ARRAY_F32;
    default:
        return ANOLE_ARRAY_NONE;
    }
}

void anole_values_fini(struct anole_values *values)
{
    for (size_t i = 0; values->items && i < values->count; i++)
        free(values->items[i].data);
    free(values->items);
    *values = (struct anole_values){.count = 0};
}

/* ------------------------------------------------------------------ reading */

struct loading {
    struct anole_values *values;
    const struct anole_value_names *names;
    uint64_t seed;
    struct anole_error *error;
};

static const char *name_of(const struct loading *l, size_t i)
{
    return l->names->graph->tensors[l->names->tensors[i]].name;
}

static enum anole_status reserve(struct loading *l, size_t i)
{
    struct anole_operand *item = &l->values->items[i];
    size_t bytes = anole_operand_elements(item) * anole_dtype_bytes(item->dtype);
    if (!item->data)
        item->data = calloc(1, bytes + 1);
    return item->data ? ANOLE_DONE : anole_fail_memory(l->error);
}

/* The names that are asked for, as messages have them. */
static void list_names(struct anole_text *text, const struct loading *l)
{
    for (size_t i = 0; i < l->names->count && i < 20; i++) {
        anole_text_printf(text, "%s", i ? ", " : "");
        anole_text_append_printable(text, name_of(l, i), strlen(name_of(l, i)));
    }
    anole_text_printf(text, "%s", l->names->count > 20 ? ", ..." : "");
}

/* Elements of another type: real numbers are rounded, whole ones must fit. */
static enum anole_status convert(struct loading *l, size_t i, const struct anole_operand *from,
                                 const char *path)
{
    struct anole_operand *item = &l->values->items[i];
    const size_t elements = anole_operand_elements(item);
    char name[200];
    for (size_t e = 0; e < elements; e++) {
        if (anole_dtype_is_real(item->dtype)) {
            anole_operand_set_real(item, e, anole_operand_real(from, e));
            continue;
        }
        const int64_t value = anole_operand_int(from, e);
        anole_operand_set_int(item, e, value);
        if (item->dtype != ANOLE_BOOL && anole_operand_int(item, e) != value)
            return anole_fail(l->error, ANOLE_ERR_INPUT,
                              "%s: element %zu is %lld, which does not fit tensor \"%s\" of %s",
                              path, e, (long long)value,
                              anole_text_printable(name, sizeof name, name_of(l, i)),
                              anole_dtype_text(item->dtype));
    }
    return ANOLE_DONE;
}

/* Copies an array into value i; `file` is for messages. */
static enum anole_status take(struct loading *l, size_t i, const struct anole_array *array,
                              const char *file)
{
    struct anole_operand *item = &l->values->items[i];
    struct anole_operand from = {.dtype = dtype_of(array->element), .rank = array->rank};
    struct anole_array copy = {.owns = false};
    char name[200], found[160], wanted[128], path[300];
    const struct anole_operand *type = &l->names->graph->tensors[l->names->tensors[i]].type;
    const bool sized = l->names->sized && l->names->sized[l->names->tensors[i]];
    bool same = array->rank == type->rank;
    for (uint32_t d = 0; d < array->rank && d < ANOLE_MAX_RANK; d++) {
        from.dims[d] = array->dims[d];
        same = same && (array->dims[d] == type->dims[d] || (sized && array->dims[d] >= 0));
    }
    same = same && anole_operand_elements(&from) <= anole_operand_elements(type);
    anole_text_printable(path, sizeof path, file);
    anole_text_printable(name, sizeof name, name_of(l, i));
    if (!same)
        return anole_fail(l->error, ANOLE_ERR_INPUT,
                          "%s: it is %s, but tensor \"%s\" of the network has the shape %s%s", path,
                          anole_array_text(found, sizeof found, array), name,
                          anole_operand_shape_text(wanted, sizeof wanted, type),
                          sized ? " at most" : "");
    if (!from.dtype || anole_dtype_is_real(from.dtype) != anole_dtype_is_real(item->dtype))
        return anole_fail(l->error, ANOLE_ERR_INPUT,
                          "%s: it is %s, but tensor \"%s\" of the network holds %s", path,
                          anole_array_text(found, sizeof found, array), name,
                          anole_dtype_text(item->dtype));
    enum anole_status status = reserve(l, i);
    if (status == ANOLE_DONE)
        status = anole_array_copy(&copy, array, l->error);
    if (status)
        return status;
    from.data = (void *)copy.data;
    memcpy(item->dims, from.dims, sizeof item->dims);
    if (from.dtype == item->dtype)
        memcpy(item->data, from.data,
               anole_operand_elements(item) * anole_dtype_bytes(item->dtype));
    else
        status = convert(l, i, &from, path);
    anole_array_fini(&copy);
    return status;
}

/* The value that an array of an archive is for; SIZE_MAX: none. */
static size_t match(const struct loading *l, const char *name)
{
    char numbered[64];
    for (size_t i = 0; i < l->names->count; i++) {
        size_t number = l->names->numbers ? l->names->numbers[i] : i;
        snprintf(numbered, sizeof numbered, "%s_%zu", l->names->prefix, number);
        if (strcmp(name, name_of(l, i)) == 0 || strcmp(name, numbered) == 0)
            return i;
    }
    return SIZE_MAX;
}

static enum anole_status take_archive(struct loading *l, const char *file)
{
    struct anole_arrays arrays = {.count = 0};
    enum anole_status status = anole_npz_load(&arrays, file, l->error);
    struct anole_text names = {.data = NULL};
    size_t taken = 0;
    char path[300];
    for (size_t i = 0; i < arrays.count && status == ANOLE_DONE; i++) {
        size_t at = match(l, arrays.items[i].name);
        if (at == SIZE_MAX)
            continue;
        status = take(l, at, &arrays.items[i], file);
        taken++;
    }
    if (status == ANOLE_DONE && taken == 0) {
        list_names(&names, l);
        status = anole_fail(l->error, ANOLE_ERR_INPUT,
                            "%s: none of its %zu arrays has one of these names: %s; nor one like "
                            "\"%s_0\"",
                            anole_text_printable(path, sizeof path, file), arrays.count,
                            names.data ? names.data : "(none)", l->names->prefix);
        anole_text_fini(&names);
    }
    anole_arrays_fini(&arrays);
    return status;
}

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static enum anole_status take_file(struct loading *l, size_t i, const char *file)
{
    struct anole_array array = {.owns = false};
    char path[300];
    enum anole_status status;
    if (ends_in(file, ".npy"))
        status = anole_npy_load(&array, file, l->error);
    else if (ends_in(file, ".pb"))
        status = anole_onnx_tensor_load(&array, file, l->error);
    else
        return anole_fail(l->error, ANOLE_ERR_USAGE,
                          "\"%s\": expected a file of the kind .npy or .pb, or one of the words "
                          "random and ramp",
                          anole_text_printable(path, sizeof path, file));
    if (status == ANOLE_DONE)
        status = take(l, i, &array, file);
    anole_array_fini(&array);
    return status;
}

static void make_ramp(struct anole_operand *item)
{
    size_t elements = anole_operand_elements(item);
    for (size_t e = 0; e < elements; e++) {
        if (anole_dtype_is_real(item->dtype))
            anole_operand_set_real(item, e, (double)e / (double)elements);
        else
            anole_operand_set_int(
                item, e, item->dtype == ANOLE_BOOL ? (int64_t)(e & 1) : (int64_t)(e % 100));
    }
}

static enum anole_status take_value(struct loading *l, size_t i, const char *value)
{
    struct anole_operand *item = &l->values->items[i];
    bool random = strcmp(value, "random") == 0, ramp = strcmp(value, "ramp") == 0;
    if (!random && !ramp)
        return take_file(l, i, value);
    enum anole_status status = reserve(l, i);
    if (status == ANOLE_DONE && random)
        anole_weights_random(item, l->seed, name_of(l, i), 1);
    else if (status == ANOLE_DONE)
        make_ramp(item);
    return status;
}

/* One word of the command line.  Names of tensors may have a "=" in them. */
static enum anole_status take_word(struct loading *l, const char *word)
{
    struct anole_text names = {.data = NULL};
    char text[300];
    for (size_t i = 0; i < l->names->count; i++) {
        size_t length = strlen(name_of(l, i));
        if (strncmp(word, name_of(l, i), length) == 0 && word[length] == '=')
            return take_value(l, i, word + length + 1);
    }
    if (ends_in(word, ".npz"))
        return take_archive(l, word);
    if (l->names->count == 1 && !strchr(word, '='))
        return take_value(l, 0, word);
    list_names(&names, l);
    anole_fail(l->error, ANOLE_ERR_INPUT,
               "\"%s\": expected FILE.npz or NAME=VALUE with a name of: %s",
               anole_text_printable(text, sizeof text, word), names.data ? names.data : "(none)");
    anole_text_fini(&names);
    return ANOLE_ERR_INPUT;
}

static enum anole_status prepare(struct loading *l)
{
    l->values->items = calloc(l->names->count + 1, sizeof *l->values->items);
    if (!l->values->items)
        return anole_fail_memory(l->error);
    l->values->count = l->names->count;
    for (size_t i = 0; i < l->names->count; i++) {
        l->values->items[i] = l->names->graph->tensors[l->names->tensors[i]].type;
        l->values->items[i].data = NULL;
    }
    return ANOLE_DONE;
}

enum anole_status anole_values_load(struct anole_values *values,
                                    const struct anole_value_names *names, const char *const *words,
                                    size_t word_count, uint64_t seed, struct anole_error *error)
{
    struct loading l = {.values = values, .names = names, .seed = seed, .error = error};
    *values = (struct anole_values){.count = 0};
    enum anole_status status = prepare(&l);
    for (size_t i = 0; i < word_count && status == ANOLE_DONE; i++)
        status = take_word(&l, words[i]);
    if (status)
        anole_values_fini(values);
    return status;
}

enum anole_status anole_values_reserve(struct anole_values *values, const struct anole_graph *graph,
                                       const size_t *tensors, size_t count,
                                       struct anole_error *error)
{
    const struct anole_value_names names = {.graph = graph, .tensors = tensors, .count = count};
    struct loading l = {.values = values, .names = &names, .error = error};
    *values = (struct anole_values){.count = 0};
    enum anole_status status = prepare(&l);
    for (size_t i = 0; i < count && status == ANOLE_DONE; i++)
        status = reserve(&l, i);
    if (status)
        anole_values_fini(values);
    return status;
}

/* ------------------------------------------------------------------ writing */

static void describe(struct anole_array *array, const struct anole_operand *item, const char *name)
{
    *array = (struct anole_array){.name = name,
                                  .element = element_of(item->dtype),
                                  .rank = item->rank,
                                  .data = item->data,
                                  .bytes = anole_operand_elements(item) *
                                           anole_dtype_bytes(item->dtype)};
    for (uint32_t d = 0; d < item->rank; d++)
        array->dims[d] = item->dims[d];
}

/* "FOLDER/NAME.npy", with what does not belong into a file's name replaced. */
static enum anole_status save_in(const char *folder, const struct anole_array *array, size_t number,
                                 struct anole_error *error)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%zu_%s.npy", folder, number, array->name) < 0)
        return anole_fail_memory(error);
    for (char *c = path + strlen(folder) + 1; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
            *c = '_';
    enum anole_status status = anole_npy_save(path, array, error);
    free(path);
    return status;
}

enum anole_status anole_values_save(const struct anole_values *values,
                                    const struct anole_graph *graph, const size_t *tensors,
                                    const char *path, struct anole_error *error)
{
    char safe[300];
    struct anole_array *arrays = calloc(values->count + 1, sizeof *arrays);
    if (!arrays)
        return anole_fail_memory(error);
    for (size_t i = 0; i < values->count; i++)
        describe(&arrays[i], &values->items[i], graph->tensors[tensors[i]].name);
    enum anole_status status = ANOLE_DONE;
    if (ends_in(path, ".npz"))
        status = anole_npz_save(path, arrays, values->count, error);
    else if (mkdir(path, 0777) != 0 && errno != EEXIST)
        status = anole_fail_errno(error, "cannot make the folder '%s'",
                                  anole_text_printable(safe, sizeof safe, path));
    else
        for (size_t i = 0; i < values->count && status == ANOLE_DONE; i++)
            status = save_in(path, &arrays[i], i, error);
    free(arrays);
    return status;
}

/* ---------------------------------------------------------------- comparing */
