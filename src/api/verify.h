/* SPDX-License-Identifier: MIT
 *
 * What verifying a lock file's kernels and holding a network against it share.
 */
#ifndef ANOLE_API_VERIFY_H
#define ANOLE_API_VERIFY_H

#include "api/recheck.h"
#include "record/pace.h"

struct anole_verification {
    const struct anole_tuned *tuned;
    bool adopting;
    struct anole_recheck
        *checks; /* of the entry's tasks, or of those looked at to adopt, [count] */
    size_t count;
    struct anole_whole whole;
    struct anole_whole then; /* as the lock file has it */
};

struct anole_verify_plan {
    const struct anole_lock_device *locked; /* the entry, of the lock file */
    const bool *wanted;                     /* which of its tasks; NULL: all */
    const char *network;                    /* the file, to run it as a whole */
    bool whole;                             /* whether that is wanted */
    double build_limit, run_limit;          /* as of struct anole_verify_options */
    bool strict;                            /* all tasks must be the network's, if it is */
    bool again;       /* what looks slower than it was is measured a second time */
    double tolerance; /* then: by how much, 0.05 for 5 % */
    double seconds;   /* for timing each task; 0: as usual */
};

/* As anole_verify(), within a scope. */
ANOLE_CHECKED enum anole_status anole_verify_entry(struct anole_verification **verification,
                                                   const struct anole_tuned *tuned,
                                                   const struct anole_listed_device *device,
                                                   const struct anole_verify_plan *plan,
                                                   struct anole_error *error);

/* How a kernel stands to its default: as recorded, and now. */
void anole_verify_paces(struct anole_pace *then, struct anole_pace *now,
                        const struct anole_lock_task *entry, const struct anole_verified *info);
/* The same of the whole, which ran.  `alike`: it is the network that was recorded. */
void anole_whole_paces(struct anole_pace *then, struct anole_pace *now,
                       const struct anole_in_place *before, const struct anole_in_place *after,
                       bool alike);

#endif
