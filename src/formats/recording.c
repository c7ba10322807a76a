/* SPDX-License-Identifier: MIT */
#include "formats/recording_private.h"

#include "base/text.h"
#include "formats/gzip.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ entries */

const char *anole_recording_place(const struct anole_recording_reader *reader, char *out,
                                  size_t size)
{
    snprintf(out, size, "%s: entry %zu, which ends in line %zu", reader->scan.file,
             reader->recording->counts.entries, anole_json_scan_line(&reader->scan));
    return out;
}

/* The position of a value among a parameter's, or SIZE_MAX. */
static size_t find_value(const struct anole_t1_parameter *parameter, const json_t *value)
{
    if (json_is_string(value))
        return anole_t1_find_text(parameter, json_string_value(value));
    if (json_is_boolean(value))
        return anole_t1_find_number(parameter, json_is_true(value));
    return json_is_number(value) ? anole_t1_find_number(parameter, json_number_value(value))
                                 : SIZE_MAX;
}

void anole_recording_config(struct anole_recording_reader *reader, const json_t *values,
                            bool *found, uint64_t *config)
{
    uint16_t digits[ANOLE_MAX_KNOBS];
    struct anole_recording_counts *counts = &reader->recording->counts;
    *found = false;
    for (size_t i = 0; i < reader->t1->parameter_count; i++) {
        const struct anole_t1_parameter *parameter = &reader->t1->parameters[i];
        const json_t *value = json_object_get(values, parameter->name);
        /* A parameter without a choice need not be mentioned. */
        size_t digit = !value && parameter->count == 1 ? 0 : find_value(parameter, value);
        if (digit == SIZE_MAX) {
            counts->outside++;
            return;
        }
        digits[i] = (uint16_t)digit;
    }
    if (!anole_space_valid_digits(reader->space, digits)) {
        counts->forbidden++;
        return;
    }
    *found = true;
    *config = anole_space_encode(reader->space, digits);
}

bool anole_recording_time(const struct anole_recording_reader *reader, const json_t *json,
                          double *seconds)
{
    *seconds = 0.0;
    if (!json || json_is_null(json))
        return true;
    double value = json_number_value(json);
    *seconds = value * reader->unit;
    return json_is_number(json) && value >= 0.0 && isfinite(*seconds);
}

bool anole_recording_sum(const struct anole_recording_reader *reader, const json_t *json,
                         double *seconds, size_t *count)
{
    *seconds = 0.0;
    *count = json_array_size(json);
    for (size_t i = 0; i < *count; i++) {
        double one;
        if (json_is_null(json_array_get(json, i)) ||
            !anole_recording_time(reader, json_array_get(json, i), &one))
            return false;
        *seconds += one;
    }
    return isfinite(*seconds);
}

/* The position of a config's entry, a new one if it has none. */
static enum anole_status find_place(struct anole_recording *recording, uint64_t config,
                                    size_t *place, struct anole_error *error)
{
    uint32_t known = anole_config_map_get(&recording->where, config);
    if (known != UINT32_MAX) {
        recording->counts.repeated++;
        *place = known;
        return ANOLE_DONE;
    }
    if (recording->count == recording->capacity) {
        size_t capacity = recording->capacity ? 2 * recording->capacity : 1024;
        struct anole_recorded *grown =
            reallocarray(recording->items, capacity, sizeof *recording->items);
        if (!grown)
            return anole_fail_memory(error);
        recording->items = grown;
        recording->capacity = capacity;
    }
    if (!anole_config_map_put(&recording->where, config, (uint32_t)recording->count))
        return anole_fail_memory(error);
    *place = recording->count++;
    return ANOLE_DONE;
}

enum anole_status anole_recording_take(struct anole_recording_reader *reader,
                                       const struct anole_recorded *recorded)
{
    struct anole_recorded taken = *recorded;
    size_t place = 0;
    if (taken.outcome == ANOLE_OUTCOME_OK && !(taken.seconds > 0.0 && isfinite(taken.seconds))) {
        reader->recording->counts.unusable++;
        return ANOLE_DONE;
    }
    if (taken.outcome != ANOLE_OUTCOME_OK) {
        taken.seconds = NAN;
        taken.samples = 0;
    }
    enum anole_status status = find_place(reader->recording, taken.config, &place, reader->error);
    if (status == ANOLE_DONE)
        reader->recording->items[place] = taken;
    return status;
}

/* -------------------------------------------------------------------- files */

/* Sets *key to what tells the formats apart. */
static enum anole_status find_format(struct anole_recording_reader *reader, char *format,
                                     size_t size)
{
    struct anole_json_scan scan = reader->scan;
    char key[16];
    bool more;
    scan.may_end = true; /* a fault behind is the reader's to find */
    enum anole_status status = anole_json_scan_open(&scan, '{');
    while (status == ANOLE_DONE) {
        status = anole_json_scan_member(&scan, &more, key, sizeof key);
        if (status != ANOLE_DONE || !more)
            break;
        char next = anole_json_scan_peek(&scan);
        if ((strcmp(key, "results") == 0 && next == '[') ||
            (strcmp(key, "cache") == 0 && next == '{')) {
            snprintf(format, size, "%s", key);
            return ANOLE_DONE;
        }
        status = anole_json_scan_skip(&scan);
    }
    if (status != ANOLE_DONE)
        return status;
    return anole_fail(reader->error, ANOLE_ERR_INPUT,
                      "%s: expected results in the format T4 (an array \"results\") or a cache "
                      "file of Kernel Tuner (an object \"cache\"), found neither",
                      scan.file);
}

/* What the file's name says before the first dot: "A100.T4.json.gz". */
static void name_after_file(struct anole_recording *recording, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char raw[128];
    snprintf(raw, sizeof raw, "%.*s", (int)strcspn(name, "."), name);
    anole_text_printable(recording->device, sizeof recording->device, raw);
}

static enum anole_status sum_up(struct anole_recording_reader *reader)
{
    struct anole_recording *recording = reader->recording;
    struct anole_recording_counts *counts = &recording->counts;
    for (size_t i = 0; i < recording->count; i++) {
        const struct anole_recorded *item = &recording->items[i];
        if (item->outcome != ANOLE_OUTCOME_OK) {
            counts->failed++;
        } else if (counts->ok++ == 0 || item->seconds < recording->items[recording->best].seconds) {
            recording->best = i;
        }
    }
    if (counts->ok)
        return ANOLE_DONE;
    if (counts->entries && counts->outside == counts->entries)
        return anole_fail(reader->error, ANOLE_ERR_INPUT,
                          "%s: none of its %zu entries lies in the design space of %s: is that the "
                          "T1 file that it was made with?",
                          reader->scan.file, counts->entries, reader->t1->path);
    char text[256];
    return anole_fail(reader->error, ANOLE_ERR_INPUT,
                      "%s: expected a kernel that ran, found none: %s", reader->scan.file,
                      anole_recording_summary(recording, text, sizeof text));
}

enum anole_status anole_recording_parse(struct anole_recording **recording,
                                        const struct anole_t1 *t1, const struct anole_space *space,
                                        const char *text, size_t length, const char *path,
                                        struct anole_error *error)
{
    char file[256], format[16];
    struct anole_recording_reader reader = {.t1 = t1, .space = space, .unit = 1e-3, .error = error};
    anole_text_printable(file, sizeof file, path);
    reader.scan =
        (struct anole_json_scan){.text = text, .length = length, .file = file, .error = error};
    reader.recording = calloc(1, sizeof *reader.recording);
    if (!reader.recording)
        return anole_fail_memory(error);
    name_after_file(reader.recording, path);
    enum anole_status status = find_format(&reader, format, sizeof format);
    if (status == ANOLE_DONE)
        status = anole_json_scan_open(&reader.scan, '{');
    if (status == ANOLE_DONE)
        status = strcmp(format, "cache") == 0 ? anole_recording_read_cache(&reader)
                                              : anole_recording_read_t4(&reader);
    if (status == ANOLE_DONE)
        status = sum_up(&reader);
    if (status == ANOLE_DONE)
        *recording = reader.recording;
    else
        anole_recording_destroy(reader.recording);
    return status;
}

enum anole_status anole_recording_load(struct anole_recording **recording,
                                       const struct anole_t1 *t1, const struct anole_space *space,
                                       const char *path, struct anole_error *error)
{
    char *text;
    size_t length;
    enum anole_status status = anole_gzip_read(&text, &length, path, error);
    if (status != ANOLE_DONE)
        return status;
    status = anole_recording_parse(recording, t1, space, text, length, path, error);
    free(text);
    return status;
}

void anole_recording_destroy(struct anole_recording *recording)
{
    if (!recording)
        return;
    anole_config_map_fini(&recording->where);
    free(recording->items);
    free(recording);
}

/* ------------------------------------------------------------------ reading */

const char *anole_recording_device(const struct anole_recording *recording)
{
    return recording->device;
}

const struct anole_recording_counts *anole_recording_counts(const struct anole_recording *recording)
{
    return &recording->counts;
}

const char *anole_recording_summary(const struct anole_recording *recording, char *out, size_t size)
{
    const struct anole_recording_counts *counts = &recording->counts;
    const struct {
        size_t count;
        const char *words;
    } passed[] = {{counts->repeated, "repeated"},
                  {counts->outside, "outside the space"},
                  {counts->forbidden, "against its conditions"},
                  {counts->unusable, "without a usable time"}};
    struct anole_text text = {0};
    const char *separator = "; passed over: ";
    anole_text_printf(&text, "%zu configs (%zu failed)", recording->count, counts->failed);
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++) {
        if (!passed[i].count)
            continue;
        anole_text_printf(&text, "%s%zu %s", separator, passed[i].count, passed[i].words);
        separator = ", ";
    }
    snprintf(out, size, "%s", text.data ? text.data : "");
    anole_text_fini(&text);
    return out;
}

size_t anole_recording_count(const struct anole_recording *recording)
{
    return recording->count;
}

const struct anole_recorded *anole_recording_get(const struct anole_recording *recording, size_t i)
{
    return i < recording->count ? &recording->items[i] : NULL;
}

const struct anole_recorded *anole_recording_find(const struct anole_recording *recording,
                                                  uint64_t config)
{
    uint32_t place = anole_config_map_get(&recording->where, config);
    return place != UINT32_MAX ? &recording->items[place] : NULL;
}

const struct anole_recorded *anole_recording_best(const struct anole_recording *recording)
{
    return &recording->items[recording->best];
}

void anole_recorded_result(const struct anole_recorded *recorded, struct anole_result *result)
{
    *result = (struct anole_result){
        .outcome = recorded->outcome,
        .simulated = true,
        .samples = recorded->samples,
        .seconds = recorded->seconds,
        .low = recorded->seconds,
        .high = recorded->seconds,
        .error = NAN,
        .cost = {.build = recorded->build, .run = recorded->run, .verify = recorded->verify}};
    if (recorded->outcome != ANOLE_OUTCOME_OK)
        snprintf(result->message, sizeof result->message, "recorded: %s",
                 anole_outcome_words(recorded->outcome));
}
