/* SPDX-License-Identifier: MIT
 *
 * The samplers that there are.
 */
#include "search/samplers.h"

#include "base/choice.h"

static const struct anole_sampler_ops *const samplers[] = {
    &anole_sampler_adaptive, &anole_sampler_chameleon, &anole_sampler_top,
    &anole_sampler_greedy,   &anole_sampler_planned,   NULL,
};

const struct anole_sampler_ops *const *anole_samplers(void)
{
    return samplers;
}

enum anole_status anole_sampler_find(const struct anole_sampler_ops **ops, const char *name,
                                     struct anole_error *error)
{
    const char *names[sizeof samplers / sizeof *samplers];
    size_t count = 0, index;
    for (; samplers[count]; count++)
        names[count] = samplers[count]->name;
    enum anole_status status = anole_choice_find(&index, "sampler", name, names, count, error);
    if (status == ANOLE_DONE)
        *ops = samplers[index];
    return status;
}
