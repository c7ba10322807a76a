/* SPDX-License-Identifier: MIT
 *
 * What a history says, in memory: records by key, in file order.  Only the
 * history's own files include this.
 */
#ifndef ANOLE_HISTORY_STORE_H
#define ANOLE_HISTORY_STORE_H

#include "record/history_line.h"

#define ANOLE_HISTORY_NONE UINT32_MAX

/* A trial, or one that was begun (by now ended or not). */
struct anole_history_record {
    struct anole_history_slice knobs; /* in the arena */
    const char *message;              /* in the arena; NULL: "" */
    /* The result but for its message, which is its last member: see
     * anole_history_record_result(). */
    char result[offsetof(struct anole_result, message)];
    uint64_t id;
    uint32_t crc;
    uint32_t key;
    uint32_t next;   /* record of the same key, or NONE */
    uint8_t outcome; /* enum anole_outcome */
    bool begun;      /* no outcome */
    bool open;       /* begun, and not ended */
    uint32_t before; /* of an open one: the one of the same config that was open before, or NONE */
    bool withdrawn;  /* no outcome either: ends one that was begun */
};

/* What became of one config of a key that took its worker with it, or the tuner: crashes,
 * timeouts, and what was begun and has not ended. */
struct anole_history_loss {
    struct anole_history_slice knobs; /* in the arena */
    uint32_t key;
    uint32_t count; /* how often */
    uint32_t open;  /* the last record that was begun and has not ended, or NONE */
    uint32_t next;  /* loss of the same key, or NONE */
};

/* What results are of, so that one may be held against another. */
struct anole_history_kind {
    enum anole_metric metric;
    enum anole_warmth warmth;
};

struct anole_history_entry {         /* a key */
    struct anole_history_slice text; /* in the arena, as `fields` */
    struct anole_history_fields fields;
    struct anole_history_kind kind;
    struct anole_history_count count; /* of trials */
    uint32_t first, last;             /* records, or NONE */
    uint32_t losses;                  /* the first of them, or NONE */
};

struct anole_history_slot {
    uint64_t hash;
    uint32_t value; /* or NONE: free */
};

struct anole_history_table {
    struct anole_history_slot *slots;
    size_t room, used; /* room: 0 or a power of two */
};

struct anole_history_store { /* zero-initialise */
    struct anole_history_record *records;
    size_t record_count, record_room;
    struct anole_history_entry *entries;
    size_t entry_count, entry_room;
    struct anole_history_loss *losses;
    size_t loss_count, loss_room;
    struct anole_history_table record_table, entry_table, loss_table;
    struct anole_history_block *blocks; /* the arena */
    uint64_t last_id;                   /* the largest */
};

void anole_history_store_fini(struct anole_history_store *store);

/* Adds what a TRIAL, BEGUN or WITHDRAWN line says (of a NEWER one, its id), unless the very line
 * was added before (in a file that two others were joined to).  Unchanged on failure. */
enum anole_status anole_history_store_add(struct anole_history_store *store,
                                          const struct anole_history_line *line,
                                          struct anole_error *error);

/* The entry of a key, or NULL. */
const struct anole_history_entry *anole_history_store_find(const struct anole_history_store *store,
                                                           struct anole_history_slice key,
                                                           struct anole_history_kind kind);

/* What was lost of this config of a key, or NULL. */
const struct anole_history_loss *anole_history_store_loss(const struct anole_history_store *store,
                                                          uint32_t key,
                                                          struct anole_history_slice knobs);

/* What came of a record that is no BEGUN. */
void anole_history_record_result(struct anole_result *result,
                                 const struct anole_history_record *record);

#endif
