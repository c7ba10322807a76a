/* SPDX-License-Identifier: MIT
 *
 * A network as a whole, in words and as JSON.
 */
#ifndef ANOLE_CLI_IN_PLACE_H
#define ANOLE_CLI_IN_PLACE_H

#include <anole/anole.h>

#include "base/json.h"

/* A line to stdout: "in place: 62.1 ms [61.0 ms, 63.3 ms]; ...", or why it was not run. */
void anole_in_place_print(const struct anole_in_place *in_place);

/* A line for each result of which another config was better alone, and lost in the network:
 * "conv 3x3/1 ...: in place 3.30 ms, where what is best alone (2.00 ms, and this 2.70 ms) takes
 * 3.50 ms". */
void anole_in_place_print_loser(const struct anole_result_info *result);

/* A new reference, or NULL; "problem" is null if it ran, and times are if not. */
json_t *anole_in_place_json(const struct anole_in_place *in_place);

#endif
