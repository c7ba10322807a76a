/* SPDX-License-Identifier: MIT
 *
 * Kernel Tuner's cache files.  The program appends an entry after each trial and
 * closes the file when it is done: a file that ends between two entries is one of
 * a run that was interrupted, and good.
 */
#include "formats/recording_private.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Older versions wrote this for the time of a config that failed. */
#define FAILED_TIME 1e20

static bool find_outcome(const char *text, enum anole_outcome *outcome)
{
    static const struct {
        const char *text;
        enum anole_outcome outcome;
    } kinds[] = {{"InvalidConfig", ANOLE_OUTCOME_INVALID},
                 {"CompilationFailedConfig", ANOLE_OUTCOME_COMPILE},
                 {"RuntimeFailedConfig", ANOLE_OUTCOME_LAUNCH},
                 {"IncorrectResultConfig", ANOLE_OUTCOME_WRONG_ANSWER}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(text, kinds[i].text) == 0) {
            *outcome = kinds[i].outcome;
            return true;
        }
    }
    return false;
}

/* Where the time should be stands what went wrong; or, in newer files, apart. */
static enum anole_status read_outcome(const struct anole_recording_reader *reader,
                                      const json_t *entry, enum anole_outcome *outcome)
{
    const json_t *time = json_object_get(entry, "time"),
                 *fault = json_object_get(entry, "__error__");
    const char *text = json_string_value(json_is_string(fault) ? fault : time);
    char where[384], shown[128];
    if (!text) {
        *outcome = json_number_value(time) >= FAILED_TIME ? ANOLE_OUTCOME_LAUNCH : ANOLE_OUTCOME_OK;
        return ANOLE_DONE;
    }
    if (find_outcome(text, outcome))
        return ANOLE_DONE;
    return anole_fail(reader->error, ANOLE_ERR_INPUT,
                      "%s: expected a time, InvalidConfig, CompilationFailedConfig, "
                      "RuntimeFailedConfig or IncorrectResultConfig, found \"%s\"",
                      anole_recording_place(reader, where, sizeof where),
                      anole_text_printable(shown, sizeof shown, text));
}

static void read_costs(const struct anole_recording_reader *reader, const json_t *entry,
                       struct anole_recorded *recorded)
{
    double sum, benchmark = anole_recording_cost(reader, json_object_get(entry, "benchmark_time"));
    size_t samples;
    if (!anole_recording_sum(reader, json_object_get(entry, "times"), &sum, &samples)) {
        sum = 0.0;
        samples = 1;
    }
    recorded->build = anole_recording_cost(reader, json_object_get(entry, "compile_time"));
    recorded->verify = anole_recording_cost(reader, json_object_get(entry, "verification_time"));
    recorded->other = anole_recording_cost(reader, json_object_get(entry, "framework_time"));
    recorded->run = benchmark > 0.0 ? benchmark : sum;
    recorded->samples = samples ? (uint32_t)samples : 1;
}

static enum anole_status read_entry(struct anole_recording_reader *reader, const json_t *entry)
{
    struct anole_recorded recorded = {.outcome = ANOLE_OUTCOME_OK};
    char where[384], found[128];
    bool inside;
    reader->recording->counts.entries++;
    if (!json_is_object(entry))
        return anole_fail(reader->error, ANOLE_ERR_INPUT, "%s is %s; expected an object",
                          anole_recording_place(reader, where, sizeof where),
                          anole_json_found(found, sizeof found, entry));
    enum anole_status status = read_outcome(reader, entry, &recorded.outcome);
    if (status != ANOLE_DONE)
        return status;
    anole_recording_config(reader, entry, &inside, &recorded.config);
    if (!inside)
        return ANOLE_DONE;
    bool good = true;
    read_costs(reader, entry, &recorded);
    if (recorded.outcome == ANOLE_OUTCOME_OK)
        good = json_is_number(json_object_get(entry, "time")) &&
               anole_recording_time(reader, json_object_get(entry, "time"), &recorded.seconds);
    if (good)
        return anole_recording_take(reader, &recorded);
    reader->recording->counts.unusable++;
    return ANOLE_DONE;
}

static enum anole_status read_entries(struct anole_recording_reader *reader)
{
    struct anole_json_scan *scan = &reader->scan;
    char key[8];
    bool more;
    enum anole_status status = anole_json_scan_open(scan, '{');
    scan->may_end = true;
    while (status == ANOLE_DONE) {
        json_t *entry;
        status = anole_json_scan_member(scan, &more, key, sizeof key);
        if (status != ANOLE_DONE || !more)
            break;
        status = anole_json_scan_value(scan, &entry, ANOLE_LARGEST_ENTRY);
        if (status != ANOLE_DONE)
            break;
        status = read_entry(reader, entry);
        json_decref(entry);
    }
    return status;
}

/* The device's name, or something else, over which we go. */
static enum anole_status read_fact(struct anole_recording_reader *reader, const char *key)
{
    if (strcmp(key, "device_name") != 0 || anole_json_scan_peek(&reader->scan) != '"')
        return anole_json_scan_skip(&reader->scan);
    return anole_recording_read_device(reader);
}

enum anole_status anole_recording_read_cache(struct anole_recording_reader *reader)
{
    struct anole_json_scan *scan = &reader->scan;
    char key[16];
    bool more = true;
    enum anole_status status = ANOLE_DONE;
    while (status == ANOLE_DONE && !scan->ended) {
        status = anole_json_scan_member(scan, &more, key, sizeof key);
        if (status != ANOLE_DONE || !more)
            break;
        status = strcmp(key, "cache") == 0 && anole_json_scan_peek(scan) == '{'
                     ? read_entries(reader)
                     : read_fact(reader, key);
    }
    return status == ANOLE_DONE ? anole_json_scan_end(scan) : status;
}
