/* SPDX-License-Identifier: MIT
 *
 * A backend whose devices are recordings: kernels of others (custom tasks), of
 * which every config was tried once, on a device that need not be here.  Nothing is
 * built or run; times and failures are as recorded.
 *
 * A device is one recording.  It supports the custom task that has the name of its
 * T1 file's benchmark.
 */
#include "catalog.h"

#include "kernel/custom.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_KEPT 40 /* bytes of a kernel's name in the name of a task */
#define DIGEST 16    /* and behind them a '-' and so many digits of its digest */

struct anole_session {
    const struct replay_entry *entry;
};

struct anole_build {
    const struct anole_recorded *recorded;
};

/* ----------------------------------------------------------------- describe */

static int drivers(const struct anole_host *host, struct anole_driver_list *list,
                   struct anole_message *message)
{
    size_t count;
    (void)host;
    int code = replay_count(&count, message);
    for (size_t i = 0; code == ANOLE_OK && i < count; i++) {
        char name[24];
        snprintf(name, sizeof name, "%zu", i);
        code = list->add(list, name);
    }
    return code;
}

static int probe(const struct anole_host *host, const char *driver, struct anole_device *devices,
                 uint32_t *count, struct anole_message *message)
{
    const struct replay_entry *entry;
    (void)host;
    int code = replay_get(&entry, strtoul(driver, NULL, 10), message);
    if (code != ANOLE_OK)
        return code;
    if (*count > 0) {
        struct anole_device device = {
            .size = sizeof device, .type = ANOLE_DEVICE_GPU, .flags = ANOLE_DEVICE_SIMULATED};
        snprintf(device.name, sizeof device.name, "%s", anole_recording_device(entry->recording));
        snprintf(device.driver, sizeof device.driver, "recording of %s", entry->t1->name);
        snprintf(device.driver_version, sizeof device.driver_version, "%s", entry->digest);
        devices[0] = device;
    }
    *count = 1;
    return ANOLE_OK;
}

/* ----------------------------------------------------------------- generate */

/* The task's name is the kernel's, or NAME-DIGEST where the kernel comes along. */
static bool is_name(const char *task, const char *kernel)
{
    size_t kept = strnlen(kernel, NAME_KEPT);
    if (strncmp(task, kernel, sizeof((struct anole_task *)0)->name - 1) == 0)
        return true;
    if (strncmp(task, kernel, kept) != 0 || task[kept] != '-' || strlen(task + kept + 1) != DIGEST)
        return false;
    for (size_t i = 0; i < DIGEST; i++)
        if (!isxdigit((unsigned char)task[kept + 1 + i]))
            return false;
    return true;
}

static int supports(const struct anole_device *device, const struct anole_task *task)
{
    if (task->kind != ANOLE_TASK_CUSTOM || !(device->flags & ANOLE_DEVICE_SIMULATED))
        return 0;
    const struct replay_entry *entry = replay_find(device);
    if (entry && task->custom)
        return strcmp(task->custom->name, entry->t1->name) == 0;
    return entry && is_name(task->name, entry->t1->name);
}

static int fail_gone(const struct anole_device *device, struct anole_message *message)
{
    return replay_fail(message, ANOLE_UNSUPPORTED,
                       "the recording of %s is not among those that $ANOLE_REPLAY names (any "
                       "more, or it has changed)",
                       device->name);
}

static int add_knob(struct anole_space_builder *builder, const struct anole_t1_parameter *parameter,
                    uint32_t default_digit)
{
    bool text = parameter->kind == ANOLE_T1_TEXT;
    const struct anole_knob knob = {.size = sizeof knob,
                                    .kind = text ? ANOLE_KNOB_CATEGORICAL : ANOLE_KNOB_ORDINAL,
                                    .name = parameter->name,
                                    .values = parameter->values,
                                    .count = parameter->count,
                                    .default_index = default_digit,
                                    .labels = text ? (const char *const *)parameter->labels : NULL};
    return builder->knob(builder, &knob);
}

static int space(const struct anole_device *device, const struct anole_task *task,
                 struct anole_space_builder *builder, struct anole_message *message)
{
    uint16_t digits[ANOLE_MAX_KNOBS];
    const struct replay_entry *entry = replay_find(device);
    (void)task;
    if (!entry)
        return fail_gone(device, message);
    /* The file's own default may be against its conditions. */
    anole_space_decode(entry->space, anole_space_default(entry->space), digits);
    int code = ANOLE_OK;
    for (size_t i = 0; code == ANOLE_OK && i < entry->t1->parameter_count; i++)
        code = add_knob(builder, &entry->t1->parameters[i], digits[i]);
    for (size_t i = 0; code == ANOLE_OK && i < entry->t1->condition_count; i++) {
        /* What a device allows, that one has shown in its results. */
        if (anole_device_mentioned(entry->t1->conditions[i]))
            continue;
        code =
            builder->constraint(builder, entry->t1->conditions[i], entry->t1->condition_texts[i]);
    }
    return code;
}

/* NULL if the config is not recorded. */
static const struct anole_recorded *find(const struct replay_entry *entry, const int64_t *values,
                                         uint32_t count)
{
    const char *names[ANOLE_MAX_KNOBS];
    uint64_t config;
    for (size_t i = 0; i < entry->t1->parameter_count; i++)
        names[i] = entry->t1->parameters[i].name;
    if (count != entry->t1->parameter_count ||
        anole_space_lookup(entry->space, &config, names, values, count, NULL) != ANOLE_DONE)
        return NULL;
    return anole_recording_find(entry->recording, config);
}

static int generate(const struct anole_device *device, const struct anole_task *task,
                    const int64_t *values, uint32_t count, struct anole_kernel_builder *builder,
                    struct anole_message *message)
{
    char text[256];
    const struct replay_entry *entry = replay_find(device);
    (void)task;
    if (!entry)
        return fail_gone(device, message);
    const struct anole_recorded *recorded = find(entry, values, count);
    if (!recorded)
        return replay_fail(message, ANOLE_BAD_REQUEST, "there is no result of this config");
    if (recorded->outcome == ANOLE_OUTCOME_INVALID)
        return replay_fail(message, ANOLE_BAD_REQUEST, "recorded: %s",
                           anole_outcome_words(recorded->outcome));
    int length = snprintf(text, sizeof text, "/* %s: recorded */\n", entry->t1->name);
    return builder->source(builder, text, (size_t)length);
}

/* --------------------------------------------------------------------- time */

static int open_session(const struct anole_host *host, const char *driver, uint32_t index,
                        struct anole_session **session, struct anole_message *message)
{
    const struct replay_entry *entry;
    (void)host;
    (void)index;
    int code = replay_get(&entry, strtoul(driver, NULL, 10), message);
    if (code != ANOLE_OK)
        return code;
    struct anole_session *made = malloc(sizeof *made);
    if (!made)
        return replay_fail(message, ANOLE_NO_MEMORY, "out of memory");
    made->entry = entry;
    *session = made;
    return ANOLE_OK;
}

static void close_session(struct anole_session *session)
{
    free(session);
}

/* Simulated devices have no data: nobody asks for memory. */
static int buffer_create(struct anole_session *session, size_t bytes, struct anole_buffer **buffer,
                         struct anole_message *message)
{
    (void)session;
    (void)bytes;
    (void)buffer;
    return replay_fail(message, ANOLE_UNSUPPORTED, "a recording has no memory");
}

static int buffer_write(struct anole_session *session, struct anole_buffer *buffer, size_t offset,
                        const void *data, size_t bytes, struct anole_message *message)
{
    (void)offset;
    (void)data;
    return buffer_create(session, bytes, &buffer, message);
}

static int buffer_read(struct anole_session *session, struct anole_buffer *buffer, size_t offset,
                       void *data, size_t bytes, struct anole_message *message)
{
    (void)offset;
    (void)data;
    return buffer_create(session, bytes, &buffer, message);
}

static void buffer_destroy(struct anole_session *session, struct anole_buffer *buffer)
{
    (void)session;
    (void)buffer;
}

static int build(struct anole_session *session, const struct anole_kernel *kernel,
                 const void *binary, size_t binary_bytes, struct anole_build **made,
                 struct anole_message *message)
{
    const struct anole_recorded *recorded =
        find(session->entry, kernel->values, kernel->value_count);
    (void)binary;
    (void)binary_bytes;
    if (!recorded)
        return replay_fail(message, ANOLE_BAD_REQUEST, "there is no result of this config");
    if (recorded->outcome == ANOLE_OUTCOME_COMPILE)
        return replay_fail(message, ANOLE_BUILD_FAILED, "recorded: %s",
                           anole_outcome_words(recorded->outcome));
    *made = malloc(sizeof **made);
    if (!*made)
        return replay_fail(message, ANOLE_NO_MEMORY, "out of memory");
    (*made)->recorded = recorded;
    return ANOLE_OK;
}

static void release(struct anole_session *session, struct anole_build *built)
{
    (void)session;
    free(built);
}

/* Of a run that was recorded as a failure. */
static int failure_code(enum anole_outcome outcome)
{
    if (outcome == ANOLE_OUTCOME_WRONG_ANSWER)
        return ANOLE_WRONG_ANSWER;
    return outcome == ANOLE_OUTCOME_TIMEOUT ? ANOLE_TIMED_OUT : ANOLE_LAUNCH_FAILED;
}

static int run(struct anole_session *session, struct anole_build *built,
               const struct anole_binding *bindings, uint32_t binding_count, uint32_t repeats,
               double *device_seconds, double *host_seconds, struct anole_message *message)
{
    const struct anole_recorded *recorded = built->recorded;
    (void)session;
    (void)bindings;
    (void)binding_count;
    if (recorded->outcome != ANOLE_OUTCOME_OK)
        return replay_fail(message, failure_code(recorded->outcome), "recorded: %s",
                           anole_outcome_words(recorded->outcome));
    for (uint32_t i = 0; i < repeats; i++)
        device_seconds[i] = recorded->seconds;
    *host_seconds = repeats * recorded->seconds;
    return ANOLE_OK;
}

ANOLE_PLUGIN("replay", "0.1", 1, .drivers = drivers, .probe = probe, .supports = supports,
             .space = space, .generate = generate, .open = open_session, .close = close_session,
             .buffer_create = buffer_create, .buffer_write = buffer_write,
             .buffer_read = buffer_read, .buffer_destroy = buffer_destroy, .build = build,
             .release = release, .run = run);
