/* SPDX-License-Identifier: MIT */
#include "record/lockfile.h"

#include "base/json.h"
#include "base/text.h"
#include "op/task.h"
#include "record/lock_private.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- destroying */

static void task_fini(struct anole_lock_task *task)
{
    for (size_t i = 0; i < task->knob_count; i++)
        free(task->knobs[i].name);
    free(task->knobs);
    free(task->task);
}

void anole_lock_device_fini(struct anole_lock_device *device)
{
    for (size_t i = 0; i < device->task_count; i++)
        task_fini(&device->tasks[i]);
    free(device->tasks);
    free(device->id);
    free(device->backend);
    free(device->backend_version);
    free(device->device);
    free(device->driver);
    free(device->driver_version);
}

void anole_lockfile_destroy(struct anole_lockfile *lockfile)
{
    if (!lockfile)
        return;
    for (size_t i = 0; i < lockfile->device_count; i++)
        anole_lock_device_fini(&lockfile->devices[i]);
    free(lockfile->devices);
    free(lockfile->network);
    free(lockfile->network_path);
    free(lockfile);
}

/* ------------------------------------------------------------------- putting */

/* As the file has them: what came from there was made fit to print. */
static bool same_text(const char *a, const char *b)
{
    struct anole_text printable[2] = {{0}, {0}};
    anole_text_append_printable(&printable[0], a, strlen(a));
    anole_text_append_printable(&printable[1], b, strlen(b));
    bool same = !printable[0].failed && !printable[1].failed &&
                printable[0].length == printable[1].length &&
                (!printable[0].length ||
                 memcmp(printable[0].data, printable[1].data, printable[0].length) == 0);
    anole_text_fini(&printable[0]);
    anole_text_fini(&printable[1]);
    return same;
}

bool anole_lock_same_device(const struct anole_lock_device *a, const struct anole_lock_device *b)
{
    return a->threads == b->threads && a->dtype == b->dtype && same_text(a->backend, b->backend) &&
           same_text(a->device, b->device) && same_text(a->driver, b->driver);
}

static bool copy_text(char **out, const char *text)
{
    *out = strdup(text);
    return *out != NULL;
}

static bool copy_task(struct anole_lock_task *out, const struct anole_lock_task *task)
{
    *out = *task;
    out->knob_count = 0;
    out->task = NULL;
    out->knobs = calloc(task->knob_count ? task->knob_count : 1, sizeof *out->knobs);
    if (!out->knobs || !copy_text(&out->task, task->task))
        return false;
    for (size_t i = 0; i < task->knob_count; i++, out->knob_count++) {
        out->knobs[i].value = task->knobs[i].value;
        if (!copy_text(&out->knobs[i].name, task->knobs[i].name))
            return false;
    }
    return true;
}

/* On failure `out` is incomplete, and still to be released. */
static bool copy_device(struct anole_lock_device *out, const struct anole_lock_device *device)
{
    memset(out, 0, sizeof *out);
    out->generator = device->generator;
    out->threads = device->threads;
    out->dtype = device->dtype;
    out->tasks = calloc(device->task_count ? device->task_count : 1, sizeof *out->tasks);
    if (!out->tasks || !copy_text(&out->id, device->id) ||
        !copy_text(&out->backend, device->backend) ||
        !copy_text(&out->backend_version, device->backend_version) ||
        !copy_text(&out->device, device->device) || !copy_text(&out->driver, device->driver) ||
        !copy_text(&out->driver_version, device->driver_version))
        return false;
    for (size_t i = 0; i < device->task_count; i++) {
        out->task_count = i + 1;
        if (!copy_task(&out->tasks[i], &device->tasks[i]))
            return false;
    }
    return true;
}

enum anole_status anole_lockfile_put(struct anole_lockfile *lockfile,
                                     const struct anole_lock_device *device,
                                     struct anole_error *error)
{
    struct anole_lock_device copy, *devices;
    size_t at = 0;
    while (at < lockfile->device_count && !anole_lock_same_device(&lockfile->devices[at], device))
        at++;
    if (!copy_device(&copy, device))
        goto release_copy;
    if (at < lockfile->device_count) {
        anole_lock_device_fini(&lockfile->devices[at]);
    } else {
        devices = realloc(lockfile->devices, (at + 1) * sizeof *devices);
        if (!devices)
            goto release_copy;
        lockfile->devices = devices;
        lockfile->device_count++;
    }
    lockfile->devices[at] = copy;
    return ANOLE_DONE;

release_copy:
    anole_lock_device_fini(&copy);
    return anole_fail_memory(error);
}

static const struct anole_lock_task *find_task(const struct anole_lockfile *lockfile,
                                               const struct anole_lock_device *device,
                                               const char *task)
{
    for (size_t d = 0; d < lockfile->device_count; d++) {
        const struct anole_lock_device *held = &lockfile->devices[d];
        if (!anole_lock_same_device(held, device) || held->generator != device->generator)
            continue;
        for (size_t i = 0; i < held->task_count; i++)
            if (strcmp(held->tasks[i].task, task) == 0)
                return &held->tasks[i];
    }
    return NULL;
}

enum anole_status anole_lockfile_carry(struct anole_lock_device *device, bool *carried,
                                       const struct anole_lockfile *lockfile, const char *task,
                                       struct anole_error *error)
{
    const struct anole_lock_task *held = find_task(lockfile, device, task);
    if (held) {
        struct anole_lock_task *tasks =
            realloc(device->tasks, (device->task_count + 1) * sizeof *tasks);
        if (!tasks)
            return anole_fail_memory(error);
        device->tasks = tasks;
        /* Counted at once: what is incomplete is released with the device. */
        if (!copy_task(&tasks[device->task_count++], held))
            return anole_fail_memory(error);
    }
    *carried = held != NULL;
    return ANOLE_DONE;
}

/* -------------------------------------------------------------------- saving */

/* A value of JSON on one line; consumes it.  NULL: memory ran out. */
static void write_value(struct anole_text *out, json_t *value)
{
    char *text = value ? anole_json_dump(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9)) : NULL;
    if (text)
        anole_text_append(out, text, strlen(text));
    else
        out->failed = true;
    free(text);
    json_decref(value);
}

/* NULL if memory ran out. */
static json_t *make_text(const char *text)
{
    struct anole_text printable = {0};
    anole_text_append_printable(&printable, text, strlen(text));
    json_t *value = printable.failed ? NULL : json_string(printable.data ? printable.data : "");
    anole_text_fini(&printable);
    return value;
}

static void write_text(struct anole_text *out, const char *before, const char *text)
{
    anole_text_append(out, before, strlen(before));
    write_value(out, make_text(text));
}

static json_t *make_knobs(const struct anole_lock_task *task)
{
    json_t *knobs = json_object();
    for (size_t i = 0; i < task->knob_count; i++) {
        if (json_object_set_new(knobs, task->knobs[i].name, json_integer(task->knobs[i].value))) {
            json_decref(knobs);
            return NULL;
        }
    }
    return knobs;
}

static void write_task(struct anole_text *out, const struct anole_lock_task *task)
{
    char hash[20];
    snprintf(hash, sizeof hash, "%016" PRIx64, task->source_hash);
    const struct {
        const char *key;
        json_t *value;
    } members[] = {
        {"task", make_text(task->task)},
        {"multiplicity", json_integer(task->multiplicity)},
        {"knobs", make_knobs(task)},
        {"seconds", anole_json_real(task->seconds)},
        {"low", anole_json_real(task->low)},
        {"high", anole_json_real(task->high)},
        {"default_seconds", anole_json_real(task->default_seconds)},
        {"speedup", anole_json_real(task->speedup)},
        {"speedup_low", anole_json_real(task->speedup_low)},
        {"speedup_high", anole_json_real(task->speedup_high)},
        {"tie", json_boolean(task->tie)},
        {"source_hash", json_string(hash)},
        {"trials", json_integer(task->trials)},
    };
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (json_object_set_new(object, members[i].key, members[i].value))
            out->failed = true;
    write_value(out, object);
}

static void write_device(struct anole_text *out, const struct anole_lock_device *device)
{
    write_text(out, "    {\n      \"id\": ", device->id);
    write_text(out, ",\n      \"backend\": ", device->backend);
    write_text(out, ",\n      \"backend_version\": ", device->backend_version);
    anole_text_printf(out, ",\n      \"generator\": %" PRIu32, device->generator);
    write_text(out, ",\n      \"device\": ", device->device);
    write_text(out, ",\n      \"driver\": ", device->driver);
    write_text(out, ",\n      \"driver_version\": ", device->driver_version);
    anole_text_printf(out, ",\n      \"threads\": %" PRIu32, device->threads);
    if (device->dtype != ANOLE_F32)
        anole_text_printf(out, ",\n      \"precision\": \"%s\"",
                          anole_precision_text(device->dtype));
    anole_text_printf(out, ",\n      \"tasks\": [");
    for (size_t i = 0; i < device->task_count; i++) {
        anole_text_printf(out, "%s\n        ", i ? "," : "");
        write_task(out, &device->tasks[i]);
    }
    anole_text_printf(out, "%s]\n    }", device->task_count ? "\n      " : "");
}

static void write_lockfile(struct anole_text *out, const struct anole_lockfile *lockfile)
{
    anole_text_printf(out, "{\n  \"anole_lock\": %d", ANOLE_LOCKFILE_VERSION);
    write_text(out, ",\n  \"network\": ", lockfile->network);
    write_text(out, ",\n  \"network_path\": ", lockfile->network_path);
    anole_text_printf(out, ",\n  \"devices\": [");
    for (size_t i = 0; i < lockfile->device_count; i++) {
        anole_text_printf(out, "%s\n", i ? "," : "");
        write_device(out, &lockfile->devices[i]);
    }
    anole_text_printf(out, "%s]\n}\n", lockfile->device_count ? "\n  " : "");
}

enum anole_status anole_lockfile_save(const struct anole_lockfile *lockfile, const char *path,
                                      struct anole_error *error)
{
    struct anole_text text = {0};
    struct anole_lockfile *again = NULL;
    struct anole_error why = {0};
    write_lockfile(&text, lockfile);
    enum anole_status status = text.failed ? ANOLE_ERR_MEMORY : ANOLE_DONE;
    /* The file that is there may be the only good one. */
    if (!status)
        status = anole_lockfile_parse(&again, text.data, text.length, path, &why);
    if (status == ANOLE_ERR_MEMORY)
        anole_fail_memory(error);
    else if (status)
        status = anole_fail(error, ANOLE_ERR_INTERNAL,
                            "a lock file that could not be read again was not written (this is a "
                            "fault of Anole: please report it): %.500s",
                            why.text);
    if (!status)
        status = anole_file_replace(path, text.data, text.length, error);
    anole_lockfile_destroy(again);
    anole_text_fini(&text);
    return status;
}
