/* SPDX-License-Identifier: MIT
 *
 * Clauses on building and running: what comes out, and what must stay as it was.
 */
#include "check/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "plugin/plugin_message.h"

enum anole_ruling anole_clause_builds(struct anole_exam *exam)
{
    return anole_rig_each(exam, false, NULL);
}

enum anole_ruling anole_clause_runs(struct anole_exam *exam)
{
    return anole_rig_each(exam, true, NULL);
}

/* -- The output -- */

static enum anole_ruling read_failed(struct anole_rig *rig, int code,
                                     const struct anole_message *message)
{
    char words[256];
    return anole_exam_fail(rig->exam, "%s, %s: reading a buffer failed: %s", rig->label,
                           rig->config, anole_plugin_words(words, sizeof words, code, message));
}

static enum anole_ruling look_at_output(struct anole_rig *rig)
{
    struct anole_message message = {.size = sizeof message};
    size_t at = 0;
    int code =
        anole_guarded_read(&rig->tensors[ANOLE_ROLE_OUTPUT], &rig->device, rig->answer, &message);
    if (code != ANOLE_OK)
        return read_failed(rig, code, &message);
    if (anole_task_data_error(rig->data, rig->task, rig->answer, &at) <= 1)
        return ANOLE_PASS;
    if (anole_guarded_is_poison(rig->answer, at, anole_task_element_bytes(rig->task)))
        return anole_exam_fail(rig->exam, "%s, %s: output element %zu was never written",
                               rig->label, rig->config, at);
    return anole_exam_fail(
        rig->exam, "%s, %s: output element %zu is %.8g, expected %.8g, allowed error %.2g",
        rig->label, rig->config, at, anole_task_value(rig->task, rig->answer, at),
        rig->data->expected[at], (double)rig->data->tolerance[at]);
}

/* Thrice: what a run leaves behind must not spoil the next. */
static enum anole_ruling look_at_outputs(struct anole_rig *rig)
{
    enum anole_ruling verdict = look_at_output(rig);
    for (int i = 0; i < 2 && verdict == ANOLE_PASS; i++) {
        verdict = anole_rig_try(rig);
        if (verdict == ANOLE_PASS)
            verdict = look_at_output(rig);
    }
    return verdict;
}

enum anole_ruling anole_clause_outputs(struct anole_exam *exam)
{
    return anole_rig_each(exam, true, look_at_outputs);
}

/* -- What else it wrote to -- */

static enum anole_ruling look_at_guards(struct anole_rig *rig)
{
    struct anole_message message = {.size = sizeof message};
    if (rig->overpacked)
        return anole_exam_fail(
            rig->exam, "%s, %s: pack() writes beyond the %zu bytes that generate() announced",
            rig->label, rig->config, rig->generated->kernel.packed_weights);
    for (uint32_t i = 0; i < ANOLE_ROLE_COUNT; i++) {
        bool before, behind;
        int code = anole_guarded_check(&rig->tensors[i], &rig->device, &before, &behind, &message);
        if (code != ANOLE_OK)
            return read_failed(rig, code, &message);
        if (!before || !behind)
            return anole_exam_fail(rig->exam, "%s, %s: the kernel wrote %s its %s", rig->label,
                                   rig->config, before ? "behind" : "in front of",
                                   anole_rig_role(i));
    }
    return ANOLE_PASS;
}

enum anole_ruling anole_clause_bounds(struct anole_exam *exam)
{
    return anole_rig_each(exam, true, look_at_guards);
}

/* A tensor as it is on the device now; NULL: there is none, or no memory. */
static unsigned char *copy_of(struct anole_rig *rig, uint32_t role)
{
    struct anole_message message = {.size = sizeof message};
    const struct anole_guarded *tensor = &rig->tensors[role];
    unsigned char *copy = tensor->buffer ? malloc(tensor->bytes) : NULL;
    if (copy && anole_guarded_read(tensor, &rig->device, copy, &message) != ANOLE_OK) {
        free(copy);
        copy = NULL;
    }
    return copy;
}

static enum anole_ruling look_at_inputs(struct anole_rig *rig)
{
    static const uint32_t roles[] = {ANOLE_ROLE_INPUT, ANOLE_ROLE_WEIGHTS, ANOLE_ROLE_BIAS,
                                     ANOLE_ROLE_RESIDUAL};
    enum { ROLES = sizeof roles / sizeof *roles };
    unsigned char *before[ROLES];
    enum anole_ruling verdict = anole_rig_bind(rig);
    double device, host = 0, wall;
    for (int i = 0; i < ROLES; i++)
        before[i] = copy_of(rig, roles[i]);
    if (verdict == ANOLE_PASS)
        verdict = anole_rig_run(rig, 1, &device, &host, &wall);
    for (int i = 0; i < ROLES; i++) {
        unsigned char *after = copy_of(rig, roles[i]);
        if (verdict == ANOLE_PASS && before[i] &&
            (!after || memcmp(before[i], after, rig->tensors[roles[i]].bytes) != 0))
            verdict = anole_exam_fail(rig->exam, "%s, %s: a run changes its %s", rig->label,
                                      rig->config, anole_rig_role(roles[i]));
        free(after);
        free(before[i]);
    }
    return verdict;
}

enum anole_ruling anole_clause_inputs(struct anole_exam *exam)
{
    return anole_rig_each(exam, false, look_at_inputs);
}

/* -- Binaries -- */

static enum anole_ruling look_at_binary(struct anole_rig *rig)
{
    const struct anole_plugin *plugin = rig->exam->plugin;
    struct anole_message message = {.size = sizeof message};
    char words[256];
    size_t bytes = 0;
    int code = plugin->binary(rig->device.session, rig->build, NULL, &bytes, &message);
    if (code == ANOLE_UNSUPPORTED)
        return ANOLE_PASS; /* of this kernel, or by this driver, there is none */
    void *binary = code == ANOLE_OK && bytes > 0 ? malloc(bytes) : NULL;
    size_t whole = bytes;
    if (binary)
        code = plugin->binary(rig->device.session, rig->build, binary, &bytes, &message);
    if (code != ANOLE_OK || bytes != whole) {
        free(binary);
        return anole_exam_fail(rig->exam, "%s, %s: binary() %s", rig->label, rig->config,
                               code == ANOLE_OK
                                   ? "announces one size, and gives another"
                                   : anole_plugin_words(words, sizeof words, code, &message));
    }
    if (!binary)
        return ANOLE_PASS; /* this kernel has none */
    int64_t values[ANOLE_MAX_KNOBS];
    bool built = false;
    uint64_t config = 0;
    memcpy(values, rig->generated->kernel.values,
           rig->generated->kernel.value_count * sizeof *values);
    const struct anole_space *space = anole_generator_space(rig->generator);
    for (size_t i = 0; i < rig->config_count; i++) { /* which one is in hand? */
        int64_t other[ANOLE_MAX_KNOBS];
        anole_space_values(space, rig->configs[i], other);
        if (memcmp(values, other, anole_space_knob_count(space) * sizeof *values) == 0)
            config = rig->configs[i];
    }
    enum anole_ruling verdict = anole_rig_build(rig, config, binary, bytes, &built);
    free(binary);
    if (verdict == ANOLE_PASS && !built)
        verdict = anole_exam_fail(rig->exam, "%s, %s: cannot be built from its own binary",
                                  rig->label, rig->config);
    if (verdict == ANOLE_PASS)
        verdict = anole_rig_try(rig);
    return verdict == ANOLE_PASS ? look_at_output(rig) : verdict;
}

enum anole_ruling anole_clause_binary(struct anole_exam *exam)
{
    if (!exam->plugin->binary)
        return anole_exam_skip(exam, "it has no op binary");
    return anole_rig_each(exam, false, look_at_binary);
}

/* -- Builds that do not come to their end -- */

/* In a process of its own, until that is killed. */
static void build_for_ever(struct anole_exam *exam, const struct anole_task *task)
{
    struct anole_rig rig;
    bool built;
    exam->cell->socket = -1; /* it is not this process that speaks for the test */
    if (anole_rig_open(&rig, exam, task) != ANOLE_PASS)
        _exit(1);
    for (size_t i = 0;; i++)
        anole_rig_build(&rig, rig.configs[i % rig.config_count], NULL, 0, &built);
}

static bool abandon(struct anole_exam *exam, const struct anole_task *task, long milliseconds)
{
    const struct timespec pause = {.tv_sec = milliseconds / 1000,
                                   .tv_nsec = milliseconds % 1000 * 1000000};
    pid_t builder = fork();
    if (builder == 0)
        build_for_ever(exam, task);
    if (builder < 0)
        return false;
    nanosleep(&pause, NULL);
    kill(builder, SIGKILL);
    return waitpid(builder, NULL, 0) == builder;
}

enum anole_ruling anole_clause_abandon(struct anole_exam *exam)
{
    static const long moments[] = {5, 30, 100, 300}; /* milliseconds */
    enum { MOMENTS = sizeof moments / sizeof *moments };
    const struct anole_task *task = &exam->tasks[exam->task_count - 1];
    for (int i = 0; i < MOMENTS; i++) {
        anole_exam_step(exam, "being killed while it builds");
        if (!abandon(exam, task, moments[i]))
            return anole_exam_skip(exam, "processes cannot be started here");
    }
    enum anole_ruling verdict = anole_clause_outputs(exam);
    return verdict == ANOLE_PASS
               ? anole_exam_pass(exam, "killed %d times; the same kernels are right after", MOMENTS)
               : verdict;
}
