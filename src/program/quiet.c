/* SPDX-License-Identifier: MIT */
#include "program/quiet.h"

#include <anole/plugin.h>

void anole_quiet_init(struct anole_quiet *quiet, uint32_t flags)
{
    const bool shared = flags & ANOLE_DEVICE_SHARES_HOST;
    const bool own = flags & (ANOLE_DEVICE_SIMULATED | ANOLE_DEVICE_OWN_CLOCK);
    *quiet = (struct anole_quiet){.look = shared && !own ? anole_watch_look : NULL};
}

void anole_quiet_begin(struct anole_quiet *quiet)
{
    if (!quiet->look)
        return;
    anole_watch_begin(&quiet->watch);
    quiet->look(&quiet->watch, &quiet->begun);
}

bool anole_quiet_end(struct anole_quiet *quiet)
{
    struct anole_look ended;
    if (!quiet->look)
        return false;
    quiet->look(&quiet->watch, &ended);
    const bool disturbed = anole_watch_disturbed(&quiet->watch, &quiet->begun, &ended);
    anole_watch_end(&quiet->watch);
    return disturbed;
}
