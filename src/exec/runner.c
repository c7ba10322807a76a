/* SPDX-License-Identifier: MIT */
#include "exec/runner.h"

#include "base/clock.h"
#include "base/text.h"
#include "exec/executable.h"
#include "exec/kept.h"
#include "exec/verify.h"
#include "kernel/custom.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define WARM_RUNS 2 /* before a turn, at least */
#define TURNS 3     /* of a slot, in a round, as long as they are disturbed */

struct anole_runner {
    struct anole_target target;
    struct anole_guarded packed, workspace, copies; /* of the last trial, for the next */
    struct anole_kept kept;                         /* builds of the last trials */
    struct anole_executable slots[ANOLE_MAX_SLOTS];
    size_t slot_count;
    uint32_t rounds; /* so far */
};

/* -- The device -- */

enum anole_status anole_runner_create(struct anole_runner **runner,
                                      const struct anole_backend *backend, const char *driver,
                                      const struct anole_device *device,
                                      const struct anole_target_options *options,
                                      struct anole_error *error)
{
    struct anole_runner *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    enum anole_status status =
        anole_target_open(&new->target, backend, driver, device, options, error);
    if (status != ANOLE_DONE) {
        free(new);
        return status;
    }
    *runner = new;
    return ANOLE_DONE;
}

static void drop_buffers(struct anole_runner *runner)
{
    anole_guarded_destroy(&runner->packed, &runner->target.memory);
    anole_guarded_destroy(&runner->workspace, &runner->target.memory);
    anole_guarded_destroy(&runner->copies, &runner->target.memory);
}

void anole_runner_destroy(struct anole_runner *runner)
{
    if (!runner)
        return;
    anole_runner_unload(runner);
    anole_kept_clear(&runner->kept, &runner->target);
    drop_buffers(runner);
    anole_target_close(&runner->target);
    free(runner);
}

void anole_runner_set_task(struct anole_runner *runner, const struct anole_task *task,
                           const struct anole_task_data *data)
{
    anole_runner_unload(runner);
    drop_buffers(runner);
    anole_target_set_task(&runner->target, task, data);
}

void anole_runner_set_salt(struct anole_runner *runner, uint32_t salt)
{
    runner->target.salt = salt;
}

void anole_runner_set_timer(struct anole_runner *runner, enum anole_timer timer)
{
    runner->target.timing.decided = timer;
}

void anole_runner_set_constants(struct anole_runner *runner, uint64_t bytes)
{
    runner->target.options.constants = bytes;
}

void anole_runner_usage(const struct anole_runner *runner, struct anole_usage *usage)
{
    const struct anole_target *target = &runner->target;
    usage->builds = target->builds;
    usage->tainted = target->tainted;
    usage->held = target->device.flags & ANOLE_DEVICE_SHARES_HOST ? target->memory.held : 0;
}

/* -- Steps of a trial.  Each returns false if the kernel failed: `result` says how. -- */

static bool generate(struct anole_executable *executable, struct anole_target *target,
                     const int64_t *values, size_t count, struct anole_result *result)
{
    struct anole_error error = {.status = ANOLE_DONE};
    double start = anole_clock();
    enum anole_status status = anole_executable_generate(executable, target, values, count, &error);
    result->cost.generate += anole_clock() - start;
    if (status == ANOLE_DONE)
        return true;
    result->outcome = ANOLE_OUTCOME_INVALID;
    anole_text_printable(result->message, sizeof result->message, error.text);
    return false;
}

static bool build(struct anole_executable *executable, struct anole_target *target,
                  const void *binary, size_t binary_bytes, struct anole_result *result)
{
    struct anole_message message = {.size = sizeof message};
    double start = anole_clock();
    int code = anole_executable_build(executable, target, binary, binary_bytes, &message);
    result->cost.build += anole_clock() - start;
    return code == ANOLE_OK ||
           anole_target_fail(target, result, code, ANOLE_OUTCOME_COMPILE, &message, NULL);
}

static bool bind(struct anole_executable *executable, struct anole_target *target,
                 struct anole_result *result)
{
    double start = anole_clock();
    bool done = anole_executable_bind(executable, target, result);
    result->cost.transfer += anole_clock() - start;
    if (!executable->overpacked)
        return done;
    result->outcome = ANOLE_OUTCOME_INVALID;
    snprintf(result->message, sizeof result->message,
             "backend %s: packing the weights wrote beyond the %zu bytes that it announced",
             target->backend->plugin.name, executable->generated->kernel.packed_weights);
    return false;
}

/* The first run, verified.  *first: its seconds. */
static bool prove(struct anole_executable *executable, struct anole_target *target, double *first,
                  struct anole_result *result)
{
    anole_target_say(target, ANOLE_STAGE_RUN, UINT32_MAX);
    double start = anole_clock();
    bool done = anole_timing_batch(&target->timing, first, &executable->timed, 1, result);
    double end = anole_clock();
    result->cost.run += end - start;
    if (!done)
        return false;
    anole_target_say(target, ANOLE_STAGE_VERIFY, UINT32_MAX);
    done = anole_executable_verify(executable, target, "on the first run", result);
    result->cost.verify += anole_clock() - end;
    return done;
}

static bool chill(struct anole_executable *executable, struct anole_target *target, double first,
                  struct anole_result *result)
{
    double start = anole_clock();
    bool done = anole_executable_chill(executable, target, first, result);
    result->cost.transfer += anole_clock() - start;
    return done;
}

/* Times it; and whether it was right all the time. */
static bool measure(struct anole_executable *executable, struct anole_target *target, double first,
                    double best, struct anole_result *result)
{
    bool simulated = anole_target_simulated(target);
    if (!simulated &&
        (!anole_executable_poison(executable, target, result) ||
         !chill(executable, target, anole_timing_hopeless(first, best) ? INFINITY : first, result)))
        return false;
    anole_target_say(target, ANOLE_STAGE_TIME, UINT32_MAX);
    double start = anole_clock();
    bool done = anole_timing_measure(&target->timing, &executable->timed, first, best, result);
    double end = anole_clock();
    result->cost.run += end - start;
    if (!done || simulated)
        return done;
    /* A kernel that works in place has gone on from its own results. */
    struct anole_timed once = executable->timed;
    once.ring = NULL;
    if (target->task.custom)
        done = anole_executable_poison(executable, target, result) &&
               anole_timing_batch(&target->timing, &first, &once, 1, result);
    if (!done)
        return false;
    anole_target_say(target, ANOLE_STAGE_VERIFY, UINT32_MAX);
    done = anole_executable_verify(executable, target, "after many runs", result);
    result->cost.verify += anole_clock() - end;
    return done;
}

/* A failed result has no time; what a wrong kernel touched is brought anew. */
static void settle(struct anole_target *target, struct anole_result *result)
{
    result->simulated = anole_target_simulated(target);
    if (result->simulated) /* wall time means nothing here, and differs between runs */
        result->cost = (struct anole_trial_cost){.build = 0};
    if (result->outcome == ANOLE_OUTCOME_OK)
        return;
    result->timer = ANOLE_TIMER_UNSAID;
    result->seconds = result->low = result->high = NAN;
    result->samples = result->disturbed = 0;
    result->abandoned = false;
    if (result->outcome == ANOLE_OUTCOME_CRASH ||
        (result->outcome == ANOLE_OUTCOME_LAUNCH && !anole_target_is_healthy(target)))
        target->tainted = true;
    if (result->outcome != ANOLE_OUTCOME_COMPILE && result->outcome != ANOLE_OUTCOME_INVALID)
        anole_target_spoil(target);
}

/* Everything up to the first, verified run. */
static enum anole_status prepare(struct anole_executable *executable, struct anole_target *target,
                                 const int64_t *values, size_t count, const void *binary,
                                 size_t binary_bytes, double *first, struct anole_result *result,
                                 struct anole_error *error)
{
    anole_result_clear(result);
    anole_target_say(target, ANOLE_STAGE_TASK, UINT32_MAX);
    double start = anole_clock();
    enum anole_status status = anole_target_upload(target, error);
    result->cost.transfer = anole_clock() - start;
    if (status != ANOLE_DONE)
        return status;
    *first = NAN;
    executable->timed.bindings = executable->bindings; /* all absent, if it is simulated */
    if (generate(executable, target, values, count, result) &&
        build(executable, target, binary, binary_bytes, result) &&
        !anole_target_simulated(target) && bind(executable, target, result))
        prove(executable, target, first, result);
    return ANOLE_DONE;
}

/* -- Builds and trials -- */

void anole_runner_build(struct anole_runner *runner, const int64_t *values, size_t count,
                        struct anole_result *result, void **binary, size_t *binary_bytes)
{
    struct anole_target *target = &runner->target;
    struct anole_executable executable = {.build = NULL};
    struct anole_message message = {.size = sizeof message};
    *binary = NULL;
    *binary_bytes = 0;
    anole_result_clear(result);
    if (generate(&executable, target, values, count, result) &&
        build(&executable, target, NULL, 0, result)) {
        size_t announced;
        double start = anole_clock();
        /* Without a binary, it is built again where it is needed. */
        anole_executable_binary(&executable, target, binary, binary_bytes, &announced, &message);
        if (!*binary)
            *binary_bytes = 0;
        result->cost.build += anole_clock() - start;
    }
    anole_executable_release(&executable, target);
    settle(target, result);
}

/* A build that works goes to those that are kept.  One that does not is released at once: it
 * may have done damage. */
static void keep(struct anole_runner *runner, struct anole_executable *executable,
                 size_t binary_bytes)
{
    const struct anole_generated *generated = executable->generated;
    if (!executable->build || anole_target_simulated(&runner->target))
        return;
    anole_kept_add(&runner->kept, &runner->target, generated->executable, executable->build,
                   generated->kernel.source_length + binary_bytes);
    executable->build = NULL;
}

enum anole_status anole_runner_trial(struct anole_runner *runner, const int64_t *values,
                                     size_t count, const void *binary, size_t binary_bytes,
                                     double best, struct anole_result *result,
                                     struct anole_error *error)
{
    double first;
    struct anole_target *target = &runner->target;
    struct anole_executable executable = {
        .packed = runner->packed, .workspace = runner->workspace, .copies = runner->copies};
    enum anole_status status =
        prepare(&executable, target, values, count, binary, binary_bytes, &first, result, error);
    if (status == ANOLE_DONE && result->outcome == ANOLE_OUTCOME_OK)
        measure(&executable, target, first, best, result);
    if (status == ANOLE_DONE && result->outcome == ANOLE_OUTCOME_OK)
        keep(runner, &executable, binary_bytes);
    if (status == ANOLE_DONE && result->outcome == ANOLE_OUTCOME_OK)
        target->timing.decided = result->timer;
    anole_executable_release(&executable, target);
    runner->packed = executable.packed;
    runner->workspace = executable.workspace;
    runner->copies = executable.copies;
    if (status == ANOLE_DONE)
        settle(target, result);
    return status;
}

/* One run, without a reference; target->answer holds what it wrote. */
static bool compute(struct anole_target *target, const int64_t *values, size_t count,
                    struct anole_result *result)
{
    double seconds;
    struct anole_executable executable = {.build = NULL};
    anole_result_clear(result);
    bool done = generate(&executable, target, values, count, result) &&
                build(&executable, target, NULL, 0, result) && bind(&executable, target, result) &&
                anole_timing_batch(&target->timing, &seconds, &executable.timed, 1, result) &&
                anole_verify_guards(&executable, target, "on its first run", result) &&
                anole_verify_read(target, result);
    anole_executable_destroy(&executable, target);
    return done;
}

enum anole_status anole_runner_compute(struct anole_runner *runner, bool reference,
                                       const int64_t *values, size_t count, const void **output,
                                       struct anole_result *result, struct anole_error *error)
{
    struct anole_target *target = &runner->target;
    struct anole_custom_kernel plain = *anole_custom_of(&target->task);
    enum anole_status status = anole_target_upload(target, error);
    if (status != ANOLE_DONE)
        return status;
    const struct anole_custom *own = target->task.custom;
    if (reference) {
        plain.launch = plain.reference;
        target->task.custom = &plain.base;
    }
    bool done = compute(target, values, count, result);
    target->task.custom = own;
    *output = done ? target->answer : NULL;
    return ANOLE_DONE;
}

/* -- Kernels that are kept -- */

enum anole_status anole_runner_load(struct anole_runner *runner, const int64_t *values,
                                    size_t count, const void *binary, size_t binary_bytes,
                                    struct anole_result *result, struct anole_error *error)
{
    double first;
    struct anole_target *target = &runner->target;
    if (runner->slot_count == ANOLE_MAX_SLOTS)
        return anole_fail(error, ANOLE_ERR_INTERNAL, "more than %d kernels to compare",
                          ANOLE_MAX_SLOTS);
    struct anole_executable *executable = &runner->slots[runner->slot_count];
    *executable = (struct anole_executable){.build = NULL};
    enum anole_status status =
        prepare(executable, target, values, count, binary, binary_bytes, &first, result, error);
    if (status == ANOLE_DONE && result->outcome == ANOLE_OUTCOME_OK &&
        !anole_target_simulated(target) && chill(executable, target, first, result))
        anole_timing_calibrate(&target->timing, &executable->timed, result);
    if (status == ANOLE_DONE)
        settle(target, result);
    if (status == ANOLE_DONE && result->outcome == ANOLE_OUTCOME_OK) {
        result->timer = target->timing.decided = target->timing.timer;
        runner->slot_count++;
        return ANOLE_DONE;
    }
    anole_executable_destroy(executable, target);
    return status;
}

/* A slot's turn.  What was disturbed is taken again, a few times. */
static bool take_turn(struct anole_target *target, struct anole_timed *timed, double *seconds,
                      struct anole_crowding *crowding, struct anole_result *result)
{
    bool disturbed = true;
    /* A short batch first: the caches are full of another kernel's data, and a single run does
     * not bring all of its own back. */
    uint32_t warm = timed->ring ? 1 : WARM_RUNS;
    if (timed->repeats > 8 * warm)
        warm = timed->repeats / 8;
    if (timed->repeats == 0) /* simulated */
        warm = timed->repeats = 1;
    if (!anole_timing_batch(&target->timing, seconds, timed, warm, result))
        return false;
    for (int i = 0; i < TURNS && disturbed; i++)
        if (!anole_timing_sample(&target->timing, seconds, &disturbed, crowding, timed, result))
            return false;
    result->disturbed += disturbed;
    return true;
}

bool anole_runner_round(struct anole_runner *runner, double *seconds, uint32_t *failed,
                        struct anole_result *result)
{
    struct anole_target *target = &runner->target;
    struct anole_crowding crowding = {.waited = 0.0};
    bool done = true;
    anole_result_clear(result);
    anole_timing_begin(&target->timing);
    const double slower = anole_timing_probe(&target->timing);
    for (uint32_t i = 0; done && i < runner->slot_count; i++) {
        /* Back and forth: nobody always follows the same one. */
        uint32_t slot = runner->rounds % 2 ? (uint32_t)runner->slot_count - 1 - i : i;
        anole_target_say(target, ANOLE_STAGE_TIME, slot);
        done = take_turn(target, &runner->slots[slot].timed, &seconds[slot], &crowding, result);
        if (!done) {
            seconds[slot] = NAN;
            *failed = slot;
            settle(target, result);
        }
    }
    runner->rounds++;
    result->crowding = anole_timing_crowding(&target->timing, &crowding, slower);
    anole_timing_end(&target->timing);
    return done;
}

size_t anole_runner_slots(const struct anole_runner *runner)
{
    return runner->slot_count;
}

void anole_runner_unload(struct anole_runner *runner)
{
    for (size_t i = 0; i < runner->slot_count; i++)
        anole_executable_destroy(&runner->slots[i], &runner->target);
    runner->slot_count = 0;
    runner->rounds = 0;
}

/* -- One slot, for somebody who times it himself -- */

/* The mean of what the device's clock said of each run; NaN if it said nothing. */
static double device_time(const double *seconds, uint32_t repeats)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < repeats; i++) {
        if (!(seconds[i] >= 0.0))
            return NAN;
        sum += seconds[i];
    }
    return sum / repeats;
}

static bool find_slot(const struct anole_runner *runner, uint32_t slot, struct anole_result *result)
{
    anole_result_clear(result);
    if (slot < runner->slot_count)
        return true;
    result->outcome = ANOLE_OUTCOME_INVALID;
    snprintf(result->message, sizeof result->message, "no kernel in slot %u: there are %zu", slot,
             runner->slot_count);
    return false;
}

bool anole_runner_batch(struct anole_runner *runner, uint32_t slot, uint32_t repeats, double *host,
                        double *device, struct anole_result *result)
{
    struct anole_target *target = &runner->target;
    struct anole_message message = {.size = sizeof message};
    double whole, wall;
    if (!find_slot(runner, slot, result))
        return false;
    repeats = repeats < 1 ? 1 : repeats > ANOLE_MAX_REPEATS ? ANOLE_MAX_REPEATS : repeats;
    anole_target_say(target, ANOLE_STAGE_TIME, slot);
    int code = anole_timing_run(&target->timing, &runner->slots[slot].timed, &repeats,
                                target->timing.device_seconds, &whole, &wall, &message);
    if (code != ANOLE_OK)
        return anole_target_fail(target, result, code, ANOLE_OUTCOME_LAUNCH, &message, NULL);
    *host = whole / repeats;
    *device = device_time(target->timing.device_seconds, repeats);
    return true;
}

bool anole_runner_refresh(struct anole_runner *runner)
{
    runner->target.uploaded = false;
    return anole_target_upload(&runner->target, NULL) == ANOLE_DONE;
}

bool anole_runner_prove(struct anole_runner *runner, uint32_t slot, struct anole_result *result)
{
    double seconds;
    if (!find_slot(runner, slot, result))
        return false;
    struct anole_timed once = runner->slots[slot].timed;
    once.ring = NULL; /* what its copies lead to is not looked at */
    anole_target_say(&runner->target, ANOLE_STAGE_TIME, slot);
    return anole_executable_poison(&runner->slots[slot], &runner->target, result) &&
           anole_timing_batch(&runner->target.timing, &seconds, &once, 1, result) &&
           anole_executable_verify(&runner->slots[slot], &runner->target, "in a run after the load",
                                   result);
}
