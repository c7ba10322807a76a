/* SPDX-License-Identifier: MIT
 *
 * The recorded spaces that $ANOLE_REPLAY names: T1 files (the space) with results
 * that were recorded in it.
 *
 *   ANOLE_REPLAY=T1:T4[:T1:T4]...   pairs of files
 *   ANOLE_REPLAY=FOLDER[:...]       or folders: each T1.json in them, at any depth,
 *                                   with every file of results beside it
 *
 * The ops of a plugin that describe and generate get no object to keep things in,
 * and may be called from several threads: what was read is kept here, behind a
 * lock, until the plugin is unloaded.
 */
#ifndef ANOLE_REPLAY_CATALOG_H
#define ANOLE_REPLAY_CATALOG_H

#include "formats/recording.h"

#include <anole/plugin.h>

struct replay_entry {
    char *t1_path, *results_path;
    char digest[24]; /* of both files; "" until they were read */
    struct anole_t1 *t1;
    struct anole_space *space;
    struct anole_recording *recording;
};

/* How many there are; 0 without the variable. */
int replay_count(size_t *count, struct anole_message *message) __attribute__((warn_unused_result));
/* One of them, read; it does not change any more. */
int replay_get(const struct replay_entry **entry, size_t index, struct anole_message *message)
    __attribute__((warn_unused_result));
/* The one that a device was made from: NULL if that is gone. */
const struct replay_entry *replay_find(const struct anole_device *device);

/* Writes a sentence into the message, and returns the code. */
int replay_fail(struct anole_message *message, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
