/* SPDX-License-Identifier: MIT
 *
 * Clauses on building and running: what comes out, and what must stay as it was.
 */
#include "check/fixture.h"

#include "exec/verify.h"
#include "plugin/plugin_message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum anole_check_verdict anole_clause_builds(struct anole_check_context *check)
{
    check->all_tasks = true;
    return anole_fixture_each_bare(check, false, NULL);
}

enum anole_check_verdict anole_clause_runs(struct anole_check_context *check)
{
    return anole_fixture_each_bare(check, true, NULL);
}

/* -- The output -- */

static enum anole_check_verdict look_at_output(struct anole_fixture *fixture)
{
    struct anole_result result;
    anole_result_clear(&result);
    return anole_verify_output(&fixture->target, "after a run", &result)
               ? ANOLE_PASS
               : anole_fixture_fail(fixture, &result);
}

/* Thrice: what a run leaves behind must not spoil the next. */
static enum anole_check_verdict look_at_outputs(struct anole_fixture *fixture)
{
    enum anole_check_verdict verdict = look_at_output(fixture);
    for (int i = 0; i < 2 && verdict == ANOLE_PASS; i++) {
        verdict = anole_fixture_try(fixture);
        if (verdict == ANOLE_PASS)
            verdict = look_at_output(fixture);
    }
    return verdict;
}

enum anole_check_verdict anole_clause_outputs(struct anole_check_context *check)
{
    check->all_tasks = true;
    return anole_fixture_each(check, true, look_at_outputs);
}

/* -- What else it wrote to -- */

static enum anole_check_verdict look_at_guards(struct anole_fixture *fixture)
{
    const struct anole_executable *executable = &fixture->executable;
    struct anole_result result;
    anole_result_clear(&result);
    if (executable->overpacked)
        return anole_check_fail(
            fixture->check, "%s, %s: pack() writes beyond the %zu bytes that generate() announced",
            fixture->label, fixture->words, executable->generated->kernel.packed_weights);
    return anole_verify_guards(executable, &fixture->target, "in a run", &result)
               ? ANOLE_PASS
               : anole_fixture_fail(fixture, &result);
}

enum anole_check_verdict anole_clause_bounds(struct anole_check_context *check)
{
    return anole_fixture_each(check, true, look_at_guards);
}

/* A tensor as it is on the device now; NULL: there is none, or no memory. */
static unsigned char *copy_of(struct anole_fixture *fixture, uint32_t role)
{
    struct anole_message message = {.size = sizeof message};
    const struct anole_guarded *tensor =
        anole_executable_tensor(&fixture->executable, &fixture->target, role);
    unsigned char *copy = tensor->buffer ? malloc(tensor->bytes) : NULL;
    if (copy && anole_guarded_read(tensor, &fixture->target.memory, copy, &message) != ANOLE_OK) {
        free(copy);
        copy = NULL;
    }
    return copy;
}

static enum anole_check_verdict look_at_inputs(struct anole_fixture *fixture)
{
    static const uint32_t roles[] = {ANOLE_ROLE_INPUT, ANOLE_ROLE_WEIGHTS, ANOLE_ROLE_BIAS,
                                     ANOLE_ROLE_RESIDUAL};
    enum { ROLES = sizeof roles / sizeof *roles };
    unsigned char *before[ROLES];
    enum anole_check_verdict verdict = anole_fixture_bind(fixture);
    double device, host = 0, wall;
    for (int i = 0; i < ROLES; i++)
        before[i] = copy_of(fixture, roles[i]);
    if (verdict == ANOLE_PASS)
        verdict = anole_fixture_run(fixture, 1, &device, &host, &wall);
    for (int i = 0; i < ROLES; i++) {
        unsigned char *after = copy_of(fixture, roles[i]);
        if (verdict == ANOLE_PASS && before[i] &&
            (!after || memcmp(before[i], after, fixture->executable.bindings[roles[i]].bytes) != 0))
            verdict = anole_check_fail(fixture->check, "%s, %s: a run changes its %s",
                                       fixture->label, fixture->words, anole_role_name(roles[i]));
        free(after);
        free(before[i]);
    }
    return verdict;
}

enum anole_check_verdict anole_clause_inputs(struct anole_check_context *check)
{
    return anole_fixture_each(check, false, look_at_inputs);
}

/* -- Binaries -- */

static enum anole_check_verdict look_at_binary(struct anole_fixture *fixture)
{
    struct anole_message message = {.size = sizeof message};
    char words[256];
    void *binary;
    size_t bytes, announced;
    int code = anole_executable_binary(&fixture->executable, &fixture->target, &binary, &bytes,
                                       &announced, &message);
    if (code == ANOLE_UNSUPPORTED)
        return ANOLE_PASS; /* of this kernel, or by this driver, there is none */
    if (code != ANOLE_OK || (bytes > 0 && bytes != announced)) {
        free(binary);
        return anole_check_fail(
            fixture->check, "%s, %s: binary() %s", fixture->label, fixture->words,
            code == ANOLE_OK ? "announces one size, and gives another"
                             : anole_plugin_words(words, sizeof words, code, &message));
    }
    if (!binary)
        return ANOLE_PASS; /* this kernel has none */
    bool built = false;
    enum anole_check_verdict verdict =
        anole_fixture_build(fixture, fixture->config, binary, bytes, &built);
    free(binary);
    if (verdict == ANOLE_PASS && !built)
        verdict = anole_check_fail(fixture->check, "%s, %s: cannot be built from its own binary",
                                   fixture->label, fixture->words);
    if (verdict == ANOLE_PASS)
        verdict = anole_fixture_try(fixture);
    return verdict == ANOLE_PASS ? look_at_output(fixture) : verdict;
}

enum anole_check_verdict anole_clause_binary(struct anole_check_context *check)
{
    if (!check->plugin->binary)
        return anole_check_skip(check, "it has no op binary");
    return anole_fixture_each(check, false, look_at_binary);
}

/* -- Builds that may be made of the same -- */

/* A config one knob away with what is built in common; false: there is none. */
static bool find_sibling(const struct anole_fixture *fixture, uint64_t *sibling)
{
    const struct anole_space *space = anole_generator_space(fixture->generator);
    const uint64_t wanted = fixture->executable.generated->executable;
    uint16_t digits[ANOLE_MAX_KNOBS];
    anole_space_decode(space, fixture->config, digits);
    for (size_t k = 0; k < anole_space_knob_count(space); k++) {
        const uint16_t own = digits[k];
        for (uint32_t i = 0; i < anole_space_knob(space, k)->count; i++) {
            uint64_t executable;
            digits[k] = (uint16_t)i;
            *sibling = anole_space_encode(space, digits);
            if (i != own && anole_space_valid_digits(space, digits) &&
                anole_generator_executable(&executable, fixture->generator, *sibling) &&
                executable == wanted)
                return true;
        }
        digits[k] = own;
    }
    return false;
}

static enum anole_check_verdict try_and_look(struct anole_fixture *fixture)
{
    enum anole_check_verdict verdict = anole_fixture_try(fixture);
    return verdict == ANOLE_PASS ? look_at_output(fixture) : verdict;
}

/* The first build stays until the second has run, and is gone when that runs again. */
static enum anole_check_verdict look_at_siblings(struct anole_fixture *fixture)
{
    uint64_t sibling;
    bool built = false;
    if (!find_sibling(fixture, &sibling))
        return ANOLE_PASS;
    struct anole_executable first = fixture->executable;
    fixture->executable = (struct anole_executable){.build = NULL};
    enum anole_check_verdict verdict = anole_fixture_build(fixture, sibling, NULL, 0, &built);
    if (verdict == ANOLE_PASS && built)
        verdict = try_and_look(fixture);
    anole_executable_destroy(&first, &fixture->target);
    if (verdict == ANOLE_PASS && built)
        verdict = try_and_look(fixture);
    return verdict;
}

enum anole_check_verdict anole_clause_shared(struct anole_check_context *check)
{
    return anole_fixture_each(check, true, look_at_siblings);
}

/* -- Builds that do not come to their end -- */

/* In a process of its own, until that is killed. */
static void build_for_ever(struct anole_check_context *check, const struct anole_task *task)
{
    struct anole_fixture fixture;
    bool built;
    check->sandbox->mute = true; /* it is not this process that speaks for the test */
    if (anole_fixture_open(&fixture, check, task) != ANOLE_PASS)
        _exit(1);
    for (size_t i = 0;; i++)
        anole_fixture_build(&fixture, fixture.configs[i % fixture.config_count], NULL, 0, &built);
}

static bool abandon(struct anole_check_context *check, const struct anole_task *task,
                    double seconds)
{
    const struct timespec pause = {.tv_nsec = (long)(seconds * 1e9)};
    pid_t builder = fork();
    if (builder == 0)
        build_for_ever(check, task);
    if (builder < 0)
        return false;
    nanosleep(&pause, NULL);
    kill(builder, SIGKILL);
    return waitpid(builder, NULL, 0) == builder;
}

enum anole_check_verdict anole_clause_abandon(struct anole_check_context *check)
{
    static const double moments[] = {0.005, 0.03, 0.1, 0.3}; /* seconds */
    enum { MOMENTS = sizeof moments / sizeof *moments };
    const struct anole_task *task = &check->tasks[check->task_count - 1];
    if (anole_check_simulated(check))
        return anole_check_skip(check, ANOLE_CHECK_NO_DATA);
    for (int i = 0; i < MOMENTS; i++) {
        anole_check_step(check, "being killed while it builds");
        if (!abandon(check, task, moments[i]))
            return anole_check_skip(check, "processes cannot be started here");
    }
    enum anole_check_verdict verdict = anole_fixture_each(check, true, look_at_outputs);
    return verdict == ANOLE_PASS
               ? anole_check_pass(check, "killed %d times; the same kernels are right after",
                                  MOMENTS)
               : verdict;
}
