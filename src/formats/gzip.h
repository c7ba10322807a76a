/* SPDX-License-Identifier: MIT
 *
 * Reading files that may be compressed.
 */
#ifndef ANOLE_GZIP_H
#define ANOLE_GZIP_H

#include "base/status.h"

#include <stddef.h>

/* Reads a regular file whole, NUL-terminated, and uncompresses it if it begins as
 * gzip does; *text is the caller's to free.  Refuses what is larger than 256 MiB,
 * or becomes larger than 1 GiB, or more than a hundred times (but 64 MiB) what it
 * was: recorded times do not compress so well. */
enum anole_status anole_gzip_read(char **text, size_t *length, const char *path,
                                  struct anole_error *error);
/* Uncompresses from memory; `path` is for messages. */
enum anole_status anole_gzip_inflate(char **text, size_t *length, const void *data, size_t bytes,
                                     const char *path, struct anole_error *error);

#endif
