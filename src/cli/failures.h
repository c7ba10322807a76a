/* SPDX-License-Identifier: MIT
 *
 * What failed while tuning, by kind, and how to see it fail again.
 */
#ifndef ANOLE_FAILURES_H
#define ANOLE_FAILURES_H

#include "base/status.h"

/* Reads the history at `path`, and prints a table, or JSON, to stdout. */
enum anole_status anole_failures_print(const char *path, bool json, struct anole_error *error);

#endif
