/* SPDX-License-Identifier: MIT
 *
 * Reading a network: the file, its layers, and who reads whom.
 */
#include "frontend/network_json.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    struct anole_network *network;
    const char *file; /* the path, printable */
    json_t *layers;   /* borrowed: the array */
    json_t *names;    /* owned: name to index */
    int *lines;       /* owned: of each element of the array */
};

/* ------------------------------------------------------------------- the names */

static enum anole_status fail_at(const struct reader *r, size_t index, struct anole_error *error,
                                 const char *problem)
{
    return anole_fail(error, ANOLE_ERR_INPUT, "%s:%d: layer number %zu: %s", r->file,
                      r->lines[index], index + 1, problem);
}

/* Names stand in messages, tables and lock files. */
static enum anole_status check_name(const struct reader *r, size_t index, const char *name,
                                    struct anole_error *error)
{
    char shown[ANOLE_LAYER_MAX_NAME + 8], problem[ANOLE_LAYER_MAX_NAME + 160];
    anole_text_printable(shown, sizeof shown, name);
    size_t length = strlen(name);
    if (length >= 1 && length <= ANOLE_LAYER_MAX_NAME && strcmp(shown, name) == 0)
        return ANOLE_DONE;
    snprintf(problem, sizeof problem,
             "its name \"%s\" will not do; expected 1 to %d bytes of printable text, found %s",
             shown, ANOLE_LAYER_MAX_NAME,
             length == 0                     ? "none"
             : length > ANOLE_LAYER_MAX_NAME ? "more"
                                             : "control characters");
    return fail_at(r, index, error, problem);
}

static enum anole_status read_name(const struct reader *r, size_t index, struct anole_error *error)
{
    const json_t *object = json_array_get(r->layers, index);
    struct anole_layer *layer = &r->network->layers[index];
    char found[128], problem[256];
    layer->line = r->lines[index];
    const json_t *name = json_object_get(object, "name");
    if (!json_is_object(object) || !json_is_string(name)) {
        bool layerlike = json_is_object(object);
        anole_json_found(found, sizeof found, layerlike ? name : object);
        snprintf(problem, sizeof problem, "%s is %s; expected %s",
                 layerlike ? "its \"name\"" : "it", found,
                 layerlike ? "a text that no other layer has: \"name\": \"conv1\""
                           : "an object: {\"name\": \"conv1\", \"kind\": \"conv2d\", ...}");
        return fail_at(r, index, error, problem);
    }
    enum anole_status status = check_name(r, index, json_string_value(name), error);
    if (status)
        return status;
    const json_t *other = json_object_get(r->names, json_string_value(name));
    if (other)
        return anole_fail(
            error, ANOLE_ERR_INPUT,
            "%s:%d: layer \"%s\": the layer on line %d has the same name; expected each "
            "name once: rename one",
            r->file, layer->line, json_string_value(name), r->lines[json_integer_value(other)]);
    layer->name = strdup(json_string_value(name));
    if (!layer->name ||
        json_object_set_new(r->names, layer->name, json_integer((json_int_t)index)) != 0)
        return anole_fail_memory(error);
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------ the inputs */

static enum anole_status fail_name(const struct reader *r, const struct anole_layer *layer,
                                   const char *name, struct anole_error *error)
{
    char shown[ANOLE_LAYER_MAX_NAME + 8];
    size_t count = r->network->layer_count;
    const char **names = calloc(count, sizeof *names);
    if (!names)
        return anole_fail_memory(error);
    for (size_t i = 0; i < count; i++)
        names[i] = r->network->layers[i].name;
    const char *near = anole_text_nearest(name, names, count);
    anole_network_fail(
        r->network, layer, error,
        "its input \"%s\" does not exist%s%s%s; expected the name of a layer further "
        "up",
        anole_text_printable(shown, sizeof shown, name), near ? "; did you mean \"" : "",
        near ? near : "", near ? "\"?" : "");
    free(names);
    return ANOLE_ERR_INPUT;
}

/* The layer that is meant; it must be further up, so that there is no cycle. */
static enum anole_status find_input(size_t *input, const struct reader *r, size_t index,
                                    const json_t *name, struct anole_error *error)
{
    const struct anole_layer *layer = &r->network->layers[index];
    char found[128];
    if (!json_is_string(name))
        return anole_network_fail(
            r->network, layer, error,
            "one of its inputs is %s; expected the name of a layer further up",
            anole_json_found(found, sizeof found, name));
    const json_t *target = json_object_get(r->names, json_string_value(name));
    if (!target)
        return fail_name(r, layer, json_string_value(name), error);
    size_t found_index = (size_t)json_integer_value(target);
    if (found_index == index)
        return anole_network_fail(r->network, layer, error,
                                  "it reads itself, which is a cycle; expected inputs further up");
    if (found_index > index)
        return anole_network_fail(
            r->network, layer, error,
            "its input \"%s\" comes later, on line %d; expected inputs further "
            "up, so that there is no cycle: change the order, or the input",
            json_string_value(name), r->network->layers[found_index].line);
    *input = found_index;
    return ANOLE_DONE;
}

static bool takes_many(enum anole_layer_kind kind)
{
    return kind == ANOLE_LAYER_ADD || kind == ANOLE_LAYER_CONCAT;
}

static enum anole_status read_inputs(const struct reader *r, size_t index, const json_t *object,
                                     struct anole_error *error)
{
    struct anole_layer *layer = &r->network->layers[index];
    const json_t *field = json_object_get(object, "inputs");
    char found[128];
    if (layer->kind == ANOLE_LAYER_INPUT)
        return ANOLE_DONE;
    if (!field && index == 0)
        return anole_network_fail(
            r->network, layer, error,
            "it is the first layer and has no input; expected a layer of kind "
            "\"input\" first: {\"name\": \"data\", \"kind\": \"input\", "
            "\"shape\": [1, 224, 224, 3]}");
    size_t count = json_is_array(field) ? json_array_size(field) : 1;
    bool typed = !field || json_is_string(field) || json_is_array(field);
    bool fits = takes_many(layer->kind) ? count >= 2 : count == 1;
    if (!typed || !fits)
        return anole_network_fail(r->network, layer, error, "\"inputs\" is %s; expected the %s",
                                  field ? anole_json_found(found, sizeof found, field) : "missing",
                                  takes_many(layer->kind)
                                      ? "names of two or more layers: [\"a\", \"b\"]"
                                      : "name of one layer, or to be left out for the one above");
    layer->inputs = calloc(count, sizeof *layer->inputs);
    if (!layer->inputs)
        return anole_fail_memory(error);
    layer->input_count = count;
    if (!field)
        layer->inputs[0] = index - 1;
    for (size_t i = 0; i < count && field; i++) {
        const json_t *name = json_is_array(field) ? json_array_get(field, i) : field;
        enum anole_status status = find_input(&layer->inputs[i], r, index, name, error);
        if (status)
            return status;
    }
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------ the layers */

static enum anole_status read_layer(const struct reader *r, size_t index, struct anole_error *error)
{
    struct anole_layer *layer = &r->network->layers[index];
    const json_t *object = json_array_get(r->layers, index);
    const json_t *field = json_object_get(object, "kind");
    const char *kind = json_string_value(field);
    char found[128];
    if (!kind)
        return anole_network_fail(r->network, layer, error,
                                  "its \"kind\" is %s; expected a text, e.g. \"kind\": \"conv2d\"",
                                  anole_json_found(found, sizeof found, field));
    layer->kind = ANOLE_LAYER_KIND_COUNT;
    for (int i = 0; i < ANOLE_LAYER_KIND_COUNT; i++)
        if (strcmp(kind, anole_layer_kind_text((enum anole_layer_kind)i)) == 0)
            layer->kind = (enum anole_layer_kind)i;
    if (layer->kind == ANOLE_LAYER_KIND_COUNT)
        return anole_layer_unknown_kind(r->network, layer, kind, error);
    enum anole_status status = anole_layer_read_fields(layer, r->network, object, error);
    return status ? status : read_inputs(r, index, object, error);
}

static enum anole_status read_layers(const struct reader *r, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < r->network->layer_count; i++)
        anole_layer_init(&r->network->layers[i]);
    for (size_t i = 0; i < r->network->layer_count && !status; i++)
        status = read_name(r, i, error);
    for (size_t i = 0; i < r->network->layer_count && !status; i++)
        status = read_layer(r, i, error);
    return status;
}

/* ---------------------------------------------------------------- the whole file */

/* Left out, it is fp32. */
static enum anole_status read_precision(struct reader *r, const json_t *root,
                                        struct anole_error *error)
{
    const json_t *field = json_object_get(root, "precision");
    char found[128];
    r->network->dtype = !field                  ? ANOLE_F32
                        : json_is_string(field) ? anole_precision_parse(json_string_value(field))
                                                : 0;
    if (r->network->dtype)
        return ANOLE_DONE;
    return anole_fail(
        error, ANOLE_ERR_INPUT,
        "%s: the network's \"precision\" is %s; expected \"fp32\", \"fp16\" or \"tf32\"", r->file,
        anole_json_found(found, sizeof found, field));
}

/* The top level: a name, and layers that are not too few or many. */
static enum anole_status read_top(struct reader *r, const json_t *root, struct anole_error *error)
{
    static const char *const keys[] = {"name", "comment", "source", "precision", "layers", NULL};
    const struct anole_json_place place = {.file = r->file};
    const char *name;
    char found[128], shown[ANOLE_LAYER_MAX_NAME + 8];
    if (!json_is_object(root))
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: the file holds %s; expected an object: {\"name\": ..., \"layers\": "
                          "[...]}",
                          r->file, anole_json_found(found, sizeof found, root));
    enum anole_status status = anole_json_only(root, keys, &place, error);
    if (!status)
        status = anole_json_text(&name, root, "name", &place, error);
    if (!status)
        status = anole_json_array(&r->layers, root, "layers", &place, error);
    if (!status)
        status = read_precision(r, root, error);
    if (status)
        return status;
    if (!*name || strlen(name) > ANOLE_LAYER_MAX_NAME ||
        strcmp(anole_text_printable(shown, sizeof shown, name), name) != 0)
        return anole_fail(
            error, ANOLE_ERR_INPUT,
            "%s: the network's \"name\" is \"%s\"; expected 1 to %d bytes of printable "
            "text",
            r->file, anole_text_printable(shown, sizeof shown, name), ANOLE_LAYER_MAX_NAME);
    size_t count = json_array_size(r->layers);
    if (count == 0 || count > ANOLE_NETWORK_MAX_LAYERS)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: \"layers\" has %zu elements; expected 1 to %d layers: %s", r->file,
                          count, ANOLE_NETWORK_MAX_LAYERS,
                          count ? "split the network" : "begin with one of kind \"input\"");
    r->network->name = strdup(name);
    r->network->layers = calloc(count, sizeof *r->network->layers);
    r->names = json_object();
    r->lines = calloc(count, sizeof *r->lines);
    if (!r->network->name || !r->network->layers || !r->names || !r->lines)
        return anole_fail_memory(error);
    r->network->layer_count = count;
    return ANOLE_DONE;
}

enum anole_status anole_network_parse(struct anole_network **network, const char *text,
                                      size_t length, const char *path, struct anole_error *error)
{
    char file[256];
    json_t *root;
    struct reader r = {.file = anole_text_printable(file, sizeof file, path)};
    enum anole_status status = anole_json_parse(&root, text, length, path, error);
    if (status)
        return status;
    r.network = calloc(1, sizeof *r.network);
    if (r.network)
        r.network->path = strdup(path);
    if (!r.network || !r.network->path)
        status = anole_fail_memory(error);
    if (!status)
        status = read_top(&r, root, error);
    if (!status) {
        anole_network_lines(r.lines, r.network->layer_count, text, length);
        status = read_layers(&r, error);
    }
    if (!status)
        status = anole_network_finish(r.network, error);
    free(r.lines);
    json_decref(r.names);
    json_decref(root);
    if (status)
        anole_network_destroy(r.network);
    else
        *network = r.network;
    return status;
}

enum anole_status anole_network_load(struct anole_network **network, const char *path,
                                     struct anole_error *error)
{
    char *text;
    size_t length;
    enum anole_status status = anole_file_read(&text, &length, path, 0, error);
    if (status)
        return status;
    status = anole_network_parse(network, text, length, path, error);
    free(text);
    return status;
}
