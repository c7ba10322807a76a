/* SPDX-License-Identifier: MIT */
#include "space/result.h"

#include <math.h>
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

void anole_result_clear(struct anole_result *result)
{
    *result = (struct anole_result){
        .outcome = ANOLE_OUTCOME_OK, .seconds = NAN, .low = NAN, .high = NAN, .error = NAN};
}

static const char *const warmths[] = {
#define X(name, text) text,
    ANOLE_WARMTH_MAP(X)
#undef X
};

const char *anole_warmth_text(enum anole_warmth warmth)
{
    return (unsigned)warmth < ANOLE_WARMTH_COUNT ? warmths[warmth] : "unknown";
}

bool anole_warmth_parse(enum anole_warmth *warmth, const char *text)
{
    for (int i = 0; i < ANOLE_WARMTH_COUNT; i++) {
        if (strcmp(warmths[i], text) == 0) {
            *warmth = (enum anole_warmth)i;
            return true;
        }
    }
    return false;
}

static const char *const timers[] = {
#define X(name, text) text,
    ANOLE_TIMER_MAP(X)
#undef X
};

const char *anole_timer_text(enum anole_timer timer)
{
    return (unsigned)timer < ANOLE_TIMER_COUNT ? timers[timer] : "unknown";
}

bool anole_timer_parse(enum anole_timer *timer, const char *text)
{
    for (int i = 0; i < ANOLE_TIMER_COUNT; i++) {
        if (strcmp(timers[i], text) == 0) {
            *timer = (enum anole_timer)i;
            return true;
        }
    }
    return false;
}

bool anole_timer_alike(enum anole_timer a, enum anole_timer b)
{
    return a == b || a == ANOLE_TIMER_UNSAID || b == ANOLE_TIMER_UNSAID;
}

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

/* ------------------------------------------------------------------- metrics */

static const struct {
    const char *text, *unit;
    bool less_is_better;
    size_t member; /* of struct anole_result, a double */
} metrics[] = {
#define X(name, text, unit, less_is_better, member)                                                \
    {text, unit, less_is_better, offsetof(struct anole_result, member)},
    ANOLE_METRIC_MAP(X)
#undef X
};

const char *anole_metric_text(enum anole_metric metric)
{
    return (unsigned)metric < ANOLE_METRIC_COUNT ? metrics[metric].text : "unknown";
}

const char *anole_metric_unit(enum anole_metric metric)
{
    return (unsigned)metric < ANOLE_METRIC_COUNT ? metrics[metric].unit : "unknown";
}

bool anole_metric_parse(enum anole_metric *metric, const char *text)
{
    for (int i = 0; i < ANOLE_METRIC_COUNT; i++) {
        if (strcmp(metrics[i].text, text) == 0) {
            *metric = (enum anole_metric)i;
            return true;
        }
    }
    return false;
}

double anole_metric_cost(enum anole_metric metric, double value)
{
    if ((unsigned)metric >= ANOLE_METRIC_COUNT)
        return NAN;
    return metrics[metric].less_is_better ? value : 1.0 / value;
}

double anole_result_value(const struct anole_result *result)
{
    double value;
    if (result->outcome != ANOLE_OUTCOME_OK || (unsigned)result->metric >= ANOLE_METRIC_COUNT)
        return NAN;
    memcpy(&value, (const char *)result + metrics[result->metric].member, sizeof value);
    return value;
}

double anole_result_cost(const struct anole_result *result)
{
    if (result->outcome != ANOLE_OUTCOME_OK)
        return INFINITY;
    return anole_metric_cost(result->metric, anole_result_value(result));
}

bool anole_result_better(const struct anole_result *a, const struct anole_result *b)
{
    bool a_ok = a->outcome == ANOLE_OUTCOME_OK, b_ok = b->outcome == ANOLE_OUTCOME_OK;
    if (!a_ok || !b_ok)
        return a_ok && !b_ok;
    if (a->abandoned != b->abandoned)
        return b->abandoned;
    return anole_result_cost(a) < anole_result_cost(b);
}
