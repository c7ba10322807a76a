/* SPDX-License-Identifier: MIT */
#include "measure/task_store.h"

#include "exec/task_file.h"

#include <string.h>
#include <unistd.h>

void anole_task_store_init(struct anole_task_store *store, size_t limit)
{
    *store = (struct anole_task_store){.limit = limit};
}

void anole_task_store_drop(struct anole_task_store *store, struct anole_stored_task *entry)
{
    if (entry->number == 0)
        return;
    if (entry->file >= 0)
        close(entry->file);
    store->bytes -= entry->bytes;
    *entry = (struct anole_stored_task){.file = -1};
}

void anole_task_store_fini(struct anole_task_store *store)
{
    for (size_t i = 0; i < ANOLE_TASK_STORE_ENTRIES; i++)
        anole_task_store_drop(store, &store->entries[i]);
}

/* The place to use next: a free one, or that of the least recently used. */
static struct anole_stored_task *oldest(struct anole_task_store *store)
{
    struct anole_stored_task *found = NULL;
    for (size_t i = 0; i < ANOLE_TASK_STORE_ENTRIES; i++) {
        struct anole_stored_task *entry = &store->entries[i];
        if (entry->number != 0 && (!found || entry->used < found->used))
            found = entry;
    }
    return found;
}

static struct anole_stored_task *make_room(struct anole_task_store *store, size_t bytes)
{
    struct anole_stored_task *old;
    while (store->bytes > 0 && store->bytes + bytes > store->limit && (old = oldest(store)))
        anole_task_store_drop(store, old);
    for (size_t i = 0; i < ANOLE_TASK_STORE_ENTRIES; i++)
        if (store->entries[i].number == 0)
            return &store->entries[i];
    old = oldest(store);
    anole_task_store_drop(store, old);
    return old;
}

bool anole_task_store_ready(const struct anole_task_store *store, const struct anole_task *task)
{
    char key[ANOLE_TASK_KEY];
    anole_task_key(key, task);
    for (size_t i = 0; i < ANOLE_TASK_STORE_ENTRIES; i++) {
        const struct anole_stored_task *entry = &store->entries[i];
        if (entry->number != 0 && strcmp(entry->key, key) == 0)
            return entry->ready;
    }
    return false;
}

enum anole_status anole_task_store_get(struct anole_stored_task **entry,
                                       struct anole_task_store *store,
                                       const struct anole_task *task, bool data,
                                       struct anole_error *error)
{
    char key[ANOLE_TASK_KEY];
    anole_task_key(key, task);
    for (size_t i = 0; i < ANOLE_TASK_STORE_ENTRIES; i++) {
        struct anole_stored_task *old = &store->entries[i];
        if (old->number != 0 && strcmp(old->key, key) == 0) {
            old->used = ++store->uses;
            *entry = old;
            return ANOLE_DONE;
        }
    }
    size_t bytes = data ? anole_task_file_size(task) : 0;
    struct anole_stored_task *new = make_room(store, bytes);
    int file = -1;
    if (data) {
        enum anole_status status = anole_task_file_create(&file, bytes, error);
        if (status != ANOLE_DONE)
            return status;
    }
    *new = (struct anole_stored_task){.number = ++store->numbers,
                                      .used = ++store->uses,
                                      .task = *task,
                                      .file = file,
                                      .bytes = bytes,
                                      .ready = !data};
    memcpy(new->key, key, sizeof key);
    store->bytes += bytes;
    *entry = new;
    return ANOLE_DONE;
}
