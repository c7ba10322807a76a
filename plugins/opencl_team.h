/* SPDX-License-Identifier: MIT
 *
 * Threads that work on one thing together, and wait for each other by spinning: what
 * lasts microseconds is over before a sleeping thread is awake.  They spin for a
 * fraction of a millisecond, then they sleep, so that a team with nothing to do costs
 * nothing.  Nobody waits for a member that has not come: a core that something else has
 * taken must not hold up all others.
 */
#ifndef ANOLE_OPENCL_TEAM_H
#define ANOLE_OPENCL_TEAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct opencl_team;

struct opencl_team_terms {
    uint32_t count; /* members, the calling thread included: 1 at least */
    bool spins;     /* false: there are not cores enough, waiting is sleeping */
    /* The core of each member, [count], or NULL: where the system puts them.  The calling
     * thread is put on the first while the team works, and is free again after it. */
    const int *cores;
};

/* NULL: a thread could not be started, or there is no memory. */
struct opencl_team *opencl_team_create(const struct opencl_team_terms *terms);

/* Ends the threads; the same thread that called opencl_team_work(), or none did. */
void opencl_team_destroy(struct opencl_team *team);

/* Calls `work` in the calling thread, as member 0, and in each of the others that comes
 * before that has returned: any of them must be able to do all there is to do.  Returns
 * when none is in it any more. */
void opencl_team_work(struct opencl_team *team, void (*work)(void *context, uint32_t member),
                      void *context);

/* From within `work`.  A counter grows, and counts on from 0 after its largest value: adds
 * one, and returns the sum; and waits until a counter has come to a value, or beyond. */
unsigned opencl_team_advance(struct opencl_team *team, atomic_uint *counter);
void opencl_team_wait(struct opencl_team *team, atomic_uint *counter, unsigned value);

#endif
