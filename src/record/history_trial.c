/* SPDX-License-Identifier: MIT
 *
 * Looking at the trials of a history one by one, without a space.
 */
#include "record/history_private.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool fill(const struct anole_history *history, size_t at, struct anole_history_event *trial)
{
    const struct anole_history_record *record = &history->store.records[at];
    const struct anole_history_loss *loss =
        anole_history_store_loss(&history->store, record->key, record->knobs);
    if ((record->begun && !record->open) ||
        !anole_history_decode_key(&trial->found, &history->store.entries[record->key]) ||
        !anole_history_line_knobs(trial->names, trial->values, &trial->knob_count, record->knobs))
        return false;
    trial->id = record->id;
    trial->ended = !record->begun;
    trial->quarantined = loss && loss->count >= ANOLE_HISTORY_QUARANTINE;
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
