/* SPDX-License-Identifier: MIT */
#include "program/merge.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_KERNELS 16 /* of a source: workers share out sources */
#define NAME 96         /* bytes of a kernel's name */

/* A kernel under another name, in another source. */
struct merged {
    struct anole_kernel kernel;
    struct anole_launch launches[ANOLE_MAX_LAUNCHES];
    char names[ANOLE_MAX_LAUNCHES][NAME + 24];
};

struct anole_merge {
    const struct anole_program *program;
    struct merged **merged; /* of each of the program's kernels; NULL: it is as it was */
    struct anole_merge_unit *units;
    struct anole_text *sources; /* of each unit; empty: the kernel's own */
    size_t count;
};

/* --------------------------------------------------------------------- text */

/* Whether all that a source declares, beside macros, are kernels: a line that begins with a letter
 * is no other declaration, as plain kernels are written.  What finds its place by groups, and not
 * by work-items alone, is launched in another way. */
static bool is_plain(const char *source)
{
    static const char *const others[] = {"get_group_id",    "get_num_groups",
                                         "get_global_size", "get_global_offset",
                                         "#pragma",         "get_global_linear"};
    bool comment = false;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strstr(source, others[i]))
            return false;
    for (const char *line = source; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!strncmp(line, "/*", 2))
            comment = true;
        if (!comment && (isalpha((unsigned char)*line) || *line == '_') &&
            strncmp(line, "kernel ", 7) != 0)
            return false;
        const char *end = strchr(line, '\n'), *closed = comment ? strstr(line, "*/") : NULL;
        if (closed && (!end || closed < end))
            comment = false;
    }
    return true;
}

/* A line for each macro that a source defines, with its name twice. */
static void list_macros(struct anole_text *text, const char *source, const char *format)
{
    for (const char *line = source; line; line = strchr(line, '\n')) {
        char name[NAME];
        size_t length = 0;
        line += *line == '\n';
        if (strncmp(line, "#define ", 8) != 0)
            continue;
        while (isalnum((unsigned char)line[8 + length]) || line[8 + length] == '_')
            length++;
        snprintf(name, sizeof name, "%.*s", (int)length, line + 8);
        for (const char *at = format; *at; at++)
            if (*at == '@')
                anole_text_append(text, name, strlen(name));
            else
                anole_text_append(text, at, 1);
    }
}

/* Appends a kernel's source, in which its functions get names with a number.  Its macros end with
 * it, but for those that were there before: what a driver or a backend defines, it may not. */
static void append(struct anole_text *text, struct merged *merged,
                   const struct anole_kernel *kernel, size_t number)
{
    for (uint32_t i = 0; i < kernel->launch_count; i++) {
        const char *name = kernel->launches[i].kernel;
        snprintf(merged->names[i], sizeof merged->names[i], "%.*s_%zu", NAME, name, number);
        merged->launches[i] = kernel->launches[i];
        merged->launches[i].kernel = merged->names[i];
        anole_text_printf(text, "#define %s %s\n", name, merged->names[i]);
    }
    list_macros(text, kernel->source, "#ifdef @\n#define KEPT_@\n#endif\n");
    anole_text_append(text, kernel->source, kernel->source_length);
    anole_text_append(text, "\n", 1);
    list_macros(text, kernel->source, "#ifndef KEPT_@\n#undef @\n#endif\n");
    list_macros(text, kernel->source, "#undef KEPT_@\n");
    for (uint32_t i = 0; i < kernel->launch_count; i++)
        anole_text_printf(text, "#undef %s\n", kernel->launches[i].kernel);
}

/* -------------------------------------------------------------------- units */

static bool can_merge(const struct anole_program *program, size_t kernel)
{
    const struct anole_kernel *own = &program->kernels[kernel].generated->kernel;
    for (uint32_t i = 0; i < own->launch_count; i++)
        if (strlen(own->launches[i].kernel) > NAME)
            return false;
    return program->device.flags & ANOLE_DEVICE_SHARES_PROGRAMS &&
           own->task->kind == ANOLE_TASK_OPERATOR && own->options[0] == '\0' &&
           is_plain(own->source);
}

static bool is_used(const struct anole_program *program, size_t kernel)
{
    return anole_program_step_of(program, kernel) != ANOLE_NONE;
}

static enum anole_status add(struct anole_merge *merge, size_t *open, size_t kernel,
                             struct anole_error *error)
{
    const bool joins = can_merge(merge->program, kernel);
    size_t unit = joins ? *open : ANOLE_NONE;
    if (unit == ANOLE_NONE || merge->units[unit].count == MOST_KERNELS) {
        unit = merge->count;
        const size_t room = joins ? MOST_KERNELS : 1;
        merge->count++;
        merge->units[unit].places = calloc(room, sizeof(size_t));
        merge->units[unit].kernels = calloc(room, sizeof(struct anole_kernel *));
        if (!merge->units[unit].places || !merge->units[unit].kernels)
            return anole_fail_memory(error);
        if (joins)
            *open = unit;
    }
    struct anole_merge_unit *own = &merge->units[unit];
    own->places[own->count] = kernel;
    own->kernels[own->count++] = &merge->program->kernels[kernel].generated->kernel;
    return ANOLE_DONE;
}

static enum anole_status write_unit(struct anole_merge *merge, size_t unit,
                                    struct anole_error *error)
{
    struct anole_merge_unit *own = &merge->units[unit];
    struct anole_text *text = &merge->sources[unit];
    if (own->count < 2)
        return ANOLE_DONE;
    for (size_t i = 0; i < own->count; i++) {
        struct merged *merged = merge->merged[own->places[i]] = calloc(1, sizeof *merged);
        if (!merged)
            return anole_fail_memory(error);
        append(text, merged, own->kernels[i], i);
        merged->kernel = *own->kernels[i];
        merged->kernel.launches = merged->launches;
        own->kernels[i] = &merged->kernel;
    }
    if (text->failed)
        return anole_fail_memory(error);
    for (size_t i = 0; i < own->count; i++) {
        merge->merged[own->places[i]]->kernel.source = text->data;
        merge->merged[own->places[i]]->kernel.source_length = text->length;
    }
    return ANOLE_DONE;
}

enum anole_status anole_merge_create(struct anole_merge **merge,
                                     const struct anole_program *program, struct anole_error *error)
{
    struct anole_merge *new = calloc(1, sizeof *new);
    size_t open = ANOLE_NONE;
    if (!new)
        return anole_fail_memory(error);
    new->program = program;
    new->merged = calloc(program->kernel_count + 1, sizeof(struct merged *));
    new->units = calloc(program->kernel_count + 1, sizeof *new->units);
    new->sources = calloc(program->kernel_count + 1, sizeof *new->sources);
    enum anole_status status =
        new->merged &&new->units &&new->sources ? ANOLE_DONE : anole_fail_memory(error);
    for (size_t k = 0; k < program->kernel_count && status == ANOLE_DONE; k++)
        if (is_used(program, k))
            status = add(new, &open, k, error);
    for (size_t i = 0; i < new->count &&status == ANOLE_DONE; i++)
        status = write_unit(new, i, error);
    if (status) {
        anole_merge_destroy(new);
        return status;
    }
    *merge = new;
    return ANOLE_DONE;
}

void anole_merge_destroy(struct anole_merge *merge)
{
    if (!merge)
        return;
    for (size_t i = 0; merge->units && i < merge->count; i++) {
        free(merge->units[i].places);
        free(merge->units[i].kernels);
    }
    for (size_t i = 0; merge->sources && i < merge->count; i++)
        anole_text_fini(&merge->sources[i]);
    for (size_t k = 0; merge->merged && k < merge->program->kernel_count; k++)
        free(merge->merged[k]);
    free(merge->merged);
    free(merge->units);
    free(merge->sources);
    free(merge);
}

size_t anole_merge_count(const struct anole_merge *merge)
{
    return merge->count;
}

const struct anole_merge_unit *anole_merge_unit(const struct anole_merge *merge, size_t i)
{
    return &merge->units[i];
}
