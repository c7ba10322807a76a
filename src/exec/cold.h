/* SPDX-License-Identifier: MIT
 *
 * Timing a kernel with its weights as cold as a network leaves them.
 *
 * Between two runs of a layer the rest of the network reads its own constants, which puts
 * this layer's weights out of the caches.  So a kernel is run with one copy of its weights
 * after the other: it comes back to the same copy when as many bytes have passed as the
 * rest of the network has.  How large the caches really are, or what share of them a
 * virtual machine or a group gets, need not be known: the copies meet what the network
 * meets.  Input and output stay where they are, warm as neighbours leave them.
 */
#ifndef ANOLE_COLD_H
#define ANOLE_COLD_H

#include "op/task.h"
#include "space/result.h"

/* What a device's description says of its caches, where it can be believed. */
struct anole_caches {
    uint64_t stays;  /* constants of a whole network up to this many bytes are always cached */
    uint64_t last;   /* of the last level */
    char doubt[160]; /* what is not believed, and what is taken instead; or "" */
};
void anole_caches_of(struct anole_caches *caches, const struct anole_device *device);

/* How a kernel of the task is timed.  `constants`: bytes of all constants of its network;
 * 0: it is no network's, or shall be timed hot.  Of a custom task, all data is cold if
 * constants is not 0. */
enum anole_warmth anole_cold_decide(const struct anole_plugin *plugin,
                                    const struct anole_device *device,
                                    const struct anole_task *task, uint64_t constants);

/* Why a backend's kernels are timed hot whatever is asked for; NULL: they are not. */
const char *anole_cold_obstacle(const struct anole_plugin *plugin,
                                const struct anole_device *device);

/* How many sets of data a kernel is run with, its own included; 1: it needs none, as one alone
 * is more than caches hold, or there is no memory for two.  `set`: bytes of one that
 * differ.  `own`: bytes of `constants` that are the task's.  `first`: seconds of a run, about. */
uint32_t anole_cold_sets(const struct anole_device *device, uint64_t constants, uint64_t own,
                         uint64_t set, double first);

#endif
