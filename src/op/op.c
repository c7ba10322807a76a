/* SPDX-License-Identifier: MIT */
#include "op/op.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const struct anole_op_key *anole_op_key_find(const struct anole_op *op, const char *name)
{
    for (const struct anole_op_key *key = op->keys; key && key->name; key++)
        if (strcmp(key->name, name) == 0)
            return key;
    return NULL;
}

/* The field of an attribute of this kind; NULL: there is none, and `error` says so. */
static void *find_field(const struct anole_op_key **key, const struct anole_op *op,
                        void *attributes, const char *name, enum anole_key_kind kind,
                        struct anole_error *error)
{
    static const char *const words[] = {[ANOLE_KEY_INT] = "a whole number",
                                        [ANOLE_KEY_BOOL] = "true or false",
                                        [ANOLE_KEY_REAL] = "a number",
                                        [ANOLE_KEY_CHOICE] = "a word",
                                        [ANOLE_KEY_INTS] = "a list of whole numbers"};
    char safe[128];
    *key = anole_op_key_find(op, name);
    if (!*key) {
        anole_fail(error, ANOLE_ERR_INPUT, "%s has no attribute \"%s\"", op->name,
                   anole_text_printable(safe, sizeof safe, name));
        return NULL;
    }
    if ((*key)->kind != kind) {
        anole_fail(error, ANOLE_ERR_INPUT, "attribute \"%s\" of %s is %s; expected %s", name,
                   op->name, words[kind], words[(*key)->kind]);
        return NULL;
    }
    return (char *)attributes + (*key)->offset;
}

static bool in_bounds(const struct anole_op_key *key, int64_t value)
{
    return (key->low == 0 && key->high == 0) || (value >= key->low && value <= key->high);
}

static enum anole_status fail_bounds(const struct anole_op *op, const struct anole_op_key *key,
                                     int64_t value, struct anole_error *error)
{
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "attribute \"%s\" of %s is %" PRId64 "; expected %" PRId64 " to %" PRId64,
                      key->name, op->name, value, key->low, key->high);
}

enum anole_status anole_op_set_int(const struct anole_op *op, void *attributes, const char *name,
                                   int64_t value, struct anole_error *error)
{
    const struct anole_op_key *key;
    void *field = find_field(&key, op, attributes, name, ANOLE_KEY_INT, error);
    if (!field)
        return ANOLE_ERR_INPUT;
    if (!in_bounds(key, value))
        return fail_bounds(op, key, value, error);
    memcpy(field, &value, sizeof value);
    return ANOLE_DONE;
}

enum anole_status anole_op_set_bool(const struct anole_op *op, void *attributes, const char *name,
                                    bool value, struct anole_error *error)
{
    const struct anole_op_key *key;
    void *field = find_field(&key, op, attributes, name, ANOLE_KEY_BOOL, error);
    if (!field)
        return ANOLE_ERR_INPUT;
    memcpy(field, &value, sizeof value);
    return ANOLE_DONE;
}

enum anole_status anole_op_set_real(const struct anole_op *op, void *attributes, const char *name,
                                    double value, struct anole_error *error)
{
    const struct anole_op_key *key;
    void *field = find_field(&key, op, attributes, name, ANOLE_KEY_REAL, error);
    if (!field)
        return ANOLE_ERR_INPUT;
    memcpy(field, &value, sizeof value);
    return ANOLE_DONE;
}

enum anole_status anole_op_set_choice(const struct anole_op *op, void *attributes, const char *name,
                                      const char *value, struct anole_error *error)
{
    const struct anole_op_key *key;
    void *field = find_field(&key, op, attributes, name, ANOLE_KEY_CHOICE, error);
    if (!field)
        return ANOLE_ERR_INPUT;
    struct anole_text list = {0};
    for (uint32_t i = 0; key->choices[i]; i++) {
        if (strcmp(key->choices[i], value) == 0) {
            memcpy(field, &i, sizeof i);
            anole_text_fini(&list);
            return ANOLE_DONE;
        }
        anole_text_printf(&list, "%s%s", i > 0 ? ", " : "", key->choices[i]);
    }
    char safe[128];
    enum anole_status status =
        anole_fail(error, ANOLE_ERR_INPUT, "attribute \"%s\" of %s is \"%s\"; expected one of %s",
                   name, op->name, anole_text_printable(safe, sizeof safe, value),
                   list.data && !list.failed ? list.data : "those in its documentation");
    anole_text_fini(&list);
    return status;
}

enum anole_status anole_op_set_ints(const struct anole_op *op, void *attributes, const char *name,
                                    const int64_t *values, size_t count, struct anole_error *error)
{
    const struct anole_op_key *key;
    struct anole_ints ints = {0};
    void *field = find_field(&key, op, attributes, name, ANOLE_KEY_INTS, error);
    if (!field)
        return ANOLE_ERR_INPUT;
    uint32_t most = key->most ? key->most : ANOLE_MAX_INTS;
    if (count < key->fewest || count > most)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "attribute \"%s\" of %s has %zu numbers; expected %u to %u", name,
                          op->name, count, key->fewest, most);
    for (size_t i = 0; i < count; i++) {
        if (!in_bounds(key, values[i]))
            return fail_bounds(op, key, values[i], error);
        ints.values[i] = values[i];
    }
    ints.count = (uint32_t)count;
    memcpy(field, &ints, sizeof ints);
    return ANOLE_DONE;
}

bool anole_op_get_ints(const struct anole_op *op, const void *attributes, const char *name,
                       struct anole_ints *ints)
{
    const struct anole_op_key *key = anole_op_key_find(op, name);
    if (!key || key->kind != ANOLE_KEY_INTS)
        return false;
    memcpy(ints, (const char *)attributes + key->offset, sizeof *ints);
    return true;
}

const char *anole_op_get_choice(const struct anole_op *op, const void *attributes, const char *name)
{
    const struct anole_op_key *key = anole_op_key_find(op, name);
    uint32_t chosen;
    if (!key || key->kind != ANOLE_KEY_CHOICE)
        return NULL;
    memcpy(&chosen, (const char *)attributes + key->offset, sizeof chosen);
    return key->choices[chosen];
}
