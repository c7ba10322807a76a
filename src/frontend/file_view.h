/* SPDX-License-Identifier: MIT
 *
 * The bytes of a file, to be used in place.
 */
#ifndef ANOLE_FILE_VIEW_H
#define ANOLE_FILE_VIEW_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

/* Files up to this size are read into memory; larger ones are mapped. */
#define ANOLE_FILE_VIEW_READ ((size_t)4 << 20)

/* What is mapped is the file itself: it must not be cut short or written to in place as long
 * as the view is there.  (Reading beyond a new end is answered by SIGBUS, and there is no way
 * to forbid it.)  To replace the file by another of its name, by rename() or by removing it
 * first, is harmless.  Files that were read can be changed at will. */
struct anole_file_view {
    const uint8_t *data; /* [bytes], suitably aligned at its beginning; never NULL */
    size_t bytes;
    void *map; /* [bytes]; NULL: not mapped */
    char *read;
};

/* Opens a regular file.  ERR_INPUT: there is none, or it is something else; ERR_SYSTEM. */
enum anole_status anole_file_view_open(struct anole_file_view *view, const char *path,
                                       struct anole_error *error);
/* The same of a file that is open for reading; `path` is for messages.  Leaves it open. */
enum anole_status anole_file_view_take(struct anole_file_view *view, int fd, const char *path,
                                       struct anole_error *error);
/* Of a mapped file, the memory of some bytes can be used for others: they are read again if they
 * are looked at again. */
void anole_file_view_forget(const struct anole_file_view *view, const void *data, size_t bytes);
/* Zeroed views are fine. */
void anole_file_view_fini(struct anole_file_view *view);

#endif
