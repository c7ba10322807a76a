/* SPDX-License-Identifier: MIT
 *
 * Whether a kernel became slower, told from a machine that did.
 *
 * Times of another day are times of another machine: its clock, its other work and its driver may
 * have changed since.  So kernels are not held against their times, but against their default
 * kernel, which was timed in turn with them then, and is so now.  What slows both down cancels.
 */
#ifndef ANOLE_PACE_H
#define ANOLE_PACE_H

/* How many times as fast as the default, timed in turn: the median of paired ratios with its 95 %
 * interval.  NaN: not known. */
struct anole_pace {
    double speedup, low, high;
};

/* How many times as long as it was, if the default takes as long as it did; above 1: slower.  The
 * interval is as wide as that of both together can be.  NaN: not known. */
struct anole_pace_change {
    double ratio, low, high;
};
void anole_pace_compare(struct anole_pace_change *change, const struct anole_pace *then,
                        const struct anole_pace *now);

enum anole_pace_verdict {
    ANOLE_PACE_SAME,   /* or it cannot be told, as intervals reach into the tolerance */
    ANOLE_PACE_FASTER, /* the whole interval is beyond the tolerance */
    ANOLE_PACE_SLOWER, /* likewise */
    ANOLE_PACE_UNKNOWN /* nothing was timed in turn now */
};
/* `tolerance`: 0.05 for 5 %, at least 0.  Where nothing was recorded, SLOWER is what is slower than
 * the default is now. */
enum anole_pace_verdict anole_pace_judge(const struct anole_pace *then,
                                         const struct anole_pace *now, double tolerance);

#endif
