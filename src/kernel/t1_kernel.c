/* SPDX-License-Identifier: MIT */
#include "kernel/t1_kernel.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "kernel/t1_kernel_private.h"

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

/* The three sizes of "GlobalSize" or "LocalSize"; those that are missing are 1. */
static enum anole_status read_sizes(char **sizes, struct anole_t1_reader *reader, const char *key,
                                    const json_t *object)
{
    static const char *const axes[] = {"X", "Y", "Z"}, *const blocks[] = {"block_size_x",
                                                                          "block_size_y",
                                                                          "block_size_z"};
    char found[96], place[64];
    if (object && !json_is_object(object))
        return anole_t1_fail(reader, key, "expected { \"X\": ... }, found %s",
                             anole_json_found(found, sizeof found, object));
    for (int d = 0; d < 3; d++) {
        const json_t *value = json_object_get(object, axes[d]);
        snprintf(place, sizeof place, "%s.%s", key, axes[d]);
        /* Kernel Tuner's names for the sizes of a work-group. */
        bool block = !object && anole_t1_find(reader->t1, blocks[d]) != SIZE_MAX;
        enum anole_status status =
            value ? anole_t1_expression(&sizes[d], reader, place, value)
                  : anole_t1_expression_text(&sizes[d], reader, place, block ? blocks[d] : "1");
        if (status != ANOLE_DONE)
            return status;
    }
    return ANOLE_DONE;
}

/* Kernel Tuner's way: the problem's size over the product of some parameters. */
static enum anole_status read_grid(struct anole_custom_launch *launch,
                                   struct anole_t1_reader *reader, const json_t *object)
{
    static const char *const keys[] = {"GridDivX", "GridDivY", "GridDivZ"};
    for (int d = 0; d < 3; d++) {
        struct anole_text text = {.data = NULL};
        const json_t *divisors = json_object_get(object, keys[d]);
        if ((size_t)d < json_array_size(reader->problem))
            anole_text_printf(&text, "ceil_div(ProblemSize[%d], 1", d);
        else
            anole_text_printf(&text, "ceil_div(1, 1");
        for (size_t i = 0; i < json_array_size(divisors); i++) {
            const char *word = json_string_value(json_array_get(divisors, i));
            if (word)
                anole_text_printf(&text, " * (%s)", word);
        }
        anole_text_printf(&text, ")");
        enum anole_status status =
            text.failed ? anole_fail_memory(reader->error)
                        : anole_t1_expression_text(&launch->global[d], reader, keys[d], text.data);
        anole_text_fini(&text);
        if (status != ANOLE_DONE)
            return status;
    }
    launch->groups = true;
    return ANOLE_DONE;
}

static enum anole_status read_launch(struct anole_custom_launch *launch,
                                     struct anole_t1_reader *reader, const json_t *object,
                                     const char *prefix)
{
    char key[64], found[96];
    const json_t *name = json_object_get(object, "KernelName");
    const char *type = json_string_value(json_object_get(object, "GlobalSizeType"));
    bool grid = json_object_get(object, "GridDivX") || !json_object_get(object, "GlobalSize");
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
    if (status != ANOLE_DONE)
        return status;
    if (grid && reader->problem)
        return read_grid(launch, reader, object);
    /* OpenCL counts work-items; the others that T1 knows of count work-groups. */
    launch->groups = type && strcmp(type, "OpenCL") != 0;
    if (!json_object_get(object, "GlobalSize"))
        return anole_t1_fail(reader, key,
                             "is missing; expected { \"X\": ... }, or ProblemSize and "
                             "GridDivX");
    return read_sizes(launch->global, reader, key, json_object_get(object, "GlobalSize"));
}

/* --------------------------------------------------------------------- space */

/* A text may stand in a #define only if it is a word or a number. */
static enum anole_status check_label(const struct anole_t1_reader *reader, const char *label)
{
    char shown[80];
    bool plain = label[0];
    for (const char *c = label; *c; c++)
        plain &= (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                 strchr("_+-.() *", *c);
    return plain ? ANOLE_DONE
                 : anole_t1_fail(reader, "",
                                 "the value '%s' of a parameter can be no macro: "
                                 "expected letters, digits and _",
                                 anole_text_printable(shown, sizeof shown, label));
}

static enum anole_status copy_knob(struct anole_custom_knob *knob,
                                   const struct anole_t1_parameter *from,
                                   const struct anole_t1_reader *reader)
{
    strcpy(knob->name, from->name);
    knob->categorical = from->kind == ANOLE_T1_TEXT;
    knob->count = from->count;
    knob->default_digit = from->default_digit;
    knob->values = calloc(from->count, sizeof *knob->values);
    if (!knob->values)
        return anole_fail_memory(reader->error);
    memcpy(knob->values, from->values, from->count * sizeof *knob->values);
    if (from->kind == ANOLE_T1_WHOLE)
        return ANOLE_DONE;
    knob->labels = calloc(from->count, sizeof *knob->labels);
    for (uint32_t i = 0; i < from->count; i++) {
        if (reader->whole && check_label(reader, from->labels[i]) != ANOLE_DONE)
            return ANOLE_ERR_INPUT;
        if (!knob->labels || !(knob->labels[i] = strdup(from->labels[i])))
            return anole_fail_memory(reader->error);
    }
    return ANOLE_DONE;
}

static enum anole_status copy_space(struct anole_custom_kernel *custom,
                                    const struct anole_t1_reader *reader)
{
    const struct anole_t1 *t1 = reader->t1;
    enum anole_status status = ANOLE_DONE;
    custom->knobs = calloc(t1->parameter_count, sizeof *custom->knobs);
    custom->constraints = calloc(t1->condition_count + 1, sizeof *custom->constraints);
    if (!custom->knobs || !custom->constraints)
        return anole_fail_memory(reader->error);
    for (size_t i = 0; i < t1->parameter_count && status == ANOLE_DONE; i++) {
        custom->knob_count++;
        status = copy_knob(&custom->knobs[i], &t1->parameters[i], reader);
    }
    for (size_t i = 0; i < t1->condition_count && status == ANOLE_DONE; i++) {
        custom->constraints[i] = strdup(t1->conditions[i]);
        custom->constraint_count++;
        if (!custom->constraints[i])
            status = anole_fail_memory(reader->error);
    }
    return status;
}

/* ----------------------------------------------------------------- the whole */

static enum anole_status read_reference(struct anole_custom_kernel *custom,
                                        struct anole_t1_reader *reader, const json_t *object)
{
    char found[96];
    if (!object || json_is_null(object))
        return ANOLE_DONE;
    if (!json_is_object(object))
        return anole_t1_fail(reader, "ReferenceKernel", "expected an object, found %s",
                             anole_json_found(found, sizeof found, object));
    return read_launch(&custom->reference, reader, object, "ReferenceKernel.");
}

static enum anole_status read_operations(struct anole_custom_kernel *custom,
                                         const struct anole_t1_reader *reader, const json_t *value)
{
    double operations = 0;
    enum anole_status status = ANOLE_DONE;
    if (value && !json_is_null(value))
        status = anole_t1_constant(&operations, reader, "Operations", value);
    if (status == ANOLE_DONE && !(operations >= 0 && operations <= 1e18))
        return anole_t1_fail(reader, "Operations", "%g; expected 0 to 1e18", operations);
    custom->base.operations = operations;
    return status;
}

static enum anole_status read_kernel(struct anole_custom_kernel *custom,
                                     struct anole_t1_reader *reader, const json_t *root)
{
    char found[96];
    struct anole_json_place place = {.file = reader->t1->path};
    const json_t *spec = json_object_get(root, "KernelSpecification");
    json_t *checked;
    enum anole_status status =
        anole_json_object(&checked, root, "KernelSpecification", &place, reader->error);
    if (status != ANOLE_DONE)
        return status;
    const json_t *language = json_object_get(spec, "Language");
    if (!json_is_string(language) || strcmp(json_string_value(language), "OpenCL") != 0)
        return anole_t1_fail(reader, "Language", "is %s; expected \"OpenCL\"",
                             anole_json_found(found, sizeof found, language));
    custom->base.language = ANOLE_OPENCL_C;
    reader->problem = json_object_get(spec, "ProblemSize");
    if (reader->problem && !json_is_array(reader->problem))
        return anole_t1_fail(reader, "ProblemSize", "expected an array of sizes, found %s",
                             anole_json_found(found, sizeof found, reader->problem));
    status = read_operations(custom, reader, json_object_get(spec, "Operations"));
    if (status == ANOLE_DONE)
        status = read_launch(&custom->launch, reader, spec, "");
    if (status == ANOLE_DONE)
        status = read_reference(custom, reader, json_object_get(spec, "ReferenceKernel"));
    if (status == ANOLE_DONE)
        status = anole_t1_read_arguments(custom, reader, spec);
    if (status == ANOLE_DONE)
        status = anole_t1_read_references(custom, reader, spec);
    if (status != ANOLE_DONE)
        return status;
    status = anole_custom_place(custom, reader->error);
    if (status != ANOLE_DONE)
        anole_error_prefix(reader->error, "%s: KernelSpecification.Arguments",
                           anole_text_printable(found, sizeof found, reader->t1->path));
    return status;
}

/* What the file says, whatever its spaces and the order of its keys. */
static enum anole_status digest_json(struct anole_t1_reader *reader, const json_t *root)
{
    static const char *const keys[] = {"ConfigurationSpace", "KernelSpecification"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const json_t *part = json_object_get(root, keys[i]);
        char *text = part ? json_dumps(part, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
        if (part && !text)
            return anole_fail_memory(reader->error);
        reader->digest = anole_hash_combine(reader->digest, text ? anole_hash_text(text) : 0);
        free(text);
    }
    return ANOLE_DONE;
}

static enum anole_status make(struct anole_custom_kernel *custom, struct anole_t1_reader *reader,
                              const json_t *root)
{
    custom->base.size = sizeof custom->base;
    custom->name = strdup(reader->t1->name);
    custom->base.name = custom->name;
    if (!custom->name)
        return anole_fail_memory(reader->error);
    enum anole_status status = digest_json(reader, root);
    if (status == ANOLE_DONE)
        status = copy_space(custom, reader);
    if (status == ANOLE_DONE && reader->whole)
        status = read_kernel(custom, reader, root);
    custom->base.digest = reader->digest;
    return status;
}

enum anole_status anole_t1_kernel_read(struct anole_custom_kernel **custom, const json_t *root,
                                       const char *path, bool whole, struct anole_error *error)
{
    struct anole_t1 *t1 = NULL;
    struct anole_custom_kernel *made = NULL;
    enum anole_status status = anole_t1_read(&t1, root, path, error);
    if (status == ANOLE_DONE && !(made = calloc(1, sizeof *made)))
        status = anole_fail_memory(error);
    if (status == ANOLE_DONE) {
        struct anole_t1_reader reader = {.t1 = t1, .whole = whole, .error = error};
        status = make(made, &reader, root);
    }
    anole_t1_destroy(t1);
    if (status != ANOLE_DONE) {
        anole_custom_destroy(made);
        return status;
    }
    *custom = made;
    return ANOLE_DONE;
}

enum anole_status anole_t1_kernel_parse(struct anole_custom_kernel **custom, const char *text,
                                        size_t length, const char *path, bool whole,
                                        struct anole_error *error)
{
    json_t *root;
    enum anole_status status = anole_json_parse(&root, text, length, path, error);
    if (status != ANOLE_DONE)
        return status;
    status = anole_t1_kernel_read(custom, root, path, whole, error);
    json_decref(root);
    return status;
}

enum anole_status anole_t1_kernel_load(struct anole_custom_kernel **custom, const char *path,
                                       bool whole, struct anole_error *error)
{
    char *text;
    size_t length;
    enum anole_status status = anole_file_read(&text, &length, path, ANOLE_T1_LIMIT, error);
    if (status != ANOLE_DONE)
        return status;
    status = anole_t1_kernel_parse(custom, text, length, path, whole, error);
    free(text);
    return status;
}
