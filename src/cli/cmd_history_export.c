/* SPDX-License-Identifier: MIT
 *
 * anole history export: trials as files of other tools.
 */
#include "cli/cmd_history.h"
#include "cli/history_filter.h"
#include "cli/history_sink.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

#define MOST_LISTED 20

struct arguments {
    struct anole_history_filter filter;
    enum anole_sink_kind format;
    const char *t1, *output;
};

enum { FORMAT = ANOLE_FILTER_OPTIONS, T1, OUTPUT };

static const struct anole_option options[] = {
    ANOLE_FILTER_TABLE,
    [FORMAT] = {"format", "F",
                "csv (default); of one task on one device also t4, the auto-tuning\n"
                "community's results format, or kernel-tuner, a cache file of that program"},
    [T1] = {"t1", "FILE", "the T1 file of a kernel of your own: writes its fractions and texts"},
    [OUTPUT] = {"output", "FILE", "a file to write to instead of stdout"},
    {0},
};

static enum anole_status take(void *context, size_t index, const char *value,
                              struct anole_error *error)
{
    struct arguments *arguments = context;
    if (index < ANOLE_FILTER_OPTIONS)
        return anole_filter_take(&arguments->filter, index, value, error);
    if (index == FORMAT)
        return anole_sink_parse(&arguments->format, value, error);
    *(index == T1 ? &arguments->t1 : &arguments->output) = value;
    return ANOLE_DONE;
}

/* ---------------------------------------------------------------- selecting */

static enum anole_status fail_selection(const struct anole_history_stream *stream, size_t wanted,
                                        struct anole_error *error)
{
    struct anole_history_found found;
    struct anole_text list = {0};
    char label[200], driver[600];
    size_t listed = 0;
    for (size_t i = 0; i < stream->row_count && listed < MOST_LISTED; i++) {
        if (!stream->rows[i].trials || !anole_history_row_key(&found, &stream->rows[i]))
            continue;
        snprintf(driver, sizeof driver, "%s, driver %s %s", found.key.device, found.key.driver,
                 found.key.driver_version);
        anole_text_printf(&list, "\n  %s, ", anole_filter_label(label, sizeof label, &found.key));
        anole_text_append_printable(&list, driver, strlen(driver));
        anole_text_printf(&list, ", %u threads", found.key.threads);
        listed++;
    }
    if (wanted > listed)
        anole_text_printf(&list, "\n  ... and %zu more", wanted - listed);
    anole_log_info("what was chosen:%s", list.data ? list.data : " nothing");
    anole_text_fini(&list);
    return anole_fail(error, ANOLE_ERR_USAGE,
                      "expected one task on one device for this format, found %zu; choose with "
                      "--task, --device and --driver, or export them as csv",
                      wanted);
}

/* The only key that has trials. */
static enum anole_status find_key(struct anole_history_found *found,
                                  const struct arguments *arguments, char **files, size_t count,
                                  struct anole_error *error)
{
    struct anole_history_stream *stream = NULL;
    size_t wanted = 0, last = 0;
    enum anole_status status = anole_history_stream_create(&stream, &arguments->filter, error);
    for (size_t i = 0; status == ANOLE_DONE && i < count; i++)
        status = anole_history_stream_read(stream, files[i], NULL, NULL, error);
    for (size_t i = 0; status == ANOLE_DONE && i < stream->row_count; i++) {
        if (!stream->rows[i].trials)
            continue;
        wanted++;
        last = i;
    }
    if (status == ANOLE_DONE && (wanted != 1 || !anole_history_row_key(found, &stream->rows[last])))
        status = fail_selection(stream, wanted, error);
    anole_history_stream_destroy(stream);
    return status;
}

/* ------------------------------------------------------------------ writing */

struct export
{
    struct anole_sink sink;
    const struct anole_history_stream *stream;
    struct anole_history_found found; /* the key of `row` */
    size_t row;
};

static enum anole_status add_trial(void *context, size_t row, const struct anole_history_line *line,
                                   struct anole_error *error)
{
    struct export *export = context;
    struct anole_history_trial trial;
    char when[ANOLE_HISTORY_TIME];
    if (row != export->row && !anole_history_row_key(&export->found, &export->stream->rows[row]))
        return ANOLE_DONE;
    export->row = row;
    if (!anole_history_line_knobs(trial.names, trial.values, &trial.knob_count, line->knobs))
        return ANOLE_DONE;
    trial.result = line->result;
    anole_history_time(when, line);
    return anole_sink_add(&export->sink, &export->found.key, line->id, when, &trial, error);
}

static enum anole_status write_all(const struct arguments *arguments,
                                   const struct anole_history_key *key, const struct anole_t1 *t1,
                                   char **files, size_t count, struct anole_error *error)
{
    struct export export = {.row = SIZE_MAX};
    struct anole_history_stream *stream = NULL;
    anole_sink_begin(&export.sink, arguments->format, key, t1);
    enum anole_status status = anole_history_stream_create(&stream, &arguments->filter, error);
    export.stream = stream;
    for (size_t i = 0; status == ANOLE_DONE && i < count; i++)
        status = anole_history_stream_read(stream, files[i], add_trial, &export, error);
    if (status == ANOLE_DONE)
        status = anole_sink_end(&export.sink, arguments->output, error);
    anole_history_stream_destroy(stream);
    anole_sink_fini(&export.sink);
    return status;
}

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct arguments arguments = {.format = ANOLE_SINK_CSV};
    struct anole_history_found found = {.key = {.task = NULL}};
    struct anole_t1 *t1 = NULL;
    char **files;
    size_t count;
    bool help;
    enum anole_status status = anole_options_parse(&anole_cmd_history_export, argc, argv, take,
                                                   &arguments, &files, &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    if (arguments.t1)
        status = anole_t1_load(&t1, arguments.t1, error);
    if (status == ANOLE_DONE && arguments.format != ANOLE_SINK_CSV)
        status = find_key(&found, &arguments, files, count, error);
    if (status == ANOLE_DONE)
        status = write_all(&arguments, &found.key, t1, files, count, error);
    anole_t1_destroy(t1);
    return status;
}

const struct anole_command anole_cmd_history_export = {
    .name = "history export",
    .arguments = "HISTORY...",
    .summary = "Write trials for other tools: CSV, T4, or Kernel Tuner's cache",
    .options = options,
    .least = 1,
    .most = ANOLE_HISTORY_FILES,
    .run = run,
};
