/* SPDX-License-Identifier: MIT
 *
 * The inside of struct gen_space, for gen.c, which fills it, and
 * gen_family.c, which asks each generator in turn.
 */
#ifndef ANOLE_GEN_PRIVATE_H
#define ANOLE_GEN_PRIVATE_H

#include "gen.h"

/* The host wants all knobs before the first constraint; generators declare both
 * in one function.  So that runs twice, and each time does one of the two; before
 * that, the default values of the knobs that it shares may be asked for. */
enum gen_space_phase { GEN_SPACE_PREFERENCES, GEN_SPACE_KNOBS, GEN_SPACE_CONSTRAINTS };

struct gen_space {
    struct anole_space_builder *builder;
    enum gen_space_phase phase;
    bool several;      /* there is an `algorithm` knob */
    bool chosen;       /* the default config uses this generator */
    int64_t algorithm; /* this generator's value of that knob */
    const struct gen_generator *generator;
    int64_t *preferences; /* of the chosen one that shares this one's knobs; NULL: there is none */
    uint32_t preference_count;
    int64_t sharer;        /* the value of `algorithm` that uses the first ones too; -1: none */
    uint32_t sharer_count; /* how many of them */
    uint32_t knob_count;   /* declared so far */
    int status;            /* enum anole_code: the first failure */
};

#endif
