/* SPDX-License-Identifier: MIT */
#include "worker/asked.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "worker/answer.h"
#include "worker/supervise.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMIT 10.0 /* seconds for an answer: pure ops take microseconds, and machines stall */
#define START_LIMIT 30.0
#define STEP 0.05   /* seconds between two looks at whether it lives */
#define MOST_LOST 8 /* processes, until no other is started */

/* A task that configs are asked about. */
struct slot {
    uint64_t number;     /* of the task; 0: free */
    uint64_t generation; /* of the process that knows it; 0: none does */
};

struct asked {
    struct anole_pure base; /* first */
    pthread_mutex_t lock;   /* of all that follows */
    char *path;
    char name[ANOLE_BACKEND_NAME + 1];
    struct anole_supervised worker;
    uint64_t generation; /* of the process, from 1 */
    struct anole_lane *lane;
    int lane_file; /* to be handed over with the first task; -1: it has been */
    struct slot *slots;
    size_t slot_count;
    uint64_t tasks;                      /* numbers given */
    bool said;                           /* that it prints */
    unsigned lost;                       /* processes */
    char given_up[ANOLE_ERROR_TEXT / 2]; /* why no more are started; "" */
};

static double limit_of(const void *context, const struct anole_supervised *worker)
{
    (void)context;
    return worker->spoke ? LIMIT : START_LIMIT;
}

static const struct anole_supervision rules = {.limit = limit_of};

/* -- The process -- */

static void close_lane(struct asked *asked)
{
    anole_lane_unmap(asked->lane);
    asked->lane = NULL;
    if (asked->lane_file >= 0)
        close(asked->lane_file);
    asked->lane_file = -1;
}

/* It printed what nobody will see otherwise. */
static void log_output(struct asked *asked)
{
    char words[512];
    const struct anole_output *output = &asked->worker.process.trace.err;
    if (output->bytes > 0)
        anole_log_debug("backend %s printed: %s", asked->name,
                        anole_output_last_words(output, words, sizeof words));
}

static void end(struct asked *asked)
{
    anole_supervised_end(&asked->worker);
    anole_supervised_init(&asked->worker);
    close_lane(asked);
}

static enum anole_status start(struct asked *asked, struct anole_error *error)
{
    const struct anole_worker_start plain = {.scratch = NULL};
    if (asked->given_up[0])
        return anole_fail(error, ANOLE_ERR_PLUGIN, "%s", asked->given_up);
    if (anole_process_alive(&asked->worker.process))
        return ANOLE_DONE;
    end(asked);
    enum anole_status status = anole_lane_create(&asked->lane, &asked->lane_file, error);
    if (status == ANOLE_DONE)
        status = anole_supervised_start(&asked->worker, &rules, NULL, &plain, error);
    asked->generation++;
    return status;
}

/* The process has ended, or is ended: in words, and with what follows from it. */
static enum anole_status take_loss(struct asked *asked, enum anole_worker_event event,
                                   const char *what, struct anole_error *error)
{
    enum anole_status status =
        event == ANOLE_WORKER_FAILED ? asked->worker.failure : ANOLE_ERR_PLUGIN;
    if (asked->worker.process.starved)
        status = anole_fail_memory(error);
    else if (event == ANOLE_WORKER_FAILED)
        anole_fail(error, status, "%s", what);
    else
        anole_fail(error, status, "the process that asks the plugin %s", what);
    asked->lost++;
    if (event == ANOLE_WORKER_HANGS)
        snprintf(asked->given_up, sizeof asked->given_up,
                 "it is not asked any more, since the process that asks the plugin %.300s", what);
    else if (asked->lost >= MOST_LOST)
        snprintf(
            asked->given_up, sizeof asked->given_up,
            "it is not asked any more, since %u processes that asked it were lost; the last %.300s",
            asked->lost, what);
    end(asked);
    return status;
}

/* This process may stand still: that does not count. */
static void excuse(struct asked *asked, double *looked)
{
    double now = anole_clock();
    if (now - *looked > 20 * STEP)
        anole_supervised_excuse(&asked->worker, now - *looked - STEP);
    *looked = now;
}

/* -- By frames -- */

static enum anole_status await(struct asked *asked, struct anole_frame *frame,
                               struct anole_error *error)
{
    char what[ANOLE_ERROR_TEXT];
    double looked = anole_clock();
    for (;;) {
        excuse(asked, &looked);
        enum anole_worker_event event =
            anole_supervised_check(&asked->worker, &rules, frame, what, sizeof what);
        if (event == ANOLE_WORKER_ANSWERED)
            return ANOLE_DONE;
        if (event != ANOLE_WORKER_WAITING)
            return take_loss(asked, event, what, error);
        struct pollfd fds[ANOLE_PROCESS_POLLS];
        anole_process_polls(&asked->worker.process, fds);
        if (poll(fds, ANOLE_PROCESS_POLLS, (int)(STEP * 1e3)) < 0 && errno != EINTR)
            return anole_fail_errno(error, "cannot wait for a worker process");
    }
}

/* An answer, as far as it is the same for all. */
struct answer {
    struct anole_wire wire, parts;
    bool supported;
};

static enum anole_status read_answer(struct answer *answer, const struct anole_frame *frame,
                                     struct anole_error *error)
{
    char text[ANOLE_ERROR_TEXT];
    uint32_t code = 0;
    const void *parts = NULL;
    size_t bytes = 0;
    anole_wire_reader_init(&answer->wire, frame->payload, frame->length);
    anole_wire_u32(&answer->wire, &code);
    anole_wire_text(&answer->wire, text, sizeof text);
    anole_wire_bool(&answer->wire, &answer->supported);
    anole_wire_block(&answer->wire, &parts, &bytes, SIZE_MAX);
    anole_wire_reader_init(&answer->parts, parts, bytes);
    if (!anole_wire_complete(&answer->wire))
        return anole_fail(error, ANOLE_ERR_WORKER,
                          "the process that asks the plugin sent nonsense");
    if (code != 0)
        return anole_fail(error, (enum anole_status) - (int)code, "%s", text);
    return ANOLE_DONE;
}

static void fill_in(struct anole_ask_request *request, const struct asked *asked,
                    const struct anole_device *device, const struct anole_task *task)
{
    snprintf(request->path, sizeof request->path, "%s", asked->path);
    request->device = *device;
    request->task = *task;
    if (task->custom) {
        request->custom = *task->custom;
        request->task.custom = &request->custom;
        snprintf(request->custom_name, sizeof request->custom_name, "%s",
                 task->custom->name ? task->custom->name : "");
    }
}

/* With the lock held; the answer is valid as long. */
static enum anole_status ask(struct asked *asked, struct answer *answer, enum anole_ask_op op,
                             uint32_t slot, const struct anole_device *device,
                             const struct anole_task *task, const int64_t *values, size_t count,
                             struct anole_error *error)
{
    struct anole_frame frame;
    struct anole_wire wire;
    uint32_t sequence;
    bool bind = op == ANOLE_ASK_BIND;
    enum anole_status status = start(asked, error);
    struct anole_ask_request *request = calloc(1, sizeof *request);
    if (status == ANOLE_DONE && !request)
        status = anole_fail_memory(error);
    if (status != ANOLE_DONE) {
        free(request);
        return status;
    }
    request->op = op;
    request->slot = slot;
    request->count = (uint32_t)count;
    if (count > 0)
        memcpy(request->values, values, count * sizeof *values);
    fill_in(request, asked, device, task);
    anole_wire_writer_init(&wire);
    anole_wire_ask_request(&wire, request);
    anole_supervised_begin(&asked->worker, &rules, ANOLE_STAGE_RUN);
    snprintf(asked->worker.step, sizeof asked->worker.step, "%s", anole_ask_words(op));
    status = wire.failed ? anole_fail_memory(error) /* a question always fits */
                         : anole_process_send(&asked->worker.process, ANOLE_FRAME_ASK, &wire,
                                              bind ? asked->lane_file : -1, &sequence, error);
    anole_wire_fini(&wire);
    free(request);
    if (status != ANOLE_DONE)
        return status;
    anole_supervised_expect(&asked->worker, ANOLE_FRAME_ASKED, sequence);
    status = await(asked, &frame, error);
    if (status == ANOLE_DONE && bind && asked->lane_file >= 0) {
        close(asked->lane_file);
        asked->lane_file = -1;
    }
    return status == ANOLE_DONE ? read_answer(answer, &frame, error) : status;
}

static enum anole_status ask_supports(struct anole_pure *pure, const struct anole_device *device,
                                      const struct anole_task *task, bool *supported,
                                      struct anole_error *error)
{
    struct asked *asked = (struct asked *)pure;
    struct answer answer;
    pthread_mutex_lock(&asked->lock);
    enum anole_status status =
        ask(asked, &answer, ANOLE_ASK_SUPPORTS, 0, device, task, NULL, 0, error);
    *supported = status == ANOLE_DONE && answer.supported;
    pthread_mutex_unlock(&asked->lock);
    return status;
}

/* -- What was handed to builders -- */

/* A text in the answer, or NULL. */
static const char *read_text(struct anole_wire *wire, size_t *length)
{
    const void *data = NULL;
    size_t bytes = 0;
    anole_wire_block(wire, &data, &bytes, ANOLE_PART_TEXT + 1);
    if (wire->failed || !data || memchr(data, 0, bytes) != (const char *)data + bytes - 1) {
        wire->failed = true;
        return NULL;
    }
    if (length)
        *length = bytes - 1;
    return data;
}

static uint32_t read_part(struct anole_wire *wire)
{
    uint32_t part = ANOLE_PART_END;
    anole_wire_u32(wire, &part);
    return wire->failed ? ANOLE_PART_END : part;
}

static int replay_knob(struct anole_space_builder *builder, struct anole_wire *wire)
{
    struct anole_knob knob = {.size = sizeof knob};
    bool labelled = false;
    knob.name = read_text(wire, NULL);
    anole_wire_u32(wire, &knob.kind);
    anole_wire_u32(wire, &knob.default_index);
    anole_wire_count(wire, &knob.count, ANOLE_MAX_KNOB_VALUES);
    anole_wire_bool(wire, &labelled);
    int64_t *values = calloc((size_t)knob.count + 1, sizeof *values);
    const char **labels = calloc((size_t)knob.count + 1, sizeof *labels);
    const bool memory = values && labels;
    for (uint32_t i = 0; memory && i < knob.count && !wire->failed; i++) {
        anole_wire_i64(wire, &values[i]);
        if (labelled)
            labels[i] = read_text(wire, NULL);
    }
    knob.values = values;
    knob.labels = labelled ? labels : NULL;
    int code = !memory        ? ANOLE_NO_MEMORY
               : wire->failed ? ANOLE_BAD_REQUEST
                              : builder->knob(builder, &knob);
    free(values);
    free(labels);
    return code;
}

static enum anole_status nonsense(struct anole_error *error)
{
    return anole_fail(error, ANOLE_ERR_WORKER, "the process that asks the plugin sent nonsense");
}

/* A builder that refuses remembers why. */
static enum anole_status replay_space(struct anole_space_builder *builder, struct anole_wire *wire,
                                      struct anole_error *error)
{
    int code = ANOLE_OK;
    uint32_t part;
    while (code == ANOLE_OK && (part = read_part(wire)) != ANOLE_PART_END) {
        if (part == ANOLE_PART_KNOB) {
            code = replay_knob(builder, wire);
        } else if (part == ANOLE_PART_CONSTRAINT) {
            const char *expression = read_text(wire, NULL), *why = read_text(wire, NULL);
            code = wire->failed ? ANOLE_BAD_REQUEST : builder->constraint(builder, expression, why);
        } else {
            wire->failed = true;
        }
    }
    if (code == ANOLE_NO_MEMORY)
        return anole_fail_memory(error);
    return wire->failed ? nonsense(error) : ANOLE_DONE;
}

static int replay_launch(struct anole_kernel_builder *builder, struct anole_wire *wire)
{
    struct anole_launch launch;
    const char *name = read_text(wire, NULL);
    const void *data = NULL;
    size_t bytes = 0;
    anole_wire_block(wire, &data, &bytes, sizeof launch);
    if (wire->failed || bytes != sizeof launch) {
        wire->failed = true;
        return ANOLE_BAD_REQUEST;
    }
    memcpy(&launch, data, sizeof launch);
    launch.kernel = name;
    return builder->launch(builder, &launch);
}

static int replay_kernel_part(struct anole_kernel_builder *builder, struct anole_wire *wire,
                              uint32_t part)
{
    uint64_t packed = 0, workspace = 0;
    size_t length = 0;
    const char *text;
    switch (part) {
    case ANOLE_PART_SOURCE:
        text = read_text(wire, &length);
        return text ? builder->source(builder, text, length) : ANOLE_BAD_REQUEST;
    case ANOLE_PART_OPTIONS:
        text = read_text(wire, &length);
        return text ? builder->options(builder, text) : ANOLE_BAD_REQUEST;
    case ANOLE_PART_SIZES:
        anole_wire_u64(wire, &packed);
        anole_wire_u64(wire, &workspace);
        builder->packed_weights(builder, (size_t)packed);
        return builder->workspace(builder, (size_t)workspace);
    case ANOLE_PART_LAUNCH:
        return replay_launch(builder, wire);
    default:
        wire->failed = true;
        return ANOLE_BAD_REQUEST;
    }
}

static enum anole_status replay_kernel(struct anole_kernel_builder *builder,
                                       struct anole_wire *wire, struct anole_error *error)
{
    int code = ANOLE_OK;
    uint32_t part;
    while (code == ANOLE_OK && (part = read_part(wire)) != ANOLE_PART_END)
        code = replay_kernel_part(builder, wire, part);
    return wire->failed ? nonsense(error) : ANOLE_DONE;
}

static enum anole_status ask_space(struct anole_pure *pure, const struct anole_device *device,
                                   const struct anole_task *task,
                                   struct anole_space_builder *builder, struct anole_error *error)
{
    struct asked *asked = (struct asked *)pure;
    struct answer answer;
    pthread_mutex_lock(&asked->lock);
    enum anole_status status =
        ask(asked, &answer, ANOLE_ASK_SPACE, 0, device, task, NULL, 0, error);
    if (status == ANOLE_DONE)
        status = replay_space(builder, &answer.parts, error);
    pthread_mutex_unlock(&asked->lock);
    return status;
}

static enum anole_status ask_generate(struct anole_pure *pure, const struct anole_device *device,
                                      const struct anole_task *task, const int64_t *values,
                                      size_t count, struct anole_kernel_builder *builder,
                                      struct anole_error *error)
{
    struct asked *asked = (struct asked *)pure;
    struct answer answer;
    pthread_mutex_lock(&asked->lock);
    unsigned before = asked->lost;
    enum anole_status status =
        ask(asked, &answer, ANOLE_ASK_GENERATE, 0, device, task, values, count, error);
    if (status == ANOLE_DONE)
        status = replay_kernel(builder, &answer.parts, error);
    if (status != ANOLE_DONE && (asked->lost != before || asked->given_up[0]))
        anole_error_prefix(error, "backend %s", asked->name);
    pthread_mutex_unlock(&asked->lock);
    return status;
}

/* -- By the lane -- */

static struct slot *find_slot(struct asked *asked, const struct anole_pure_task *task)
{
    for (size_t i = 0; task->number && i < asked->slot_count; i++)
        if (asked->slots[i].number == task->number)
            return &asked->slots[i];
    return NULL;
}

/* One of the task's own, new or not. */
static struct slot *take_slot(struct asked *asked, struct anole_pure_task *task)
{
    struct slot *slot = find_slot(asked, task);
    for (size_t i = 0; !slot && i < asked->slot_count; i++)
        if (asked->slots[i].number == 0)
            slot = &asked->slots[i];
    if (!slot) {
        struct slot *grown = realloc(asked->slots, (asked->slot_count + 1) * sizeof *grown);
        if (!grown)
            return NULL;
        asked->slots = grown;
        slot = &grown[asked->slot_count++];
        *slot = (struct slot){.number = 0};
    }
    if (slot->number == 0) {
        task->number = ++asked->tasks;
        *slot = (struct slot){.number = task->number};
    }
    return slot;
}

/* The process knows the task. */
static enum anole_status bind_task(struct asked *asked, struct anole_pure_task *task, uint32_t *at,
                                   struct anole_error *error)
{
    struct answer answer;
    struct slot *slot = take_slot(asked, task);
    if (!slot)
        return anole_fail_memory(error);
    *at = (uint32_t)(slot - asked->slots);
    if (slot->generation == asked->generation && anole_process_alive(&asked->worker.process))
        return ANOLE_DONE;
    enum anole_status status =
        ask(asked, &answer, ANOLE_ASK_BIND, *at, task->device, task->task, NULL, 0, error);
    if (status == ANOLE_DONE)
        slot->generation = asked->generation;
    return status;
}

static enum anole_status pass_and_wait(struct asked *asked, const char *words,
                                       struct anole_error *error)
{
    char what[ANOLE_ERROR_TEXT];
    struct anole_frame frame;
    anole_lane_pass(asked->lane);
    if (anole_lane_wait(asked->lane, false, STEP))
        return ANOLE_DONE;
    anole_supervised_begin(&asked->worker, &rules, ANOLE_STAGE_RUN);
    snprintf(asked->worker.step, sizeof asked->worker.step, "%s", words);
    anole_supervised_expect(&asked->worker, ANOLE_FRAME_ASKED, UINT32_MAX);
    double looked = anole_clock();
    for (;;) {
        excuse(asked, &looked);
        enum anole_worker_event event =
            anole_supervised_check(&asked->worker, &rules, &frame, what, sizeof what);
        if (event != ANOLE_WORKER_WAITING)
            return take_loss(asked, event, what, error);
        if (anole_lane_wait(asked->lane, false, STEP))
            break;
    }
    asked->worker.busy = false;
    return ANOLE_DONE;
}

/* With the lock held.  ANOLE_DONE: the lane has the answer. */
static enum anole_status ask_config(struct asked *asked, struct anole_pure_task *task,
                                    enum anole_lane_op op, const char *words, const int64_t *values,
                                    size_t count, size_t first, struct anole_error *error)
{
    uint32_t at = 0;
    enum anole_status status = bind_task(asked, task, &at, error);
    if (status != ANOLE_DONE)
        return status;
    asked->lane->op = op;
    asked->lane->slot = at;
    asked->lane->count = (uint32_t)count;
    asked->lane->first = (uint32_t)first;
    memcpy(asked->lane->values, values, count * sizeof *values);
    return pass_and_wait(asked, words, error);
}

/* No answer about this task is to be had any more. */
static void lose(const struct asked *asked, struct anole_pure_task *task,
                 const struct anole_error *error)
{
    task->lost = true;
    task->starved = error->status == ANOLE_ERR_MEMORY;
    snprintf(task->why, sizeof task->why, "%.*s", (int)sizeof task->why - 1, error->text);
    anole_log_warning("backend %s: %s", asked->name, task->why);
}

static bool ask_valid(struct anole_pure *pure, struct anole_pure_task *task, const int64_t *values,
                      size_t count)
{
    struct asked *asked = (struct asked *)pure;
    struct anole_error error = {.status = ANOLE_DONE};
    bool valid = false;
    pthread_mutex_lock(&asked->lock);
    if (!task->lost &&
        ask_config(asked, task, ANOLE_LANE_VALID, "asked whether a config can work (op valid)",
                   values, count, 0, &error) == ANOLE_DONE) {
        valid = asked->lane->answer == 1;
    } else if (!task->lost) {
        lose(asked, task, &error);
    }
    pthread_mutex_unlock(&asked->lock);
    return valid;
}

static size_t most(const struct anole_pure_task *task)
{
    return task->features < ANOLE_LANE_FEATURES ? task->features : ANOLE_LANE_FEATURES;
}

/* With the lock held: features from the `first` on, as many as a lane has. */
static enum anole_status ask_numbers(struct asked *asked, struct anole_pure_task *task,
                                     const int64_t *values, size_t count, size_t first, double *out,
                                     struct anole_error *error)
{
    const size_t left = out ? most(task) - first : 0;
    enum anole_status status =
        ask_config(asked, task, out ? ANOLE_LANE_FEATURES_OF : ANOLE_LANE_COUNT_FEATURES,
                   "asked for a config's features (op features)", values, count, first, error);
    if (status == ANOLE_DONE && out)
        memcpy(out + first, asked->lane->numbers,
               (left < ANOLE_LANE_NUMBERS ? left : ANOLE_LANE_NUMBERS) * sizeof *out);
    return status;
}

static uint32_t ask_features(struct anole_pure *pure, struct anole_pure_task *task,
                             const int64_t *values, size_t count, double *out)
{
    struct asked *asked = (struct asked *)pure;
    struct anole_error error = {.status = ANOLE_DONE};
    uint32_t made = 0;
    pthread_mutex_lock(&asked->lock);
    enum anole_status status = task->lost ? ANOLE_ERR_PLUGIN : ANOLE_DONE;
    size_t first = 0;
    do {
        if (status == ANOLE_DONE)
            status = ask_numbers(asked, task, values, count, first, out, &error);
        first += ANOLE_LANE_NUMBERS;
    } while (status == ANOLE_DONE && out && first < most(task));
    if (status == ANOLE_DONE)
        made = asked->lane->answer;
    else if (!task->lost)
        lose(asked, task, &error);
    if (status == ANOLE_DONE && !out)
        task->features = made;
    if (task->lost && out)
        memset(out, 0, most(task) * sizeof *out);
    pthread_mutex_unlock(&asked->lock);
    return made;
}

static void judge(struct anole_pure *pure, struct anole_pure_task *task)
{
    struct asked *asked = (struct asked *)pure;
    pthread_mutex_lock(&asked->lock);
    if (anole_process_alive(&asked->worker.process))
        anole_process_service(&asked->worker.process);
    task->trusted = !task->lost && asked->worker.process.trace.err.bytes == 0;
    if (!task->lost && !task->trusted && !asked->said) {
        asked->said = true;
        anole_log_warning("backend %s: its pure ops print; they are asked in a process of their "
                          "own throughout, which is slow",
                          asked->name);
    }
    pthread_mutex_unlock(&asked->lock);
}

static void forget(struct anole_pure *pure, struct anole_pure_task *task)
{
    struct asked *asked = (struct asked *)pure;
    pthread_mutex_lock(&asked->lock);
    struct slot *slot = find_slot(asked, task);
    if (slot)
        *slot = (struct slot){.number = 0};
    task->number = 0;
    pthread_mutex_unlock(&asked->lock);
}

/* -- The whole -- */

static void destroy(struct anole_pure *pure)
{
    struct asked *asked = (struct asked *)pure;
    if (anole_process_alive(&asked->worker.process))
        anole_process_service(&asked->worker.process);
    log_output(asked);
    end(asked);
    pthread_mutex_destroy(&asked->lock);
    free(asked->slots);
    free(asked->path);
    free(asked);
}

enum anole_status anole_asked_install(struct anole_backend *backend, struct anole_error *error)
{
    struct asked *new = calloc(1, sizeof *new);
    char *path = strdup(backend->path);
    if (!new || !path) {
        free(new);
        free(path);
        return anole_fail_memory(error);
    }
    new->base = (struct anole_pure){.supports = ask_supports,
                                    .space = ask_space,
                                    .generate = ask_generate,
                                    .valid = ask_valid,
                                    .features = ask_features,
                                    .judge = judge,
                                    .forget = forget,
                                    .destroy = destroy};
    pthread_mutex_init(&new->lock, NULL);
    new->path = path;
    new->lane_file = -1;
    snprintf(new->name, sizeof new->name, "%s", backend->plugin.name);
    anole_supervised_init(&new->worker);
    anole_backend_ask_here(backend);
    backend->elsewhere = &new->base;
    return ANOLE_DONE;
}
