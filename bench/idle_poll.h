/* SPDX-License-Identifier: MIT
 *
 * Keeps cores awake: on each, a thread of the lowest priority spins, so that the
 * core does not fall asleep between two launches.  Waking one up takes
 * microseconds, on a virtual machine more of them; OpenMP's threads avoid that by
 * spinning themselves, those of an OpenCL driver sleep.
 */
#ifndef BENCH_IDLE_POLL_H
#define BENCH_IDLE_POLL_H

#include "bench/affinity.h"

struct bench_idle_poll;

/* Once around a loop that waits. */
static inline void bench_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

/* A thread for each core of `affinity`.  They run only where nothing else wants
 * to: in the scheduling class SCHED_IDLE; ERR_SYSTEM if they cannot. */
enum anole_status bench_idle_poll_start(struct bench_idle_poll **idle_poll,
                                        const struct bench_affinity *affinity,
                                        struct anole_error *error)
    __attribute__((warn_unused_result));
void bench_idle_poll_stop(struct bench_idle_poll *idle_poll);

#endif
