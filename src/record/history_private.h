/* SPDX-License-Identifier: MIT
 *
 * What history.c and history_trial.c share.
 */
#ifndef ANOLE_HISTORY_PRIVATE_H
#define ANOLE_HISTORY_PRIVATE_H

#include "record/history_file.h"
#include "record/history_store.h"

#include <locale.h>

/* So often a config may take its worker with it before it is left alone. */
#define ANOLE_HISTORY_QUARANTINE 2

struct anole_history {
    struct anole_history_file file;
    struct anole_history_store store;
    enum anole_history_mode mode;
    size_t damaged, newer; /* lines that were skipped */
    locale_t plain;        /* in which numbers have a decimal point */
};

/* A key's texts, decoded; false if one is longer than any of ours. */
bool anole_history_decode_key(struct anole_history_found *found,
                              const struct anole_history_entry *entry);
bool anole_history_decode_fields(struct anole_history_found *found,
                                 const struct anole_history_fields *fields,
                                 enum anole_metric metric, enum anole_warmth warmth);

#endif
