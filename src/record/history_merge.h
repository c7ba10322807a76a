/* SPDX-License-Identifier: MIT
 *
 * Histories made of histories: several joined, and one made smaller.
 */
#ifndef ANOLE_HISTORY_MERGE_H
#define ANOLE_HISTORY_MERGE_H

#include "record/history_stream.h"

struct anole_history_merged {
    size_t taken;    /* lines that were added */
    size_t repeated; /* lines that were there already, or came twice */
    size_t damaged;  /* lines that were skipped, torn ones among them */
};

/* Adds to the history `path`, which is made if there is none, each line of others that it does not
 * hold, byte for byte and in their order; what it holds stays.  Lines that are damaged are named
 * and left out.  On failure it is as it was.  ERR_INPUT if one of them is no history; ERR_IN_USE if
 * somebody else writes `path`. */
enum anole_status anole_history_merge(struct anole_history_merged *merged, const char *path,
                                      char *const *others, size_t count, struct anole_error *error);

/* What went, or would go, of a history that is made smaller. */
struct anole_history_swept {
    size_t kept;
    size_t ended;    /* lines that only announce a trial whose end is recorded, too */
    size_t repeated; /* the very line stands before it */
    size_t damaged;
    size_t unwanted;        /* trials that were to go */
    uint64_t before, after; /* bytes */
};

/* Rewrites a history without lines that say nothing (any more).  `unwanted` (or NULL: none): trials
 * that go, too.  What only a newer Anole understands stays.  `dry`: nothing is written.  The file
 * is replaced as a whole, and left alone on failure. */
enum anole_status anole_history_sweep(struct anole_history_swept *swept, const char *path,
                                      const struct anole_history_filter *unwanted, bool dry,
                                      struct anole_error *error);

#endif
