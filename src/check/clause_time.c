/* SPDX-License-Identifier: MIT
 *
 * Clauses on time.  The machine may be busy: what is slow once may have waited, so
 * the best of several attempts counts, by the plugin's clock and by ours alike.  What is
 * caught is a clock in wrong units, one that stands still or is made up, a run that is not
 * waited for, and one that is left out.
 */
#include "check/fixture.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#define ATTEMPTS 5
#define MANY 16   /* repeats */
#define LONG 1e-3 /* seconds that a batch shall last */
#define MAX_MANY 4096u
#define LEAST_ROUNDS 3   /* of looking at few repeats, and at many */
#define LEAST_GROWTH 0.6 /* of MANY: what a longer batch may save, beside all else */
#define LEAST_SHARE 0.85 /* of our time: what *host_seconds holds, as it is all but our call */

/* The least of several attempts, in seconds: by the plugin's clock, by ours, and of work of this
 * process, all threads together.  What waits for a core costs none of the latter. */
struct shortest {
    double host, wall, work;
};

static const struct shortest untried = {INFINITY, INFINITY, INFINITY};

static double work_so_far(void)
{
    struct timespec time;
    return clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0
               ? (double)time.tv_sec + 1e-9 * (double)time.tv_nsec
               : 0;
}

/* More attempts: all of it only shrinks. */
static enum anole_check_verdict least(struct anole_fixture *fixture, uint32_t repeats,
                                      double *device, struct shortest *shortest)
{
    enum anole_check_verdict verdict = ANOLE_PASS;
    for (int i = 0; i < ATTEMPTS && verdict == ANOLE_PASS; i++) {
        double host = 0, wall, work = work_so_far();
        verdict = anole_fixture_run(fixture, repeats, device, &host, &wall);
        shortest->work = fmin(shortest->work, work_so_far() - work);
        shortest->host = fmin(shortest->host, host);
        shortest->wall = fmin(shortest->wall, wall);
    }
    return verdict;
}

/* Repeats that last long enough to be told apart from waking up, even at their fastest. */
static enum anole_check_verdict calibrate(struct anole_fixture *fixture, uint32_t *repeats,
                                          double *device)
{
    double wall = 0;
    enum anole_check_verdict verdict = ANOLE_PASS;
    for (*repeats = 1; verdict == ANOLE_PASS && wall < LONG && *repeats < MAX_MANY / MANY;) {
        struct shortest shortest = untried;
        verdict = least(fixture, *repeats, device, &shortest);
        wall = shortest.wall;
        if (wall < LONG)
            *repeats *= 2;
    }
    return verdict;
}

static enum anole_check_verdict look_at_times(struct anole_fixture *fixture)
{
    const bool own = fixture->check->device->flags & ANOLE_DEVICE_OWN_CLOCK;
    double device[3] = {-1, -1, -1}, host = NAN, wall;
    enum anole_check_verdict verdict = anole_fixture_run(fixture, 3, device, &host, &wall);
    if (verdict != ANOLE_PASS)
        return verdict;
    if (!isfinite(host) || host < 0)
        return anole_check_fail(fixture->check, "%s, %s: *host_seconds is %g", fixture->label,
                                fixture->words, host);
    for (int i = 0; i < 3; i++)
        if (!isfinite(device[i]) || device[i] == 0 || (own && device[i] < 0))
            return anole_check_fail(fixture->check,
                                    "%s, %s: device_seconds[%d] is %g: expected a time%s",
                                    fixture->label, fixture->words, i, device[i],
                                    own ? ", as the device has a clock of its own"
                                        : ", or a negative number where there is none");
    return ANOLE_PASS;
}

enum anole_check_verdict anole_clause_positive(struct anole_check_context *check)
{
    return anole_fixture_each_bare(check, true, look_at_times);
}

/* Whether so many more repeats took as much longer as they should; where it is this process that
 * works, it must have worked as much more, however busy the machine is. */
static bool has_grown(const struct anole_check_context *check, const struct shortest *few,
                      const struct shortest *many)
{
    bool own = check->device->flags & ANOLE_DEVICE_SHARES_HOST && few->work > 0.5 * LONG;
    return many->host > LEAST_GROWTH * MANY * few->host &&
           (!own || many->work > LEAST_GROWTH * MANY * few->work);
}

/* Minima over all rounds: what is in the way of one has no part in them, and what is left out is
 * left out of all. */
static enum anole_check_verdict compare_work(struct anole_fixture *fixture)
{
    double device[MAX_MANY];
    struct shortest few = untried, many = untried;
    uint32_t repeats = 1;
    enum anole_check_verdict verdict = calibrate(fixture, &repeats, device);
    for (int round = 0; round < ATTEMPTS && verdict == ANOLE_PASS; round++) {
        verdict = least(fixture, repeats, device, &few);
        if (verdict == ANOLE_PASS)
            verdict = least(fixture, MANY * repeats, device, &many);
        if (verdict == ANOLE_PASS && round >= LEAST_ROUNDS - 1 &&
            has_grown(fixture->check, &few, &many))
            return anole_check_pass(fixture->check, "%u repeats take %.3g s, %u take %.3g s",
                                    repeats, few.host, MANY * repeats, many.host);
    }
    return verdict != ANOLE_PASS
               ? verdict
               : anole_check_fail(fixture->check,
                                  "%s: %u repeats take %.3g s, and %.3g s of work, %u take %.3g s, "
                                  "and %.3g: expected about %d times as long",
                                  fixture->label, repeats, few.host, few.work, MANY * repeats,
                                  many.host, many.work, MANY);
}

/* The lightest task of which a run lasts long enough, as far as the time of the heaviest tells:
 * the shorter a batch, the likelier it is that nothing interrupts it. */
static const struct anole_task *lightest(const struct anole_check_context *check,
                                         const struct anole_task *heavy, double seconds)
{
    const struct anole_task *light = heavy;
    for (size_t i = 0; i < check->task_count; i++) {
        double flops = anole_task_flops(&check->tasks[i]);
        if (flops < anole_task_flops(light) &&
            flops * seconds >= 2 * LONG * anole_task_flops(heavy))
            light = &check->tasks[i];
    }
    return light;
}

enum anole_check_verdict anole_clause_grow(struct anole_check_context *check)
{
    struct anole_fixture fixture;
    double device[MAX_MANY];
    struct shortest once = untried;
    enum anole_check_verdict verdict = anole_fixture_open_heavy(&fixture, check);
    if (verdict != ANOLE_PASS)
        return verdict;
    verdict = least(&fixture, 1, device, &once);
    const struct anole_task *light = lightest(check, fixture.task, once.wall);
    if (verdict == ANOLE_PASS && light != fixture.task) {
        anole_fixture_close(&fixture);
        verdict = anole_fixture_open_one(&fixture, check, light);
        if (verdict != ANOLE_PASS)
            return verdict;
    }
    if (verdict == ANOLE_PASS)
        verdict = compare_work(&fixture);
    anole_fixture_close(&fixture);
    return verdict;
}

/* The shortest of many runs of a batch, by the plugin and by us: what a busy machine adds to one
 * of them it does not add to all.  A clock that runs fast is seen in each. */
static enum anole_check_verdict compare_clocks(struct anole_fixture *fixture)
{
    double device[MAX_MANY], host_least = INFINITY, wall_least = INFINITY;
    uint32_t repeats = 1;
    enum anole_check_verdict verdict = calibrate(fixture, &repeats, device);
    for (int i = 0; i < 4 * ATTEMPTS && verdict == ANOLE_PASS; i++) {
        double host = 0, wall = 0;
        verdict = anole_fixture_run(fixture, repeats, device, &host, &wall);
        if (verdict == ANOLE_PASS && host > 1.05 * wall + 1e-5)
            return anole_check_fail(fixture->check,
                                    "%s: %u repeats: *host_seconds is %.3g; all together took "
                                    "%.3g s by our clock",
                                    fixture->label, repeats, host, wall);
        host_least = fmin(host_least, host);
        wall_least = fmin(wall_least, wall);
    }
    if (verdict != ANOLE_PASS)
        return verdict;
    if (host_least < LEAST_SHARE * wall_least - 1e-5)
        return anole_check_fail(fixture->check,
                                "%s: %u repeats: *host_seconds is %.3g at its least; all together "
                                "never took less than %.3g s by our clock",
                                fixture->label, repeats, host_least, wall_least);
    return anole_check_pass(fixture->check, "%u repeats: %.3g s by the plugin, %.3g s by ours",
                            repeats, host_least, wall_least);
}

enum anole_check_verdict anole_clause_clocks(struct anole_check_context *check)
{
    struct anole_fixture fixture;
    enum anole_check_verdict verdict = anole_fixture_open_heavy(&fixture, check);
    if (verdict != ANOLE_PASS)
        return verdict;
    verdict = compare_clocks(&fixture);
    anole_fixture_close(&fixture);
    return verdict;
}

/* -- The device's clock -- */

#define TRUE_SHARE 0.5    /* of the host's time: what a run takes by the device's clock, */
#define GAP 3e-5          /* unless no more than these seconds a launch are between runs */
#define ENOUGH_WORK 1e-3  /* seconds of a run that tell a launch from what it does */
#define LARGEST_BATCH 64u /* times as much as in the task itself */
#define LEAST_CONFIGS 3u  /* the default is one of them */
#define BATCHES 8         /* of a config, whatever they say */
#define SAME_SHARE 0.5    /* of the longest: what the same run takes by an own clock */
#define MUCH_WORK 16      /* times as much: it takes longer by an own clock */

/* A run of a batch, by the host's clock, as good as without waiting for it. */
static enum anole_check_verdict time_of_run(struct anole_fixture *fixture, double *seconds)
{
    double device[MAX_MANY];
    struct shortest one = untried, five = untried;
    enum anole_check_verdict verdict = least(fixture, 1, device, &one);
    if (verdict == ANOLE_PASS)
        verdict = least(fixture, 5, device, &five);
    *seconds = fmax(five.wall - one.wall, 0) / 4;
    return verdict;
}

/* The heaviest task, or several times it, until it takes so long that a launch does not count:
 * the fixture is of `task`, which is to outlive it. */
static enum anole_check_verdict
open_long(struct anole_fixture *fixture, struct anole_check_context *check, struct anole_task *task)
{
    double seconds = 0;
    enum anole_check_verdict verdict = anole_fixture_open_heavy(fixture, check);
    if (verdict != ANOLE_PASS)
        return verdict;
    *task = *fixture->task;
    const uint32_t once = task->batch;
    verdict = time_of_run(fixture, &seconds);
    for (uint32_t times = 8; verdict == ANOLE_PASS && seconds < ENOUGH_WORK; times *= 8) {
        struct anole_task larger = *task;
        larger.batch = once * times;
        if (times > LARGEST_BATCH || task->kind == ANOLE_TASK_CUSTOM ||
            !anole_backend_supports(check->backend, check->device, &larger))
            return ANOLE_PASS;
        anole_fixture_close(fixture);
        *task = larger;
        verdict = anole_fixture_open_one(fixture, check, task);
        if (verdict != ANOLE_PASS)
            return verdict;
        verdict = time_of_run(fixture, &seconds);
    }
    if (verdict != ANOLE_PASS)
        anole_fixture_close(fixture);
    return verdict;
}

/* The least time of a run by either clock; fails at once for one that says more than there was.
 * *none: the plugin has no time of the device's for this kernel. */
static enum anole_check_verdict least_of_each(struct anole_fixture *fixture, uint32_t repeats,
                                              double *device_least, double *wall_least, bool *none)
{
    double device[MAX_MANY], host = 0, wall = 0, sum = 0;
    enum anole_check_verdict verdict = anole_fixture_run(fixture, repeats, device, &host, &wall);
    for (uint32_t i = 0; i < repeats && verdict == ANOLE_PASS; i++) {
        *none |= device[i] < 0;
        *device_least = fmin(*device_least, device[i]);
        sum += device[i];
    }
    if (verdict != ANOLE_PASS || *none)
        return verdict;
    *wall_least = fmin(*wall_least, wall / repeats);
    return sum <= 1.05 * wall + 1e-5
               ? ANOLE_PASS
               : anole_check_fail(fixture->check,
                                  "%s, %s: device_seconds come to %.3g s for %u repeats, which "
                                  "took %.3g s by the host's clock",
                                  fixture->label, fixture->words, sum, repeats, wall);
}

static enum anole_check_verdict look_at_device_clock(struct anole_fixture *fixture)
{
    double device[MAX_MANY], device_least = INFINITY, wall_least = INFINITY;
    const double gap = GAP * fixture->executable.generated->kernel.launch_count;
    uint32_t repeats = 1;
    bool none = false;
    enum anole_check_verdict verdict = calibrate(fixture, &repeats, device);
    for (int i = 0; i < 3 * BATCHES && verdict == ANOLE_PASS && !none; i++) {
        verdict = least_of_each(fixture, repeats, &device_least, &wall_least, &none);
        if (i + 1 >= BATCHES && device_least >= TRUE_SHARE * wall_least)
            break;
    }
    if (verdict != ANOLE_PASS || none || device_least >= TRUE_SHARE * wall_least ||
        wall_least - device_least <= gap)
        return verdict;
    return anole_check_fail(fixture->check,
                            "%s, %s: a run takes %.3g s at its least by device_seconds, and never "
                            "less than %.3g s by the host's clock",
                            fixture->label, fixture->words, device_least, wall_least);
}

static enum anole_check_verdict
each_device_time(struct anole_fixture *fixture,
                 enum anole_check_verdict (*look)(struct anole_fixture *fixture))
{
    enum anole_check_verdict verdict = look(fixture);
    size_t looked = 1;
    for (size_t i = 0; i < fixture->config_count && verdict == ANOLE_PASS; i++) {
        bool built = false;
        if (fixture->configs[i] == fixture->config || anole_fixture_enough(fixture->check, looked))
            continue;
        verdict = anole_fixture_build(fixture, fixture->configs[i], NULL, 0, &built);
        if (verdict == ANOLE_PASS && built)
            verdict = anole_fixture_bind(fixture);
        if (verdict == ANOLE_PASS && built)
            verdict = look(fixture);
        looked += built;
    }
    return verdict == ANOLE_PASS
               ? anole_check_pass(fixture->check, "%zu configs of %s", looked, fixture->label)
               : verdict;
}

/* A run by a clock of the device's own, which has nothing to do with the host's. */
static enum anole_check_verdict own_time(struct anole_fixture *fixture, double *seconds)
{
    double device[2] = {-1, -1}, host = 0, wall;
    enum anole_check_verdict verdict = anole_fixture_run(fixture, 2, device, &host, &wall);
    *seconds = fmin(device[0], device[1]);
    return verdict;
}

static enum anole_check_verdict look_at_own_clock(struct anole_fixture *fixture)
{
    double seconds = 0, least = INFINITY, most = 0;
    enum anole_check_verdict verdict = own_time(fixture, &seconds); /* may fill caches */
    for (int i = 0; i < BATCHES && verdict == ANOLE_PASS; i++) {
        verdict = own_time(fixture, &seconds);
        least = fmin(least, seconds);
        most = fmax(most, seconds);
    }
    if (verdict != ANOLE_PASS || least >= SAME_SHARE * most)
        return verdict;
    return anole_check_fail(fixture->check,
                            "%s, %s: by the device's own clock the same run takes %.3g s once, "
                            "and %.3g s again: expected the same",
                            fixture->label, fixture->words, least, most);
}

/* The lightest task of the same kind, if it is so much lighter; NULL: there is none. */
static const struct anole_task *much_lighter(const struct anole_check_context *check,
                                             const struct anole_task *heavy)
{
    const struct anole_task *light = heavy;
    for (size_t i = 0; i < check->task_count; i++) {
        const struct anole_task *task = &check->tasks[i];
        if (task->kind == heavy->kind && task->dtype == heavy->dtype &&
            anole_task_flops(task) < anole_task_flops(light))
            light = task;
    }
    return MUCH_WORK * anole_task_flops(light) <= anole_task_flops(heavy) ? light : NULL;
}

/* An own clock is asked to say the same each time, and more of more work. */
static enum anole_check_verdict compare_own_times(struct anole_check_context *check)
{
    struct anole_fixture fixture;
    double heavy_time = 0, light_time = 0;
    enum anole_check_verdict verdict = anole_fixture_open_heavy(&fixture, check);
    if (verdict != ANOLE_PASS)
        return verdict;
    const struct anole_task *heavy = fixture.task, *light = much_lighter(check, heavy);
    verdict = own_time(&fixture, &heavy_time);
    if (verdict == ANOLE_PASS)
        verdict = each_device_time(&fixture, look_at_own_clock);
    anole_fixture_close(&fixture);
    if (verdict != ANOLE_PASS || !light)
        return verdict;
    char label[128];
    verdict = anole_fixture_open_one(&fixture, check, light);
    if (verdict != ANOLE_PASS)
        return verdict;
    verdict = own_time(&fixture, &light_time);
    if (verdict == ANOLE_PASS && heavy_time <= light_time)
        verdict = anole_check_fail(
            check,
            "by the device's own clock %s takes %.3g s, and %s, with %.0f times the work, %.3g s: "
            "expected more",
            fixture.label, light_time, anole_task_label(label, sizeof label, heavy),
            anole_task_flops(heavy) / anole_task_flops(light), heavy_time);
    anole_fixture_close(&fixture);
    return verdict;
}

enum anole_check_verdict anole_clause_device_clock(struct anole_check_context *check)
{
    struct anole_fixture fixture;
    struct anole_task task;
    if (anole_check_simulated(check))
        return anole_check_skip(check, ANOLE_CHECK_NO_DATA);
    if (!(check->device->flags & (ANOLE_DEVICE_EVENT_TIMER | ANOLE_DEVICE_OWN_CLOCK)))
        return anole_check_skip(check, "the device has no ANOLE_DEVICE_EVENT_TIMER");
    if (check->samples < LEAST_CONFIGS) /* a clock may be wrong for all but the default */
        check->samples = LEAST_CONFIGS;
    if (check->device->flags & ANOLE_DEVICE_OWN_CLOCK)
        return compare_own_times(check);
    enum anole_check_verdict verdict = open_long(&fixture, check, &task);
    if (verdict != ANOLE_PASS)
        return verdict;
    verdict = each_device_time(&fixture, look_at_device_clock);
    anole_fixture_close(&fixture);
    return verdict;
}
