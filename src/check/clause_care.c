/* SPDX-License-Identifier: MIT
 *
 * Clauses on what is given back, and on what is refused.
 */
#include "check/fixture.h"
#include "check/resources.h"

#include "base/clock.h"
#include "plugin/plugin_message.h"
#include "plugin/host.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURNS 40 /* half as many may fill caches before, and as many again may not */

/* -- Leaks -- */

/* Turns of a series: as many as patience allows for, where one takes `seconds`. */
static int turns_of(const struct anole_check_context *check, double seconds)
{
    double turns = check->patience / fmax(seconds, 1e-9) / 3;
    return turns < TURNS ? (int)fmax(turns, 1) : TURNS;
}

/* Takes turns, and looks what they left. */
static enum anole_check_verdict
repeat(struct anole_check_context *check,
       enum anole_check_verdict (*turn)(struct anole_check_context *check, void *context),
       void *context)
{
    struct anole_resources series[3];
    char growth[160];
    int turns = TURNS, warm_up = TURNS / 2;
    for (int i = 0; i < warm_up + 2 * turns; i++) {
        double start = anole_clock();
        enum anole_check_verdict verdict = turn(check, context);
        if (verdict != ANOLE_PASS)
            return verdict;
        if (i == 0) {
            turns = turns_of(check, anole_clock() - start);
            warm_up = (turns + 1) / 2;
        }
        if (i + 1 >= warm_up && (i + 1 - warm_up) % turns == 0)
            anole_resources_take(&series[(i + 1 - warm_up) / turns]);
    }
    if (anole_resources_leak(growth, sizeof growth, series, (size_t)turns))
        return anole_check_fail(check, "over %d turns, %s", 2 * turns, growth);
    return anole_check_pass(check, "%d times%s%s", warm_up + 2 * turns, growth[0] ? "; " : "",
                            growth);
}

static enum anole_check_verdict open_and_close(struct anole_check_context *check, void *context)
{
    (void)context;
    const struct anole_plugin *plugin = check->plugin;
    struct anole_session *session = NULL;
    struct anole_message message = {.size = sizeof message};
    char words[256];
    anole_check_step(check, "opening the device");
    int code = plugin->open(anole_host_get(check->threads), check->driver, check->device->index,
                            &session, &message);
    if (code != ANOLE_OK)
        return anole_check_fail(check, "open() failed: %s",
                                anole_plugin_words(words, sizeof words, code, &message));
    anole_check_step(check, "closing the device");
    plugin->close(session);
    return ANOLE_PASS;
}

enum anole_check_verdict anole_clause_opens(struct anole_check_context *check)
{
    if (check->recorded)
        return anole_check_skip(check, "the device is recorded: there is none to open");
    return repeat(check, open_and_close, NULL);
}

static enum anole_check_verdict make_and_release(struct anole_check_context *check, void *context)
{
    struct anole_fixture *fixture = context;
    struct anole_guarded buffer = {.buffer = NULL};
    struct anole_message message = {.size = sizeof message};
    bool built;
    char words[256];
    (void)check;
    int code = anole_guarded_reserve(&buffer, &fixture->target.memory, 65536, &message);
    anole_guarded_destroy(&buffer, &fixture->target.memory);
    if (code != ANOLE_OK)
        return anole_check_fail(check, "buffer_create() failed: %s",
                                anole_plugin_words(words, sizeof words, code, &message));
    enum anole_check_verdict verdict =
        anole_fixture_build(fixture, fixture->configs[0], NULL, 0, &built);
    if (verdict == ANOLE_PASS && built)
        verdict = anole_fixture_try(fixture);
    anole_fixture_release(fixture);
    return verdict;
}

enum anole_check_verdict anole_clause_releases(struct anole_check_context *check)
{
    struct anole_fixture fixture;
    if (anole_check_simulated(check))
        return anole_check_skip(check, ANOLE_CHECK_NO_DATA);
    enum anole_check_verdict verdict = anole_fixture_open(&fixture, check, &check->tasks[0]);
    if (verdict != ANOLE_PASS)
        return verdict;
    verdict = repeat(check, make_and_release, &fixture);
    anole_fixture_close(&fixture);
    return verdict;
}

/* -- Devices that are not there -- */

enum anole_check_verdict anole_clause_bad_devices(struct anole_check_context *check)
{
    static const uint32_t indices[] = {1000, UINT32_MAX};
    if (check->recorded)
        return anole_check_skip(check, "the device is recorded: there is no driver to ask");
    for (size_t i = 0; i < sizeof indices / sizeof *indices; i++) {
        struct anole_session *session = NULL;
        struct anole_message message = {.size = sizeof message};
        anole_check_step(check, "opening device %u, which is not there", indices[i]);
        if (check->plugin->open(anole_host_get(check->threads), check->driver, indices[i], &session,
                                &message) == ANOLE_OK)
            return anole_check_fail(check,
                                    "open() opens device %u, which is not there: expected "
                                    "ANOLE_NO_DEVICE",
                                    indices[i]);
    }
    return anole_check_pass(check, "refused");
}

/* -- Tasks that nobody knows -- */

static int take_knob(struct anole_space_builder *builder, const struct anole_knob *knob)
{
    (void)builder;
    (void)knob;
    return ANOLE_OK;
}

static int take_constraint(struct anole_space_builder *builder, const char *expression,
                           const char *why)
{
    (void)builder;
    (void)expression;
    (void)why;
    return ANOLE_OK;
}

/* Something about a task that is younger than any plugin. */
struct unknown {
    const char *what;
    uint32_t kind, dtype, activation, flags; /* 0: as it was; flags are added */
    bool young; /* the host does not ask those without a task_size: see anole_plugin */
};

static enum anole_check_verdict ask_unknown(struct anole_check_context *check,
                                            const struct anole_task *known,
                                            const struct unknown *unknown)
{
    struct anole_task task = *known;
    struct anole_message message = {.size = sizeof message};
    struct anole_space_builder builder = {
        .size = sizeof builder, .knob = take_knob, .constraint = take_constraint};
    task.kind = unknown->kind ? unknown->kind - 1 : task.kind;
    task.dtype = unknown->dtype ? unknown->dtype : task.dtype;
    task.activation = unknown->activation ? unknown->activation : task.activation;
    task.flags |= unknown->flags;
    if (unknown->young && check->plugin->task_size == 0)
        return ANOLE_PASS;
    anole_check_step(check, "asking about %s", unknown->what);
    if (check->plugin->supports(check->device, &task) != 0)
        return anole_check_fail(check, "supports() says yes to %s", unknown->what);
    if (check->plugin->space(check->device, &task, &builder, &message) == ANOLE_OK)
        return anole_check_fail(check,
                                "space() declares a design space for %s, which supports() "
                                "refuses: expected ANOLE_UNSUPPORTED",
                                unknown->what);
    return ANOLE_PASS;
}

enum anole_check_verdict anole_clause_unknown_tasks(struct anole_check_context *check)
{
    static const char known[] = "conv2d n1 8x8x8 k3x3 s1x1 p1,1,1,1 d1x1 g1 o16 f32 bias relu";
    static const struct unknown cases[] = {
        {.what = "a kind of 99", .kind = 99 + 1},
        {.what = "a kind of 0", .kind = 0 + 1},
        {.what = "a data type of 99", .dtype = 99},
        {.what = "an activation of 99", .activation = 99, .young = true},
        {.what = "a flag that is none", .flags = 1u << 30, .young = true},
    };
    struct anole_task task;
    enum anole_check_verdict verdict = ANOLE_PASS;
    if (anole_task_parse_key(&task, known, NULL) != ANOLE_DONE)
        return anole_check_fail(check, "this check's own task cannot be read");
    for (size_t i = 0; i < sizeof cases / sizeof *cases && verdict == ANOLE_PASS; i++)
        verdict = ask_unknown(check, &task, &cases[i]);
    return verdict == ANOLE_PASS ? anole_check_pass(check, "refused") : verdict;
}

/* -- Configs that the space does not have -- */

static bool is_refused(struct anole_check_context *check, const struct anole_task *task,
                       const int64_t *values, size_t count)
{
    struct anole_generated *generated = NULL;
    bool refused = anole_backend_generate(&generated, check->backend, check->device, task, values,
                                          count, NULL) != ANOLE_DONE;
    anole_generated_destroy(generated);
    return refused;
}

/* A value that is not among the knob's. */
static int64_t foreign_value(const struct anole_space_knob *knob, int which)
{
    int64_t high = knob->values[0], low = knob->values[0];
    for (uint32_t i = 0; i < knob->count; i++) {
        high = knob->values[i] > high ? knob->values[i] : high;
        low = knob->values[i] < low ? knob->values[i] : low;
    }
    return which == 0 ? high + 1 : low < 0 ? low - 1 : -1;
}

static enum anole_check_verdict look_at_bad_configs(struct anole_check_context *check,
                                                    const struct anole_generator *generator)
{
    const struct anole_space *space = anole_generator_space(generator);
    const struct anole_task *task = anole_generator_task(generator);
    size_t knobs = anole_space_knob_count(space);
    int64_t values[ANOLE_MAX_KNOBS] = {0};
    char label[128];
    anole_task_label(label, sizeof label, task);
    anole_check_step(check, "generating kernels of %s from configs that are none", label);
    anole_space_values(space, anole_space_default(space), values);
    if (knobs == 0)
        return ANOLE_PASS; /* there is one config, and it has no values */
    if (!is_refused(check, task, values, knobs - 1) || !is_refused(check, task, values, 0))
        return anole_check_fail(
            check, "%s: generate() takes a config of fewer values than there are knobs", label);
    for (size_t k = 0; k < knobs; k++) {
        const struct anole_space_knob *knob = anole_space_knob(space, k);
        int64_t was = values[k];
        for (int which = 0; which < 2; which++) {
            values[k] = foreign_value(knob, which);
            if (!is_refused(check, task, values, knobs))
                return anole_check_fail(
                    check, "%s: generate() takes %s=%lld, which the knob does not have", label,
                    knob->name, (long long)values[k]);
        }
        values[k] = was;
    }
    return ANOLE_PASS;
}

enum anole_check_verdict anole_clause_bad_configs(struct anole_check_context *check)
{
    enum anole_check_verdict verdict = ANOLE_PASS;
    for (size_t i = 0; i < check->task_count && verdict == ANOLE_PASS; i++) {
        struct anole_generator *generator = NULL;
        struct anole_error error = {.status = ANOLE_DONE};
        if (anole_generator_create(&generator, check->backend, check->device, &check->tasks[i],
                                   &error) != ANOLE_DONE)
            return anole_check_fail(check, "%s", error.text);
        verdict = look_at_bad_configs(check, generator);
        anole_generator_destroy(generator);
    }
    return verdict == ANOLE_PASS
               ? anole_check_pass(check, "refused, for %zu tasks", check->task_count)
               : verdict;
}

/* -- Memory that is missing -- */

static enum anole_check_verdict run_without(struct anole_fixture *fixture, uint32_t role, bool tiny)
{
    struct anole_binding *binding = &fixture->executable.bindings[role];
    const struct anole_binding whole = *binding;
    const char *how = tiny ? "cut to a byte" : "absent";
    struct anole_message message = {.size = sizeof message};
    double device, host, wall;
    uint32_t once = 1;
    if (!whole.buffer)
        return ANOLE_PASS; /* this kernel needs none */
    if (tiny)
        binding->bytes = 1;
    else
        *binding = (struct anole_binding){.buffer = NULL};
    anole_target_say(&fixture->target, ANOLE_STAGE_RUN, UINT32_MAX);
    anole_check_step(fixture->check, "running %s of %s with its %s %s", fixture->words,
                     fixture->label, anole_role_name(role), how);
    int code = anole_timing_run(&fixture->target.timing, &fixture->executable.timed, &once, &device,
                                &host, &wall, &message);
    *binding = whole;
    if (code != ANOLE_OK)
        return ANOLE_PASS;
    return anole_check_fail(fixture->check, "%s, %s: run() succeeds with its %s %s", fixture->label,
                            fixture->words, anole_role_name(role), how);
}

static enum anole_check_verdict look_at_bindings(struct anole_fixture *fixture)
{
    static const uint32_t roles[] = {ANOLE_ROLE_INPUT, ANOLE_ROLE_WEIGHTS, ANOLE_ROLE_OUTPUT,
                                     ANOLE_ROLE_WORKSPACE};
    enum anole_check_verdict verdict = ANOLE_PASS;
    for (size_t i = 0; i < 2 * sizeof roles / sizeof *roles && verdict == ANOLE_PASS; i++)
        verdict = run_without(fixture, roles[i / 2], i % 2);
    return verdict;
}

enum anole_check_verdict anole_clause_bad_bindings(struct anole_check_context *check)
{
    return anole_fixture_each(check, true, look_at_bindings);
}
