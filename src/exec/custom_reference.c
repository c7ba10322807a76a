/* SPDX-License-Identifier: MIT */
#include "exec/custom_reference.h"

#include "exec/custom_data.h"
#include "exec/task_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct referee {
    struct anole_runner *runner;
    const int64_t (*configs)[ANOLE_MAX_KNOBS];
    size_t config_count, value_count;
    const struct anole_custom_kernel *custom;
    void *first; /* what the reference computed */
    struct anole_error *error;
};

static enum anole_status run(const void **output, const struct referee *referee, bool plain,
                             size_t config, struct anole_result *result)
{
    return anole_runner_compute(referee->runner, plain, referee->configs[config],
                                referee->value_count, output, result, referee->error);
}

/* The run that the rest is held to. */
static enum anole_status run_first(struct referee *referee)
{
    const void *output;
    struct anole_result result;
    bool plain = referee->custom->reference.kernel;
    enum anole_status status = run(&output, referee, plain, 0, &result);
    if (status != ANOLE_DONE)
        return status;
    if (!output)
        return anole_fail(referee->error, ANOLE_ERR_INPUT, "%s of %s does not work: %s: %s",
                          plain ? "the ReferenceKernel" : "the default config",
                          referee->custom->name, anole_outcome_words(result.outcome),
                          result.message);
    memcpy(referee->first, output, (size_t)referee->custom->base.output_bytes);
    return ANOLE_DONE;
}

/* Whether what the default computes is what others do. */
static enum anole_status cross_check(struct referee *referee)
{
    char text[256] = "";
    size_t agree = 0, differ = 0;
    for (size_t i = 1; i < referee->config_count && agree == 0; i++) {
        const void *output;
        struct anole_result result;
        struct anole_custom_flaw flaw;
        enum anole_status status = run(&output, referee, false, i, &result);
        if (status != ANOLE_DONE)
            return status;
        if (!output)
            continue; /* that it does not work is no evidence */
        if (anole_custom_error(referee->custom, referee->first, output, &flaw) <= 1) {
            agree++;
            continue;
        }
        differ++;
        anole_custom_flaw_text(text, sizeof text, &flaw, "by the default config");
    }
    if (agree > 0 || differ == 0)
        return ANOLE_DONE;
    return anole_fail(referee->error, ANOLE_ERR_INPUT,
                      "the default config of %s computes something else than each of %zu others "
                      "(%s): which is right?  Give a ReferenceKernel or ReferenceData",
                      referee->custom->name, differ, text);
}

enum anole_status anole_custom_reference_compute(struct anole_runner *runner, int descriptor,
                                                 const struct anole_task *task,
                                                 const int64_t (*configs)[ANOLE_MAX_KNOBS],
                                                 size_t config_count, size_t value_count,
                                                 struct anole_error *error)
{
    struct anole_task_file file = {.map = NULL};
    struct referee referee = {.runner = runner,
                              .configs = configs,
                              .config_count = config_count,
                              .value_count = value_count,
                              .custom = anole_custom_of(task),
                              .error = error};
    enum anole_status status = anole_task_file_look(&file, descriptor, task, error);
    if (status != ANOLE_DONE)
        return status;
    referee.first = malloc((size_t)referee.custom->base.output_bytes);
    if (!referee.first)
        status = anole_fail_memory(error);
    anole_runner_set_task(runner, task, &file.data);
    if (status == ANOLE_DONE)
        status = run_first(&referee);
    if (status == ANOLE_DONE && !referee.custom->reference.kernel)
        status = cross_check(&referee);
    if (status == ANOLE_DONE)
        status = anole_task_file_answer(descriptor, task, referee.first, error);
    free(referee.first);
    anole_runner_set_task(runner, task, NULL);
    anole_task_file_unmap(&file);
    return status;
}
