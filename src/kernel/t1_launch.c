/* SPDX-License-Identifier: MIT
 *
 * What is launched of a T1 file: a kernel's source, and how many work-items, as T1 says it
 * or as Kernel Tuner does.
 */
#include "kernel/t1_kernel_private.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SOURCE ((size_t)1 << 20)

/* ------------------------------------------------------------------- sources */

/* Appends one file of source. */
static enum anole_status add_source(struct anole_text *out, struct anole_t1_reader *reader,
                                    const char *key, const json_t *name)
{
    char *text, found[96];
    size_t length;
    if (!json_is_string(name))
        return anole_t1_fail(reader, key, "expected the name of a file, found %s",
                             anole_json_found(found, sizeof found, name));
    enum anole_status status =
        anole_t1_read_file(&text, &length, NULL, reader, key, json_string_value(name), MAX_SOURCE);
    if (status != ANOLE_DONE)
        return status;
    if (memchr(text, 0, length))
        status = anole_t1_fail(reader, key, "%.200s has a NUL in it: it is no source",
                               json_string_value(name));
    else if (length + out->length > MAX_SOURCE)
        status = anole_t1_fail(reader, key, "the sources are longer than 1 MiB");
    else
        anole_text_append(out, text, length);
    anole_text_append(out, "\n", 1);
    free(text);
    return status;
}

static enum anole_status read_source(char **source, struct anole_t1_reader *reader, const char *key,
                                     const json_t *files)
{
    struct anole_text out = {.data = NULL};
    enum anole_status status = ANOLE_DONE;
    if (!json_is_array(files))
        status = add_source(&out, reader, key, files);
    for (size_t i = 0; i < json_array_size(files) && status == ANOLE_DONE; i++)
        status = add_source(&out, reader, key, json_array_get(files, i));
    if (status == ANOLE_DONE && out.failed)
        status = anole_fail_memory(reader->error);
    if (status == ANOLE_DONE && !out.data)
        status = anole_t1_fail(reader, key, "expected at least one file");
    if (status != ANOLE_DONE) {
        anole_text_fini(&out);
        return status;
    }
    *source = out.data;
    return ANOLE_DONE;
}

/* -------------------------------------------------------------------- launch */

static enum anole_status read_options(char **options, struct anole_t1_reader *reader,
                                      const json_t *list)
{
    struct anole_text out = {.data = NULL};
    char found[96];
    if (list && !json_is_null(list) && !json_is_string(list) && !json_is_array(list))
        return anole_t1_fail(reader, "CompilerOptions", "expected texts, found %s",
                             anole_json_found(found, sizeof found, list));
    if (json_is_string(list))
        anole_text_append(&out, json_string_value(list), json_string_length(list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (!json_is_string(item)) {
            anole_text_fini(&out);
            return anole_t1_fail(reader, "CompilerOptions", "expected texts, found %s",
                                 anole_json_found(found, sizeof found, item));
        }
        anole_text_printf(&out, "%s%s", i ? " " : "", json_string_value(item));
    }
    *options = out.data ? out.data : strdup("");
    return out.failed || !*options ? anole_fail_memory(reader->error) : ANOLE_DONE;
}

static const char *const blocks[] = {"block_size_x", "block_size_y", "block_size_z"};

/* Kernel Tuner's names for the sizes of a work-group. */
static bool has_block(const struct anole_t1_reader *reader, int d)
{
    return anole_t1_find(reader->t1, blocks[d]) != SIZE_MAX;
}

/* Only X, Y and Z are sizes: a misspelt one would be 1 without a word. */
static enum anole_status check_axes(const struct anole_t1_reader *reader, const char *key,
                                    const json_t *object)
{
    const char *axis;
    json_t *value;
    char found[96];
    if (object && !json_is_object(object))
        return anole_t1_fail(reader, key, "expected { \"X\": ... }, found %s",
                             anole_json_found(found, sizeof found, object));
    json_object_foreach((json_t *)object, axis, value) if (
        strlen(axis) != 1 ||
        !strchr("XYZ",
                axis[0])) return anole_t1_fail(reader, key,
                                               "expected \"X\", \"Y\" and \"Z\", found \"%s\"",
                                               anole_text_printable(found, sizeof found, axis));
    return ANOLE_DONE;
}

/* The three sizes of "GlobalSize" or "LocalSize"; those that are missing are 1. */
static enum anole_status read_sizes(char **sizes, struct anole_t1_reader *reader, const char *key,
                                    const json_t *object)
{
    static const char *const axes[] = {"X", "Y", "Z"};
    char place[64];
    enum anole_status status = check_axes(reader, key, object);
    for (int d = 0; d < 3 && status == ANOLE_DONE; d++) {
        const json_t *value = json_object_get(object, axes[d]);
        snprintf(place, sizeof place, "%s.%s", key, axes[d]);
        bool block = !object && has_block(reader, d);
        status = value
                     ? anole_t1_expression(&sizes[d], reader, place, value)
                     : anole_t1_expression_text(&sizes[d], reader, place, block ? blocks[d] : "1");
    }
    return status;
}

static const char *const grid_keys[] = {"GridDivX", "GridDivY", "GridDivZ"};

static bool has_grid(const json_t *object)
{
    bool there = false;
    for (int d = 0; d < 3; d++) {
        const json_t *divisors = json_object_get(object, grid_keys[d]);
        there |= divisors && !json_is_null(divisors);
    }
    return there;
}

/* Appends " * (DIVISOR)". */
static enum anole_status add_divisor(struct anole_text *text, const struct anole_t1_reader *reader,
                                     const char *key, const json_t *divisor)
{
    char found[96];
    if (json_is_string(divisor))
        anole_text_printf(text, " * (%s)", json_string_value(divisor));
    else if (json_is_integer(divisor))
        anole_text_printf(text, " * (%" JSON_INTEGER_FORMAT ")", json_integer_value(divisor));
    else
        return anole_t1_fail(reader, key,
                             "expected parameters, expressions and whole numbers, found %s",
                             anole_json_found(found, sizeof found, divisor));
    return ANOLE_DONE;
}

/* What a dimension of the problem is divided by; if nothing is said: the work-group's size. */
static enum anole_status add_divisors(struct anole_text *text, const struct anole_t1_reader *reader,
                                      int d, const json_t *divisors)
{
    enum anole_status status = ANOLE_DONE;
    if (!divisors || json_is_null(divisors) ||
        (json_is_array(divisors) && json_array_size(divisors) == 0)) {
        if (has_block(reader, d))
            anole_text_printf(text, " * (%s)", blocks[d]);
        return ANOLE_DONE;
    }
    if (!json_is_array(divisors))
        return add_divisor(text, reader, grid_keys[d], divisors);
    for (size_t i = 0; i < json_array_size(divisors) && status == ANOLE_DONE; i++)
        status = add_divisor(text, reader, grid_keys[d], json_array_get(divisors, i));
    return status;
}

/* Kernel Tuner's way: the problem's size over the product of some parameters. */
static enum anole_status read_grid(struct anole_custom_launch *launch,
                                   struct anole_t1_reader *reader, const json_t *object)
{
    if (!json_object_get(object, "LocalSize") && !has_block(reader, 0))
        return anole_t1_fail(reader, "LocalSize",
                             "is missing, and there is no parameter block_size_x; expected "
                             "{ \"X\": ... }");
    for (int d = 0; d < 3; d++) {
        struct anole_text text = {.data = NULL};
        if ((size_t)d < json_array_size(reader->problem))
            anole_text_printf(&text, "ceil_div(ProblemSize[%d], 1", d);
        else
            anole_text_printf(&text, "ceil_div(1, 1");
        enum anole_status status =
            add_divisors(&text, reader, d, json_object_get(object, grid_keys[d]));
        anole_text_printf(&text, ")");
        if (status == ANOLE_DONE && text.failed)
            status = anole_fail_memory(reader->error);
        if (status == ANOLE_DONE)
            status = anole_t1_expression_text(&launch->global[d], reader, grid_keys[d], text.data);
        anole_text_fini(&text);
        if (status != ANOLE_DONE)
            return status;
    }
    launch->groups = true;
    return ANOLE_DONE;
}

/* OpenCL counts work-items; the others that T1 knows of count work-groups. */
static enum anole_status read_size_type(bool *groups, const struct anole_t1_reader *reader,
                                        const json_t *type)
{
    static const char *const types[] = {"OpenCL", "CUDA", "Vulkan"};
    char found[96];
    *groups = false;
    if (!type || json_is_null(type))
        return ANOLE_DONE;
    for (size_t i = 0; json_is_string(type) && i < sizeof types / sizeof *types; i++) {
        *groups = i > 0;
        if (strcmp(json_string_value(type), types[i]) == 0)
            return ANOLE_DONE;
    }
    return anole_t1_fail(reader, "GlobalSizeType", "is %s; expected OpenCL, CUDA or Vulkan",
                         anole_json_found(found, sizeof found, type));
}

enum anole_status anole_t1_read_launch(struct anole_custom_launch *launch,
                                       struct anole_t1_reader *reader, const json_t *object,
                                       const char *prefix)
{
    char key[64], found[96];
    const json_t *name = json_object_get(object, "KernelName");
    bool grid = has_grid(object) || !json_object_get(object, "GlobalSize");
    snprintf(key, sizeof key, "%sKernelName", prefix);
    if (json_string_length(name) == 0 || json_string_length(name) > 127)
        return anole_t1_fail(reader, key, "expected a function's name, found %s",
                             anole_json_found(found, sizeof found, name));
    launch->kernel = strdup(json_string_value(name));
    if (!launch->kernel)
        return anole_fail_memory(reader->error);
    snprintf(key, sizeof key, "%sKernelFile", prefix);
    enum anole_status status =
        read_source(&launch->source, reader, key, json_object_get(object, "KernelFile"));
    if (status == ANOLE_DONE)
        status = read_options(&launch->options, reader, json_object_get(object, "CompilerOptions"));
    snprintf(key, sizeof key, "%sLocalSize", prefix);
    if (status == ANOLE_DONE)
        status = read_sizes(launch->local, reader, key, json_object_get(object, "LocalSize"));
    snprintf(key, sizeof key, "%sGlobalSize", prefix);
    if (status == ANOLE_DONE)
        status = read_size_type(&launch->groups, reader, json_object_get(object, "GlobalSizeType"));
    if (status != ANOLE_DONE)
        return status;
    if (has_grid(object) && !reader->problem)
        return anole_t1_fail(reader, "ProblemSize", "is missing; GridDivX and the like divide it");
    if (grid && reader->problem)
        return read_grid(launch, reader, object);
    if (!json_object_get(object, "GlobalSize"))
        return anole_t1_fail(reader, key,
                             "is missing; expected { \"X\": ... }, or ProblemSize and "
                             "GridDivX");
    return read_sizes(launch->global, reader, key, json_object_get(object, "GlobalSize"));
}
