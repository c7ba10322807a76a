/* SPDX-License-Identifier: MIT
 *
 * What the frames NETWORK and NETWORK_RAN say.
 */
#ifndef ANOLE_INPLACE_WIRE_H
#define ANOLE_INPLACE_WIRE_H

#include "inplace/inplace.h"
#include "worker/message.h"

#define ANOLE_INPLACE_TASKS 8192
#define ANOLE_INPLACE_LOCK ((size_t)4 << 20) /* bytes of a lock file */

struct anole_inplace_question {
    char network[ANOLE_PATH];
    char plugin[ANOLE_PATH], driver[ANOLE_DRIVER];
    char worker[ANOLE_PATH], cache[ANOLE_PATH]; /* of the environment */
    bool has_worker, has_cache;                 /* else they are those of the process */
    struct anole_device device;
    uint32_t threads;
    double seconds, timing, exchanging;
    bool check, strict;
    const void *lock; /* the text of a lock file of one device; borrowed */
    size_t lock_bytes;
};

void anole_wire_inplace_question(struct anole_wire *wire, struct anole_inplace_question *message);
/* Tasks of a question, or of its answer: *tasks is made when they are read, the caller's to free.
 */
void anole_wire_inplace_tasks(struct anole_wire *wire, struct anole_inplace_task **tasks,
                              uint32_t *count);
void anole_wire_inplace_verdicts(struct anole_wire *wire, struct anole_inplace_task *tasks,
                                 uint32_t count);
void anole_wire_inplace_report(struct anole_wire *wire, struct anole_inplace_report *message);

#endif
