/* SPDX-License-Identifier: MIT */
#include "plugin/inside.h"

#include <stddef.h>

struct anole_inside anole_inside;

void anole_inside_enter(const char *backend, const char *op)
{
    atomic_store_explicit(&anole_inside.backend, backend, memory_order_relaxed);
    atomic_fetch_add_explicit(&anole_inside.calls, 1, memory_order_relaxed);
    atomic_store_explicit(&anole_inside.op, op, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
}

void anole_inside_leave(void)
{
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&anole_inside.op, NULL, memory_order_relaxed);
}
