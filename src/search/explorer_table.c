/* SPDX-License-Identifier: MIT
 *
 * The explorers that there are.
 */
#include "search/explorers.h"

#include "base/choice.h"

static const struct anole_explorer_ops *const explorers[] = {
    &anole_explorer_rl,
    &anole_explorer_rl_untrained,
    &anole_explorer_chameleon,
    &anole_explorer_annealing,
    &anole_explorer_autotvm,
    &anole_explorer_genetic,
    &anole_explorer_hillclimb,
    &anole_explorer_local,
    &anole_explorer_exhaustive,
    &anole_explorer_random,
    NULL,
};

const struct anole_explorer_ops *const *anole_explorers(void)
{
    return explorers;
}

enum anole_status anole_explorer_find(const struct anole_explorer_ops **ops, const char *name,
                                      struct anole_error *error)
{
    const char *names[sizeof explorers / sizeof *explorers];
    size_t count = 0, index;
    for (; explorers[count]; count++)
        names[count] = explorers[count]->name;
    enum anole_status status = anole_choice_find(&index, "explorer", name, names, count, error);
    if (status == ANOLE_DONE)
        *ops = explorers[index];
    return status;
}
