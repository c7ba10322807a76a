/* SPDX-License-Identifier: MIT
 *
 * A folder for one run of the tuner, shared by its workers: what a driver
 * compiles in one of them, another finds in there.
 */
#ifndef ANOLE_SCRATCH_H
#define ANOLE_SCRATCH_H

#include "base/status.h"

/* The variable that tells workers, and through them plugins, where it is. */
#define ANOLE_SCRATCH_VARIABLE "ANOLE_SCRATCH"

/* A new folder for this user alone: in $TMPDIR if that is set, else in memory
 * (/dev/shm) if there is enough, else in /tmp.  *path: the caller's to free. */
ANOLE_CHECKED enum anole_status anole_scratch_create(char **path, struct anole_error *error);
/* Whether compilers can work in a folder: files of some MB can be made there, and libraries
 * loaded.  Takes milliseconds.  ERR_SYSTEM says what is wrong, and what to do. */
ANOLE_CHECKED enum anole_status anole_scratch_check(const char *path, struct anole_error *error);
/* Makes the folder again, and its mark, if somebody has removed it, and checks it. */
ANOLE_CHECKED enum anole_status anole_scratch_restore(const char *path, int *hold,
                                                      struct anole_error *error);
/* Removes files that have not changed for so many seconds, and folders that are
 * empty since. */
void anole_scratch_trim(const char *path, double age);
/* Removes it with all that is in it. */
void anole_scratch_remove(const char *path);

/* Marks a folder as in use, for as long as this process lives or the descriptor, which
 * is the caller's, is open.  -1: it cannot be marked, which does no harm. */
int anole_scratch_hold(const char *path);
/* Removes folders of ours that were marked so, and are in use no longer: their tuner
 * was killed before it had a worker to remove them. */
void anole_scratch_sweep(void);

#endif
