/* SPDX-License-Identifier: MIT */
#include "exec/custom_reference.h"

#include "exec/custom_data.h"
#include "exec/task_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct computation {
    struct anole_runner *runner;
    const int64_t (*configs)[ANOLE_MAX_KNOBS];
    size_t config_count, value_count;
    const struct anole_custom_kernel *custom;
    void *first; /* what the reference computed */
    struct anole_error *error;
};

static enum anole_status run(const void **output, const struct computation *computation, bool plain,
                             size_t config, struct anole_result *result)
{
    return anole_runner_compute(computation->runner, plain, computation->configs[config],
                                computation->value_count, output, result, computation->error);
}

/* The run that the rest is held to. */
static enum anole_status run_first(struct computation *computation)
{
    const void *output;
    struct anole_result result;
    bool plain = computation->custom->reference.kernel;
    enum anole_status status = run(&output, computation, plain, 0, &result);
    if (status != ANOLE_DONE)
        return status;
    if (!output)
        return anole_fail(computation->error, ANOLE_ERR_INPUT, "%s of %s does not work: %s: %s",
                          plain ? "the ReferenceKernel" : "the default config",
                          computation->custom->name, anole_outcome_words(result.outcome),
                          result.message);
    const struct anole_custom_argument *unwritten =
        anole_custom_unwritten(computation->custom, output);
    if (unwritten)
        return anole_fail(computation->error, ANOLE_ERR_INPUT,
                          "%s of %s writes nothing to its output %s: it proves nothing; expected a "
                          "kernel that computes it, or a ReferenceKernel or ReferenceData",
                          plain ? "the ReferenceKernel" : "the default config",
                          computation->custom->name, unwritten->name);
    memcpy(computation->first, output, (size_t)computation->custom->base.output_bytes);
    return ANOLE_DONE;
}

/* Whether what the default computes is what others do. */
static enum anole_status cross_check(struct computation *computation)
{
    char text[256] = "";
    size_t agree = 0, differ = 0;
    for (size_t i = 1; i < computation->config_count && agree == 0; i++) {
        const void *output;
        struct anole_result result;
        struct anole_custom_flaw flaw;
        enum anole_status status = run(&output, computation, false, i, &result);
        if (status != ANOLE_DONE)
            return status;
        if (!output)
            continue; /* that it does not work is no evidence */
        if (anole_custom_error(computation->custom, computation->first, output, &flaw) <= 1) {
            agree++;
            continue;
        }
        differ++;
        anole_custom_flaw_text(text, sizeof text, &flaw, "by the default config");
    }
    if (agree > 0 || differ == 0)
        return ANOLE_DONE;
    return anole_fail(computation->error, ANOLE_ERR_INPUT,
                      "the default config of %s computes something else than each of %zu others "
                      "(%s): which is right?  Give a ReferenceKernel or ReferenceData",
                      computation->custom->name, differ, text);
}

enum anole_status anole_custom_reference_compute(struct anole_runner *runner, int descriptor,
                                                 const struct anole_task *task,
                                                 const int64_t (*configs)[ANOLE_MAX_KNOBS],
                                                 size_t config_count, size_t value_count,
                                                 struct anole_error *error)
{
    struct anole_task_file file = {.map = NULL};
    struct computation computation = {.runner = runner,
                                      .configs = configs,
                                      .config_count = config_count,
                                      .value_count = value_count,
                                      .custom = anole_custom_of(task),
                                      .error = error};
    enum anole_status status = anole_task_file_look(&file, descriptor, task, error);
    if (status != ANOLE_DONE)
        return status;
    computation.first = malloc((size_t)computation.custom->base.output_bytes);
    if (!computation.first)
        status = anole_fail_memory(error);
    anole_runner_set_task(runner, task, &file.data);
    if (status == ANOLE_DONE)
        status = run_first(&computation);
    if (status == ANOLE_DONE && !computation.custom->reference.kernel)
        status = cross_check(&computation);
    if (status == ANOLE_DONE)
        status = anole_task_file_answer(descriptor, task, computation.first, error);
    free(computation.first);
    anole_runner_set_task(runner, task, NULL);
    anole_task_file_unmap(&file);
    return status;
}
