/* SPDX-License-Identifier: MIT
 *
 * What a run decided, in the terms of a lock file; used by the tuner alone.
 */
#ifndef ANOLE_TUNER_LOCK_H
#define ANOLE_TUNER_LOCK_H

#include "tune/tuner.h"

/* Both fill in a zeroed struct with copies; on failure it holds what was made so
 * far, for anole_lock_device_fini(). */
enum anole_status anole_tuner_lock_identity(struct anole_lock_device *out, const char *id,
                                            const struct anole_history_key *key,
                                            struct anole_error *error);
enum anole_status anole_tuner_lock_task(struct anole_lock_task *out,
                                        const struct anole_tuner_task *task,
                                        const struct anole_tuner_final *final,
                                        const struct anole_space *space, struct anole_error *error);

#endif
