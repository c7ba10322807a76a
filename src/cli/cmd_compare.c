/* SPDX-License-Identifier: MIT
 *
 * anole compare: lock files side by side.  It goes by what they say alone, as their devices need
 * not be here, nor the backends that the configs are of: program/tuned.h has nothing to add.
 */
#include "base/text.h"
#include "cli/command.h"
#include "cli/table.h"
#include "record/comparison.h"
#include "record/lockfolder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILES 1024
#define NOBODY ANOLE_COMPARISON_NOBODY

static const struct anole_option options[] = {
    {"json", NULL, "print JSON to stdout instead of tables"},
    {0},
};

static enum anole_status take(void *context, size_t index, const char *value,
                              struct anole_error *error)
{
    (void)index;
    (void)value;
    (void)error;
    *(bool *)context = true;
    return ANOLE_DONE;
}

/* ---------------------------------------------------------- who is compared */

static void print_legend(const struct anole_comparison *comparison)
{
    for (size_t c = 0; c < comparison->column_count; c++) {
        const struct anole_comparison_column *column = &comparison->columns[c];
        const struct anole_lock_device *device = column->device;
        char sizes[256];
        anole_lock_sizes_text(sizes, sizeof sizes, device);
        printf("%c  %s%s  %s, %s %s%s%s, in %s\n", (char)('A' + c), anole_command_shown(device->id),
               anole_precision_suffix(device->dtype), anole_command_shown(device->device),
               anole_command_shown(device->driver), anole_command_shown(device->driver_version),
               *sizes ? ", " : "", sizes, anole_command_shown(column->path));
    }
    putchar('\n');
}

/* ------------------------------------------------------------------- times */

#define MAX_TITLES (ANOLE_COMPARISON_COLUMNS + 8)

/* A table with the titles "A", "B", ... between `before` and `after`; `titles` must
 * outlive it. */
static enum anole_status create_table(struct anole_table **table, const char **titles,
                                      const struct anole_comparison *comparison,
                                      const char *const *before, const char *after,
                                      struct anole_error *error)
{
    static const char *const letters[ANOLE_COMPARISON_COLUMNS] = {
        ">A", ">B", ">C", ">D", ">E", ">F", ">G", ">H", ">I", ">J", ">K", ">L", ">M",
        ">N", ">O", ">P", ">Q", ">R", ">S", ">T", ">U", ">V", ">W", ">X", ">Y", ">Z"};
    size_t count = 0;
    while (*before)
        titles[count++] = *before++;
    for (size_t c = 0; c < comparison->column_count; c++)
        titles[count++] = letters[c];
    if (after)
        titles[count++] = after;
    titles[count] = NULL;
    return anole_table_create(table, titles, error);
}

/* "A 1.52x", "A (tie)", "-"; with " *" where some were timed hot, others cold. */
static void print_winner(struct anole_table *table, size_t winner, bool tie, double lead,
                         bool unlike)
{
    const char *mark = unlike ? " *" : "";
    if (winner == NOBODY)
        anole_table_cell(table, "-");
    else if (tie)
        anole_table_cell(table, "%c (tie)%s", (char)('A' + winner), mark);
    else
        anole_table_cell(table, "%c %.2fx%s", (char)('A' + winner), lead, mark);
}

static void print_row(struct anole_table *table, const struct anole_comparison *comparison,
                      const struct anole_comparison_row *row)
{
    char text[32];
    anole_table_cell(table, "%s", row->label);
    anole_table_cell(table, "%u", row->multiplicity);
    for (size_t c = 0; c < comparison->column_count; c++) {
        const struct anole_lock_task *task = row->tasks[c];
        if (!task)
            anole_table_cell(table, "-");
        else if (row->whole)
            anole_table_cell(table, "%s %3.0f %%",
                             anole_text_seconds(text, sizeof text, task->value),
                             100 * row->multiplicity * anole_comparison_cost(comparison, task) /
                                 comparison->columns[c].sum);
        else
            anole_table_cell(table, "%s    - ", anole_text_seconds(text, sizeof text, task->value));
    }
    print_winner(table, row->winner, row->tie, row->lead, row->unlike);
}

static void print_sum(struct anole_table *table, const struct anole_comparison *comparison)
{
    char text[32];
    size_t layers = 0, winner = 0;
    double lead = INFINITY;
    bool unlike = false;
    for (size_t i = 0; i < comparison->row_count; i++) {
        layers += comparison->rows[i].whole ? comparison->rows[i].multiplicity : 0;
        unlike |= comparison->rows[i].whole && comparison->rows[i].unlike;
    }
    for (size_t c = 1; c < comparison->column_count; c++)
        winner = comparison->columns[c].sum < comparison->columns[winner].sum ? c : winner;
    anole_table_cell(table, "sum");
    anole_table_cell(table, "%zu", layers);
    for (size_t c = 0; c < comparison->column_count; c++) {
        double sum = comparison->columns[c].sum;
        anole_table_cell(table, "%s 100 %%", anole_text_seconds(text, sizeof text, sum));
        if (c != winner)
            lead = fmin(lead, sum / comparison->columns[winner].sum);
    }
    print_winner(table, comparison->column_count > 1 ? winner : NOBODY, false, lead, unlike);
}

/* Networks as a whole, where one at least was run so; no share, as there is nothing beside it. */
static void print_in_place(struct anole_table *table, const struct anole_comparison *comparison)
{
    char text[32];
    size_t winner = NOBODY, ran = 0;
    double lead = INFINITY;
    bool tie = false;
    for (size_t c = 0; c < comparison->column_count; c++) {
        const struct anole_lock_in_place *own = &comparison->columns[c].device->in_place;
        if (own->rounds == 0)
            continue;
        ran++;
        if (winner == NOBODY || own->seconds < comparison->columns[winner].device->in_place.seconds)
            winner = c;
    }
    if (ran == 0)
        return;
    const struct anole_lock_in_place *best = &comparison->columns[winner].device->in_place;
    anole_table_cell(table, "in place");
    anole_table_cell(table, "1");
    for (size_t c = 0; c < comparison->column_count; c++) {
        const struct anole_lock_in_place *own = &comparison->columns[c].device->in_place;
        if (own->rounds == 0) {
            anole_table_cell(table, "-");
            continue;
        }
        anole_table_cell(table, "%s      ", anole_text_seconds(text, sizeof text, own->seconds));
        if (c != winner) {
            lead = fmin(lead, own->seconds / best->seconds);
            tie |= own->low <= best->high;
        }
    }
    print_winner(table, ran > 1 ? winner : NOBODY, tie, lead, false);
}

/* What is marked, and how each column was timed. */
static void print_unlike(const struct anole_comparison *comparison)
{
    if (comparison->unlike_count == 0)
        return;
    printf("* %zu of %zu tasks were timed hot by some, with weights in the caches, and cold by "
           "others:\n  what is faster there need not be so in the network; tune again with one "
           "--timing, or go by \"in place\"\n",
           comparison->unlike_count, comparison->row_count);
    for (size_t c = 0; c < comparison->column_count; c++) {
        size_t cold = 0, count = 0;
        for (size_t i = 0; i < comparison->row_count; i++)
            if (comparison->rows[i].unlike && comparison->rows[i].tasks[c]) {
                cold += comparison->rows[i].tasks[c]->warmth != ANOLE_WARMTH_HOT;
                count++;
            }
        printf("  %c: of these %zu cold, %zu hot\n", (char)('A' + c), cold, count - cold);
    }
}

static enum anole_status print_times(const struct anole_comparison *comparison,
                                     struct anole_error *error)
{
    static const char *const first[] = {"task", ">x", NULL};
    const char *titles[MAX_TITLES];
    struct anole_table *table = NULL;
    enum anole_status status = create_table(&table, titles, comparison, first, "fastest", error);
    if (status != ANOLE_DONE)
        return status;
    for (size_t i = 0; i < comparison->row_count; i++)
        print_row(table, comparison, &comparison->rows[i]);
    print_sum(table, comparison);
    print_in_place(table, comparison);
    status = anole_table_print(table, stdout, error);
    anole_table_destroy(table);
    if (status != ANOLE_DONE)
        return status;
    char text[32];
    size_t missing = comparison->row_count - comparison->whole_count;
    if (missing > 0)
        printf("%zu of %zu tasks are not in the sum: not every device was tuned for them\n",
               missing, comparison->row_count);
    print_unlike(comparison);
    if (comparison->column_count > 1)
        printf("each layer where it is fastest: %s\n",
               anole_text_seconds(text, sizeof text, comparison->best_sum));
    return ANOLE_DONE;
}

/* ---------------------------------------------------- where the time goes */

static bool kind_seen(const struct anole_comparison *comparison, size_t row)
{
    for (size_t i = 0; i < row; i++)
        if (comparison->rows[i].whole &&
            strcmp(comparison->rows[i].kind, comparison->rows[row].kind) == 0)
            return true;
    return false;
}

static void print_kind(struct anole_table *table, const struct anole_comparison *comparison,
                       const char *kind)
{
    char text[32];
    anole_table_cell(table, "%s", kind);
    for (size_t c = 0; c < comparison->column_count; c++) {
        double sum = 0;
        for (size_t i = 0; i < comparison->row_count; i++) {
            const struct anole_comparison_row *row = &comparison->rows[i];
            if (row->whole && strcmp(row->kind, kind) == 0)
                sum += row->multiplicity * anole_comparison_cost(comparison, row->tasks[c]);
        }
        anole_table_cell(table, "%s %3.0f %%", anole_text_seconds(text, sizeof text, sum),
                         100 * sum / comparison->columns[c].sum);
    }
}

static enum anole_status print_kinds(const struct anole_comparison *comparison,
                                     struct anole_error *error)
{
    static const char *const first[] = {"where the time goes", NULL};
    const char *titles[MAX_TITLES];
    struct anole_table *table = NULL;
    enum anole_status status = create_table(&table, titles, comparison, first, NULL, error);
    if (status != ANOLE_DONE)
        return status;
    for (size_t i = 0; i < comparison->row_count; i++)
        if (comparison->rows[i].whole && !kind_seen(comparison, i))
            print_kind(table, comparison, comparison->rows[i].kind);
    putchar('\n');
    status = anole_table_print(table, stdout, error);
    anole_table_destroy(table);
    return status;
}

/* ----------------------------------------------------------------- changes */

/* Words for what is another kernel, and why that may be. */
static const char *kernel_text(const struct anole_comparison_row *row, size_t before, size_t after)
{
    const struct anole_lock_task *a = row->tasks[before], *b = row->tasks[after];
    if (!a || !b)
        return "-";
    if (anole_lock_same_kernel(a, b))
        return "the same";
    for (size_t i = 0; i < a->knob_count && i < b->knob_count; i++)
        if (strcmp(a->knobs[i].name, b->knobs[i].name) != 0 ||
            a->knobs[i].value != b->knobs[i].value)
            return "another config";
    return a->knob_count != b->knob_count ? "another config" : "another source";
}

static void print_change(struct anole_table *table, const struct anole_comparison *comparison,
                         const struct anole_comparison_row *row, size_t before, size_t after)
{
    char text[32];
    const struct anole_lock_task *a = row->tasks[before], *b = row->tasks[after];
    anole_table_cell(table, "%s", row->label);
    anole_table_cell(table, "%s", a ? anole_text_seconds(text, sizeof text, a->value) : "-");
    anole_table_cell(table, "%s", b ? anole_text_seconds(text, sizeof text, b->value) : "-");
    anole_table_cell(table, "%s",
                     anole_change_text(anole_comparison_change(comparison, row, before, after)));
    if (a && b && a->warmth == b->warmth)
        anole_table_cell(table, "%.2fx",
                         anole_comparison_cost(comparison, a) /
                             anole_comparison_cost(comparison, b));
    else
        anole_table_cell(table, "-");
    anole_table_cell(table, "%s", kernel_text(row, before, after));
}

static void print_versions(const struct anole_lock_device *a, const struct anole_lock_device *b)
{
    char old[160], new[160];
    if (strcmp(a->driver_version, b->driver_version) != 0)
        printf("the driver went from %s to %s\n",
               anole_text_printable(old, sizeof old, a->driver_version),
               anole_text_printable(new, sizeof new, b->driver_version));
    if (strcmp(a->backend_version, b->backend_version) != 0 || a->generator != b->generator)
        printf("the backend went from %s (generator %u) to %s (generator %u)\n",
               anole_text_printable(old, sizeof old, a->backend_version), a->generator,
               anole_text_printable(new, sizeof new, b->backend_version), b->generator);
}

static enum anole_status print_changes(const struct anole_comparison *comparison, size_t after,
                                       struct anole_error *error)
{
    static const char *const titles[] = {"task",      ">before", ">after", "change",
                                         ">speed-up", "kernel",  NULL};
    size_t before = comparison->columns[after].before;
    struct anole_table *table = NULL;
    enum anole_status status = anole_table_create(&table, titles, error);
    if (status != ANOLE_DONE)
        return status;
    printf("\nWhat changed on %s from %c to %c:\n",
           anole_command_shown(comparison->columns[after].device->id), (char)('A' + before),
           (char)('A' + after));
    for (size_t i = 0; i < comparison->row_count; i++)
        if (comparison->rows[i].tasks[before] || comparison->rows[i].tasks[after])
            print_change(table, comparison, &comparison->rows[i], before, after);
    status = anole_table_print(table, stdout, error);
    anole_table_destroy(table);
    if (status == ANOLE_DONE)
        print_versions(comparison->columns[before].device, comparison->columns[after].device);
    return status;
}

/* -------------------------------------------------------------------- run */

static enum anole_status print_all(const struct anole_comparison *comparison,
                                   struct anole_error *error)
{
    print_legend(comparison);
    enum anole_status status = print_times(comparison, error);
    if (status == ANOLE_DONE)
        status = print_kinds(comparison, error);
    for (size_t c = 0; c < comparison->column_count && status == ANOLE_DONE; c++)
        if (comparison->columns[c].before != NOBODY)
            status = print_changes(comparison, c, error);
    return status;
}

static enum anole_status compare(char **paths, size_t count, bool json, struct anole_error *error)
{
    struct anole_lockfile **files = calloc(count, sizeof *files);
    struct anole_comparison *comparison = NULL;
    enum anole_status status = files ? ANOLE_DONE : anole_fail_memory(error);
    for (size_t i = 0; i < count && status == ANOLE_DONE; i++) {
        status = anole_lockfolder_load(&files[i], paths[i], error);
        if (status == ANOLE_DONE)
            status = anole_lockfile_join_sizes(files[i], error);
    }
    if (status == ANOLE_DONE)
        status =
            anole_comparison_create(&comparison, files, (const char *const *)paths, count, error);
    if (status == ANOLE_DONE)
        status = json ? anole_command_print_json(anole_comparison_json(comparison), error)
                      : print_all(comparison, error);
    anole_comparison_destroy(comparison);
    for (size_t i = 0; i < count && files; i++)
        anole_lockfile_destroy(files[i]);
    free(files);
    return status;
}

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    bool json = false, help;
    char **positional;
    size_t count;
    enum anole_status status = anole_options_parse(&anole_cmd_compare, argc, argv, take, &json,
                                                   &positional, &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    return compare(positional, count, json, error);
}

static void print_details(void)
{
    printf(
        "\nEach device of each file is a column, with all sizes of the network.  Where two files\n"
        "hold the same device, what changed from one to the other follows.  Times whose intervals\n"
        "overlap are a tie.\n");
}

const struct anole_command anole_cmd_compare = {
    .name = "compare",
    .arguments = "LOCKFILE...",
    .summary = "Compare devices, or one device before and after",
    .details = print_details,
    .options = options,
    .least = 1,
    .most = MAX_FILES,
    .run = run,
};
