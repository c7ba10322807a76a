/* SPDX-License-Identifier: MIT
 *
 * What other tasks teach the task in hand: the other tasks of this network, and
 * what histories hold of other networks, devices and versions.
 */
#ifndef ANOLE_TRANSFER_H
#define ANOLE_TRANSFER_H

#include "graph/workload.h"
#include "measure/measure.h"
#include "record/history.h"
#include "search/search.h"

/* Tasks of histories, and their trials. */
struct anole_transfer;

/* `registry`, `device` and `network` are borrowed; kernels of the user's own are known by the
 * network's tasks.  The device is the one to tune for, in this
 * precision (enum anole_dtype), timed so. */
enum anole_status anole_transfer_create(struct anole_transfer **transfer,
                                        const struct anole_registry *registry,
                                        const struct anole_registry_device *device, uint32_t dtype,
                                        enum anole_warmth warmth,
                                        const struct anole_workload *network,
                                        struct anole_error *error);
void anole_transfer_destroy(struct anole_transfer *transfer);

/* True for a key that is known already. */
typedef bool anole_transfer_skip(void *context, const struct anole_history_key *key);

/* Takes up every task of a history that was tried with the same backend and
 * generator and that the backend supports on this device; trials are copied.  Of
 * another device, the trials that this one's design spaces hold.  `skip` may be
 * NULL. */
enum anole_status anole_transfer_take(struct anole_transfer *transfer,
                                      const struct anole_history *history,
                                      anole_transfer_skip *skip, void *context,
                                      struct anole_error *error);

/* The same from a file. */
enum anole_status anole_transfer_load(struct anole_transfer *transfer, const char *path,
                                      struct anole_error *error);

/* The i-th task, borrowed. */
const struct anole_task *anole_transfer_task(const struct anole_transfer *transfer, size_t i);
size_t anole_transfer_count(const struct anole_transfer *transfer);
/* The i-th task; *kind: its enum anole_task_kind.  Sources of this device, in any
 * version, are group 0; each other device is a group of its own, and so is what was timed in
 * another way. */
void anole_transfer_get(const struct anole_transfer *transfer, size_t i,
                        struct anole_prior_source *source, uint32_t *kind);

#endif
