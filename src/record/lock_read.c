/* SPDX-License-Identifier: MIT
 *
 * Lock files: reading them.
 */
#include "record/lockfile.h"

#include "base/json.h"
#include "base/text.h"
#include "op/task.h"
#include "record/lock_private.h"
#include "space/space.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT ((size_t)128 << 20) /* a hundred thousand tasks, and then some */

static enum anole_status fail_at(const struct anole_json_place *place, const char *what,
                                 const char *expected, struct anole_error *error)
{
    char where[512];
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "%s: %s; expected %s: correct it, or have the file written again",
                      anole_json_place_text(where, sizeof where, place), what, expected);
}

/* -------------------------------------------------------------------- fields */

static enum anole_status read_text(char **out, const json_t *object, const char *key,
                                   const struct anole_json_place *place, struct anole_error *error)
{
    const char *text;
    enum anole_status status = anole_json_text(&text, object, key, place, error);
    if (status)
        return status;
    *out = strdup(text);
    return *out ? ANOLE_DONE : anole_fail_memory(error);
}

static enum anole_status read_u32(uint32_t *out, const json_t *object, const char *key,
                                  uint32_t low, const struct anole_json_place *place,
                                  struct anole_error *error)
{
    uint64_t value;
    enum anole_status status = anole_json_u64(&value, object, key, low, UINT32_MAX, place, error);
    if (!status)
        *out = (uint32_t)value;
    return status;
}

/* A positive number, or null. */
static enum anole_status read_positive(double *out, const json_t *object, const char *key,
                                       const struct anole_json_place *place,
                                       struct anole_error *error)
{
    double value;
    char what[128], found[72];
    enum anole_status status = anole_json_number(&value, object, key, place, error);
    if (status)
        return status;
    if (!isnan(value) && !(value > 0.0 && isfinite(value))) {
        snprintf(what, sizeof what, "\"%s\" is %s", key,
                 anole_json_found(found, sizeof found, json_object_get(object, key)));
        return fail_at(place, what, "a positive number", error);
    }
    *out = value;
    return ANOLE_DONE;
}

/* Three members: a number within its interval, or null all three. */
static enum anole_status read_interval(double *middle, double *low, double *high,
                                       const json_t *object, const char *const *keys,
                                       const struct anole_json_place *place,
                                       struct anole_error *error)
{
    enum anole_status status = read_positive(middle, object, keys[0], place, error);
    if (!status)
        status = read_positive(low, object, keys[1], place, error);
    if (!status)
        status = read_positive(high, object, keys[2], place, error);
    if (status || (*low <= *middle && *middle <= *high) ||
        (isnan(*low) && isnan(*middle) && isnan(*high)))
        return status;
    char what[160];
    snprintf(what, sizeof what, "\"%s\" %g, \"%s\" %g and \"%s\" %g make no interval", keys[0],
             *middle, keys[1], *low, keys[2], *high);
    return fail_at(place, what, "the first between the second and the third", error);
}

static enum anole_status read_bool(bool *out, const json_t *object, const char *key,
                                   const struct anole_json_place *place, struct anole_error *error)
{
    const json_t *field = json_object_get(object, key);
    char what[128], found[72];
    if (!json_is_boolean(field)) {
        snprintf(what, sizeof what, "\"%s\" is %s", key,
                 field ? anole_json_found(found, sizeof found, field) : "missing");
        return fail_at(place, what, "true or false", error);
    }
    *out = json_is_true(field);
    return ANOLE_DONE;
}

static enum anole_status read_hash(uint64_t *out, const json_t *object, const char *key,
                                   const struct anole_json_place *place, struct anole_error *error)
{
    const char *text;
    enum anole_status status = anole_json_text(&text, object, key, place, error);
    if (status)
        return status;
    if (strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
        return fail_at(place, "\"source_hash\" is no hash", "16 hexadecimal digits", error);
    *out = strtoull(text, NULL, 16);
    return ANOLE_DONE;
}

/* --------------------------------------------------------------------- tasks */

static bool is_identifier(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length >= ANOLE_KNOB_NAME || isdigit((unsigned char)name[0]))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != '_')
            return false;
    return true;
}

static enum anole_status read_knobs(struct anole_lock_task *task, const json_t *object,
                                    const struct anole_json_place *place, struct anole_error *error)
{
    json_t *knobs, *value;
    const char *name;
    enum anole_status status = anole_json_object(&knobs, object, "knobs", place, error);
    if (status)
        return status;
    size_t count = json_object_size(knobs);
    if (count > ANOLE_MAX_KNOBS)
        return fail_at(place, "\"knobs\" has too many members", "64 at most", error);
    task->knobs = calloc(count ? count : 1, sizeof *task->knobs);
    if (!task->knobs)
        return anole_fail_memory(error);
    json_object_foreach(knobs, name, value)
    {
        char what[200], shown[80], found[72];
        if (!is_identifier(name) || !json_is_integer(value)) {
            snprintf(what, sizeof what, "knob \"%s\" is %s",
                     anole_text_printable(shown, sizeof shown, name),
                     anole_json_found(found, sizeof found, value));
            return fail_at(place, what, "an identifier of up to 31 characters and a whole number",
                           error);
        }
        struct anole_lock_knob *knob = &task->knobs[task->knob_count];
        knob->value = json_integer_value(value);
        knob->name = strdup(name);
        if (!knob->name)
            return anole_fail_memory(error);
        task->knob_count++;
    }
    return ANOLE_DONE;
}

static enum anole_status read_numbers(struct anole_lock_task *task, const json_t *object,
                                      const struct anole_json_place *place,
                                      struct anole_error *error)
{
    static const char *const times[] = {"seconds", "low", "high"};
    static const char *const speedups[] = {"speedup", "speedup_low", "speedup_high"};
    enum anole_status status =
        read_interval(&task->seconds, &task->low, &task->high, object, times, place, error);
    if (!status && isnan(task->seconds))
        status = fail_at(place, "\"seconds\" is null", "a positive number", error);
    if (!status)
        status = read_positive(&task->default_seconds, object, "default_seconds", place, error);
    if (!status)
        status = read_interval(&task->speedup, &task->speedup_low, &task->speedup_high, object,
                               speedups, place, error);
    if (!status)
        status = read_bool(&task->tie, object, "tie", place, error);
    if (!status)
        status = read_hash(&task->source_hash, object, "source_hash", place, error);
    if (!status)
        status = read_u32(&task->trials, object, "trials", 0, place, error);
    return status;
}

static enum anole_status read_task(struct anole_lock_task *task, uint32_t dtype,
                                   const json_t *object, const struct anole_json_place *place,
                                   struct anole_error *error)
{
    static const char *const keys[] = {
        "task", "multiplicity",    "knobs",   "seconds",     "low",
        "high", "default_seconds", "speedup", "speedup_low", "speedup_high",
        "tie",  "source_hash",     "trials",  NULL};
    struct anole_task parsed;
    if (!json_is_object(object))
        return fail_at(place, "this is no object", "an object: { ... }", error);
    enum anole_status status = anole_json_only(object, keys, place, error);
    if (!status)
        status = read_text(&task->task, object, "task", place, error);
    if (!status) {
        status = anole_task_parse_key(&parsed, task->task, error);
        if (status) {
            char where[512];
            anole_error_prefix(error, "%s", anole_json_place_text(where, sizeof where, place));
        } else if (parsed.dtype != dtype) {
            char expected[32];
            snprintf(expected, sizeof expected, "one of %s", anole_dtype_text(dtype));
            status = fail_at(place, "the task is of another precision than its device says",
                             expected, error);
        }
    }
    if (!status)
        status = read_u32(&task->multiplicity, object, "multiplicity", 1, place, error);
    if (!status)
        status = read_knobs(task, object, place, error);
    if (!status)
        status = read_numbers(task, object, place, error);
    return status;
}

/* ------------------------------------------------------------------- devices */

/* By name, and equal ones in the file's order. */
static int compare_tasks(const void *a, const void *b)
{
    const struct anole_lock_task *x = *(const struct anole_lock_task *const *)a,
                                 *y = *(const struct anole_lock_task *const *)b;
    int order = strcmp(x->task, y->task);
    return order ? order : (x > y) - (x < y);
}

/* Sorted, for there may be a hundred thousand. */
static enum anole_status check_distinct(const struct anole_lock_device *device,
                                        struct anole_json_place *place, size_t number,
                                        struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    const struct anole_lock_task **sorted = calloc(device->task_count + 1, sizeof *sorted);
    if (!sorted)
        return anole_fail_memory(error);
    for (size_t i = 0; i < device->task_count; i++)
        sorted[i] = &device->tasks[i];
    qsort(sorted, device->task_count, sizeof *sorted, compare_tasks);
    for (size_t i = 1; !status && i < device->task_count; i++) {
        if (strcmp(sorted[i - 1]->task, sorted[i]->task) != 0)
            continue;
        snprintf(place->path, sizeof place->path, "device %zu, task %zu", number,
                 (size_t)(sorted[i] - device->tasks) + 1);
        status = fail_at(place, "this task stands there twice", "each task once", error);
    }
    free(sorted);
    return status;
}

static enum anole_status read_tasks(struct anole_lock_device *device, const json_t *object,
                                    const char *file, size_t number, struct anole_error *error)
{
    struct anole_json_place place = {.file = file};
    json_t *tasks;
    snprintf(place.path, sizeof place.path, "device %zu", number);
    enum anole_status status = anole_json_array(&tasks, object, "tasks", &place, error);
    if (status)
        return status;
    size_t count = json_array_size(tasks);
    device->tasks = calloc(count ? count : 1, sizeof *device->tasks);
    if (!device->tasks)
        return anole_fail_memory(error);
    for (size_t i = 0; i < count; i++) {
        snprintf(place.path, sizeof place.path, "device %zu, task %zu", number, i + 1);
        device->task_count = i + 1;
        status =
            read_task(&device->tasks[i], device->dtype, json_array_get(tasks, i), &place, error);
        if (status)
            return status;
    }
    return check_distinct(device, &place, number, error);
}

/* Left out, it is fp32. */
static enum anole_status read_precision(uint32_t *out, const json_t *object,
                                        const struct anole_json_place *place,
                                        struct anole_error *error)
{
    const char *text = "fp32";
    enum anole_status status = ANOLE_DONE;
    if (json_object_get(object, "precision"))
        status = anole_json_text(&text, object, "precision", place, error);
    if (status)
        return status;
    *out = anole_precision_parse(text);
    return *out ? ANOLE_DONE
                : fail_at(place, "its \"precision\" is none", "\"fp32\", \"fp16\" or \"tf32\"",
                          error);
}

static enum anole_status read_device(struct anole_lock_device *device, const json_t *object,
                                     const char *file, size_t number, struct anole_error *error)
{
    static const char *const keys[] = {
        "id",     "backend",        "backend_version", "generator", "device",
        "driver", "driver_version", "threads",         "precision", "tasks",
        NULL};
    struct anole_json_place place = {.file = file};
    snprintf(place.path, sizeof place.path, "device %zu", number);
    if (!json_is_object(object))
        return fail_at(&place, "this is no object", "an object: { ... }", error);
    enum anole_status status = anole_json_only(object, keys, &place, error);
    if (!status)
        status = read_text(&device->id, object, "id", &place, error);
    if (!status)
        status = read_text(&device->backend, object, "backend", &place, error);
    if (!status)
        status = read_text(&device->backend_version, object, "backend_version", &place, error);
    if (!status)
        status = read_u32(&device->generator, object, "generator", 0, &place, error);
    if (!status)
        status = read_text(&device->device, object, "device", &place, error);
    if (!status)
        status = read_text(&device->driver, object, "driver", &place, error);
    if (!status)
        status = read_text(&device->driver_version, object, "driver_version", &place, error);
    if (!status)
        status = read_u32(&device->threads, object, "threads", 0, &place, error);
    if (!status)
        status = read_precision(&device->dtype, object, &place, error);
    if (!status)
        status = read_tasks(device, object, file, number, error);
    return status;
}

static enum anole_status read_devices(struct anole_lockfile *lockfile, const json_t *root,
                                      const char *file, struct anole_error *error)
{
    struct anole_json_place place = {.file = file};
    json_t *devices;
    enum anole_status status = anole_json_array(&devices, root, "devices", &place, error);
    if (status)
        return status;
    size_t count = json_array_size(devices);
    lockfile->devices = calloc(count ? count : 1, sizeof *lockfile->devices);
    if (!lockfile->devices)
        return anole_fail_memory(error);
    for (size_t i = 0; i < count; i++) {
        lockfile->device_count = i + 1;
        status = read_device(&lockfile->devices[i], json_array_get(devices, i), file, i + 1, error);
        snprintf(place.path, sizeof place.path, "device %zu", i + 1);
        for (size_t j = 0; !status && j < i; j++)
            if (anole_lock_same_device(&lockfile->devices[j], &lockfile->devices[i]))
                status = fail_at(
                    &place, "this device stands there twice",
                    "each backend, device, driver, number of threads and precision once", error);
        if (status)
            return status;
    }
    return ANOLE_DONE;
}

/* ---------------------------------------------------------------------- file */

static enum anole_status check_version(const json_t *root, const char *file,
                                       struct anole_error *error)
{
    const json_t *version = json_object_get(root, "anole_lock");
    char found[72], name[256];
    anole_text_printable(name, sizeof name, file);
    if (!json_is_integer(version))
        return anole_fail(
            error, ANOLE_ERR_INPUT,
            "%s: this is no lock file; expected an object with \"anole_lock\": %d, as "
            "`anole tune` writes it: is it the right file?",
            name, ANOLE_LOCKFILE_VERSION);
    if (json_integer_value(version) != ANOLE_LOCKFILE_VERSION)
        return anole_fail(error, ANOLE_ERR_VERSION,
                          "%s: the lock file's version is %s; expected the number %d: use the "
                          "version of Anole that wrote it, or tune again",
                          name, anole_json_found(found, sizeof found, version),
                          ANOLE_LOCKFILE_VERSION);
    return ANOLE_DONE;
}

enum anole_status anole_lockfile_parse(struct anole_lockfile **lockfile, const char *text,
                                       size_t length, const char *file, struct anole_error *error)
{
    static const char *const keys[] = {"anole_lock", "network", "network_path", "devices", NULL};
    struct anole_json_place place = {.file = file};
    json_t *root;
    struct anole_lockfile *new = NULL;
    enum anole_status status = anole_json_parse(&root, text, length, file, error);
    if (status)
        return status;
    status = check_version(root, file, error);
    if (!status)
        status = anole_json_only(root, keys, &place, error);
    if (!status && !(new = calloc(1, sizeof *new)))
        status = anole_fail_memory(error);
    if (!status)
        status = read_text(&new->network, root, "network", &place, error);
    if (!status)
        status = read_text(&new->network_path, root, "network_path", &place, error);
    if (!status)
        status = read_devices(new, root, file, error);
    json_decref(root);
    if (status) {
        anole_lockfile_destroy(new);
        return status;
    }
    *lockfile = new;
    return ANOLE_DONE;
}

enum anole_status anole_lockfile_load(struct anole_lockfile **lockfile, const char *path,
                                      struct anole_error *error)
{
    char *text;
    size_t length;
    enum anole_status status = anole_file_read(&text, &length, path, LIMIT, error);
    if (status)
        return status;
    status = anole_lockfile_parse(lockfile, text, length, path, error);
    free(text);
    return status;
}
