/* SPDX-License-Identifier: MIT
 *
 * Configs of a design space: digits, values, text, validity.
 */
#include "space/space_private.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

size_t anole_space_knob_count(const struct anole_space *space)
{
    return space->knob_count;
}

const struct anole_space_knob *anole_space_knob(const struct anole_space *space, size_t knob)
{
    return knob < space->knob_count ? &space->knobs[knob] : NULL;
}

size_t anole_space_find_knob(const struct anole_space *space, const char *name)
{
    for (size_t k = 0; k < space->knob_count; k++) {
        if (strcmp(space->knobs[k].name, name) == 0)
            return k;
    }
    return SIZE_MAX;
}

uint64_t anole_space_size(const struct anole_space *space)
{
    return space->size;
}

uint64_t anole_space_default(const struct anole_space *space)
{
    return space->default_config;
}

uint64_t anole_space_fingerprint(const struct anole_space *space)
{
    return space->fingerprint;
}

/* -------------------------------------------------------- digits and values */

uint64_t anole_space_encode(const struct anole_space *space, const uint16_t *digits)
{
    uint64_t config = 0;
    for (size_t k = 0; k < space->knob_count; k++)
        config += digits[k] * space->strides[k];
    return config;
}

void anole_space_decode(const struct anole_space *space, uint64_t config, uint16_t *digits)
{
    for (size_t k = space->knob_count; k-- > 0;) {
        /* Division by multiplication: the quotient is at most one too small,
         * for an index is below 2^64 and the reciprocal less than one short. */
        uint64_t count = space->knobs[k].count;
        uint64_t quotient =
            count == 1 ? config
                       : (uint64_t)(((unsigned __int128)config * space->reciprocals[k]) >> 64);
        uint64_t rest = config - quotient * count;
        bool short_by_one = rest >= count;
        digits[k] = (uint16_t)(rest - (short_by_one ? count : 0));
        config = quotient + short_by_one;
    }
}

void anole_space_values(const struct anole_space *space, uint64_t config, int64_t *values)
{
    uint16_t digits[ANOLE_MAX_KNOBS];
    anole_space_decode(space, config, digits);
    for (size_t k = 0; k < space->knob_count; k++)
        values[k] = space->knobs[k].values[digits[k]];
}

static enum anole_status fail_unknown_knob(const struct anole_space *space, const char *name,
                                           struct anole_error *error)
{
    const char *names[ANOLE_MAX_KNOBS];
    char shown[128];
    for (size_t k = 0; k < space->knob_count; k++)
        names[k] = space->knobs[k].name;
    const char *near = anole_text_nearest(name, names, space->knob_count);
    anole_text_printable(shown, sizeof shown, name);
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "expected the name of one of the space's %zu knobs, found '%s'%s%s%s",
                      space->knob_count, shown, near ? "; did you mean '" : "", near ? near : "",
                      near ? "'?" : "");
}

/* Sets *digit to the position of a value in a knob's list. */
static enum anole_status find_value(uint16_t *digit, const struct anole_space_knob *knob,
                                    int64_t value, struct anole_error *error)
{
    for (uint32_t i = 0; i < knob->count; i++) {
        if (knob->values[i] == value) {
            *digit = (uint16_t)i;
            return ANOLE_DONE;
        }
    }
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "knob '%s': expected one of its %" PRIu32 " values (%" PRId64 "%s%" PRId64
                      "), found %" PRId64 "; was the config made for another space?",
                      knob->name, knob->count, knob->values[0], knob->count > 2 ? " ... " : ", ",
                      knob->values[knob->count - 1], value);
}

enum anole_status anole_space_lookup(const struct anole_space *space, uint64_t *config,
                                     const char *const *names, const int64_t *values, size_t count,
                                     struct anole_error *error)
{
    uint16_t digits[ANOLE_MAX_KNOBS];
    uint64_t seen = 0;
    for (size_t i = 0; i < count; i++) {
        size_t k = anole_space_find_knob(space, names[i]);
        if (k == SIZE_MAX)
            return fail_unknown_knob(space, names[i], error);
        if (seen >> k & 1)
            return anole_fail(error, ANOLE_ERR_INPUT, "knob '%s': expected one value, found two",
                              space->knobs[k].name);
        seen |= UINT64_C(1) << k;
        enum anole_status status = find_value(&digits[k], &space->knobs[k], values[i], error);
        if (status != ANOLE_DONE)
            return status;
    }
    for (size_t k = 0; k < space->knob_count; k++) {
        if (!(seen >> k & 1))
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "knob '%s': expected a value for each of the space's %zu knobs, "
                              "found none for this one",
                              space->knobs[k].name, space->knob_count);
    }
    *config = anole_space_encode(space, digits);
    return ANOLE_DONE;
}

const char *anole_space_describe(const struct anole_space *space, char *out, size_t size,
                                 uint64_t config)
{
    uint16_t digits[ANOLE_MAX_KNOBS];
    size_t used = 0;
    if (size == 0)
        return out;
    out[0] = '\0';
    anole_space_decode(space, config, digits);
    for (size_t k = 0; k < space->knob_count && used < size; k++) {
        const struct anole_space_knob *knob = &space->knobs[k];
        char value[128];
        if (knob->labels)
            anole_text_printable(value, sizeof value, knob->labels[digits[k]]);
        else
            snprintf(value, sizeof value, "%" PRId64, knob->values[digits[k]]);
        int n = snprintf(out + used, size - used, "%s%s=%s", k ? " " : "", knob->name, value);
        used += n > 0 ? (size_t)n : 0;
    }
    return out;
}

/* ----------------------------------------------------------------- validity */

static void gather_values(const struct anole_space *space, const uint16_t *digits, int64_t *values)
{
    for (size_t k = 0; k < space->knob_count; k++)
        values[k] = space->knobs[k].values[digits[k]];
}

bool anole_space_meets(const struct anole_space *space, size_t constraint, const int64_t *values)
{
    double result;
    return anole_expression_evaluate(space->constraints[constraint].expression, values, &result) &&
           result != 0.0;
}

bool anole_space_callback_valid(const struct anole_space *space, const uint16_t *digits)
{
    int64_t values[ANOLE_MAX_KNOBS];
    if (!space->validity)
        return true;
    gather_values(space, digits, values);
    return space->validity(space->validity_context, values, space->knob_count);
}

bool anole_space_valid_digits(const struct anole_space *space, const uint16_t *digits)
{
    for (size_t t = 0; t < space->table_count; t++) {
        const struct anole_space_table *table = &space->tables[t];
        size_t index = 0;
        for (size_t i = 0; i < table->term_count; i++)
            index += (size_t)digits[table->terms[i].knob] * table->terms[i].stride;
        if (!(table->bits[index / 64] >> (index % 64) & 1))
            return false;
    }
    if (space->program_count == 0 && !space->validity)
        return space->finished;
    int64_t values[ANOLE_MAX_KNOBS];
    gather_values(space, digits, values);
    for (size_t i = 0; i < space->program_count; i++) {
        if (!anole_space_meets(space, space->programs[i], values))
            return false;
    }
    return !space->validity || space->validity(space->validity_context, values, space->knob_count);
}

bool anole_space_valid(const struct anole_space *space, uint64_t config)
{
    uint16_t digits[ANOLE_MAX_KNOBS];
    if (config >= space->size)
        return false;
    anole_space_decode(space, config, digits);
    return anole_space_valid_digits(space, digits);
}

const char *anole_space_violation(const struct anole_space *space, uint64_t config)
{
    int64_t values[ANOLE_MAX_KNOBS];
    if (config >= space->size)
        return "the space has fewer configs";
    anole_space_values(space, config, values);
    for (size_t c = 0; c < space->constraint_count; c++) {
        if (!anole_space_meets(space, c, values))
            return space->constraints[c].violation;
    }
    if (space->validity && !space->validity(space->validity_context, values, space->knob_count))
        return "the backend's own check refuses it";
    return NULL;
}
