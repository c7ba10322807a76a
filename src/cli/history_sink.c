/* SPDX-License-Identifier: MIT */
#include "cli/history_sink.h"

#include "base/file.h"
#include "base/log.h"
#include "cli/command.h"
#include "formats/csv_write.h"

#include <stdio.h>
#include <string.h>

enum anole_status anole_sink_parse(enum anole_sink_kind *kind, const char *text,
                                   struct anole_error *error)
{
    static const char *const names[] = {
        [ANOLE_SINK_T4] = "t4", [ANOLE_SINK_CACHE] = "kernel-tuner", [ANOLE_SINK_CSV] = "csv"};
    char safe[64];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) == 0) {
            *kind = (enum anole_sink_kind)i;
            return ANOLE_DONE;
        }
    }
    return anole_fail(error, ANOLE_ERR_USAGE,
                      "--format: expected t4, kernel-tuner or csv, found '%s'",
                      anole_text_printable(safe, sizeof safe, text));
}

static void begin_csv(struct anole_text *csv)
{
    static const char *const titles[] = {
        "task",    "backend",        "backend_version", "generator", "device",
        "driver",  "driver_version", "threads",         "timing",    "id",
        "knobs",   "outcome",        "seconds",         "low",       "high",
        "samples", "error",          "abandoned",       "simulated", "clock",
        "message", "build_seconds",  "run_seconds",     "time"};
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        anole_csv_text(csv, titles[i]);
    anole_csv_end_row(csv);
}

void anole_sink_begin(struct anole_sink *sink, enum anole_sink_kind kind,
                      const struct anole_history_key *key, const struct anole_t1 *t1)
{
    *sink = (struct anole_sink){.kind = kind};
    if (kind == ANOLE_SINK_CSV) {
        begin_csv(&sink->csv);
        return;
    }
    const struct anole_t4_source source = {
        .kernel = key->task, .device = key->device, .driver = key->driver_version};
    if (kind == ANOLE_SINK_T4)
        anole_t4_begin(&sink->t4, &source, t1);
    else
        anole_cache_begin(&sink->cache, &source, t1);
}

static void put_knobs(struct anole_text *csv, const struct anole_history_trial *trial)
{
    struct anole_text knobs = {0};
    for (size_t i = 0; i < trial->knob_count; i++)
        anole_text_printf(&knobs, "%s%s=%lld", i ? " " : "", trial->names[i],
                          (long long)trial->values[i]);
    anole_csv_text(csv, knobs.data ? knobs.data : "");
    csv->failed |= knobs.failed;
    anole_text_fini(&knobs);
}

static void put_row(struct anole_text *csv, const struct anole_history_key *key, uint64_t id,
                    const char *when, const struct anole_history_trial *trial)
{
    const struct anole_result *result = &trial->result;
    anole_csv_text(csv, key->task);
    anole_csv_text(csv, key->backend);
    anole_csv_text(csv, key->backend_version);
    anole_csv_integer(csv, key->generator);
    anole_csv_text(csv, key->device);
    anole_csv_text(csv, key->driver);
    anole_csv_text(csv, key->driver_version);
    anole_csv_integer(csv, key->threads);
    anole_csv_text(csv, anole_warmth_text(key->warmth));
    anole_csv_integer(csv, (int64_t)(id & INT64_MAX));
    put_knobs(csv, trial);
    anole_csv_text(csv, anole_outcome_text(result->outcome));
    anole_csv_number(csv, result->seconds);
    anole_csv_number(csv, result->low);
    anole_csv_number(csv, result->high);
    anole_csv_integer(csv, result->samples);
    anole_csv_number(csv, result->error);
    anole_csv_integer(csv, result->abandoned);
    anole_csv_integer(csv, result->simulated);
    anole_csv_text(csv, anole_timer_text(result->timer));
    anole_csv_text(csv, result->message);
    anole_csv_number(csv, result->cost.build);
    anole_csv_number(csv, result->cost.run);
    anole_csv_text(csv, when);
    anole_csv_end_row(csv);
}

enum anole_status anole_sink_add(struct anole_sink *sink, const struct anole_history_key *key,
                                 uint64_t id, const char *when,
                                 const struct anole_history_trial *trial, struct anole_error *error)
{
    sink->trials++;
    if (sink->kind == ANOLE_SINK_T4)
        return anole_t4_add(&sink->t4, trial->names, trial->values, trial->knob_count,
                            &trial->result, error);
    if (sink->kind == ANOLE_SINK_CACHE)
        return anole_cache_add(&sink->cache, trial->names, trial->values, trial->knob_count,
                               &trial->result, error);
    put_row(&sink->csv, key, id, when, trial);
    return sink->csv.failed ? anole_fail_memory(error) : ANOLE_DONE;
}

static enum anole_status put(const struct anole_text *text, const char *output,
                             struct anole_error *error)
{
    if (output)
        return anole_file_replace(output, text->data, text->length, error);
    if (fwrite(text->data, 1, text->length, stdout) != text->length)
        return anole_fail_errno(error, "cannot write to stdout");
    return ANOLE_DONE;
}

enum anole_status anole_sink_end(struct anole_sink *sink, const char *output,
                                 struct anole_error *error)
{
    const struct anole_text *text = sink->kind == ANOLE_SINK_T4 ? &sink->t4.text : &sink->csv;
    enum anole_status status = ANOLE_DONE;
    if (sink->kind == ANOLE_SINK_T4)
        status = anole_t4_end(&sink->t4, error);
    else if (sink->kind == ANOLE_SINK_CACHE)
        status = anole_cache_end(&sink->cache, &sink->csv, error);
    if (status == ANOLE_DONE && text->failed)
        status = anole_fail_memory(error);
    if (status == ANOLE_DONE)
        status = put(text, output, error);
    if (status == ANOLE_DONE && output)
        anole_log_info("wrote %s: %zu trials", anole_command_shown(output), sink->trials);
    return status;
}

void anole_sink_fini(struct anole_sink *sink)
{
    anole_t4_fini(&sink->t4);
    anole_cache_fini(&sink->cache);
    anole_text_fini(&sink->csv);
}
