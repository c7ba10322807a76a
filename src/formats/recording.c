/* SPDX-License-Identifier: MIT */
#include "formats/recording_private.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

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

double anole_recording_cost(const struct anole_recording_reader *reader, const json_t *json)
{
    double seconds;
    return anole_recording_time(reader, json, &seconds) ? seconds : 0.0;
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

enum anole_status anole_recording_entries(
    struct anole_recording_reader *reader,
    enum anole_status (*read)(struct anole_recording_reader *reader, const json_t *entry))
{
    struct anole_json_scan *scan = &reader->scan;
    bool more;
    enum anole_status status = anole_json_scan_open(scan, '[');
    while (status == ANOLE_DONE) {
        json_t *entry;
        status = anole_json_scan_element(scan, &more);
        if (status != ANOLE_DONE || !more)
            break;
        status = anole_json_scan_value(scan, &entry, ANOLE_LARGEST_ENTRY);
        if (status != ANOLE_DONE)
            break;
        status = read(reader, entry);
        json_decref(entry);
    }
    return status;
}

enum anole_status anole_recording_read_device(struct anole_recording_reader *reader)
{
    json_t *name;
    enum anole_status status = anole_json_scan_value(&reader->scan, &name, ANOLE_LARGEST_ENTRY);
    if (status != ANOLE_DONE)
        return status;
    anole_text_printable(reader->recording->device, sizeof reader->recording->device,
                         json_string_value(name));
    json_decref(name);
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------ reading */

void anole_recording_destroy(struct anole_recording *recording)
{
    if (!recording)
        return;
    anole_config_map_fini(&recording->where);
    free(recording->items);
    free(recording);
}

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
