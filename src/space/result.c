/* SPDX-License-Identifier: MIT */
#include "space/result.h"

#include <string.h>

static const char *const texts[] = {
#define X(name, text, words) text,
    ANOLE_OUTCOME_MAP(X)
#undef X
};

static const char *const meanings[] = {
#define X(name, text, words) words,
    ANOLE_OUTCOME_MAP(X)
#undef X
};

const char *anole_outcome_text(enum anole_outcome outcome)
{
    return (unsigned)outcome < ANOLE_OUTCOME_COUNT ? texts[outcome] : "unknown";
}

const char *anole_outcome_words(enum anole_outcome outcome)
{
    return (unsigned)outcome < ANOLE_OUTCOME_COUNT ? meanings[outcome] : "unknown";
}

bool anole_outcome_parse(enum anole_outcome *outcome, const char *text)
{
    for (int i = 0; i < ANOLE_OUTCOME_COUNT; i++) {
        if (strcmp(texts[i], text) == 0) {
            *outcome = (enum anole_outcome)i;
            return true;
        }
    }
    return false;
}
