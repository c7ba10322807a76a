/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/text.h"
#include "kernel/custom.h"
#include "kernel/t1_private.h"
#include "space/expression.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FACTS 32 /* about devices */

/* ------------------------------------------------------------------- helpers */

/* Puts "file: place: " in front of a message; returns the status. */
static enum anole_status placed(enum anole_status status, const struct anole_json_place *place,
                                struct anole_error *error)
{
    char where[512];
    if (status == ANOLE_ERR_INPUT)
        anole_error_prefix(error, "%s", anole_json_place_text(where, sizeof where, place));
    return status;
}

static const char *place_text(char *out, size_t size, const struct anole_t1 *t1)
{
    return anole_text_printable(out, size, t1->path);
}

/* ---------------------------------------------------------------- parameters */

/* Appends what a JSON value says: a number, a truth value, or a text (which is a
 * number, if the parameter's type is one). */
static enum anole_status add_value(struct anole_t1_list *list, const json_t *value, bool numeric,
                                   struct anole_error *error)
{
    char found[96];
    double number = NAN;
    if (json_is_integer(value))
        number = (double)json_integer_value(value);
    else if (json_is_real(value))
        number = json_real_value(value);
    else if (json_is_boolean(value))
        number = json_is_true(value);
    else if (!json_is_string(value))
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "expected numbers, texts, true or false, found %s",
                          anole_json_found(found, sizeof found, value));
    else if (numeric) {
        enum anole_status status = anole_t1_number(&number, json_string_value(value), error);
        if (status != ANOLE_DONE)
            return status;
    } else {
        char *text = strdup(json_string_value(value));
        return text ? anole_t1_list_add(list, NAN, text, error) : anole_fail_memory(error);
    }
    return anole_t1_list_add(list, number, NULL, error);
}

static enum anole_status read_values(struct anole_t1_list *list, const json_t *values, bool numeric,
                                     struct anole_error *error)
{
    char found[96];
    if (json_is_string(values))
        return anole_t1_list_read(list, json_string_value(values), error);
    if (!json_is_array(values))
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "\"Values\" is %s; expected a list: [1, 2, 4] or \"[1, 2, 4]\"",
                          anole_json_found(found, sizeof found, values));
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < json_array_size(values) && status == ANOLE_DONE; i++)
        status = add_value(list, json_array_get(values, i), numeric, error);
    return status;
}

static uint32_t nearest(const struct anole_t1_parameter *parameter, double number)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < parameter->count; i++)
        if (fabs(parameter->numbers[i] - number) < fabs(parameter->numbers[best] - number))
            best = i;
    return best;
}

/* The default, or else what the list begins with. */
static enum anole_status read_default(struct anole_t1_parameter *parameter, const json_t *value,
                                      const struct anole_t1_list *list, bool numeric,
                                      struct anole_error *error)
{
    struct anole_t1_list found = {.items = NULL};
    if (json_is_array(value))
        value = json_array_get(value, 0);
    enum anole_status status = ANOLE_DONE;
    if (value && !json_is_null(value))
        status = add_value(&found, value, numeric || parameter->kind != ANOLE_T1_TEXT, error);
    if (status != ANOLE_DONE) {
        anole_error_prefix(error, "\"Default\"");
        return status;
    }
    const struct anole_t1_value *item = found.count > 0 ? found.items : list->items;
    if (parameter->kind != ANOLE_T1_TEXT)
        parameter->default_digit = nearest(parameter, item->number);
    else if (item->text && anole_t1_find_text(parameter, item->text) != SIZE_MAX)
        parameter->default_digit = (uint32_t)anole_t1_find_text(parameter, item->text);
    anole_t1_list_fini(&found);
    return ANOLE_DONE;
}

static enum anole_status read_name(struct anole_t1 *t1, struct anole_t1_parameter *parameter,
                                   const json_t *object, struct anole_json_place *place,
                                   struct anole_error *error)
{
    char where[512], shown[80];
    const char *name;
    enum anole_status status = anole_json_text(&name, object, "Name", place, error);
    if (status != ANOLE_DONE)
        return status;
    snprintf(place->path, sizeof place->path, "ConfigurationSpace.TuningParameters[%zu] \"%.80s\"",
             t1->parameter_count, name);
    anole_json_place_text(where, sizeof where, place);
    if (strlen(name) >= sizeof parameter->name)
        return anole_fail(error, ANOLE_ERR_INPUT, "%s: expected a name of at most %zu bytes", where,
                          sizeof parameter->name - 1);
    if (anole_t1_find(t1, name) != SIZE_MAX)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: expected a name of its own, found a second parameter called '%s'",
                          where, anole_text_printable(shown, sizeof shown, name));
    strcpy(parameter->name, name);
    return ANOLE_DONE;
}

static enum anole_status read_parameter(struct anole_t1 *t1, const json_t *object,
                                        struct anole_error *error)
{
    struct anole_json_place place = {.file = t1->path};
    struct anole_t1_parameter *parameter = &t1->parameters[t1->parameter_count];
    struct anole_t1_list list = {.items = NULL};
    char found[96];
    snprintf(place.path, sizeof place.path, "ConfigurationSpace.TuningParameters[%zu]",
             t1->parameter_count);
    if (!json_is_object(object))
        return placed(anole_fail(error, ANOLE_ERR_INPUT, "expected an object, found %s",
                                 anole_json_found(found, sizeof found, object)),
                      &place, error);
    enum anole_status status = read_name(t1, parameter, object, &place, error);
    if (status != ANOLE_DONE)
        return status;
    t1->parameter_count++; /* from here on it is freed with the rest */
    const char *type = json_string_value(json_object_get(object, "Type"));
    bool numeric = type && strcmp(type, "string") != 0;
    status = read_values(&list, json_object_get(object, "Values"), numeric, error);
    if (status == ANOLE_DONE)
        status = anole_t1_settle(t1, parameter, &list, error);
    if (status == ANOLE_DONE)
        status = read_default(parameter, json_object_get(object, "Default"), &list, numeric, error);
    anole_t1_list_fini(&list);
    return placed(status, &place, error);
}

static enum anole_status read_parameters(struct anole_t1 *t1, const json_t *space,
                                         struct anole_error *error)
{
    struct anole_json_place place = {.file = t1->path, .path = "ConfigurationSpace"};
    json_t *array;
    enum anole_status status = anole_json_array(&array, space, "TuningParameters", &place, error);
    if (status != ANOLE_DONE)
        return status;
    size_t count = json_array_size(array);
    if (count < 1 || count > ANOLE_MAX_KNOBS)
        return placed(anole_fail(error, ANOLE_ERR_INPUT,
                                 "expected 1 to %d \"TuningParameters\", found %zu",
                                 ANOLE_MAX_KNOBS, count),
                      &place, error);
    t1->parameters = calloc(count, sizeof *t1->parameters);
    if (!t1->parameters)
        return anole_fail_memory(error);
    for (size_t i = 0; i < count && status == ANOLE_DONE; i++)
        status = read_parameter(t1, json_array_get(array, i), error);
    return status;
}

/* ---------------------------------------------------------------- conditions */

static enum anole_status read_condition(struct anole_t1 *t1, const json_t *item,
                                        struct anole_error *error)
{
    struct anole_expression *expression;
    const char *names[ANOLE_MAX_KNOBS + MAX_FACTS], *text = json_string_value(item);
    size_t count = 0;
    char found[96];
    if (json_is_object(item))
        text = json_string_value(json_object_get(item, "Expression"));
    if (!text)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "expected an object with the text \"Expression\", found %s",
                          anole_json_found(found, sizeof found, item));
    size_t at = t1->condition_count++;
    t1->condition_texts[at] = strdup(text);
    if (!t1->condition_texts[at])
        return anole_fail_memory(error);
    enum anole_status status = anole_t1_translate(&t1->conditions[at], t1, text, error);
    for (size_t i = 0; i < t1->parameter_count; i++)
        names[count++] = t1->parameters[i].name;
    for (const char *const *fact = anole_device_fact_names(); *fact; fact++)
        names[count++] = *fact;
    if (status == ANOLE_DONE)
        status = anole_expression_create(&expression, t1->conditions[at], names, count, error);
    if (status == ANOLE_DONE)
        anole_expression_destroy(expression);
    return status;
}

static enum anole_status read_conditions(struct anole_t1 *t1, const json_t *space,
                                         struct anole_error *error)
{
    struct anole_json_place place = {.file = t1->path, .path = "ConfigurationSpace"};
    json_t *array = json_object_get(space, "Conditions");
    if (!array || json_is_null(array))
        return ANOLE_DONE;
    enum anole_status status = anole_json_array(&array, space, "Conditions", &place, error);
    if (status != ANOLE_DONE)
        return status;
    size_t count = json_array_size(array);
    if (count > ANOLE_MAX_CONSTRAINTS)
        return placed(anole_fail(error, ANOLE_ERR_INPUT,
                                 "expected at most %d \"Conditions\", found %zu",
                                 ANOLE_MAX_CONSTRAINTS, count),
                      &place, error);
    t1->conditions = calloc(count + 1, sizeof *t1->conditions);
    t1->condition_texts = calloc(count + 1, sizeof *t1->condition_texts);
    if (!t1->conditions || !t1->condition_texts)
        return anole_fail_memory(error);
    for (size_t i = 0; i < count && status == ANOLE_DONE; i++) {
        snprintf(place.path, sizeof place.path, "ConfigurationSpace.Conditions[%zu]", i);
        status = placed(read_condition(t1, json_array_get(array, i), error), &place, error);
    }
    return status;
}

/* ----------------------------------------------------------------- the whole */

/* What the problem is called: by the file's own words, else by its path. */
static char *find_name(const json_t *root, const char *path)
{
    const json_t *general = json_object_get(root, "General");
    const json_t *kernel = json_object_get(root, "KernelSpecification");
    const json_t *const names[] = {json_object_get(general, "BenchmarkName"),
                                   json_object_get(kernel, "BenchmarkName"),
                                   json_object_get(kernel, "KernelName")};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (json_string_length(names[i]) > 0)
            return strdup(json_string_value(names[i]));
    const char *slash = strrchr(path, '/');
    return strdup(slash ? slash + 1 : path);
}

/* Files say 1; another format would mean something else by the same keys. */
static enum anole_status check_format(const json_t *root, const struct anole_json_place *place,
                                      struct anole_error *error)
{
    char found[96];
    const json_t *version = json_object_get(json_object_get(root, "General"), "FormatVersion");
    if (!version || (json_is_number(version) && json_number_value(version) < 2))
        return ANOLE_DONE;
    return placed(anole_fail(error, ANOLE_ERR_INPUT,
                             "General.FormatVersion is %s; expected 1, of T1 1.0.0",
                             anole_json_found(found, sizeof found, version)),
                  place, error);
}

enum anole_status anole_t1_read(struct anole_t1 **t1, const json_t *root, const char *path,
                                struct anole_error *error)
{
    struct anole_json_place place = {.file = path};
    json_t *space;
    char found[96];
    if (!json_is_object(root))
        return placed(anole_fail(error, ANOLE_ERR_INPUT, "expected an object: { ... }, found %s",
                                 anole_json_found(found, sizeof found, root)),
                      &place, error);
    enum anole_status status = anole_json_object(&space, root, "ConfigurationSpace", &place, error);
    if (status == ANOLE_DONE)
        status = check_format(root, &place, error);
    if (status != ANOLE_DONE)
        return status;
    struct anole_t1 *made = calloc(1, sizeof *made);
    if (!made)
        return anole_fail_memory(error);
    made->path = strdup(path);
    made->name = find_name(root, path);
    if (!made->path || !made->name)
        status = anole_fail_memory(error);
    if (status == ANOLE_DONE)
        status = read_parameters(made, space, error);
    if (status == ANOLE_DONE)
        status = read_conditions(made, space, error);
    if (status != ANOLE_DONE) {
        anole_t1_destroy(made);
        return status;
    }
    *t1 = made;
    return ANOLE_DONE;
}

enum anole_status anole_t1_parse(struct anole_t1 **t1, const char *text, size_t length,
                                 const char *path, struct anole_error *error)
{
    json_t *root;
    enum anole_status status = anole_json_parse(&root, text, length, path, error);
    if (status != ANOLE_DONE)
        return status;
    status = anole_t1_read(t1, root, path, error);
    json_decref(root);
    return status;
}

enum anole_status anole_t1_load(struct anole_t1 **t1, const char *path, struct anole_error *error)
{
    char *text;
    size_t length;
    enum anole_status status = anole_file_read(&text, &length, path, ANOLE_T1_LIMIT, error);
    if (status != ANOLE_DONE)
        return status;
    status = anole_t1_parse(t1, text, length, path, error);
    free(text);
    return status;
}

static void destroy_texts(char **texts, size_t count)
{
    for (size_t i = 0; texts && i < count; i++)
        free(texts[i]);
    free(texts);
}

void anole_t1_destroy(struct anole_t1 *t1)
{
    if (!t1)
        return;
    for (size_t i = 0; i < t1->parameter_count; i++) {
        destroy_texts(t1->parameters[i].labels, t1->parameters[i].count);
        free(t1->parameters[i].values);
        free(t1->parameters[i].numbers);
    }
    free(t1->parameters);
    destroy_texts(t1->conditions, t1->condition_count);
    destroy_texts(t1->condition_texts, t1->condition_count);
    destroy_texts(t1->texts, t1->text_count);
    free(t1->name);
    free(t1->path);
    free(t1);
}

enum anole_status anole_t1_space(struct anole_space **space, const struct anole_t1 *t1,
                                 struct anole_error *error)
{
    char where[256];
    struct anole_space *made;
    enum anole_status status = anole_space_create(&made, error);
    if (status != ANOLE_DONE)
        return status;
    for (size_t i = 0; i < t1->parameter_count && status == ANOLE_DONE; i++) {
        const struct anole_t1_parameter *parameter = &t1->parameters[i];
        bool labels = parameter->kind != ANOLE_T1_WHOLE;
        status = anole_space_add_knob(made, parameter->name, parameter->kind == ANOLE_T1_TEXT,
                                      parameter->values,
                                      labels ? (const char *const *)parameter->labels : NULL,
                                      parameter->count, parameter->default_digit, error);
    }
    for (size_t i = 0; i < t1->condition_count && status == ANOLE_DONE; i++)
        if (!anole_device_mentioned(t1->conditions[i]))
            status = anole_space_add_constraint(made, t1->conditions[i], NULL, error);
    if (status == ANOLE_DONE)
        status = anole_space_finish(made, error);
    if (status != ANOLE_DONE) {
        anole_error_prefix(error, "%s", place_text(where, sizeof where, t1));
        anole_space_destroy(made);
        return status;
    }
    *space = made;
    return ANOLE_DONE;
}

size_t anole_t1_find(const struct anole_t1 *t1, const char *name)
{
    for (size_t i = 0; i < t1->parameter_count; i++)
        if (strcmp(t1->parameters[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

size_t anole_t1_find_number(const struct anole_t1_parameter *parameter, double number)
{
    size_t low = 0, high = parameter->numbers ? parameter->count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (parameter->numbers[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return parameter->numbers && low < parameter->count && parameter->numbers[low] == number
               ? low
               : SIZE_MAX;
}

size_t anole_t1_find_text(const struct anole_t1_parameter *parameter, const char *text)
{
    for (size_t i = 0; i < parameter->count; i++)
        if (strcmp(parameter->labels[i], text) == 0)
            return i;
    return SIZE_MAX;
}
