/* SPDX-License-Identifier: MIT
 *
 * A thread pool.  Its threads work on one thing together, and wait for each other by
 * spinning: what lasts microseconds is over before a sleeping thread is awake.  They spin
 * for a fraction of a millisecond, then they sleep, so that a pool with nothing to do costs
 * nothing.  Nobody waits for a thread that has not come: a core that something else has
 * taken must not hold up all others.  While other work wants the cores, threads sleep instead
 * of spinning.
 */
#ifndef ANOLE_OPENCL_THREAD_POOL_H
#define ANOLE_OPENCL_THREAD_POOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct opencl_thread_pool;

struct opencl_thread_pool_options {
    uint32_t count; /* threads, the calling one included: 1 at least */
    bool spins;     /* false: there are not cores enough, waiting is sleeping */
    /* The core of each thread, [count], or NULL: where the system puts them.  The calling
     * thread is put on the first while the pool works, and is free again after it. */
    const int *cores;
};

/* NULL: a thread could not be started, or there is no memory. */
struct opencl_thread_pool *
opencl_thread_pool_create(const struct opencl_thread_pool_options *options);

/* Ends the threads; the same thread that called opencl_thread_pool_run(), or none did. */
void opencl_thread_pool_destroy(struct opencl_thread_pool *pool);

/* Calls `work` in the calling thread, as number 0, and in each of the others that comes
 * before that has returned: any of them must be able to do all there is to do.  Returns
 * when none is in it any more. */
void opencl_thread_pool_run(struct opencl_thread_pool *pool,
                            void (*work)(void *context, uint32_t thread), void *context);

/* From within `work`.  A counter grows, and counts on from 0 after its largest value: adds
 * one, and returns the sum; and waits until a counter has come to a value, or beyond. */
unsigned opencl_thread_pool_advance(struct opencl_thread_pool *pool, atomic_uint *counter);
void opencl_thread_pool_wait(struct opencl_thread_pool *pool, atomic_uint *counter, unsigned value);

/* How often a thread was kept from its core by other work, and it was noticed. */
unsigned opencl_thread_pool_crowds(struct opencl_thread_pool *pool);

#endif
