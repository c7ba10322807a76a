/* SPDX-License-Identifier: MIT */
#include "program/failures.h"

#include <stdlib.h>
#include <string.h>

void anole_kernel_failures_fini(struct anole_kernel_failures *failures)
{
    for (size_t i = 0; i < failures->count; i++)
        free(failures->items[i].reason);
    free(failures->items);
    *failures = (struct anole_kernel_failures){.count = 0};
}

/* Plain kernels have no task that tells them apart: their source does. */
static void key_of(char key[ANOLE_TASK_KEY], const struct anole_generated *generated)
{
    key[0] = '\0';
    if (generated->kernel.task->kind != ANOLE_TASK_OPERATOR)
        anole_task_key(key, generated->kernel.task);
}

enum anole_status anole_kernel_failures_add(struct anole_kernel_failures *failures,
                                            const struct anole_generated *generated,
                                            const char *reason, struct anole_error *error)
{
    struct anole_kernel_failure *larger =
        realloc(failures->items, (failures->count + 1) * sizeof *larger);
    if (!larger)
        return anole_fail_memory(error);
    failures->items = larger;
    struct anole_kernel_failure *failure = &larger[failures->count];
    *failure = (struct anole_kernel_failure){.source_hash = generated->source_hash,
                                             .reason = strdup(reason)};
    if (!failure->reason)
        return anole_fail_memory(error);
    key_of(failure->key, generated);
    failures->count++;
    return ANOLE_DONE;
}

const char *anole_kernel_failures_find(const struct anole_kernel_failures *failures,
                                       const struct anole_generated *generated)
{
    char key[ANOLE_TASK_KEY];
    if (!failures || failures->count == 0)
        return NULL;
    key_of(key, generated);
    for (size_t i = 0; i < failures->count; i++)
        if (failures->items[i].source_hash == generated->source_hash &&
            strcmp(failures->items[i].key, key) == 0)
            return failures->items[i].reason;
    return NULL;
}
