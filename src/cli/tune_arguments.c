/* SPDX-License-Identifier: MIT */
#include "cli/tune_arguments.h"

#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/progress_events.h"
#include "op/task.h"

#include <math.h>

enum {
    KERNEL,
    PRECISION,
    BATCH,
    SHAPE,
    INPUT,
    KERNELS,
    DEVICE,
    TIME,
    TRIALS,
    SEED,
    EXPLORER,
    SAMPLER,
    HISTORY,
    TRANSFER,
    OUTPUT,
    BASELINE,
    TOLERANCE,
    THREADS,
    TIMING,
    BUILD_LIMIT,
    RUN_LIMIT,
    NO_IN_PLACE,
    FROM,
    JSON,
    LOG_JSON
};

const struct anole_option anole_tune_options[] = {
    [KERNEL] = {"kernel", "T1",
                "a kernel of your own, described by a T1 file, in place of NETWORK"},
    [PRECISION] = {"precision", "P", "fp32, fp16 or tf32 (default: as NETWORK says, or fp32)"},
    [BATCH] =
        {"batch", "N,...",
         "the batch size, where an ONNX file leaves it open (default 1); several to tune for\n"
         "all of them: 1,2,4,8"},
    [SHAPE] = {"shape", "NAME=SIZES",
               "the shape of an input, where an ONNX file leaves it open: images=1x3x640x640, or\n"
               "1x3x320,640x320,640 for several; may be given several times"},
    [INPUT] = {"input", "WORD",
               "FILE.npz, NAME=FILE.npy or NAME=FILE.pb: arrays as `anole run` takes them, whose\n"
               "sizes count, and elements where shapes depend on them; may be given several times"},
    [KERNELS] = {"kernels", "K",
                 "at most K kernels a layer over all sizes, those that lose least where they lose "
                 "most"},
    [DEVICE] = {"device", "D", "a device: see `anole devices`; several times: one after the other"},
    [TIME] = {"time", "T", "stop after this time: 90s, 3m, 1h (default 3m)"},
    [TRIALS] = {"trials", "N", "stop after N trials, those in the history included"},
    [SEED] = {"seed", "S", "of everything random (default 1)"},
    [EXPLORER] = {"explorer", "NAME", "how candidates are found: see below"},
    [SAMPLER] = {"sampler", "NAME", "how those to measure are picked: see below"},
    [HISTORY] = {"history", "FILE", "the journal of trials (default NAME.history)"},
    [TRANSFER] = {"transfer", "FILE", "another history to learn from; may be given several times"},
    [OUTPUT] = {"output", "FILE", "the lock file to write (default NAME.lock.json)"},
    [BASELINE] = {"baseline", "FILE",
                  "a lock file to hold the result against: exit code 6 if slower"},
    [TOLERANCE] = {"tolerance", "P", "... by more than P percent (default 5)"},
    [THREADS] = {"threads", "N", "threads of a CPU device (default: all cores)"},
    [TIMING] = {"timing", "HOW",
                "hot: kernels find their data in the caches; cold: weights are out of them, of a\n"
                "kernel of your own all data (default: as the network leaves them; else hot)"},
    [BUILD_LIMIT] = {"build-limit", "T",
                     "how long a build may take until it counts as hanging (default: as the\n"
                     "device says, or 30s)"},
    [RUN_LIMIT] = {"run-limit", "T", "the same of a run (default: as the device says, or 10s)"},
    [NO_IN_PLACE] = {"no-in-place", NULL, "do not run the network as a whole with what was found"},
    [FROM] = {"from", "PATH",
              "a lock file, or a folder of them, of other machines: what they have of a task is\n"
              "tried first, the most similar entry before the others"},
    [JSON] = {"json", NULL, "print JSON to stdout instead of a table"},
    [LOG_JSON] = {"log-json", NULL,
                  "progress and messages on stderr as JSON, an object a line, for another program"},
    {0},
};

enum anole_status anole_tune_take(void *context, size_t index, const char *value,
                                  struct anole_error *error)
{
    struct anole_tune_arguments *arguments = context;
    const char **texts[] = {
        [KERNEL] = &arguments->kernel,   [EXPLORER] = &arguments->explorer,
        [SAMPLER] = &arguments->sampler, [HISTORY] = &arguments->history,
        [OUTPUT] = &arguments->output,   [BASELINE] = &arguments->baseline,
        [TIMING] = &arguments->timing,   [FROM] = &arguments->from,
        [BATCH] = &arguments->batch,
    };
    switch (index) {
    case PRECISION:
        return anole_command_precision(&arguments->precision, value, error);
    case KERNELS:
        return anole_text_parse_u64(&arguments->kernels, value, "--kernels", 1, ANOLE_MOST_SIZES,
                                    error);
    case SHAPE:
        return anole_command_shape(arguments->shapes, &arguments->shape_count, value, error);
    case INPUT:
        return anole_given_inputs_take(&arguments->inputs, value, error);
    case TIME:
        return anole_text_parse_duration(&arguments->time, value, error);
    case BUILD_LIMIT:
        return anole_text_parse_duration(&arguments->build_limit, value, error);
    case RUN_LIMIT:
        return anole_text_parse_duration(&arguments->run_limit, value, error);
    case TRIALS:
        return anole_text_parse_u64(&arguments->trials, value, "--trials", 1, UINT32_MAX, error);
    case SEED:
        return anole_text_parse_u64(&arguments->seed, value, "--seed", 0, UINT64_MAX, error);
    case TOLERANCE:
        return anole_text_parse_u64(&arguments->tolerance, value, "--tolerance", 0, 1000, error);
    case THREADS:
        return anole_text_parse_u64(&arguments->threads, value, "--threads", 1, 4096, error);
    case TRANSFER:
        if (arguments->transfer_count == ANOLE_TUNE_TRANSFERS)
            return anole_fail(error, ANOLE_ERR_USAGE,
                              "--transfer: expected at most %d files; histories can be joined "
                              "with `cat`",
                              ANOLE_TUNE_TRANSFERS);
        arguments->transfers[arguments->transfer_count++] = value;
        return ANOLE_DONE;
    case DEVICE:
        if (arguments->device_count == ANOLE_TUNE_DEVICES)
            return anole_fail(error, ANOLE_ERR_USAGE, "--device: expected at most %d of them",
                              ANOLE_TUNE_DEVICES);
        arguments->devices[arguments->device_count++] = value;
        arguments->device = arguments->devices[0];
        return ANOLE_DONE;
    case NO_IN_PLACE:
        arguments->no_in_place = true;
        return ANOLE_DONE;
    case JSON:
        arguments->json = true;
        return ANOLE_DONE;
    case LOG_JSON:
        /* What is wrong with the options that follow is an event, too. */
        arguments->log_json = true;
        anole_progress_events_begin();
        return ANOLE_DONE;
    default:
        *texts[index] = value;
        return ANOLE_DONE;
    }
}

static void put_option(struct anole_text *out, const char *name, const char *value)
{
    if (!value)
        return;
    anole_text_printf(out, " --%s ", name);
    anole_command_quote(out, value);
}

void anole_tune_say_resume(const struct anole_tune_arguments *arguments, size_t trials,
                           double elapsed)
{
    struct anole_text line = {0};
    anole_text_printf(&line, "anole tune%s", arguments->network ? " " : "");
    if (arguments->network)
        anole_command_quote(&line, arguments->network);
    put_option(&line, "kernel", arguments->kernel);
    if (arguments->precision)
        put_option(&line, "precision", anole_precision_text(arguments->precision));
    put_option(&line, "batch", arguments->batch);
    for (size_t i = 0; i < arguments->shape_count; i++)
        put_option(&line, "shape", arguments->shapes[i]);
    if (arguments->kernels > 0)
        anole_text_printf(&line, " --kernels %llu", (unsigned long long)arguments->kernels);
    put_option(&line, "device", arguments->device);
    put_option(&line, "explorer", arguments->explorer);
    put_option(&line, "sampler", arguments->sampler);
    put_option(&line, "history", arguments->history);
    for (size_t i = 0; i < arguments->transfer_count; i++)
        put_option(&line, "transfer", arguments->transfers[i]);
    put_option(&line, "from", arguments->from);
    put_option(&line, "output", arguments->output);
    put_option(&line, "baseline", arguments->baseline);
    put_option(&line, "timing", arguments->timing);
    if (arguments->threads > 0)
        anole_text_printf(&line, " --threads %llu", (unsigned long long)arguments->threads);
    if (arguments->build_limit > 0)
        anole_text_printf(&line, " --build-limit %.0fs", arguments->build_limit);
    if (arguments->run_limit > 0)
        anole_text_printf(&line, " --run-limit %.0fs", arguments->run_limit);
    if (arguments->no_in_place)
        anole_text_printf(&line, " --no-in-place");
    if (arguments->log_json)
        anole_text_printf(&line, " --log-json");
    anole_text_printf(&line, " --seed %llu", (unsigned long long)arguments->seed);
    if (arguments->trials > 0)
        anole_text_printf(&line, " --trials %llu", (unsigned long long)arguments->trials);
    if (arguments->time > 0.0)
        anole_text_printf(&line, " --time %.0fs", fmax(1.0, arguments->time - elapsed));
    anole_log_info("stopped after %zu trials, all kept in %s; go on with:\n  %s", trials,
                   arguments->history, line.data ? line.data : "");
    anole_text_fini(&line);
}
