/* SPDX-License-Identifier: MIT */
#include "inplace/serve.h"

#include "base/clock.h"
#include "base/environment.h"
#include "base/log.h"
#include "base/text.h"
#include "inplace/inplace_wire.h"
#include "inplace/locked_graph.h"
#include "program/deploy.h"
#include "program/exchange.h"
#include "program/race.h"
#include "program/tuned.h"
#include "program/weights.h"
#include "worker/confine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED 1 /* of weights that are made up, and of inputs: as `anole run` has it */
#define LEAST_ROUNDS 3
#define MOST_WEIGHTS (UINT64_C(512) << 20) /* bytes of weights for candidates */
/* Of the time that is left when the network is ready, for exchanging candidates. */
#define EXCHANGE_SHARE 0.6
/* Of the time that is left when the network is ready: the rest is for what a round takes longer
 * than is known, and for the answer. */
#define TIMING_SHARE 0.7

/* What an output may be off by, over its largest element, as `anole run --check` has it.  Of
 * float, and of types with fewer digits. */
#define TOLERANCE 2e-4
#define COARSE_TOLERANCE 3e-2

struct run {
    struct anole_inplace_question *question;
    struct anole_inplace_report *report;
    const struct anole_worker_session *session;
    double start;
    struct anole_environment environment; /* for workers and caches of its own */
    struct anole_backend *backend;
    struct anole_registry_entry entry;
    struct anole_registry_device device;
    struct anole_tuned_choice tuned;
    const struct anole_lock_device *locked;
    struct anole_graph *graph;
    struct anole_program *program;
    struct anole_instance *instance;
    struct anole_inplace_task *tasks;
    uint32_t task_count;
    uint64_t candidate_bytes; /* of weights that candidates have for themselves, so far */
    struct anole_quiet quiet;
    struct anole_variant *chosen;   /* NULL: each step with its own kernel */
    struct anole_variant *defaults; /* NULL: the same as those */
    struct anole_operand *outputs;  /* of the tuned program, where they are checked */
};

static void write_log(void *context, enum anole_level level, const char *text)
{
    (void)context;
    if (level <= ANOLE_LEVEL_WARNING)
        fprintf(stderr, "%s\n", text);
}

static void say(const struct run *run, const char *step)
{
    run->session->say(run->session->context, step);
}

/* What is no failure of the worker's: the answer. */
static enum anole_status give_up(struct run *run, bool failed, const char *why)
{
    run->report->failed = failed;
    snprintf(run->report->problem, sizeof run->report->problem, "%s", why);
    return ANOLE_DONE;
}

static bool gave_up(const struct run *run)
{
    return run->report->problem[0] != '\0';
}

/* ------------------------------------------------------------------- prepare */

static enum anole_status load_graph(struct run *run, struct anole_error *error)
{
    struct anole_error why = {.status = ANOLE_DONE};
    size_t filled;
    say(run, "reading the network");
    enum anole_status status =
        anole_locked_graph_load(&run->graph, run->question->network, run->locked, &why);
    if (status == ANOLE_DONE)
        status = anole_weights_fill(run->graph, &filled, SEED, &why);
    if (status == ANOLE_ERR_MEMORY)
        return anole_fail_memory(error);
    return status ? give_up(run, false, why.text) : ANOLE_DONE;
}

static bool has_task(const struct anole_graph *graph, const char *key)
{
    for (size_t n = 0; n < graph->node_count; n++) {
        struct anole_task task;
        char own[ANOLE_TASK_KEY];
        if (!anole_graph_task(&task, graph, n))
            continue;
        anole_task_key(own, &task);
        if (strcmp(own, key) == 0)
            return true;
    }
    return false;
}

/* The network may have changed since it was tuned, or was tuned in another precision. */
static enum anole_status check_tasks(struct run *run)
{
    size_t missing = 0;
    const char *first = NULL;
    char why[ANOLE_ERROR_TEXT], file[256], shown[160];
    for (size_t i = 0; i < run->locked->task_count; i++) {
        if (has_task(run->graph, run->locked->tasks[i].task))
            continue;
        missing++;
        first = first ? first : run->locked->tasks[i].task;
    }
    if (missing == 0 || (missing < run->locked->task_count && !run->question->strict))
        return ANOLE_DONE;
    snprintf(why, sizeof why,
             "%s is not as it was tuned: %zu of %zu tasks are none of its layers, as '%s'",
             anole_text_printable(file, sizeof file, run->question->network), missing,
             run->locked->task_count, anole_text_printable(shown, sizeof shown, first));
    return give_up(run, false, why);
}

static enum anole_status read_lock(struct run *run, struct anole_error *error)
{
    const struct anole_inplace_question *question = run->question;
    struct anole_lockfile *lockfile = NULL;
    enum anole_status status = anole_lockfile_parse(&lockfile, question->lock, question->lock_bytes,
                                                    "what was tuned", error);
    if (status == ANOLE_DONE && lockfile->device_count != 1) {
        anole_lockfile_destroy(lockfile);
        status = anole_fail(error, ANOLE_ERR_INTERNAL, "what was tuned is not of one device");
    }
    if (status == ANOLE_DONE)
        status = anole_tuned_init_as(&run->tuned, lockfile, "what was tuned", &run->entry,
                                     &run->device, error);
    if (status == ANOLE_DONE)
        run->locked = &lockfile->devices[0];
    return status;
}

static enum anole_status load_backend(struct run *run, struct anole_error *error)
{
    const struct anole_inplace_question *question = run->question;
    enum anole_refusal refusal;
    say(run, "loading the plugin");
    if (run->session->confined)
        anole_confine();
    enum anole_status status = anole_backend_load(&run->backend, &refusal, question->plugin, error);
    if (status)
        return status;
    run->entry.path = (char *)question->plugin;
    run->entry.generator_version = run->backend->plugin.generator;
    run->entry.backend = run->backend;
    snprintf(run->entry.name, sizeof run->entry.name, "%s", run->backend->plugin.name);
    snprintf(run->entry.version, sizeof run->entry.version, "%s", run->backend->plugin.version);
    run->device.device = question->device;
    memcpy(run->device.driver, question->driver, sizeof run->device.driver);
    return ANOLE_DONE;
}

/* -------------------------------------------------------------------- deploy */

static enum anole_status choose(void *context, const struct anole_generator *generator,
                                uint64_t *config, bool *found, double *seconds,
                                struct anole_error *error)
{
    struct run *run = context;
    return anole_tuned_choose(&run->tuned, generator, config, found, seconds, error);
}

/* The default, and what the task may be exchanged for, as long as there is memory: each kernel has
 * weights of its own. */
static enum anole_status advise(void *context, const struct anole_generator *generator,
                                uint64_t *configs, size_t *count, struct anole_error *error)
{
    struct run *run = context;
    const struct anole_task *task = anole_generator_task(generator);
    const uint64_t bytes = anole_task_weight_elements(task) * anole_task_element_bytes(task);
    char key[ANOLE_TASK_KEY];
    (void)error;
    anole_task_key(key, task);
    configs[0] = anole_space_default(anole_generator_space(generator));
    *count = 1;
    for (uint32_t i = 0; i < run->task_count; i++) {
        const struct anole_inplace_task *own = &run->tasks[i];
        if (strcmp(own->key, key) != 0 || run->candidate_bytes + own->count * bytes > MOST_WEIGHTS)
            continue;
        run->candidate_bytes += own->count * bytes;
        for (uint32_t c = 1; c < own->count; c++)
            configs[(*count)++] = own->configs[c];
    }
    return ANOLE_DONE;
}

static enum anole_status deploy(struct run *run, struct anole_error *error)
{
    struct anole_error why = {.status = ANOLE_DONE};
    const struct anole_program_options options = {
        .choose = choose, .others = advise, .context = run};
    say(run, "building the network's kernels");
    enum anole_status status =
        anole_deploy(&run->program, &run->instance, run->graph, run->backend, &run->device.device,
                     &options, run->device.driver, run->question->threads, &why);
    if (status == ANOLE_ERR_MEMORY)
        return anole_fail_memory(error);
    if (status)
        return give_up(run, status != ANOLE_ERR_INPUT, why.text);
    run->report->steps = (uint32_t)run->program->step_count;
    for (size_t s = 0; s < run->program->step_count; s++)
        run->report->steps_tuned += run->program->steps[s].kind == ANOLE_STEP_TUNED;
    return ANOLE_DONE;
}

/* The choice of a step that is its default kernel; its own if it has no other. */
static size_t default_of(const struct anole_program *program, const struct anole_step *step)
{
    for (size_t i = 0; i < step->other_count; i++)
        if (program->kernels[step->others[i].kernel].is_default)
            return i + 1;
    return 0;
}

/* Two variants: with what was chosen, and with the defaults. */
static enum anole_status make_variants(struct run *run, const size_t *choices,
                                       struct anole_error *error)
{
    const struct anole_program *program = run->program;
    size_t *defaults = calloc(program->step_count + 1, sizeof *defaults);
    bool exchanged = false, other = false;
    if (!defaults)
        return anole_fail_memory(error);
    for (size_t s = 0; s < program->step_count; s++) {
        defaults[s] = default_of(program, &program->steps[s]);
        exchanged |= choices[s] != 0;
        other |= defaults[s] != choices[s];
    }
    enum anole_status status = ANOLE_DONE;
    if (exchanged)
        status = anole_variant_create(&run->chosen, run->instance, choices, error);
    if (status == ANOLE_DONE && other)
        status = anole_variant_create(&run->defaults, run->instance, defaults, error);
    free(defaults);
    return status;
}

static void take_verdict(struct anole_inplace_task *out, const struct anole_exchange_task *task)
{
    out->judged = task->judged;
    out->disturbed = task->disturbed;
    out->chosen = (uint32_t)task->chosen;
    for (size_t c = 0; c < task->count; c++)
        out->steps[c] = task->candidates[c].steps;
}

/* Lets the network choose between candidates: choices[steps]. */
static enum anole_status exchange(struct run *run, size_t *choices, struct anole_error *error)
{
    const double now = anole_clock(), left = run->start + run->question->seconds - now;
    struct anole_exchange_task *tasks = calloc(run->task_count + (size_t)1, sizeof *tasks);
    if (!tasks)
        return anole_fail_memory(error);
    for (uint32_t i = 0; i < run->task_count; i++) {
        tasks[i].key = run->tasks[i].key;
        tasks[i].count = run->tasks[i].count;
        for (uint32_t c = 0; c < run->tasks[i].count; c++)
            tasks[i].candidates[c].config = run->tasks[i].configs[c];
    }
    say(run, "exchanging kernels of the network");
    enum anole_status status = anole_exchange_run(
        choices, run->instance, run->program, tasks, run->task_count,
        now + fmin(run->question->exchanging, EXCHANGE_SHARE * left), &run->quiet, error);
    for (uint32_t i = 0; i < run->task_count && status == ANOLE_DONE; i++)
        take_verdict(&run->tasks[i], &tasks[i]);
    free(tasks);
    return status;
}

static enum anole_status prepare_variants(struct run *run, struct anole_error *error)
{
    size_t *choices = calloc(run->program->step_count + 1, sizeof *choices);
    enum anole_status status = choices ? ANOLE_DONE : anole_fail_memory(error);
    if (status == ANOLE_DONE && run->task_count > 0)
        status = exchange(run, choices, error);
    if (status == ANOLE_DONE)
        status = make_variants(run, choices, error);
    free(choices);
    return status;
}

static enum anole_status set_inputs(const struct run *run, struct anole_instance *instance,
                                    struct anole_error *error)
{
    const struct anole_graph *graph = run->graph;
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < graph->input_count && status == ANOLE_DONE; i++) {
        const struct anole_graph_tensor *tensor = &graph->tensors[graph->inputs[i]];
        struct anole_operand input = tensor->type;
        input.data = calloc(1, anole_program_tensor_bytes(graph, graph->inputs[i]) + 1);
        if (!input.data)
            return anole_fail_memory(error);
        anole_weights_random(&input, SEED, tensor->name, 1);
        status = anole_instance_set_input(instance, i, input.data, error);
        free(input.data);
    }
    return status;
}

/* --------------------------------------------------------------------- check */

/* Outputs of the last run, [graph->output_count]; on failure they are still to be released. */
static enum anole_status take_outputs(struct anole_operand **outputs, const struct run *run,
                                      struct anole_instance *instance, struct anole_error *error)
{
    const struct anole_graph *graph = run->graph;
    enum anole_status status = ANOLE_DONE;
    *outputs = calloc(graph->output_count + 1, sizeof **outputs);
    if (!*outputs)
        return anole_fail_memory(error);
    for (size_t i = 0; i < graph->output_count && status == ANOLE_DONE; i++) {
        struct anole_operand *output = &(*outputs)[i];
        *output = *anole_instance_output_type(instance, i);
        output->data = calloc(1, anole_program_tensor_bytes(graph, graph->outputs[i]) + 1);
        status = output->data ? anole_instance_get_output(instance, i, output->data, error)
                              : anole_fail_memory(error);
    }
    return status;
}

static void free_outputs(struct anole_operand *outputs, const struct anole_graph *graph)
{
    for (size_t i = 0; outputs && i < graph->output_count; i++)
        free(outputs[i].data);
    free(outputs);
}

/* Whether somewhere on the way numbers have fewer digits than a float. */
static bool is_coarse(const struct anole_graph *graph)
{
    bool coarse = graph->tf32;
    for (size_t t = 0; t < graph->tensor_count; t++)
        coarse |= anole_dtype_is_real(graph->tensors[t].type.dtype) &&
                  anole_dtype_bytes(graph->tensors[t].type.dtype) < sizeof(float);
    return coarse;
}

static void judge(struct run *run, const struct anole_operand *expected)
{
    struct anole_inplace_report *report = run->report;
    report->tolerance = is_coarse(run->graph) ? COARSE_TOLERANCE : TOLERANCE;
    report->error = 0;
    for (size_t i = 0; i < run->graph->output_count; i++) {
        const char *name = run->graph->tensors[run->graph->outputs[i]].name;
        size_t at;
        double error = anole_operand_same_shape(&run->outputs[i], &expected[i])
                           ? anole_operand_error(&run->outputs[i], &expected[i], &at)
                           : INFINITY;
        if (i > 0 && error <= report->error)
            continue;
        report->error = error;
        anole_text_printable(report->output, sizeof report->output, name);
    }
}

/* The same network by nothing but the operators' references, on the same inputs. */
static enum anole_status check(struct run *run, struct anole_error *error)
{
    const struct anole_program_options options = {.no_generator = true, .no_built_in = true};
    struct anole_program *program = NULL;
    struct anole_instance *instance = NULL;
    struct anole_operand *expected = NULL;
    say(run, "computing the network's reference");
    enum anole_status status =
        anole_deploy(&program, &instance, run->graph, run->backend, &run->device.device, &options,
                     run->device.driver, run->question->threads, error);
    if (status == ANOLE_DONE)
        status = set_inputs(run, instance, error);
    if (status == ANOLE_DONE)
        status = anole_instance_run(instance, NULL, NULL, error);
    if (status == ANOLE_DONE)
        status = take_outputs(&expected, run, instance, error);
    if (status == ANOLE_DONE)
        judge(run, expected);
    free_outputs(expected, run->graph);
    anole_instance_destroy(instance);
    anole_program_destroy(program);
    return status;
}

/* ---------------------------------------------------------------------- time */

static void take_times(struct anole_inplace_report *report, const struct anole_race *race)
{
    report->seconds = race->first.median;
    report->low = race->first.low;
    report->high = race->first.high;
    report->default_seconds = race->second.median;
    report->default_low = race->second.low;
    report->default_high = race->second.high;
    report->speedup = race->ratio.median;
    report->speedup_low = race->ratio.low;
    report->speedup_high = race->ratio.high;
    report->rounds = (uint32_t)race->rounds;
    report->disturbed = race->disturbed;
    report->ran = true;
}

static enum anole_status time_network(struct run *run, struct anole_error *error)
{
    const double now = anole_clock(), left = run->start + run->question->seconds - now;
    struct anole_race race;
    say(run, "timing the network");
    enum anole_status status = anole_race_run(
        &race, run->instance, run->chosen, run->defaults ? run->defaults : run->chosen,
        now + fmin(run->question->timing, TIMING_SHARE * left), LEAST_ROUNDS, &run->quiet, error);
    if (status == ANOLE_DONE)
        take_times(run->report, &race);
    return status;
}

/* What fails from here on is the network's fault, or the device's. */
static enum anole_status run_network(struct run *run, struct anole_error *error)
{
    struct anole_error why = {.status = ANOLE_DONE};
    say(run, "running the network");
    anole_quiet_init(&run->quiet, run->device.device.flags);
    enum anole_status status = set_inputs(run, run->instance, &why);
    if (status == ANOLE_DONE && run->question->check) {
        status = anole_instance_run(run->instance, NULL, NULL, &why);
        if (status == ANOLE_DONE)
            status = take_outputs(&run->outputs, run, run->instance, &why);
        if (status == ANOLE_DONE)
            status = check(run, &why);
    }
    if (status == ANOLE_DONE)
        status = prepare_variants(run, &why);
    if (status == ANOLE_DONE)
        status = time_network(run, &why);
    if (status == ANOLE_ERR_MEMORY)
        return anole_fail_memory(error);
    return status ? give_up(run, true, why.text) : ANOLE_DONE;
}

static void run_fini(struct run *run)
{
    if (run->graph)
        free_outputs(run->outputs, run->graph);
    anole_variant_destroy(run->chosen);
    anole_variant_destroy(run->defaults);
    anole_instance_destroy(run->instance);
    anole_program_destroy(run->program);
    anole_tuned_fini(&run->tuned);
    anole_graph_destroy(run->graph);
    anole_backend_destroy(run->backend);
}

static enum anole_status answer(struct run *run, struct anole_error *error)
{
    enum anole_status status = load_backend(run, error);
    if (status == ANOLE_DONE)
        status = read_lock(run, error);
    if (status == ANOLE_DONE)
        status = load_graph(run, error);
    if (status == ANOLE_DONE && !gave_up(run))
        status = check_tasks(run);
    if (status == ANOLE_DONE && !gave_up(run))
        status = deploy(run, error);
    if (status == ANOLE_DONE && !gave_up(run))
        status = run_network(run, error);
    return status;
}

/* As the process that asks has it. */
static void enter_environment(struct run *run)
{
    const struct anole_inplace_question *question = run->question;
    run->environment =
        (struct anole_environment){.level = ANOLE_LEVEL_WARNING,
                                   .write = write_log,
                                   .worker = question->has_worker ? question->worker : NULL,
                                   .cache = question->has_cache ? question->cache : NULL};
    anole_environment_enter(&run->environment);
}

enum anole_status anole_inplace_serve(struct anole_wire *reply, struct anole_wire *request,
                                      const struct anole_worker_session *session,
                                      struct anole_error *error)
{
    struct run run = {.session = session, .start = anole_clock()};
    run.question = calloc(1, sizeof *run.question);
    run.report = calloc(1, sizeof *run.report);
    enum anole_status status = run.question && run.report ? ANOLE_DONE : anole_fail_memory(error);
    if (status == ANOLE_DONE) {
        run.report->error = run.report->tolerance = NAN;
        anole_wire_inplace_question(request, run.question);
        anole_wire_inplace_tasks(request, &run.tasks, &run.task_count);
        if (!anole_wire_complete(request))
            status = anole_fail(error, ANOLE_ERR_INTERNAL, "a NETWORK request cannot be read");
    }
    if (status == ANOLE_DONE) {
        const struct anole_environment *before = anole_environment();
        enter_environment(&run);
        status = answer(&run, error);
        run_fini(&run);
        anole_environment_enter(before);
    }
    if (status == ANOLE_DONE) {
        anole_wire_inplace_report(reply, run.report);
        anole_wire_inplace_verdicts(reply, run.tasks, run.task_count);
    }
    free(run.tasks);
    free(run.question);
    free(run.report);
    return status;
}
