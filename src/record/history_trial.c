/* SPDX-License-Identifier: MIT
 *
 * Looking at the trials of a history one by one, without a space.
 */
#include "record/history_private.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Whether a record that was begun has not ended; and how often its config was
 * lost. */
static size_t count_lost(const struct anole_history *history, size_t at, bool *open)
{
    const struct anole_history_record *records = history->store.records;
    const struct anole_history_entry *entry = &history->store.entries[records[at].key];
    size_t times = 0;
    *open = false;
    for (size_t i = 0; i < entry->lost_count; i++) {
        times += anole_history_slice_equal(records[entry->lost[i]].knobs, records[at].knobs);
        *open |= records[at].begun && entry->lost[i] == at;
    }
    return times;
}

static bool fill(const struct anole_history *history, size_t at, struct anole_history_event *trial)
{
    const struct anole_history_record *record = &history->store.records[at];
    bool open;
    size_t lost = count_lost(history, at, &open);
    if ((record->begun && !open) ||
        !anole_history_decode_key(&trial->found, &history->store.entries[record->key]) ||
        !anole_history_line_knobs(trial->names, trial->values, &trial->knob_count, record->knobs))
        return false;
    trial->id = record->id;
    trial->ended = !record->begun;
    trial->quarantined = lost >= ANOLE_HISTORY_QUARANTINE;
    if (trial->ended) {
        anole_history_record_result(&trial->result, record);
        return true;
    }
    trial->result = (struct anole_result){
        .outcome = ANOLE_OUTCOME_CRASH, .seconds = NAN, .low = NAN, .high = NAN, .error = NAN};
    snprintf(trial->result.message, sizeof trial->result.message,
             "it was begun, and the tuner or the machine ended before it did");
    return true;
}

bool anole_history_next_event(const struct anole_history *history, size_t *next,
                              struct anole_history_event *trial)
{
    while (*next < history->store.record_count)
        if (fill(history, (*next)++, trial))
            return true;
    return false;
}

bool anole_history_find_event(const struct anole_history *history, uint64_t id,
                              struct anole_history_event *trial)
{
    for (size_t i = 0; i < history->store.record_count; i++)
        if (history->store.records[i].id == id && fill(history, i, trial))
            return true;
    return false;
}
