/* SPDX-License-Identifier: MIT */
#include "exec/verify.h"

#include "exec/custom_data.h"

#include <math.h>
#include <stdio.h>

static bool wrong_element(const struct anole_target *target, const char *when, size_t at,
                          struct anole_result *result)
{
    char element[96];
    double found = anole_task_value(&target->task, target->answer, at),
           expected = target->data->expected[at];
    anole_task_element_text(element, sizeof element, &target->task, at);
    result->outcome = ANOLE_OUTCOME_WRONG_ANSWER;
    if (anole_guarded_is_poison(target->answer, at, target->sizes.element))
        snprintf(result->message, sizeof result->message,
                 "output %s was never written %s: expected %.8g", element, when, expected);
    else
        snprintf(result->message, sizeof result->message,
                 "output %s is wrong %s: expected %.8g, found %.8g, allowed error %.2g", element,
                 when, expected, found, (double)target->data->tolerance[at]);
    return false;
}

/* A kernel that leaves its bounds may have reached anything in this process. */
static bool check_guard(const struct anole_guarded *guarded, struct anole_target *target,
                        const char *name, const char *when, struct anole_result *result)
{
    struct anole_message message = {.size = sizeof message};
    bool before, behind;
    int code = anole_guarded_check(guarded, &target->memory, &before, &behind, &message);
    if (code != ANOLE_OK)
        return anole_target_fail(target, result, code, ANOLE_OUTCOME_LAUNCH, &message,
                                 "reading back");
    if (before && behind)
        return true;
    target->tainted = true;
    result->outcome = ANOLE_OUTCOME_WRONG_ANSWER;
    snprintf(result->message, sizeof result->message,
             "the kernel wrote %s its %s %s: the %u bytes there are guarded, and were changed",
             before ? "behind" : "in front of", name, when, ANOLE_GUARD);
    return false;
}

bool anole_verify_guards(const struct anole_executable *executable, struct anole_target *target,
                         const char *when, struct anole_result *result)
{
    static const uint32_t inputs[] = {ANOLE_ROLE_INPUT, ANOLE_ROLE_WEIGHTS, ANOLE_ROLE_BIAS,
                                      ANOLE_ROLE_RESIDUAL};
    if (!check_guard(&target->tensors[ANOLE_ROLE_OUTPUT], target,
                     anole_role_name(ANOLE_ROLE_OUTPUT), when, result) ||
        !check_guard(&executable->workspace, target, anole_role_name(ANOLE_ROLE_WORKSPACE), when,
                     result) ||
        !check_guard(&executable->packed, target, "packed weights", when, result) ||
        !check_guard(&executable->copies, target, "copies of its data", when, result))
        return false;
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (!check_guard(&target->tensors[inputs[i]], target, anole_role_name(inputs[i]), when,
                         result))
            return false;
    return true;
}

bool anole_verify_read(struct anole_target *target, struct anole_result *result)
{
    struct anole_message message = {.size = sizeof message};
    int code = anole_guarded_read(&target->tensors[ANOLE_ROLE_OUTPUT], &target->memory,
                                  target->answer, &message);
    return code == ANOLE_OK ? true
                            : anole_target_fail(target, result, code, ANOLE_OUTCOME_LAUNCH,
                                                &message, "reading the output back");
}

static void note_error(struct anole_result *result, double error)
{
    if (isnan(result->error) || error > result->error)
        result->error = error;
}

static bool check_custom(struct anole_target *target, const char *when, struct anole_result *result)
{
    struct anole_custom_flaw flaw;
    double error = anole_custom_error(anole_custom_of(&target->task), target->data->answer,
                                      target->answer, &flaw);
    note_error(result, error);
    if (error <= 1)
        return true;
    target->tainted |= flaw.behind;
    result->outcome = ANOLE_OUTCOME_WRONG_ANSWER;
    anole_custom_flaw_text(result->message, sizeof result->message, &flaw, when);
    return false;
}

bool anole_verify_output(struct anole_target *target, const char *when, struct anole_result *result)
{
    if (!anole_verify_read(target, result))
        return false;
    if (target->task.custom)
        return check_custom(target, when, result);
    size_t at = 0;
    double error = anole_task_data_error(target->data, &target->task, target->answer, &at);
    note_error(result, error);
    return error <= 1 ? true : wrong_element(target, when, at, result);
}

bool anole_executable_verify(const struct anole_executable *executable, struct anole_target *target,
                             const char *when, struct anole_result *result)
{
    return anole_verify_guards(executable, target, when, result) &&
           anole_verify_output(target, when, result);
}
