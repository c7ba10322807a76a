/* SPDX-License-Identifier: MIT
 *
 * The same cores for all implementations: as many as there are threads, one thread
 * each.
 */
#ifndef BENCH_AFFINITY_H
#define BENCH_AFFINITY_H

#include "base/status.h"

#include <sched.h>
#include <stdint.h>
#include <sys/types.h>

#define BENCH_MOST_THREADS 4096
#define BENCH_IDLE_POLL_NAME                                                                       \
    "anole-idle-poll" /* of threads that spin on purpose: see idle_poll.h */

struct bench_affinity {
    cpu_set_t cores;               /* of the process */
    pid_t ids[BENCH_MOST_THREADS]; /* of the threads there were when this was noted */
    size_t count;
};

/* Keeps this process, with all threads that it makes from now on, to `threads` of
 * the cores that it may use: no two hardware threads of one core, as far as there
 * are cores.  ERR_USAGE if there are fewer. */
enum anole_status bench_affinity_limit(struct bench_affinity *affinity, uint32_t threads,
                                       struct anole_error *error)
    __attribute__((warn_unused_result));

/* For pools that do not pin their threads themselves: notes what threads there
 * are; after the pool has come up, puts the calling thread on the first of the
 * process's cores, and each new one on one of the next, round and round. */
void bench_affinity_note(struct bench_affinity *affinity);
void bench_affinity_pin_new(const struct bench_affinity *affinity);

/* Waits until no other thread of this process wants to run: those of OpenMP spin
 * for some milliseconds before they sleep.  Those of idle_poll.h do not count.  Gives up
 * after a second. */
void bench_threads_settle(void);

#endif
