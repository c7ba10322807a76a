/* SPDX-License-Identifier: MIT
 *
 * What a run decided, as an entry of a lock file; and against what an earlier run decided.
 */
#ifndef ANOLE_TUNER_LOCK_H
#define ANOLE_TUNER_LOCK_H

#include "record/lockfile.h"
#include "tune/tuner.h"

/* Sizes that the network is tuned in, and so the entries of a lock file: 1 or more. */
size_t anole_tuner_size_count(const struct anole_tuner *tuner);
#define ANOLE_TUNER_ALL_SIZES SIZE_MAX

/* The entry of the tuner's device for a size, or all of them as if they were one: *device is the
 * caller's to release with anole_lock_device_fini().  finals[view.task_count]: of
 * anole_tuner_finish(). */
enum anole_status anole_tuner_lock(const struct anole_tuner *tuner,
                                   const struct anole_tuner_final *finals, size_t size,
                                   struct anole_lock_device *device, struct anole_error *error);

/* Puts the entry of a size into the lock file `path`, with what it holds by now of tasks for which
 * nothing was found, and writes it.  `in_place`: what the network takes with these kernels; NULL:
 * that is not known.  Refused, and left alone: what is no lock file of this network, and a symbolic
 * link.
 */
enum anole_status anole_tuner_save(const struct anole_tuner *tuner,
                                   const struct anole_tuner_final *finals, size_t size,
                                   const struct anole_lock_in_place *in_place, const char *path,
                                   struct anole_error *error);

/* What was decided, as anole_tuner_lock() has it, costs *ratio times what it did in an earlier lock
 * file (above 1: slower), over the layers that both have on this device.  ERR_INPUT if there are
 * none.  `path`: of the baseline, for messages. */
ANOLE_CHECKED enum anole_status anole_lock_device_against(double *ratio,
                                                          const struct anole_lock_device *decided,
                                                          const struct anole_lockfile *baseline,
                                                          const char *path,
                                                          struct anole_error *error);

#endif
