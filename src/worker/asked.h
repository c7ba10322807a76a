/* SPDX-License-Identifier: MIT
 *
 * The tuner's side of a plugin's pure ops: a worker process that is asked in their stead.  It is
 * started with the first question.  Where it crashes, exits or hangs, that is the answer, in
 * words, and the next question starts another, unless it hung, or has been lost too often.
 */
#ifndef ANOLE_ASKED_H
#define ANOLE_ASKED_H

#include "plugin/backend.h"

/* Has the backend's pure ops asked in a process of their own from here on.  Its plugin's file is
 * loaded there again. */
ANOLE_CHECKED enum anole_status anole_asked_install(struct anole_backend *backend,
                                                    struct anole_error *error);

#endif
