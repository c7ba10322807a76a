/* SPDX-License-Identifier: MIT
 *
 * Results in the format T4 of the auto-tuning community's FAIR benchmark hub.
 */
#include "formats/recording_private.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------- units */

/* The hub's own files spell it "miliseconds". */
static bool find_unit(const char *text, double *unit)
{
    static const struct {
        const char *text;
        double unit;
    } units[] = {{"s", 1.0},
                 {"second", 1.0},
                 {"seconds", 1.0},
                 {"ms", 1e-3},
                 {"millisecond", 1e-3},
                 {"milliseconds", 1e-3},
                 {"miliseconds", 1e-3},
                 {"us", 1e-6},
                 {"microseconds", 1e-6},
                 {"ns", 1e-9},
                 {"nanoseconds", 1e-9}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(text, units[i].text) == 0) {
            *unit = units[i].unit;
            return true;
        }
    }
    return false;
}

static enum anole_status fail_unit(const struct anole_recording_reader *reader, const char *where,
                                   const char *found)
{
    char shown[80];
    return anole_fail(reader->error, ANOLE_ERR_INPUT,
                      "%s: the unit of time is \"%s\"; expected s, ms, us, ns, or one of them "
                      "spelled out, as in \"milliseconds\"",
                      where, anole_text_printable(shown, sizeof shown, found));
}

/* Wherever in the file the metadata stand, they hold for all of it. */
static enum anole_status read_metadata(struct anole_recording_reader *reader)
{
    struct anole_recording_reader ahead = *reader;
    char key[16];
    bool more;
    enum anole_status status = ANOLE_DONE;
    for (;;) {
        status = anole_json_scan_member(&ahead.scan, &more, key, sizeof key);
        if (status != ANOLE_DONE || !more)
            return status;
        if (strcmp(key, "metadata") == 0 && anole_json_scan_peek(&ahead.scan) == '{')
            break;
        status = anole_json_scan_skip(&ahead.scan);
        if (status != ANOLE_DONE)
            return status;
    }
    json_t *metadata;
    status = anole_json_scan_value(&ahead.scan, &metadata, ANOLE_LARGEST_ENTRY);
    if (status != ANOLE_DONE)
        return status;
    const json_t *unit = json_object_get(metadata, "timeunit");
    if (json_is_string(unit) && !find_unit(json_string_value(unit), &reader->unit))
        status = fail_unit(reader, reader->scan.file, json_string_value(unit));
    const char *device = json_string_value(json_object_get(metadata, "device"));
    if (device)
        anole_text_printable(reader->recording->device, sizeof reader->recording->device, device);
    json_decref(metadata);
    return status;
}

/* ----------------------------------------------------------------- entries */

static enum anole_status read_outcome(const struct anole_recording_reader *reader,
                                      const json_t *entry, enum anole_outcome *outcome)
{
    static const struct {
        const char *text;
        enum anole_outcome outcome;
    } kinds[] = {{"correct", ANOLE_OUTCOME_OK},
                 {"constraints", ANOLE_OUTCOME_INVALID},
                 {"compile", ANOLE_OUTCOME_COMPILE},
                 {"runtime", ANOLE_OUTCOME_LAUNCH},
                 {"correctness", ANOLE_OUTCOME_WRONG_ANSWER},
                 {"timeout", ANOLE_OUTCOME_TIMEOUT}};
    const json_t *kind = json_object_get(entry, "invalidity");
    for (size_t i = 0; json_is_string(kind) && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(json_string_value(kind), kinds[i].text) == 0) {
            *outcome = kinds[i].outcome;
            return ANOLE_DONE;
        }
    }
    char where[384], found[128];
    return anole_fail(reader->error, ANOLE_ERR_INPUT,
                      "%s: \"invalidity\" is %s; expected correct, constraints, compile, runtime, "
                      "correctness or timeout",
                      anole_recording_place(reader, where, sizeof where),
                      anole_json_found(found, sizeof found, kind));
}

/* The measurement "time"; NULL if there is none. */
static const json_t *find_time(const json_t *entry)
{
    const json_t *list = json_object_get(entry, "measurements");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *measurement = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(measurement, "name"));
        if (name && strcmp(name, "time") == 0)
            return measurement;
    }
    return NULL;
}

/* Leaves *seconds as it is if nothing sums the runs up; NaN if that is no usable time. */
static enum anole_status read_seconds(const struct anole_recording_reader *reader,
                                      const json_t *entry, double *seconds)
{
    const json_t *measurement = find_time(entry);
    const char *unit = json_string_value(json_object_get(measurement, "unit"));
    struct anole_recording_reader scaled = *reader;
    char where[384];
    if (!measurement)
        return ANOLE_DONE;
    if (unit && unit[0] && !find_unit(unit, &scaled.unit))
        return fail_unit(reader, anole_recording_place(reader, where, sizeof where), unit);
    const json_t *value = json_object_get(measurement, "value");
    if (!json_is_number(value) || !anole_recording_time(&scaled, value, seconds))
        *seconds = NAN;
    return ANOLE_DONE;
}

/* *mean: of the runs that are listed; NaN if there are none.  A cost that cannot be read is
 * missing, as many are. */
static void read_costs(const struct anole_recording_reader *reader, const json_t *entry,
                       struct anole_recorded *recorded, double *mean)
{
    double benchmark;
    const json_t *times = json_object_get(entry, "times");
    const json_t *build = json_object_get(times, "compilation");
    const json_t *runs = json_object_get(times, "runtimes");
    size_t samples;
    if (!build)
        build = json_object_get(times, "compilation_time");
    recorded->build = anole_recording_cost(reader, build);
    recorded->verify = anole_recording_cost(reader, json_object_get(times, "validation"));
    recorded->other = anole_recording_cost(reader, json_object_get(times, "framework"));
    benchmark = anole_recording_cost(reader, json_object_get(times, "benchmark"));
    if (!anole_recording_sum(reader, runs, &recorded->run, &samples)) {
        recorded->run = 0.0;
        samples = 0;
    }
    recorded->samples = (uint32_t)samples;
    *mean = samples ? recorded->run / (double)samples : NAN;
    /* All runs together, where (as in our own files) not each is listed. */
    recorded->run = benchmark > 0.0 ? benchmark : recorded->run;
}

static enum anole_status read_entry(struct anole_recording_reader *reader, const json_t *entry)
{
    struct anole_recorded recorded = {.outcome = ANOLE_OUTCOME_OK};
    const json_t *configuration = json_object_get(entry, "configuration");
    char where[384], found[128];
    bool inside;
    reader->recording->counts.entries++;
    if (!json_is_object(configuration))
        return anole_fail(reader->error, ANOLE_ERR_INPUT,
                          "%s: \"configuration\" is %s; expected an object: {\"NAME\": VALUE, ...}",
                          anole_recording_place(reader, where, sizeof where),
                          anole_json_found(found, sizeof found, configuration));
    enum anole_status status = read_outcome(reader, entry, &recorded.outcome);
    if (status != ANOLE_DONE)
        return status;
    anole_recording_config(reader, configuration, &inside, &recorded.config);
    if (!inside)
        return ANOLE_DONE;
    read_costs(reader, entry, &recorded, &recorded.seconds);
    if (recorded.outcome == ANOLE_OUTCOME_OK)
        status = read_seconds(reader, entry, &recorded.seconds);
    if (status == ANOLE_DONE && !recorded.samples)
        recorded.samples = 1; /* somebody has timed it */
    return status == ANOLE_DONE ? anole_recording_take(reader, &recorded) : status;
}

enum anole_status anole_recording_read_t4(struct anole_recording_reader *reader)
{
    struct anole_json_scan *scan = &reader->scan;
    char key[16];
    bool more = true;
    enum anole_status status = read_metadata(reader);
    while (status == ANOLE_DONE) {
        status = anole_json_scan_member(scan, &more, key, sizeof key);
        if (status != ANOLE_DONE || !more)
            break;
        status = strcmp(key, "results") == 0 ? anole_recording_entries(reader, read_entry)
                                             : anole_json_scan_skip(scan);
    }
    return status == ANOLE_DONE ? anole_json_scan_end(scan) : status;
}
