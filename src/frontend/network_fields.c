/* SPDX-License-Identifier: MIT
 *
 * The keys of each kind of layer.
 */
#include "base/text.h"
#include "op/activation.h"
#include "frontend/network_json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MOST_CHANNELS 2147483647u

/* A layer in the making. */
struct fields {
    struct anole_layer *layer;
    const struct anole_network *network;
    const json_t *object;
    struct anole_error *error;
};

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

enum anole_status anole_layer_unknown_kind(const struct anole_network *network,
                                           const struct anole_layer *layer, const char *kind,
                                           struct anole_error *error)
{
    static const char *const kinds[] = {
#define X(name, text) text,
        ANOLE_LAYER_MAP(X)
#undef X
    };
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
    char shown[80], meant[80] = "";
    const char *advice = find_advice(others, sizeof others / sizeof others[0], kind);
    const char *near = anole_text_nearest(kind, kinds, ANOLE_LAYER_KIND_COUNT);
    struct anole_text list = {0};
    for (size_t i = 0; i < ANOLE_LAYER_KIND_COUNT; i++)
        anole_text_printf(&list, "%s%s", i ? ", " : "", kinds[i]);
    if (!advice && near) {
        snprintf(meant, sizeof meant, "did you mean \"%s\"?", near);
        advice = meant;
    }
    anole_network_fail(network, layer, error, "unknown kind \"%s\"%s%s; expected one of: %s",
                       anole_text_printable(shown, sizeof shown, kind), advice ? "; " : "",
                       advice ? advice : "", list.data ? list.data : "");
    anole_text_fini(&list);
    return ANOLE_ERR_INPUT;
}

static bool is_key(const char *const *keys, const char *name)
{
    for (; *keys; keys++)
        if (strcmp(*keys, name) == 0)
            return true;
    return false;
}

static enum anole_status check_keys(const struct fields *f, const char *const *keys,
                                    const struct anole_json_place *place)
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
    json_t *borrowed = (json_t *)f->object; /* Jansson's iterators only read */
    for (void *at = json_object_iter(borrowed); at; at = json_object_iter_next(borrowed, at)) {
        const char *key = json_object_iter_key(at);
        const char *ours = find_advice(others, sizeof others / sizeof others[0], key);
        if (!is_key(keys, key) && ours && is_key(keys, ours))
            return anole_network_fail(f->network, f->layer, f->error,
                                      "unknown key \"%s\"; did you mean \"%s\"?", key, ours);
    }
    return anole_json_only(f->object, keys, place, f->error);
}

/* -------------------------------------------------------------- single fields */

static enum anole_status fail_value(const struct fields *f, const char *key, const char *expected)
{
    char found[128];
    const json_t *value = json_object_get(f->object, key);
    return anole_network_fail(f->network, f->layer, f->error, "\"%s\" is %s; expected %s", key,
                              value ? anole_json_found(found, sizeof found, value) : "missing",
                              expected);
}

static bool in_range(const json_t *value, uint32_t low, uint32_t high)
{
    json_int_t number = json_integer_value(value);
    return json_is_integer(value) && number >= (json_int_t)low && number <= (json_int_t)high;
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

static enum anole_status read_number(uint32_t *value, const struct fields *f, const char *key,
                                     bool required, uint32_t high)
{
    const json_t *field = json_object_get(f->object, key);
    char expected[80];
    if (!field && !required)
        return ANOLE_DONE;
    snprintf(expected, sizeof expected, "a whole number from 1 to %" PRIu32, high);
    if (!in_range(field, 1, high))
        return fail_value(f, key, expected);
    *value = (uint32_t)json_integer_value(field);
    return ANOLE_DONE;
}

static enum anole_status read_real(double *value, const struct fields *f, const char *key)
{
    const json_t *field = json_object_get(f->object, key);
    double number = json_number_value(field);
    if (field && (!json_is_number(field) || !(number > 0) || !(number < 1e30)))
        return fail_value(f, key, "a number greater than 0");
    if (field)
        *value = number;
    return ANOLE_DONE;
}

/* One number for both directions, or [vertical, horizontal]. */
static enum anole_status read_pair(uint32_t *vertical, uint32_t *horizontal, const struct fields *f,
                                   const char *key, bool required)
{
    const json_t *field = json_object_get(f->object, key);
    char expected[128];
    bool pair = json_is_array(field) && json_array_size(field) == 2;
    const json_t *first = pair ? json_array_get(field, 0) : field;
    const json_t *second = pair ? json_array_get(field, 1) : field;
    if (!field && !required)
        return ANOLE_DONE;
    if (!in_range(first, 1, ANOLE_TASK_MAX_WINDOW) || !in_range(second, 1, ANOLE_TASK_MAX_WINDOW)) {
        snprintf(expected, sizeof expected,
                 "a whole number from 1 to %u, or two of them: [vertical, horizontal]",
                 ANOLE_TASK_MAX_WINDOW);
        return fail_value(f, key, expected);
    }
    *vertical = (uint32_t)json_integer_value(first);
    *horizontal = (uint32_t)json_integer_value(second);
    return ANOLE_DONE;
}

/* A number, [vertical, horizontal], [top, left, bottom, right], "same" or
 * "valid". */
static enum anole_status read_padding(const struct fields *f)
{
    const json_t *field = json_object_get(f->object, "padding");
    const char *text = json_string_value(field);
    struct anole_layer *layer = f->layer;
    uint32_t *const sides[] = {&layer->pad_top, &layer->pad_left, &layer->pad_bottom,
                               &layer->pad_right};
    size_t given = json_is_array(field) ? json_array_size(field) : 1;
    bool fits = given == 1 ? json_is_integer(field) : given == 2 || given == 4;
    if (!field)
        return ANOLE_DONE;
    if (text && strcmp(text, "same") == 0) {
        layer->pad_mode = ANOLE_PAD_SAME;
        return ANOLE_DONE;
    }
    if (text && strcmp(text, "valid") == 0)
        return ANOLE_DONE;
    for (size_t i = 0; i < 4 && fits; i++) {
        const json_t *side = json_is_array(field) ? json_array_get(field, i % given) : field;
        fits = in_range(side, 0, ANOLE_TASK_MAX_WINDOW);
        *sides[i] = (uint32_t)json_integer_value(side);
    }
    if (fits)
        return ANOLE_DONE;
    return fail_value(
        f, "padding",
        "\"same\", \"valid\", a whole number from 0 to 65535, [vertical, horizontal] or "
        "[top, left, bottom, right]");
}

static enum anole_status read_activation(const struct fields *f, bool required)
{
    const json_t *field = json_object_get(f->object, "activation");
    const char *text = json_string_value(field);
    if (!field && !required)
        return ANOLE_DONE;
    for (uint32_t i = ANOLE_ACT_NONE; text && i <= ANOLE_ACT_RELU6; i++) {
        if (strcmp(text, anole_activation_text(i)) == 0 && (i != ANOLE_ACT_NONE || !required)) {
            f->layer->activation = i;
            return ANOLE_DONE;
        }
    }
    return fail_value(f, "activation",
                      required ? "\"relu\" or \"relu6\"" : "\"none\", \"relu\" or \"relu6\"");
}

/* ---------------------------------------------------------------------- kinds */

static enum anole_status read_input(const struct fields *f)
{
    const json_t *field = json_object_get(f->object, "shape");
    struct anole_shape *shape = &f->layer->shape;
    uint32_t *const sizes[] = {&shape->n, &shape->h, &shape->w, &shape->c};
    bool fits = json_array_size(field) == 4;
    for (size_t i = 0; i < 4 && fits; i++) {
        const json_t *size = json_array_get(field, i);
        fits = in_range(size, 1, MOST_CHANNELS);
        *sizes[i] = (uint32_t)json_integer_value(size);
    }
    if (fits)
        return ANOLE_DONE;
    return fail_value(f, "shape",
                      "[batch, height, width, channels]: four whole numbers from 1 to 2147483647, "
                      "e.g. [1, 224, 224, 3]");
}

static enum anole_status read_conv(const struct fields *f)
{
    struct anole_layer *layer = f->layer;
    enum anole_status status = read_pair(&layer->kernel_h, &layer->kernel_w, f, "kernel", true);
    if (!status && layer->kind == ANOLE_LAYER_CONV2D)
        status = read_number(&layer->out_c, f, "channels", true, MOST_CHANNELS);
    if (!status && layer->kind == ANOLE_LAYER_CONV2D)
        status = read_number(&layer->groups, f, "groups", false, MOST_CHANNELS);
    if (!status && layer->kind == ANOLE_LAYER_DEPTHWISE_CONV2D)
        status = read_number(&layer->multiplier, f, "multiplier", false, MOST_CHANNELS);
    if (!status)
        status = read_pair(&layer->stride_h, &layer->stride_w, f, "stride", false);
    if (!status)
        status = read_pair(&layer->dilation_h, &layer->dilation_w, f, "dilation", false);
    if (!status)
        status = read_padding(f);
    layer->bias = true;
    if (!status)
        status = read_bool(&layer->bias, f, "bias");
    return status ? status : read_activation(f, false);
}

static enum anole_status read_dense(const struct fields *f)
{
    f->layer->bias = true;
    enum anole_status status = read_number(&f->layer->out_c, f, "channels", true, MOST_CHANNELS);
    if (!status)
        status = read_bool(&f->layer->bias, f, "bias");
    return status ? status : read_activation(f, false);
}

static enum anole_status read_pool(const struct fields *f)
{
    struct anole_layer *layer = f->layer;
    enum anole_status status = read_pair(&layer->kernel_h, &layer->kernel_w, f, "kernel", true);
    layer->stride_h = layer->kernel_h;
    layer->stride_w = layer->kernel_w;
    if (!status)
        status = read_pair(&layer->stride_h, &layer->stride_w, f, "stride", false);
    if (!status)
        status = read_padding(f);
    return status ? status : read_bool(&layer->ceil, f, "ceil");
}

static enum anole_status read_lrn(const struct fields *f)
{
    struct anole_lrn *lrn = &f->layer->lrn;
    enum anole_status status = read_number(&lrn->size, f, "size", false, ANOLE_TASK_MAX_WINDOW);
    if (!status && lrn->size % 2 == 0)
        status = fail_value(f, "size", "an odd number of channels");
    if (!status)
        status = read_real(&lrn->alpha, f, "alpha");
    if (!status)
        status = read_real(&lrn->beta, f, "beta");
    return status ? status : read_real(&lrn->k, f, "k");
}

static enum anole_status read_add(const struct fields *f)
{
    return read_activation(f, false);
}

static enum anole_status read_alone(const struct fields *f)
{
    return read_activation(f, true);
}

#define EVERY "name", "kind", "inputs", "comment"

static const struct {
    const char *keys[14];                              /* NULL-terminated */
    enum anole_status (*read)(const struct fields *f); /* NULL: nothing of its own */
} kinds[ANOLE_LAYER_KIND_COUNT] = {
    [ANOLE_LAYER_INPUT] = {{"name", "kind", "comment", "shape"}, read_input},
    [ANOLE_LAYER_CONV2D] = {{EVERY, "channels", "kernel", "stride", "padding", "dilation", "groups",
                             "bias", "activation"},
                            read_conv},
    [ANOLE_LAYER_DEPTHWISE_CONV2D] = {{EVERY, "kernel", "stride", "padding", "dilation",
                                       "multiplier", "bias", "activation"},
                                      read_conv},
    [ANOLE_LAYER_DENSE] = {{EVERY, "channels", "bias", "activation"}, read_dense},
    [ANOLE_LAYER_MAX_POOL] = {{EVERY, "kernel", "stride", "padding", "ceil"}, read_pool},
    [ANOLE_LAYER_AVERAGE_POOL] = {{EVERY, "kernel", "stride", "padding", "ceil"}, read_pool},
    [ANOLE_LAYER_GLOBAL_AVERAGE_POOL] = {{EVERY}, NULL},
    [ANOLE_LAYER_ADD] = {{EVERY, "activation"}, read_add},
    [ANOLE_LAYER_CONCAT] = {{EVERY}, NULL},
    [ANOLE_LAYER_ACTIVATION] = {{EVERY, "activation"}, read_alone},
    [ANOLE_LAYER_FLATTEN] = {{EVERY}, NULL},
    [ANOLE_LAYER_LRN] = {{EVERY, "size", "alpha", "beta", "k"}, read_lrn},
    [ANOLE_LAYER_SOFTMAX] = {{EVERY}, NULL},
};

enum anole_status anole_layer_read_fields(struct anole_layer *layer,
                                          const struct anole_network *network, const json_t *object,
                                          struct anole_error *error)
{
    const struct fields f = {layer, network, object, error};
    char file[512];
    struct anole_json_place place = {.file = file};
    snprintf(file, sizeof file, "%.480s:%d", network->path, layer->line);
    snprintf(place.path, sizeof place.path, "layer \"%s\" (%s)", layer->name,
             anole_layer_kind_text(layer->kind));
    enum anole_status status = check_keys(&f, kinds[layer->kind].keys, &place);
    if (status || !kinds[layer->kind].read)
        return status;
    return kinds[layer->kind].read(&f);
}
