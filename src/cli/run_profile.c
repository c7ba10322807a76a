/* SPDX-License-Identifier: MIT */
#include "cli/run_profile.h"

#include "base/file.h"
#include "base/statistics.h"
#include "base/text.h"
#include "cli/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LABEL 128
#define PROBLEM 800 /* of a step, as it is shown */

/* What a step does: its task, or its operator with the shape of its output. */
static const char *label_of(char out[LABEL], const struct anole_program *program,
                            const struct anole_step *step)
{
    const struct anole_node *node = &program->graph->nodes[step->node];
    struct anole_task task;
    char shape[80] = "";
    if (step->kind == ANOLE_STEP_TUNED || step->kind == ANOLE_STEP_DEFAULT) {
        task = *program->kernels[step->kernel].generated->kernel.task;
        return anole_task_label(out, LABEL, &task);
    }
    if (node->outputs[0] != ANOLE_NONE)
        anole_operand_shape_text(shape, sizeof shape,
                                 &program->graph->tensors[node->outputs[0]].type);
    snprintf(out, LABEL, "%s%s %s", step->epilogue ? "activation of " : "", node->op->name, shape);
    return out;
}

static double tuned_seconds(const struct anole_program *program, const struct anole_step *step)
{
    return step->kernel == ANOLE_NONE ? NAN : program->kernels[step->kernel].seconds;
}

/* Times of all runs, transposed and reduced to medians. */
static void reduce(struct anole_profile *profile, const double *times, double *scratch, size_t runs)
{
    for (size_t s = 0; s < profile->count; s++) {
        size_t known = 0;
        for (size_t r = 0; r < runs; r++)
            if (!isnan(times[r * profile->count + s]))
                scratch[known++] = times[r * profile->count + s];
        struct anole_summary summary = {.median = NAN};
        if (known > 0)
            anole_summarise(&summary, scratch, known);
        profile->seconds[s] = summary.median;
    }
}

static void sum_up(struct anole_profile *profile, const struct anole_program *program)
{
    profile->tuned_before = NAN;
    for (size_t s = 0; s < profile->count; s++) {
        const struct anole_step *step = &program->steps[s];
        double seconds = profile->seconds[s], before = tuned_seconds(program, step);
        if (isnan(seconds))
            continue;
        profile->sum += seconds;
        if (step->kind == ANOLE_STEP_TUNED || step->kind == ANOLE_STEP_DEFAULT)
            profile->generated += seconds;
        if (step->kind == ANOLE_STEP_TUNED)
            profile->tuned += seconds;
        if (!isnan(before))
            profile->tuned_before =
                (isnan(profile->tuned_before) ? 0 : profile->tuned_before) + before;
    }
}

enum anole_status anole_profile_init(struct anole_profile *profile, struct anole_instance *instance,
                                     const struct anole_program *program, size_t runs,
                                     struct anole_error *error)
{
    const size_t count = program->step_count;
    *profile = (struct anole_profile){.count = count};
    if (runs == 0)
        runs = 1;
    double *times = calloc(runs * count + 1, sizeof *times);
    double *scratch = calloc(runs + 1, sizeof *scratch);
    profile->seconds = calloc(count + 1, sizeof *profile->seconds);
    enum anole_status status =
        times && scratch && profile->seconds ? ANOLE_DONE : anole_fail_memory(error);
    for (size_t r = 0; r < runs && status == ANOLE_DONE; r++)
        status = anole_instance_run(instance, times + r * count, NULL, error);
    if (status == ANOLE_DONE) {
        reduce(profile, times, scratch, runs);
        sum_up(profile, program);
    }
    free(scratch);
    free(times);
    if (status)
        anole_profile_fini(profile);
    return status;
}

void anole_profile_fini(struct anole_profile *profile)
{
    free(profile->seconds);
    *profile = (struct anole_profile){.count = 0};
}

/* ------------------------------------------------------------------- output */

enum anole_status anole_profile_print(const struct anole_profile *profile,
                                      const struct anole_program *program,
                                      struct anole_error *error)
{
    static const char *const titles[] = {"node",   "what",      "kernel", ">time",
                                         ">share", ">tuned to", NULL};
    struct anole_table *table = NULL;
    enum anole_status status = anole_table_create(&table, titles, error);
    if (status)
        return status;
    for (size_t s = 0; s < profile->count; s++) {
        const struct anole_step *step = &program->steps[s];
        char label[LABEL], time[32], tuned[32];
        anole_table_name(table, program->graph->nodes[step->node].name);
        anole_table_cell(table, "%s", label_of(label, program, step));
        anole_table_cell(table, "%s", anole_step_kind_text(step->kind));
        anole_table_cell(table, "%s", anole_text_seconds(time, sizeof time, profile->seconds[s]));
        anole_table_cell(table, "%.1f %%",
                         profile->sum > 0 ? 100 * profile->seconds[s] / profile->sum : 0.0);
        anole_table_cell(table, "%s",
                         anole_text_seconds(tuned, sizeof tuned, tuned_seconds(program, step)));
    }
    status = anole_table_print(table, stdout, error);
    anole_table_destroy(table);
    for (size_t s = 0; s < profile->count && status == ANOLE_DONE; s++) {
        const struct anole_step *step = &program->steps[s];
        char name[160], problem[PROBLEM];
        if (step->problem && (s == 0 || step[-1].node != step->node))
            printf("%s: %s\n",
                   anole_text_printable(name, sizeof name, program->graph->nodes[step->node].name),
                   anole_text_printable(problem, sizeof problem, step->problem));
    }
    return status;
}

json_t *anole_profile_json(const struct anole_profile *profile, const struct anole_program *program)
{
    json_t *list = json_array();
    for (size_t s = 0; s < profile->count; s++) {
        const struct anole_step *step = &program->steps[s];
        const struct anole_node *node = &program->graph->nodes[step->node];
        char label[LABEL], safe[PROBLEM];
        json_t *item = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "node", node->name, "operator",
                                 node->op->name, "label", label_of(label, program, step), "kernel",
                                 anole_step_kind_text(step->kind), "seconds",
                                 anole_json_real(profile->seconds[s]), "tuned_seconds",
                                 anole_json_real(tuned_seconds(program, step)));
        if (item && step->problem)
            json_object_set_new(
                item, "problem",
                json_string(anole_text_printable(safe, sizeof safe, step->problem)));
        json_array_append_new(list, item);
    }
    return list;
}

enum anole_status anole_profile_trace(const struct anole_profile *profile,
                                      const struct anole_program *program, const char *path,
                                      struct anole_error *error)
{
    json_t *events = json_array();
    double at = 0;
    for (size_t s = 0; s < profile->count; s++) {
        const struct anole_step *step = &program->steps[s];
        const struct anole_node *node = &program->graph->nodes[step->node];
        char label[LABEL];
        double seconds = isnan(profile->seconds[s]) ? 0 : profile->seconds[s];
        json_array_append_new(events, json_pack("{s:s, s:s, s:s, s:i, s:i, s:f, s:f, s:{s:s}}",
                                                "name", label_of(label, program, step), "cat",
                                                anole_step_kind_text(step->kind), "ph", "X", "pid",
                                                1, "tid", step->kind == ANOLE_STEP_HOST ? 2 : 1,
                                                "ts", 1e6 * at, "dur", 1e6 * seconds, "args",
                                                "node", node->name));
        at += seconds;
    }
    json_t *root = json_pack("{s:o, s:s}", "traceEvents", events, "displayTimeUnit", "ms");
    char *text = root ? anole_json_dump(root, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(root);
    if (!text)
        return anole_fail_memory(error);
    enum anole_status status = anole_file_replace(path, text, strlen(text), error);
    free(text);
    return status;
}
