/* SPDX-License-Identifier: MIT */
#include "record/pace.h"

#include <math.h>
#include <stdbool.h>

static bool is_known(const struct anole_pace *pace)
{
    return pace->speedup > 0.0 && pace->low > 0.0 && isfinite(pace->low) &&
           pace->high >= pace->low && isfinite(pace->high);
}

void anole_pace_compare(struct anole_pace_change *change, const struct anole_pace *then,
                        const struct anole_pace *now)
{
    *change = (struct anole_pace_change){NAN, NAN, NAN};
    if (!is_known(then) || !is_known(now))
        return;
    *change = (struct anole_pace_change){then->speedup / now->speedup, then->low / now->high,
                                         then->high / now->low};
}

enum anole_pace_verdict anole_pace_judge(const struct anole_pace *then,
                                         const struct anole_pace *now, double tolerance)
{
    static const struct anole_pace par = {1.0, 1.0, 1.0};
    struct anole_pace_change change;
    if (!is_known(now))
        return ANOLE_PACE_UNKNOWN;
    const bool recorded = is_known(then);
    anole_pace_compare(&change, recorded ? then : &par, now);
    if (change.low > 1.0 + tolerance)
        return ANOLE_PACE_SLOWER;
    return recorded && change.high < 1.0 / (1.0 + tolerance) ? ANOLE_PACE_FASTER : ANOLE_PACE_SAME;
}
