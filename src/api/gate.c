/* SPDX-License-Identifier: MIT
 *
 * A network held against its baseline.
 */
#include "api/verify.h"

#include "base/log.h"
#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_TOLERANCE 10.0
#define MOST_SECONDS 3600.0

struct row {
    struct anole_gate_row info; /* borrows from the rest */
    char reason[ANOLE_ERROR_TEXT];
};

struct anole_gate {
    const struct anole_tuned *tuned;
    const struct anole_lock_device *locked; /* the entry that counts */
    struct anole_tasks *tasks;
    struct anole_verification *verification;
    struct anole_gate_info info;
    struct row *rows; /* [count] */
    size_t count;
    struct row sum, whole;
};

const char *anole_gate_verdict_text(enum anole_gate_verdict verdict)
{
    static const char *const texts[] = {"ok",    "faster", "slower", "undecided",
                                        "wrong", "failed", "skipped"};
    return (unsigned)verdict < sizeof texts / sizeof *texts ? texts[verdict] : "unknown";
}

/* ------------------------------------------------------- whose baseline it is */

/* As struct anole_lock_device has it of what would be tuned here: borrowed. */
static struct anole_lock_device describe(const struct anole_listed_device *device, uint32_t dtype)
{
    const struct anole_registry_entry *backend =
        &device->devices->registry->entries[device->entry->backend];
    return (struct anole_lock_device){.backend = (char *)backend->name,
                                      .device = (char *)device->entry->device.name,
                                      .driver = (char *)device->entry->device.driver,
                                      .threads = device->devices->threads,
                                      .dtype = dtype,
                                      .metric = ANOLE_METRIC_SECONDS};
}

/* The entry of a precision, 0: of any; or NULL. */
static const struct anole_lock_device *find_entry(const struct anole_lockfile *lockfile,
                                                  const struct anole_listed_device *device,
                                                  uint32_t dtype)
{
    for (size_t i = 0; i < lockfile->device_count; i++) {
        const struct anole_lock_device *entry = &lockfile->devices[i];
        const struct anole_lock_device here = describe(device, dtype ? dtype : entry->dtype);
        if (anole_lock_same_device(entry, &here))
            return entry;
    }
    return NULL;
}

static void print_threads(struct anole_text *out, uint32_t threads)
{
    if (threads == 0)
        anole_text_printf(out, "all threads");
    else
        anole_text_printf(out, "%u thread%s", threads, threads == 1 ? "" : "s");
}

static void print_entry(struct anole_text *out, const struct anole_lock_device *entry)
{
    anole_text_append_printable(out, entry->device, strlen(entry->device));
    anole_text_printf(out, " (backend ");
    anole_text_append_printable(out, entry->backend, strlen(entry->backend));
    anole_text_printf(out, ", driver ");
    anole_text_append_printable(out, entry->driver, strlen(entry->driver));
    anole_text_printf(out, ", ");
    print_threads(out, entry->threads);
    anole_text_printf(out, ", %s", anole_precision_text(entry->dtype));
    if (entry->metric != ANOLE_METRIC_SECONDS)
        anole_text_printf(out, ", tuned for %s", anole_metric_text(entry->metric));
    anole_text_printf(out, ")");
}

static enum anole_status refuse_device(const struct anole_tuned *tuned,
                                       const struct anole_listed_device *device, uint32_t dtype,
                                       struct anole_error *error)
{
    const struct anole_lockfile *lockfile = tuned->lockfile;
    struct anole_lock_device here = describe(device, dtype ? dtype : ANOLE_F32);
    struct anole_text wanted = {0}, held = {0};
    char file[160];
    print_entry(&wanted, &here);
    for (size_t i = 0; i < lockfile->device_count; i++) {
        anole_text_printf(&held, "%s", i ? "; " : "");
        print_entry(&held, &lockfile->devices[i]);
    }
    enum anole_status status =
        anole_fail(error, ANOLE_ERR_NO_DEVICE,
                   "%s: no baseline of %s; say --threads or --precision as it was tuned with, or "
                   "make one with `anole tune` (it holds: %s)",
                   anole_text_printable(file, sizeof file, tuned->path),
                   wanted.data ? wanted.data : device->info.id, held.data ? held.data : "nothing");
    anole_text_fini(&wanted);
    anole_text_fini(&held);
    return status;
}

/* ------------------------------------------------------------------ the network */

static enum anole_status load_tasks(struct anole_gate *gate, const char *network,
                                    const struct anole_lock_device *entry, const char *precision,
                                    struct anole_error *error)
{
    const struct anole_load_options options = {
        .size = sizeof options,
        .precision = precision,
        .batch = entry->batch,
        .shapes = (const char *const *)entry->shapes,
        .shape_count = entry->shape_count,
    };
    anole_tasks_destroy(gate->tasks);
    gate->tasks = NULL;
    return anole_tasks_load(&gate->tasks, gate->tuned->context, network, &options, error);
}

/* Of a network in several sizes, one is held against it. */
static void report_sizes(const struct anole_lockfile *lockfile, const char *path,
                         const struct anole_lock_device *locked)
{
    char size[256], file[256];
    for (size_t i = 0; i < lockfile->device_count; i++) {
        const struct anole_lock_device *entry = &lockfile->devices[i];
        if (!anole_lock_same_device(entry, locked) || anole_lock_same_sizes(entry, locked))
            continue;
        anole_lock_sizes_text(size, sizeof size, locked);
        anole_log_info("%s holds several sizes of the network: %s is checked, the first; `anole "
                       "verify` goes through all",
                       anole_text_printable(file, sizeof file, path), *size ? size : "batch 1");
        return;
    }
}

/* What precision the network is of says which entry counts, and an entry in what sizes it is
 * read. */
static enum anole_status choose_entry(struct anole_gate *gate, const char *network,
                                      const struct anole_listed_device *device,
                                      const char *precision, struct anole_error *error)
{
    const struct anole_tuned *tuned = gate->tuned;
    uint32_t dtype = 0;
    enum anole_status status = anole_precision_option(&dtype, precision, error);
    if (status != ANOLE_DONE)
        return status;
    const struct anole_lock_device *first = find_entry(tuned->lockfile, device, dtype);
    if (!first)
        return refuse_device(tuned, device, dtype, error);
    status = load_tasks(gate, network, first, precision, error);
    if (status != ANOLE_DONE)
        return status;
    dtype = gate->tasks->workload->dtype;
    gate->locked = find_entry(tuned->lockfile, device, dtype);
    if (!gate->locked)
        return refuse_device(tuned, device, dtype, error);
    report_sizes(tuned->lockfile, tuned->path, gate->locked);
    return gate->locked == first ? ANOLE_DONE
                                 : load_tasks(gate, network, gate->locked, precision, error);
}

/* Which of the network's tasks this is; SIZE_MAX: none. */
static size_t find_task(const struct anole_tasks *tasks, const char *key)
{
    for (size_t i = 0; i < anole_tasks_count(tasks); i++)
        if (strcmp(anole_tasks_get(tasks, i)->key, key) == 0)
            return i;
    return SIZE_MAX;
}

/* wanted[locked->task_count]; *alike: the network is as it was tuned. */
static enum anole_status match_tasks(struct anole_gate *gate, bool *wanted, bool *alike,
                                     struct anole_error *error)
{
    const struct anole_lock_device *locked = gate->locked;
    size_t found = 0;
    *alike = true;
    for (size_t i = 0; i < locked->task_count; i++) {
        size_t at = find_task(gate->tasks, locked->tasks[i].task);
        wanted[i] = at != SIZE_MAX;
        found += wanted[i];
        *alike &= wanted[i] &&
                  anole_tasks_get(gate->tasks, at)->multiplicity == locked->tasks[i].multiplicity;
    }
    gate->info.unused = locked->task_count - found;
    gate->info.missing = anole_tasks_count(gate->tasks) - found;
    if (found > 0)
        return ANOLE_DONE;
    char file[160], name[160], own[160];
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "%s: it has none of the %zu tasks of network \"%s\": expected a lock file of "
                      "this network, found one of \"%s\" with %zu others; make one with `anole "
                      "tune --output`",
                      anole_text_printable(file, sizeof file, gate->tuned->path),
                      anole_tasks_count(gate->tasks),
                      anole_text_printable(own, sizeof own, anole_tasks_name(gate->tasks)),
                      anole_text_printable(name, sizeof name, gate->tuned->lockfile->network),
                      locked->task_count);
}

/* --------------------------------------------------------------------- verdicts */

static void clear_row(struct row *row)
{
    row->reason[0] = '\0';
    row->info = (struct anole_gate_row){.key = "",
                                        .label = "",
                                        .layer = "",
                                        .verdict = ANOLE_GATE_SKIPPED,
                                        .reason = row->reason,
                                        .error = NAN,
                                        .then_seconds = NAN,
                                        .seconds = NAN,
                                        .low = NAN,
                                        .high = NAN,
                                        .default_then_seconds = NAN,
                                        .default_seconds = NAN,
                                        .speedup_then = NAN,
                                        .speedup = NAN,
                                        .speedup_low = NAN,
                                        .speedup_high = NAN,
                                        .change = NAN,
                                        .change_low = NAN,
                                        .change_high = NAN};
}

static void __attribute__((format(printf, 3, 4)))
decide(struct row *row, enum anole_gate_verdict verdict, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(row->reason, sizeof row->reason, format, arguments);
    va_end(arguments);
    row->info.verdict = verdict;
}

static void take_paces(struct row *row, const struct anole_pace *then, const struct anole_pace *now)
{
    struct anole_pace_change change;
    anole_pace_compare(&change, then, now);
    row->info.speedup_then = then->speedup;
    row->info.speedup = now->speedup;
    row->info.speedup_low = now->low;
    row->info.speedup_high = now->high;
    row->info.change = change.ratio;
    row->info.change_low = change.low;
    row->info.change_high = change.high;
}

/* A percentage more or less. */
static double percent(double ratio)
{
    return 100.0 * (ratio - 1.0);
}

static void decide_pace(struct row *row, enum anole_pace_verdict pace, double tolerance)
{
    const struct anole_gate_row *info = &row->info;
    if (pace == ANOLE_PACE_SLOWER && isnan(info->change))
        decide(row, ANOLE_GATE_SLOWER,
               "slower than the default, timed in turn: %.2fx [%.2f, %.2f], expected at least "
               "%.2fx; tune again",
               info->speedup, info->speedup_low, info->speedup_high, 1.0 / (1.0 + tolerance));
    else if (pace == ANOLE_PACE_SLOWER || pace == ANOLE_PACE_FASTER)
        decide(row, pace == ANOLE_PACE_SLOWER ? ANOLE_GATE_SLOWER : ANOLE_GATE_FASTER,
               "against the default, timed in turn, it takes %+.1f %% [%+.1f, %+.1f]: %.2fx its "
               "speed, and %.2fx when it was tuned",
               percent(info->change), percent(info->change_low), percent(info->change_high),
               info->speedup, info->speedup_then);
    else if (pace == ANOLE_PACE_UNKNOWN)
        decide(row, ANOLE_GATE_UNDECIDED,
               "it is right, but its default failed: there is nothing "
               "to time it in turn with");
    else
        decide(row, ANOLE_GATE_OK, "%s", "");
}

static void judge_task(struct row *row, const struct anole_lock_task *entry,
                       const struct anole_verified *now, double tolerance)
{
    struct anole_pace before, after;
    row->info.then_seconds = entry->value;
    row->info.default_then_seconds = entry->default_value;
    row->info.error = now->error;
    if (now->outcome == ANOLE_OUTCOME_WRONG_ANSWER) {
        decide(row, ANOLE_GATE_WRONG, "%s", now->message);
        return;
    }
    if (now->outcome != ANOLE_OUTCOME_OK) {
        decide(row, ANOLE_GATE_FAILED, "%s: %s", anole_outcome_words(now->outcome), now->message);
        return;
    }
    row->info.seconds = now->seconds;
    row->info.low = now->low;
    row->info.high = now->high;
    row->info.default_seconds = now->default_seconds;
    anole_verify_paces(&before, &after, entry, now);
    take_paces(row, &before, &after);
    if (now->simulated)
        decide(row, ANOLE_GATE_SKIPPED, "the device is simulated: nothing was run");
    else if (now->disturbed)
        decide(row, ANOLE_GATE_UNDECIDED,
               "it is right; other work on the machine was in the way "
               "of every timing");
    else
        decide_pace(row, anole_pace_judge(&before, &after, tolerance), tolerance);
    if (row->info.verdict == ANOLE_GATE_OK && before.low == 1.0 && before.high == 1.0 &&
        after.low == 1.0 && after.high == 1.0)
        decide(row, ANOLE_GATE_OK, "it is the default: nothing to time it in turn with");
}

static void judge_tasks(struct anole_gate *gate)
{
    for (size_t i = 0; i < gate->count; i++) {
        const struct anole_task_info *task = anole_tasks_get(gate->tasks, i);
        struct row *row = &gate->rows[i];
        clear_row(row);
        row->info.key = task->key;
        row->info.label = task->label;
        row->info.layer = task->multiplicity > 0 ? task->layers[0] : "";
        row->info.multiplicity = task->multiplicity;
        decide(row, ANOLE_GATE_SKIPPED,
               "the baseline has nothing of it: it was not tuned, or the device has no kernels "
               "for it");
        for (size_t t = 0; t < gate->locked->task_count; t++)
            if (strcmp(gate->locked->tasks[t].task, task->key) == 0)
                judge_task(row, &gate->locked->tasks[t], &gate->verification->checks[t].info,
                           gate->info.tolerance);
    }
}

/* Sums over layers: as recorded, as the default's change makes one expect it now, and now. */
struct sums {
    double then, now, default_then, default_now;
    double change, low, high; /* weighted by `then` */
    size_t count, disturbed;
};

static void add_up(struct sums *sums, const struct anole_gate_row *row)
{
    const double weight = row->multiplicity * row->then_seconds;
    if (isnan(row->seconds) || row->verdict == ANOLE_GATE_SKIPPED || isnan(row->change) ||
        isnan(row->default_seconds))
        return;
    sums->then += weight;
    sums->now += row->multiplicity * row->seconds;
    sums->default_then += row->multiplicity * row->default_then_seconds;
    sums->default_now += row->multiplicity * row->default_seconds;
    sums->change += weight * row->change;
    sums->low += weight * row->change_low;
    sums->high += weight * row->change_high;
    sums->disturbed += row->verdict == ANOLE_GATE_UNDECIDED;
    sums->count++;
}

static void judge_sum(struct anole_gate *gate)
{
    struct row *row = &gate->sum;
    struct sums sums = {0};
    clear_row(row);
    row->info.label = "sum of layers";
    for (size_t i = 0; i < gate->count; i++)
        add_up(&sums, &gate->rows[i].info);
    gate->info.drift = sums.default_now / sums.default_then; /* NaN if there is nothing */
    if (sums.count == 0) {
        decide(row, ANOLE_GATE_SKIPPED, "no layer was timed now and then");
        return;
    }
    row->info.then_seconds = sums.then;
    row->info.seconds = sums.now;
    row->info.default_then_seconds = sums.default_then;
    row->info.default_seconds = sums.default_now;
    row->info.speedup_then = sums.default_then / sums.then;
    row->info.speedup = sums.default_now / sums.now;
    row->info.change = sums.change / sums.then;
    row->info.change_low = sums.low / sums.then;
    row->info.change_high = sums.high / sums.then;
    const double tolerance = gate->info.tolerance;
    if (sums.disturbed > 0)
        decide(row, ANOLE_GATE_UNDECIDED, "%zu of its layers are", sums.disturbed);
    else
        decide_pace(row,
                    row->info.change_low > 1.0 + tolerance            ? ANOLE_PACE_SLOWER
                    : row->info.change_high < 1.0 / (1.0 + tolerance) ? ANOLE_PACE_FASTER
                                                                      : ANOLE_PACE_SAME,
                    tolerance);
}

static void judge_whole(struct anole_gate *gate, bool alike)
{
    struct row *row = &gate->whole;
    const struct anole_in_place *now = &gate->verification->whole.info;
    const struct anole_in_place *then = &gate->verification->then.info;
    struct anole_pace before, after;
    clear_row(row);
    row->info.label = "network in place";
    if (!now->ran) {
        decide(row, now->failed ? ANOLE_GATE_FAILED : ANOLE_GATE_SKIPPED, "%s", now->problem);
        return;
    }
    anole_whole_paces(&before, &after, then, now, alike);
    take_paces(row, &before, &after);
    row->info.error = now->error / now->tolerance;
    row->info.seconds = now->seconds;
    row->info.low = now->low;
    row->info.high = now->high;
    row->info.default_seconds = now->default_seconds;
    if (alike && then->ran) {
        row->info.then_seconds = then->seconds;
        row->info.default_then_seconds = then->default_seconds;
    }
    if (!isnan(now->error) && !(now->error <= now->tolerance))
        decide(row, ANOLE_GATE_WRONG,
               "output \"%s\" is off by %.3g of its largest element, expected at most %g",
               gate->verification->whole.output, now->error, now->tolerance);
    else if (now->disturbed)
        decide(row, ANOLE_GATE_UNDECIDED,
               "it is right; other work on the machine was in the way "
               "of every timing");
    else
        decide_pace(row, anole_pace_judge(&before, &after, gate->info.tolerance),
                    gate->info.tolerance);
    if (row->info.verdict == ANOLE_GATE_OK && isnan(row->info.change))
        decide(row, ANOLE_GATE_OK, "%s",
               alike ? "the baseline does not say what it took, or it was disturbed then"
                     : "it has other layers than the baseline: only held against default kernels");
}

/* ---------------------------------------------------------------------- run */

static void fill_info(struct anole_gate *gate, const struct anole_listed_device *device,
                      double tolerance)
{
    gate->info.network = anole_tasks_name(gate->tasks);
    gate->info.device = device->info.id;
    gate->info.baseline = gate->tuned->path;
    gate->info.precision = anole_precision_text(gate->locked->dtype);
    gate->info.tolerance = tolerance;
    gate->info.driver_then = gate->locked->driver_version;
    gate->info.driver = device->info.driver_version;
}

static enum anole_status measure(struct anole_gate *gate, const char *network,
                                 const struct anole_listed_device *device,
                                 const struct anole_gate_options *options,
                                 struct anole_error *error)
{
    bool *wanted = calloc(gate->locked->task_count + 1, sizeof *wanted), alike;
    struct anole_verify_plan plan = {.locked = gate->locked,
                                     .wanted = wanted,
                                     .network = network,
                                     .whole = !options->no_in_place,
                                     .again = true,
                                     .tolerance = options->tolerance,
                                     .seconds = options->seconds};
    gate->count = anole_tasks_count(gate->tasks);
    gate->rows = calloc(gate->count, sizeof *gate->rows);
    if (!wanted || !gate->rows) {
        free(wanted);
        return anole_fail_memory(error);
    }
    enum anole_status status = match_tasks(gate, wanted, &alike, error);
    plan.strict = alike;
    if (status == ANOLE_DONE)
        status = anole_verify_entry(&gate->verification, gate->tuned, device, &plan, error);
    free(wanted);
    if (status != ANOLE_DONE)
        return status;
    judge_tasks(gate);
    judge_sum(gate);
    judge_whole(gate, alike);
    return ANOLE_DONE;
}

static enum anole_status run(struct anole_gate *gate, const char *network,
                             const struct anole_listed_device *device,
                             const struct anole_gate_options *given, struct anole_error *error)
{
    struct anole_gate_options options;
    enum anole_status status =
        anole_options_copy(&options, sizeof options, given, "struct anole_gate_options", error);
    if (status == ANOLE_DONE && !(options.tolerance >= 0.0 && options.tolerance <= MOST_TOLERANCE))
        status = anole_fail(error, ANOLE_ERR_USAGE, "the tolerance: expected 0 to %g, found %g",
                            MOST_TOLERANCE, options.tolerance);
    if (status == ANOLE_DONE && !(options.seconds >= 0.0 && options.seconds <= MOST_SECONDS))
        status = anole_fail(error, ANOLE_ERR_USAGE,
                            "the time for each kernel: expected 0 to %g seconds, found %g",
                            MOST_SECONDS, options.seconds);
    if (status == ANOLE_DONE)
        status = choose_entry(gate, network, device, options.precision, error);
    if (status != ANOLE_DONE)
        return status;
    fill_info(gate, device, options.tolerance);
    return measure(gate, network, device, &options, error);
}

enum anole_status anole_gate_run(struct anole_gate **gate, const struct anole_tuned *baseline,
                                 const char *network, const struct anole_device_info *device,
                                 const struct anole_gate_options *options,
                                 struct anole_error *error)
{
    struct anole_gate *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    new->tuned = baseline;
    struct anole_scope scope;
    anole_scope_enter(&scope, baseline->context);
    enum anole_status status = run(new, network, anole_listed_device(device), options, error);
    anole_scope_leave(&scope);
    if (status != ANOLE_DONE) {
        anole_gate_destroy(new);
        return status;
    }
    *gate = new;
    return ANOLE_DONE;
}

void anole_gate_destroy(struct anole_gate *gate)
{
    if (!gate)
        return;
    anole_verification_destroy(gate->verification);
    anole_tasks_destroy(gate->tasks);
    free(gate->rows);
    free(gate);
}

/* ----------------------------------------------------------------- getters */

const struct anole_gate_info *anole_gate_info(const struct anole_gate *gate)
{
    return &gate->info;
}

size_t anole_gate_count(const struct anole_gate *gate)
{
    return gate->count;
}

const struct anole_gate_row *anole_gate_get(const struct anole_gate *gate, size_t index)
{
    return index < gate->count ? &gate->rows[index].info : NULL;
}

const struct anole_gate_row *anole_gate_sum(const struct anole_gate *gate)
{
    return &gate->sum.info;
}

const struct anole_gate_row *anole_gate_whole(const struct anole_gate *gate)
{
    return &gate->whole.info;
}

/* The first row of a verdict; the whole comes first, as it counts most.  NULL: there is none. */
static const struct anole_gate_row *find_row(const struct anole_gate *gate,
                                             enum anole_gate_verdict verdict)
{
    if (gate->whole.info.verdict == verdict)
        return &gate->whole.info;
    if (gate->sum.info.verdict == verdict)
        return &gate->sum.info;
    for (size_t i = 0; i < gate->count; i++)
        if (gate->rows[i].info.verdict == verdict)
            return &gate->rows[i].info;
    return NULL;
}

enum anole_status anole_gate_check(const struct anole_gate *gate, struct anole_error *error)
{
    static const struct {
        enum anole_gate_verdict verdict;
        enum anole_status status;
    } order[] = {{ANOLE_GATE_WRONG, ANOLE_ERR_WRONG_RESULT},
                 {ANOLE_GATE_FAILED, ANOLE_ERR_NOTHING_VALID},
                 {ANOLE_GATE_SLOWER, ANOLE_ERR_SLOWER}};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        const struct anole_gate_row *row = find_row(gate, order[i].verdict);
        if (row)
            return anole_fail(error, order[i].status, "%s%s%s: %s: %s", row->layer,
                              row->layer[0] ? ": " : "", row->label,
                              anole_gate_verdict_text(row->verdict), row->reason);
    }
    return ANOLE_DONE;
}
