/* SPDX-License-Identifier: MIT */
#include "program/export_source.h"

#include "program/standalone.c.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_NAME 48 /* bytes of the network's name in those of functions */

struct writer {
    struct anole_text *out;
    const struct anole_export_layout *layout;
    char name[MOST_NAME + 8], upper[MOST_NAME + 8];
    /* What kernels are handed: distinct parts of buffers, in the order of their first use. */
    struct anole_place *parts;
    size_t part_count, part_room;
    bool failed;
};

/* ------------------------------------------------------------------------ words */

/* "ResNet-18 (v1)" as resnet_18_v1. */
static void make_names(struct writer *w)
{
    const char *from = w->layout->program->graph->name;
    size_t used = 0;
    if (!isalpha((unsigned char)*from))
        used = (size_t)sprintf(w->name, "net_");
    for (; *from && used < MOST_NAME; from++) {
        if (isalnum((unsigned char)*from))
            w->name[used++] = (char)tolower((unsigned char)*from);
        else if (used > 0 && w->name[used - 1] != '_')
            w->name[used++] = '_';
    }
    while (used > 0 && w->name[used - 1] == '_')
        used--;
    w->name[used] = '\0';
    for (size_t i = 0; i <= used; i++)
        w->upper[i] = (char)toupper((unsigned char)w->name[i]);
}

/* A literal of C, in quotes. */
static void put_string(struct anole_text *out, const char *text)
{
    anole_text_append(out, "\"", 1);
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\' || *p == '?')
            anole_text_printf(out, "\\%c", *p);
        else if (isprint((unsigned char)*p))
            anole_text_append(out, p, 1);
        else
            anole_text_printf(out, "\\%03o", (unsigned)(unsigned char)*p);
    }
    anole_text_append(out, "\"", 1);
}

/* Text within a comment, which it may not end. */
static void put_comment(struct anole_text *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        const bool odd = !isprint((unsigned char)*p) || *p == '*' || *p == '\\';
        anole_text_append(out, odd ? "_" : p, 1);
    }
}

static void shape_text(char *out, size_t size, const struct anole_graph *graph, size_t tensor)
{
    anole_operand_shape_text(out, size, &graph->tensors[tensor].type);
}

/* ------------------------------------------------------------------------ tables */

static void put_tensor(struct writer *w, size_t t, size_t in_file)
{
    const struct anole_program *program = w->layout->program;
    const struct anole_graph_tensor *tensor = &program->graph->tensors[t];
    const struct anole_place *place = &program->tensors[t];
    const bool constant = anole_graph_is_constant(program->graph, t) || place->buffer == ANOLE_NONE;
    char shape[200];
    shape_text(shape, sizeof shape, program->graph, t);
    anole_text_printf(w->out, "    {");
    put_string(w->out, tensor->name);
    anole_text_printf(w->out, ", \"%s\", \"%s\", %zu, ", anole_dtype_text(tensor->type.dtype),
                      shape, anole_program_tensor_bytes(program->graph, t));
    if (constant)
        anole_text_printf(w->out, "CONSTANT, %zu},\n", in_file);
    else
        anole_text_printf(w->out, "%zu, %zu},\n", place->buffer, place->offset);
}

static void put_tensors(struct writer *w)
{
    const struct anole_graph *graph = w->layout->program->graph;
    anole_text_printf(w->out, "static const struct tensor input_tensors[] = {\n");
    for (size_t i = 0; i < graph->input_count; i++)
        put_tensor(w, graph->inputs[i], 0);
    anole_text_printf(w->out, "    {0}};\n\nstatic const struct tensor output_tensors[] = {\n");
    for (size_t i = 0; i < graph->output_count; i++)
        put_tensor(w, graph->outputs[i], w->layout->outputs[i]);
    anole_text_printf(w->out, "    {0}};\n\n");
}

static void put_buffers(struct writer *w)
{
    const struct anole_program *program = w->layout->program;
    anole_text_printf(w->out,
                      "/* Bytes of each buffer. */\n#define BUFFERS %zu\n"
                      "static const size_t buffers[] = {",
                      program->buffer_count);
    for (size_t i = 0; i < program->buffer_count; i++)
        anole_text_printf(w->out, "%zu, ", program->buffer_bytes[i]);
    anole_text_printf(w->out, "0};\n\n");
}

static void put_programs(struct writer *w)
{
    const struct anole_program *program = w->layout->program;
    size_t count = 0;
    anole_text_printf(w->out, "static const struct program {\n    const char *file, *options;\n"
                              "} programs[] = {\n");
    for (size_t k = 0; k < program->kernel_count; k++) {
        if (w->layout->kernels[k] == ANOLE_NONE)
            continue;
        anole_text_printf(w->out, "    {");
        put_string(w->out, w->layout->files[k]);
        anole_text_printf(w->out, ", ");
        put_string(w->out, program->kernels[k].generated->kernel.options);
        anole_text_printf(w->out, "},\n");
        count++;
    }
    anole_text_printf(w->out, "    {NULL, NULL}};\n#define PROGRAMS %zu\n\n", count);
}

/* The number of a part, which is added where it is new. */
static size_t part_number(struct writer *w, const struct anole_place *part)
{
    for (size_t i = 0; i < w->part_count; i++)
        if (w->parts[i].buffer == part->buffer && w->parts[i].offset == part->offset &&
            w->parts[i].bytes == part->bytes)
            return i;
    if (w->part_count == w->part_room) {
        const size_t room = w->part_room ? 2 * w->part_room : 64;
        struct anole_place *larger = realloc(w->parts, room * sizeof *larger);
        if (!larger) {
            w->failed = true;
            return 0;
        }
        w->parts = larger;
        w->part_room = room;
    }
    w->parts[w->part_count] = *part;
    return w->part_count++;
}

static void put_arg(struct writer *w, const struct anole_step *step, const struct anole_arg *arg)
{
    const bool by_index = arg->role == ANOLE_ROLE_TENSOR;
    if (by_index || arg->role < ANOLE_ROLE_COUNT) {
        struct anole_place part = step->places[by_index ? (size_t)arg->value : arg->role];
        const size_t skip = by_index ? 0 : (size_t)arg->value;
        part.offset += skip;
        part.bytes -= skip;
        anole_text_printf(w->out, "    {PART, %zu, 0},\n", part_number(w, &part));
    } else if (arg->role == ANOLE_ROLE_LOCAL) {
        anole_text_printf(w->out, "    {LOCAL, %" PRId64 ", 0},\n", arg->value);
    } else {
        anole_text_printf(w->out, "    {VALUE, %" PRId64 ", %u},\n", arg->value,
                          arg->role == ANOLE_ROLE_INT ? 4 : arg->bytes);
    }
}

/* All launches' arguments, one behind the other, and then the parts that they mean. */
static void put_args(struct writer *w)
{
    const struct anole_program *program = w->layout->program;
    anole_text_printf(w->out, "/* value: the number of a part, bytes of local memory, or what is "
                              "handed over.\n * bytes: of that value. */\n"
                              "enum { PART, LOCAL, VALUE };\n"
                              "static const struct arg {\n    int kind;\n    long long value;\n"
                              "    size_t bytes;\n} args[] = {\n");
    for (size_t s = 0; s < program->step_count; s++) {
        const struct anole_step *step = &program->steps[s];
        const struct anole_kernel *kernel = &program->kernels[step->kernel].generated->kernel;
        for (uint32_t l = 0; l < kernel->launch_count; l++)
            for (uint32_t a = 0; a < kernel->launches[l].arg_count; a++)
                put_arg(w, step, &kernel->launches[l].args[a]);
    }
    anole_text_printf(w->out,
                      "    {0, 0, 0}};\n\n#define PARTS %zu\n"
                      "static const struct part {\n    size_t buffer, offset, bytes;\n"
                      "} parts[] = {\n",
                      w->part_count);
    for (size_t i = 0; i < w->part_count; i++)
        anole_text_printf(w->out, "    {%zu, %zu, %zu},\n", w->parts[i].buffer, w->parts[i].offset,
                          w->parts[i].bytes);
    anole_text_printf(w->out, "    {0, 0, 0}};\n\n");
}

static void put_launch(struct writer *w, const struct anole_step *step,
                       const struct anole_launch *launch, size_t first_arg)
{
    uint64_t global[3] = {1, 1, 1}, local[3] = {1, 1, 1};
    for (uint32_t d = 0; d < launch->dimensions; d++) {
        global[d] = launch->global[d];
        local[d] = launch->local[d];
    }
    anole_text_printf(w->out, "    {%zu, ", w->layout->kernels[step->kernel]);
    put_string(w->out, launch->kernel);
    anole_text_printf(w->out,
                      ", %u, {%" PRIu64 ", %" PRIu64 ", %" PRIu64 "}, {%" PRIu64 ", %" PRIu64
                      ", %" PRIu64 "}, %zu, %u},\n",
                      launch->dimensions, global[0], global[1], global[2], local[0], local[1],
                      local[2], first_arg, launch->arg_count);
}

static void put_launches(struct writer *w)
{
    const struct anole_program *program = w->layout->program;
    size_t count = 0, first_arg = 0;
    anole_text_printf(w->out, "static const struct launch {\n    size_t program;\n"
                              "    const char *kernel;\n    unsigned dimensions;\n"
                              "    size_t global[3], local[3], first_arg;\n"
                              "    unsigned arg_count;\n} launches[] = {\n");
    for (size_t s = 0; s < program->step_count; s++) {
        const struct anole_step *step = &program->steps[s];
        const struct anole_kernel *kernel = &program->kernels[step->kernel].generated->kernel;
        for (uint32_t l = 0; l < kernel->launch_count; l++, count++) {
            put_launch(w, step, &kernel->launches[l], first_arg);
            first_arg += kernel->launches[l].arg_count;
        }
    }
    anole_text_printf(w->out, "    {0, NULL, 0, {0}, {0}, 0, 0}};\n#define LAUNCHES %zu\n\n",
                      count);
}

/* ------------------------------------------------------------------------- files */

static void put_tables(struct writer *w)
{
    put_tensors(w);
    put_buffers(w);
    put_programs(w);
    put_args(w);
    put_launches(w);
}

/* What stands for a word of the template between two @; false: it is none. */
static bool put_word(struct anole_text *out, struct writer *w, const char *word, size_t length)
{
    const struct anole_program *program = w->layout->program;
    const uint32_t type = program->device.type;
    char name[32];
    if (length >= sizeof name)
        return false;
    memcpy(name, word, length);
    name[length] = '\0';
    if (strcmp(name, "NAME") == 0)
        anole_text_printf(out, "%s", w->name);
    else if (strcmp(name, "UPPER") == 0)
        anole_text_printf(out, "%s", w->upper);
    else if (strcmp(name, "TYPE") == 0)
        anole_text_printf(out, "%s",
                          type == ANOLE_DEVICE_GPU           ? "GPU"
                          : type == ANOLE_DEVICE_ACCELERATOR ? "ACCELERATOR"
                                                             : "CPU");
    else if (strcmp(name, "NETWORK") == 0)
        put_comment(out, program->graph->name);
    else if (strcmp(name, "DEVICE") == 0)
        put_comment(out, program->device.name);
    else if (strcmp(name, "DEVICE_STRING") == 0)
        put_string(out, program->device.name);
    else if (strcmp(name, "WEIGHTS_STRING") == 0)
        put_string(out, w->layout->weights);
    else if (strcmp(name, "TABLES") == 0)
        put_tables(w);
    else
        return false;
    return true;
}

static void put_template(struct anole_text *out, struct writer *w, const char *text)
{
    for (const char *at; (at = strchr(text, '@'));) {
        const char *end = strchr(at + 1, '@');
        anole_text_append(out, text, (size_t)(at - text));
        text = at + 1;
        if (end && put_word(out, w, at + 1, (size_t)(end - at - 1)))
            text = end + 1;
        else
            anole_text_append(out, "@", 1);
    }
    anole_text_append(out, text, strlen(text));
}

static void put_list(struct anole_text *out, const char *what, const struct anole_graph *graph,
                     const size_t *tensors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct anole_operand *type = &graph->tensors[tensors[i]].type;
        char shape[200];
        shape_text(shape, sizeof shape, graph, tensors[i]);
        anole_text_printf(out, " *   %s %zu: ", what, i);
        put_comment(out, graph->tensors[tensors[i]].name);
        anole_text_printf(out, ", %s%s, %zu bytes\n", anole_dtype_text(type->dtype), shape,
                          anole_program_tensor_bytes(graph, tensors[i]));
    }
}

static void put_header(struct anole_text *out, struct writer *w)
{
    const struct anole_graph *graph = w->layout->program->graph;
    anole_text_printf(out,
                      "/* Made by anole export.  The network's tensors, dense and in C order:\n");
    put_list(out, "input", graph, graph->inputs, graph->input_count);
    put_list(out, "output", graph, graph->outputs, graph->output_count);
    anole_text_printf(out,
                      " * Functions return 0, or -1 and say why in message[%s_MESSAGE] (or NULL).\n"
                      " * With -D%s_NO_MAIN, network.c has no main(). */\n"
                      "#ifndef %s_NETWORK_H\n#define %s_NETWORK_H\n\n"
                      "#define %s_MESSAGE 4096\n#define %s_INPUTS %zu\n#define %s_OUTPUTS %zu\n\n",
                      w->upper, w->upper, w->upper, w->upper, w->upper, w->upper,
                      graph->input_count, w->upper, graph->output_count);
    put_template(
        out, w,
        "/* One thread at a time. */\nstruct @NAME@_network;\n\n"
        "/* `folder` holds the kernels and the weights.  `device`: a part of the name of an "
        "OpenCL\n"
        " * device, or NULL: the one that the kernels were made for, or the first of its type. */\n"
        "int @NAME@_create(struct @NAME@_network **network, const char *folder, const char "
        "*device,\n"
        "                  char *message);\n"
        "/* inputs[@UPPER@_INPUTS], outputs[@UPPER@_OUTPUTS]: arrays of the bytes above. */\n"
        "int @NAME@_run(struct @NAME@_network *network, const void *const *inputs,\n"
        "               void *const *outputs, char *message);\n"
        "void @NAME@_destroy(struct @NAME@_network *network);\n\n#endif\n");
}

enum anole_status anole_export_source(struct anole_text *source, struct anole_text *header,
                                      struct anole_text *makefile,
                                      const struct anole_export_layout *layout,
                                      struct anole_error *error)
{
    struct writer w = {.out = source, .layout = layout};
    make_names(&w);
    put_template(source, &w, program_standalone);
    put_header(header, &w);
    anole_text_printf(makefile, "CFLAGS = -O2\nLDLIBS = -lOpenCL\n\n"
                                "network: network.c network.h\n"
                                "\t$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ network.c "
                                "$(LDLIBS)\n\n"
                                "clean:\n\trm -f network\n.PHONY: clean\n");
    free(w.parts);
    return w.failed || source->failed || header->failed || makefile->failed
               ? anole_fail_memory(error)
               : ANOLE_DONE;
}
