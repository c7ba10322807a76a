/* SPDX-License-Identifier: MIT
 *
 * Whether a kernel computed the right thing, and nothing else.
 */
#include "exec/runner_private.h"

#include "exec/custom_data.h"

#include <math.h>
#include <stdio.h>

/* "[n][h][w][c]" of an element of the output. */
static const char *element_text(char *out, size_t size, const struct anole_task *task, size_t at)
{
    size_t c = at % task->out_c, w = at / task->out_c % task->out_w;
    size_t h = at / task->out_c / task->out_w % task->out_h;
    size_t n = at / task->out_c / task->out_w / task->out_h;
    if (task->kind == ANOLE_TASK_DENSE)
        snprintf(out, size, "[%zu][%zu]", n, c);
    else
        snprintf(out, size, "[%zu][%zu][%zu][%zu]", n, h, w, c);
    return out;
}

static bool wrong_element(struct anole_runner *runner, const char *when, size_t at,
                          struct anole_result *result)
{
    char element[96];
    double found = anole_task_value(&runner->task, runner->answer, at),
           expected = runner->data->expected[at];
    element_text(element, sizeof element, &runner->task, at);
    result->outcome = ANOLE_OUTCOME_WRONG_ANSWER;
    if (anole_guarded_is_poison(runner->answer, at, anole_task_element_bytes(&runner->task)))
        snprintf(result->message, sizeof result->message,
                 "output %s was never written %s: expected %.8g", element, when, expected);
    else
        snprintf(result->message, sizeof result->message,
                 "output %s is wrong %s: expected %.8g, found %.8g, allowed error %.2g", element,
                 when, expected, found, (double)runner->data->tolerance[at]);
    return false;
}

/* A kernel that leaves its bounds may have reached anything in this process. */
static bool check_guards(struct anole_runner *runner, struct anole_executable *executable,
                         const char *when, struct anole_result *result)
{
    const struct {
        const char *name;
        const struct anole_guarded *guarded;
    } places[] = {
        {"output", &runner->output},     {"workspace", &executable->workspace},
        {"input", &runner->input},       {"packed weights", &executable->packed},
        {"weights", &runner->weights},   {"bias", &runner->bias},
        {"residual", &runner->residual},
    };
    struct anole_message message = {.size = sizeof message};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        bool before, behind;
        int code =
            anole_guarded_check(places[i].guarded, &runner->memory, &before, &behind, &message);
        if (code != ANOLE_OK)
            return anole_runner_fail(runner, result, code, ANOLE_OUTCOME_LAUNCH, &message,
                                     "reading back");
        if (before && behind)
            continue;
        runner->tainted = true;
        result->outcome = ANOLE_OUTCOME_WRONG_ANSWER;
        snprintf(result->message, sizeof result->message,
                 "the kernel wrote %s its %s %s: the %u bytes there are guarded, and were changed",
                 before ? "behind" : "in front of", places[i].name, when, ANOLE_GUARD);
        return false;
    }
    return true;
}

static bool check_custom(struct anole_runner *runner, const char *when, struct anole_result *result)
{
    struct anole_custom_flaw flaw;
    double error = anole_custom_error(anole_custom_of(&runner->task), runner->data->answer,
                                      runner->answer, &flaw);
    if (isnan(result->error) || error > result->error)
        result->error = error;
    if (error <= 1)
        return true;
    runner->tainted |= flaw.behind;
    result->outcome = ANOLE_OUTCOME_WRONG_ANSWER;
    anole_custom_flaw_text(result->message, sizeof result->message, &flaw, when);
    return false;
}

bool anole_runner_guards(struct anole_runner *runner, struct anole_executable *executable,
                         const char *when, struct anole_result *result)
{
    return check_guards(runner, executable, when, result);
}

bool anole_runner_verify(struct anole_runner *runner, struct anole_executable *executable,
                         const char *when, struct anole_result *result)
{
    struct anole_message message = {.size = sizeof message};
    if (!check_guards(runner, executable, when, result))
        return false;
    int code = anole_guarded_read(&runner->output, &runner->memory, runner->answer, &message);
    if (code != ANOLE_OK)
        return anole_runner_fail(runner, result, code, ANOLE_OUTCOME_LAUNCH, &message,
                                 "reading the output back");
    if (runner->task.custom)
        return check_custom(runner, when, result);
    size_t at = 0;
    double error = anole_task_data_error(runner->data, &runner->task, runner->answer, &at);
    if (isnan(result->error) || error > result->error)
        result->error = error;
    return error <= 1 ? true : wrong_element(runner, when, at, result);
}
