/* SPDX-License-Identifier: MIT */
#include "record/lockfile.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "op/op.h"
#include "op/task.h"
#include "space/space.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_SHAPES 1024
#define LIMIT ((size_t)128 << 20) /* a hundred thousand tasks, and then some */

/* -------------------------------------------------------- what an entry holds */

enum field_type {
    FIELD_TEXT,
    FIELD_PATH,
    /* a text that is not shown as it is: it names a file */ /* char *, on the heap */
    FIELD_U32,                                               /* uint32_t, at least `low` */
    FIELD_NUMBER,                                            /* double: positive, or NaN for null */
    FIELD_BOOL,                                              /* bool */
    FIELD_HASH,      /* uint64_t, in 16 hexadecimal digits */
    FIELD_PRECISION, /* uint32_t, enum anole_dtype; left out where it is fp32 */
    FIELD_METRIC,    /* enum anole_metric */
    FIELD_WARMTH,    /* enum anole_warmth; left out where it is hot */
    FIELD_TIMER,     /* enum anole_timer; left out where it is UNSAID */
    FIELD_SHARE,     /* double, 0 to 1; left out where it is 0 */
    FIELD_KNOBS,     /* of a task */
    FIELD_LABELS,    /* of its knobs; left out where there are none */
    FIELD_SIZE,      /* uint32_t; left out where it is 0 */
    FIELD_POSITIVE,  /* double; likewise */
    FIELD_SHAPES,    /* of a device; left out where there are none */
    FIELD_IN_PLACE,  /* likewise */
};

struct field {
    const char *name; /* '*' stands for the name of the metric */
    enum field_type type;
    uint32_t since; /* the first version of files that must have it; 0: none must */
    size_t offset;  /* in the struct of the entry */
    uint32_t low;
};

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define FILE_FIELD(name_, type_, place)                                                            \
    {                                                                                              \
        .name = name_, .type = FIELD_##type_, .since = 1,                                          \
        .offset = offsetof(struct anole_lockfile, place)                                           \
    }
#define DEVICE_FIELD(name_, type_, since_, place)                                                  \
    {                                                                                              \
        .name = name_, .type = FIELD_##type_, .since = since_,                                     \
        .offset = offsetof(struct anole_lock_device, place)                                        \
    }
#define IN_PLACE_FIELD(name_, type_, since_, place, low_)                                          \
    {                                                                                              \
        .name = name_, .type = FIELD_##type_, .since = since_,                                     \
        .offset = offsetof(struct anole_lock_in_place, place), .low = low_                         \
    }
#define TASK_OPTION(name_, type_, place)                                                           \
    {                                                                                              \
        .name = name_, .type = FIELD_##type_, .offset = offsetof(struct anole_lock_task, place)    \
    }
#define TASK_FIELD(name_, type_, place, low_)                                                      \
    {                                                                                              \
        .name = name_, .type = FIELD_##type_, .since = 1,                                          \
        .offset = offsetof(struct anole_lock_task, place), .low = low_                             \
    }

/* In the order in which they are written. */
static const struct field file_fields[] = {
    FILE_FIELD("network", TEXT, network),
    FILE_FIELD("network_path", PATH, network_path),
};

static const struct field device_fields[] = {
    DEVICE_FIELD("id", TEXT, 1, id),
    DEVICE_FIELD("backend", TEXT, 1, backend),
    DEVICE_FIELD("backend_version", TEXT, 1, backend_version),
    DEVICE_FIELD("generator", U32, 1, generator),
    DEVICE_FIELD("device", TEXT, 1, device),
    DEVICE_FIELD("driver", TEXT, 1, driver),
    DEVICE_FIELD("driver_version", TEXT, 1, driver_version),
    DEVICE_FIELD("threads", U32, 1, threads),
    DEVICE_FIELD("precision", PRECISION, 0, dtype),
    DEVICE_FIELD("metric", METRIC, 2, metric),
    DEVICE_FIELD("batch", SIZE, 0, batch),
    DEVICE_FIELD("shapes", SHAPES, 0, shapes),
    DEVICE_FIELD("most_kernels", SIZE, 0, most_kernels),
    DEVICE_FIELD("simulated", BOOL, 0, simulated),
    DEVICE_FIELD("in_place", IN_PLACE, 0, in_place),
};

/* Of a network that was run as a whole; "kernels" is none of them, as it is computed. */
static const struct field in_place_fields[] = {
    IN_PLACE_FIELD("seconds", NUMBER, 1, seconds, 0),
    IN_PLACE_FIELD("low", NUMBER, 1, low, 0),
    IN_PLACE_FIELD("high", NUMBER, 1, high, 0),
    IN_PLACE_FIELD("default_seconds", NUMBER, 1, default_seconds, 0),
    IN_PLACE_FIELD("default_low", NUMBER, 1, default_low, 0),
    IN_PLACE_FIELD("default_high", NUMBER, 1, default_high, 0),
    IN_PLACE_FIELD("speedup", NUMBER, 1, speedup, 0),
    IN_PLACE_FIELD("speedup_low", NUMBER, 1, speedup_low, 0),
    IN_PLACE_FIELD("speedup_high", NUMBER, 1, speedup_high, 0),
    IN_PLACE_FIELD("steps", U32, 1, steps, 1),
    IN_PLACE_FIELD("steps_tuned", U32, 1, steps_tuned, 0),
    IN_PLACE_FIELD("rounds", U32, 1, rounds, 1),
    IN_PLACE_FIELD("disturbed", BOOL, 0, disturbed, 0),
};

static const struct field task_fields[] = {
    TASK_FIELD("task", TEXT, task, 0),
    TASK_FIELD("multiplicity", U32, multiplicity, 1),
    TASK_FIELD("knobs", KNOBS, knobs, 0),
    TASK_OPTION("labels", LABELS, knobs), /* behind them */
    TASK_FIELD("*", NUMBER, value, 0),
    TASK_FIELD("low", NUMBER, low, 0),
    TASK_FIELD("high", NUMBER, high, 0),
    TASK_FIELD("default_*", NUMBER, default_value, 0),
    TASK_FIELD("speedup", NUMBER, speedup, 0),
    TASK_FIELD("speedup_low", NUMBER, speedup_low, 0),
    TASK_FIELD("speedup_high", NUMBER, speedup_high, 0),
    TASK_FIELD("tie", BOOL, tie, 0),
    TASK_FIELD("source_hash", HASH, source_hash, 0),
    TASK_FIELD("trials", U32, trials, 0),
    TASK_OPTION("timing", WARMTH, warmth),
    TASK_OPTION("clock", TIMER, timer),
    TASK_OPTION("crowding", SHARE, crowding),
    TASK_OPTION("disturbed", BOOL, disturbed),
    TASK_OPTION("in_place", POSITIVE, in_place),
    TASK_OPTION("alone_*", POSITIVE, alone_value),
    TASK_OPTION("alone_in_place", POSITIVE, alone_in_place),
    TASK_OPTION("in_place_disturbed", BOOL, in_place_disturbed),
    TASK_OPTION("adopted_from", TEXT, adopted_from),
    TASK_OPTION("slowdown", POSITIVE, slowdown),
    TASK_OPTION("slowdown_low", POSITIVE, slowdown_low),
    TASK_OPTION("slowdown_high", POSITIVE, slowdown_high),
};

#define NAME_ROOM 64

static void field_name(char out[NAME_ROOM], const struct field *field, enum anole_metric metric)
{
    const char *star = strchr(field->name, '*');
    if (star)
        snprintf(out, NAME_ROOM, "%.*s%s%s", (int)(star - field->name), field->name,
                 anole_metric_text(metric), star + 1);
    else
        snprintf(out, NAME_ROOM, "%s", field->name);
}

/* ------------------------------------------------------------ making, destroying */

static void task_fini(struct anole_lock_task *task)
{
    for (size_t i = 0; i < task->knob_count; i++) {
        free(task->knobs[i].name);
        free(task->knobs[i].label);
    }
    free(task->knobs);
    free(task->task);
    free(task->adopted_from);
    json_decref(task->extra);
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
    for (size_t i = 0; i < device->shape_count; i++)
        free(device->shapes[i]);
    free(device->shapes);
    json_decref(device->in_place.extra);
    json_decref(device->extra);
    json_decref(device->unread);
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
    free(lockfile->folder);
    json_decref(lockfile->extra);
    json_decref(lockfile->unread);
    free(lockfile);
}

/* As the file has them: what came from there was made fit to print.  Texts that are equal as they
 * are need no memory: running out of it must not make two devices of one. */
bool anole_lock_same_text(const char *a, const char *b)
{
    struct anole_text printable[2] = {{0}, {0}};
    if (strcmp(a, b) == 0)
        return true;
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

static bool same_content(const char *a, const char *b)
{
    char *texts[2] = {NULL, NULL};
    size_t lengths[2];
    bool same = anole_file_same(a, b) ||
                (!anole_file_read(&texts[0], &lengths[0], a, 0, NULL) &&
                 !anole_file_read(&texts[1], &lengths[1], b, 0, NULL) && lengths[0] == lengths[1] &&
                 memcmp(texts[0], texts[1], lengths[0]) == 0);
    free(texts[0]);
    free(texts[1]);
    return same;
}

/* Whether what is tuned now is what the lock file is of; it may have been moved. */
static enum anole_status check_network(const struct anole_lockfile *lockfile, const char *path,
                                       const char *network, const char *network_path,
                                       struct anole_error *error)
{
    char file[256], theirs[160], ours[160];
    anole_text_printable(file, sizeof file, path);
    if (!anole_lock_same_text(lockfile->network, network))
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: this lock file is of the network \"%s\"; expected one of \"%s\", or "
                          "none yet: name another with --output",
                          file, anole_text_printable(theirs, sizeof theirs, lockfile->network),
                          anole_text_printable(ours, sizeof ours, network));
    if (access(lockfile->network_path, F_OK) == 0 &&
        !same_content(lockfile->network_path, network_path))
        return anole_fail(
            error, ANOLE_ERR_INPUT,
            "%s: this lock file is of %s, and %s, of the same name, is something else: "
            "name another with --output",
            file, anole_text_printable(theirs, sizeof theirs, lockfile->network_path),
            anole_text_printable(ours, sizeof ours, network_path));
    return ANOLE_DONE;
}

static enum anole_status open_old(struct anole_lockfile **lockfile, const char *path,
                                  const char *network, const char *network_path,
                                  struct anole_error *error)
{
    struct anole_lockfile *old;
    enum anole_status status = anole_lockfile_load(&old, path, error);
    if (status)
        return status;
    char *moved = strdup(network_path);
    status =
        moved ? check_network(old, path, network, network_path, error) : anole_fail_memory(error);
    if (status) {
        free(moved);
        anole_lockfile_destroy(old);
        return status;
    }
    free(old->network_path);
    old->network_path = moved;
    *lockfile = old;
    return ANOLE_DONE;
}

enum anole_status anole_lockfile_open(struct anole_lockfile **lockfile, const char *path,
                                      const char *network, const char *network_path,
                                      struct anole_error *error)
{
    if (access(path, F_OK) == 0)
        return open_old(lockfile, path, network, network_path, error);
    struct anole_lockfile *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    new->network = strdup(network);
    new->network_path = strdup(network_path);
    if (!new->network || !new->network_path) {
        anole_lockfile_destroy(new);
        return anole_fail_memory(error);
    }
    *lockfile = new;
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------- reading */

/* What every reader of a part needs to know. */
struct reader {
    uint64_t version; /* of the file */
    struct anole_json_place place;
    size_t unread; /* entries so far that only a newer Anole understands */
};

static enum anole_status fail_at(const struct anole_json_place *place, const char *what,
                                 const char *expected, struct anole_error *error)
{
    char where[512];
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "%s: %s; expected %s: correct it, or have the file written again",
                      anole_json_place_text(where, sizeof where, place), what, expected);
}

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

/* What is shown to people: as anole_lockfile_save() writes it, whoever has written this. */
static enum anole_status read_shown(char **out, const json_t *object, const char *key,
                                    const struct anole_json_place *place, struct anole_error *error)
{
    const char *text;
    enum anole_status status = anole_json_text(&text, object, key, place, error);
    struct anole_text shown = {0};
    if (status)
        return status;
    anole_text_append_printable(&shown, text, strlen(text));
    anole_text_append(&shown, "", 0);
    if (shown.failed) {
        anole_text_fini(&shown);
        return anole_fail_memory(error);
    }
    *out = shown.data;
    return ANOLE_DONE;
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

/* A positive number. */
static enum anole_status read_given(double *out, const json_t *object, const char *key,
                                    const struct anole_json_place *place, struct anole_error *error)
{
    char what[128];
    enum anole_status status = read_positive(out, object, key, place, error);
    if (status || !isnan(*out))
        return status;
    snprintf(what, sizeof what, "\"%s\" is null", key);
    return fail_at(place, what, "a positive number, or no such member", error);
}

/* A number within its interval, or NaN all three. */
static enum anole_status check_interval(double middle, double low, double high,
                                        const char *const *names,
                                        const struct anole_json_place *place,
                                        struct anole_error *error)
{
    char what[256];
    if ((low <= middle && middle <= high) || (isnan(low) && isnan(middle) && isnan(high)))
        return ANOLE_DONE;
    snprintf(what, sizeof what, "\"%s\" %g, \"%s\" %g and \"%s\" %g make no interval", names[0],
             middle, names[1], low, names[2], high);
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
        return fail_at(place,
                       strcmp(key, "kernels") == 0 ? "\"kernels\" is no hash"
                                                   : "\"source_hash\" is no hash",
                       "16 hexadecimal digits", error);
    *out = strtoull(text, NULL, 16);
    return ANOLE_DONE;
}

/* Of words that are not known, only those in files of the first version are a fault: nothing was
 * added to that.  *unread: a newer Anole has written it. */
static enum anole_status read_precision(uint32_t *out, bool *unread, const json_t *object,
                                        const char *name, const struct reader *reader,
                                        struct anole_error *error)
{
    const char *text;
    enum anole_status status = anole_json_text(&text, object, name, &reader->place, error);
    if (status)
        return status;
    *out = anole_precision_parse(text);
    *unread |= !*out && reader->version > 1;
    return *out || *unread ? ANOLE_DONE
                           : fail_at(&reader->place, "its \"precision\" is none",
                                     "\"fp32\", \"fp16\" or \"tf32\"", error);
}

/* A word that is not known here is of something that cannot be held against what is: such an entry
 * is kept, unread. */
#define DEFINE_READ_WORD(name_, parse)                                                             \
    static enum anole_status read_##name_(enum anole_##name_ *out, bool *unread,                   \
                                          const json_t *object, const char *name,                  \
                                          const struct reader *reader, struct anole_error *error)  \
    {                                                                                              \
        const char *text;                                                                          \
        enum anole_status status = anole_json_text(&text, object, name, &reader->place, error);    \
        if (!status)                                                                               \
            *unread |= !parse(out, text);                                                          \
        return status;                                                                             \
    }
DEFINE_READ_WORD(metric, anole_metric_parse)
DEFINE_READ_WORD(warmth, anole_warmth_parse)
DEFINE_READ_WORD(timer, anole_timer_parse)
#undef DEFINE_READ_WORD

static enum anole_status read_share(double *out, const json_t *object, const char *name,
                                    const struct anole_json_place *place, struct anole_error *error)
{
    const json_t *value = json_object_get(object, name);
    double number = json_number_value(value);
    if (!json_is_number(value) || !(number >= 0.0 && number <= 1.0)) {
        char what[120];
        snprintf(what, sizeof what, "its \"%s\" is none", name);
        return fail_at(place, what, "a number from 0 to 1", error);
    }
    *out = number;
    return ANOLE_DONE;
}

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

/* For people: what is no label of a knob is passed over. */
static enum anole_status read_labels(struct anole_lock_task *task, const json_t *object,
                                     const char *name, const struct anole_json_place *place,
                                     struct anole_error *error)
{
    json_t *labels;
    enum anole_status status = anole_json_object(&labels, object, name, place, error);
    for (size_t i = 0; !status && i < task->knob_count; i++) {
        struct anole_lock_knob *knob = &task->knobs[i];
        const json_t *label = json_object_get(labels, knob->name);
        if (!json_is_string(label))
            continue;
        knob->label = strdup(json_string_value(label));
        if (!knob->label)
            status = anole_fail_memory(error);
    }
    return status;
}

static enum anole_status read_shapes(struct anole_lock_device *device, const json_t *object,
                                     const char *name, const struct anole_json_place *place,
                                     struct anole_error *error)
{
    json_t *shapes;
    enum anole_status status = anole_json_array(&shapes, object, name, place, error);
    if (status)
        return status;
    const size_t count = json_array_size(shapes);
    if (count > MOST_SHAPES)
        return fail_at(place, "\"shapes\" has too many elements", "1024 at most", error);
    device->shapes = calloc(count + 1, sizeof *device->shapes);
    if (!device->shapes)
        return anole_fail_memory(error);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(shapes, i));
        if (!text)
            return fail_at(place, "\"shapes\" holds what is no text",
                           "texts such as \"images=1x3x640x640\"", error);
        device->shapes[i] = strdup(text);
        if (!device->shapes[i])
            return anole_fail_memory(error);
        device->shape_count++;
    }
    return ANOLE_DONE;
}

static enum anole_status read_fields(void *entry, bool *unread, const struct field *fields,
                                     size_t count, enum anole_metric metric, const json_t *object,
                                     const struct reader *reader, struct anole_error *error);
static enum anole_status keep_extra(json_t **extra, const struct field *fields, size_t count,
                                    enum anole_metric metric, const char *const *other,
                                    json_t *object, struct anole_error *error);

static enum anole_status check_in_place(const struct anole_lock_in_place *in_place,
                                        const struct anole_json_place *place,
                                        struct anole_error *error)
{
    static const char *const own[] = {"seconds", "low", "high"};
    static const char *const defaults[] = {"default_seconds", "default_low", "default_high"};
    static const char *const speedups[] = {"speedup", "speedup_low", "speedup_high"};
    enum anole_status status =
        check_interval(in_place->seconds, in_place->low, in_place->high, own, place, error);
    if (!status && isnan(in_place->seconds))
        status = fail_at(place, "\"seconds\" is null", "a positive number", error);
    if (!status)
        status = check_interval(in_place->default_seconds, in_place->default_low,
                                in_place->default_high, defaults, place, error);
    if (!status)
        status = check_interval(in_place->speedup, in_place->speedup_low, in_place->speedup_high,
                                speedups, place, error);
    if (!status && in_place->steps_tuned > in_place->steps)
        status = fail_at(place, "\"steps_tuned\" is more than \"steps\"", "as many at most", error);
    return status;
}

/* Whether it holds for the tasks is seen when these are there: see forget_stale(). */
static enum anole_status read_in_place(struct anole_lock_in_place *out, const json_t *object,
                                       const char *name, const struct reader *reader,
                                       struct anole_error *error)
{
    static const char *const other[] = {"kernels", NULL};
    struct reader inner = *reader;
    uint64_t kernels;
    bool unread = false; /* none of its fields can be */
    json_t *members;
    enum anole_status status = anole_json_object(&members, object, name, &reader->place, error);
    snprintf(inner.place.path, sizeof inner.place.path, "%.100s, \"in_place\"", reader->place.path);
    if (!status)
        status = read_fields(out, &unread, in_place_fields, COUNT(in_place_fields),
                             ANOLE_METRIC_SECONDS, members, &inner, error);
    if (!status)
        status = check_in_place(out, &inner.place, error);
    if (!status)
        status = read_hash(&kernels, members, "kernels", &inner.place, error);
    if (!status)
        status = keep_extra(&out->extra, in_place_fields, COUNT(in_place_fields),
                            ANOLE_METRIC_SECONDS, other, members, error);
    return status;
}

static enum anole_status read_field(void *entry, bool *unread, const struct field *field,
                                    const char *name, const json_t *object,
                                    const struct reader *reader, struct anole_error *error)
{
    void *at = (char *)entry + field->offset;
    const struct anole_json_place *place = &reader->place;
    switch (field->type) {
    case FIELD_TEXT:
        return read_shown(at, object, name, place, error);
    case FIELD_PATH:
        return read_text(at, object, name, place, error);
    case FIELD_U32:
        return read_u32(at, object, name, field->low, place, error);
    case FIELD_NUMBER:
        return read_positive(at, object, name, place, error);
    case FIELD_BOOL:
        return read_bool(at, object, name, place, error);
    case FIELD_HASH:
        return read_hash(at, object, name, place, error);
    case FIELD_PRECISION:
        return read_precision(at, unread, object, name, reader, error);
    case FIELD_METRIC:
        return read_metric(at, unread, object, name, reader, error);
    case FIELD_WARMTH:
        return read_warmth(at, unread, object, name, reader, error);
    case FIELD_TIMER:
        return read_timer(at, unread, object, name, reader, error);
    case FIELD_SHARE:
        return read_share(at, object, name, place, error);
    case FIELD_KNOBS:
        return read_knobs(entry, object, place, error);
    case FIELD_LABELS:
        return read_labels(entry, object, name, place, error);
    case FIELD_SIZE:
        return read_u32(at, object, name, 1, place, error);
    case FIELD_POSITIVE:
        return read_given(at, object, name, place, error);
    case FIELD_SHAPES:
        return read_shapes(entry, object, name, place, error);
    case FIELD_IN_PLACE:
        return read_in_place(at, object, name, reader, error);
    }
    return ANOLE_DONE;
}

/* Fills in an entry as its table says.  *unread: what stands there means something only to a newer
 * Anole; then the entry is incomplete. */
static enum anole_status read_fields(void *entry, bool *unread, const struct field *fields,
                                     size_t count, enum anole_metric metric, const json_t *object,
                                     const struct reader *reader, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; !status && !*unread && i < count; i++) {
        char name[NAME_ROOM];
        field_name(name, &fields[i], metric);
        bool required = fields[i].since && fields[i].since <= reader->version;
        if (required || json_object_get(object, name))
            status = read_field(entry, unread, &fields[i], name, object, reader, error);
    }
    return status;
}

/* *extra: the members that are in no row of the table, and not `other`, which is read elsewhere;
 * NULL if there are none. */
static enum anole_status keep_extra(json_t **extra, const struct field *fields, size_t count,
                                    enum anole_metric metric, const char *const *other,
                                    json_t *object, struct anole_error *error)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        char name[NAME_ROOM];
        bool known = false;
        for (size_t i = 0; !known && i < count; i++) {
            field_name(name, &fields[i], metric);
            known = strcmp(name, key) == 0;
        }
        for (size_t i = 0; !known && other && other[i]; i++)
            known = strcmp(other[i], key) == 0;
        if (known)
            continue;
        if (!*extra)
            *extra = json_object();
        if (json_object_set(*extra, key, value))
            return anole_fail_memory(error);
    }
    return ANOLE_DONE;
}

/* Puts aside, to be written back, what cannot be read here. */
static enum anole_status keep_unread(json_t **unread, json_t *entry, struct anole_error *error)
{
    if (!*unread)
        *unread = json_array();
    return json_array_append(*unread, entry) ? anole_fail_memory(error) : ANOLE_DONE;
}

/* ---------------------------------------------------------------- reading: tasks */

static enum anole_status check_key(bool *unread, const char *key, uint32_t dtype,
                                   const struct reader *reader, struct anole_error *error)
{
    struct anole_task parsed;
    struct anole_error problem = {0};
    char where[512], expected[32];
    if (anole_task_parse_key(&parsed, key, &problem)) {
        *unread = reader->version > 1; /* a layer of another kind, or that says more */
        if (*unread)
            return ANOLE_DONE;
        return anole_fail(error, problem.status, "%s: %s",
                          anole_json_place_text(where, sizeof where, &reader->place), problem.text);
    }
    if (parsed.dtype == dtype)
        return ANOLE_DONE;
    snprintf(expected, sizeof expected, "one of %s", anole_dtype_text(dtype));
    return fail_at(&reader->place, "the task is of another precision than its device says",
                   expected, error);
}

static enum anole_status check_numbers(const struct anole_lock_task *task, enum anole_metric metric,
                                       const struct anole_json_place *place,
                                       struct anole_error *error)
{
    const char *const values[] = {anole_metric_text(metric), "low", "high"};
    static const char *const speedups[] = {"speedup", "speedup_low", "speedup_high"};
    static const char *const slowdowns[] = {"slowdown", "slowdown_low", "slowdown_high"};
    char what[NAME_ROOM + 16];
    enum anole_status status =
        check_interval(task->value, task->low, task->high, values, place, error);
    snprintf(what, sizeof what, "\"%s\" is null", values[0]);
    if (!status && isnan(task->value))
        status = fail_at(place, what, "a positive number", error);
    if (!status)
        status = check_interval(task->speedup, task->speedup_low, task->speedup_high, speedups,
                                place, error);
    if (!status)
        status = check_interval(task->slowdown, task->slowdown_low, task->slowdown_high, slowdowns,
                                place, error);
    return status;
}

static enum anole_status read_task(struct anole_lock_task *task, bool *unread,
                                   const struct anole_lock_device *device, json_t *object,
                                   const struct reader *reader, struct anole_error *error)
{
    if (!json_is_object(object))
        return fail_at(&reader->place, "this is no object", "an object: { ... }", error);
    const char *key;
    enum anole_status status = anole_json_text(&key, object, "task", &reader->place, error);
    if (!status)
        status = check_key(unread, key, device->dtype, reader, error);
    if (status || *unread)
        return status;
    status = read_fields(task, unread, task_fields, COUNT(task_fields), device->metric, object,
                         reader, error);
    if (!status)
        status = check_numbers(task, device->metric, &reader->place, error);
    if (!status)
        status = keep_extra(&task->extra, task_fields, COUNT(task_fields), device->metric, NULL,
                            object, error);
    return status;
}

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
                                    struct reader *reader, size_t number, struct anole_error *error)
{
    json_t *tasks;
    enum anole_status status = anole_json_array(&tasks, object, "tasks", &reader->place, error);
    if (status)
        return status;
    size_t count = json_array_size(tasks);
    device->tasks = calloc(count ? count : 1, sizeof *device->tasks);
    if (!device->tasks)
        return anole_fail_memory(error);
    for (size_t i = 0; !status && i < count; i++) {
        struct anole_lock_task *task = &device->tasks[device->task_count++];
        bool unread = false;
        snprintf(reader->place.path, sizeof reader->place.path, "device %zu, task %zu", number,
                 i + 1);
        status = read_task(task, &unread, device, json_array_get(tasks, i), reader, error);
        if (status || !unread)
            continue;
        task_fini(task);
        memset(task, 0, sizeof *task);
        device->task_count--;
        reader->unread++;
        status = keep_unread(&device->unread, json_array_get(tasks, i), error);
    }
    return status ? status : check_distinct(device, &reader->place, number, error);
}

/* -------------------------------------------------------------- reading: devices */

/* Of the kernels of all tasks, whatever their order. */
static uint64_t hash_kernels(const struct anole_lock_device *device)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < device->task_count; i++) {
        const struct anole_lock_task *task = &device->tasks[i];
        const uint64_t both[] = {anole_hash_bytes(task->task, strlen(task->task)),
                                 task->source_hash};
        sum += anole_hash_bytes(both, sizeof both);
    }
    return sum;
}

static void hash_text(char out[17], uint64_t hash)
{
    snprintf(out, 17, "%016" PRIx64, hash);
}

/* Another version may have tuned again, and kept what it knows nothing of. */
static void forget_stale(struct anole_lock_device *device, const json_t *object)
{
    char expected[17];
    const json_t *member = json_object_get(object, "in_place");
    hash_text(expected, hash_kernels(device));
    if (!member || strcmp(json_string_value(json_object_get(member, "kernels")), expected) == 0)
        return;
    json_decref(device->in_place.extra);
    device->in_place = (struct anole_lock_in_place){.rounds = 0};
}

static enum anole_status read_device(struct anole_lock_device *device, bool *unread, json_t *object,
                                     struct reader *reader, size_t number,
                                     struct anole_error *error)
{
    static const char *const other[] = {"tasks", NULL};
    snprintf(reader->place.path, sizeof reader->place.path, "device %zu", number);
    if (!json_is_object(object))
        return fail_at(&reader->place, "this is no object", "an object: { ... }", error);
    device->dtype = ANOLE_F32;
    enum anole_status status = read_fields(device, unread, device_fields, COUNT(device_fields),
                                           ANOLE_METRIC_SECONDS, object, reader, error);
    if (status || *unread)
        return status;
    status = keep_extra(&device->extra, device_fields, COUNT(device_fields), device->metric, other,
                        object, error);
    if (!status)
        status = read_tasks(device, object, reader, number, error);
    if (!status)
        forget_stale(device, object);
    return status;
}

/* What anole_lock_same_entry() compares, as one text; and whose it is. */
struct device_text {
    char *text;
    size_t device;
};

static int compare_devices(const void *a, const void *b)
{
    const struct device_text *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    return order ? order : (x->device > y->device) - (x->device < y->device);
}

/* An open batch is 1 where nothing is said. */
static uint32_t batch_of(const struct anole_lock_device *device)
{
    return device->batch > 0 ? device->batch : 1;
}

static char *device_text(const struct anole_lock_device *device)
{
    const char *const parts[] = {device->backend, device->device, device->driver};
    struct anole_text text = {0};
    for (size_t i = 0; i < COUNT(parts); i++) {
        anole_text_append_printable(&text, parts[i], strlen(parts[i]));
        anole_text_append(&text, "\n", 1);
    }
    anole_text_printf(&text, "%u %u %u %u", device->threads, device->dtype,
                      (unsigned)device->metric, batch_of(device));
    for (size_t i = 0; i < device->shape_count; i++) {
        anole_text_append(&text, "\n", 1);
        anole_text_append_printable(&text, device->shapes[i], strlen(device->shapes[i]));
    }
    if (!text.failed)
        return text.data;
    anole_text_fini(&text);
    return NULL;
}

/* Each once.  Sorted, for there may be many.  `numbers`: for messages, which in the file. */
static enum anole_status check_devices(const struct anole_lockfile *lockfile, const size_t *numbers,
                                       struct anole_json_place *place, struct anole_error *error)
{
    size_t count = lockfile->device_count;
    struct device_text *texts = calloc(count + 1, sizeof *texts);
    enum anole_status status = texts ? ANOLE_DONE : anole_fail_memory(error);
    for (size_t i = 0; !status && i < count; i++) {
        texts[i] = (struct device_text){device_text(&lockfile->devices[i]), i};
        if (!texts[i].text)
            status = anole_fail_memory(error);
    }
    if (!status)
        qsort(texts, count, sizeof *texts, compare_devices);
    for (size_t i = 1; !status && i < count; i++) {
        if (strcmp(texts[i - 1].text, texts[i].text) != 0)
            continue;
        snprintf(place->path, sizeof place->path, "device %zu", numbers[texts[i].device]);
        status = fail_at(place, "this device stands there twice",
                         "each backend, device, driver, number of threads, precision, metric, "
                         "batch and list of shapes once",
                         error);
    }
    for (size_t i = 0; texts && i < count; i++)
        free(texts[i].text);
    free(texts);
    return status;
}

static enum anole_status read_devices(struct anole_lockfile *lockfile, const json_t *root,
                                      struct reader *reader, struct anole_error *error)
{
    json_t *devices;
    enum anole_status status = anole_json_array(&devices, root, "devices", &reader->place, error);
    if (status)
        return status;
    size_t count = json_array_size(devices);
    size_t *numbers = calloc(count + 1, sizeof *numbers); /* in the file, of those that are kept */
    lockfile->devices = calloc(count ? count : 1, sizeof *lockfile->devices);
    if (!lockfile->devices || !numbers) {
        free(numbers);
        return anole_fail_memory(error);
    }
    for (size_t i = 0; !status && i < count; i++) {
        struct anole_lock_device *device = &lockfile->devices[lockfile->device_count++];
        bool unread = false;
        status = read_device(device, &unread, json_array_get(devices, i), reader, i + 1, error);
        snprintf(reader->place.path, sizeof reader->place.path, "device %zu", i + 1);
        if (status || !unread) {
            numbers[lockfile->device_count - 1] = i + 1;
            continue;
        }
        anole_lock_device_fini(device);
        memset(device, 0, sizeof *device);
        lockfile->device_count--;
        reader->unread++;
        status = keep_unread(&lockfile->unread, json_array_get(devices, i), error);
    }
    if (!status)
        status = check_devices(lockfile, numbers, &reader->place, error);
    free(numbers);
    return status;
}

/* ----------------------------------------------------------------- reading: file */

static enum anole_status check_version(uint64_t *out, const json_t *root, const char *file,
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
    json_int_t value = json_integer_value(version);
    if (value < 1 || value > ANOLE_LOCKFILE_VERSION)
        return anole_fail(error, ANOLE_ERR_VERSION,
                          "%s: the lock file's version is %s; expected the number %d, or a smaller "
                          "one: use the version of Anole that wrote it, or tune into another "
                          "file; nothing was changed",
                          name, anole_json_found(found, sizeof found, version),
                          ANOLE_LOCKFILE_VERSION);
    *out = (uint64_t)value;
    return ANOLE_DONE;
}

static void warn_of_unread(const struct reader *reader)
{
    char name[256];
    if (reader->unread)
        anole_log_warning(
            "%s: %zu entr%s written by a newer Anole, in a way that this one does not "
            "understand; %s kept, and left out",
            anole_text_printable(name, sizeof name, reader->place.file), reader->unread,
            reader->unread == 1 ? "y was" : "ies were", reader->unread == 1 ? "it is" : "they are");
}

static enum anole_status parse(struct anole_lockfile **lockfile, struct reader *reader,
                               const char *text, size_t length, struct anole_error *error)
{
    static const char *const other[] = {"anole_lock", "devices", NULL};
    const char *file = reader->place.file;
    json_t *root;
    struct anole_lockfile *new = NULL;
    bool unread = false; /* nothing in the file itself can be */
    enum anole_status status = anole_json_parse(&root, text, length, file, error);
    if (status)
        return status;
    status = check_version(&reader->version, root, file, error);
    if (!status && !(new = calloc(1, sizeof *new)))
        status = anole_fail_memory(error);
    if (!status)
        status = read_fields(new, &unread, file_fields, COUNT(file_fields), ANOLE_METRIC_SECONDS,
                             root, reader, error);
    if (!status)
        status = keep_extra(&new->extra, file_fields, COUNT(file_fields), ANOLE_METRIC_SECONDS,
                            other, root, error);
    if (!status)
        status = read_devices(new, root, reader, error);
    json_decref(root);
    if (status) {
        anole_lockfile_destroy(new);
        return status;
    }
    *lockfile = new;
    return ANOLE_DONE;
}

enum anole_status anole_lockfile_parse(struct anole_lockfile **lockfile, const char *text,
                                       size_t length, const char *file, struct anole_error *error)
{
    struct reader reader = {.place = {.file = file}};
    enum anole_status status = parse(lockfile, &reader, text, length, error);
    if (!status)
        warn_of_unread(&reader);
    return status;
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
    if (!status)
        (*lockfile)->folder = anole_file_folder(path);
    return status;
}

/* ------------------------------------------------------------------- comparing */

bool anole_lock_same_device(const struct anole_lock_device *a, const struct anole_lock_device *b)
{
    return a->threads == b->threads && a->dtype == b->dtype && a->metric == b->metric &&
           anole_lock_same_text(a->backend, b->backend) &&
           anole_lock_same_text(a->device, b->device) && anole_lock_same_text(a->driver, b->driver);
}

static bool has_shape(const struct anole_lock_device *device, const char *shape)
{
    for (size_t i = 0; i < device->shape_count; i++)
        if (anole_lock_same_text(device->shapes[i], shape))
            return true;
    return false;
}

bool anole_lock_same_sizes(const struct anole_lock_device *a, const struct anole_lock_device *b)
{
    bool same = batch_of(a) == batch_of(b) && a->shape_count == b->shape_count;
    for (size_t i = 0; i < a->shape_count && same; i++)
        same = has_shape(b, a->shapes[i]);
    return same;
}

bool anole_lock_same_entry(const struct anole_lock_device *a, const struct anole_lock_device *b)
{
    return anole_lock_same_device(a, b) && anole_lock_same_sizes(a, b);
}

const char *anole_lock_sizes_text(char *out, size_t size, const struct anole_lock_device *device)
{
    size_t used = 0;
    out[0] = '\0';
    if (device->batch > 0)
        used = (size_t)snprintf(out, size, "batch %u", device->batch);
    for (size_t i = 0; i < device->shape_count && used < size; i++) {
        char safe[200];
        anole_text_printable(safe, sizeof safe, device->shapes[i]);
        used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", safe);
    }
    return out;
}

bool anole_lock_same_kernel(const struct anole_lock_task *a, const struct anole_lock_task *b)
{
    if (a->knob_count != b->knob_count || a->source_hash != b->source_hash)
        return false;
    for (size_t i = 0; i < a->knob_count; i++)
        if (strcmp(a->knobs[i].name, b->knobs[i].name) != 0 ||
            a->knobs[i].value != b->knobs[i].value)
            return false;
    return true;
}

const struct anole_lock_task *anole_lock_task_find(const struct anole_lock_device *device,
                                                   const char *task)
{
    for (size_t i = 0; i < device->task_count; i++)
        if (strcmp(device->tasks[i].task, task) == 0)
            return &device->tasks[i];
    return NULL;
}

/* ------------------------------------------------------------------- putting */

static bool copy_text(char **out, const char *text)
{
    *out = strdup(text);
    return *out != NULL;
}

static bool copy_task(struct anole_lock_task *out, const struct anole_lock_task *task)
{
    *out = *task;
    out->knob_count = 0;
    out->task = out->adopted_from = NULL;
    out->extra = json_incref(task->extra); /* nobody changes it */
    out->knobs = calloc(task->knob_count ? task->knob_count : 1, sizeof *out->knobs);
    if (!out->knobs || !copy_text(&out->task, task->task) ||
        (task->adopted_from && !copy_text(&out->adopted_from, task->adopted_from)))
        return false;
    for (size_t i = 0; i < task->knob_count; i++, out->knob_count++) {
        out->knobs[i].value = task->knobs[i].value;
        if (!copy_text(&out->knobs[i].name, task->knobs[i].name))
            return false;
        const char *label = task->knobs[i].label;
        if (label && !copy_text(&out->knobs[i].label, label)) {
            free(out->knobs[i].name);
            return false;
        }
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
    out->metric = device->metric;
    out->batch = device->batch;
    out->most_kernels = device->most_kernels;
    out->simulated = device->simulated;
    out->in_place = device->in_place;
    out->in_place.extra = json_incref(device->in_place.extra);
    out->extra = json_incref(device->extra);
    out->unread = json_incref(device->unread);
    out->shapes = calloc(device->shape_count + 1, sizeof *out->shapes);
    if (!out->shapes)
        return false;
    for (size_t i = 0; i < device->shape_count; i++, out->shape_count++)
        if (!copy_text(&out->shapes[i], device->shapes[i]))
            return false;
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

/* Both objects' members, those of `own` before those of `old`; false if memory ran out. */
static bool join_objects(json_t **own, json_t *old)
{
    if (!old || *own == old)
        return true;
    json_t *joined = json_object();
    if (json_object_update(joined, old) || (*own && json_object_update(joined, *own))) {
        json_decref(joined);
        return false;
    }
    json_decref(*own);
    *own = joined;
    return true;
}

/* Both arrays' elements, each once. */
static bool join_arrays(json_t **own, json_t *old)
{
    if (!old || *own == old)
        return true;
    json_t *joined = json_array();
    bool good = joined && (!*own || json_array_extend(joined, *own) == 0);
    for (size_t i = 0; good && i < json_array_size(old); i++) {
        json_t *entry = json_array_get(old, i);
        bool there = false;
        for (size_t j = 0; j < json_array_size(joined); j++)
            there |= json_equal(json_array_get(joined, j), entry);
        good = there || json_array_append(joined, entry) == 0;
    }
    if (!good) {
        json_decref(joined);
        return false;
    }
    json_decref(*own);
    *own = joined;
    return true;
}

/* Takes over from the entry that is replaced what this version knows nothing of. */
static bool keep_unknown(struct anole_lock_device *device, const struct anole_lock_device *old)
{
    if (!join_objects(&device->extra, old->extra) || !join_arrays(&device->unread, old->unread))
        return false;
    for (size_t i = 0; i < device->task_count; i++) {
        struct anole_lock_task *task = &device->tasks[i];
        const struct anole_lock_task *before = anole_lock_task_find(old, task->task);
        if (before && anole_lock_same_kernel(before, task) &&
            !join_objects(&task->extra, before->extra))
            return false;
    }
    return true;
}

double anole_lock_device_sum(const struct anole_lock_device *device)
{
    double sum = 0.0;
    for (size_t i = 0; i < device->task_count; i++)
        sum += device->tasks[i].multiplicity * device->tasks[i].value;
    return sum;
}

struct anole_lock_device *anole_lockfile_same(const struct anole_lockfile *lockfile,
                                              const struct anole_lock_device *device)
{
    for (size_t i = 0; i < lockfile->device_count; i++)
        if (anole_lock_same_entry(&lockfile->devices[i], device))
            return &lockfile->devices[i];
    return NULL;
}

enum anole_status anole_lockfile_put(struct anole_lockfile *lockfile,
                                     const struct anole_lock_device *device,
                                     struct anole_error *error)
{
    struct anole_lock_device copy, *devices;
    size_t at = 0;
    while (at < lockfile->device_count && !anole_lock_same_entry(&lockfile->devices[at], device))
        at++;
    if (!copy_device(&copy, device))
        goto release_copy;
    if (at < lockfile->device_count) {
        if (!keep_unknown(&copy, &lockfile->devices[at]))
            goto release_copy;
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
        const struct anole_lock_task *found = anole_lock_task_find(held, task);
        if (found)
            return found;
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

/* A value of JSON on one line; consumes it.  NULL: memory ran out.  Reals have `digits`. */
static void write_value(struct anole_text *out, json_t *value, size_t digits)
{
    char *text =
        value ? anole_json_dump(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits)) : NULL;
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

static json_t *make_labels(const struct anole_lock_task *task)
{
    json_t *labels = json_object();
    for (size_t i = 0; i < task->knob_count; i++) {
        const struct anole_lock_knob *knob = &task->knobs[i];
        if (knob->label && json_object_set_new(labels, knob->name, make_text(knob->label))) {
            json_decref(labels);
            return NULL;
        }
    }
    return labels;
}

static bool has_labels(const struct anole_lock_task *task)
{
    for (size_t i = 0; i < task->knob_count; i++)
        if (task->knobs[i].label)
            return true;
    return false;
}

static json_t *make_shapes(const struct anole_lock_device *device)
{
    json_t *shapes = json_array();
    for (size_t i = 0; i < device->shape_count; i++)
        if (json_array_append_new(shapes, make_text(device->shapes[i]))) {
            json_decref(shapes);
            return NULL;
        }
    return shapes;
}

/* NULL: it is written elsewhere. */
static json_t *make_value(const struct field *field, const void *entry)
{
    const void *at = (const char *)entry + field->offset;
    char hash[20];
    switch (field->type) {
    case FIELD_TEXT:
    case FIELD_PATH:
        return make_text(*(char *const *)at);
    case FIELD_U32:
        return json_integer(*(const uint32_t *)at);
    case FIELD_NUMBER:
        return anole_json_real(*(const double *)at);
    case FIELD_BOOL:
        return json_boolean(*(const bool *)at);
    case FIELD_HASH:
        snprintf(hash, sizeof hash, "%016" PRIx64, *(const uint64_t *)at);
        return json_string(hash);
    case FIELD_PRECISION:
        return json_string(anole_precision_text(*(const uint32_t *)at));
    case FIELD_METRIC:
        return json_string(anole_metric_text(*(const enum anole_metric *)at));
    case FIELD_WARMTH:
        return json_string(anole_warmth_text(*(const enum anole_warmth *)at));
    case FIELD_TIMER:
        return json_string(anole_timer_text(*(const enum anole_timer *)at));
    case FIELD_SHARE:
        return anole_json_real(*(const double *)at);
    case FIELD_KNOBS:
        return make_knobs(entry);
    case FIELD_LABELS:
        return make_labels(entry);
    case FIELD_SIZE:
        return json_integer(*(const uint32_t *)at);
    case FIELD_POSITIVE:
        return json_real(*(const double *)at);
    case FIELD_SHAPES:
        return make_shapes(entry);
    case FIELD_IN_PLACE:
        break;
    }
    return NULL;
}

static bool is_left_out(const struct field *field, const void *entry)
{
    const void *at = (const char *)entry + field->offset;
    switch (field->type) {
    case FIELD_TEXT:
        return !field->since && !*(char *const *)at;
    case FIELD_PRECISION:
        return *(const uint32_t *)at == ANOLE_F32;
    case FIELD_WARMTH:
        return *(const enum anole_warmth *)at == ANOLE_WARMTH_HOT;
    case FIELD_TIMER:
        return *(const enum anole_timer *)at == ANOLE_TIMER_UNSAID;
    case FIELD_SHARE:
        return *(const double *)at == 0.0;
    case FIELD_BOOL:
        return !field->since && !*(const bool *)at;
    case FIELD_SIZE:
        return *(const uint32_t *)at == 0;
    case FIELD_POSITIVE:
        return *(const double *)at == 0.0;
    case FIELD_LABELS:
        return !has_labels(entry);
    case FIELD_SHAPES:
        return ((const struct anole_lock_device *)entry)->shape_count == 0;
    case FIELD_IN_PLACE:
        return ((const struct anole_lock_in_place *)at)->rounds == 0;
    default:
        return false;
    }
}

static void write_in_place(struct anole_text *out, const struct anole_lock_device *device);

/* The members of an entry, each after `first` or `next`, and behind them what is not known here,
 * with all digits that a number may have. */
static void write_members(struct anole_text *out, const struct field *fields, size_t count,
                          enum anole_metric metric, const void *entry, json_t *extra,
                          const char *first, const char *next)
{
    const char *key;
    json_t *value;
    for (size_t i = 0; i < count; i++) {
        char name[NAME_ROOM];
        if (is_left_out(&fields[i], entry))
            continue;
        field_name(name, &fields[i], metric);
        anole_text_printf(out, "%s\"%s\": ", i ? next : first, name);
        if (fields[i].type == FIELD_IN_PLACE)
            write_in_place(out, entry);
        else
            write_value(out, make_value(&fields[i], entry), 9);
    }
    json_object_foreach(extra, key, value)
    {
        anole_text_append(out, next, strlen(next));
        write_value(out, json_string(key), 9);
        anole_text_append(out, ": ", 2);
        write_value(out, json_incref(value), 17);
    }
}

static void write_in_place(struct anole_text *out, const struct anole_lock_device *device)
{
    char kernels[17];
    hash_text(kernels, hash_kernels(device));
    write_members(out, in_place_fields, COUNT(in_place_fields), ANOLE_METRIC_SECONDS,
                  &device->in_place, device->in_place.extra, "{", ", ");
    anole_text_printf(out, ", \"kernels\": \"%s\"}", kernels);
}

/* Entries that only a newer Anole understands, behind the `before` others. */
static void write_unread(struct anole_text *out, const json_t *unread, size_t before,
                         const char *indent)
{
    for (size_t i = 0; i < json_array_size(unread); i++) {
        anole_text_printf(out, "%s\n%s", before || i ? "," : "", indent);
        write_value(out, json_incref(json_array_get(unread, i)), 17);
    }
}

static void write_device(struct anole_text *out, const struct anole_lock_device *device)
{
    write_members(out, device_fields, COUNT(device_fields), device->metric, device, device->extra,
                  "    {\n      ", ",\n      ");
    anole_text_printf(out, ",\n      \"tasks\": [");
    for (size_t i = 0; i < device->task_count; i++) {
        anole_text_printf(out, "%s\n        ", i ? "," : "");
        write_members(out, task_fields, COUNT(task_fields), device->metric, &device->tasks[i],
                      device->tasks[i].extra, "{", ", ");
        anole_text_append(out, "}", 1);
    }
    write_unread(out, device->unread, device->task_count, "        ");
    anole_text_printf(out, "%s]\n    }", device->task_count || device->unread ? "\n      " : "");
}

static void write_lockfile(struct anole_text *out, const struct anole_lockfile *lockfile)
{
    anole_text_printf(out, "{\n  \"anole_lock\": %d", ANOLE_LOCKFILE_VERSION);
    write_members(out, file_fields, COUNT(file_fields), ANOLE_METRIC_SECONDS, lockfile,
                  lockfile->extra, ",\n  ", ",\n  ");
    anole_text_printf(out, ",\n  \"devices\": [");
    for (size_t i = 0; i < lockfile->device_count; i++) {
        anole_text_printf(out, "%s\n", i ? "," : "");
        write_device(out, &lockfile->devices[i]);
    }
    write_unread(out, lockfile->unread, lockfile->device_count, "    ");
    anole_text_printf(out, "%s]\n}\n", lockfile->device_count || lockfile->unread ? "\n  " : "");
}

static size_t count_unread(const struct anole_lockfile *lockfile)
{
    size_t count = json_array_size(lockfile->unread);
    for (size_t i = 0; i < lockfile->device_count; i++)
        count += json_array_size(lockfile->devices[i].unread);
    return count;
}

enum anole_status anole_lockfile_print(char **text, size_t *length,
                                       const struct anole_lockfile *lockfile,
                                       struct anole_error *error)
{
    struct anole_text printed = {0};
    write_lockfile(&printed, lockfile);
    if (printed.failed) {
        anole_text_fini(&printed);
        return anole_fail_memory(error);
    }
    *text = printed.data;
    *length = printed.length;
    return ANOLE_DONE;
}

static enum anole_status save(const struct anole_lockfile *lockfile, const char *path, bool here,
                              struct anole_error *error)
{
    struct anole_text text = {0};
    struct anole_lockfile *again = NULL;
    struct anole_error why = {0};
    struct reader reader = {.place = {.file = path}};
    write_lockfile(&text, lockfile);
    enum anole_status status = text.failed ? ANOLE_ERR_MEMORY : ANOLE_DONE;
    /* The file that is there may be the only good one. */
    if (!status)
        status = parse(&again, &reader, text.data, text.length, &why);
    if (!status && reader.unread != count_unread(lockfile))
        status = anole_fail(&why, ANOLE_ERR_INPUT, "%s: not every entry would be understood", path);
    if (status == ANOLE_ERR_MEMORY)
        anole_fail_memory(error);
    else if (status)
        status = anole_fail(error, ANOLE_ERR_INTERNAL,
                            "a lock file that could not be read again was not written (this is a "
                            "fault of Anole: please report it): %.500s",
                            why.text);
    if (!status)
        status = (here ? anole_file_replace_here : anole_file_replace)(path, text.data, text.length,
                                                                       error);
    anole_lockfile_destroy(again);
    anole_text_fini(&text);
    return status;
}

enum anole_status anole_lockfile_save(const struct anole_lockfile *lockfile, const char *path,
                                      struct anole_error *error)
{
    return save(lockfile, path, false, error);
}

enum anole_status anole_lockfile_save_here(const struct anole_lockfile *lockfile, const char *path,
                                           struct anole_error *error)
{
    return save(lockfile, path, true, error);
}
