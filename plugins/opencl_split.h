/* SPDX-License-Identifier: MIT
 *
 * Which work-groups of a launch are whose, where several queues make it together.
 */
#ifndef ANOLE_OPENCL_SPLIT_H
#define ANOLE_OPENCL_SPLIT_H

#include <stddef.h>
#include <stdint.h>

/* Work-groups from `first` on, `count` of them in each dimension. */
struct opencl_box {
    size_t first[3], count[3];
};

#define OPENCL_MOST_BOXES 5

/* The share of `part`, of so many parts, of groups[3]: writes its boxes and returns how
 * many, 0 if there is nothing left for it.  All shares together are all groups, each
 * once.  The largest share decides when a launch is over: it is as small as boxes allow,
 * one for each part, or, if that is more than a tenth too large, as small as can be, with
 * up to OPENCL_MOST_BOXES boxes for a part. */
uint32_t opencl_split(struct opencl_box boxes[OPENCL_MOST_BOXES], const size_t groups[3],
                      uint32_t parts, uint32_t part);

#endif
