/* SPDX-License-Identifier: MIT */
#include "check/fixture.h"

#include "base/clock.h"
#include "plugin/plugin_message.h"

#include <math.h>
#include <stdlib.h>

/* -- The device and the data -- */

/* Steps of the sandbox are what the target says that it does next. */
static void say_stage(void *context, enum anole_stage stage, uint32_t slot)
{
    const struct anole_fixture *fixture = context;
    (void)slot;
    if (fixture->words[0])
        anole_check_step(fixture->check, "%s (%s of %s)", anole_stage_words(stage), fixture->words,
                         fixture->label);
    else
        anole_check_step(fixture->check, "%s (%s)", anole_stage_words(stage), fixture->label);
}

enum anole_check_verdict anole_fixture_fail(const struct anole_fixture *fixture,
                                            const struct anole_result *result)
{
    return anole_check_fail(fixture->check, "%s, %s: %s", fixture->label, fixture->words,
                            result->message);
}

static enum anole_check_verdict make_data(struct anole_fixture *fixture)
{
    struct anole_check_context *check = fixture->check;
    struct anole_error error = {.status = ANOLE_DONE};
    if (anole_generator_create(&fixture->generator, check->backend, check->device, fixture->task,
                               &error) != ANOLE_DONE ||
        anole_task_data_create(&fixture->data, fixture->task, check->seed, 1, &error) != ANOLE_DONE)
        return anole_check_fail(check, "%s", error.text);
    fixture->configs = calloc(check->samples + 1, sizeof *fixture->configs);
    if (!fixture->configs)
        return anole_check_fail(check, "out of memory");
    fixture->config_count = anole_check_sample(check, fixture->generator, fixture->configs);
    anole_target_set_task(&fixture->target, fixture->task, fixture->data);
    return ANOLE_PASS;
}

enum anole_check_verdict anole_fixture_open(struct anole_fixture *fixture,
                                            struct anole_check_context *check,
                                            const struct anole_task *task)
{
    const struct anole_target_options options = {
        .threads = check->threads, .stage = say_stage, .context = fixture};
    struct anole_error error = {.status = ANOLE_DONE};
    *fixture = (struct anole_fixture){.check = check, .task = task};
    anole_task_label(fixture->label, sizeof fixture->label, task);
    anole_check_step(check, "opening the device");
    if (anole_target_open(&fixture->target, check->backend, check->driver, check->device, &options,
                          &error) != ANOLE_DONE)
        return anole_check_fail(check, "%s", error.text);
    enum anole_check_verdict verdict = make_data(fixture);
    if (verdict != ANOLE_PASS)
        anole_fixture_close(fixture);
    return verdict;
}

void anole_fixture_close(struct anole_fixture *fixture)
{
    anole_fixture_release(fixture);
    anole_check_step(fixture->check, "closing the device");
    anole_target_close(&fixture->target);
    anole_generator_destroy(fixture->generator);
    anole_task_data_destroy(fixture->data);
    free(fixture->configs);
}

/* -- One kernel -- */

static bool is_clean(int code)
{
    return code == ANOLE_BUILD_FAILED || code == ANOLE_UNSUPPORTED || code == ANOLE_NO_MEMORY ||
           code == ANOLE_BAD_REQUEST || code == ANOLE_LAUNCH_FAILED;
}

static enum anole_check_verdict refused(const struct anole_fixture *fixture, int code,
                                        const struct anole_message *message)
{
    char words[256];
    if (is_clean(code) && message->text[0])
        return ANOLE_PASS;
    return anole_check_fail(
        fixture->check, "%s, %s: build() %s: %s (%d)", fixture->label, fixture->words,
        is_clean(code) ? "refuses it without a word" : "fails with what is no refusal of a kernel",
        anole_plugin_words(words, sizeof words, code, message), code);
}

enum anole_check_verdict anole_fixture_build(struct anole_fixture *fixture, uint64_t config,
                                             const void *binary, size_t binary_bytes, bool *built)
{
    const struct anole_space *space = anole_generator_space(fixture->generator);
    struct anole_message message = {.size = sizeof message};
    struct anole_error error = {.status = ANOLE_DONE};
    int64_t values[ANOLE_MAX_KNOBS];
    anole_fixture_release(fixture);
    *built = false;
    fixture->config = config;
    anole_space_describe(space, fixture->words, sizeof fixture->words, config);
    anole_space_values(space, config, values);
    enum anole_status status = anole_executable_generate(
        &fixture->executable, &fixture->target, values, anole_space_knob_count(space), &error);
    if (status == ANOLE_ERR_INPUT)
        return ANOLE_PASS;
    if (status != ANOLE_DONE)
        return anole_check_fail(fixture->check, "%s, %s: %s", fixture->label, fixture->words,
                                error.text);
    int code = anole_executable_build(&fixture->executable, &fixture->target, binary, binary_bytes,
                                      &message);
    *built = code == ANOLE_OK;
    if (code != ANOLE_OK)
        return refused(fixture, code, &message);
    if (!fixture->executable.build)
        return anole_check_fail(fixture->check, "%s, %s: build() succeeds, and gives nothing",
                                fixture->label, fixture->words);
    return ANOLE_PASS;
}

void anole_fixture_release(struct anole_fixture *fixture)
{
    anole_executable_destroy(&fixture->executable, &fixture->target);
}

enum anole_check_verdict anole_fixture_bind(struct anole_fixture *fixture)
{
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_result result;
    anole_result_clear(&result);
    fixture->executable.timed.bindings = fixture->executable.bindings;
    if (anole_check_simulated(fixture->check))
        return ANOLE_PASS;                /* all absent */
    anole_target_spoil(&fixture->target); /* a kernel before may have written to it */
    if (anole_target_upload(&fixture->target, &error) != ANOLE_DONE)
        return anole_check_fail(fixture->check, "%s", error.text);
    return anole_executable_bind(&fixture->executable, &fixture->target, &result)
               ? ANOLE_PASS
               : anole_fixture_fail(fixture, &result);
}

enum anole_check_verdict anole_fixture_run(struct anole_fixture *fixture, uint32_t repeats,
                                           double *device_seconds, double *host_seconds,
                                           double *wall)
{
    struct anole_message message = {.size = sizeof message};
    char words[384];
    anole_target_say(&fixture->target, ANOLE_STAGE_RUN, UINT32_MAX);
    int code = anole_timing_run(&fixture->target.timing, &fixture->executable.timed, &repeats,
                                device_seconds, host_seconds, wall, &message);
    return code == ANOLE_OK
               ? ANOLE_PASS
               : anole_check_fail(fixture->check, "%s: %s failed: %s", fixture->label,
                                  fixture->words,
                                  anole_plugin_words(words, sizeof words, code, &message));
}

enum anole_check_verdict anole_fixture_try(struct anole_fixture *fixture)
{
    double device, host, wall;
    enum anole_check_verdict verdict = anole_fixture_bind(fixture);
    return verdict == ANOLE_PASS ? anole_fixture_run(fixture, 1, &device, &host, &wall) : verdict;
}

/* -- Many -- */

#define FEWEST 3 /* builds a clause makes do with */

uint32_t anole_fixture_fewer(const struct anole_check_context *check, double build_seconds)
{
    double planned = (double)check->task_count * check->samples;
    if (check->all_samples || planned * build_seconds <= check->patience)
        return 0;
    double builds = check->patience / build_seconds;
    return builds > FEWEST ? (uint32_t)fmin(builds, planned) : FEWEST;
}

bool anole_fixture_enough(const struct anole_check_context *check, size_t built)
{
    return check->fewer > 0 && built >= check->fewer;
}

/* Whether a clause can do without this task, where builds take long: it takes some from all over
 * the list. */
static bool is_left_out(const struct anole_check_context *check, size_t task)
{
    const size_t wanted = check->fewer, tasks = check->task_count;
    return wanted > 0 && wanted < tasks && !check->all_tasks && task > 0 &&
           task * wanted / tasks == (task - 1) * wanted / tasks;
}

/* What is done with each config, and how it goes. */
struct round {
    bool run;
    enum anole_check_verdict (*look)(struct anole_fixture *fixture);
    size_t built, tried;
    double build_seconds; /* of all that was tried */
};

/* Whether this task has been looked at well enough: one config of it at least was built. */
static bool is_done(const struct anole_fixture *fixture, size_t built_here)
{
    const struct anole_check_context *check = fixture->check;
    size_t share = check->fewer / check->task_count;
    return check->fewer > 0 && built_here >= (share > 0 ? share : 1);
}

static enum anole_check_verdict each_config(struct anole_fixture *fixture, struct round *round)
{
    enum anole_check_verdict verdict = ANOLE_PASS;
    struct anole_check_context *check = fixture->check;
    const size_t before = round->built;
    for (size_t i = 0; i < fixture->config_count && verdict == ANOLE_PASS &&
                       !is_done(fixture, round->built - before);
         i++) {
        bool built;
        double start = anole_clock();
        verdict = anole_fixture_build(fixture, fixture->configs[i], NULL, 0, &built);
        round->build_seconds += anole_clock() - start;
        round->tried++;
        if (check->fewer == 0 && round->tried >= FEWEST)
            check->fewer = anole_fixture_fewer(check, round->build_seconds / (double)round->tried);
        if (verdict != ANOLE_PASS || !built)
            continue;
        round->built++;
        if (round->run)
            verdict = anole_fixture_try(fixture);
        if (verdict == ANOLE_PASS && round->look)
            verdict = round->look(fixture);
    }
    return verdict;
}

enum anole_check_verdict
anole_fixture_each(struct anole_check_context *check, bool run,
                   enum anole_check_verdict (*look)(struct anole_fixture *fixture))
{
    return anole_check_simulated(check) ? anole_check_skip(check, ANOLE_CHECK_NO_DATA)
                                        : anole_fixture_each_bare(check, run, look);
}

enum anole_check_verdict
anole_fixture_each_bare(struct anole_check_context *check, bool run,
                        enum anole_check_verdict (*look)(struct anole_fixture *fixture))
{
    struct round round = {.run = run, .look = look};
    if (check->recorded)
        return anole_check_skip(check, "the device is recorded: there is none to build for");
    for (size_t i = 0; i < check->task_count; i++) {
        struct anole_fixture fixture;
        if (is_left_out(check, i))
            continue;
        enum anole_check_verdict verdict = anole_fixture_open(&fixture, check, &check->tasks[i]);
        if (verdict == ANOLE_PASS) {
            verdict = each_config(&fixture, &round);
            anole_fixture_close(&fixture);
        }
        if (verdict != ANOLE_PASS)
            return verdict;
    }
    if (round.built == 0)
        return anole_check_fail(check, "not one of %zu configs can be built", round.tried);
    double mean = round.build_seconds / (double)round.tried;
    check->sandbox->reply.number = (uint64_t)(mean * 1e6);
    return anole_check_pass(check, "%zu of %zu configs of %zu tasks%s%s", round.built, round.tried,
                            check->task_count,
                            round.built < round.tried ? "; the others were refused" : "",
                            check->fewer ? "; no more, as builds take long: --samples asks for "
                                           "all"
                                         : "");
}

enum anole_check_verdict anole_fixture_open_one(struct anole_fixture *fixture,
                                                struct anole_check_context *check,
                                                const struct anole_task *task)
{
    if (anole_check_simulated(check))
        return anole_check_skip(check, ANOLE_CHECK_NO_DATA);
    enum anole_check_verdict verdict = anole_fixture_open(fixture, check, task);
    if (verdict != ANOLE_PASS)
        return verdict;
    bool built = false;
    for (size_t i = 0; i < fixture->config_count && !built && verdict == ANOLE_PASS; i++)
        verdict = anole_fixture_build(fixture, fixture->configs[i], NULL, 0, &built);
    if (verdict == ANOLE_PASS && !built)
        verdict = anole_check_fail(check, "%s: no sampled config can be built", fixture->label);
    if (verdict == ANOLE_PASS)
        verdict = anole_fixture_bind(fixture);
    if (verdict != ANOLE_PASS)
        anole_fixture_close(fixture);
    return verdict;
}

enum anole_check_verdict anole_fixture_open_heavy(struct anole_fixture *fixture,
                                                  struct anole_check_context *check)
{
    const struct anole_task *heavy = &check->tasks[0];
    for (size_t i = 1; i < check->task_count; i++)
        if (anole_task_flops(&check->tasks[i]) > anole_task_flops(heavy))
            heavy = &check->tasks[i];
    return anole_fixture_open_one(fixture, check, heavy);
}
