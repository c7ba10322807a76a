/* SPDX-License-Identifier: MIT
 *
 * anole export: what a history holds, in the formats of others; or a network as a folder that
 * runs without Anole (export_network.h).
 */
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/export_network.h"
#include "cli/history_sink.h"
#include "record/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_LISTED 20

struct arguments {
    const char *file, *task, *device, *t1, *output;
    enum anole_sink_kind format;
    /* Of networks alone. */
    const char *tuned, *shapes[ANOLE_COMMAND_SHAPES];
    size_t shape_count;
    uint64_t threads, batch;
    const char *of_history, *of_network; /* options that go with one of them; or NULL */
};

enum { TUNED, DEVICE, THREADS, BATCH, SHAPE, OUTPUT, FORMAT, TASK, T1 };

static const struct anole_option options[] = {
    [TUNED] = {"tuned", "LOCK", "network: the lock file that tuning wrote"},
    [DEVICE] = {"device", "D",
                "network: the device to make kernels for; history: only results of the device "
                "with this name"},
    [THREADS] = {"threads", "N", "network: threads of a CPU device (default: all cores)"},
    [BATCH] = {"batch", "N",
               "network: the batch size, where an ONNX file leaves it open (default 1)"},
    [SHAPE] = {"shape", "NAME=SIZES",
               "network: the shape of an input, such as x=1x3x640x640; once for each"},
    [OUTPUT] = {"output", "DIR",
                "network: the folder to make; history: a file to write to instead of stdout"},
    [FORMAT] = {"format", "F",
                "history: t4, the auto-tuning community's results format (default), kernel-tuner,\n"
                "a cache file of that program, or csv"},
    [TASK] = {"task", "T",
              "history: the task: its key, or a number from the list that is shown without"},
    [T1] = {"t1", "FILE",
            "history: the T1 file of a kernel of your own: writes its fractions and texts"},
    {0},
};

static enum anole_status take_network(struct arguments *arguments, size_t index, const char *value,
                                      struct anole_error *error)
{
    arguments->of_network = options[index].name;
    switch (index) {
    case TUNED:
        arguments->tuned = value;
        break;
    case THREADS:
        return anole_text_parse_u64(&arguments->threads, value, "--threads", 1, 4096, error);
    case BATCH:
        return anole_text_parse_u64(&arguments->batch, value, "--batch", 1, 1 << 20, error);
    case SHAPE:
        return anole_command_shape(arguments->shapes, &arguments->shape_count, value, error);
    }
    return ANOLE_DONE;
}

static enum anole_status take(void *context, size_t index, const char *value,
                              struct anole_error *error)
{
    struct arguments *arguments = context;
    switch (index) {
    case DEVICE:
        arguments->device = value;
        return ANOLE_DONE;
    case OUTPUT:
        arguments->output = value;
        return ANOLE_DONE;
    case FORMAT:
        arguments->of_history = options[index].name;
        return anole_sink_parse(&arguments->format, value, error);
    case TASK:
        arguments->task = value;
        break;
    case T1:
        arguments->t1 = value;
        break;
    default:
        return take_network(arguments, index, value, error);
    }
    arguments->of_history = options[index].name;
    return ANOLE_DONE;
}

/* ---------------------------------------------------------------- selecting */

/* The place of a key in the whole list, from 1, counts as its name. */
static bool is_wanted(const struct arguments *arguments, const struct anole_history_key *key,
                      size_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%zu", number);
    return (!arguments->task || strcmp(arguments->task, key->task) == 0 ||
            strcmp(arguments->task, text) == 0) &&
           (!arguments->device || strcmp(arguments->device, key->device) == 0);
}

/* "  3  dense n1 ..., device, backend, driver version" */
static void append_key(struct anole_text *list, const struct anole_history_key *key, size_t number)
{
    anole_text_printf(list, "\n%4zu  ", number);
    anole_text_append_printable(list, key->task, strlen(key->task));
    anole_text_printf(list, ", ");
    anole_text_append_printable(list, key->device, strlen(key->device));
    anole_text_printf(list, ", %s %u, ", key->backend, key->generator);
    anole_text_append_printable(list, key->driver_version, strlen(key->driver_version));
    anole_text_printf(list, ", %u threads", key->threads);
    if (key->warmth != ANOLE_WARMTH_HOT)
        anole_text_printf(list, ", timed %s", anole_warmth_text(key->warmth));
}

/* Shows all keys that there are, or the first of them. */
static enum anole_status fail_selection(const struct anole_history *history, size_t wanted,
                                        struct anole_error *error)
{
    struct anole_history_found found;
    struct anole_text list = {0};
    size_t next = 0, count = 0;
    while (anole_history_next_key(history, &next, &found)) {
        if (++count <= MOST_LISTED)
            append_key(&list, &found.key, count);
    }
    if (count > MOST_LISTED)
        anole_text_printf(&list, "\n      ... and %zu more", count - MOST_LISTED);
    anole_log_info("the history holds results of:%s", list.data ? list.data : " nothing");
    anole_text_fini(&list);
    return anole_fail(error, ANOLE_ERR_USAGE,
                      "expected one task on one device to export, found %zu; choose with --task "
                      "(a number of the list will do) and --device",
                      wanted);
}

static enum anole_status select_key(struct anole_history_found *selected,
                                    const struct anole_history *history,
                                    const struct arguments *arguments, struct anole_error *error)
{
    size_t next = 0, number = 0, wanted = 0, last = 0;
    while (anole_history_next_key(history, &next, selected)) {
        if (is_wanted(arguments, &selected->key, ++number)) {
            last = number;
            wanted++;
        }
    }
    if (wanted != 1)
        return fail_selection(history, wanted, error);
    next = 0;
    for (number = 0; number < last; number++)
        anole_history_next_key(history, &next, selected);
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------ writing */

struct export
{
    struct anole_sink sink;
    const struct anole_history_key *key;
};

static enum anole_status add_trial(void *context, const struct anole_history_trial *trial,
                                   struct anole_error *error)
{
    struct export *export = context;
    return anole_sink_add(&export->sink, export->key, export->sink.trials + 1, "", trial, error);
}

static enum anole_status write_history(const struct anole_history *history,
                                       const struct arguments *arguments, const struct anole_t1 *t1,
                                       struct anole_error *error)
{
    struct anole_history_found found;
    struct export export;
    enum anole_status status = select_key(&found, history, arguments, error);
    if (status != ANOLE_DONE)
        return status;
    export.key = &found.key;
    anole_sink_begin(&export.sink, arguments->format, &found.key, t1);
    status = anole_history_visit(history, &found.key, add_trial, &export, error);
    if (status == ANOLE_DONE)
        status = anole_sink_end(&export.sink, arguments->output, error);
    anole_sink_fini(&export.sink);
    return status;
}

static enum anole_status export_history(const struct arguments *arguments,
                                        struct anole_error *error)
{
    struct anole_history *history = NULL;
    struct anole_t1 *t1 = NULL;
    enum anole_status status = ANOLE_DONE;
    if (arguments->of_network)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "--%s goes with a network, and %s is none; see `anole export --help`",
                          arguments->of_network, arguments->file);
    if (arguments->t1)
        status = anole_t1_load(&t1, arguments->t1, error);
    if (status == ANOLE_DONE)
        status = anole_history_open(&history, arguments->file, ANOLE_HISTORY_READ, error);
    if (status == ANOLE_DONE)
        status = write_history(history, arguments, t1, error);
    anole_history_close(history);
    anole_t1_destroy(t1);
    return status;
}

static enum anole_status export_network(const struct arguments *arguments,
                                        struct anole_error *error)
{
    const struct anole_export_network wanted = {.file = arguments->file,
                                                .output = arguments->output,
                                                .tuned = arguments->tuned,
                                                .device = arguments->device,
                                                .threads = (uint32_t)arguments->threads,
                                                .sizes = {.batch = (int64_t)arguments->batch,
                                                          .shapes = arguments->shapes,
                                                          .shape_count = arguments->shape_count}};
    if (arguments->of_history)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "--%s goes with a history, and %s is a network; see `anole export "
                          "--help`",
                          arguments->of_history, arguments->file);
    if (!arguments->output || !arguments->output[0])
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "%s is a network: expected --output DIR, the folder to make",
                          arguments->file);
    return anole_export_network(&wanted, error);
}

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct arguments arguments = {.format = ANOLE_SINK_T4};
    char **positional;
    size_t count;
    bool help;
    enum anole_status status = anole_options_parse(&anole_cmd_export, argc, argv, take, &arguments,
                                                   &positional, &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    arguments.file = positional[0];
    return anole_export_is_network(arguments.file) ? export_network(&arguments, error)
                                                   : export_history(&arguments, error);
}

const struct anole_command anole_cmd_export = {
    .name = "export",
    .arguments = "NETWORK|HISTORY",
    .summary = "Write a network as C and OpenCL that runs by itself, or a history's results",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
