/* SPDX-License-Identifier: MIT */
#include "cli/history_filter.h"

#include "base/text.h"
#include "op/task.h"

#include <stdio.h>
#include <string.h>

static enum anole_status take_outcome(uint32_t *outcomes, const char *value,
                                      struct anole_error *error)
{
    enum anole_outcome outcome;
    char safe[64];
    if (strcmp(value, "failed") == 0) {
        *outcomes |=
            ((UINT32_C(1) << ANOLE_OUTCOME_COUNT) - 1) & ~(UINT32_C(1) << ANOLE_OUTCOME_OK);
        return ANOLE_DONE;
    }
    if (!anole_outcome_parse(&outcome, value))
        return anole_fail(
            error, ANOLE_ERR_USAGE,
            "--outcome: expected ok, invalid, compile, launch, wrong-answer, timeout, "
            "crash or failed, found '%s'",
            anole_text_printable(safe, sizeof safe, value));
    *outcomes |= UINT32_C(1) << outcome;
    return ANOLE_DONE;
}

/* "2026", "2026-01-31", "2026-01-31T12:00:00Z": the beginning of a time. */
static enum anole_status take_date(const char **out, const char *name, const char *value,
                                   struct anole_error *error)
{
    static const char pattern[] = "0000-00-00T00:00:00Z";
    const size_t length = strlen(value);
    char safe[64];
    bool good = length >= 4 && length < sizeof pattern;
    for (size_t i = 0; good && i < length; i++)
        good = pattern[i] == '0' ? value[i] >= '0' && value[i] <= '9' : value[i] == pattern[i];
    if (!good)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "--%s: expected a date such as 2026-01-31 or 2026-01-31T12:00:00Z, found "
                          "'%s'",
                          name, anole_text_printable(safe, sizeof safe, value));
    *out = value;
    return ANOLE_DONE;
}

enum anole_status anole_filter_take(struct anole_history_filter *filter, size_t index,
                                    const char *value, struct anole_error *error)
{
    switch (index) {
    case ANOLE_FILTER_TASK:
        filter->task = value;
        break;
    case ANOLE_FILTER_DEVICE:
        filter->device = value;
        break;
    case ANOLE_FILTER_BACKEND:
        filter->backend = value;
        break;
    case ANOLE_FILTER_DRIVER:
        filter->driver = value;
        break;
    case ANOLE_FILTER_OUTCOME:
        return take_outcome(&filter->outcomes, value, error);
    case ANOLE_FILTER_SINCE:
        return take_date(&filter->since, "since", value, error);
    case ANOLE_FILTER_UNTIL:
        return take_date(&filter->until, "until", value, error);
    }
    return ANOLE_DONE;
}

const char *anole_filter_label(char *out, size_t size, const struct anole_history_key *key)
{
    struct anole_task task;
    char label[64], shown[160];
    const char *text = anole_task_parse_key(&task, key->task, NULL) == ANOLE_DONE
                           ? anole_task_label(label, sizeof label, &task)
                           : key->task;
    const bool hot = key->warmth == ANOLE_WARMTH_HOT;
    snprintf(out, size, "%s%s%s", anole_text_printable(shown, sizeof shown, text), hot ? "" : ", ",
             hot ? "" : anole_warmth_text(key->warmth));
    return out;
}

const char *anole_filter_knobs(char *out, size_t size, struct anole_history_slice knobs)
{
    char names[ANOLE_MAX_KNOBS][ANOLE_KNOB_NAME];
    int64_t values[ANOLE_MAX_KNOBS];
    size_t count, used = 0;
    out[0] = '\0';
    if (!anole_history_line_knobs(names, values, &count, knobs))
        return out;
    for (size_t i = 0; i < count && used < size; i++) {
        int n = snprintf(out + used, size - used, "%s%s=%lld", i ? " " : "", names[i],
                         (long long)values[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    return out;
}

void anole_filter_report(const struct anole_history_stream *stream)
{
    if (stream->repeated)
        printf("%zu trial%s met more than once, and counted once\n", stream->repeated,
               stream->repeated == 1 ? " was" : "s were");
    if (stream->damaged || stream->newer)
        printf("left out: %zu damaged lines, %zu of a newer Anole\n", stream->damaged,
               stream->newer);
}
