/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "cli/command.h"
#include "record/history.h"
#include "record/lockfile.h"
#include "report/knobs.h"
#include "report/write.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_FILES 64
#define LOOK 4096 /* bytes at a file's beginning that tell what it is */

struct format {
    const char *name, *suffix, *other_suffix;
    anole_report_writer *write;
};

static const struct format formats[] = {
    {"html", ".html", ".htm", anole_report_write_html},
    {"markdown", ".md", ".markdown", anole_report_write_markdown},
    {"json", ".json", ".json", anole_report_write_json},
    {"svg", ".svg", ".svg", anole_report_write_svg},
};
#define FORMATS (sizeof formats / sizeof *formats)

struct arguments {
    const char *output, *network;
    const struct format *format;
    double peak, bandwidth;
};

enum { OUTPUT, FORMAT, NETWORK, PEAK, BANDWIDTH };

static const struct anole_option options[] = {
    [OUTPUT] = {"output", "FILE", "write it there (default: Markdown on stdout)"},
    [FORMAT] = {"format", "F",
                "html, markdown, json or svg (default: what FILE ends with, or html)"},
    [NETWORK] = {"network", "RUN.json",
                 "also show a network as it ran: what `anole run --profile --json` prints,\n"
                 "or its trace"},
    [PEAK] = {"peak", "GFLOPS", "what the device can compute, for the roofline: GFLOP/s"},
    [BANDWIDTH] = {"bandwidth", "GBPS", "what its memory can move: GB/s"},
    {0},
};

static enum anole_status parse_rate(double *rate, const char *text, const char *option,
                                    struct anole_error *error)
{
    char *end;
    double value = strtod(text, &end);
    char safe[64];
    if (end == text || *end || !(value > 0.0 && value < 1e9))
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "%s: expected a positive number of 10^9 a second, found '%s'", option,
                          anole_text_printable(safe, sizeof safe, text));
    *rate = 1e9 * value;
    return ANOLE_DONE;
}

static enum anole_status parse_format(const struct format **format, const char *text,
                                      struct anole_error *error)
{
    char safe[64];
    for (size_t i = 0; i < FORMATS; i++)
        if (strcmp(formats[i].name, text) == 0) {
            *format = &formats[i];
            return ANOLE_DONE;
        }
    return anole_fail(error, ANOLE_ERR_USAGE,
                      "--format: expected html, markdown, json or svg, found '%s'",
                      anole_text_printable(safe, sizeof safe, text));
}

static enum anole_status take(void *context, size_t index, const char *value,
                              struct anole_error *error)
{
    struct arguments *arguments = context;
    switch (index) {
    case OUTPUT:
        arguments->output = value;
        break;
    case FORMAT:
        return parse_format(&arguments->format, value, error);
    case NETWORK:
        arguments->network = value;
        break;
    case PEAK:
        return parse_rate(&arguments->peak, value, "--peak", error);
    case BANDWIDTH:
        return parse_rate(&arguments->bandwidth, value, "--bandwidth", error);
    }
    return ANOLE_DONE;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

/* What the name of the output says; a page, if it says nothing. */
static const struct format *choose_format(const struct arguments *arguments)
{
    if (arguments->format)
        return arguments->format;
    if (!arguments->output)
        return &formats[1];
    for (size_t i = 0; i < FORMATS; i++)
        if (ends_with(arguments->output, formats[i].suffix) ||
            ends_with(arguments->output, formats[i].other_suffix))
            return &formats[i];
    return &formats[0];
}

/* -------------------------------------------------------------------- inputs */

struct inputs {
    struct anole_lockfile *locks[MOST_FILES];
    struct anole_report_network *network;
    struct anole_report report;
};

static void inputs_fini(struct inputs *inputs)
{
    anole_report_fini(&inputs->report);
    for (size_t i = 0; i < MOST_FILES; i++)
        anole_lockfile_destroy(inputs->locks[i]);
    anole_report_network_destroy(inputs->network);
}

/* A lock file names its format within its first bytes, and a history is no object of many lines.
 * What cannot be read is left to those who then say so. */
static bool is_lock(const char *path)
{
    char text[LOOK + 1] = "";
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t length = file < 0 ? 0 : read(file, text, LOOK);
    if (file >= 0)
        close(file);
    text[length > 0 ? length : 0] = '\0';
    const char *lock = strstr(text, "\"anole_lock\""), *history = strstr(text, "anole_history");
    return lock && (!history || lock < history);
}

static enum anole_status load(struct inputs *inputs, char **paths, size_t count,
                              struct anole_error *error)
{
    struct anole_report *report = &inputs->report;
    enum anole_status status = ANOLE_DONE;
    bool locks[MOST_FILES];
    for (size_t i = 0; i < count && status == ANOLE_DONE; i++) {
        locks[i] = is_lock(paths[i]);
        if (locks[i])
            status = anole_lockfile_load(&inputs->locks[i], paths[i], error);
        if (status == ANOLE_DONE && locks[i])
            status = anole_report_add_lock(report, inputs->locks[i], paths[i], error);
    }
    for (size_t i = 0; i < count && status == ANOLE_DONE; i++) {
        struct anole_history *history;
        if (locks[i])
            continue;
        status = anole_history_open(&history, paths[i], ANOLE_HISTORY_READ, error);
        if (status)
            break;
        status = anole_report_add_history(report, history, paths[i], error);
        anole_history_close(history);
    }
    return status;
}

static enum anole_status check_output(const struct arguments *arguments, char **paths, size_t count,
                                      struct anole_error *error)
{
    bool same = arguments->network && anole_file_same(arguments->output, arguments->network);
    for (size_t i = 0; i < count && !same; i++)
        same = anole_file_same(arguments->output, paths[i]);
    if (same)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "--output: %s is one of the files that are read; name another",
                          anole_command_shown(arguments->output));
    return ANOLE_DONE;
}

/* -------------------------------------------------------------------- run */

static enum anole_status write_out(const struct anole_report *report,
                                   const struct arguments *arguments, struct anole_error *error)
{
    struct anole_text text = {0};
    enum anole_status status = choose_format(arguments)->write(&text, report, error);
    if (status == ANOLE_DONE && arguments->output)
        status = anole_file_replace(arguments->output, text.data, text.length, error);
    else if (status == ANOLE_DONE)
        fwrite(text.data, 1, text.length, stdout);
    anole_text_fini(&text);
    return status;
}

static enum anole_status report_files(const struct arguments *arguments, char **paths, size_t count,
                                      struct anole_error *error)
{
    struct inputs *inputs = calloc(1, sizeof *inputs);
    enum anole_status status = inputs ? ANOLE_DONE : anole_fail_memory(error);
    if (status == ANOLE_DONE && arguments->output)
        status = check_output(arguments, paths, count, error);
    if (status == ANOLE_DONE)
        status = load(inputs, paths, count, error);
    if (status == ANOLE_DONE && arguments->network)
        status = anole_report_network_load(&inputs->network, arguments->network, error);
    if (status == ANOLE_DONE) {
        inputs->report.run = inputs->network;
        inputs->report.peak = arguments->peak;
        inputs->report.bandwidth = arguments->bandwidth;
        status = anole_report_finish(&inputs->report, error);
    }
    if (status == ANOLE_DONE)
        status = anole_report_study(&inputs->report, error);
    if (status == ANOLE_DONE)
        status = write_out(&inputs->report, arguments, error);
    if (inputs)
        inputs_fini(inputs);
    free(inputs);
    return status;
}

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct arguments arguments = {0};
    char **positional;
    size_t count;
    bool help;
    enum anole_status status = anole_options_parse(&anole_cmd_report, argc, argv, take, &arguments,
                                                   &positional, &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    return report_files(&arguments, positional, count, error);
}

static void print_details(void)
{
    printf(
        "\nThe page holds everything itself: it loads nothing, and needs no script.  Each device\n"
        "of each lock file is shown side by side, with the trials that histories hold of it;\n"
        "without lock files, each device of the histories.\n");
}

const struct anole_command anole_cmd_report = {
    .name = "report",
    .arguments = "LOCKFILE|HISTORY...",
    .summary = "Show what tuning came to, as a page, Markdown, JSON or a picture",
    .details = print_details,
    .options = options,
    .least = 1,
    .most = MOST_FILES,
    .run = run,
};
