/* SPDX-License-Identifier: MIT */
#include "opencl_split.h"

#include <stdbool.h>

static size_t ceil_div(size_t a, size_t b)
{
    return a / b + (a % b != 0);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The best grid of boxes: how often each dimension is cut.  Of equals, the one that cuts
 * the outer dimensions, so that a share is of neighbours.  Returns its largest box. */
static size_t choose_grid(uint32_t grid[3], const size_t groups[3], uint32_t parts)
{
    size_t best = SIZE_MAX;
    for (uint32_t z = (uint32_t)least(parts, groups[2]); z >= 1; z--)
        for (uint32_t y = (uint32_t)least(parts / z, groups[1]); y >= 1; y--) {
            uint32_t x = (uint32_t)least(parts / z / y, groups[0]);
            size_t largest =
                ceil_div(groups[0], x) * ceil_div(groups[1], y) * ceil_div(groups[2], z);
            if (largest >= best)
                continue;
            best = largest;
            grid[0] = x;
            grid[1] = y;
            grid[2] = z;
        }
    return best;
}

/* The i-th of n parts of `whole`, which differ by one at most. */
static void cut(size_t *first, size_t *count, size_t whole, size_t n, size_t i)
{
    size_t each = whole / n, longer = whole % n;
    *first = each * i + least(i, longer);
    *count = each + (i < longer);
}

/* -- A range of the groups, counted row by row, as boxes -- */

struct range {
    struct opencl_box *boxes;
    const size_t *groups;
    size_t at, end;
    uint32_t count;
};

/* As much of what is left as fits: whole units of `unit` groups, `most` of them, which lie
 * one after the other in dimension d. */
static void take(struct range *range, int d, size_t unit, size_t most)
{
    const size_t *groups = range->groups;
    size_t count = least((range->end - range->at) / unit, most);
    if (!count)
        return;
    struct opencl_box *box = &range->boxes[range->count++];
    box->first[0] = range->at % groups[0];
    box->first[1] = range->at / groups[0] % groups[1];
    box->first[2] = range->at / groups[0] / groups[1];
    for (int i = 0; i < 3; i++)
        box->count[i] = i < d ? groups[i] : i == d ? count : 1;
    range->at += count * unit;
}

/* What is missing to the next multiple. */
static size_t gap(size_t at, size_t unit)
{
    return (unit - at % unit) % unit;
}

static uint32_t split_range(struct opencl_box *boxes, const size_t groups[3], size_t first,
                            size_t count)
{
    struct range range = {boxes, groups, first, first + count, 0};
    const size_t row = groups[0], plane = row * groups[1];
    take(&range, 0, 1, gap(range.at, row)); /* to the end of a row, */
    if (range.at % row == 0)
        take(&range, 1, row, gap(range.at, plane) / row); /* of a plane, */
    if (range.at % plane == 0)
        take(&range, 2, plane, groups[2]); /* then whole ones, and what is left */
    if (range.at % row == 0)
        take(&range, 1, row, groups[1]);
    take(&range, 0, 1, groups[0]);
    return range.count;
}

uint32_t opencl_split(struct opencl_box boxes[OPENCL_MOST_BOXES], const size_t groups[3],
                      uint32_t parts, uint32_t part)
{
    uint32_t grid[3] = {1, 1, 1};
    const size_t all = groups[0] * groups[1] * groups[2];
    if (!all)
        return 0;
    size_t largest = choose_grid(grid, groups, parts), ideal = ceil_div(all, parts);
    if (10 * largest > 11 * ideal) {
        size_t first, count;
        cut(&first, &count, all, parts, part);
        return count ? split_range(boxes, groups, first, count) : 0;
    }
    if (part >= grid[0] * grid[1] * grid[2])
        return 0;
    const size_t place[3] = {part % grid[0], part / grid[0] % grid[1], part / grid[0] / grid[1]};
    for (int d = 0; d < 3; d++)
        cut(&boxes->first[d], &boxes->count[d], groups[d], grid[d], place[d]);
    return 1;
}
