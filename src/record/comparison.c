/* SPDX-License-Identifier: MIT */
#include "record/comparison.h"

#include "base/hash.h"
#include "base/text.h"
#include "op/task.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_ROW UINT32_MAX
#define NOBODY ANOLE_COMPARISON_NOBODY

/* -- Columns -- */

static enum anole_status add_column(struct anole_comparison *comparison, const char *path,
                                    const struct anole_lock_device *device,
                                    struct anole_error *error)
{
    size_t at = comparison->column_count;
    if (at == ANOLE_COMPARISON_COLUMNS)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "more than %d devices in these files: compare fewer at once",
                          ANOLE_COMPARISON_COLUMNS);
    if (at == 0)
        comparison->metric = device->metric;
    if (device->metric != comparison->metric) {
        char safe[160];
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: tuned for %s, where others were for %s: the two cannot be compared",
                          anole_text_printable(safe, sizeof safe, path),
                          anole_metric_text(device->metric), anole_metric_text(comparison->metric));
    }
    struct anole_comparison_column *column = &comparison->columns[at];
    *column = (struct anole_comparison_column){.path = path, .device = device, .before = NOBODY};
    comparison->mixed |= at > 0 && comparison->columns[0].device->dtype != device->dtype;
    for (size_t i = 0; i < at; i++)
        if (anole_lock_same_device(comparison->columns[i].device, device))
            column->before = i;
    comparison->column_count++;
    return ANOLE_DONE;
}

static enum anole_status check_network(const struct anole_lockfile *first, const char *first_path,
                                       const struct anole_lockfile *other, const char *path,
                                       struct anole_error *error)
{
    char safe[4][160];
    if (strcmp(first->network, other->network) == 0)
        return ANOLE_DONE;
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "%s is of the network \"%s\", %s of \"%s\": only the same network can be "
                      "compared",
                      anole_text_printable(safe[0], sizeof safe[0], first_path),
                      anole_text_printable(safe[1], sizeof safe[1], first->network),
                      anole_text_printable(safe[2], sizeof safe[2], path),
                      anole_text_printable(safe[3], sizeof safe[3], other->network));
}

static enum anole_status add_columns(struct anole_comparison *comparison,
                                     struct anole_lockfile *const *files, const char *const *paths,
                                     size_t count, struct anole_error *error)
{
    comparison->network = files[0]->network;
    for (size_t i = 0; i < count; i++) {
        enum anole_status status = check_network(files[0], paths[0], files[i], paths[i], error);
        for (size_t d = 0; status == ANOLE_DONE && d < files[i]->device_count; d++)
            status = add_column(comparison, paths[i], &files[i]->devices[d], error);
        if (status != ANOLE_DONE)
            return status;
    }
    if (comparison->column_count == 0)
        return anole_fail(error, ANOLE_ERR_INPUT, "these lock files hold no device");
    return ANOLE_DONE;
}

/* -- Rows -- */

/* Rows are found by the hashes of their keys, in a table at most half of which is taken. */
static uint32_t *find_slot(const struct anole_comparison *comparison, const char *key)
{
    size_t mask = comparison->slot_count - 1, at = anole_hash_text(key) & mask;
    while (comparison->slots[at] != NO_ROW &&
           strcmp(comparison->rows[comparison->slots[at]].key, key) != 0)
        at = (at + 1) & mask;
    return &comparison->slots[at];
}

/* Room for one more row. */
static bool grow_rows(struct anole_comparison *comparison)
{
    if (2 * (comparison->row_count + 1) <= comparison->slot_count)
        return true;
    size_t slot_count = comparison->slot_count ? 2 * comparison->slot_count : 64;
    uint32_t *slots = reallocarray(NULL, slot_count, sizeof *slots);
    struct anole_comparison_row *rows =
        slots ? reallocarray(comparison->rows, slot_count / 2, sizeof *rows) : NULL;
    if (!rows) {
        free(slots);
        return false;
    }
    comparison->rows = rows;
    free(comparison->slots);
    comparison->slots = slots;
    comparison->slot_count = slot_count;
    memset(slots, 0xff, slot_count * sizeof *slots);
    for (size_t i = 0; i < comparison->row_count; i++)
        *find_slot(comparison, rows[i].key) = (uint32_t)i;
    return true;
}

/* By what a task is the same in all columns: key[ANOLE_TASK_KEY]. */
static void row_key(char *key, const struct anole_comparison *comparison,
                    const struct anole_lock_task *entry)
{
    struct anole_task task;
    snprintf(key, ANOLE_TASK_KEY, "%s", entry->task);
    if (!comparison->mixed || anole_task_parse_key(&task, entry->task, NULL) != ANOLE_DONE)
        return;
    task.dtype = ANOLE_F32;
    anole_task_key(key, &task);
}

static void name_row(struct anole_comparison_row *row, const char *key,
                     const struct anole_lock_task *entry)
{
    struct anole_task task;
    memcpy(row->key, key, sizeof row->key);
    row->multiplicity = entry->multiplicity;
    row->kind = "other";
    if (anole_task_parse_key(&task, key, NULL) == ANOLE_DONE) {
        anole_task_label(row->label, sizeof row->label, &task);
        row->kind = anole_task_kind_text(task.kind);
    } else {
        anole_text_printable(row->label, sizeof row->label, entry->task);
    }
}

static enum anole_status add_task(struct anole_comparison *comparison, size_t column,
                                  const struct anole_lock_task *entry, struct anole_error *error)
{
    char key[ANOLE_TASK_KEY];
    row_key(key, comparison, entry);
    if (!grow_rows(comparison))
        return anole_fail_memory(error);
    uint32_t *slot = find_slot(comparison, key);
    if (*slot == NO_ROW) {
        *slot = (uint32_t)comparison->row_count++;
        memset(&comparison->rows[*slot], 0, sizeof *comparison->rows);
        name_row(&comparison->rows[*slot], key, entry);
    }
    struct anole_comparison_row *row = &comparison->rows[*slot];
    if (row->multiplicity != entry->multiplicity) {
        char safe[160];
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: %s occurs %u times, but %u times in another file: the network has "
                          "changed in between; tune it again",
                          anole_text_printable(safe, sizeof safe, comparison->columns[column].path),
                          row->label, entry->multiplicity, row->multiplicity);
    }
    row->tasks[column] = entry;
    return ANOLE_DONE;
}

/* The interval of a task as costs: less is better. */
struct interval {
    double low, high;
};

static struct interval costs_of(const struct anole_comparison *comparison,
                                const struct anole_lock_task *task)
{
    double a = anole_metric_cost(comparison->metric, task->low);
    double b = anole_metric_cost(comparison->metric, task->high);
    return (struct interval){fmin(a, b), fmax(a, b)};
}

double anole_comparison_cost(const struct anole_comparison *comparison,
                             const struct anole_lock_task *task)
{
    return anole_metric_cost(comparison->metric, task->value);
}

static void judge_row(const struct anole_comparison *comparison, struct anole_comparison_row *row)
{
    size_t present = 0, columns = comparison->column_count;
    const struct anole_lock_task *first = NULL;
    double best = INFINITY;
    row->winner = NOBODY;
    row->lead = NAN;
    for (size_t c = 0; c < columns; c++) {
        if (!row->tasks[c])
            continue;
        first = first ? first : row->tasks[c];
        present++;
        row->unlike |= row->tasks[c]->warmth != first->warmth;
        if (row->winner == NOBODY || anole_comparison_cost(comparison, row->tasks[c]) < best) {
            row->winner = c;
            best = anole_comparison_cost(comparison, row->tasks[c]);
        }
    }
    row->whole = present == columns;
    if (present < 2) {
        row->winner = NOBODY;
        return;
    }
    double worst = costs_of(comparison, row->tasks[row->winner]).high;
    for (size_t c = 0; c < columns; c++) {
        if (!row->tasks[c] || c == row->winner)
            continue;
        row->lead = fmin(row->lead, anole_comparison_cost(comparison, row->tasks[c]) / best);
        row->tie |= costs_of(comparison, row->tasks[c]).low <= worst;
    }
}

static void add_up(struct anole_comparison *comparison)
{
    for (size_t i = 0; i < comparison->row_count; i++) {
        const struct anole_comparison_row *row = &comparison->rows[i];
        comparison->unlike_count += row->unlike;
        if (!row->whole)
            continue;
        double best = INFINITY;
        comparison->whole_count++;
        for (size_t c = 0; c < comparison->column_count; c++) {
            comparison->columns[c].sum +=
                row->multiplicity * anole_comparison_cost(comparison, row->tasks[c]);
            best = fmin(best, anole_comparison_cost(comparison, row->tasks[c]));
        }
        comparison->best_sum += row->multiplicity * best;
    }
}

static enum anole_status add_rows(struct anole_comparison *comparison, struct anole_error *error)
{
    for (size_t c = 0; c < comparison->column_count; c++) {
        const struct anole_lock_device *device = comparison->columns[c].device;
        for (size_t t = 0; t < device->task_count; t++) {
            enum anole_status status = add_task(comparison, c, &device->tasks[t], error);
            if (status != ANOLE_DONE)
                return status;
        }
    }
    for (size_t i = 0; i < comparison->row_count; i++)
        judge_row(comparison, &comparison->rows[i]);
    add_up(comparison);
    if (comparison->whole_count == 0)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "there is no layer that all %zu devices were tuned for: nothing can be "
                          "compared",
                          comparison->column_count);
    return ANOLE_DONE;
}

enum anole_status anole_comparison_create(struct anole_comparison **comparison,
                                          struct anole_lockfile *const *files,
                                          const char *const *paths, size_t count,
                                          struct anole_error *error)
{
    struct anole_comparison *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    enum anole_status status = add_columns(new, files, paths, count, error);
    if (status == ANOLE_DONE)
        status = add_rows(new, error);
    if (status != ANOLE_DONE) {
        anole_comparison_destroy(new);
        return status;
    }
    *comparison = new;
    return ANOLE_DONE;
}

void anole_comparison_destroy(struct anole_comparison *comparison)
{
    if (!comparison)
        return;
    free(comparison->rows);
    free(comparison->slots);
    free(comparison);
}

/* -- Changes -- */

const char *anole_change_text(enum anole_change change)
{
    static const char *const texts[] = {"same",  "faster",  "slower",
                                        "added", "removed", "timed otherwise"};
    return (unsigned)change < sizeof texts / sizeof *texts ? texts[change] : "unknown";
}

enum anole_change anole_comparison_change(const struct anole_comparison *comparison,
                                          const struct anole_comparison_row *row, size_t before,
                                          size_t after)
{
    const struct anole_lock_task *a = row->tasks[before], *b = row->tasks[after];
    if (!a || !b)
        return a ? ANOLE_CHANGE_REMOVED : b ? ANOLE_CHANGE_ADDED : ANOLE_CHANGE_NONE;
    if (a->warmth != b->warmth)
        return ANOLE_CHANGE_UNKNOWN;
    struct interval then = costs_of(comparison, a), now = costs_of(comparison, b);
    if (now.high < then.low)
        return ANOLE_CHANGE_FASTER;
    return now.low > then.high ? ANOLE_CHANGE_SLOWER : ANOLE_CHANGE_NONE;
}

/* -- JSON -- */

static json_t *name_json(size_t column)
{
    const char name[2] = {(char)('A' + column), '\0'};
    return column == NOBODY ? json_null() : json_string(name);
}

/* null: the network was not run as a whole. */
static json_t *in_place_json(const struct anole_lock_in_place *in_place)
{
    if (in_place->rounds == 0)
        return json_null();
    return json_pack("{s:f, s:f, s:f, s:o, s:o, s:I, s:I}", "seconds", in_place->seconds, "low",
                     in_place->low, "high", in_place->high, "default_seconds",
                     anole_json_real(in_place->default_seconds), "speedup",
                     anole_json_real(in_place->speedup), "steps", (json_int_t)in_place->steps,
                     "steps_tuned", (json_int_t)in_place->steps_tuned);
}

static json_t *column_json(const struct anole_comparison *comparison, size_t at)
{
    const struct anole_comparison_column *column = &comparison->columns[at];
    const struct anole_lock_device *device = column->device;
    char path[4096];
    return json_pack(
        "{s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:o}", "name",
        name_json(at), "path", anole_text_printable(path, sizeof path, column->path), "id",
        device->id, "backend", device->backend, "backend_version", device->backend_version,
        "device", device->device, "driver", device->driver, "driver_version",
        device->driver_version, "precision", anole_precision_text(device->dtype), "generator",
        (json_int_t)device->generator, "threads", (json_int_t)device->threads, "seconds",
        anole_json_real(column->sum), "in_place", in_place_json(&device->in_place), "before",
        name_json(column->before));
}

static json_t *row_json(const struct anole_comparison *comparison,
                        const struct anole_comparison_row *row)
{
    json_t *times = json_array();
    for (size_t c = 0; c < comparison->column_count; c++) {
        const struct anole_lock_task *task = row->tasks[c];
        json_array_append_new(
            times,
            task ? json_pack("{s:s, s:o, s:o, s:o, s:o}", "timing", anole_warmth_text(task->warmth),
                             "seconds", anole_json_real(task->value), "low",
                             anole_json_real(task->low), "high", anole_json_real(task->high),
                             "share",
                             row->whole ? anole_json_real(row->multiplicity *
                                                          anole_comparison_cost(comparison, task) /
                                                          comparison->columns[c].sum)
                                        : json_null())
                 : json_null());
    }
    return json_pack("{s:s, s:s, s:s, s:I, s:b, s:o, s:o, s:b, s:o}", "task", row->key, "label",
                     row->label, "kind", row->kind, "multiplicity", (json_int_t)row->multiplicity,
                     "unlike", (int)row->unlike, "times", times, "winner", name_json(row->winner),
                     "tie", (int)row->tie, "lead", anole_json_real(row->lead));
}

static json_t *changes_json(const struct anole_comparison *comparison)
{
    json_t *changes = json_array();
    for (size_t c = 0; c < comparison->column_count; c++) {
        size_t before = comparison->columns[c].before;
        for (size_t i = 0; before != NOBODY && i < comparison->row_count; i++) {
            const struct anole_comparison_row *row = &comparison->rows[i];
            const struct anole_lock_task *a = row->tasks[before], *b = row->tasks[c];
            if (!a && !b)
                continue;
            json_array_append_new(
                changes,
                json_pack("{s:s, s:o, s:o, s:s, s:o, s:o}", "task", row->key, "from",
                          name_json(before), "to", name_json(c), "change",
                          anole_change_text(anole_comparison_change(comparison, row, before, c)),
                          "speedup",
                          anole_json_real(a && b && a->warmth == b->warmth
                                              ? anole_comparison_cost(comparison, a) /
                                                    anole_comparison_cost(comparison, b)
                                              : NAN),
                          "same_kernel",
                          a && b ? json_boolean(anole_lock_same_kernel(a, b)) : json_null()));
        }
    }
    return changes;
}

json_t *anole_comparison_json(const struct anole_comparison *comparison)
{
    json_t *columns = json_array(), *rows = json_array();
    for (size_t c = 0; c < comparison->column_count; c++)
        json_array_append_new(columns, column_json(comparison, c));
    for (size_t i = 0; i < comparison->row_count; i++)
        json_array_append_new(rows, row_json(comparison, &comparison->rows[i]));
    return json_pack("{s:s, s:o, s:o, s:o, s:I, s:o}", "network", comparison->network, "devices",
                     columns, "tasks", rows, "changes", changes_json(comparison), "compared_tasks",
                     (json_int_t)comparison->whole_count, "best_seconds",
                     anole_json_real(comparison->best_sum));
}
