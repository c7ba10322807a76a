/* SPDX-License-Identifier: MIT
 *
 * Verifying: what a lock file names is built and run again.
 */
#include "api/verify.h"

#include "base/text.h"
#include "measure/measure.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

/* Of the network as a whole: until it counts as hanging (the references may take a while), and for
   timing it. */
#define IN_PLACE_PATIENCE 900.0
#define IN_PLACE_TIMING 5.0
/* Whether the caller would say that it became slower. */
static bool looks_slower(const struct anole_recheck *check, const struct anole_lock_task *entry,
                         const struct anole_verify_plan *plan)
{
    struct anole_pace then, now;
    if (!plan->again || check->info.outcome != ANOLE_OUTCOME_OK)
        return false;
    anole_verify_paces(&then, &now, entry, &check->info);
    return anole_pace_judge(&then, &now, plan->tolerance) == ANOLE_PACE_SLOWER;
}

/* What looks slower is measured a second time: that counts. */
static enum anole_status run_task(struct anole_recheck *check, const struct anole_tuned *tuned,
                                  const struct anole_lock_task *entry,
                                  const struct anole_listed_device *device,
                                  struct anole_measure *measure,
                                  const struct anole_verify_plan *plan, struct anole_error *error)
{
    enum anole_status status =
        anole_recheck_run(check, tuned, entry, device, measure, plan->seconds, error);
    if (status == ANOLE_DONE && looks_slower(check, entry, plan))
        status = anole_recheck_again(check, entry, measure, plan->seconds, error);
    return status;
}

void anole_verify_paces(struct anole_pace *then, struct anole_pace *now,
                        const struct anole_lock_task *entry, const struct anole_verified *info)
{
    *then = (struct anole_pace){entry->speedup, entry->speedup_low, entry->speedup_high};
    *now = (struct anole_pace){info->speedup, info->speedup_low, info->speedup_high};
}

/* Why the network is not run as a whole; NULL: it is. */
static const char *find_obstacle(const struct anole_verify_plan *plan,
                                 const struct anole_listed_device *device)
{
    const struct anole_lock_device *locked = plan->locked;
    struct anole_task task;
    for (size_t i = 0; i < locked->task_count; i++)
        if (anole_task_parse_key(&task, locked->tasks[i].task, NULL) == ANOLE_DONE &&
            task.kind == ANOLE_TASK_CUSTOM)
            return "it is a kernel, and no network";
    return !plan->whole                             ? "it was not wanted"
           : device->info.simulated                 ? "the device is simulated"
           : locked->task_count == 0                ? "nothing was tuned"
           : locked->metric != ANOLE_METRIC_SECONDS ? "it was not tuned for time"
           : access(plan->network, R_OK) != 0       ? "its file is no longer there"
                                                    : NULL;
}

static enum anole_status run_whole(struct anole_verification *verification,
                                   const struct anole_verify_plan *plan,
                                   const struct anole_listed_device *device,
                                   struct anole_measure *measure, struct anole_error *error)
{
    const struct anole_lock_device *locked = plan->locked;
    const struct anole_tuned *tuned = verification->tuned;
    const struct anole_inplace_request request = {
        .network = plan->network,
        .lock = locked,
        .backend = &device->devices->registry->entries[device->entry->backend],
        .device = device->entry,
        .threads = locked->threads,
        .scratch = anole_measure_scratch(measure),
        .seconds = IN_PLACE_PATIENCE,
        .timing = IN_PLACE_TIMING,
        .check = true,
        .strict = plan->strict,
        .stop = anole_context_stopped,
        .context = tuned->context,
    };
    struct anole_inplace_report report;
    enum anole_status status = anole_inplace_run(&report, &request, error);
    if (status == ANOLE_DONE)
        anole_whole_take(&verification->whole, &report, locked);
    return status;
}

static bool whole_looks_slower(const struct anole_verification *verification,
                               const struct anole_verify_plan *plan)
{
    struct anole_pace then, now;
    if (!plan->again || !verification->whole.info.ran)
        return false;
    anole_whole_paces(&then, &now, &verification->then.info, &verification->whole.info,
                      plan->strict);
    return anole_pace_judge(&then, &now, plan->tolerance) == ANOLE_PACE_SLOWER;
}

void anole_whole_paces(struct anole_pace *then, struct anole_pace *now,
                       const struct anole_in_place *before, const struct anole_in_place *after,
                       bool alike)
{
    const bool known = alike && before->ran && !before->disturbed;
    *then = known ? (struct anole_pace){before->speedup, before->speedup_low, before->speedup_high}
                  : (struct anole_pace){NAN, NAN, NAN};
    *now = (struct anole_pace){after->speedup, after->speedup_low, after->speedup_high};
}

static enum anole_status try_whole(struct anole_verification *verification,
                                   const struct anole_verify_plan *plan,
                                   const struct anole_listed_device *device,
                                   struct anole_measure *measure, struct anole_error *error)
{
    const char *obstacle = find_obstacle(plan, device);
    anole_whole_read(&verification->then, plan->locked);
    if (obstacle) {
        anole_whole_skip(&verification->whole, obstacle);
        return ANOLE_DONE;
    }
    anole_measure_rest(measure);
    enum anole_status status = run_whole(verification, plan, device, measure, error);
    if (status == ANOLE_DONE && whole_looks_slower(verification, plan))
        status = run_whole(verification, plan, device, measure, error);
    return status;
}

static enum anole_status run_checks(struct anole_verification *verification,
                                    const struct anole_listed_device *device,
                                    const struct anole_verify_plan *plan, struct anole_error *error)
{
    const struct anole_tuned *tuned = verification->tuned;
    const struct anole_lock_device *locked = plan->locked;
    struct anole_measure *measure = NULL;
    const struct anole_tuned_entry *entry = &tuned->entries[locked - tuned->lockfile->devices];
    struct anole_measure_options options = {
        .threads = locked->threads,
        .build_limit = plan->build_limit,
        .run_limit = plan->run_limit,
        .control = true,
        .seed = 2, /* other data than tuning uses by default */
        .stop = anole_context_stopped,
        .stop_context = tuned->context,
    };
    verification->checks = calloc(locked->task_count + 1, sizeof *verification->checks);
    if (!verification->checks)
        return anole_fail_memory(error);
    verification->count = locked->task_count;
    enum anole_status status =
        anole_measure_create(&measure, device->devices->registry, device->entry, &options, error);
    for (size_t i = 0; status == ANOLE_DONE && i < locked->task_count; i++) {
        verification->checks[i].info.tuned = &entry->tasks[i].info;
        if (plan->wanted && !plan->wanted[i])
            continue;
        anole_measure_set_constants(measure,
                                    locked->tasks[i].warmth == ANOLE_WARMTH_COLD
                                        ? anole_recheck_constants(locked, &device->entry->device)
                                        : 0);
        anole_measure_set_timer(measure, locked->tasks[i].timer);
        status = run_task(&verification->checks[i], tuned, &locked->tasks[i], device, measure, plan,
                          error);
    }
    if (status == ANOLE_DONE)
        status = try_whole(verification, plan, device, measure, error);
    anole_measure_destroy(measure);
    return status;
}

enum anole_status anole_verify_entry(struct anole_verification **verification,
                                     const struct anole_tuned *tuned,
                                     const struct anole_listed_device *device,
                                     const struct anole_verify_plan *plan,
                                     struct anole_error *error)
{
    struct anole_verification *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    new->tuned = tuned;
    enum anole_status status = run_checks(new, device, plan, error);
    if (status != ANOLE_DONE) {
        anole_verification_destroy(new);
        return status;
    }
    *verification = new;
    return ANOLE_DONE;
}

static enum anole_status adopt(struct anole_verification **verification,
                               const struct anole_tuned *tuned,
                               const struct anole_listed_device *device, uint32_t dtype,
                               const char *path, struct anole_error *error)
{
    struct anole_verification *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    new->tuned = tuned;
    new->adopting = true;
    anole_whole_skip(&new->whole, "what is adopted is measured task by task");
    anole_whole_skip(&new->then, "what is adopted is of other machines");
    enum anole_status status =
        anole_adopt(&new->checks, &new->count, tuned, device, dtype, path, error);
    if (status != ANOLE_DONE) {
        anole_verification_destroy(new);
        return status;
    }
    *verification = new;
    return ANOLE_DONE;
}

static enum anole_status fail_size(const char *path, const struct anole_lock_device *sizes,
                                   const struct anole_listed_device *device,
                                   struct anole_error *error)
{
    char text[256], file[256];
    anole_lock_sizes_text(text, sizeof text, sizes);
    return anole_fail(error, ANOLE_ERR_NO_DEVICE,
                      "%s holds nothing of %s for device %s; `anole best` shows the sizes it holds",
                      anole_text_printable(file, sizeof file, path), text[0] ? text : "batch 1",
                      device->info.id);
}

/* `sizes` NULL: the first. */
static enum anole_status find_entry(const struct anole_lock_device **locked,
                                    const struct anole_tuned *tuned,
                                    const struct anole_listed_device *device, uint32_t dtype,
                                    const struct anole_load_size *sizes, struct anole_error *error)
{
    struct anole_lock_device wanted = {.batch = 0};
    if (sizes) {
        wanted.batch = (uint32_t)sizes->batch;
        wanted.shapes = (char **)sizes->shapes;
        wanted.shape_count = sizes->shape_count;
    }
    enum anole_status status = anole_lockfile_find(
        locked, tuned->lockfile, tuned->path, device->devices->registry, device->entry, dtype,
        device->devices->threads, sizes ? &wanted : NULL, error);
    if (status == ANOLE_DONE && sizes && !anole_lock_same_sizes(*locked, &wanted))
        status = fail_size(tuned->path, &wanted, device, error);
    return status;
}

static enum anole_status verify(struct anole_verification **verification,
                                const struct anole_tuned *tuned,
                                const struct anole_listed_device *device,
                                const struct anole_verify_options *given, struct anole_error *error)
{
    struct anole_verify_options options;
    struct anole_verify_plan plan = {.network = tuned->lockfile->network_path, .strict = true};
    uint32_t dtype = 0;
    enum anole_status status =
        anole_options_copy(&options, sizeof options, given, "struct anole_verify_options", error);
    if (status == ANOLE_DONE)
        status = anole_precision_option(&dtype, options.precision, error);
    if (status == ANOLE_DONE && options.adopt_path)
        return adopt(verification, tuned, device, dtype, options.adopt_path, error);
    if (status == ANOLE_DONE)
        status = find_entry(&plan.locked, tuned, device, dtype, options.sizes, error);
    if (status != ANOLE_DONE)
        return status;
    plan.whole = !options.no_in_place;
    plan.build_limit = options.build_limit;
    plan.run_limit = options.run_limit;
    return anole_verify_entry(verification, tuned, device, &plan, error);
}

enum anole_status anole_verify(struct anole_verification **verification,
                               const struct anole_tuned *tuned,
                               const struct anole_device_info *device,
                               const struct anole_verify_options *given, struct anole_error *error)
{
    struct anole_scope scope;
    anole_scope_enter(&scope, tuned->context);
    enum anole_status status =
        verify(verification, tuned, anole_listed_device(device), given, error);
    anole_scope_leave(&scope);
    return status;
}

void anole_verification_destroy(struct anole_verification *verification)
{
    if (!verification)
        return;
    anole_rechecks_destroy(verification->checks, verification->count);
    free(verification);
}

size_t anole_verification_count(const struct anole_verification *verification)
{
    return verification->count;
}

const struct anole_verified *anole_verification_get(const struct anole_verification *verification,
                                                    size_t index)
{
    return index < verification->count ? &verification->checks[index].info : NULL;
}

const struct anole_in_place *
anole_verification_in_place(const struct anole_verification *verification)
{
    return &verification->whole.info;
}

const struct anole_in_place *
anole_verification_in_place_then(const struct anole_verification *verification)
{
    return &verification->then.info;
}

static bool whole_is_wrong(const struct anole_in_place *whole)
{
    return whole->ran && !isnan(whole->error) && !(whole->error <= whole->tolerance);
}

/* Of the whole, what is left when no kernel is wrong or failed. */
static enum anole_status judge_whole(const struct anole_verification *verification, double percent,
                                     struct anole_error *error)
{
    const struct anole_in_place *whole = &verification->whole.info;
    const struct anole_in_place *then = &verification->then.info;
    if (!whole->ran)
        return ANOLE_DONE;
    if (whole->speedup_high < ANOLE_RECHECK_SLOWER)
        return anole_fail(
            error, ANOLE_ERR_SLOWER,
            "the network as a whole is slower than with default kernels (%.2fx [%.2f, "
            "%.2f]); tune again",
            whole->speedup, whole->speedup_low, whole->speedup_high);
    if (percent >= 0.0 && then->ran && whole->low > then->seconds * (1.0 + percent / 100.0))
        return anole_fail(error, ANOLE_ERR_SLOWER,
                          "the network as a whole takes %.1f %% longer than in %s; expected at "
                          "most %g %%",
                          100.0 * (whole->seconds / then->seconds - 1.0), verification->tuned->path,
                          percent);
    return ANOLE_DONE;
}

static enum anole_status judge_adopted(const struct anole_verification *verification,
                                       struct anole_error *error)
{
    for (size_t i = 0; i < verification->count; i++)
        if (verification->checks[i].info.adopted)
            return ANOLE_DONE;
    return anole_fail(error, ANOLE_ERR_NOTHING_VALID,
                      "none of %zu tasks of %s was right and fast enough here to be adopted; tune",
                      verification->count, verification->tuned->path);
}

/* Wrong results weigh most, then failures, then slowness. */
static enum anole_status judge(const struct anole_verification *verification, double percent,
                               struct anole_error *error)
{
    const struct anole_verified *slow = NULL, *failed = NULL;
    double then = 0.0, now = 0.0;
    if (verification->adopting)
        return judge_adopted(verification, error);
    for (size_t i = 0; i < verification->count; i++) {
        const struct anole_verified *check = &verification->checks[i].info;
        if (check->outcome == ANOLE_OUTCOME_WRONG_ANSWER)
            return anole_fail(error, ANOLE_ERR_WRONG_RESULT, "%s: %s", check->label,
                              check->message);
        if (check->outcome != ANOLE_OUTCOME_OK) {
            failed = check;
            continue;
        }
        /* What was chosen for the network, or for several sizes, may well be slower alone. */
        if (check->speedup_high < ANOLE_RECHECK_SLOWER && isnan(check->tuned->alone_seconds) &&
            isnan(check->tuned->slowdown))
            slow = check;
        then += check->tuned->multiplicity * check->tuned->seconds;
        now += check->tuned->multiplicity * check->seconds;
    }
    const struct anole_in_place *whole = &verification->whole.info;
    if (whole_is_wrong(whole))
        return anole_fail(error, ANOLE_ERR_WRONG_RESULT,
                          "the network as a whole: output \"%s\" is off by %.3g of its largest "
                          "element, expected at most %g",
                          verification->whole.output, whole->error, whole->tolerance);
    if (whole->failed && !failed)
        return anole_fail(error, ANOLE_ERR_NOTHING_VALID, "the network as a whole: %s",
                          whole->problem);
    if (failed)
        return anole_fail(error, ANOLE_ERR_NOTHING_VALID, "%s: %s: %s", failed->label,
                          anole_outcome_words(failed->outcome), failed->message);
    if (slow)
        return anole_fail(error, ANOLE_ERR_SLOWER,
                          "%s: slower than the default config (%.2fx [%.2f, %.2f]); tune again",
                          slow->label, slow->speedup, slow->speedup_low, slow->speedup_high);
    if (percent >= 0.0 && now > then * (1.0 + percent / 100.0))
        return anole_fail(error, ANOLE_ERR_SLOWER,
                          "the network takes %.1f %% longer than in %s; expected at most %g %%",
                          100.0 * (now / then - 1.0), verification->tuned->path, percent);
    return judge_whole(verification, percent, error);
}

enum anole_status anole_verification_check(const struct anole_verification *verification,
                                           double percent, struct anole_error *error)
{
    struct anole_scope scope;
    anole_scope_enter(&scope, verification->tuned->context);
    enum anole_status status = judge(verification, percent, error);
    anole_scope_leave(&scope);
    return status;
}
