/* SPDX-License-Identifier: MIT
 *
 * Whether rounds of a running network were left in peace by other work on the machine.  What was
 * not says nothing of kernels, and decides nothing.
 */
#ifndef ANOLE_QUIET_H
#define ANOLE_QUIET_H

#include "base/watch.h"

struct anole_quiet {
    /* Looks at how this process is treated; tests have one of their own.  NULL: nobody looks. */
    void (*look)(struct anole_watch *watch, struct anole_look *look);
    struct anole_watch watch;
    struct anole_look begun;
};

/* `flags`: enum anole_device_flag.  Looks only where the device shares the host's cores, and has no
 * clock of its own: what they do is of no interest to others. */
void anole_quiet_init(struct anole_quiet *quiet, uint32_t flags);

/* Around each round.  A round that does not come to its end is to be ended, too: between the two
 * files are open.  True: it was disturbed. */
void anole_quiet_begin(struct anole_quiet *quiet);
bool anole_quiet_end(struct anole_quiet *quiet);

#endif
