/* SPDX-License-Identifier: MIT
 *
 * A task that a lock file does not have, in a size between those that it has: which of its configs
 * may do.
 */
#ifndef ANOLE_NEAR_H
#define ANOLE_NEAR_H

#include "program/tuned.h"

#define ANOLE_NEAR_MOST 3

struct anole_near {
    const struct anole_lock_task *task;
    const struct anole_lock_device *entry;
    uint64_t config; /* in the space of the generator that was asked for */
    double distance; /* see op/task_kin.h */
};

/* Different configs that the lock file has of the same layer in other sizes, and that are valid for
 * this one, from the nearest size on; of two that are as near, the first in the file.  Returns how
 * many, at most ANOLE_NEAR_MOST; 0 also if the device was not tuned in several sizes. */
size_t anole_tuned_near(struct anole_near near[ANOLE_NEAR_MOST],
                        const struct anole_tuned_choice *tuned,
                        const struct anole_generator *generator);

#endif
