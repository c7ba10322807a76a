/* SPDX-License-Identifier: MIT
 *
 * Lines that were met before, so that the same trial counts once however many files it stands in:
 * 8 bytes a line, by a hash that nobody who writes a file can foresee.
 */
#ifndef ANOLE_HISTORY_SET_H
#define ANOLE_HISTORY_SET_H

#include "record/history_line.h"

struct anole_history_set {
    uint64_t key[2];
    uint64_t *slots; /* 0: free */
    size_t room, used;
};

void anole_history_set_init(struct anole_history_set *set);
void anole_history_set_fini(struct anole_history_set *set);
/* Adds a line, without its newline.  *known: it was there already. */
enum anole_status anole_history_set_add(struct anole_history_set *set, bool *known,
                                        struct anole_history_slice line, struct anole_error *error);

#endif
