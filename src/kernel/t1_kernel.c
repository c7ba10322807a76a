/* SPDX-License-Identifier: MIT */
#include "kernel/t1_kernel.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "kernel/t1_kernel_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    return anole_t1_read_launch(&custom->reference, reader, object, "ReferenceKernel.");
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

/* An array of sizes, or the only one. */
static enum anole_status read_problem(struct anole_t1_reader *reader, const json_t *value)
{
    char found[96], place[64];
    if (!value || json_is_null(value))
        return ANOLE_DONE;
    reader->problem =
        json_is_array(value) ? json_incref((json_t *)value) : json_pack("[O]", (json_t *)value);
    reader->one_size = !json_is_array(value);
    if (!reader->problem)
        return anole_fail_memory(reader->error);
    for (size_t i = 0; i < json_array_size(reader->problem); i++) {
        const json_t *size = json_array_get(reader->problem, i);
        snprintf(place, sizeof place, reader->one_size ? "ProblemSize" : "ProblemSize[%zu]", i);
        if (!json_is_number(size) && !json_is_string(size))
            return anole_t1_fail(reader, place, "expected numbers or expressions, found %s",
                                 anole_json_found(found, sizeof found, size));
    }
    return ANOLE_DONE;
}

/* CUDA has local memory beside the arguments; OpenCL has it as one of them. */
static enum anole_status check_local(const struct anole_t1_reader *reader, const json_t *spec)
{
    char found[96];
    const json_t *bytes = json_object_get(spec, "SharedMemory");
    if (!bytes || json_is_null(bytes) || (json_is_integer(bytes) && json_integer_value(bytes) == 0))
        return ANOLE_DONE;
    return anole_t1_fail(reader, "SharedMemory",
                         "is %s; expected 0: in OpenCL local memory is an argument, of the "
                         "\"MemoryType\" Local",
                         anole_json_found(found, sizeof found, bytes));
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
    status = check_local(reader, spec);
    if (status == ANOLE_DONE)
        status = read_problem(reader, json_object_get(spec, "ProblemSize"));
    if (status == ANOLE_DONE)
        status = read_operations(custom, reader, json_object_get(spec, "Operations"));
    if (status == ANOLE_DONE)
        status = anole_t1_read_launch(&custom->launch, reader, spec, "");
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
        json_decref(reader.problem);
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
