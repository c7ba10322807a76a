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
        const struct bench_contestant *ours = &layer->contest.entries[layer->ours];
        const struct bench_contestant *rival = &layer->contest.entries[layer->rival];
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

static void cell_figure(struct anole_table *table, const struct bench_figure *figure)
{
    if (isnan(figure->value))
        anole_table_cell(table, "-");
    else
        anole_table_cell(table, "%.2f [%.2f, %.2f]", figure->value, figure->low, figure->high);
}

/* Of `theirs` over ours; cells with "-" if there is no such contestant. */
static bool cell_speed(struct anole_table *table, const struct bench_report *report,
                       const double *ours, const double *theirs)
{
    struct bench_figure figure = {NAN, NAN, NAN};
    struct bench_pair pair = {.ours = ours, .theirs = theirs};
    if (theirs && !bench_speed(&figure, &pair, report->rounds))
        return false;
    cell_figure(table, &figure);
    return true;
}

static bool row(struct anole_table *table, const struct bench_report *report,
                const struct bench_layer *layer)
{
    const struct bench_contest *contest = &layer->contest;
    const struct bench_contestant *ours = &contest->entries[layer->ours];
    const struct bench_contestant *rival =
        layer->rival == SIZE_MAX ? NULL : &contest->entries[layer->rival];
    const struct bench_contestant *base =
        layer->base == SIZE_MAX ? NULL : &contest->entries[layer->base];
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
    anole_table_cell(table, "%.2g", ours->off);
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
    struct bench_figure figure;
    double ours, theirs;
    size_t count = bench_report_pairs(pairs, report, BENCH_BATCHED, BENCH_CLASS_COUNT, network);
    if (count == 0)
        return true;
    if (!bench_sum_ratio(&figure, &ours, &theirs, pairs, count, report->rounds))
        return false;
    printf("its convolutions, each as often as it occurs, batched: %s, %s's %s: %.3f [%.3f, %.3f] "
           "of its time\n",
           anole_text_seconds(a, sizeof a, ours), report->rival,
           anole_text_seconds(b, sizeof b, theirs), figure.value, figure.low, figure.high);
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
        struct bench_figure batched, single;
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
        cell_figure(table, &batched);
        cell_figure(table, &single);
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
    printf("kernels: %s%s%s; %zu rounds, in turn; medians%s\n", report->kernels,
           *report->rival ? "; against " : "", report->rival, report->rounds,
           report->awake ? "; cores kept awake" : "");
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
