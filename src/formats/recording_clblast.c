/* SPDX-License-Identifier: MIT
 *
 * What CLBlast's tuners write (clblast_tuner_xgemm and its like): every config that ran and was
 * right, with its time in milliseconds.
 */
#include "formats/recording_private.h"

#include "base/text.h"

#include <string.h>

static enum anole_status read_entry(struct anole_recording_reader *reader, const json_t *entry)
{
    struct anole_recorded recorded = {.outcome = ANOLE_OUTCOME_OK, .samples = 1};
    const json_t *parameters = json_object_get(entry, "parameters");
    const json_t *time = json_object_get(entry, "time");
    char where[384], found[128];
    bool inside;
    reader->recording->counts.entries++;
    if (!json_is_object(parameters))
        return anole_fail(reader->error, ANOLE_ERR_INPUT,
                          "%s: \"parameters\" is %s; expected an object: {\"NAME\": VALUE, ...}",
                          anole_recording_place(reader, where, sizeof where),
                          anole_json_found(found, sizeof found, parameters));
    anole_recording_config(reader, parameters, &inside, &recorded.config);
    if (!inside)
        return ANOLE_DONE;
    if (json_is_number(time) && anole_recording_time(reader, time, &recorded.seconds)) {
        recorded.run = recorded.seconds;
        return anole_recording_take(reader, &recorded);
    }
    reader->recording->counts.unusable++;
    return ANOLE_DONE;
}

/* "device" is the driver's name for it, and what is meant where CLBlast has no better one. */
static enum anole_status read_fact(struct anole_recording_reader *reader, const char *key,
                                   bool *named)
{
    const bool better = strcmp(key, "clblast_device_name") == 0;
    if ((!better && (strcmp(key, "device") != 0 || *named)) ||
        anole_json_scan_peek(&reader->scan) != '"')
        return anole_json_scan_skip(&reader->scan);
    *named |= better;
    return anole_recording_read_device(reader);
}

enum anole_status anole_recording_read_clblast(struct anole_recording_reader *reader)
{
    struct anole_json_scan *scan = &reader->scan;
    char key[32];
    bool more = true, named = false;
    enum anole_status status = ANOLE_DONE;
    while (status == ANOLE_DONE) {
        status = anole_json_scan_member(scan, &more, key, sizeof key);
        if (status != ANOLE_DONE || !more)
            break;
        status = strcmp(key, "results") == 0 && anole_json_scan_peek(scan) == '['
                     ? anole_recording_entries(reader, read_entry)
                     : read_fact(reader, key, &named);
    }
    return status == ANOLE_DONE ? anole_json_scan_end(scan) : status;
}
