/* SPDX-License-Identifier: MIT */
#include "base/environment.h"

#include <stddef.h>

static _Thread_local const struct anole_environment *current;

const struct anole_environment *anole_environment(void)
{
    return current;
}

const struct anole_environment *anole_environment_enter(const struct anole_environment *environment)
{
    const struct anole_environment *before = current;
    current = environment;
    return before;
}
