/* SPDX-License-Identifier: MIT
 *
 * The builds that trials made last, kept open within a bound.  A backend finds in them what a
 * kernel with the same source, options and names is made of, and need not make it again.
 */
#ifndef ANOLE_KEPT_H
#define ANOLE_KEPT_H

#include "exec/target.h"

#define ANOLE_MAX_KEPT 48
#define ANOLE_MAX_KEPT_BYTES ((size_t)32 << 20) /* of sources and binaries */

struct anole_kept_build {
    uint64_t executable; /* as anole_generated has it */
    struct anole_build *build;
    size_t bytes;
};

/* Zero-initialised: there are none. */
struct anole_kept {
    struct anole_kept_build builds[ANOLE_MAX_KEPT]; /* the last used comes last */
    size_t count, bytes;
};

/* Takes over a build of this target.  Of those that share an executable one alone is kept;
 * those that were not used for longest are released. */
void anole_kept_add(struct anole_kept *kept, struct anole_target *target, uint64_t executable,
                    struct anole_build *build, size_t bytes);
/* Releases all. */
void anole_kept_clear(struct anole_kept *kept, struct anole_target *target);

#endif
