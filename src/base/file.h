/* SPDX-License-Identifier: MIT
 *
 * Files that are read or written as a whole.
 */
#ifndef ANOLE_FILE_H
#define ANOLE_FILE_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

/* At the start of a program: sees to it that descriptors 0, 1 and 2 are open, so that no file
 * gets their numbers, to be written over by what is printed.  Reading and writing through those
 * that were closed fails, as it did. */
void anole_file_hold_standard(void);
/* Reads a regular file whole, NUL-terminated; *text is the caller's to free.
 * Refuses folders, FIFOs and what is larger than `limit` (0: 64 MiB). */
ANOLE_CHECKED enum anole_status anole_file_read(char **text, size_t *length, const char *path,
                                                size_t limit, struct anole_error *error);
/* Replaces a file as a whole: temporary file in the same folder, fsync, rename,
 * fsync of the folder.  Under the final name there is the old content or the
 * new, never a part; a failure leaves no temporary file.  Follows a symbolic
 * link, keeps the old file's mode, refuses what is no regular file. */
ANOLE_CHECKED enum anole_status anole_file_replace(const char *path, const char *text,
                                                   size_t length, struct anole_error *error);
/* The same, but a symbolic link that stands under the name is refused, and never followed. */
ANOLE_CHECKED enum anole_status anole_file_replace_here(const char *path, const char *text,
                                                        size_t length, struct anole_error *error);
/* The same piece by piece: what is under the name changes when the draft is committed.  Committing
 * destroys it, also on failure; discarding NULL is fine. */
struct anole_file_draft;
ANOLE_CHECKED enum anole_status anole_file_draft_create(struct anole_file_draft **draft,
                                                        const char *path,
                                                        struct anole_error *error);
ANOLE_CHECKED enum anole_status anole_file_draft_append(struct anole_file_draft *draft,
                                                        const char *text, size_t length,
                                                        struct anole_error *error);
ANOLE_CHECKED enum anole_status anole_file_draft_commit(struct anole_file_draft *draft,
                                                        struct anole_error *error);
void anole_file_draft_discard(struct anole_file_draft *draft);
/* Whether a file could be replaced so: tries with a new file beside it, which goes again. */
ANOLE_CHECKED enum anole_status anole_file_check_replace(const char *path,
                                                         struct anole_error *error);
/* Waits until no other process holds the folder that `path` is in, and holds it until the
 * descriptor that it returns is closed.  -1: the file system knows no such thing. */
int anole_file_hold_folder(const char *path);
/* The folder that a file is in, without links; NULL: there is none, or no memory.  The caller's to
 * free. */
char *anole_file_folder(const char *path);
/* Whether a file is in that folder, or below it. */
bool anole_file_is_below(const char *path, const char *folder);
/* Whether two names are of one file, there or yet to be made. */
bool anole_file_same(const char *a, const char *b);

#endif
