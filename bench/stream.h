/* SPDX-License-Identifier: MIT
 *
 * Puts everything else out of the caches, from all cores: one of the ways of timing cold that
 * anole-bench-cold compares.
 */
#ifndef BENCH_STREAM_H
#define BENCH_STREAM_H

#include <stddef.h>
#include <stdint.h>

struct bench_stream;

/* `bytes` in all, written once here, so that it is memory that is there; by a thread for each of
 * `threads` of this process's cores, which sleep between two sweeps.  NULL: no memory. */
struct bench_stream *bench_stream_create(size_t bytes, uint32_t threads);
/* Reads all of it, and returns when that is done. */
void bench_stream_sweep(struct bench_stream *stream);
void bench_stream_destroy(struct bench_stream *stream);

#endif
