/* SPDX-License-Identifier: MIT */
#include "measure/control.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "plugin/scratch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_TRIES 3      /* where nothing has worked yet */
#define FIRST_PAUSE 0.5   /* seconds until it is tried again, */
#define LONGEST_PAUSE 4.0 /* twice as long each time, up to this */
#define MOST_KILLS 4      /* of an item's worker, until it is given up */
#define MOST_DOUBTS 2     /* who takes all else along once more is the culprit */

#define SMALL_LAYER "dense n1 i16 o16 f32 bias"

/* -- Trying the known-good kernel -- */

static enum anole_status find_small_layer(struct anole_measure *measure, struct anole_error *error)
{
    struct anole_control *control = &measure->control;
    struct anole_error ignored = {.status = ANOLE_DONE};
    struct anole_task task;
    control->looked = true;
    enum anole_status status = anole_task_parse_key(&task, SMALL_LAYER, error);
    if (status != ANOLE_DONE || !anole_backend_supports(measure->backend, &measure->device, &task))
        return status;
    status =
        anole_generator_create(&control->own, measure->backend, &measure->device, &task, &ignored);
    return status == ANOLE_ERR_MEMORY ? anole_fail_memory(error) : ANOLE_DONE;
}

static enum anole_status choose(struct anole_measure *measure,
                                const struct anole_generator *at_hand,
                                const struct anole_generator **generator, uint64_t *config,
                                struct anole_error *error)
{
    struct anole_control *control = &measure->control;
    *generator = NULL;
    if (at_hand && control->good == at_hand) {
        *generator = at_hand;
        *config = control->config;
        return ANOLE_DONE;
    }
    enum anole_status status = control->looked ? ANOLE_DONE : find_small_layer(measure, error);
    if (status == ANOLE_DONE && control->own) {
        *generator = control->own;
        *config = anole_space_default(anole_generator_space(control->own));
    }
    return status;
}

static enum anole_status run_one(struct anole_measure *measure,
                                 const struct anole_generator *generator, uint64_t config,
                                 struct anole_result *result, struct anole_error *error)
{
    struct anole_work work;
    enum anole_status status = anole_work_init(&work, measure, generator, &config, 1, error);
    work.control = true;
    work.salt = ++measure->control.salt;
    if (status == ANOLE_DONE) {
        work.items[0].executable = 0; /* what was built before says nothing of today */
        work.items[0].state = ANOLE_ITEM_BUILT;
        status = anole_work_settle(&work, error);
    }
    if (status == ANOLE_DONE)
        *result = work.items[0].result;
    else
        anole_work_abandon(&work);
    anole_work_fini(&work);
    return status;
}

static enum anole_status try_known_good(struct anole_measure *measure,
                                        const struct anole_generator *at_hand, bool *works,
                                        char *text, size_t size, struct anole_error *error)
{
    const struct anole_generator *generator;
    struct anole_error problem = {.status = ANOLE_DONE};
    struct anole_result result;
    uint64_t config = 0;
    text[0] = '\0';
    *works = measure->scratch == NULL ||
             anole_scratch_restore(measure->scratch, &measure->hold, &problem) == ANOLE_DONE;
    if (!*works) {
        snprintf(text, size, "%s", problem.text);
        return ANOLE_DONE;
    }
    enum anole_status status = choose(measure, at_hand, &generator, &config, error);
    if (status != ANOLE_DONE || !generator)
        return status;
    status = run_one(measure, generator, config, &result, error);
    if (status != ANOLE_DONE)
        return status;
    *works = result.outcome == ANOLE_OUTCOME_OK;
    if (*works)
        snprintf(text, size, "ok");
    else
        snprintf(text, size, "%s: %s", anole_outcome_words(result.outcome), result.message);
    return ANOLE_DONE;
}

enum anole_status anole_control_try(struct anole_measure *measure, bool *works, char *text,
                                    size_t size, struct anole_error *error)
{
    return try_known_good(measure, NULL, works, text, size, error);
}

/* -- Until it works -- */

static enum anole_status wait_seconds(struct anole_measure *measure, double seconds,
                                      struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    for (double end = anole_clock() + seconds; status == ANOLE_DONE && anole_clock() < end;)
        status = anole_measure_turn(measure, error);
    return status;
}

static enum anole_status give_up(const struct anole_measure *measure, double waited,
                                 const char *text, struct anole_error *error)
{
    if (!measure->control.worked)
        return anole_fail(error, ANOLE_ERR_WORKER,
                          "%s: no kernel works here, not even a small one that should, so none is "
                          "to blame, and no failure is kept: %s; `anole doctor` examines what "
                          "tuning needs",
                          measure->label, text);
    return anole_fail(error, ANOLE_ERR_WORKER,
                      "%s: a kernel that has worked before does so no more, for %.3g s: %s; what "
                      "failed since then is not kept; `anole doctor` examines what tuning needs",
                      measure->label, waited, text);
}

/* *failures: how often the known-good kernel failed before it worked. */
static enum anole_status until_it_works(struct anole_work *work, unsigned *failures,
                                        struct anole_error *error)
{
    struct anole_measure *measure = work->measure;
    double start = anole_clock(), pause = FIRST_PAUSE;
    char text[ANOLE_ERROR_TEXT / 2];
    for (*failures = 0;; ++*failures) {
        bool works;
        anole_work_renew(work);
        enum anole_status status =
            try_known_good(measure, work->generator, &works, text, sizeof text, error);
        if (status != ANOLE_DONE || works)
            return status;
        double waited = anole_clock() - start;
        if (measure->control.worked ? waited >= measure->options.lost_limit
                                    : *failures + 1 >= MOST_TRIES)
            return give_up(measure, waited, text, error);
        if (*failures == 0)
            anole_log_warning("%s: a kernel that is known to be good fails, too, so that no other "
                              "is to blame: %s; trying it again",
                              measure->label, text);
        status = wait_seconds(measure, pause, error);
        if (status != ANOLE_DONE)
            return status;
        pause = fmin(2.0 * pause, LONGEST_PAUSE);
    }
}

/* -- Judging -- */

static void try_again(struct anole_item *item)
{
    item->state = item->retry;
    item->killed = false;
}

/* What came after it went well: no need to try something else. */
static bool stands_alone(const struct anole_work *work, const struct anole_item *suspect)
{
    for (size_t i = 0; i < work->count; i++) {
        const struct anole_item *item = &work->items[i];
        if (item->right > suspect->failed ||
            (suspect->retry == ANOLE_ITEM_WAITING && item->built > suspect->failed))
            return true;
    }
    return false;
}

/* Failures are alike if they differ in numbers and names of files alone. */
static uint64_t kind_of(const struct anole_result *result)
{
    char pattern[sizeof result->message];
    anole_text_pattern(pattern, sizeof pattern, result->message);
    return anole_hash_combine(anole_hash_text(pattern), (uint64_t)result->outcome);
}

/* A transient fault strikes once; what comes again is the kernel's.  Trying all of them twice would
 * cost as much as they do, which on some devices is a third of all trials: once a kind is enough.
 */
static bool is_proven(struct anole_control *control, struct anole_item *item)
{
    const uint64_t kind = kind_of(&item->result);
    for (size_t i = 0; i < ANOLE_PROVEN_FAILURES && i < control->proven_count; i++)
        if (control->proven[i] == kind)
            return true;
    if (!item->repeated)
        return false;
    control->proven[control->proven_count++ % ANOLE_PROVEN_FAILURES] = kind;
    return true;
}

static enum anole_status judge_item(struct anole_work *work, struct anole_item *item, bool failed,
                                    struct anole_error *error)
{
    if (failed && item->doubts++ < MOST_DOUBTS) {
        try_again(item);
        return ANOLE_DONE;
    }
    if (item->killed && item->kills++ < MOST_KILLS) {
        try_again(item);
        return ANOLE_DONE;
    }
    if (!item->killed && !anole_measure_simulated(work->measure) &&
        !is_proven(&work->measure->control, item)) {
        item->repeated = true;
        try_again(item);
        return ANOLE_DONE;
    }
    if (item->killed) {
        char text[sizeof item->result.message];
        snprintf(text, sizeof text, "%s", item->result.message);
        anole_item_fail(item, ANOLE_OUTCOME_LOST, text);
    }
    return anole_work_finish(work, item, error);
}

/* Settles what has become SUSPECT: its failure stands, or it has to be tried again.  While the
 * known-good kernel fails as well it waits, and in the end returns ERR_WORKER; nothing is charged
 * then.  One whose worker is killed from outside again and again becomes LOST. */
static enum anole_status judge(struct anole_work *work, struct anole_error *error)
{
    unsigned failures = 0;
    bool any = false;
    for (size_t i = 0; i < work->count; i++) {
        bool suspect = work->items[i].state == ANOLE_ITEM_SUSPECT;
        any |= suspect && !stands_alone(work, &work->items[i]);
    }
    enum anole_status status = ANOLE_DONE;
    if (any && !anole_measure_simulated(work->measure)) {
        status = until_it_works(work, &failures, error);
        if (status == ANOLE_DONE)
            status = anole_work_resume(work, error);
    }
    if (failures > 0) /* what was built in the meantime may be as broken */
        anole_build_store_clear(&work->measure->built);
    /* What failed around a loss of the device may have been that, though others went well since. */
    const bool doubtful = failures > 0 || work->measure->losses != work->losses;
    work->losses = work->measure->losses;
    for (size_t i = 0; status == ANOLE_DONE && i < work->count; i++)
        if (work->items[i].state == ANOLE_ITEM_SUSPECT)
            status = judge_item(work, &work->items[i], doubtful, error);
    return status;
}

enum anole_status anole_control_run(struct anole_work *work, struct anole_error *error)
{
    enum anole_status status;
    do {
        status = anole_work_settle(work, error);
        if (status == ANOLE_DONE)
            status = judge(work, error);
    } while (status == ANOLE_DONE && !anole_work_settled(work));
    return status;
}
