/* SPDX-License-Identifier: MIT
 *
 * Activations, as ANOLE_ACTIVATION_MAP of anole/plugin.h lists them: what each computes, in
 * double, and what that does to errors.
 */
#ifndef ANOLE_OP_ACTIVATION_H
#define ANOLE_OP_ACTIVATION_H

#include "base/status.h"

#include <anole/plugin.h>

/* An activation with its parameters; those that it does not have are 0. */
struct anole_activate {
    uint32_t activation; /* enum anole_activation */
    float alpha, beta;
};

/* "relu"; "unknown" if there is none.  And the way back: false if there is none. */
const char *anole_activation_text(uint32_t activation);
bool anole_activation_find(uint32_t *activation, const char *text);

/* How many parameters it has, 0 to 2, and what they are where nobody says. */
uint32_t anole_activation_parameters(uint32_t activation);
struct anole_activate anole_activation_default(uint32_t activation);

/* ERR_INPUT: no such activation; a parameter that is not finite, or not 0 where there is
 * none; bounds that are the wrong way round. */
enum anole_status anole_activation_check(const struct anole_activate *a, struct anole_error *error);

/* Its value at x. */
double anole_activation_apply(const struct anole_activate *a, double x);

/* How far off `value`, computed in fp32 from an x that is off by `error`, may be: errors
 * grow with the largest slope, and exponentials are off by some units in the last place. */
double anole_activation_error(const struct anole_activate *a, double value, double error);

#endif
