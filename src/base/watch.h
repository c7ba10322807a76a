/* SPDX-License-Identifier: MIT
 *
 * Whether other work gets in the way of this process: how long its threads were ready to
 * run and did not, how often they were sent from their cores, what a hypervisor took, and
 * whether the processor runs as fast as before.
 */
#ifndef ANOLE_WATCH_H
#define ANOLE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANOLE_WATCHED_THREADS 256

/* A moment.  All seconds count from a time of their own: only differences mean anything. */
struct anole_look {
    double wall;
    double worked;     /* processor time of all threads */
    double waited;     /* seconds that threads were ready to run, and did not; NaN: not known */
    uint64_t switches; /* that they were sent away, by all threads so far, */
    uint64_t sleeps;   /* and that they went to sleep */
};

struct anole_watch {
    int files[ANOLE_WATCHED_THREADS]; /* what the kernel says of each thread */
    size_t count;
    double stolen, began; /* at the beginning; NaN: not known */
    double probe;         /* seconds of the fastest probe so far; 0: none yet */
    double busiest;       /* processor time over wall time, the most that was seen; 0: nothing */
};

/* Zero-initialised is fine.  Between begin and end files are open, of the threads that there
 * are at the beginning: those of a driver are there once it has run something. */
void anole_watch_begin(struct anole_watch *watch);
void anole_watch_end(struct anole_watch *watch);
void anole_watch_look(struct anole_watch *watch, struct anole_look *look);

/* Since the beginning: the share of this machine's processor time that its hypervisor gave to
 * others, 0 to 1; 0 if it does not say.  Its unit is 10 ms. */
double anole_watch_stolen(const struct anole_watch *watch);

/* Runs a short calculation, some tens of microseconds: how many times as long it took as the
 * fastest before, 1 or more, by this thread's processor time: above 1 if the clock has been
 * lowered, or the core is shared with another hardware thread. */
double anole_watch_probe(struct anole_watch *watch);

/* Between two moments: the share of the time in which threads of this process wanted a core
 * that other work had it, 0 to 1. */
double anole_watch_share(struct anole_watch *watch, const struct anole_look *from,
                         const struct anole_look *to);
/* Whether that, or what it did to a single thread, is too much for a timing. */
bool anole_watch_disturbed(struct anole_watch *watch, const struct anole_look *from,
                           const struct anole_look *to);

#endif
