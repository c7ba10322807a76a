/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "cli/command.h"
#include "cli/failures.h"
#include "cli/in_place.h"
#include "cli/kernel_export.h"
#include "cli/lock_device.h"
#include "program/tuned.h"
#include "cli/table.h"
#include "record/lockfile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
    const char *file, *kernels, *kernel;
    struct anole_lock_wish wish;
    uint64_t batch;
    const char *shapes[ANOLE_COMMAND_SHAPES];
    size_t shape_count;
    bool failures, json;
};

enum { KERNELS, DEVICE, THREADS, PRECISION, BATCH, SHAPE, KERNEL, FAILURES, JSON };

static const struct anole_option options[] = {
    [KERNELS] = {"kernels", "DIR", "also write the kernels, ready to use, into this new folder"},
    [DEVICE] = {"device", "D",
                "the device to generate them for, where FILE holds several (with --kernels)"},
    [THREADS] = {"threads", "N",
                 "those that were tuned with, where FILE holds several (with --kernels)"},
    [PRECISION] = {"precision", "P",
                   "fp32, fp16 or tf32, where FILE holds several (with --kernels)"},
    [BATCH] = {"batch", "N",
               "the batch size that was tuned, where an ONNX file leaves it open (with --kernels)"},
    [SHAPE] = {"shape", "NAME=SIZES",
               "the shape of an input that was tuned: images=1x3x640x640; once for each\n"
               "(with --kernels)"},
    [KERNEL] = {"kernel", "FILE", "the T1 file of a kernel, if it is elsewhere now"},
    [FAILURES] = {"failures", NULL, "show what failed instead; the file is then a history"},
    [JSON] = {"json", NULL, "print JSON to stdout instead of a table"},
    {0},
};

static enum anole_status take(void *context, size_t index, const char *value,
                              struct anole_error *error)
{
    struct arguments *arguments = context;
    switch (index) {
    case KERNELS:
        arguments->kernels = value;
        break;
    case DEVICE:
        arguments->wish.device = value;
        break;
    case THREADS:
        return anole_text_parse_u64(&arguments->wish.threads, value, "--threads", 1, 4096, error);
    case PRECISION:
        return anole_command_precision(&arguments->wish.precision, value, error);
    case BATCH:
        return anole_text_parse_u64(&arguments->batch, value, "--batch", 1, INT32_MAX, error);
    case SHAPE:
        return anole_command_shape(arguments->shapes, &arguments->shape_count, value, error);
    case KERNEL:
        arguments->kernel = value;
        break;
    case FAILURES:
        arguments->failures = true;
        break;
    case JSON:
        arguments->json = true;
        break;
    }
    return ANOLE_DONE;
}

/* ---------------------------------------------------------------- outputs */

static void put_knobs(char *out, size_t size, const struct anole_result_info *result)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < result->knob_count && used < size; i++) {
        const char *label = result->knob_labels[i], *space = i ? " " : "";
        char shown[64];
        int n = label ? snprintf(out + used, size - used, "%s%s=%s", space, result->knobs[i].name,
                                 anole_text_printable(shown, sizeof shown, label))
                      : snprintf(out + used, size - used, "%s%s=%lld", space, result->knobs[i].name,
                                 (long long)result->knobs[i].value);
        used += n > 0 ? (size_t)n : 0;
    }
}

static void print_result(struct anole_table *table, const struct anole_result_info *result)
{
    char text[32], knobs[512];
    anole_table_cell(table, "%s", result->label);
    anole_table_cell(table, "%u", result->multiplicity);
    anole_table_cell(table, "%s", anole_text_seconds(text, sizeof text, result->seconds));
    anole_table_cell(table, "%s",
                     isnan(result->in_place_seconds)
                         ? "-"
                         : anole_text_seconds(text, sizeof text, result->in_place_seconds));
    anole_table_gflops(table, result->flops, result->seconds);
    if (isnan(result->speedup))
        anole_table_cell(table, "-");
    else
        anole_table_cell(table, "%.2fx [%.2f, %.2f]", result->speedup, result->speedup_low,
                         result->speedup_high);
    put_knobs(knobs, sizeof knobs, result);
    anole_table_cell(table, "%s", knobs);
}

/* Whose clock it was, of how many tasks where there were several: their times do not compare. */
static void print_clocks(const struct anole_tuned *tuned, size_t d)
{
    static const struct {
        const char *clock, *words;
    } clocks[] = {{"host", "the host's clock"},
                  {"profiling", "the device's events"},
                  {"own", "the device's own clock"}};
    const size_t count = anole_tuned_device(tuned, d)->task_count;
    bool any = false;
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        size_t tasks = 0;
        for (size_t k = 0; k < count; k++)
            tasks += strcmp(anole_tuned_get(tuned, d, k)->clock, clocks[i].clock) == 0;
        if (tasks == 0)
            continue;
        printf("%s%s", any ? ", " : "timed by ", clocks[i].words);
        if (tasks < count)
            printf(" (%zu of %zu tasks)", tasks, count);
        any = true;
    }
    if (any)
        printf("\n");
}

/* What few kernels for several sizes cost this one: in sum, and where it is most. */
static void print_loss(const struct anole_tuned *tuned, size_t d, double sum)
{
    const struct anole_tuned_device *device = anole_tuned_device(tuned, d);
    const struct anole_result_info *worst = NULL;
    double alone = 0.0;
    for (size_t i = 0; i < device->task_count; i++) {
        const struct anole_result_info *result = anole_tuned_get(tuned, d, i);
        const double slowdown = isnan(result->slowdown) ? 1.0 : result->slowdown;
        alone += result->multiplicity * result->seconds / slowdown;
        if (slowdown > 1.0 && (!worst || slowdown > worst->slowdown))
            worst = result;
    }
    printf("at most %u kernel%s a layer over all sizes: %+.1f %% against what is best for this "
           "size alone",
           device->most_kernels, device->most_kernels == 1 ? "" : "s", 100.0 * (sum / alone - 1.0));
    if (worst)
        printf(", most for %s: %+.1f %% [%+.1f, %+.1f]", worst->label,
               100.0 * (worst->slowdown - 1.0), 100.0 * (worst->slowdown_low - 1.0),
               100.0 * (worst->slowdown_high - 1.0));
    putchar('\n');
}

static enum anole_status print_device(const struct anole_tuned *tuned, size_t d,
                                      struct anole_error *error)
{
    static const char *const titles[] = {
        "task", ">x", ">time", ">in place", ">GFLOP/s", "speed-up [95 %]", "config", NULL};
    const struct anole_tuned_device *device = anole_tuned_device(tuned, d);
    bool plain = strcmp(device->precision, "fp32") == 0;
    printf("%s%s%s  %s, %s %s%s%s%s\n", anole_command_shown(device->id), plain ? "" : " ",
           plain ? "" : device->precision, anole_command_shown(device->device),
           anole_command_shown(device->driver), anole_command_shown(device->driver_version),
           *device->sizes ? ", " : "", device->sizes,
           device->simulated ? ", simulated: nothing was checked" : "");
    struct anole_table *table = NULL;
    enum anole_status status = anole_table_create(&table, titles, error);
    if (status != ANOLE_DONE)
        return status;
    double sum = 0.0;
    for (size_t i = 0; i < device->task_count; i++) {
        const struct anole_result_info *result = anole_tuned_get(tuned, d, i);
        print_result(table, result);
        sum += result->multiplicity * result->seconds;
    }
    status = anole_table_print(table, stdout, error);
    anole_table_destroy(table);
    char text[32];
    if (status == ANOLE_DONE)
        printf("sum over layers: %s\n", anole_text_seconds(text, sizeof text, sum));
    if (status == ANOLE_DONE && device->most_kernels > 0)
        print_loss(tuned, d, sum);
    if (status == ANOLE_DONE)
        print_clocks(tuned, d);
    if (status == ANOLE_DONE && anole_tuned_in_place(tuned, d)->ran)
        anole_in_place_print(anole_tuned_in_place(tuned, d));
    for (size_t i = 0; status == ANOLE_DONE && i < device->task_count; i++)
        anole_in_place_print_loser(anole_tuned_get(tuned, d, i));
    return status;
}

/* A lock file is JSON already; what --json prints is its content, checked. */
static enum anole_status print_json(const char *path, struct anole_error *error)
{
    json_t *root = NULL;
    enum anole_status status = anole_json_load(&root, path, 0, error);
    return status == ANOLE_DONE ? anole_command_print_json(root, error) : status;
}

/* -------------------------------------------------------------------- run */

static void print_size(struct anole_table *table, const struct anole_tuned *tuned, size_t d)
{
    const struct anole_tuned_device *device = anole_tuned_device(tuned, d);
    const struct anole_in_place *in_place = anole_tuned_in_place(tuned, d);
    char text[32];
    double sum = 0.0, alone = 0.0;
    for (size_t i = 0; i < device->task_count; i++) {
        const struct anole_result_info *result = anole_tuned_get(tuned, d, i);
        const double seconds = result->multiplicity * result->seconds;
        sum += seconds;
        alone += seconds / (isnan(result->slowdown) ? 1.0 : result->slowdown);
    }
    anole_table_cell(table, "%s%s%s", anole_command_shown(device->id), *device->sizes ? " " : "",
                     device->sizes);
    anole_table_cell(table, "%s", anole_text_seconds(text, sizeof text, sum));
    anole_table_cell(table, "%s",
                     device->most_kernels > 0 ? anole_text_seconds(text, sizeof text, alone) : "-");
    anole_table_cell(table, "%s",
                     in_place->ran ? anole_text_seconds(text, sizeof text, in_place->seconds)
                                   : "-");
}

/* The sizes of a range side by side, behind all the rest. */
static enum anole_status print_range(const struct anole_tuned *tuned, struct anole_error *error)
{
    static const char *const titles[] = {"size", ">sum over layers", ">with its own kernels",
                                         ">in place", NULL};
    struct anole_table *table = NULL;
    size_t ranges = 0;
    for (size_t d = 0; d < anole_tuned_device_count(tuned); d++)
        ranges += *anole_tuned_device(tuned, d)->sizes != '\0';
    if (ranges < 2)
        return ANOLE_DONE;
    enum anole_status status = anole_table_create(&table, titles, error);
    if (status != ANOLE_DONE)
        return status;
    for (size_t d = 0; d < anole_tuned_device_count(tuned); d++)
        print_size(table, tuned, d);
    putchar('\n');
    status = anole_table_print(table, stdout, error);
    anole_table_destroy(table);
    return status;
}

static enum anole_status show(const struct arguments *arguments, struct anole_error *error)
{
    struct anole_context *context = NULL;
    struct anole_tuned *tuned = NULL;
    enum anole_status status = anole_command_context(&context, error);
    if (status == ANOLE_DONE)
        status = anole_tuned_load(&tuned, context, arguments->file, error);
    if (status == ANOLE_DONE && arguments->json)
        status = print_json(arguments->file, error);
    for (size_t i = 0;
         status == ANOLE_DONE && !arguments->json && i < anole_tuned_device_count(tuned); i++)
        status = print_device(tuned, i, error);
    if (status == ANOLE_DONE && !arguments->json)
        status = print_range(tuned, error);
    anole_tuned_destroy(tuned);
    anole_context_destroy(context);
    return status;
}

static enum anole_status export_kernels(const struct arguments *arguments,
                                        struct anole_error *error)
{
    struct anole_lockfile *lockfile = NULL;
    struct anole_registry *registry = NULL;
    const struct anole_registry_device *device = NULL;
    uint32_t threads = 0;
    const struct anole_run_sizes sizes = {.batch = (int64_t)arguments->batch,
                                          .shapes = arguments->shapes,
                                          .shape_count = arguments->shape_count};
    enum anole_status status = anole_lockfile_load(&lockfile, arguments->file, error);
    if (status == ANOLE_DONE && arguments->kernel)
        status = anole_lockfile_set_path(lockfile, arguments->kernel, error);
    if (status == ANOLE_DONE)
        status = anole_lock_device_here(&registry, &device, &threads, lockfile, arguments->file,
                                        &arguments->wish, error);
    if (status == ANOLE_DONE)
        status = anole_kernels_export(arguments->kernels, lockfile, registry, device,
                                      arguments->wish.precision, threads, &sizes, error);
    anole_registry_destroy(registry);
    anole_lockfile_destroy(lockfile);
    return status;
}

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct arguments arguments = {0};
    char **positional;
    size_t count;
    bool help;
    enum anole_status status = anole_options_parse(&anole_cmd_best, argc, argv, take, &arguments,
                                                   &positional, &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    arguments.file = positional[0];
    if (arguments.failures && arguments.kernels)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "--failures and --kernels: expected one of them; see `anole best "
                          "--help`");
    if ((arguments.batch || arguments.shape_count) && !arguments.kernels)
        return anole_fail(
            error, ANOLE_ERR_USAGE,
            "--%s goes with --kernels, which reads the network again; see `anole best "
            "--help`",
            arguments.batch ? "batch" : "shape");
    if (arguments.failures)
        return anole_failures_print(arguments.file, arguments.json, error);
    status = show(&arguments, error);
    if (status == ANOLE_DONE && arguments.kernels)
        status = export_kernels(&arguments, error);
    return status;
}

const struct anole_command anole_cmd_best = {
    .name = "best",
    .arguments = "LOCKFILE | --failures HISTORY",
    .summary = "Show what was found or what failed, or write the kernels out for use",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
