/* SPDX-License-Identifier: MIT
 *
 * Clauses on time.  The machine may be busy: what is slow once may have waited, so
 * the best of several attempts counts, and bounds are wide.  What is caught is a
 * clock in wrong units, one that stands still, and a run that is not waited for.
 */
#include "check/fixture.h"

#include <math.h>
#include <stdio.h>

#define ATTEMPTS 5
#define MANY 16   /* repeats */
#define LONG 2e-3 /* seconds that a batch shall last */
#define MAX_MANY 4096u

/* Repeats that last long enough to be told apart from waking up. */
static enum anole_check_verdict calibrate(struct anole_fixture *fixture, uint32_t *repeats,
                                          double *device)
{
    double host = 0, wall = 0;
    enum anole_check_verdict verdict = ANOLE_PASS;
    for (*repeats = 1; verdict == ANOLE_PASS && wall < LONG && *repeats < MAX_MANY / MANY;) {
        verdict = anole_fixture_run(fixture, *repeats, device, &host, &wall);
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

/* The least of several attempts: seconds by the plugin. */
static enum anole_check_verdict least(struct anole_fixture *fixture, uint32_t repeats,
                                      double *device, double *seconds)
{
    enum anole_check_verdict verdict = ANOLE_PASS;
    *seconds = INFINITY;
    for (int i = 0; i < ATTEMPTS && verdict == ANOLE_PASS; i++) {
        double host = 0, wall;
        verdict = anole_fixture_run(fixture, repeats, device, &host, &wall);
        *seconds = fmin(*seconds, host);
    }
    return verdict;
}

static enum anole_check_verdict compare_work(struct anole_fixture *fixture)
{
    double device[MAX_MANY], few = 0, many = 0;
    uint32_t repeats = 1;
    enum anole_check_verdict verdict = calibrate(fixture, &repeats, device);
    for (int round = 0; round < ATTEMPTS && verdict == ANOLE_PASS; round++) {
        verdict = least(fixture, repeats, device, &few);
        if (verdict == ANOLE_PASS)
            verdict = least(fixture, MANY * repeats, device, &many);
        if (verdict == ANOLE_PASS && many > 0.25 * MANY * few)
            return anole_check_pass(fixture->check, "%u repeats take %.3g s, %u take %.3g s",
                                    repeats, few, MANY * repeats, many);
    }
    return verdict != ANOLE_PASS
               ? verdict
               : anole_check_fail(fixture->check,
                                  "%s: %u repeats take %.3g s, %u take %.3g s: expected about %d "
                                  "times as long",
                                  fixture->label, repeats, few, MANY * repeats, many, MANY);
}

enum anole_check_verdict anole_clause_grow(struct anole_check_context *check)
{
    struct anole_fixture fixture;
    enum anole_check_verdict verdict = anole_fixture_open_heavy(&fixture, check);
    if (verdict != ANOLE_PASS)
        return verdict;
    verdict = compare_work(&fixture);
    anole_fixture_close(&fixture);
    return verdict;
}

/* Whether `host` seconds, and what events say, fit into `wall` seconds of ours. */
static bool agrees(const struct anole_check_context *check, const double *device, uint32_t repeats,
                   double host, double wall)
{
    double sum = 0;
    if (host > 1.05 * wall + 1e-5 || host < 0.5 * wall - 1e-5)
        return false;
    if (check->device->flags & ANOLE_DEVICE_OWN_CLOCK ||
        !(check->device->flags & ANOLE_DEVICE_EVENT_TIMER))
        return true;
    for (uint32_t i = 0; i < repeats; i++)
        sum += device[i];
    return sum < 0 || (sum <= 1.05 * wall + 1e-5 && sum >= 0.005 * wall);
}

static enum anole_check_verdict compare_clocks(struct anole_fixture *fixture)
{
    double device[MAX_MANY], host = 0, wall = 0;
    uint32_t repeats = 1;
    enum anole_check_verdict verdict = calibrate(fixture, &repeats, device);
    for (int i = 0; i < 4 * ATTEMPTS && verdict == ANOLE_PASS; i++) {
        verdict = anole_fixture_run(fixture, repeats, device, &host, &wall);
        if (verdict == ANOLE_PASS && agrees(fixture->check, device, repeats, host, wall))
            return anole_check_pass(fixture->check,
                                    "%u repeats: %.3g s by the plugin, %.3g s by ours", repeats,
                                    host, wall);
    }
    return verdict != ANOLE_PASS
               ? verdict
               : anole_check_fail(fixture->check,
                                  "%s: %u repeats: *host_seconds is %.3g, device_seconds[0] %.3g; "
                                  "all together took %.3g s by our clock",
                                  fixture->label, repeats, host, device[0], wall);
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
