/* SPDX-License-Identifier: MIT
 *
 * Finding a thing by its name among a few, with a helpful word where it fails.
 */
#ifndef ANOLE_CHOICE_H
#define ANOLE_CHOICE_H

#include "base/status.h"

#include <stddef.h>

/* ERR_USAGE, with the list and the nearest name, if `name` is none of them;
 * `what` says what they are: "explorer". */
ANOLE_CHECKED enum anole_status anole_choice_find(size_t *index, const char *what, const char *name,
                                                  const char *const *names, size_t count,
                                                  struct anole_error *error);

#endif
