/* SPDX-License-Identifier: MIT
 *
 * The file behind a history: opened with care, locked, grown by whole lines that
 * last.  And the walk over its lines.  Only the history's own files include this.
 */
#ifndef ANOLE_HISTORY_FILE_H
#define ANOLE_HISTORY_FILE_H

#include "record/history_line.h"

#include <sys/types.h>

/* What can fail when a line is written; tests put failures in their place. */
struct anole_history_io {
    ssize_t (*write)(int fd, const void *data, size_t bytes);
    int (*sync)(int fd);
    int (*truncate)(int fd, off_t length);
};

struct anole_history_file {
    const struct anole_history_io *io;
    char *path;
    char name[256]; /* the path, for messages */
    int fd;
    bool created;    /* by us, just now */
    bool broken;     /* a failed line could not be taken back */
    uint64_t length; /* of what is whole: where the next line goes */
};

/* Opens a regular file, for reading alone or, created if need be and locked, for
 * appending.  Does not look at what is in it. */
enum anole_status anole_history_file_open(struct anole_history_file *file, const char *path,
                                          enum anole_history_mode mode,
                                          const struct anole_history_io *io,
                                          struct anole_error *error);
void anole_history_file_close(struct anole_history_file *file);
/* Removes the file if it was created by us; before closing. */
void anole_history_file_discard(struct anole_history_file *file);

/* Writes behind file->length and makes it last; or takes all of it back. */
enum anole_status anole_history_file_append(struct anole_history_file *file, const char *text,
                                            size_t length, struct anole_error *error);
/* Cuts off what is behind file->length. */
enum anole_status anole_history_file_cut(struct anole_history_file *file,
                                         struct anole_error *error);
/* Makes a new file's name last. */
void anole_history_file_sync_folder(const struct anole_history_file *file);

/* -- Walking over the lines (history_scan.c) -- */

struct anole_history_scan {
    size_t damaged;       /* lines skipped */
    size_t newer;         /* lines of a newer Anole; the sink gets them, too */
    bool torn;            /* the last line is not whole; file->length is where it begins */
    uint64_t torn_number; /* of it, from 1 */
    bool no_newline;      /* the last line is whole, but for its newline */
};

/* Called for each line but headers, in file order: of a DAMAGED one only `whole` (of one that is
 * too long, its beginning or nothing) and `number` mean something; intact lines that stand within
 * it follow.  What `line` points to is gone afterwards. */
typedef enum anole_status anole_history_sink(void *context, const struct anole_history_line *line,
                                             struct anole_error *error);

/* Reads the whole file and sets file->length.  ERR_INPUT if it is no history,
 * ERR_VERSION if it is one of a newer format. */
enum anole_status anole_history_file_scan(struct anole_history_file *file,
                                          struct anole_history_scan *scan, anole_history_sink *sink,
                                          void *context, struct anole_error *error);

/* anole_history_open() with an io of the caller's, which must outlive it. */
enum anole_status anole_history_open_with(struct anole_history **history, const char *path,
                                          enum anole_history_mode mode,
                                          const struct anole_history_io *io,
                                          struct anole_error *error);

#endif
