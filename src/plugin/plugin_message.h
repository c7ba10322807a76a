/* SPDX-License-Identifier: MIT
 *
 * What plugins say when an op of theirs fails, as messages of ours.
 */
#ifndef ANOLE_PLUGIN_MESSAGE_H
#define ANOLE_PLUGIN_MESSAGE_H

#include "base/status.h"

#include <anole/plugin.h>

/* A literal: "the kernel does not compile". */
const char *anole_code_text(int code);

/* The plugin's words, printable, on one line, cut to fit; what the code means if
 * it left none.  Where a log is too long its beginning and its end are kept.
 * Returns out. */
const char *anole_plugin_words(char *out, size_t size, int code,
                               const struct anole_message *message);

/* anole_fail() with these words. */
ANOLE_CHECKED enum anole_status anole_plugin_failure(struct anole_error *error,
                                                     enum anole_status status, int code,
                                                     const struct anole_message *message);

#endif
