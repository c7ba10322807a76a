/* SPDX-License-Identifier: MIT */
#include "record/history_store.h"

#include "base/hash.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ID (UINT64_MAX / 4)
#define BLOCK_ROOM ((size_t)1 << 16)

/* --------------------------------------------------------------------- arena */

struct anole_history_block {
    struct anole_history_block *next;
    size_t used, room;
    char data[];
};

/* A copy, NUL-terminated; or NULL. */
static char *keep(struct anole_history_store *store, const char *data, size_t length)
{
    struct anole_history_block *block = store->blocks;
    if (!block || block->room - block->used <= length) {
        size_t room = length < BLOCK_ROOM ? BLOCK_ROOM : length + 1;
        block = malloc(sizeof *block + room);
        if (!block)
            return NULL;
        block->room = room;
        block->used = 0;
        block->next = store->blocks;
        store->blocks = block;
    }
    char *copy = block->data + block->used;
    memcpy(copy, data, length);
    copy[length] = '\0';
    block->used += length + 1;
    return copy;
}

/* The array with room for one more, or NULL: then it is as it was. */
static void *grow(void *array, size_t *room, size_t count, size_t size)
{
    size_t wanted = *room ? *room * 2 : 16;
    if (count < *room)
        return array;
    if (wanted > SIZE_MAX / size || count >= ANOLE_HISTORY_NONE - 1)
        return NULL;
    void *larger = realloc(array, wanted * size);
    if (larger)
        *room = wanted;
    return larger;
}

/* --------------------------------------------------------------------- table */

/* Open addressing with steps of one. */
static void table_put(struct anole_history_table *table, uint64_t hash, uint32_t value)
{
    size_t i = hash & (table->room - 1);
    while (table->slots[i].value != ANOLE_HISTORY_NONE)
        i = (i + 1) & (table->room - 1);
    table->slots[i] = (struct anole_history_slot){hash, value};
    table->used++;
}

/* Makes room for one more; at most half is used. */
static bool table_reserve(struct anole_history_table *table)
{
    struct anole_history_table larger = {.room = table->room ? table->room * 2 : 64};
    if (table->used + 1 <= table->room / 2)
        return true;
    larger.slots = calloc(larger.room, sizeof *larger.slots);
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < larger.room; i++)
        larger.slots[i].value = ANOLE_HISTORY_NONE;
    for (size_t i = 0; i < table->room; i++)
        if (table->slots[i].value != ANOLE_HISTORY_NONE)
            table_put(&larger, table->slots[i].hash, table->slots[i].value);
    free(table->slots);
    *table = larger;
    return true;
}

/* The next value under this hash, or NONE.  *probe: 0 at first. */
static uint32_t table_next(const struct anole_history_table *table, uint64_t hash, size_t *probe)
{
    while (table->room) {
        const struct anole_history_slot *slot =
            &table->slots[(hash + (*probe)++) & (table->room - 1)];
        if (slot->value == ANOLE_HISTORY_NONE || slot->hash == hash)
            return slot->value;
    }
    return ANOLE_HISTORY_NONE;
}

/* ------------------------------------------------------------------- entries */

/* FNV's low bits are good, but those of short texts alike: mix once more. */
static uint64_t hash_slice(struct anole_history_slice slice)
{
    return anole_hash_combine(anole_hash_bytes(slice.data, slice.length), slice.length);
}

static struct anole_history_kind kind_of(const struct anole_history_line *line)
{
    return (struct anole_history_kind){(enum anole_metric)line->metric,
                                       (enum anole_warmth)line->warmth};
}

static bool is_entry(const struct anole_history_entry *entry, struct anole_history_slice key,
                     struct anole_history_kind kind)
{
    return entry->kind.metric == kind.metric && entry->kind.warmth == kind.warmth &&
           anole_history_slice_equal(entry->text, key);
}

static uint32_t find_entry(const struct anole_history_store *store, struct anole_history_slice key,
                           struct anole_history_kind kind)
{
    /* Neighbours in a file are of one task, mostly. */
    if (store->record_count) {
        uint32_t last = store->records[store->record_count - 1].key;
        if (is_entry(&store->entries[last], key, kind))
            return last;
    }
    uint64_t hash = hash_slice(key);
    size_t probe = 0;
    uint32_t found;
    while ((found = table_next(&store->entry_table, hash, &probe)) != ANOLE_HISTORY_NONE)
        if (is_entry(&store->entries[found], key, kind))
            break;
    return found;
}

const struct anole_history_entry *anole_history_store_find(const struct anole_history_store *store,
                                                           struct anole_history_slice key,
                                                           struct anole_history_kind kind)
{
    uint32_t found = find_entry(store, key, kind);
    return found == ANOLE_HISTORY_NONE ? NULL : &store->entries[found];
}

static uint32_t add_entry(struct anole_history_store *store, struct anole_history_slice key,
                          struct anole_history_kind kind)
{
    struct anole_history_entry *entries =
        grow(store->entries, &store->entry_room, store->entry_count, sizeof *entries);
    if (!entries)
        return ANOLE_HISTORY_NONE;
    store->entries = entries;
    if (!table_reserve(&store->entry_table))
        return ANOLE_HISTORY_NONE;
    struct anole_history_entry *entry = &entries[store->entry_count];
    memset(entry, 0, sizeof *entry);
    entry->text = (struct anole_history_slice){keep(store, key.data, key.length), key.length};
    if (!entry->text.data)
        return ANOLE_HISTORY_NONE;
    anole_history_line_fields(&entry->fields, entry->text);
    entry->first = entry->last = entry->losses = ANOLE_HISTORY_NONE;
    entry->count.best = NAN;
    entry->kind = kind;
    table_put(&store->entry_table, hash_slice(key), (uint32_t)store->entry_count);
    return (uint32_t)store->entry_count++;
}

/* ------------------------------------------------------------------- records */

static uint64_t hash_record(uint32_t crc, uint64_t id)
{
    return anole_hash_combine(crc, id);
}

static bool is_known(const struct anole_history_store *store, const struct anole_history_line *line,
                     struct anole_history_slice key)
{
    uint64_t hash = hash_record(line->crc, line->id);
    size_t probe = 0;
    uint32_t found;
    while ((found = table_next(&store->record_table, hash, &probe)) != ANOLE_HISTORY_NONE) {
        const struct anole_history_record *record = &store->records[found];
        if (record->crc == line->crc && record->id == line->id &&
            anole_history_slice_equal(record->knobs, line->knobs) &&
            is_entry(&store->entries[record->key], key, kind_of(line)))
            return true;
    }
    return false;
}

/* Numbers are given once.  Those that no history gets to leave room for the next. */
static void note_id(struct anole_history_store *store, uint64_t id)
{
    if (id > store->last_id && id <= MOST_ID)
        store->last_id = id;
}

/* Fills a record but for its place in the list of its key. */
static bool fill_record(struct anole_history_store *store, struct anole_history_record *record,
                        const struct anole_history_line *line)
{
    const struct anole_result *result = &line->result;
    *record = (struct anole_history_record){
        .knobs = {keep(store, line->knobs.data, line->knobs.length), line->knobs.length},
        .id = line->id,
        .crc = line->crc,
        .next = ANOLE_HISTORY_NONE,
        .before = ANOLE_HISTORY_NONE,
        .outcome = (uint8_t)result->outcome,
        .begun = line->kind != ANOLE_HISTORY_LINE_TRIAL,
        .withdrawn = line->kind == ANOLE_HISTORY_LINE_WITHDRAWN,
    };
    memcpy(record->result, result, sizeof record->result);
    if (result->message[0])
        record->message = keep(store, result->message, strlen(result->message));
    return record->knobs.data && (record->message || !result->message[0]);
}

static void count_result(struct anole_history_count *count,
                         const struct anole_history_record *record)
{
    struct anole_result result;
    anole_history_record_result(&result, record);
    count->trials++;
    count->by_outcome[result.outcome]++;
    if (result.outcome == ANOLE_OUTCOME_OK && !result.abandoned &&
        !(anole_result_cost(&result) >= anole_metric_cost(result.metric, count->best)))
        count->best = anole_result_value(&result);
}

static uint64_t hash_loss(uint32_t key, struct anole_history_slice knobs)
{
    return anole_hash_combine(hash_slice(knobs), key);
}

static uint32_t find_loss(const struct anole_history_store *store, uint32_t key,
                          struct anole_history_slice knobs)
{
    uint64_t hash = hash_loss(key, knobs);
    size_t probe = 0;
    uint32_t found;
    while ((found = table_next(&store->loss_table, hash, &probe)) != ANOLE_HISTORY_NONE)
        if (store->losses[found].key == key &&
            anole_history_slice_equal(store->losses[found].knobs, knobs))
            break;
    return found;
}

const struct anole_history_loss *anole_history_store_loss(const struct anole_history_store *store,
                                                          uint32_t key,
                                                          struct anole_history_slice knobs)
{
    uint32_t found = find_loss(store, key, knobs);
    return found == ANOLE_HISTORY_NONE ? NULL : &store->losses[found];
}

/* A trial ends what was begun with the same config, the last of them. */
static void end_begun(struct anole_history_store *store, uint32_t key,
                      struct anole_history_slice knobs)
{
    uint32_t at = find_loss(store, key, knobs);
    if (at == ANOLE_HISTORY_NONE || store->losses[at].open == ANOLE_HISTORY_NONE)
        return;
    struct anole_history_loss *loss = &store->losses[at];
    struct anole_history_record *begun = &store->records[loss->open];
    begun->open = false;
    loss->open = begun->before;
    loss->count--;
}

/* There is room for one more. */
static void add_loss(struct anole_history_store *store, uint32_t index)
{
    struct anole_history_record *record = &store->records[index];
    struct anole_history_entry *entry = &store->entries[record->key];
    uint32_t at = find_loss(store, record->key, record->knobs);
    if (at == ANOLE_HISTORY_NONE) {
        at = (uint32_t)store->loss_count++;
        store->losses[at] = (struct anole_history_loss){.knobs = record->knobs,
                                                        .key = record->key,
                                                        .open = ANOLE_HISTORY_NONE,
                                                        .next = entry->losses};
        entry->losses = at;
        table_put(&store->loss_table, hash_loss(record->key, record->knobs), at);
    }
    struct anole_history_loss *loss = &store->losses[at];
    loss->count++;
    if (!record->begun)
        return;
    record->open = true;
    record->before = loss->open;
    loss->open = index;
}

/* Nothing can fail any more. */
static void link_record(struct anole_history_store *store, uint32_t key)
{
    uint32_t index = (uint32_t)store->record_count++;
    struct anole_history_record *record = &store->records[index];
    struct anole_history_entry *entry = &store->entries[key];
    record->key = key;
    if (entry->first == ANOLE_HISTORY_NONE)
        entry->first = index;
    else
        store->records[entry->last].next = index;
    entry->last = index;
    if (!record->begun || record->withdrawn)
        end_begun(store, key, record->knobs);
    if (!record->begun)
        count_result(&entry->count, record);
    if ((record->begun && !record->withdrawn) || record->outcome == ANOLE_OUTCOME_CRASH ||
        record->outcome == ANOLE_OUTCOME_TIMEOUT)
        add_loss(store, index);
    table_put(&store->record_table, hash_record(record->crc, record->id), index);
    note_id(store, record->id);
}

/* Room for one more record, also among the losses. */
static bool reserve_record(struct anole_history_store *store)
{
    struct anole_history_record *records =
        grow(store->records, &store->record_room, store->record_count, sizeof *records);
    if (!records)
        return false;
    store->records = records;
    struct anole_history_loss *losses =
        grow(store->losses, &store->loss_room, store->loss_count, sizeof *losses);
    if (!losses)
        return false;
    store->losses = losses;
    return table_reserve(&store->loss_table) && table_reserve(&store->record_table);
}

static enum anole_status add(struct anole_history_store *store,
                             const struct anole_history_line *line,
                             struct anole_history_slice key_text, struct anole_error *error)
{
    const struct anole_history_kind kind = kind_of(line);
    if (is_known(store, line, key_text))
        return ANOLE_DONE;
    uint32_t key = find_entry(store, key_text, kind);
    if (key == ANOLE_HISTORY_NONE)
        key = add_entry(store, key_text, kind);
    if (key == ANOLE_HISTORY_NONE || !reserve_record(store) ||
        !fill_record(store, &store->records[store->record_count], line))
        return anole_fail_memory(error);
    link_record(store, key);
    return ANOLE_DONE;
}

enum anole_status anole_history_store_add(struct anole_history_store *store,
                                          const struct anole_history_line *line,
                                          struct anole_error *error)
{
    if (line->kind == ANOLE_HISTORY_LINE_NEWER) {
        note_id(store, line->id);
        return ANOLE_DONE;
    }
    if (line->key.data)
        return add(store, line, line->key, error);
    struct anole_text text = {0};
    anole_history_line_write_fields(&text, &line->fields);
    enum anole_status status =
        text.failed ? anole_fail_memory(error)
                    : add(store, line, (struct anole_history_slice){text.data, text.length}, error);
    anole_text_fini(&text);
    return status;
}

void anole_history_record_result(struct anole_result *result,
                                 const struct anole_history_record *record)
{
    memcpy(result, record->result, sizeof record->result);
    snprintf(result->message, sizeof result->message, "%s", record->message ? record->message : "");
}

void anole_history_store_fini(struct anole_history_store *store)
{
    free(store->entries);
    free(store->losses);
    free(store->loss_table.slots);
    free(store->records);
    free(store->entry_table.slots);
    free(store->record_table.slots);
    while (store->blocks) {
        struct anole_history_block *next = store->blocks->next;
        free(store->blocks);
        store->blocks = next;
    }
}
