/* SPDX-License-Identifier: MIT
 *
 * Making a design space: knobs and constraints come in, and are checked.
 */
#include "space/space_private.h"

#include "base/hash.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_VIOLATION 1024 /* bytes of the text that says why a config is invalid */

enum anole_status anole_space_create(struct anole_space **space, struct anole_error *error)
{
    struct anole_space *made = calloc(1, sizeof *made);
    if (!made)
        return anole_fail_memory(error);
    /* Tens of milliseconds and a few megabytes at the very most. */
    made->limits = (struct anole_space_limits){.table_bits = 65536,
                                               .table_work = UINT64_C(1) << 23,
                                               .machine_edges = 65536,
                                               .machine_work = UINT64_C(1) << 22,
                                               .edges = UINT64_C(1) << 18,
                                               .work = UINT64_C(1) << 20};
    *space = made;
    return ANOLE_DONE;
}

static void knob_fini(struct anole_space_knob *knob)
{
    for (uint32_t i = 0; knob->labels && i < knob->count; i++)
        free((char *)knob->labels[i]);
    free((void *)knob->labels);
    free((void *)knob->values);
}

void anole_space_destroy(struct anole_space *space)
{
    if (!space)
        return;
    for (size_t k = 0; k < space->knob_count; k++)
        knob_fini(&space->knobs[k]);
    for (size_t c = 0; c < space->constraint_count; c++) {
        anole_expression_destroy(space->constraints[c].expression);
        free(space->constraints[c].text);
        free(space->constraints[c].violation);
    }
    for (size_t t = 0; t < space->table_count; t++) {
        free(space->tables[t].terms);
        free(space->tables[t].bits);
    }
    free(space->constraints);
    free(space->tables);
    free(space->programs);
    free(space->touch);
    anole_space_diagram_destroy(space->diagram);
    free(space);
}

static enum anole_status fail_finished(struct anole_error *error)
{
    return anole_fail(error, ANOLE_ERR_USAGE,
                      "a design space was to change after it was finished; add all knobs, then "
                      "all constraints, then finish it");
}

/* -------------------------------------------------------------------- knobs */

static bool is_identifier(const char *name)
{
    size_t i = 0;
    while ((name[i] >= 'a' && name[i] <= 'z') || (name[i] >= 'A' && name[i] <= 'Z') ||
           name[i] == '_' || (i > 0 && name[i] >= '0' && name[i] <= '9'))
        i++;
    return i > 0 && name[i] == '\0';
}

static enum anole_status check_name(const struct anole_space *space, const char *name,
                                    struct anole_error *error)
{
    char shown[128];
    anole_text_printable(shown, sizeof shown, name);
    if (strnlen(name, ANOLE_KNOB_NAME) == ANOLE_KNOB_NAME || !is_identifier(name))
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "knob '%s': expected a name of letters, digits and '_', at most %d "
                          "bytes, that begins with no digit",
                          shown, ANOLE_KNOB_NAME - 1);
    if (anole_expression_reserved(name))
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "knob '%s': expected a name that constraints can use, found a word of "
                          "theirs; choose another",
                          shown);
    if (anole_space_find_knob(space, name) != SIZE_MAX)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "knob '%s': expected a name of its own, found a second knob with it",
                          shown);
    return ANOLE_DONE;
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static enum anole_status check_distinct(const char *name, const int64_t *values, size_t count,
                                        struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    int64_t *sorted = malloc(count * sizeof *sorted);
    if (!sorted)
        return anole_fail_memory(error);
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, ascending);
    for (size_t i = 1; i < count && status == ANOLE_DONE; i++) {
        if (sorted[i] == sorted[i - 1])
            status = anole_fail(error, ANOLE_ERR_INPUT,
                                "knob '%s': expected distinct values, found %" PRId64 " twice",
                                name, sorted[i]);
    }
    free(sorted);
    return status;
}

static enum anole_status check_knob(const struct anole_space *space, const char *name,
                                    const int64_t *values, const char *const *labels, size_t count,
                                    size_t default_digit, struct anole_error *error)
{
    if (space->finished)
        return fail_finished(error);
    if (space->constraint_count > 0)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "a knob came after a constraint; add all knobs first");
    enum anole_status status = check_name(space, name, error);
    if (status != ANOLE_DONE)
        return status;
    if (space->knob_count == ANOLE_MAX_KNOBS)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "knob '%s': expected at most %d knobs, found one more; fix or join some",
                          name, ANOLE_MAX_KNOBS);
    if (count < 1 || count > ANOLE_MAX_KNOB_VALUES)
        return anole_fail(error, ANOLE_ERR_INPUT, "knob '%s': expected 1 to %d values, found %zu",
                          name, ANOLE_MAX_KNOB_VALUES, count);
    if (default_digit >= count)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "knob '%s': expected the position of its default among its %zu values, "
                          "counted from 0, found %zu",
                          name, count, default_digit);
    for (size_t i = 0; labels && i < count; i++) {
        if (!labels[i])
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "knob '%s': expected a label for each of its %zu values, found none "
                              "for value %zu",
                              name, count, i);
    }
    return check_distinct(name, values, count, error);
}

static const char **copy_labels(const char *const *labels, size_t count)
{
    const char **copies = calloc(count, sizeof *copies);
    for (size_t i = 0; copies && i < count; i++) {
        copies[i] = strdup(labels[i]);
        if (copies[i])
            continue;
        while (i-- > 0)
            free((char *)copies[i]);
        free(copies);
        return NULL;
    }
    return copies;
}

enum anole_status anole_space_add_knob(struct anole_space *space, const char *name,
                                       bool categorical, const int64_t *values,
                                       const char *const *labels, size_t count,
                                       size_t default_digit, struct anole_error *error)
{
    enum anole_status status = check_knob(space, name, values, labels, count, default_digit, error);
    if (status != ANOLE_DONE)
        return status;
    struct anole_space_knob knob = {.categorical = categorical,
                                    .count = (uint32_t)count,
                                    .default_digit = (uint32_t)default_digit};
    snprintf(knob.name, sizeof knob.name, "%s", name);
    int64_t *copied_values = malloc(count * sizeof *copied_values);
    if (!copied_values)
        return anole_fail_memory(error);
    memcpy(copied_values, values, count * sizeof *copied_values);
    knob.values = copied_values;
    if (labels) {
        knob.labels = copy_labels(labels, count);
        if (!knob.labels) {
            free(copied_values);
            return anole_fail_memory(error);
        }
    }
    space->knobs[space->knob_count++] = knob;
    return ANOLE_DONE;
}

/* -------------------------------------------------------------- constraints */

/* "expression: why", printable, or NULL without memory. */
static char *violation_text(const char *expression, const char *why)
{
    char *text = malloc(MAX_VIOLATION);
    if (!text)
        return NULL;
    anole_text_printable(text, MAX_VIOLATION / 2, expression);
    if (why && why[0]) {
        size_t n = strlen(text);
        memcpy(text + n, ": ", 2);
        anole_text_printable(text + n + 2, MAX_VIOLATION - n - 2, why);
    }
    return text;
}

static enum anole_status parse_constraint(struct anole_space_constraint *constraint,
                                          const struct anole_space *space, const char *expression,
                                          struct anole_error *error)
{
    const char *names[ANOLE_MAX_KNOBS];
    for (size_t k = 0; k < space->knob_count; k++)
        names[k] = space->knobs[k].name;
    enum anole_status status = anole_expression_create(&constraint->expression, expression, names,
                                                       space->knob_count, error);
    if (status != ANOLE_DONE)
        return status;
    for (size_t k = 0; k < space->knob_count; k++) {
        if (anole_expression_uses(constraint->expression, k))
            constraint->knobs |= UINT64_C(1) << k;
    }
    return ANOLE_DONE;
}

enum anole_status anole_space_add_constraint(struct anole_space *space, const char *expression,
                                             const char *why, struct anole_error *error)
{
    struct anole_space_constraint constraint = {0};
    size_t count = space->constraint_count;
    if (space->finished)
        return fail_finished(error);
    if (count == ANOLE_MAX_CONSTRAINTS)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "expected at most %d constraints, found one more; join some with 'and'",
                          ANOLE_MAX_CONSTRAINTS);
    enum anole_status status = parse_constraint(&constraint, space, expression, error);
    if (status != ANOLE_DONE)
        return status;
    status = ANOLE_ERR_MEMORY;
    struct anole_space_constraint *more = reallocarray(space->constraints, count + 1, sizeof *more);
    if (!more)
        goto fail;
    space->constraints = more;
    constraint.text = strdup(expression);
    if (!constraint.text)
        goto fail;
    constraint.violation = violation_text(expression, why);
    if (!constraint.violation)
        goto free_text;
    space->constraints[space->constraint_count++] = constraint;
    return ANOLE_DONE;

free_text:
    free(constraint.text);
fail:
    anole_expression_destroy(constraint.expression);
    return anole_fail_memory(error);
}

void anole_space_set_validity(struct anole_space *space, anole_space_validity *valid, void *context)
{
    if (space->finished)
        return;
    space->validity = valid;
    space->validity_context = context;
}

/* ---------------------------------------------------------------- finishing */

static void measure_values(struct anole_space *space, size_t knob)
{
    const struct anole_space_knob *k = &space->knobs[knob];
    double low = (double)k->values[0], high = low;
    for (uint32_t i = 1; i < k->count; i++) {
        double value = (double)k->values[i];
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    space->low[knob] = low;
    space->high[knob] = high;
}

static enum anole_status measure(struct anole_space *space, struct anole_error *error)
{
    uint64_t size = 1;
    for (size_t k = space->knob_count; k-- > 0;) {
        uint64_t count = space->knobs[k].count;
        space->strides[k] = size;
        space->reciprocals[k] = count > 1 ? (uint64_t)(((unsigned __int128)1 << 64) / count) : 0;
        if (__builtin_mul_overflow(size, count, &size) || size > INT64_MAX)
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "expected a design space of fewer than 2^63 configs, valid or not, "
                              "found more; give the knobs fewer values");
    }
    space->size = size;
    for (size_t k = 0; k < space->knob_count; k++)
        measure_values(space, k);
    return ANOLE_DONE;
}

/* Asks the constraints themselves. */
static bool is_default_valid(const struct anole_space *space)
{
    int64_t values[ANOLE_MAX_KNOBS];
    for (size_t k = 0; k < space->knob_count; k++)
        values[k] = space->knobs[k].values[space->knobs[k].default_digit];
    for (size_t c = 0; c < space->constraint_count; c++)
        if (!anole_space_meets(space, c, values))
            return false;
    return !space->validity || space->validity(space->validity_context, values, space->knob_count);
}

static uint64_t fingerprint(const struct anole_space *space)
{
    uint64_t hash = anole_hash_combine(space->knob_count, space->constraint_count);
    for (size_t k = 0; k < space->knob_count; k++) {
        const struct anole_space_knob *knob = &space->knobs[k];
        hash = anole_hash_combine(hash, anole_hash_text(knob->name));
        hash = anole_hash_combine(hash, knob->count);
        for (uint32_t i = 0; i < knob->count; i++)
            hash = anole_hash_combine(hash, (uint64_t)knob->values[i]);
    }
    for (size_t c = 0; c < space->constraint_count; c++)
        hash = anole_hash_combine(hash, anole_hash_text(space->constraints[c].text));
    return hash;
}

/* A constraint that no config meets, or NULL. */
static const char *impossible_constraint(const struct anole_space *space)
{
    uint64_t residue;
    for (size_t c = 0; c < space->constraint_count; c++) {
        if (anole_space_judge(space, c, space->low, space->high, &residue) == ANOLE_SPACE_DEAD)
            return space->constraints[c].violation;
    }
    return NULL;
}

static enum anole_status choose_default(struct anole_space *space, struct anole_error *error)
{
    uint16_t digits[ANOLE_MAX_KNOBS];
    bool exhausted;
    for (size_t k = 0; k < space->knob_count; k++)
        digits[k] = (uint16_t)space->knobs[k].default_digit;
    space->default_config = anole_space_encode(space, digits);
    if (anole_space_valid(space, space->default_config) ||
        anole_space_find_valid(space, &space->default_config, &exhausted))
        return ANOLE_DONE;
    const char *impossible = impossible_constraint(space);
    if (impossible)
        return anole_fail(error, ANOLE_ERR_NOTHING_VALID,
                          "expected a design space with a valid config, found a constraint that "
                          "none of its %" PRIu64 " configs meets: %s",
                          space->size, impossible);
    return anole_fail(error, ANOLE_ERR_NOTHING_VALID,
                      "expected a design space with a valid config, found %s among %" PRIu64
                      " that meets all of its %zu constraints%s; loosen them, or give a default "
                      "that is valid",
                      exhausted ? "none" : "none in a bounded search", space->size,
                      space->constraint_count, space->validity ? " and the backend's check" : "");
}

enum anole_status anole_space_finish(struct anole_space *space, struct anole_error *error)
{
    if (space->finished || space->tables) /* the latter: it failed the first time */
        return fail_finished(error);
    enum anole_status status = measure(space, error);
    if (status == ANOLE_DONE)
        status = anole_space_make_tables(space, error);
    if (status != ANOLE_DONE)
        return status;
    anole_space_make_order(space);
    status = anole_space_make_diagram(space, error);
    if (status == ANOLE_DONE)
        status = anole_space_make_touch(space, error);
    if (status != ANOLE_DONE)
        return status;
    /* From here on configs can be judged; a failure below spoils the space. */
    space->finished = true;
    space->fingerprint = fingerprint(space);
    return choose_default(space, error);
}

enum anole_status anole_space_finish_unwalked(struct anole_space *space, struct anole_error *error)
{
    if (space->finished || space->tables || !is_default_valid(space))
        return anole_space_finish(space, error);
    enum anole_status status = measure(space, error);
    if (status == ANOLE_DONE)
        status = anole_space_list_programs(space, error);
    if (status != ANOLE_DONE)
        return status;
    space->finished = true;
    space->fingerprint = fingerprint(space);
    uint16_t digits[ANOLE_MAX_KNOBS];
    for (size_t k = 0; k < space->knob_count; k++)
        digits[k] = (uint16_t)space->knobs[k].default_digit;
    space->default_config = anole_space_encode(space, digits);
    return ANOLE_DONE;
}
