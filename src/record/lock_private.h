/* SPDX-License-Identifier: MIT
 *
 * What lockfile.c and lock_read.c share.
 */
#ifndef ANOLE_LOCK_PRIVATE_H
#define ANOLE_LOCK_PRIVATE_H

#include "record/lockfile.h"

/* anole_lockfile_load() from memory; `file` is for messages. */
enum anole_status anole_lockfile_parse(struct anole_lockfile **lockfile, const char *text,
                                       size_t length, const char *file, struct anole_error *error);

/* True if one entry takes the place of the other. */
bool anole_lock_same_device(const struct anole_lock_device *a, const struct anole_lock_device *b);

#endif
