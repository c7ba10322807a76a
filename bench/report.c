/* SPDX-License-Identifier: MIT */
#include "bench/report.h"

#include "base/text.h"
#include "cli/table.h"
#include "op/task.h"

#include <math.h>
#include <stdlib.h>

size_t bench_report_pairs(struct bench_pair *pairs, const struct bench_report *report,
                          enum bench_column column, enum bench_class class, size_t network)
{
    size_t count = 0;
    for (size_t i = 0; i < report->layer_count; i++) {
        const struct bench_layer *layer = &report->layers[i];
        if (layer->rival == SIZE_MAX || (network != SIZE_MAX && layer->network != network) ||
            (class == BENCH_CLASS_COUNT ? layer->class == BENCH_DENSE : layer->class != class))
            continue;
        const struct bench_implementation *ours = &layer->comparison.entries[layer->ours];
        const struct bench_implementation *rival = &layer->comparison.entries[layer->rival];
        bool batched = column == BENCH_BATCHED;
        pairs[count++] = (struct bench_pair){.ours = batched ? ours->batched : ours->single,
                                             .theirs = batched ? rival->batched : rival->single,
                                             .weight = layer->source->multiplicity};
    }
    return count;
}

/* ------------------------------------------------------------------ layers */

static void cell_seconds(struct anole_table *table, double seconds)
{
    char text[32];
    anole_table_cell(table, "%s", anole_text_seconds(text, sizeof text, seconds));
}

static void cell_estimate(struct anole_table *table, const struct bench_estimate *estimate)
{
    if (isnan(estimate->value))
        anole_table_cell(table, "-");
    else
        anole_table_cell(table, "%.2f [%.2f, %.2f]", estimate->value, estimate->low,
                         estimate->high);
}

/* Of `theirs` over ours; cells with "-" if there is no such implementation. */
static bool cell_speed(struct anole_table *table, const struct bench_report *report,
                       const double *ours, const double *theirs)
{
    struct bench_estimate estimate = {NAN, NAN, NAN};
    struct bench_pair pair = {.ours = ours, .theirs = theirs};
    if (theirs && !bench_speed(&estimate, &pair, report->rounds))
        return false;
    cell_estimate(table, &estimate);
    return true;
}

static bool row(struct anole_table *table, const struct bench_report *report,
                const struct bench_layer *layer)
{
    const struct bench_comparison *comparison = &layer->comparison;
    const struct bench_implementation *ours = &comparison->entries[layer->ours];
    const struct bench_implementation *rival =
        layer->rival == SIZE_MAX ? NULL : &comparison->entries[layer->rival];
    const struct bench_implementation *base =
        layer->base == SIZE_MAX ? NULL : &comparison->entries[layer->base];
    size_t rounds = report->rounds;
    double batched = bench_median(ours->batched, rounds);
    anole_table_cell(table, "%s", layer->label);
    anole_table_cell(table, "%u", layer->source->multiplicity);
    anole_table_cell(table, "%u", ours->groups);
    cell_seconds(table, batched);
    cell_seconds(table, bench_median(ours->device, rounds));
    cell_seconds(table, bench_median(ours->single, rounds));
    anole_table_cell(table, "%.0f %%",
                     100.0 * anole_task_flops(&layer->source->task) / batched / report->peak);
    anole_table_cell(table, "%.2g", ours->error_ratio);
    bool done = true;
    if (base)
        done = cell_speed(table, report, ours->batched, base->batched);
    else
        anole_table_cell(table, "-");
    if (!*report->rival)
        return done;
    anole_table_cell(table, "%s", rival ? rival->name : "none is right");
    cell_seconds(table, rival ? bench_median(rival->batched, rounds) : NAN);
    cell_seconds(table, rival ? bench_median(rival->single, rounds) : NAN);
    return done && cell_speed(table, report, ours->batched, rival ? rival->batched : NULL) &&
           cell_speed(table, report, ours->single, rival ? rival->single : NULL);
}

static enum anole_status print_layers(const struct bench_report *report, size_t network,
                                      struct anole_error *error)
{
    static const char *const alone[] = {"task",
                                        ">x",
                                        ">groups",
                                        ">batched",
                                        ">event",
                                        ">single",
                                        ">of peak",
                                        ">error/tolerance",
                                        ">over the default [95 %]",
                                        NULL};
    static const char *const both[] = {"task",
                                       ">x",
                                       ">groups",
                                       ">batched",
                                       ">event",
                                       ">single",
                                       ">of peak",
                                       ">error/tolerance",
                                       ">over the default [95 %]",
                                       "its best",
                                       ">batched",
                                       ">single",
                                       ">speed, batched [95 %]",
                                       ">speed, single [95 %]",
                                       NULL};
    struct anole_table *table = NULL;
    enum anole_status status = anole_table_create(&table, *report->rival ? both : alone, error);
    for (size_t i = 0; status == ANOLE_DONE && i < report->layer_count; i++)
        if (report->layers[i].network == network && !row(table, report, &report->layers[i]))
            status = anole_fail_memory(error);
    if (status == ANOLE_DONE)
        status = anole_table_print(table, stdout, error);
    anole_table_destroy(table);
    return status;
}

/* -------------------------------------------------------------------- sums */

/* The time of a network's convolutions, ours and theirs. */
static bool print_sum(const struct bench_report *report, size_t network, struct bench_pair *pairs)
{
    char a[32], b[32];
    struct bench_estimate estimate;
    double ours, theirs;
    size_t count = bench_report_pairs(pairs, report, BENCH_BATCHED, BENCH_CLASS_COUNT, network);
    if (count == 0)
        return true;
    if (!bench_sum_ratio(&estimate, &ours, &theirs, pairs, count, report->rounds))
        return false;
    printf("its convolutions, each as often as it occurs, batched: %s, %s's %s: %.3f [%.3f, %.3f] "
           "of its time\n",
           anole_text_seconds(a, sizeof a, ours), report->rival,
           anole_text_seconds(b, sizeof b, theirs), estimate.value, estimate.low, estimate.high);
    return true;
}

static enum anole_status print_classes(const struct bench_report *report, struct bench_pair *pairs,
                                       struct anole_error *error)
{
    static const char *const titles[] = {"class", ">layers", ">batched [95 %]", ">single [95 %]",
                                         NULL};
    struct anole_table *table = NULL;
    enum anole_status status = anole_table_create(&table, titles, error);
    for (int c = 0; status == ANOLE_DONE && c <= BENCH_CLASS_COUNT; c++) {
        /* "All" stands before dense, which does not belong to it. */
        enum bench_class class = c < BENCH_DENSE    ? c
                                 : c == BENCH_DENSE ? BENCH_CLASS_COUNT
                                                    : BENCH_DENSE;
        struct bench_estimate batched, single;
        size_t count = bench_report_pairs(pairs, report, BENCH_SINGLE, class, SIZE_MAX);
        bool done = bench_geometric_mean(&single, pairs, count, report->rounds);
        count = bench_report_pairs(pairs, report, BENCH_BATCHED, class, SIZE_MAX);
        if (!done || !bench_geometric_mean(&batched, pairs, count, report->rounds)) {
            status = anole_fail_memory(error);
            break;
        }
        anole_table_cell(table, "%s",
                         class == BENCH_CLASS_COUNT ? "all convolutions" : bench_class_text(class));
        anole_table_cell(table, "%zu", count);
        cell_estimate(table, &batched);
        cell_estimate(table, &single);
    }
    if (status == ANOLE_DONE)
        status = anole_table_print(table, stdout, error);
    anole_table_destroy(table);
    return status;
}

/* -------------------------------------------------------------------- head */

static void print_head(const struct bench_report *report)
{
    char name[256], version[160];
    const struct anole_device *device = &report->device->device;
    printf("%s: %s, %s %s, %u thread%s; peak %.1f GFLOP/s fp32, measured\n", report->device->id,
           anole_text_printable(name, sizeof name, device->name), device->driver,
           anole_text_printable(version, sizeof version, device->driver_version), report->threads,
           report->threads == 1 ? "" : "s", 1e-9 * report->peak);
    printf("kernels: %s%s%s; %zu rounds, in turn; medians%s%s\n", report->kernels,
           *report->rival ? "; against " : "", report->rival, report->rounds,
           report->idle_poll ? "; cores kept awake" : "",
           report->cold ? "; weights cold" : "; weights hot");
    printf("batched: host time of a run, launch included, many at a time and one wait; single: a "
           "wait after each;\nevent: the device's own time, batched; of peak: by the operations of "
           "the direct algorithm\n");
}

static void print_title(const struct bench_report *report, size_t network)
{
    const struct bench_network *at = &report->networks[network];
    size_t dense = 0, all = 0;
    char name[256], time[32];
    for (size_t i = 0; i < report->layer_count; i++) {
        all += report->layers[i].network == network;
        dense += report->layers[i].network == network && report->layers[i].class == BENCH_DENSE;
    }
    printf("\n%s: %zu distinct convolutions, %zu dense",
           anole_text_printable(name, sizeof name, at->network->name), all - dense, dense);
    if (!isnan(at->tuning))
        printf("; tuned in %s from an empty history",
               anole_text_seconds(time, sizeof time, at->tuning));
    printf("\n");
}

enum anole_status bench_report_print(const struct bench_report *report, struct anole_error *error)
{
    char wall[32];
    enum anole_status status = ANOLE_DONE;
    struct bench_pair *pairs = calloc(report->layer_count + 1, sizeof *pairs);
    if (!pairs)
        return anole_fail_memory(error);
    print_head(report);
    for (size_t i = 0; status == ANOLE_DONE && i < report->network_count; i++) {
        print_title(report, i);
        status = print_layers(report, i, error);
        if (status == ANOLE_DONE && *report->rival && !print_sum(report, i, pairs))
            status = anole_fail_memory(error);
    }
    if (status == ANOLE_DONE && *report->rival) {
        printf("\nspeed over the best of %s, geometric means\n", report->rival);
        status = print_classes(report, pairs, error);
    }
    if (status == ANOLE_DONE)
        printf("\n%zu layers; %s in all\n", report->layer_count,
               anole_text_seconds(wall, sizeof wall, report->wall));
    free(pairs);
    return status;
}

/* ------------------------------------------------------------------- JSON */

static json_t *estimate_json(const struct bench_estimate *estimate)
{
    return json_pack("{s:o, s:o, s:o}", "value", anole_json_real(estimate->value), "low",
                     anole_json_real(estimate->low), "high", anole_json_real(estimate->high));
}

static json_t *row_json(const double *samples, size_t rounds)
{
    json_t *row = json_array();
    for (size_t i = 0; i < rounds; i++)
        json_array_append_new(row, anole_json_real(samples[i]));
    return row;
}

static json_t *implementation_json(const struct bench_implementation *entry, size_t rounds)
{
    return json_pack("{s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "name", entry->name,
                     "detail", entry->detail, "work_groups", (json_int_t)entry->groups, "repeats",
                     (json_int_t)entry->repeats, "error", anole_json_real(entry->error_ratio),
                     "batched_seconds", anole_json_real(bench_median(entry->batched, rounds)),
                     "event_seconds", anole_json_real(bench_median(entry->device, rounds)),
                     "single_seconds", anole_json_real(bench_median(entry->single, rounds)),
                     "batched_samples", row_json(entry->batched, rounds), "single_samples",
                     row_json(entry->single, rounds));
}

/* How many times as fast ours is as `entry` (SIZE_MAX: null). */
static json_t *speed_json(const struct bench_report *report, const struct bench_layer *layer,
                          size_t entry, enum bench_column column)
{
    struct bench_estimate estimate;
    if (entry == SIZE_MAX)
        return json_null();
    const struct bench_implementation *ours = &layer->comparison.entries[layer->ours];
    const struct bench_implementation *other = &layer->comparison.entries[entry];
    bool batched = column == BENCH_BATCHED;
    struct bench_pair pair = {.ours = batched ? ours->batched : ours->single,
                              .theirs = batched ? other->batched : other->single};
    return bench_speed(&estimate, &pair, report->rounds) ? estimate_json(&estimate) : NULL;
}

static json_t *layer_json(const struct bench_report *report, const struct bench_layer *layer)
{
    const struct bench_comparison *comparison = &layer->comparison;
    const struct anole_task *task = &layer->source->task;
    double flops = anole_task_flops(task);
    double seconds = bench_median(comparison->entries[layer->ours].batched, report->rounds);
    json_t *entries = json_array();
    for (size_t i = 0; i < comparison->count; i++)
        json_array_append_new(entries,
                              implementation_json(&comparison->entries[i], report->rounds));
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "task",
        layer->key, "label", layer->label, "first_layer", layer->source->layers[0], "class",
        bench_class_text(layer->class), "multiplicity", (json_int_t)layer->source->multiplicity,
        "trials", (json_int_t)layer->trials, "flops", anole_json_real(flops), "ours",
        comparison->entries[layer->ours].name, "rival",
        layer->rival == SIZE_MAX ? json_null()
                                 : json_string(comparison->entries[layer->rival].name),
        "share_of_peak", anole_json_real(flops / seconds / report->peak), "speed_batched",
        speed_json(report, layer, layer->rival, BENCH_BATCHED), "speed_single",
        speed_json(report, layer, layer->rival, BENCH_SINGLE), "speed_over_default",
        speed_json(report, layer, layer->base, BENCH_BATCHED), "implementations", entries);
}

static json_t *network_json(const struct bench_report *report, size_t network,
                            struct bench_pair *pairs)
{
    struct bench_estimate estimate = {NAN, NAN, NAN};
    double ours = NAN, theirs = NAN;
    json_t *layers = json_array();
    for (size_t i = 0; i < report->layer_count; i++)
        if (report->layers[i].network == network)
            json_array_append_new(layers, layer_json(report, &report->layers[i]));
    size_t count = bench_report_pairs(pairs, report, BENCH_BATCHED, BENCH_CLASS_COUNT, network);
    if (count > 0 && !bench_sum_ratio(&estimate, &ours, &theirs, pairs, count, report->rounds))
        return NULL;
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "name",
                     report->networks[network].network->name, "path",
                     report->networks[network].path, "tuning_seconds",
                     anole_json_real(report->networks[network].tuning), "convolutions_seconds",
                     anole_json_real(ours), "convolutions_rival_seconds", anole_json_real(theirs),
                     "convolutions_time_ratio", estimate_json(&estimate), "layers", layers);
}

static json_t *class_json(const struct bench_report *report, enum bench_class class,
                          struct bench_pair *pairs)
{
    struct bench_estimate batched, single;
    size_t count = bench_report_pairs(pairs, report, BENCH_SINGLE, class, SIZE_MAX);
    bool done = bench_geometric_mean(&single, pairs, count, report->rounds);
    count = bench_report_pairs(pairs, report, BENCH_BATCHED, class, SIZE_MAX);
    if (!done || !bench_geometric_mean(&batched, pairs, count, report->rounds))
        return NULL;
    return json_pack("{s:s, s:I, s:o, s:o}", "class",
                     class == BENCH_CLASS_COUNT ? "all convolutions" : bench_class_text(class),
                     "layers", (json_int_t)count, "speed_batched", estimate_json(&batched),
                     "speed_single", estimate_json(&single));
}

json_t *bench_report_json(const struct bench_report *report)
{
    const struct anole_device *device = &report->device->device;
    struct bench_pair *pairs = calloc(report->layer_count + 1, sizeof *pairs);
    json_t *networks = json_array(), *classes = json_array();
    for (size_t i = 0; pairs && i < report->network_count; i++)
        json_array_append_new(networks, network_json(report, i, pairs));
    for (int c = 0; pairs && *report->rival && c <= BENCH_CLASS_COUNT; c++)
        json_array_append_new(classes, class_json(report, (enum bench_class)c, pairs));
    if (!pairs) {
        json_decref(networks);
        json_decref(classes);
        return NULL;
    }
    free(pairs);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:o, s:s, s:s, s:o, s:o, s:o}",
                     "timing", report->cold ? "cold" : "hot", "device", report->device->id,
                     "device_name", device->name, "driver", device->driver, "driver_version",
                     device->driver_version, "threads", (json_int_t)report->threads, "rounds",
                     (json_int_t)report->rounds, "idle_poll", (int)report->idle_poll, "peak_flops",
                     anole_json_real(report->peak), "kernels", report->kernels, "rival",
                     report->rival, "wall_seconds", anole_json_real(report->wall), "classes",
                     classes, "networks", networks);
}
