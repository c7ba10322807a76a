/* SPDX-License-Identifier: MIT */
#include "frontend/network.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "op/task.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_NAME 200 /* bytes */
#define MAX_KEYS 24  /* of one kind */

/* A layer of the file. */
struct layer {
    const char *name; /* borrowed from the JSON */
    int line;
    size_t tensor; /* what it makes, once it is there */
};

struct reader {
    struct anole_graph *graph;
    const char *path;
    const char *file;     /* the path, printable */
    json_t *array;        /* borrowed: the layers */
    json_t *names;        /* owned: name to index */
    int *lines;           /* owned: of each element of the array */
    struct layer *layers; /* owned */
    size_t count;
    uint32_t dtype;
};

/* A layer in the making. */
struct fields {
    const struct reader *reader;
    const struct layer *layer;
    const json_t *object;
    struct anole_error *error;
};

/* Fails with `PATH:LINE: layer "NAME": MESSAGE`. */
static enum anole_status fail_layer(const struct reader *r, const struct layer *layer,
                                    struct anole_error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static enum anole_status fail_layer(const struct reader *r, const struct layer *layer,
                                    struct anole_error *error, const char *format, ...)
{
    char name[MAX_NAME + 8], line[16] = "", message[ANOLE_ERROR_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (layer->line > 0)
        snprintf(line, sizeof line, ":%d", layer->line);
    return anole_fail(error, ANOLE_ERR_INPUT, "%s%s: layer \"%s\": %s", r->file, line,
                      anole_text_printable(name, sizeof name, layer->name), message);
}

/* ----------------------------------------------------------------- lines of layers */

/* Jansson does not say on which line a value stands; messages about a layer shall. */

struct scanner {
    const char *at, *end;
    int line;
    size_t depth;
    bool key_is_layers; /* the last text in the top-level object was "layers" */
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* From an opening quote to past the closing one. */
static void skip_text(struct scanner *s)
{
    static const char layers[] = "\"layers\"";
    const char *start = s->at++;
    while (s->at < s->end && *s->at != '"')
        s->at += *s->at == '\\' ? 2 : 1;
    s->at++;
    if (s->depth == 1)
        s->key_is_layers = (size_t)(s->at - start) == sizeof layers - 1 &&
                           memcmp(start, layers, sizeof layers - 1) == 0;
}

/* One step; true at the bracket that opens the array of layers. */
static bool step(struct scanner *s)
{
    bool opens = false;
    switch (*s->at) {
    case '"':
        skip_text(s);
        return false;
    case '[':
        opens = s->depth == 1 && s->key_is_layers;
        s->depth++;
        break;
    case '{':
        s->depth++;
        break;
    case ']':
    case '}':
        s->depth--;
        break;
    case '\n':
        s->line++;
        break;
    }
    s->at++;
    return opens;
}

static void find_lines(int *lines, size_t count, const char *text, size_t length)
{
    struct scanner s = {.at = text, .end = text + length, .line = 1};
    size_t found = 0;
    bool expecting = true; /* the next thing in the array is a new element */
    for (size_t i = 0; i < count; i++)
        lines[i] = 0;
    while (s.at < s.end && !step(&s))
        ;
    while (s.at < s.end && found < count && s.depth >= 2) {
        if (s.depth == 2 && *s.at == ',') {
            expecting = true;
        } else if (s.depth == 2 && expecting && !is_space(*s.at) && *s.at != ']') {
            lines[found++] = s.line;
            expecting = false;
        }
        step(&s);
    }
}

/* ------------------------------------------------------------------------- kinds */

enum operands { NO_INPUT, ONE_INPUT, MANY_INPUTS };

/* A kind of layer that is no operator by that name, or whose attributes have other names.
 * Besides these, every operator with weights (anole_op.parameter) is a kind. */
struct kind {
    const char *name;
    const char *op; /* NULL: none */
    enum operands inputs;
    bool activation;      /* has the key */
    const char *keys[6];  /* further ones, NULL-terminated */
    const char *function; /* the attribute `function` */
    const char *ints;     /* an attribute that is a list of .. */
    int64_t values[4];    /* .. these .. */
    size_t count;         /* .. or, with a count of 0, the first of them alone */
};

static const struct kind kinds[] = {
    {.name = "input", .inputs = NO_INPUT, .keys = {"shape"}},
    {.name = "max_pool",
     .op = "max_pool",
     .inputs = ONE_INPUT,
     .keys = {"kernel", "stride", "padding", "ceil"}},
    {.name = "average_pool",
     .op = "average_pool",
     .inputs = ONE_INPUT,
     .keys = {"kernel", "stride", "padding", "ceil"}},
    {.name = "global_average_pool",
     .op = "reduce",
     .inputs = ONE_INPUT,
     .function = "mean",
     .ints = "axes",
     .values = {1, 2},
     .count = 2},
    {.name = "add", .op = "binary", .inputs = MANY_INPUTS, .activation = true, .function = "add"},
    {.name = "concat", .op = "concat", .inputs = MANY_INPUTS, .ints = "axis", .values = {3}},
    {.name = "matmul", .op = "matmul", .inputs = MANY_INPUTS, .keys = {"transpose_b"}},
    {.name = "activation", .op = "unary", .inputs = ONE_INPUT, .activation = true},
    {.name = "flatten",
     .op = "reshape",
     .inputs = ONE_INPUT,
     .ints = "shape",
     .values = {0, 1, 1, -1},
     .count = 4},
    {.name = "lrn", .op = "lrn", .inputs = ONE_INPUT, .keys = {"size", "alpha", "beta", "k"}},
    {.name = "softmax", .op = "softmax", .inputs = ONE_INPUT, .ints = "axis", .values = {3}},
};

#define KINDS (sizeof kinds / sizeof *kinds)

/* Our words for attributes that operators call otherwise. */
static const char *const aliases[][2] = {
    {"stride", "strides"}, {"dilation", "dilations"}, {"padding", "pads"}, {"ceil", "ceil_mode"},
    {"k", "bias"},
};

static const char *attribute_of(const char *key)
{
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strcmp(aliases[i][0], key) == 0)
            return aliases[i][1];
    return key;
}

static const char *key_of(const char *attribute)
{
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strcmp(aliases[i][1], attribute) == 0)
            return aliases[i][0];
    return attribute;
}

/* The kind of a name: *op (NULL: an input), and *kind, or NULL for an operator's own. */
static bool find_kind(const struct kind **kind, const struct anole_op **op, const char *name)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (strcmp(kinds[i].name, name) != 0)
            continue;
        *kind = &kinds[i];
        *op = kinds[i].op ? anole_op_find(kinds[i].op) : NULL;
        return true;
    }
    *kind = NULL;
    *op = anole_op_find(name);
    return *op && (*op)->parameter;
}

/* The names of all kinds; returns how many. */
static size_t list_kinds(const char **names, size_t room)
{
    const struct anole_op *op;
    size_t count = 0;
    names[count++] = kinds[0].name;
    for (size_t i = 0; (op = anole_op_at(i)); i++)
        if (op->parameter && count < room)
            names[count++] = op->name;
    for (size_t i = 1; i < KINDS && count < room; i++)
        names[count++] = kinds[i].name;
    return count;
}

/* -------------------------------------------------- what others call the same */

struct advice {
    const char *word, *advice;
};

static const char *find_advice(const struct advice *advice, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(advice[i].word, word) == 0)
            return advice[i].advice;
    return NULL;
}

#define BATCH_NORM                                                                                 \
    "fold batch normalization into the layer before it (see docs/network.md) and "                 \
    "leave this layer out"
#define RELU "write \"kind\": \"activation\", \"activation\": \"relu\""

static enum anole_status fail_kind(const struct reader *r, const struct layer *layer,
                                   const char *kind, struct anole_error *error)
{
    static const struct advice others[] = {
        {"batch_norm", BATCH_NORM},
        {"batch_normalization", BATCH_NORM},
        {"batchnorm", BATCH_NORM},
        {"batchnormalization", BATCH_NORM},
        {"bn", BATCH_NORM},
        {"dropout", "it does nothing once a network is trained: leave this layer out"},
        {"identity", "it does nothing: leave this layer out"},
        {"relu", RELU},
        {"relu6", "write \"kind\": \"activation\", \"activation\": \"relu6\""},
        {"convolution", "did you mean \"conv2d\"?"},
        {"depthwise", "did you mean \"depthwise_conv2d\"?"},
        {"fc", "did you mean \"dense\"?"},
        {"fully_connected", "did you mean \"dense\"?"},
        {"gemm", "did you mean \"dense\"?"},
        {"linear", "did you mean \"dense\"?"},
        {"pool", "did you mean \"max_pool\" or \"average_pool\"?"},
        {"avg_pool", "did you mean \"average_pool\"?"},
        {"concatenate", "did you mean \"concat\"?"},
        {"eltwise", "did you mean \"add\"?"},
        {"sum", "did you mean \"add\"?"},
        {"reshape", "did you mean \"flatten\"?"},
    };
    const char *names[64];
    char shown[80], meant[80] = "";
    size_t count = list_kinds(names, sizeof names / sizeof *names);
    const char *advice = find_advice(others, sizeof others / sizeof others[0], kind);
    const char *near = anole_text_nearest(kind, names, count);
    struct anole_text list = {0};
    for (size_t i = 0; i < count; i++)
        anole_text_printf(&list, "%s%s", i ? ", " : "", names[i]);
    if (!advice && near) {
        snprintf(meant, sizeof meant, "did you mean \"%s\"?", near);
        advice = meant;
    }
    enum anole_status status =
        fail_layer(r, layer, error, "unknown kind \"%s\"%s%s; expected one of: %s",
                   anole_text_printable(shown, sizeof shown, kind), advice ? "; " : "",
                   advice ? advice : "", list.data ? list.data : "");
    anole_text_fini(&list);
    return status;
}

static bool is_key(const char *const *keys, const char *name)
{
    for (; *keys; keys++)
        if (strcmp(*keys, name) == 0)
            return true;
    return false;
}

/* The keys that a layer may have, NULL-terminated. */
static void list_keys(const char **keys, const struct kind *kind, const struct anole_op *op)
{
    size_t count = 0;
    keys[count++] = "name";
    keys[count++] = "kind";
    if (!kind || kind->inputs != NO_INPUT)
        keys[count++] = "inputs";
    keys[count++] = "comment";
    for (size_t i = 0; kind && kind->keys[i]; i++)
        keys[count++] = kind->keys[i];
    for (size_t i = 0; !kind && op->keys[i].name && count + 5 < MAX_KEYS; i++)
        if (strcmp(op->keys[i].name, "auto_pad") != 0)
            keys[count++] = key_of(op->keys[i].name);
    if (!kind && op->most_inputs > 2)
        keys[count++] = "bias";
    if (kind ? kind->activation : (op->flags & ANOLE_OP_TAKES_ACTIVATION) != 0) {
        keys[count++] = "activation";
        keys[count++] = "alpha";
        keys[count++] = "beta";
    }
    keys[count] = NULL;
}

static enum anole_status check_keys(const struct fields *f, const char *const *keys,
                                    const char *kind)
{
    static const struct advice others[] = {
        {"filters", "channels"},
        {"out_channels", "channels"},
        {"output_channels", "channels"},
        {"units", "channels"},
        {"kernel_size", "kernel"},
        {"kernel_shape", "kernel"},
        {"pool_size", "kernel"},
        {"size", "kernel"},
        {"pad", "padding"},
        {"pads", "padding"},
        {"strides", "stride"},
        {"use_bias", "bias"},
        {"depth_multiplier", "multiplier"},
        {"group", "groups"},
        {"ceil_mode", "ceil"},
        {"function", "activation"},
        {"rate", "dilation"},
    };
    char file[512];
    struct anole_json_place place = {.file = file};
    snprintf(file, sizeof file, "%.480s:%d", f->reader->path, f->layer->line);
    snprintf(place.path, sizeof place.path, "layer \"%s\" (%s)", f->layer->name, kind);
    json_t *borrowed = (json_t *)f->object; /* Jansson's iterators only read */
    for (void *at = json_object_iter(borrowed); at; at = json_object_iter_next(borrowed, at)) {
        const char *key = json_object_iter_key(at);
        const char *ours = find_advice(others, sizeof others / sizeof others[0], key);
        if (!is_key(keys, key) && ours && is_key(keys, ours))
            return fail_layer(f->reader, f->layer, f->error,
                              "unknown key \"%s\"; did you mean \"%s\"?", key, ours);
    }
    return anole_json_only(f->object, keys, &place, f->error);
}

/* -------------------------------------------------------------- single fields */

static enum anole_status fail_value(const struct fields *f, const char *key, const char *expected)
{
    char found[128];
    const json_t *value = json_object_get(f->object, key);
    return fail_layer(f->reader, f->layer, f->error, "\"%s\" is %s; expected %s", key,
                      value ? anole_json_found(found, sizeof found, value) : "missing", expected);
}

static bool in_range(const json_t *value, int64_t low, int64_t high)
{
    json_int_t number = json_integer_value(value);
    return json_is_integer(value) && number >= low && number <= high;
}

static enum anole_status read_bool(bool *value, const struct fields *f, const char *key)
{
    const json_t *field = json_object_get(f->object, key);
    if (field && !json_is_boolean(field))
        return fail_value(f, key, "true or false");
    if (field)
        *value = json_is_true(field);
    return ANOLE_DONE;
}

/* One number for both directions, or [vertical, horizontal]. */
static enum anole_status read_pair(struct anole_ints *pair, const struct fields *f, const char *key,
                                   int64_t low)
{
    const json_t *field = json_object_get(f->object, key);
    char expected[128];
    bool two = json_is_array(field) && json_array_size(field) == 2;
    const json_t *first = two ? json_array_get(field, 0) : field;
    const json_t *second = two ? json_array_get(field, 1) : field;
    if (!in_range(first, low, ANOLE_TASK_MAX_WINDOW) ||
        !in_range(second, low, ANOLE_TASK_MAX_WINDOW)) {
        snprintf(expected, sizeof expected,
                 "a whole number from %" PRId64 " to %u, or two of them: [vertical, horizontal]",
                 low, ANOLE_TASK_MAX_WINDOW);
        return fail_value(f, key, expected);
    }
    *pair = (struct anole_ints){.count = 2,
                                .values = {json_integer_value(first), json_integer_value(second)}};
    return ANOLE_DONE;
}

/* A number, [vertical, horizontal], [top, left, bottom, right], "same" or "valid". */
static enum anole_status read_padding(const struct fields *f, const struct anole_op *op,
                                      void *attributes)
{
    const json_t *field = json_object_get(f->object, "padding");
    const char *text = json_string_value(field);
    int64_t sides[4] = {0};
    size_t given = json_is_array(field) ? json_array_size(field) : 1;
    bool fits = given == 1 ? json_is_integer(field) : given == 2 || given == 4;
    if (text && strcmp(text, "same") == 0)
        return anole_op_set_choice(op, attributes, "auto_pad", "same_upper", f->error);
    if (text && strcmp(text, "valid") == 0)
        return ANOLE_DONE;
    for (size_t i = 0; i < 4 && fits; i++) {
        const json_t *side = json_is_array(field) ? json_array_get(field, i % given) : field;
        fits = in_range(side, 0, ANOLE_TASK_MAX_WINDOW);
        sides[i] = json_integer_value(side);
    }
    if (fits)
        return anole_op_set_ints(op, attributes, "pads", sides, 4, f->error);
    return fail_value(
        f, "padding",
        "\"same\", \"valid\", a whole number from 0 to 65535, [vertical, horizontal] or "
        "[top, left, bottom, right]");
}

/* One attribute of an operator, as its table describes it. */
static enum anole_status read_attribute(const struct fields *f, const struct anole_op *op,
                                        void *attributes, const char *key)
{
    const struct anole_op_key *described = anole_op_key_find(op, attribute_of(key));
    const json_t *field = json_object_get(f->object, key);
    char expected[80];
    if (!described)
        return anole_fail(f->error, ANOLE_ERR_INTERNAL, "%s has no attribute for \"%s\"", op->name,
                          key);
    if (strcmp(key, "padding") == 0)
        return read_padding(f, op, attributes);
    struct anole_ints pair;
    bool truth = false;
    enum anole_status status;
    switch (described->kind) {
    case ANOLE_KEY_INTS:
        status = read_pair(&pair, f, key, described->low);
        return status
                   ? status
                   : anole_op_set_ints(op, attributes, described->name, pair.values, 2, f->error);
    case ANOLE_KEY_INT:
        snprintf(expected, sizeof expected, "a whole number from %" PRId64 " to %" PRId64,
                 described->low, described->high);
        if (!in_range(field, described->low, described->high))
            return fail_value(f, key, expected);
        return anole_op_set_int(op, attributes, described->name, json_integer_value(field),
                                f->error);
    case ANOLE_KEY_BOOL:
        status = read_bool(&truth, f, key);
        return status ? status
                      : anole_op_set_bool(op, attributes, described->name, truth, f->error);
    case ANOLE_KEY_REAL:
        if (!json_is_number(field) || !(json_number_value(field) > 0) ||
            !(json_number_value(field) < 1e30))
            return fail_value(f, key, "a number greater than 0");
        return anole_op_set_real(op, attributes, described->name, json_number_value(field),
                                 f->error);
    default:
        if (!json_is_string(field))
            return fail_value(f, key, "a text");
        return anole_op_set_choice(op, attributes, described->name, json_string_value(field),
                                   f->error);
    }
}

static enum anole_status fail_activation(const struct fields *f, bool required)
{
    struct anole_text list = {0};
    for (uint32_t i = required; strcmp(anole_activation_text(i), "unknown") != 0; i++)
        anole_text_printf(&list, "%s\"%s\"", i > required ? ", " : "", anole_activation_text(i));
    enum anole_status status =
        fail_value(f, "activation", list.data && !list.failed ? list.data : "another text");
    anole_text_fini(&list);
    return status;
}

/* "activation", and its parameters where it has some. */
static enum anole_status read_activation(struct anole_activate *activate, const struct fields *f,
                                         bool required)
{
    const char *const names[] = {"alpha", "beta"};
    const json_t *field = json_object_get(f->object, "activation");
    const char *text = json_string_value(field);
    uint32_t activation = ANOLE_ACT_NONE;
    if (field || required) {
        if (!text || !anole_activation_find(&activation, text) ||
            (required && activation == ANOLE_ACT_NONE))
            return fail_activation(f, required);
    }
    *activate = anole_activation_default(activation);
    float *const values[] = {&activate->alpha, &activate->beta};
    for (uint32_t i = 0; i < 2; i++) {
        const json_t *value = json_object_get(f->object, names[i]);
        if (!value)
            continue;
        if (i >= anole_activation_parameters(activation) || !json_is_number(value) ||
            !(fabs(json_number_value(value)) < 1e30))
            return fail_value(f, names[i],
                              i < anole_activation_parameters(activation)
                                  ? "a number"
                                  : "nothing: the activation has no such parameter");
        *values[i] = (float)json_number_value(value) + 0.0f;
    }
    struct anole_error why = {.status = ANOLE_DONE};
    if (anole_activation_check(activate, &why))
        return fail_layer(f->reader, f->layer, f->error, "%s", why.text);
    return ANOLE_DONE;
}

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
    char shown[MAX_NAME + 8], problem[MAX_NAME + 160];
    anole_text_printable(shown, sizeof shown, name);
    size_t length = strlen(name);
    if (length >= 1 && length <= MAX_NAME && strcmp(shown, name) == 0)
        return ANOLE_DONE;
    snprintf(problem, sizeof problem,
             "its name \"%s\" will not do; expected 1 to %d bytes of printable text, found %s",
             shown, MAX_NAME,
             length == 0         ? "none"
             : length > MAX_NAME ? "more"
                                 : "control characters");
    return fail_at(r, index, error, problem);
}

static enum anole_status read_name(const struct reader *r, size_t index, struct anole_error *error)
{
    const json_t *object = json_array_get(r->array, index);
    struct layer *layer = &r->layers[index];
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
    layer->name = json_string_value(name);
    if (json_object_set_new(r->names, layer->name, json_integer((json_int_t)index)) != 0)
        return anole_fail_memory(error);
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------ the inputs */

static enum anole_status fail_name(const struct reader *r, const struct layer *layer,
                                   const char *name, struct anole_error *error)
{
    char shown[MAX_NAME + 8];
    size_t count = r->count;
    const char **names = calloc(count, sizeof *names);
    if (!names)
        return anole_fail_memory(error);
    for (size_t i = 0; i < count; i++)
        names[i] = r->layers[i].name;
    const char *near = anole_text_nearest(name, names, count);
    fail_layer(r, layer, error,
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
    const struct layer *layer = &r->layers[index];
    char found[128];
    if (!json_is_string(name))
        return fail_layer(r, layer, error,
                          "one of its inputs is %s; expected the name of a layer further up",
                          anole_json_found(found, sizeof found, name));
    const json_t *target = json_object_get(r->names, json_string_value(name));
    if (!target)
        return fail_name(r, layer, json_string_value(name), error);
    size_t found_index = (size_t)json_integer_value(target);
    if (found_index == index)
        return fail_layer(r, layer, error,
                          "it reads itself, which is a cycle; expected inputs further up");
    if (found_index > index)
        return fail_layer(r, layer, error,
                          "its input \"%s\" comes later, on line %d; expected inputs further "
                          "up, so that there is no cycle: change the order, or the input",
                          json_string_value(name), r->layers[found_index].line);
    *input = found_index;
    return ANOLE_DONE;
}

/* The layers that are read: inputs[*count], allocated. */
static enum anole_status read_inputs(size_t **inputs, size_t *count, const struct fields *f,
                                     size_t index, bool many)
{
    const struct reader *r = f->reader;
    const json_t *field = json_object_get(f->object, "inputs");
    char found[128];
    if (!field && index == 0)
        return fail_layer(r, f->layer, f->error,
                          "it is the first layer and has no input; expected a layer of kind "
                          "\"input\" first: {\"name\": \"data\", \"kind\": \"input\", "
                          "\"shape\": [1, 224, 224, 3]}");
    size_t given = json_is_array(field) ? json_array_size(field) : 1;
    bool typed = !field || json_is_string(field) || json_is_array(field);
    bool fits = many ? given >= 2 : given == 1;
    if (!typed || !fits)
        return fail_layer(r, f->layer, f->error, "\"inputs\" is %s; expected the %s",
                          field ? anole_json_found(found, sizeof found, field) : "missing",
                          many ? "names of two or more layers: [\"a\", \"b\"]"
                               : "name of one layer, or to be left out for the one above");
    /* Room for weights and a bias. */
    size_t *list = calloc(given + 2, sizeof *list);
    if (!list)
        return anole_fail_memory(f->error);
    if (!field)
        list[0] = index - 1;
    for (size_t i = 0; i < given && field; i++) {
        const json_t *name = json_is_array(field) ? json_array_get(field, i) : field;
        enum anole_status status = find_input(&list[i], r, index, name, f->error);
        if (status) {
            free(list);
            return status;
        }
    }
    *inputs = list;
    *count = given;
    return ANOLE_DONE;
}

static const struct anole_operand *type_of(const struct reader *r, size_t layer)
{
    return &r->graph->tensors[r->layers[layer].tensor].type;
}

/* ------------------------------------------------------------------- checks of shapes */

static enum anole_status fail_fit(const struct fields *f, size_t a, size_t b, const char *expected)
{
    char one[128], other[128];
    const struct reader *r = f->reader;
    return fail_layer(r, f->layer, f->error,
                      "the inputs \"%s\" %s and \"%s\" %s do not fit together; expected %s: "
                      "check strides, padding and channels on the way to both",
                      r->layers[a].name, anole_operand_shape_text(one, sizeof one, type_of(r, a)),
                      r->layers[b].name,
                      anole_operand_shape_text(other, sizeof other, type_of(r, b)), expected);
}

/* What our layers do not take, though their operators might. */
static enum anole_status check_shapes(const struct fields *f, const struct kind *kind,
                                      const struct anole_op *op, const size_t *inputs, size_t count)
{
    const struct reader *r = f->reader;
    const struct anole_operand *first = type_of(r, inputs[0]);
    bool channels = kind && strcmp(kind->name, "concat") == 0;
    char shape[128];
    if (kind && strcmp(kind->name, "matmul") == 0)
        return count == 2
                   ? ANOLE_DONE
                   : fail_layer(r, f->layer, f->error, "it has %zu inputs; expected two", count);
    for (size_t i = 1; i < count; i++) {
        struct anole_operand other = *type_of(r, inputs[i]);
        if (channels)
            other.dims[3] = first->dims[3];
        if (!anole_operand_same_shape(first, &other))
            return fail_fit(f, inputs[0], inputs[i],
                            channels ? "the same batch, height and width"
                                     : "the same shape [batch, height, width, channels]");
    }
    if (op == &anole_op_dense && (first->dims[1] != 1 || first->dims[2] != 1))
        return fail_layer(r, f->layer, f->error,
                          "the input \"%s\" is %s; expected height and width 1 before a dense "
                          "layer: put a layer of kind \"flatten\" or \"global_average_pool\" in "
                          "between",
                          r->layers[inputs[0]].name,
                          anole_operand_shape_text(shape, sizeof shape, first));
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------- adding nodes */

/* Infers what the node added last makes; the layer is named in messages. */
static enum anole_status infer_last(const struct fields *f)
{
    struct anole_graph *graph = f->reader->graph;
    struct anole_error why = {.status = ANOLE_DONE};
    enum anole_status status = anole_graph_infer_node(graph, graph->node_count - 1, &why);
    if (status == ANOLE_ERR_INPUT)
        return fail_layer(f->reader, f->layer, f->error, "%s", why.text);
    return status ? anole_fail(f->error, status, "%s", why.text) : ANOLE_DONE;
}

/* Adds a node; *attributes are to be set before infer_last(). */
static enum anole_status add_node(const struct fields *f, size_t *tensor, void **attributes,
                                  const struct anole_op *op, const size_t *inputs, size_t count)
{
    enum anole_status status = anole_graph_apply(f->reader->graph, tensor, attributes, op,
                                                 f->layer->name, inputs, count, f->error);
    if (status == ANOLE_DONE)
        f->reader->graph->nodes[f->reader->graph->node_count - 1].line = f->layer->line;
    return status;
}

static enum anole_status add_activation(const struct fields *f, size_t *tensor,
                                        const struct anole_activate *activate)
{
    const struct anole_op *op = &anole_op_unary;
    const bool relu6 = activate->activation == ANOLE_ACT_RELU6;
    const bool clips = relu6 || activate->activation == ANOLE_ACT_CLIP;
    const uint32_t parameters = anole_activation_parameters(activate->activation);
    const size_t input = *tensor;
    void *attributes;
    enum anole_status status = add_node(f, tensor, &attributes, op, &input, 1);
    if (!status)
        status = anole_op_set_choice(op, attributes, "function",
                                     clips ? "clip" : anole_activation_text(activate->activation),
                                     f->error);
    if (!status && (relu6 || parameters > 0))
        status = anole_op_set_real(op, attributes, clips ? "low" : "alpha", (double)activate->alpha,
                                   f->error);
    if (!status && (relu6 || parameters > 1))
        status = anole_op_set_real(op, attributes, clips ? "high" : "beta",
                                   relu6 ? 6.0 : (double)activate->beta, f->error);
    return status ? status : infer_last(f);
}

/* What the kind says of the operator's attributes, rather than the file. */
static enum anole_status set_fixed(const struct fields *f, const struct kind *kind,
                                   const struct anole_op *op, void *attributes)
{
    enum anole_status status = ANOLE_DONE;
    if (kind->function)
        status = anole_op_set_choice(op, attributes, "function", kind->function, f->error);
    if (!status && kind->ints && kind->count > 0)
        status = anole_op_set_ints(op, attributes, kind->ints, kind->values, kind->count, f->error);
    else if (!status && kind->ints)
        status = anole_op_set_int(op, attributes, kind->ints, kind->values[0], f->error);
    return status;
}

/* The attributes that the file gives, and those that it has to. */
static enum anole_status read_attributes(const struct fields *f, const struct kind *kind,
                                         const struct anole_op *op, void *attributes)
{
    enum anole_status status = kind ? set_fixed(f, kind, op, attributes) : ANOLE_DONE;
    for (const struct anole_op_key *key = op->keys; key && key->name && !status; key++) {
        const char *name = key_of(key->name);
        bool ours = !kind || is_key(kind->keys, name);
        /* Weights have their shape from these. */
        bool required = strcmp(name, "kernel") == 0 || strcmp(name, "channels") == 0;
        if (ours && (json_object_get(f->object, name) || required))
            status = read_attribute(f, op, attributes, name);
    }
    return status;
}

/* Windows lie side by side where nobody says otherwise; none holds padding alone. */
static enum anole_status read_pool(const struct fields *f, const struct anole_op *op,
                                   void *attributes)
{
    const json_t *padding = json_object_get(f->object, "padding");
    size_t sides = json_is_array(padding) ? json_array_size(padding) : 1;
    struct anole_ints kernel;
    enum anole_status status = read_pair(&kernel, f, "kernel", 1);
    if (!status && !json_object_get(f->object, "stride"))
        status = anole_op_set_ints(op, attributes, "strides", kernel.values, 2, f->error);
    for (size_t i = 0; i < 4 && !status; i++) {
        const json_t *side = json_is_array(padding) ? json_array_get(padding, i % sides) : padding;
        if (json_integer_value(side) >= kernel.values[i % 2])
            status = fail_layer(f->reader, f->layer, f->error,
                                "padding of %" JSON_INTEGER_FORMAT " leaves windows of %" PRId64
                                " with nothing but padding; expected less padding than the "
                                "kernel's size",
                                json_integer_value(side), kernel.values[i % 2]);
    }
    return status;
}

static enum anole_status read_lrn(const struct fields *f, const struct anole_op *op,
                                  void *attributes)
{
    const json_t *size = json_object_get(f->object, "size");
    if (size && json_integer_value(size) % 2 == 0)
        return fail_value(f, "size", "an odd number of channels");
    return size ? ANOLE_DONE : anole_op_set_int(op, attributes, "size", 5, f->error);
}

/* A convolution whose groups are its channels is a depthwise one, whose kernels are others. */
static enum anole_status pick_operator(const struct anole_op **op, int64_t *multiplier,
                                       const struct fields *f, const struct anole_operand *input)
{
    const json_t *groups = json_object_get(f->object, "groups");
    const json_t *channels = json_object_get(f->object, "channels");
    *multiplier = 0;
    if (*op != &anole_op_conv2d || !json_is_integer(groups) || input->dims[3] < 2 ||
        json_integer_value(groups) != input->dims[3] || !in_range(channels, 1, INT32_MAX) ||
        json_integer_value(channels) % input->dims[3] != 0)
        return ANOLE_DONE;
    *multiplier = json_integer_value(channels) / input->dims[3];
    *op = &anole_op_depthwise_conv2d;
    return ANOLE_DONE;
}

static enum anole_status add_parameter(const struct fields *f, size_t *tensor, const char *what)
{
    char name[MAX_NAME + 16];
    snprintf(name, sizeof name, "%s.%s", f->layer->name, what);
    enum anole_status status =
        anole_graph_add_tensor(f->reader->graph, tensor, name, NULL, f->error);
    if (status == ANOLE_DONE)
        f->reader->graph->tensors[*tensor].parameter = true;
    return status;
}

/* A layer with weights. */
static enum anole_status build_product(const struct fields *f, size_t *tensor,
                                       const struct anole_op *op, size_t *inputs)
{
    struct anole_activate activate = {.activation = ANOLE_ACT_NONE};
    int64_t multiplier;
    bool bias = op->most_inputs > 2;
    void *attributes;
    enum anole_status status =
        pick_operator(&op, &multiplier, f, &f->reader->graph->tensors[inputs[0]].type);
    if (!status)
        status = read_bool(&bias, f, "bias");
    if (!status && (op->flags & ANOLE_OP_TAKES_ACTIVATION))
        status = read_activation(&activate, f, false);
    if (!status)
        status = add_parameter(f, &inputs[1], "weights");
    if (!status && bias)
        status = add_parameter(f, &inputs[2], "bias");
    if (!status)
        status = add_node(f, tensor, &attributes, op, inputs, 2 + bias);
    if (!status)
        status = read_attributes(f, NULL, op, attributes);
    if (!status && multiplier)
        status = anole_op_set_int(op, attributes, "multiplier", multiplier, f->error);
    if (status)
        return status;
    struct anole_node *node = &f->reader->graph->nodes[f->reader->graph->node_count - 1];
    node->activation = activate.activation;
    node->activation_alpha = activate.alpha;
    node->activation_beta = activate.beta;
    return infer_last(f);
}

/* Any other layer; more than two inputs of an addition are added one by one. */
static enum anole_status build_other(const struct fields *f, size_t *tensor,
                                     const struct kind *kind, const struct anole_op *op,
                                     const size_t *inputs, size_t count)
{
    struct anole_activate activate = {.activation = ANOLE_ACT_NONE};
    enum anole_status status = ANOLE_DONE;
    void *attributes;
    if (kind->activation)
        status = read_activation(&activate, f, op == &anole_op_unary);
    *tensor = inputs[0];
    if (status || op == &anole_op_unary)
        return status ? status : add_activation(f, tensor, &activate);
    for (size_t i = 1; !status && (i < count || i == 1); i++) {
        bool chain = op->most_inputs == 2 && count > 1;
        const size_t pair[] = {*tensor, i < count ? inputs[i] : 0};
        status = chain ? add_node(f, tensor, &attributes, op, pair, 2)
                       : add_node(f, tensor, &attributes, op, inputs, count);
        if (!status)
            status = read_attributes(f, kind, op, attributes);
        if (!status && is_key(kind->keys, "stride"))
            status = read_pool(f, op, attributes);
        if (!status && op == &anole_op_lrn)
            status = read_lrn(f, op, attributes);
        if (!status)
            status = infer_last(f);
        if (!chain)
            break;
    }
    if (!status && activate.activation != ANOLE_ACT_NONE)
        status = add_activation(f, tensor, &activate);
    return status;
}

static enum anole_status read_input(const struct fields *f, size_t *tensor)
{
    const json_t *field = json_object_get(f->object, "shape");
    struct anole_graph *graph = f->reader->graph;
    struct anole_operand type = {.dtype = f->reader->dtype, .rank = 4};
    char shape[128];
    bool fits = json_array_size(field) == 4;
    for (size_t i = 0; i < 4 && fits; i++) {
        const json_t *size = json_array_get(field, i);
        fits = in_range(size, 1, INT32_MAX);
        type.dims[i] = json_integer_value(size);
    }
    if (!fits)
        return fail_value(f, "shape",
                          "[batch, height, width, channels]: four whole numbers from 1 to "
                          "2147483647, e.g. [1, 224, 224, 3]");
    if (anole_operand_elements(&type) == SIZE_MAX)
        return fail_layer(f->reader, f->layer, f->error,
                          "the output %s is too large; expected fewer than 2^31 elements: make the "
                          "batch, the image or the channels smaller",
                          anole_operand_shape_text(shape, sizeof shape, &type));
    enum anole_status status =
        anole_graph_add_tensor(graph, tensor, f->layer->name, &type, f->error);
    return status ? status : anole_graph_add_input(graph, *tensor, f->error);
}

static enum anole_status build_layer(const struct fields *f, size_t *tensor, size_t index,
                                     const struct kind *kind, const struct anole_op *op)
{
    size_t *inputs = NULL, count = 0;
    if (!op)
        return read_input(f, tensor);
    enum anole_status status =
        read_inputs(&inputs, &count, f, index, kind && kind->inputs == MANY_INPUTS);
    if (!status)
        status = check_shapes(f, kind, op, inputs, count);
    for (size_t i = 0; i < count && !status; i++)
        inputs[i] = f->reader->layers[inputs[i]].tensor;
    if (!status)
        status = kind ? build_other(f, tensor, kind, op, inputs, count)
                      : build_product(f, tensor, op, inputs);
    free(inputs);
    return status;
}

/* ------------------------------------------------------------------ the layers */

static enum anole_status read_layer(const struct reader *r, size_t index, struct anole_error *error)
{
    struct layer *layer = &r->layers[index];
    const json_t *object = json_array_get(r->array, index);
    const json_t *field = json_object_get(object, "kind");
    const struct fields f = {r, layer, object, error};
    const struct kind *kind;
    const struct anole_op *op;
    const char *name = json_string_value(field), *keys[MAX_KEYS];
    char found[128];
    if (!name)
        return fail_layer(r, layer, error,
                          "its \"kind\" is %s; expected a text, e.g. \"kind\": \"conv2d\"",
                          anole_json_found(found, sizeof found, field));
    if (!find_kind(&kind, &op, name))
        return fail_kind(r, layer, name, error);
    list_keys(keys, kind, op);
    enum anole_status status = check_keys(&f, keys, name);
    return status ? status : build_layer(&f, &layer->tensor, index, kind, op);
}

/* What nobody reads is what the network makes. */
static enum anole_status mark_outputs(struct anole_graph *graph, struct anole_error *error)
{
    bool *read = calloc(graph->tensor_count + 1, sizeof *read);
    enum anole_status status = read ? ANOLE_DONE : anole_fail_memory(error);
    for (size_t i = 0; i < graph->node_count && !status; i++)
        for (size_t j = 0; j < graph->nodes[i].input_count; j++)
            read[graph->nodes[i].inputs[j]] = true;
    for (size_t i = 0; i < graph->node_count && !status; i++)
        if (!read[graph->nodes[i].outputs[0]])
            status = anole_graph_add_output(graph, graph->nodes[i].outputs[0], error);
    free(read);
    return status;
}

static enum anole_status read_layers(struct reader *r, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < r->count && !status; i++)
        status = read_name(r, i, error);
    for (size_t i = 0; i < r->count && !status; i++)
        status = read_layer(r, i, error);
    r->graph->layer_count = r->count;
    return status ? status : mark_outputs(r->graph, error);
}

/* ---------------------------------------------------------------- the whole file */

/* Left out, it is fp32. */
static enum anole_status read_precision(struct reader *r, const json_t *root,
                                        struct anole_error *error)
{
    const json_t *field = json_object_get(root, "precision");
    char found[128];
    r->dtype = !field                  ? ANOLE_F32
               : json_is_string(field) ? anole_precision_parse(json_string_value(field))
                                       : 0;
    if (r->dtype)
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
    char found[128], shown[MAX_NAME + 8];
    if (!json_is_object(root))
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: the file holds %s; expected an object: {\"name\": ..., \"layers\": "
                          "[...]}",
                          r->file, anole_json_found(found, sizeof found, root));
    enum anole_status status = anole_json_only(root, keys, &place, error);
    if (!status)
        status = anole_json_text(&name, root, "name", &place, error);
    if (!status)
        status = anole_json_array(&r->array, root, "layers", &place, error);
    if (!status)
        status = read_precision(r, root, error);
    if (status)
        return status;
    if (!*name || strlen(name) > MAX_NAME ||
        strcmp(anole_text_printable(shown, sizeof shown, name), name) != 0)
        return anole_fail(
            error, ANOLE_ERR_INPUT,
            "%s: the network's \"name\" is \"%s\"; expected 1 to %d bytes of printable "
            "text",
            r->file, anole_text_printable(shown, sizeof shown, name), MAX_NAME);
    size_t count = json_array_size(r->array);
    if (count == 0 || count > ANOLE_NETWORK_MAX_LAYERS)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: \"layers\" has %zu elements; expected 1 to %d layers: %s", r->file,
                          count, ANOLE_NETWORK_MAX_LAYERS,
                          count ? "split the network" : "begin with one of kind \"input\"");
    r->count = count;
    r->names = json_object();
    r->lines = calloc(count, sizeof *r->lines);
    r->layers = calloc(count, sizeof *r->layers);
    if (!r->names || !r->lines || !r->layers)
        return anole_fail_memory(error);
    return anole_graph_create(&r->graph, name, r->path, error);
}

enum anole_status anole_network_parse(struct anole_graph **graph, const char *text, size_t length,
                                      const char *path, struct anole_error *error)
{
    char file[256];
    json_t *root;
    struct reader r = {.path = path, .file = anole_text_printable(file, sizeof file, path)};
    enum anole_status status = anole_json_parse(&root, text, length, path, error);
    if (status)
        return status;
    status = read_top(&r, root, error);
    if (!status) {
        r.graph->tf32 = r.dtype == ANOLE_TF32;
        if (r.dtype == ANOLE_TF32)
            r.dtype = ANOLE_F32;
        find_lines(r.lines, r.count, text, length);
        status = read_layers(&r, error);
    }
    free(r.lines);
    free(r.layers);
    json_decref(r.names);
    json_decref(root);
    if (status)
        anole_graph_destroy(r.graph);
    else
        *graph = r.graph;
    return status;
}

enum anole_status anole_network_load(struct anole_graph **graph, const char *path,
                                     struct anole_error *error)
{
    char *text;
    size_t length;
    enum anole_status status = anole_file_read(&text, &length, path, 0, error);
    if (status)
        return status;
    status = anole_network_parse(graph, text, length, path, error);
    free(text);
    return status;
}

static enum anole_status workload_of(struct anole_workload **workload, struct anole_graph *graph,
                                     struct anole_error *error)
{
    enum anole_status status = anole_graph_fuse(graph, error);
    if (!status)
        status = anole_workload_of_graph(workload, graph, error);
    anole_graph_destroy(graph);
    return status;
}

enum anole_status anole_network_parse_workload(struct anole_workload **workload, const char *text,
                                               size_t length, const char *path,
                                               struct anole_error *error)
{
    struct anole_graph *graph;
    enum anole_status status = anole_network_parse(&graph, text, length, path, error);
    return status ? status : workload_of(workload, graph, error);
}

enum anole_status anole_network_load_workload(struct anole_workload **workload, const char *path,
                                              struct anole_error *error)
{
    struct anole_graph *graph;
    enum anole_status status = anole_network_load(&graph, path, error);
    return status ? status : workload_of(workload, graph, error);
}
