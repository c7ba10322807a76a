/* SPDX-License-Identifier: MIT
 *
 * Whether a kernel computed the right thing, and nothing else.
 */
#ifndef ANOLE_VERIFY_H
#define ANOLE_VERIFY_H

#include "exec/executable.h"

/* Each returns false if something is wrong: `result` says what, with `when` in the
 * message: "on the first run". */

/* Looks at the guards of all that the kernel was given. */
bool anole_verify_guards(const struct anole_executable *executable, struct anole_target *target,
                         const char *when, struct anole_result *result);
/* Reads the output back into target->answer. */
bool anole_verify_read(struct anole_target *target, struct anole_result *result);
/* Reads the output, and compares it with the reference: result->error is the worst so far. */
bool anole_verify_output(struct anole_target *target, const char *when,
                         struct anole_result *result);
/* Guards and output. */
bool anole_executable_verify(const struct anole_executable *executable, struct anole_target *target,
                             const char *when, struct anole_result *result);

#endif
