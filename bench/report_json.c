/* SPDX-License-Identifier: MIT */
#include "bench/report.h"
#include "op/task.h"

#include <math.h>
#include <stdlib.h>

static json_t *figure_json(const struct bench_figure *figure)
{
    return json_pack("{s:o, s:o, s:o}", "value", anole_json_real(figure->value), "low",
                     anole_json_real(figure->low), "high", anole_json_real(figure->high));
}

static json_t *row_json(const double *samples, size_t rounds)
{
    json_t *row = json_array();
    for (size_t i = 0; i < rounds; i++)
        json_array_append_new(row, anole_json_real(samples[i]));
    return row;
}

static json_t *contestant_json(const struct bench_contestant *entry, size_t rounds)
{
    return json_pack("{s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "name", entry->name,
                     "detail", entry->detail, "work_groups", (json_int_t)entry->groups, "repeats",
                     (json_int_t)entry->repeats, "error", anole_json_real(entry->off),
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
    struct bench_figure figure;
    if (entry == SIZE_MAX)
        return json_null();
    const struct bench_contestant *ours = &layer->contest.entries[layer->ours];
    const struct bench_contestant *other = &layer->contest.entries[entry];
    bool batched = column == BENCH_BATCHED;
    struct bench_pair pair = {.ours = batched ? ours->batched : ours->single,
                              .theirs = batched ? other->batched : other->single};
    return bench_speed(&figure, &pair, report->rounds) ? figure_json(&figure) : NULL;
}

static json_t *layer_json(const struct bench_report *report, const struct bench_layer *layer)
{
    const struct bench_contest *contest = &layer->contest;
    const struct anole_task *task = &layer->source->task;
    double flops = anole_task_flops(task);
    double seconds = bench_median(contest->entries[layer->ours].batched, report->rounds);
    json_t *entries = json_array();
    for (size_t i = 0; i < contest->count; i++)
        json_array_append_new(entries, contestant_json(&contest->entries[i], report->rounds));
    const struct anole_network *network = report->networks[layer->network].network;
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "task",
        layer->key, "label", layer->label, "first_layer",
        network->layers[layer->source->first_layer].name, "class", bench_class_text(layer->class),
        "multiplicity", (json_int_t)layer->source->multiplicity, "trials",
        (json_int_t)layer->trials, "flops", anole_json_real(flops), "ours",
        contest->entries[layer->ours].name, "rival",
        layer->rival == SIZE_MAX ? json_null() : json_string(contest->entries[layer->rival].name),
        "share_of_peak", anole_json_real(flops / seconds / report->peak), "speed_batched",
        speed_json(report, layer, layer->rival, BENCH_BATCHED), "speed_single",
        speed_json(report, layer, layer->rival, BENCH_SINGLE), "speed_over_default",
        speed_json(report, layer, layer->base, BENCH_BATCHED), "contestants", entries);
}

static json_t *network_json(const struct bench_report *report, size_t network,
                            struct bench_pair *pairs)
{
    struct bench_figure figure = {NAN, NAN, NAN};
    double ours = NAN, theirs = NAN;
    json_t *layers = json_array();
    for (size_t i = 0; i < report->layer_count; i++)
        if (report->layers[i].network == network)
            json_array_append_new(layers, layer_json(report, &report->layers[i]));
    size_t count = bench_report_pairs(pairs, report, BENCH_BATCHED, BENCH_CLASS_COUNT, network);
    if (count > 0 && !bench_sum_ratio(&figure, &ours, &theirs, pairs, count, report->rounds))
        return NULL;
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "name",
                     report->networks[network].network->name, "path",
                     report->networks[network].path, "tuning_seconds",
                     anole_json_real(report->networks[network].tuning), "convolutions_seconds",
                     anole_json_real(ours), "convolutions_rival_seconds", anole_json_real(theirs),
                     "convolutions_time_ratio", figure_json(&figure), "layers", layers);
}

static json_t *class_json(const struct bench_report *report, enum bench_class class,
                          struct bench_pair *pairs)
{
    struct bench_figure batched, single;
    size_t count = bench_report_pairs(pairs, report, BENCH_SINGLE, class, SIZE_MAX);
    bool done = bench_geometric_mean(&single, pairs, count, report->rounds);
    count = bench_report_pairs(pairs, report, BENCH_BATCHED, class, SIZE_MAX);
    if (!done || !bench_geometric_mean(&batched, pairs, count, report->rounds))
        return NULL;
    return json_pack("{s:s, s:I, s:o, s:o}", "class",
                     class == BENCH_CLASS_COUNT ? "all convolutions" : bench_class_text(class),
                     "layers", (json_int_t)count, "speed_batched", figure_json(&batched),
                     "speed_single", figure_json(&single));
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
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:o, s:s, s:s, s:o, s:o, s:o}", "device",
                     report->device->id, "device_name", device->name, "driver", device->driver,
                     "driver_version", device->driver_version, "threads",
                     (json_int_t)report->threads, "rounds", (json_int_t)report->rounds, "awake",
                     (int)report->awake, "peak_flops", anole_json_real(report->peak), "kernels",
                     report->kernels, "rival", report->rival, "wall_seconds",
                     anole_json_real(report->wall), "classes", classes, "networks", networks);
}
