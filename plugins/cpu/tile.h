/* SPDX-License-Identifier: MIT
 *
 * Heuristics for default configs: the register tile of a product, and how much
 * work goes into a work-group.
 */
#ifndef ANOLE_CPU_TILE_H
#define ANOLE_CPU_TILE_H

#include "generator.h"

/* A tile is `pixels` x (vectors x vector_width) output channels, whose sums stay
 * in registers while it goes through `depth` inputs. */
struct cpu_tile {
    /* Given. */
    int64_t row;      /* pixels that tiles cut up */
    int64_t channels; /* output channels that they cut up */
    int64_t depth;    /* products in a sum */
    int64_t stride;   /* bytes from one pixel's inputs to the next one's; 0: not known */
    bool exact_tail;  /* a last, smaller tile costs only what it has */
    /* Found. */
    int64_t vector_width; /* floats */
    int64_t vectors;
    int64_t pixels;
};

/* The tile that a simple model of the core finds fastest: see tile.c. */
void cpu_tile_choose(const struct anole_device *device, struct cpu_tile *tile);

/* How many of `pieces` go into one work-group, a power of two, if there are
 * `others` times as many groups for other reasons: so many that some eight
 * groups for each compute unit remain, to even out its work, or more where those
 * do not divide evenly. */
int64_t cpu_pieces_per_group(const struct anole_device *device, int64_t pieces, int64_t others);

/* Copies of an innermost loop of `length` turns.  With few registers a turn has so few
 * multiply-adds that counting turns and moving pointers is an eighth of its instructions,
 * which shows where two hardware threads share a core's front end. */
int64_t cpu_unroll(const struct anole_device *device, int64_t length);

#endif
