/* SPDX-License-Identifier: MIT
 *
 * How long the threads of a process, and of what it started, were ready to run while other
 * work had the cores: time that a limit must not count.  From Linux's /proc; where that does
 * not tell, nothing was waited.
 */
#ifndef ANOLE_QUEUEING_H
#define ANOLE_QUEUEING_H

#include <stddef.h>
#include <sys/types.h>

#define ANOLE_QUEUEING_THREADS 256

struct anole_queueing {
    struct {
        pid_t thread;
        double waited; /* seconds since it was born, at the beginning */
    } threads[ANOLE_QUEUEING_THREADS];
    size_t count;
};

/* From now on, for the tree below `root`; of threads that come later, all counts. */
void anole_queueing_begin(struct anole_queueing *queueing, pid_t root);

/* Seconds since then that the thread that waited most has waited for a core. */
double anole_queueing_seconds(const struct anole_queueing *queueing, pid_t root);

#endif
