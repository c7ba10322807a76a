/* SPDX-License-Identifier: MIT
 *
 * An allocator that fails when it is told to, and knows what is still held.  It
 * stands in for malloc and its relatives in what is linked with ALLOCATOR_WRAPS
 * (tests/resilience.am); libraries keep their own, but for Jansson, which uses ours
 * (json.c).
 */
#ifndef ANOLE_TEST_ALLOCATOR_H
#define ANOLE_TEST_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The n-th allocation from now on (1: the next) fails; `from`: and all after it.
 * 0: none does. */
void allocator_arm(uint64_t n, bool from);
/* Ends that.  Returns whether one has failed. */
bool allocator_disarm(void);

/* Allocations that nobody has freed. */
size_t allocator_held(void);

#endif
