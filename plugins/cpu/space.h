/* SPDX-License-Identifier: MIT
 *
 * The inside of struct cpu_space, for generator.c, which fills it, and
 * algorithms.c, which asks each generator in turn.
 */
#ifndef ANOLE_CPU_SPACE_H
#define ANOLE_CPU_SPACE_H

#include "generator.h"

/* The host wants all knobs before the first constraint; generators declare both
 * in one function.  So that runs twice, and each time does one of the two. */
enum cpu_space_phase { CPU_SPACE_KNOBS, CPU_SPACE_CONSTRAINTS };

struct cpu_space {
    struct anole_space_builder *builder;
    enum cpu_space_phase phase;
    bool several;        /* there is an `algorithm` knob */
    bool chosen;         /* the default config uses this generator */
    int64_t algorithm;   /* this generator's value of that knob */
    uint32_t knob_count; /* declared so far */
    int status;          /* enum anole_code: the first failure */
};

#endif
