/* SPDX-License-Identifier: MIT */
#include "worker/worker.h"

#include "base/log.h"
#include "base/text.h"
#include "kernel/custom.h"
#include "worker/answer.h"
#include "worker/compile.h"
#include "worker/confine.h"
#include "worker/describe.h"
#include "worker/message.h"
#include "exec/custom_reference.h"
#include "exec/runner.h"
#include "exec/task_file.h"
#include "plugin/host.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif
#define COUNT_MAPS_EVERY 64 /* builds */

struct worker {
    struct anole_channel channel;
    pthread_mutex_t saying;  /* a driver may log from a thread of its own */
    struct anole_wire reply; /* kept, for its memory */
    uint32_t answering;      /* the request in hand */
    struct anole_backend *backend;
    struct anole_runner *runner;
    struct anole_task_file file;
    struct anole_custom_kernel *custom; /* the task's, if it has one */
    struct anole_answering *answers;    /* NULL: it has not been asked yet */
    bool has_task;
    uint32_t maps, maps_at; /* memory maps, counted after so many builds */
    bool tuner_gone;        /* the tuner is gone */
    bool confined;          /* this process is there to run a plugin, and for nothing else */
    const struct anole_worker_service *services; /* [service_count] */
    size_t service_count;
};

/* Plugins log without a context. */
static struct worker *current;

/* -- Saying things -- */

static void send_frame(struct worker *worker, enum anole_frame_type type, uint32_t reply_to)
{
    struct anole_error error = {.status = ANOLE_DONE};
    enum anole_status status =
        worker->reply.failed
            ? anole_fail(&error, ANOLE_ERR_INTERNAL, "a message does not fit")
            : anole_channel_queue(&worker->channel, NULL, type, reply_to, worker->reply.data,
                                  worker->reply.length, -1, &error);
    if (status == ANOLE_DONE)
        status = anole_channel_flush(&worker->channel, &error);
    if (status != ANOLE_DONE)
        fprintf(stderr, "anole-worker: %s\n", error.text);
    if (status != ANOLE_DONE || worker->channel.ended)
        worker->tuner_gone = true;
}

/* Says a message that `wire` writes. */
#define SAY(worker, type, reply_to, wire, message)                                                 \
    (pthread_mutex_lock(&(worker)->saying), anole_wire_clear(&(worker)->reply),                    \
     anole_wire_##wire(&(worker)->reply, message),                                                 \
     send_frame(worker, ANOLE_FRAME_##type, reply_to), pthread_mutex_unlock(&(worker)->saying))

/* The same, in answer to the request in hand. */
#define ANSWER(worker, type, wire, message) SAY(worker, type, (worker)->answering, wire, message)

static void answer_ready(struct worker *worker)
{
    pthread_mutex_lock(&worker->saying);
    anole_wire_clear(&worker->reply);
    send_frame(worker, ANOLE_FRAME_READY, worker->answering);
    pthread_mutex_unlock(&worker->saying);
}

static void answer_failed(struct worker *worker, const struct anole_error *error)
{
    struct anole_failed_reply reply = {.status = (uint32_t)-error->status};
    anole_text_printable(reply.text, sizeof reply.text, error->text);
    ANSWER(worker, FAILED, failed_reply, &reply);
}

static void say_stage(void *context, enum anole_stage stage, uint32_t slot)
{
    struct worker *worker = context;
    struct anole_stage_event event = {.stage = stage, .slot = slot};
    SAY(worker, STAGE, 0, stage_event, &event);
}

static void say_step(void *context, const char *step)
{
    struct worker *worker = context;
    struct anole_stage_event event = {.stage = ANOLE_STAGE_RUN, .slot = UINT32_MAX};
    snprintf(event.step, sizeof event.step, "%s", step);
    SAY(worker, STAGE, 0, stage_event, &event);
}

static void say_message(uint32_t level, bool plugin, const char *text)
{
    struct anole_log_event event = {.level = level, .plugin = plugin};
    if (!current || current->tuner_gone)
        return;
    snprintf(event.text, sizeof event.text, "%s", text);
    SAY(current, LOG, 0, log_event, &event);
}

static void say_log(enum anole_log_level level, const char *text)
{
    say_message(level, true, text);
}

/* What this process would say on its stderr, where nobody reads it. */
static void say_own_log(void *context, enum anole_level level, const char *text)
{
    (void)context;
    say_message((uint32_t)level, false, text);
}

/* -- Describe -- */

static enum anole_status load(struct worker *worker, const char *path, enum anole_refusal *refusal,
                              struct anole_error *error)
{
    if (worker->backend)
        return anole_fail(error, ANOLE_ERR_INTERNAL, "a worker was asked for a second plugin");
    say_stage(worker, ANOLE_STAGE_LOAD, UINT32_MAX);
    if (worker->confined)
        anole_confine();
    return anole_backend_load(&worker->backend, refusal, path, error);
}

static void do_vet(struct worker *worker, const struct anole_frame *frame,
                   const struct anole_vet_request *request)
{
    (void)frame;
    enum anole_refusal refusal = ANOLE_REFUSAL_NONE;
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_vet_reply reply = {.refusal = ANOLE_REFUSAL_NONE};
    enum anole_status status = load(worker, request->path, &refusal, &error);
    if (status != ANOLE_DONE && refusal == ANOLE_REFUSAL_NONE) {
        answer_failed(worker, &error);
        return;
    }
    reply.refusal = refusal;
    if (status != ANOLE_DONE) {
        snprintf(reply.reason, sizeof reply.reason, "%s", error.text);
    } else {
        const struct anole_plugin *plugin = &worker->backend->plugin;
        snprintf(reply.name, sizeof reply.name, "%s", plugin->name);
        anole_text_printable(reply.version, sizeof reply.version, plugin->version);
        reply.generator = plugin->generator;
        say_stage(worker, ANOLE_STAGE_PROBE, UINT32_MAX);
        anole_describe_drivers(&reply, plugin, request->threads);
    }
    ANSWER(worker, VETTED, vet_reply, &reply);
}

static void do_probe(struct worker *worker, const struct anole_frame *frame,
                     const struct anole_probe_request *request)
{
    (void)frame;
    enum anole_refusal refusal;
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_probe_reply *reply = calloc(1, sizeof *reply);
    if (!reply)
        anole_fail_memory(&error);
    else
        load(worker, request->path, &refusal, &error);
    if (error.status != ANOLE_DONE) {
        answer_failed(worker, &error);
    } else {
        say_stage(worker, ANOLE_STAGE_PROBE, UINT32_MAX);
        anole_describe_devices(reply, &worker->backend->plugin, request);
        ANSWER(worker, PROBED, probe_reply, reply);
    }
    free(reply);
}

/* -- Examine -- */

static void do_diagnose(struct worker *worker, const struct anole_frame *frame,
                        const struct anole_diagnose_request *request)
{
    (void)frame;
    enum anole_refusal refusal;
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_diagnose_reply *reply = calloc(1, sizeof *reply);
    if (!reply)
        anole_fail_memory(&error);
    else
        load(worker, request->path, &refusal, &error);
    if (error.status != ANOLE_DONE) {
        answer_failed(worker, &error);
    } else {
        say_stage(worker, ANOLE_STAGE_DIAGNOSE, UINT32_MAX);
        anole_describe_health(reply, &worker->backend->plugin, request);
        ANSWER(worker, DIAGNOSED, diagnose_reply, reply);
    }
    free(reply);
}

/* -- Compile -- */

/* Answers with what was written, or with why it was not. */
static void answer_wire(struct worker *worker, enum anole_frame_type type,
                        const struct anole_wire *answer, enum anole_status status,
                        struct anole_error *error)
{
    if (status == ANOLE_DONE && answer->failed)
        status = anole_fail_memory(error);
    if (status != ANOLE_DONE) {
        answer_failed(worker, error);
        return;
    }
    pthread_mutex_lock(&worker->saying);
    struct anole_wire before = worker->reply;
    worker->reply = *answer;
    send_frame(worker, type, worker->answering);
    worker->reply = before;
    pthread_mutex_unlock(&worker->saying);
}

static void serve_compile(struct worker *worker, struct anole_wire *wire)
{
    enum anole_refusal refusal;
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_compile_request *request = calloc(1, sizeof *request);
    struct anole_wire answer;
    anole_wire_writer_init(&answer);
    enum anole_status status = request ? ANOLE_DONE : anole_fail_memory(&error);
    if (status == ANOLE_DONE) {
        anole_wire_compile_request(wire, request);
        status = load(worker, request->path, &refusal, &error);
    }
    if (status == ANOLE_DONE) {
        say_stage(worker, ANOLE_STAGE_BUILD, UINT32_MAX);
        status = anole_compile(&answer, wire, request, &worker->backend->plugin, &error);
    }
    answer_wire(worker, ANOLE_FRAME_COMPILED, &answer, status, &error);
    anole_wire_fini(&answer);
    free(request);
}

/* -- Ask -- */

/* The plugin is loaded for the first question. */
static enum anole_status begin_answering(struct worker *worker,
                                         const struct anole_ask_request *request,
                                         struct anole_error *error)
{
    enum anole_refusal refusal;
    if (worker->answers)
        return ANOLE_DONE;
    enum anole_status status = load(worker, request->path, &refusal, error);
    if (status == ANOLE_DONE)
        status = anole_answering_create(&worker->answers, error);
    say_step(worker, anole_ask_words((enum anole_ask_op)request->op));
    return status;
}

static void serve_ask(struct worker *worker, struct anole_wire *wire, int along)
{
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_ask_request *request = calloc(1, sizeof *request);
    struct anole_wire answer;
    anole_wire_writer_init(&answer);
    enum anole_status status = request ? ANOLE_DONE : anole_fail_memory(&error);
    if (status == ANOLE_DONE) {
        anole_wire_ask_request(wire, request);
        if (!anole_wire_complete(wire))
            status = anole_fail(&error, ANOLE_ERR_INTERNAL, "an ASK request cannot be read");
    }
    if (status == ANOLE_DONE)
        status = begin_answering(worker, request, &error);
    if (status == ANOLE_DONE)
        status = anole_answer(&answer, worker->answers, worker->backend, request, along, &error);
    fflush(stdout); /* what it printed shall not be lost if it is killed */
    answer_wire(worker, ANOLE_FRAME_ASKED, &answer, status, &error);
    anole_wire_fini(&answer);
    if (request)
        free(request->tensor_bytes);
    free(request);
}

/* -- Prepare -- */

static void do_prepare(struct worker *worker, const struct anole_frame *frame,
                       const struct anole_prepare_request *request)
{
    struct anole_error error = {.status = ANOLE_DONE};
    say_stage(worker, ANOLE_STAGE_PREPARE, UINT32_MAX);
    enum anole_status status = anole_task_check(&request->task, &error);
    if (status == ANOLE_DONE)
        status = anole_task_file_fill(frame->descriptor, &request->task, request->seed,
                                      request->threads, &error);
    if (worker->runner)
        anole_runner_set_task(worker->runner, &request->task, NULL);
    if (status == ANOLE_DONE && request->config_count > 0 && worker->runner)
        status =
            anole_custom_reference_compute(worker->runner, frame->descriptor, &request->task,
                                           (const int64_t(*)[ANOLE_MAX_KNOBS])request->values,
                                           request->config_count, request->value_count, &error);
    anole_custom_destroy(worker->custom); /* the runner has the new one, if any */
    worker->custom = (struct anole_custom_kernel *)anole_custom_of(&request->task);
    if (status == ANOLE_DONE)
        answer_ready(worker);
    else
        answer_failed(worker, &error);
}

/* -- Time -- */

static void do_open(struct worker *worker, const struct anole_frame *frame,
                    const struct anole_open_request *request)
{
    (void)frame;
    enum anole_refusal refusal;
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_target_options options = {.threads = request->threads,
                                           .sample_time = request->sample_time,
                                           .constants = request->constants,
                                           .stage = say_stage,
                                           .context = worker};
    enum anole_status status = load(worker, request->path, &refusal, &error);
    if (status == ANOLE_DONE) {
        say_stage(worker, ANOLE_STAGE_OPEN, UINT32_MAX);
        status = anole_runner_create(&worker->runner, worker->backend, request->driver,
                                     &request->device, &options, &error);
    }
    if (status == ANOLE_DONE)
        answer_ready(worker);
    else
        answer_failed(worker, &error);
}

static void do_task(struct worker *worker, const struct anole_frame *frame,
                    const struct anole_task_request *request)
{
    struct anole_error error = {.status = ANOLE_DONE};
    if (!worker->runner) {
        anole_fail(&error, ANOLE_ERR_INTERNAL, "a worker without a device was given a task");
        answer_failed(worker, &error);
        return;
    }
    say_stage(worker, ANOLE_STAGE_TASK, UINT32_MAX);
    struct anole_task_file file = {.map = NULL};
    enum anole_status status = anole_task_check(&request->task, &error);
    if (status == ANOLE_DONE && request->data)
        status = anole_task_file_map(&file, frame->descriptor, &request->task, &error);
    if (status != ANOLE_DONE) {
        anole_custom_destroy((struct anole_custom_kernel *)anole_custom_of(&request->task));
        answer_failed(worker, &error);
        return;
    }
    struct anole_task_file old = worker->file;
    struct anole_custom_kernel *old_custom = worker->custom;
    worker->file = file;
    worker->custom = (struct anole_custom_kernel *)anole_custom_of(&request->task);
    worker->has_task = true;
    anole_runner_set_task(worker->runner, &request->task,
                          request->data ? &worker->file.data : NULL);
    anole_task_file_unmap(&old);
    anole_custom_destroy(old_custom);
    answer_ready(worker);
}

static uint32_t count_maps(void)
{
    FILE *file = fopen("/proc/self/maps", "re");
    uint32_t lines = 0;
    int c;
    while (file && (c = getc_unlocked(file)) != EOF)
        lines += c == '\n';
    if (file)
        fclose(file);
    return lines;
}

static void take_stock(struct worker *worker, struct anole_usage *usage)
{
    unsigned long size = 0, resident = 0, shared = 0;
    *usage = (struct anole_usage){.builds = 0};
    anole_runner_usage(worker->runner, usage);
    FILE *file = fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%lu %lu %lu", &size, &resident, &shared) == 3 && resident > shared)
        usage->resident = (uint64_t)(resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE);
    if (file)
        fclose(file);
    if (usage->builds >= worker->maps_at + COUNT_MAPS_EVERY) {
        worker->maps = count_maps();
        worker->maps_at = usage->builds;
    }
    usage->maps = worker->maps;
}

static void do_build(struct worker *worker, const struct anole_frame *frame,
                     const struct anole_trial_request *request)
{
    (void)frame;
    void *binary;
    struct anole_trial_reply reply;
    anole_runner_build(worker->runner, request->values, request->value_count, &reply.result,
                       &binary, &reply.binary_bytes);
    reply.binary = binary;
    take_stock(worker, &reply.usage);
    ANSWER(worker, BUILT, trial_reply, &reply);
    free(binary);
}

static void try_one(struct worker *worker, const struct anole_trial_request *request, bool keep)
{
    struct anole_trial_reply reply = {.binary_bytes = 0};
    struct anole_error error = {.status = ANOLE_DONE};
    anole_runner_set_salt(worker->runner, request->salt);
    anole_runner_set_timer(worker->runner, request->timer);
    enum anole_status status =
        keep ? anole_runner_load(worker->runner, request->values, request->value_count,
                                 request->binary, request->binary_bytes, &reply.result, &error)
             : anole_runner_trial(worker->runner, request->values, request->value_count,
                                  request->binary, request->binary_bytes, request->best,
                                  &reply.result, &error);
    if (status != ANOLE_DONE) {
        answer_failed(worker, &error);
        return;
    }
    take_stock(worker, &reply.usage);
    ANSWER(worker, RESULT, trial_reply, &reply);
}

static void do_round(struct worker *worker)
{
    struct anole_round_reply reply = {.failed = UINT32_MAX};
    struct anole_result result;
    reply.count = (uint32_t)anole_runner_slots(worker->runner);
    anole_runner_round(worker->runner, reply.seconds, &reply.failed, &result);
    reply.outcome = result.outcome;
    reply.disturbed = result.disturbed > 0;
    reply.crowding = result.crowding;
    snprintf(reply.message, sizeof reply.message, "%s", result.message);
    take_stock(worker, &reply.usage);
    ANSWER(worker, SAMPLES, round_reply, &reply);
}

/* -- The loop -- */

/* Reads the payload as one kind of request, and hands it on. */
#define SERVE(name)                                                                                \
    {                                                                                              \
        static struct anole_##name##_request request;                                              \
        anole_wire_##name##_request(&wire, &request);                                              \
        if (!anole_wire_complete(&wire))                                                           \
            break;                                                                                 \
        do_##name(worker, frame, &request);                                                        \
        return;                                                                                    \
    }

/* Requests on a kernel need a task. */
static void serve_trial(struct worker *worker, const struct anole_frame *frame)
{
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_trial_request request;
    struct anole_wire wire;
    if (!worker->has_task) {
        anole_fail(&error, ANOLE_ERR_INTERNAL, "a worker was asked for a %s before it had a task",
                   anole_frame_name(frame->type));
        answer_failed(worker, &error);
        return;
    }
    if (frame->type == ANOLE_FRAME_ROUND) {
        do_round(worker);
        return;
    }
    if (frame->type == ANOLE_FRAME_UNLOAD) {
        anole_runner_unload(worker->runner);
        answer_ready(worker);
        return;
    }
    anole_wire_reader_init(&wire, frame->payload, frame->length);
    anole_wire_trial_request(&wire, &request);
    if (!anole_wire_complete(&wire)) {
        anole_fail(&error, ANOLE_ERR_INTERNAL, "a %s request cannot be read",
                   anole_frame_name(frame->type));
        answer_failed(worker, &error);
    } else if (frame->type == ANOLE_FRAME_BUILD) {
        do_build(worker, frame, &request);
    } else {
        try_one(worker, &request, frame->type == ANOLE_FRAME_LOAD);
    }
}

/* False: it is none of the services'. */
static bool serve_service(struct worker *worker, enum anole_frame_type type,
                          struct anole_wire *wire)
{
    const struct anole_worker_session session = {
        .confined = worker->confined, .say = say_step, .context = worker};
    for (size_t i = 0; i < worker->service_count; i++) {
        const struct anole_worker_service *service = &worker->services[i];
        struct anole_error error = {.status = ANOLE_DONE};
        struct anole_wire answer;
        if (service->request != type)
            continue;
        anole_wire_writer_init(&answer);
        enum anole_status status = service->serve(&answer, wire, &session, &error);
        answer_wire(worker, service->reply, &answer, status, &error);
        anole_wire_fini(&answer);
        return true;
    }
    return false;
}

static void serve(struct worker *worker, const struct anole_frame *frame)
{
    struct anole_wire wire;
    anole_wire_reader_init(&wire, frame->payload, frame->length);
    if (serve_service(worker, frame->type, &wire))
        return;
    switch (frame->type) {
    case ANOLE_FRAME_VET:
        SERVE(vet)
    case ANOLE_FRAME_PROBE:
        SERVE(probe)
    case ANOLE_FRAME_DIAGNOSE:
        SERVE(diagnose)
    case ANOLE_FRAME_COMPILE:
        serve_compile(worker, &wire);
        return;
    case ANOLE_FRAME_ASK:
        serve_ask(worker, &wire, frame->descriptor);
        return;
    case ANOLE_FRAME_PREPARE:
        SERVE(prepare)
    case ANOLE_FRAME_OPEN:
        SERVE(open)
    case ANOLE_FRAME_TASK:
        SERVE(task)
    case ANOLE_FRAME_BUILD:
    case ANOLE_FRAME_TRIAL:
    case ANOLE_FRAME_LOAD:
    case ANOLE_FRAME_ROUND:
    case ANOLE_FRAME_UNLOAD:
        serve_trial(worker, frame);
        return;
    default:
        break;
    }
    struct anole_error error = {.status = ANOLE_DONE};
    anole_fail(&error, ANOLE_ERR_INTERNAL, "a worker cannot read a %s request",
               anole_frame_name(frame->type));
    answer_failed(worker, &error);
}

static enum anole_status serve_next(struct worker *worker, struct anole_error *error)
{
    struct anole_frame frame;
    bool got;
    enum anole_status status = anole_channel_take(&worker->channel, &frame, &got, error);
    if (status != ANOLE_DONE)
        return status;
    if (!got)
        return anole_channel_fill(&worker->channel, error);
    worker->answering = frame.sequence;
    serve(worker, &frame);
    if (frame.descriptor >= 0)
        close(frame.descriptor);
    return ANOLE_DONE;
}

int anole_worker_serve(int descriptor, bool confined, const struct anole_worker_service *services,
                       size_t count)
{
    struct worker worker = {.saying = PTHREAD_MUTEX_INITIALIZER,
                            .confined = confined,
                            .services = services,
                            .service_count = count};
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_hello_event hello = {.version = PACKAGE_VERSION};
    anole_channel_init(&worker.channel, descriptor);
    anole_wire_writer_init(&worker.reply);
    current = &worker;
    anole_host_set_log(say_log);
    anole_log_set_sink(say_own_log, NULL);
    ANSWER(&worker, HELLO, hello_event, &hello);
    enum anole_status status = ANOLE_DONE;
    while (status == ANOLE_DONE && !worker.tuner_gone && !worker.channel.ended)
        status = serve_next(&worker, &error);
    if (status != ANOLE_DONE)
        fprintf(stderr, "anole-worker: %s\n", error.text);
    anole_log_set_sink(NULL, NULL);
    current = NULL;
    anole_runner_destroy(worker.runner);
    anole_task_file_unmap(&worker.file);
    anole_custom_destroy(worker.custom);
    anole_backend_destroy(worker.backend);
    anole_wire_fini(&worker.reply);
    anole_channel_fini(&worker.channel);
    return status == ANOLE_DONE ? 0 : 1;
}
