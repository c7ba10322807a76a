/* SPDX-License-Identifier: MIT
 *
 * A verdict as a JUnit file, which CI systems read: a test case for each task, one for the sum of
 * the layers and one for the network in place.
 */
#ifndef ANOLE_GATE_JUNIT_H
#define ANOLE_GATE_JUNIT_H

#include <anole/anole.h>

#include "base/text.h"

/* Appends a text as the content of an element or attribute: what XML 1.0 does not allow is escaped
 * as for a terminal, in ASCII. */
void anole_junit_escape(struct anole_text *out, const char *text);

/* The file.  `time` of a test case is what its kernel takes now, in seconds. */
void anole_gate_junit(struct anole_text *out, const struct anole_gate *gate);

/* The file where there is no verdict: one test case that failed, for that reason. */
void anole_gate_junit_error(struct anole_text *out, const char *network, const char *why);

#endif
