/* SPDX-License-Identifier: MIT
 *
 * What a trial is going to cost, in seconds, from what the trials so far have cost.  A build is
 * most of that, and configs may share one; how long it takes depends on the kernel, by factors
 * of ten.
 */
#ifndef ANOLE_PRICE_H
#define ANOLE_PRICE_H

#include "space/config_map.h"
#include "space/space.h"
#include "space/trials.h"

/* Seconds for all of a trial but its build; a guess before anything is known. */
double anole_price_of_timing(const struct anole_trials *trials);

/* Seconds that the config's build takes, from the builds of configs like it: each counts an eighth
 * as much for every knob in which it differs.  `shared` has the configs that were tried with a
 * build that was there already (value 1): these say nothing of it. */
double anole_price_of_build(const struct anole_trials *trials,
                            const struct anole_config_map *shared, const struct anole_space *space,
                            uint64_t config);

#endif
