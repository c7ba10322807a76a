/* SPDX-License-Identifier: MIT */
#include "worker/answer.h"

#include "plugin/generator.h"
#include "worker/describe.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SLOTS 65536u
#define LONG 3600.0 /* seconds; then it waits again */

/* ---------------------------------------------------------------- requests */

/* A struct as it lies in memory: both ends are of one build, as the protocol's version says. */
static void wire_raw(struct anole_wire *wire, void *what, size_t size)
{
    const void *data = what;
    size_t bytes = size;
    anole_wire_block(wire, &data, &bytes, size);
    if (wire->reading && !wire->failed && bytes == size)
        memcpy(what, data, size);
    else if (wire->reading)
        wire->failed = true;
}

static void wire_custom(struct anole_wire *wire, struct anole_ask_request *request)
{
    struct anole_custom *custom = &request->custom;
    const uint64_t *tensors = custom->tensor_bytes;
    wire_raw(wire, custom, sizeof *custom);
    custom->tensor_bytes = tensors;
    anole_wire_text(wire, request->custom_name, sizeof request->custom_name);
    if (wire->reading) {
        custom->name = request->custom_name;
        custom->tensor_bytes = NULL;
        if (custom->tensor_count > ANOLE_ASKED_TENSORS)
            wire->failed = true;
        request->tensor_bytes =
            wire->failed ? NULL : calloc((size_t)custom->tensor_count + 1, sizeof *tensors);
        custom->tensor_bytes = request->tensor_bytes;
        wire->failed |= !request->tensor_bytes;
    }
    for (uint32_t i = 0; i < custom->tensor_count && !wire->failed; i++) {
        uint64_t bytes = wire->reading ? 0 : tensors[i];
        anole_wire_u64(wire, &bytes);
        if (wire->reading)
            request->tensor_bytes[i] = bytes;
    }
}

void anole_wire_ask_request(struct anole_wire *wire, struct anole_ask_request *request)
{
    bool custom = !wire->reading && request->task.custom;
    anole_wire_text(wire, request->path, sizeof request->path);
    anole_wire_u32(wire, &request->op);
    anole_wire_u32(wire, &request->slot);
    wire_raw(wire, &request->device, sizeof request->device);
    wire_raw(wire, &request->task, sizeof request->task);
    if (wire->reading) {
        anole_describe_tame(&request->device);
        request->task.name[sizeof request->task.name - 1] = '\0';
    }
    anole_wire_count(wire, &request->count, ANOLE_MAX_KNOBS);
    for (uint32_t i = 0; i < request->count && !wire->failed; i++)
        anole_wire_i64(wire, &request->values[i]);
    anole_wire_bool(wire, &custom);
    if (wire->reading)
        request->tensor_bytes = NULL;
    if (custom && !wire->failed)
        wire_custom(wire, request);
    if (wire->reading)
        request->task.custom = custom ? &request->custom : NULL;
    if (request->op >= ANOLE_ASK_COUNT)
        wire->failed = true;
}

const char *anole_ask_words(enum anole_ask_op op)
{
    static const char *const words[] = {
        [ANOLE_ASK_SUPPORTS] = "asked whether it supports a task (op supports)",
        [ANOLE_ASK_SPACE] = "asked for a design space (op space)",
        [ANOLE_ASK_GENERATE] = "asked for a kernel (op generate)",
        [ANOLE_ASK_BIND] = "told of a task",
    };
    return words[op];
}

/* ----------------------------------------------------------------- answers */

static void begin_part(struct anole_wire *wire, enum anole_ask_part part)
{
    uint32_t number = part;
    anole_wire_u32(wire, &number);
}

static void write_text(struct anole_wire *wire, const char *text)
{
    const void *data = text;
    size_t bytes = strlen(text) + 1;
    anole_wire_block(wire, &data, &bytes, ANOLE_PART_TEXT + 1);
}

/* Builders that write down what they are handed, which has been found to be right. */
static int record_knob(struct anole_space_builder *builder, const struct anole_knob *knob)
{
    struct anole_wire *wire = builder->host;
    uint32_t kind = knob->kind, count = knob->count, first = knob->default_index;
    bool labelled = knob->labels;
    begin_part(wire, ANOLE_PART_KNOB);
    write_text(wire, knob->name);
    anole_wire_u32(wire, &kind);
    anole_wire_u32(wire, &first);
    anole_wire_count(wire, &count, ANOLE_MAX_KNOB_VALUES);
    anole_wire_bool(wire, &labelled);
    for (uint32_t i = 0; i < count; i++) {
        int64_t value = knob->values[i];
        anole_wire_i64(wire, &value);
        if (labelled)
            write_text(wire, knob->labels[i]);
    }
    return ANOLE_OK;
}

static int record_constraint(struct anole_space_builder *builder, const char *expression,
                             const char *why)
{
    struct anole_wire *wire = builder->host;
    begin_part(wire, ANOLE_PART_CONSTRAINT);
    write_text(wire, expression);
    write_text(wire, why ? why : "");
    return ANOLE_OK;
}

static enum anole_status ask_space(struct anole_wire *parts, const struct anole_backend *backend,
                                   const struct anole_ask_request *request,
                                   struct anole_error *error)
{
    struct anole_space_builder recorder = {.size = sizeof recorder,
                                           .host = parts,
                                           .knob = record_knob,
                                           .constraint = record_constraint};
    struct anole_space *space = NULL;
    enum anole_status status = anole_space_create(&space, error);
    if (status == ANOLE_DONE)
        status = anole_backend_declare(space, &backend->plugin, &request->device, &request->task,
                                       &recorder, error);
    anole_space_destroy(space);
    return status;
}

static void write_kernel(struct anole_wire *parts, const struct anole_kernel *kernel)
{
    uint64_t packed = kernel->packed_weights, workspace = kernel->workspace;
    if (kernel->source_length > 0) {
        begin_part(parts, ANOLE_PART_SOURCE);
        write_text(parts, kernel->source);
    }
    if (kernel->options[0]) {
        begin_part(parts, ANOLE_PART_OPTIONS);
        write_text(parts, kernel->options);
    }
    begin_part(parts, ANOLE_PART_SIZES);
    anole_wire_u64(parts, &packed);
    anole_wire_u64(parts, &workspace);
    for (uint32_t i = 0; i < kernel->launch_count; i++) {
        struct anole_launch launch = kernel->launches[i];
        begin_part(parts, ANOLE_PART_LAUNCH);
        write_text(parts, launch.kernel);
        launch.kernel = NULL;
        wire_raw(parts, &launch, sizeof launch);
    }
}

static enum anole_status ask_kernel(struct anole_wire *parts, const struct anole_backend *backend,
                                    const struct anole_ask_request *request,
                                    struct anole_error *error)
{
    struct anole_generated *generated = NULL;
    enum anole_status status =
        anole_backend_generate(&generated, backend, &request->device, &request->task,
                               request->values, request->count, error);
    if (status == ANOLE_DONE)
        write_kernel(parts, &generated->kernel);
    anole_generated_destroy(generated);
    return status;
}

/* -------------------------------------------------------------------- lane */

struct anole_answering {
    const struct anole_backend *backend;
    struct anole_lane *lane;
    struct anole_ask_request *slots[MOST_SLOTS]; /* changed between two questions alone */
};

static void answer_one(struct anole_answering *answering)
{
    struct anole_lane *lane = answering->lane;
    const struct anole_plugin *plugin = &answering->backend->plugin;
    int64_t values[ANOLE_MAX_KNOBS];
    double numbers[ANOLE_LANE_FEATURES] = {0};
    uint32_t slot = lane->slot, op = lane->op;
    uint32_t count = lane->count < ANOLE_MAX_KNOBS ? lane->count : ANOLE_MAX_KNOBS;
    const struct anole_ask_request *asked = slot < MOST_SLOTS ? answering->slots[slot] : NULL;
    memcpy(values, lane->values, sizeof values);
    lane->answer = 0;
    if (!asked)
        return;
    if (op == ANOLE_LANE_VALID) {
        lane->answer = plugin->valid(&asked->device, &asked->task, values, count) == 1;
        return;
    }
    bool counted = op == ANOLE_LANE_COUNT_FEATURES;
    uint32_t made =
        plugin->features(&asked->device, &asked->task, values, count, counted ? NULL : numbers);
    lane->answer = made;
    const uint32_t first = lane->first;
    if (counted || made > ANOLE_LANE_FEATURES || first >= made)
        return;
    const uint32_t left = made - first;
    memcpy(lane->numbers, numbers + first,
           (left < ANOLE_LANE_NUMBERS ? left : ANOLE_LANE_NUMBERS) * sizeof *numbers);
}

static void *serve_lane(void *context)
{
    struct anole_answering *answering = context;
    for (;;) {
        while (!anole_lane_wait(answering->lane, true, LONG))
            continue;
        answer_one(answering);
        fflush(stdout); /* whether it prints is to be known at once */
        anole_lane_pass(answering->lane);
    }
    return NULL;
}

static enum anole_status open_lane(struct anole_answering *answering, int file,
                                   struct anole_error *error)
{
    pthread_t thread;
    enum anole_status status = anole_lane_map(&answering->lane, file, error);
    if (status != ANOLE_DONE)
        return status;
    if (pthread_create(&thread, NULL, serve_lane, answering) != 0)
        return anole_fail(error, ANOLE_ERR_SYSTEM, "cannot start a thread for a plugin's answers");
    pthread_detach(thread);
    return ANOLE_DONE;
}

static enum anole_status bind_slot(struct anole_answering *answering,
                                   struct anole_ask_request *request, int along,
                                   struct anole_error *error)
{
    if (request->slot >= MOST_SLOTS)
        return anole_fail(error, ANOLE_ERR_INTERNAL, "there is no slot %u", request->slot);
    struct anole_ask_request *kept = malloc(sizeof *kept);
    if (!kept)
        return anole_fail_memory(error);
    *kept = *request;
    request->tensor_bytes = NULL;
    if (kept->task.custom) {
        kept->custom.name = kept->custom_name;
        kept->task.custom = &kept->custom;
    }
    struct anole_ask_request *old = answering->slots[request->slot];
    answering->slots[request->slot] = kept;
    if (old)
        free(old->tensor_bytes);
    free(old);
    return along >= 0 && !answering->lane ? open_lane(answering, along, error) : ANOLE_DONE;
}

/* --------------------------------------------------------------- the whole */

enum anole_status anole_answering_create(struct anole_answering **answering,
                                         struct anole_error *error)
{
    *answering = calloc(1, sizeof **answering);
    return *answering ? ANOLE_DONE : anole_fail_memory(error);
}

enum anole_status anole_answer(struct anole_wire *answer, struct anole_answering *answering,
                               const struct anole_backend *backend,
                               struct anole_ask_request *request, int along,
                               struct anole_error *error)
{
    struct anole_error why = {.status = ANOLE_DONE};
    struct anole_wire parts;
    enum anole_status status = ANOLE_DONE;
    bool supported = false;
    anole_wire_writer_init(&parts);
    answering->backend = backend;
    if (request->op == ANOLE_ASK_SUPPORTS)
        supported = backend->plugin.supports(&request->device, &request->task) == 1;
    else if (request->op == ANOLE_ASK_SPACE)
        status = ask_space(&parts, backend, request, &why);
    else if (request->op == ANOLE_ASK_GENERATE)
        status = ask_kernel(&parts, backend, request, &why);
    else
        status = bind_slot(answering, request, along, &why);
    begin_part(&parts, ANOLE_PART_END);
    uint32_t code = (uint32_t)-status;
    const void *data = parts.data;
    size_t bytes = status == ANOLE_DONE ? parts.length : 0;
    anole_wire_u32(answer, &code);
    anole_wire_text(answer, why.text, sizeof why.text);
    anole_wire_bool(answer, &supported);
    anole_wire_block(answer, &data, &bytes, (size_t)31 << 20);
    bool failed = parts.failed;
    anole_wire_fini(&parts);
    return failed ? anole_fail(error, ANOLE_ERR_PLUGIN, "what it handed over is too long")
                  : ANOLE_DONE;
}
