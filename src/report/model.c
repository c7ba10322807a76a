/* SPDX-License-Identifier: MIT */
#include "report/model.h"

#include "base/hash.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_TASK UINT32_MAX

/* ------------------------------------------------------------------- columns */

struct anole_report_column *anole_report_add_column(struct anole_report *report)
{
    static const char note[] = "More than 26 devices: the others are left out.\n";
    if (report->column_count == ANOLE_REPORT_COLUMNS) {
        if (!report->notes.data || !strstr(report->notes.data, note))
            anole_text_append(&report->notes, note, sizeof note - 1);
        return NULL;
    }
    struct anole_report_column *column = &report->columns[report->column_count];
    *column = (struct anole_report_column){.letter = (char)('A' + report->column_count)};
    report->column_count++;
    return column;
}

const char *anole_report_column_name(char *out, size_t size,
                                     const struct anole_report_column *column)
{
    const char *precision = column->dtype > ANOLE_F32 ? anole_precision_text(column->dtype) : "";
    snprintf(out, size, "%c %s%s%s", column->letter, column->id[0] ? column->id : column->device,
             precision[0] ? " " : "", precision);
    return out;
}

static void tasks_fini(struct anole_report_column *column)
{
    for (size_t i = 0; i < column->task_count; i++) {
        struct anole_report_task *task = &column->tasks[i];
        free(task->key);
        free(task->trials);
        free(task->knob_names);
        free(task->values);
        free(task->knobs);
    }
    free(column->tasks);
    free(column->slots);
}

void anole_report_fini(struct anole_report *report)
{
    for (size_t i = 0; i < report->column_count; i++) {
        tasks_fini(&report->columns[i]);
        free(report->columns[i].failures);
        free(report->columns[i].owned);
    }
    anole_text_fini(&report->notes);
    *report = (struct anole_report){.column_count = 0};
}

/* --------------------------------------------------------------------- tasks */

static uint32_t *find_slot(const struct anole_report_column *column, const char *key,
                           enum anole_warmth warmth)
{
    size_t mask = column->slot_count - 1;
    size_t at = anole_hash_combine(anole_hash_text(key), warmth) & mask;
    for (;; at = (at + 1) & mask) {
        uint32_t found = column->slots[at];
        if (found == NO_TASK ||
            (column->tasks[found].warmth == warmth && strcmp(column->tasks[found].key, key) == 0))
            return &column->slots[at];
    }
}

/* Room for one more task, in a table at most half of which is taken. */
static bool grow(struct anole_report_column *column)
{
    if (2 * (column->task_count + 1) <= column->slot_count)
        return true;
    size_t room = column->slot_count ? 2 * column->slot_count : 64;
    uint32_t *slots = reallocarray(NULL, room, sizeof *slots);
    struct anole_report_task *tasks =
        slots ? reallocarray(column->tasks, room / 2, sizeof *tasks) : NULL;
    if (!tasks) {
        free(slots);
        return false;
    }
    free(column->slots);
    column->tasks = tasks;
    column->slots = slots;
    column->slot_count = room;
    memset(slots, 0xff, room * sizeof *slots);
    for (size_t i = 0; i < column->task_count; i++)
        *find_slot(column, tasks[i].key, tasks[i].warmth) = (uint32_t)i;
    return true;
}

static void describe(struct anole_report_task *task)
{
    struct anole_task parsed;
    if (anole_task_parse_key(&parsed, task->key, NULL) == ANOLE_DONE) {
        anole_task_label(task->label, sizeof task->label, &parsed);
        task->kind = anole_task_kind_text(parsed.kind);
        task->flops = anole_task_flops(&parsed);
        task->bytes = anole_task_bytes(&parsed);
    } else {
        anole_text_printable(task->label, sizeof task->label, task->key);
        task->kind = "other";
    }
}

const struct anole_report_task *anole_report_find(const struct anole_report_column *column,
                                                  const char *key, enum anole_warmth warmth)
{
    uint32_t *slot = column->slot_count ? find_slot(column, key, warmth) : NULL;
    return slot && *slot != NO_TASK ? &column->tasks[*slot] : NULL;
}

struct anole_report_task *anole_report_task(struct anole_report_column *column, const char *key,
                                            enum anole_warmth warmth)
{
    const struct anole_report_task *found = anole_report_find(column, key, warmth);
    if (found)
        return &column->tasks[found - column->tasks];
    char *copy = grow(column) ? strdup(key) : NULL;
    if (!copy)
        return NULL;
    struct anole_report_task *task = &column->tasks[column->task_count];
    *task = (struct anole_report_task){.key = copy,
                                       .warmth = warmth,
                                       .multiplicity = 1,
                                       .value = NAN,
                                       .low = NAN,
                                       .high = NAN,
                                       .default_value = NAN,
                                       .speedup = NAN,
                                       .speedup_low = NAN,
                                       .speedup_high = NAN};
    describe(task);
    *find_slot(column, key, warmth) = (uint32_t)column->task_count++;
    return task;
}

void anole_report_config(struct anole_text *out, const struct anole_report_task *task)
{
    const struct anole_lock_task *lock = task->lock;
    for (size_t i = 0; lock && i < lock->knob_count; i++)
        anole_text_printf(out, "%s%s=%lld", i ? " " : "", lock->knobs[i].name,
                          (long long)lock->knobs[i].value);
    for (size_t i = 0; !lock && task->best_values && i < task->knob_count; i++)
        anole_text_printf(out, "%s%s=%lld", i ? " " : "", task->knob_names[i],
                          (long long)task->best_values[i]);
    anole_text_append(out, "", 0);
}

/* A task that no column before this one has makes a row. */
static void add_row(struct anole_report_row *row, const struct anole_report *report, size_t c,
                    const struct anole_report_task *task)
{
    *row = (struct anole_report_row){.label = task->label,
                                     .key = task->key,
                                     .multiplicity = task->multiplicity,
                                     .warmth = task->warmth};
    for (size_t other = c; other < report->column_count; other++)
        row->tasks[other] = anole_report_find(&report->columns[other], task->key, task->warmth);
}

bool anole_report_rows(struct anole_report_row **rows, size_t *count,
                       const struct anole_report *report)
{
    size_t most = 0;
    for (size_t c = 0; c < report->column_count; c++)
        most += report->columns[c].task_count;
    *count = 0;
    *rows = calloc(most + 1, sizeof **rows);
    for (size_t c = 0; *rows && c < report->column_count; c++)
        for (size_t i = 0; i < report->columns[c].task_count; i++) {
            const struct anole_report_task *task = &report->columns[c].tasks[i];
            bool known = false;
            for (size_t before = 0; before < c && !known; before++)
                known =
                    anole_report_find(&report->columns[before], task->key, task->warmth) != NULL;
            if (!known)
                add_row(&(*rows)[(*count)++], report, c, task);
        }
    return *rows != NULL;
}

bool anole_report_has_trials(const struct anole_report_column *column)
{
    return column->tally.trials > 0;
}

/* ---------------------------------------------------------------- lock files */

static enum anole_status add_device(struct anole_report *report,
                                    const struct anole_lock_device *device, const char *path,
                                    struct anole_error *error)
{
    struct anole_report_column *column = anole_report_add_column(report);
    if (!column)
        return ANOLE_DONE;
    column->path = path;
    column->lock = device;
    column->id = device->id;
    column->backend = device->backend;
    column->backend_version = device->backend_version;
    column->device = device->device;
    column->driver = device->driver;
    column->driver_version = device->driver_version;
    column->generator = device->generator;
    column->threads = device->threads;
    column->dtype = device->dtype;
    column->metric = device->metric;
    column->simulated = device->simulated;
    for (size_t i = 0; i < device->task_count; i++) {
        const struct anole_lock_task *lock = &device->tasks[i];
        struct anole_report_task *task = anole_report_task(column, lock->task, lock->warmth);
        if (!task)
            return anole_fail_memory(error);
        task->lock = lock;
        task->multiplicity = lock->multiplicity;
        task->value = lock->value;
        task->low = lock->low;
        task->high = lock->high;
        task->default_value = lock->default_value;
        task->speedup = lock->speedup;
        task->speedup_low = lock->speedup_low;
        task->speedup_high = lock->speedup_high;
        task->tie = lock->tie;
    }
    return ANOLE_DONE;
}

enum anole_status anole_report_add_lock(struct anole_report *report,
                                        const struct anole_lockfile *lockfile, const char *path,
                                        struct anole_error *error)
{
    char safe[2][160];
    if (report->network && strcmp(report->network, lockfile->network) != 0)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s is of the network \"%s\", the lock files before it of \"%s\": a "
                          "report is of one network; make one for each",
                          anole_text_printable(safe[0], sizeof safe[0], path), lockfile->network,
                          anole_text_printable(safe[1], sizeof safe[1], report->network));
    report->network = lockfile->network;
    report->has_locks = true;
    for (size_t i = 0; i < lockfile->device_count; i++) {
        enum anole_status status = add_device(report, &lockfile->devices[i], path, error);
        if (status)
            return status;
    }
    return ANOLE_DONE;
}

/* ----------------------------------------------------------------- finishing */

static int by_id(const void *a, const void *b)
{
    const struct anole_report_trial *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* Whether the trials stand in the order of their ids: nearly always. */
static bool is_sorted(const struct anole_report_task *task)
{
    for (size_t i = 1; i < task->trial_count; i++)
        if (by_id(&task->trials[i - 1], &task->trials[i]) > 0)
            return false;
    return true;
}

/* Trials of joined files: ids say nothing, and the order of the file is as good as any. */
static void number_anew(struct anole_report_task *task)
{
    for (size_t i = 0; i < task->trial_count; i++)
        task->trials[i].id = i;
}

/* Where no lock file says what came of a task, its best trial does. */
static void conclude_from_trials(struct anole_report_task *task)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < task->trial_count; i++) {
        const struct anole_report_trial *trial = &task->trials[i];
        if (trial->ok && !trial->abandoned &&
            (best == SIZE_MAX || trial->value < task->trials[best].value))
            best = i;
    }
    if (best == SIZE_MAX)
        return;
    task->value = task->trials[best].value;
    if (task->knob_count && !task->trials[best].odd)
        task->best_values = task->values + best * task->knob_count;
    if (task->trials[0].ok) {
        task->default_value = task->trials[0].value;
        task->first_is_default = true;
        task->speedup = task->default_value / task->value;
    }
}

static void finish_column(struct anole_report_column *column)
{
    for (size_t i = 0; i < column->task_count; i++) {
        struct anole_report_task *task = &column->tasks[i];
        if (!is_sorted(task))
            number_anew(task);
        if (!task->lock)
            conclude_from_trials(task);
        if (!isfinite(task->value))
            continue;
        column->sum += task->multiplicity * task->value;
        column->most_flops = fmax(column->most_flops, task->flops / task->value);
        column->most_bytes = fmax(column->most_bytes, task->bytes / task->value);
        if (isfinite(task->default_value)) {
            column->before += task->multiplicity * task->default_value;
            column->after += task->multiplicity * task->value;
            column->compared++;
        }
    }
    for (size_t i = 0; i < column->task_count; i++) {
        struct anole_report_task *task = &column->tasks[i];
        task->share = column->sum > 0 && isfinite(column->sum)
                          ? task->multiplicity * task->value / column->sum
                          : NAN;
    }
}

static double weight_of(const struct anole_report_task *task)
{
    return isfinite(task->share) ? task->share : -1.0;
}

static int by_share(const void *a, const void *b)
{
    const struct anole_report_task *x = a, *y = b;
    double left = weight_of(x), right = weight_of(y);
    if (left != right)
        return left > right ? -1 : 1;
    int order = strcmp(x->key, y->key);
    return order ? order : (int)x->warmth - (int)y->warmth;
}

static int by_count(const void *a, const void *b)
{
    const struct anole_report_failure *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return x->outcome != y->outcome ? (int)x->outcome - (int)y->outcome
                                    : strcmp(x->message, y->message);
}

enum anole_status anole_report_finish(struct anole_report *report, struct anole_error *error)
{
    if (report->notes.failed)
        return anole_fail_memory(error);
    if (report->column_count == 0)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "these files hold no device and no trial: there is nothing to report; "
                          "tune first, or name other files");
    for (size_t c = 0; c < report->column_count; c++) {
        struct anole_report_column *column = &report->columns[c];
        finish_column(column);
        if (column->task_count)
            qsort(column->tasks, column->task_count, sizeof *column->tasks, by_share);
        if (column->failure_count)
            qsort(column->failures, column->failure_count, sizeof *column->failures, by_count);
        /* Tasks have moved: they are found by their place no more. */
        if (column->slot_count)
            memset(column->slots, 0xff, column->slot_count * sizeof *column->slots);
        for (size_t i = 0; i < column->task_count; i++)
            *find_slot(column, column->tasks[i].key, column->tasks[i].warmth) = (uint32_t)i;
    }
    return ANOLE_DONE;
}
