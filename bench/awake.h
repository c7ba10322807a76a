/* SPDX-License-Identifier: MIT
 *
 * Keeps cores awake: on each, a thread of the lowest priority spins, so that the
 * core does not fall asleep between two launches.  Waking one up takes
 * microseconds, on a virtual machine more of them; OpenMP's threads avoid that by
 * spinning themselves, those of an OpenCL driver sleep.
 */
#ifndef BENCH_AWAKE_H
#define BENCH_AWAKE_H

#include "bench/affinity.h"

struct bench_awake;

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
enum anole_status bench_awake_start(struct bench_awake **awake,
                                    const struct bench_affinity *affinity,
                                    struct anole_error *error);
void bench_awake_stop(struct bench_awake *awake);

#endif
