/* SPDX-License-Identifier: MIT
 *
 * Clauses on what is given back, and on what is refused.
 */
#include "check/rig.h"
#include "check/stock.h"

#include "plugin/plugin_message.h"
#include "plugin/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARM_UP 20 /* turns that may fill caches, */
#define TURNS 40   /* and twice as many that may not */

/* -- Leaks -- */

/* Takes turns, and looks what they left. */
static enum anole_ruling repeat(struct anole_exam *exam,
                                enum anole_ruling (*turn)(struct anole_exam *exam, void *context),
                                void *context)
{
    struct anole_stock stocks[3];
    char growth[160];
    for (int i = 0; i < WARM_UP + 2 * TURNS; i++) {
        enum anole_ruling verdict = turn(exam, context);
        if (verdict != ANOLE_PASS)
            return verdict;
        if (i + 1 >= WARM_UP && (i + 1 - WARM_UP) % TURNS == 0)
            anole_stock_take(&stocks[(i + 1 - WARM_UP) / TURNS]);
    }
    if (anole_stock_leaks(growth, sizeof growth, stocks, TURNS))
        return anole_exam_fail(exam, "over %d turns, %s", 2 * TURNS, growth);
    return anole_exam_pass(exam, "%d times%s%s", WARM_UP + 2 * TURNS, growth[0] ? "; " : "",
                           growth);
}

static enum anole_ruling open_and_close(struct anole_exam *exam, void *context)
{
    (void)context;
    const struct anole_plugin *plugin = exam->plugin;
    struct anole_session *session = NULL;
    struct anole_message message = {.size = sizeof message};
    char words[256];
    anole_exam_step(exam, "opening the device");
    int code = plugin->open(anole_host_get(exam->threads), exam->driver, exam->device->index,
                            &session, &message);
    if (code != ANOLE_OK)
        return anole_exam_fail(exam, "open() failed: %s",
                               anole_plugin_words(words, sizeof words, code, &message));
    anole_exam_step(exam, "closing the device");
    plugin->close(session);
    return ANOLE_PASS;
}

enum anole_ruling anole_clause_opens(struct anole_exam *exam)
{
    return repeat(exam, open_and_close, NULL);
}

static enum anole_ruling make_and_release(struct anole_exam *exam, void *context)
{
    struct anole_rig *rig = context;
    struct anole_guarded buffer = {.buffer = NULL};
    struct anole_message message = {.size = sizeof message};
    bool built;
    char words[256];
    (void)exam;
    int code = anole_guarded_reserve(&buffer, &rig->device, 65536, &message);
    anole_guarded_destroy(&buffer, &rig->device);
    if (code != ANOLE_OK)
        return anole_exam_fail(exam, "buffer_create() failed: %s",
                               anole_plugin_words(words, sizeof words, code, &message));
    enum anole_ruling verdict = anole_rig_build(rig, rig->configs[0], NULL, 0, &built);
    if (verdict == ANOLE_PASS && built)
        verdict = anole_rig_try(rig);
    anole_rig_release(rig);
    return verdict;
}

enum anole_ruling anole_clause_releases(struct anole_exam *exam)
{
    struct anole_rig rig;
    enum anole_ruling verdict = anole_rig_open(&rig, exam, &exam->tasks[0]);
    if (verdict != ANOLE_PASS)
        return verdict;
    verdict = repeat(exam, make_and_release, &rig);
    anole_rig_close(&rig);
    return verdict;
}

/* -- Devices that are not there -- */

enum anole_ruling anole_clause_bad_devices(struct anole_exam *exam)
{
    static const uint32_t indices[] = {1000, UINT32_MAX};
    for (size_t i = 0; i < sizeof indices / sizeof *indices; i++) {
        struct anole_session *session = NULL;
        struct anole_message message = {.size = sizeof message};
        anole_exam_step(exam, "opening device %u, which is not there", indices[i]);
        if (exam->plugin->open(anole_host_get(exam->threads), exam->driver, indices[i], &session,
                               &message) == ANOLE_OK)
            return anole_exam_fail(exam,
                                   "open() opens device %u, which is not there: expected "
                                   "ANOLE_NO_DEVICE",
                                   indices[i]);
    }
    return anole_exam_pass(exam, "refused");
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

enum anole_ruling anole_clause_unknown_tasks(struct anole_exam *exam)
{
    static const char known[] = "conv2d n1 8x8x8 k3x3 s1x1 p1,1,1,1 d1x1 g1 o16 f32 bias relu";
    static const struct {
        const char *what;
        uint32_t kind, dtype;
    } cases[] = {{"a kind of 99", 99, ANOLE_F32},
                 {"a kind of 0", 0, ANOLE_F32},
                 {"a data type of 99", ANOLE_TASK_CONV2D, 99}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct anole_task task;
        struct anole_message message = {.size = sizeof message};
        struct anole_space_builder builder = {
            .size = sizeof builder, .knob = take_knob, .constraint = take_constraint};
        if (anole_task_parse_key(&task, known, NULL) != ANOLE_DONE)
            return anole_exam_fail(exam, "this check's own task cannot be read");
        task.kind = cases[i].kind;
        task.dtype = cases[i].dtype;
        anole_exam_step(exam, "asking about %s", cases[i].what);
        if (exam->plugin->supports(exam->device, &task) != 0)
            return anole_exam_fail(exam, "supports() says yes to %s", cases[i].what);
        if (exam->plugin->space(exam->device, &task, &builder, &message) == ANOLE_OK)
            return anole_exam_fail(exam,
                                   "space() declares a design space for %s, which supports() "
                                   "refuses: expected ANOLE_UNSUPPORTED",
                                   cases[i].what);
    }
    return anole_exam_pass(exam, "refused");
}

/* -- Configs that the space does not have -- */

static bool is_refused(struct anole_exam *exam, const struct anole_task *task,
                       const int64_t *values, size_t count)
{
    struct anole_generated *generated = NULL;
    bool refused = anole_backend_generate(&generated, exam->backend, exam->device, task, values,
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

static enum anole_ruling look_at_bad_configs(struct anole_exam *exam,
                                             const struct anole_generator *generator)
{
    const struct anole_space *space = anole_generator_space(generator);
    const struct anole_task *task = anole_generator_task(generator);
    size_t knobs = anole_space_knob_count(space);
    int64_t values[ANOLE_MAX_KNOBS] = {0};
    char label[128];
    anole_task_label(label, sizeof label, task);
    anole_exam_step(exam, "generating kernels of %s from configs that are none", label);
    anole_space_values(space, anole_space_default(space), values);
    if (!is_refused(exam, task, values, knobs - 1) || !is_refused(exam, task, values, 0))
        return anole_exam_fail(
            exam, "%s: generate() takes a config of fewer values than there are knobs", label);
    for (size_t k = 0; k < knobs; k++) {
        const struct anole_space_knob *knob = anole_space_knob(space, k);
        int64_t was = values[k];
        for (int which = 0; which < 2; which++) {
            values[k] = foreign_value(knob, which);
            if (!is_refused(exam, task, values, knobs))
                return anole_exam_fail(exam,
                                       "%s: generate() takes %s=%lld, which the knob does not have",
                                       label, knob->name, (long long)values[k]);
        }
        values[k] = was;
    }
    return ANOLE_PASS;
}

enum anole_ruling anole_clause_bad_configs(struct anole_exam *exam)
{
    enum anole_ruling verdict = ANOLE_PASS;
    for (size_t i = 0; i < exam->task_count && verdict == ANOLE_PASS; i++) {
        struct anole_generator *generator = NULL;
        struct anole_error error = {.status = ANOLE_DONE};
        if (anole_generator_create(&generator, exam->backend, exam->device, &exam->tasks[i],
                                   &error) != ANOLE_DONE)
            return anole_exam_fail(exam, "%s", error.text);
        verdict = look_at_bad_configs(exam, generator);
        anole_generator_destroy(generator);
    }
    return verdict == ANOLE_PASS ? anole_exam_pass(exam, "refused, for %zu tasks", exam->task_count)
                                 : verdict;
}

/* -- Memory that is missing -- */

static enum anole_ruling run_without(struct anole_rig *rig, uint32_t role, bool tiny)
{
    struct anole_message message = {.size = sizeof message};
    struct anole_binding bindings[ANOLE_ROLE_COUNT];
    double device = -1, host = 0;
    for (uint32_t i = 0; i < ANOLE_ROLE_COUNT; i++)
        bindings[i] = anole_rig_binding(rig, i);
    if (!bindings[role].buffer)
        return ANOLE_PASS; /* this kernel needs none */
    if (tiny)
        bindings[role].bytes = 1;
    else
        bindings[role] = (struct anole_binding){.buffer = NULL};
    anole_exam_step(rig->exam, "running %s of %s with its %s %s", rig->config, rig->label,
                    anole_rig_role(role), tiny ? "cut to a byte" : "absent");
    int code = rig->exam->plugin->run(rig->device.session, rig->build, bindings, ANOLE_ROLE_COUNT,
                                      1, &device, &host, &message);
    if (code != ANOLE_OK)
        return ANOLE_PASS;
    return anole_exam_fail(rig->exam, "%s, %s: run() succeeds with its %s %s", rig->label,
                           rig->config, anole_rig_role(role), tiny ? "cut to a byte" : "absent");
}

static enum anole_ruling look_at_bindings(struct anole_rig *rig)
{
    static const uint32_t roles[] = {ANOLE_ROLE_INPUT, ANOLE_ROLE_WEIGHTS, ANOLE_ROLE_OUTPUT,
                                     ANOLE_ROLE_WORKSPACE};
    enum anole_ruling verdict = ANOLE_PASS;
    for (size_t i = 0; i < 2 * sizeof roles / sizeof *roles && verdict == ANOLE_PASS; i++)
        verdict = run_without(rig, roles[i / 2], i % 2);
    return verdict;
}

enum anole_ruling anole_clause_bad_bindings(struct anole_exam *exam)
{
    return anole_rig_each(exam, true, look_at_bindings);
}
