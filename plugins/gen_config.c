/* SPDX-License-Identifier: MIT
 *
 * Whether a config's values are ones that its knobs have.  They may come from a
 * file: the history of another version, or a lock file that someone edited.
 */
#include "gen.h"

#include <stdio.h>

/* A builder that takes down nothing, and compares. */
struct comparison {
    struct anole_space_builder builder;
    const int64_t *values;
    uint32_t count, at;
    char foreign[64]; /* the first knob without the value; "": none */
    int64_t value;
};

static int compare_knob(struct anole_space_builder *builder, const struct anole_knob *knob)
{
    struct comparison *comparison = builder->host;
    uint32_t at = comparison->at++;
    if (at >= comparison->count || comparison->foreign[0])
        return ANOLE_OK;
    for (uint32_t i = 0; i < knob->count; i++)
        if (knob->values[i] == comparison->values[at])
            return ANOLE_OK;
    snprintf(comparison->foreign, sizeof comparison->foreign, "%s", knob->name);
    comparison->value = comparison->values[at];
    return ANOLE_OK;
}

static int pass_constraint(struct anole_space_builder *builder, const char *expression,
                           const char *why)
{
    (void)builder;
    (void)expression;
    (void)why;
    return ANOLE_OK;
}

int gen_family_check(const struct gen_family *family, const struct anole_device *device,
                     const struct anole_task *task, const int64_t *values, uint32_t count,
                     struct anole_message *message)
{
    struct comparison comparison = {.values = values, .count = count};
    comparison.builder = (struct anole_space_builder){.size = sizeof comparison.builder,
                                                      .host = &comparison,
                                                      .knob = compare_knob,
                                                      .constraint = pass_constraint};
    int status = gen_family_space(family, device, task, &comparison.builder, message);
    if (status)
        return status;
    if (comparison.at != count)
        snprintf(message->text, sizeof message->text,
                 "The config has %u values, the design space of this task %u knobs.", count,
                 comparison.at);
    else if (comparison.foreign[0])
        snprintf(message->text, sizeof message->text,
                 "The config has %s=%lld, which is not among the values of this knob.",
                 comparison.foreign, (long long)comparison.value);
    else
        return ANOLE_OK;
    return ANOLE_BAD_REQUEST;
}
