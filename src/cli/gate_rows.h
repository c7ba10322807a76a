/* SPDX-License-Identifier: MIT
 *
 * A gate's rows in one order for all who print them: tasks, their sum, the network in place.
 */
#ifndef ANOLE_GATE_ROWS_H
#define ANOLE_GATE_ROWS_H

#include <anole/anole.h>

static inline size_t anole_gate_rows(const struct anole_gate *gate)
{
    return anole_gate_count(gate) + 2;
}

static inline const struct anole_gate_row *anole_gate_row_at(const struct anole_gate *gate,
                                                             size_t index)
{
    const size_t count = anole_gate_count(gate);
    return index < count    ? anole_gate_get(gate, index)
           : index == count ? anole_gate_sum(gate)
                            : anole_gate_whole(gate);
}

/* Whether it makes the check fail. */
static inline bool anole_gate_row_fails(const struct anole_gate_row *row)
{
    return row->verdict == ANOLE_GATE_SLOWER || row->verdict == ANOLE_GATE_WRONG ||
           row->verdict == ANOLE_GATE_FAILED;
}

/* Whether a task's kernel was the default, and is: nothing was timed in turn with it. */
static inline bool anole_gate_row_is_default(const struct anole_gate_row *row)
{
    return row->multiplicity > 0 && row->speedup_then == 1.0 && row->speedup_low == 1.0 &&
           row->speedup_high == 1.0;
}

#endif
