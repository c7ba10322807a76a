/* SPDX-License-Identifier: MIT
 *
 * lstm, gru, rnn: recurrent layers as ONNX defines them, layout 0.
 *
 * With D directions (1 or 2), G gates (4, 3, 1) and H hidden units:
 *   x [steps][batch][inputs], w [D][G·H][inputs], r [D][G·H][H], b [D][2·G·H] (of w, then of r),
 *   lengths [batch], initial_h and initial_c [D][batch][H], p [D][3·H] (lstm: of i, o, f);
 *   y [steps][D][batch][H], y_h and y_c [D][batch][H].
 * Gates lie in the order i, o, f, c (lstm) and z, r, h (gru).  Past the length of a sequence y is
 * 0, and y_h is the state after its last step; the reverse direction begins there.
 *
 * With `projected` a dense layer in front has multiplied all steps by w, and added the first
 * half of b: x is [steps][batch][D·G·H] then, and w is absent.
 */
#include "kernels/op_recurrent.cl.h"
#include "op/iterate.h"
#include "op/parameters.h"
#include "op/plain.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LSTM, GRU, RNN };
enum { FORWARD, REVERSE, BIDIRECTIONAL };

static const char *const directions[] = {"forward", "reverse", "bidirectional", NULL};

enum activation {
    DEFAULT,
    AFFINE,
    ELU,
    HARD_SIGMOID,
    LEAKY_RELU,
    RELU,
    SCALED_TANH,
    SIGMOID,
    SOFTPLUS,
    SOFTSIGN,
    TANH,
    THRESHOLDED_RELU
};

static const char *const activations[] = {
    "default", "affine",   "elu",      "hard_sigmoid", "leaky_relu",       "relu", "scaled_tanh",
    "sigmoid", "softplus", "softsign", "tanh",         "thresholded_relu", NULL};

static const double default_alpha[] = {
    [AFFINE] = 1,        [ELU] = 1,         [HARD_SIGMOID] = 0.2,
    [LEAKY_RELU] = 0.01, [SCALED_TANH] = 1, [THRESHOLDED_RELU] = 1};
static const double default_beta[] = {
    [HARD_SIGMOID] = 0.5, [SCALED_TANH] = 1, [THRESHOLDED_RELU] = 0};

#define MOST_FUNCTIONS 3 /* a direction */

struct function {
    uint32_t activation;
    double alpha, beta; /* NaN: the function's own */
};

struct recurrent {
    int64_t hidden_size;
    uint32_t direction;
    double clip; /* 0: none */
    bool input_forget, linear_before_reset, projected;
    struct function functions[2 * MOST_FUNCTIONS];
};

#define FUNCTION_DEFAULT                                                                           \
    {                                                                                              \
        .alpha = NAN, .beta = NAN                                                                  \
    }
static const struct recurrent defaults = {.functions = {FUNCTION_DEFAULT, FUNCTION_DEFAULT,
                                                        FUNCTION_DEFAULT, FUNCTION_DEFAULT,
                                                        FUNCTION_DEFAULT, FUNCTION_DEFAULT}};

#define FUNCTION_KEYS(text, i)                                                                     \
    {.name = "activation_" text,                                                                   \
     .kind = ANOLE_KEY_CHOICE,                                                                     \
     .offset = offsetof(struct recurrent, functions[i].activation),                                \
     .choices = activations},                                                                      \
        {.name = "alpha_" text,                                                                    \
         .kind = ANOLE_KEY_REAL,                                                                   \
         .offset = offsetof(struct recurrent, functions[i].alpha)},                                \
    {                                                                                              \
        .name = "beta_" text, .kind = ANOLE_KEY_REAL,                                              \
        .offset = offsetof(struct recurrent, functions[i].beta)                                    \
    }

#define COMMON_KEYS                                                                                \
    {.name = "hidden_size",                                                                        \
     .kind = ANOLE_KEY_INT,                                                                        \
     .offset = offsetof(struct recurrent, hidden_size),                                            \
     .low = 1,                                                                                     \
     .high = 1 << 24,                                                                              \
     .required = true},                                                                            \
        {.name = "direction",                                                                      \
         .kind = ANOLE_KEY_CHOICE,                                                                 \
         .offset = offsetof(struct recurrent, direction),                                          \
         .choices = directions},                                                                   \
        {.name = "clip", .kind = ANOLE_KEY_REAL, .offset = offsetof(struct recurrent, clip)},      \
        {.name = "projected",                                                                      \
         .kind = ANOLE_KEY_BOOL,                                                                   \
         .offset = offsetof(struct recurrent, projected)},                                         \
        FUNCTION_KEYS("1", 0), FUNCTION_KEYS("2", 1)

static const struct anole_op_key lstm_keys[] = {
    COMMON_KEYS,
    FUNCTION_KEYS("3", 2),
    FUNCTION_KEYS("4", 3),
    FUNCTION_KEYS("5", 4),
    FUNCTION_KEYS("6", 5),
    {.name = "input_forget",
     .kind = ANOLE_KEY_BOOL,
     .offset = offsetof(struct recurrent, input_forget)},
    {.name = NULL},
};

static const struct anole_op_key gru_keys[] = {
    COMMON_KEYS,
    FUNCTION_KEYS("3", 2),
    FUNCTION_KEYS("4", 3),
    {.name = "linear_before_reset",
     .kind = ANOLE_KEY_BOOL,
     .offset = offsetof(struct recurrent, linear_before_reset)},
    {.name = NULL},
};

static const struct anole_op_key rnn_keys[] = {COMMON_KEYS, {.name = NULL}};

static const int64_t gate_counts[] = {[LSTM] = 4, [GRU] = 3, [RNN] = 1};
static const uint32_t function_counts[] = {[LSTM] = 3, [GRU] = 2, [RNN] = 1};

/* -------------------------------------------------------------------- shapes */

static enum anole_status check_shape(const struct anole_call *call, uint32_t i, uint32_t rank,
                                     const int64_t *dims, struct anole_error *error)
{
    static const char *const names[] = {"x",       "w",         "r",         "b",
                                        "lengths", "initial_h", "initial_c", "p"};
    const struct anole_operand *input = anole_call_input(call, i);
    struct anole_operand expected = {.rank = rank};
    char shapes[2][128];
    if (!input)
        return ANOLE_DONE;
    memcpy(expected.dims, dims, rank * sizeof *dims);
    if (!anole_operand_same_shape(input, &expected))
        return anole_fail(error, ANOLE_ERR_INPUT, "%s has the shape %s; expected %s", names[i],
                          anole_operand_shape_text(shapes[0], sizeof shapes[0], input),
                          anole_operand_shape_text(shapes[1], sizeof shapes[1], &expected));
    if (i == 4)
        return anole_check_type(input, ANOLE_TYPES_INDEX, names[i], error);
    return anole_check_same_type(input, call->inputs[0], names[i], error);
}

static enum anole_status infer(struct anole_call *call, int kind, struct anole_error *error)
{
    const struct recurrent *layer = call->attributes;
    const struct anole_operand *x = call->inputs[0];
    int64_t hidden = layer->hidden_size, gates = gate_counts[kind];
    int64_t ways = layer->direction == BIDIRECTIONAL ? 2 : 1;
    enum anole_status status = anole_check_type(x, ANOLE_TYPES_REAL, "x", error);
    if (status == ANOLE_DONE)
        status = anole_check_rank(x, 3, 3, "x", error);
    if (status == ANOLE_DONE && hidden < 1)
        status = anole_fail(error, ANOLE_ERR_INPUT,
                            "hidden_size is %" PRId64 "; expected 1 at least", hidden);
    if (status)
        return status;
    if (!anole_call_input(call, 2))
        return anole_fail(error, ANOLE_ERR_INPUT, "r is missing; expected a tensor of weights");
    if (!anole_call_input(call, 1) != layer->projected)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          layer->projected ? "w is there; expected none, for x is projected"
                                           : "w is missing; expected a tensor of weights");
    int64_t steps = x->dims[0], batch = x->dims[1], wide = gates * hidden;
    if (layer->projected && x->dims[2] != ways * wide)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "x has %" PRId64 " elements a step; expected %" PRId64
                          ", those of all gates",
                          x->dims[2], ways * wide);
    const struct {
        uint32_t rank;
        int64_t dims[3];
    } expected[] = {[1] = {3, {ways, wide, x->dims[2]}}, [2] = {3, {ways, wide, hidden}},
                    [3] = {2, {ways, 2 * wide}},         [4] = {1, {batch}},
                    [5] = {3, {ways, batch, hidden}},    [6] = {3, {ways, batch, hidden}},
                    [7] = {2, {ways, 3 * hidden}}};
    for (uint32_t i = 1; i < 8 && status == ANOLE_DONE; i++)
        status = check_shape(call, i, expected[i].rank, expected[i].dims, error);
    for (uint32_t i = 0; i < call->output_count && status == ANOLE_DONE; i++) {
        struct anole_operand y = {
            .dtype = x->dtype, .rank = 4, .dims = {steps, ways, batch, hidden}};
        struct anole_operand last = {.dtype = x->dtype, .rank = 3, .dims = {ways, batch, hidden}};
        call->outputs[i] = i == 0 ? y : last;
        status = anole_check_size(&call->outputs[i], error);
    }
    return status;
}

static enum anole_status infer_lstm(struct anole_call *call, struct anole_error *error)
{
    return infer(call, LSTM, error);
}

static enum anole_status infer_gru(struct anole_call *call, struct anole_error *error)
{
    return infer(call, GRU, error);
}

static enum anole_status infer_rnn(struct anole_call *call, struct anole_error *error)
{
    return infer(call, RNN, error);
}

/* ---------------------------------------------------------------- activations */

static double activate(double x, const struct function *function)
{
    double alpha = function->alpha, beta = function->beta;
    switch (function->activation) {
    case AFFINE:
        return alpha * x + beta;
    case ELU:
        return x < 0 ? alpha * expm1(x) : x;
    case HARD_SIGMOID:
        return fmin(fmax(alpha * x + beta, 0), 1);
    case LEAKY_RELU:
        return x < 0 ? alpha * x : x;
    case RELU:
        return x < 0 ? 0 : x;
    case SCALED_TANH:
        return alpha * tanh(beta * x);
    case SIGMOID:
        return 1 / (1 + exp(-x));
    case SOFTPLUS:
        return x > 30 ? x : log1p(exp(x));
    case SOFTSIGN:
        return x / (1 + fabs(x));
    case THRESHOLDED_RELU:
        return x > alpha ? x : 0;
    default:
        return tanh(x);
    }
}

/* The functions of a direction, complete. */
static void choose_functions(struct function functions[MOST_FUNCTIONS],
                             const struct recurrent *layer, int kind, uint32_t way)
{
    for (uint32_t i = 0; i < function_counts[kind]; i++) {
        struct function *function = &functions[i];
        *function = layer->functions[way * function_counts[kind] + i];
        if (function->activation == DEFAULT)
            function->activation = i == 0 && kind != RNN ? SIGMOID : TANH;
        size_t at = function->activation;
        if (isnan(function->alpha))
            function->alpha =
                at < sizeof default_alpha / sizeof *default_alpha ? default_alpha[at] : 0;
        if (isnan(function->beta))
            function->beta = at < sizeof default_beta / sizeof *default_beta ? default_beta[at] : 0;
    }
}

/* ----------------------------------------------------------------------- steps */

/* One direction, everything in double. */
struct way {
    int kind;
    const struct recurrent *layer;
    struct function functions[MOST_FUNCTIONS];
    int64_t steps, batch, inputs, hidden, gates;
    double *x;       /* [inputs] of one step; `projected`: [gates · hidden], with w and b in it */
    double *w, *r;   /* [gates · hidden][inputs], [gates · hidden][hidden] */
    double *b;       /* [2 · gates · hidden]; zeros where there is none */
    double *p;       /* [3 · hidden]; likewise */
    double *h, *c;   /* [hidden] */
    double *gate;    /* [gates · hidden] */
    double *scratch; /* [hidden] */
};

static double dot(const double *a, const double *b, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

static double clip(double x, double bound)
{
    return bound > 0 ? fmin(fmax(x, -bound), bound) : x;
}

/* x w + b_w of one gate of one unit. */
static double from_input(const struct way *way, int64_t g)
{
    return way->layer->projected ? way->x[g]
                                 : dot(way->w + g * way->inputs, way->x, way->inputs) + way->b[g];
}

/* gate[first..end-1] = x w + b_w + h r + b_r */
static void sum_gates(struct way *way, int64_t first, int64_t end, const double *h)
{
    int64_t wide = way->gates * way->hidden;
    for (int64_t g = first; g < end; g++)
        way->gate[g] =
            from_input(way, g) + dot(way->r + g * way->hidden, h, way->hidden) + way->b[wide + g];
}

static void step_lstm(struct way *way)
{
    int64_t n = way->hidden;
    double bound = way->layer->clip;
    sum_gates(way, 0, 4 * n, way->h);
    for (int64_t j = 0; j < n; j++) {
        const double *gate = way->gate + j, *p = way->p + j;
        double i = activate(clip(gate[0] + p[0] * way->c[j], bound), &way->functions[0]);
        double f =
            way->layer->input_forget
                ? 1 - i
                : activate(clip(gate[2 * n] + p[2 * n] * way->c[j], bound), &way->functions[0]);
        double fresh = activate(clip(gate[3 * n], bound), &way->functions[1]);
        way->c[j] = f * way->c[j] + i * fresh;
        double o = activate(clip(gate[n] + p[n] * way->c[j], bound), &way->functions[0]);
        way->h[j] = o * activate(way->c[j], &way->functions[2]);
    }
}

static void step_gru(struct way *way)
{
    int64_t n = way->hidden, wide = 3 * n;
    double bound = way->layer->clip;
    sum_gates(way, 0, 2 * n, way->h);
    for (int64_t j = 0; j < 2 * n; j++)
        way->gate[j] = activate(clip(way->gate[j], bound), &way->functions[0]);
    const double *z = way->gate, *reset = way->gate + n;
    if (way->layer->linear_before_reset) {
        for (int64_t g = 2 * n; g < 3 * n; g++)
            way->gate[g] = from_input(way, g) +
                           reset[g - 2 * n] * (dot(way->r + g * n, way->h, n) + way->b[wide + g]);
    } else {
        for (int64_t j = 0; j < n; j++)
            way->scratch[j] = reset[j] * way->h[j];
        sum_gates(way, 2 * n, 3 * n, way->scratch);
    }
    for (int64_t j = 0; j < n; j++) {
        double fresh = activate(clip(way->gate[2 * n + j], bound), &way->functions[1]);
        way->h[j] = (1 - z[j]) * fresh + z[j] * way->h[j];
    }
}

static void step_rnn(struct way *way)
{
    sum_gates(way, 0, way->hidden, way->h);
    for (int64_t j = 0; j < way->hidden; j++)
        way->h[j] = activate(clip(way->gate[j], way->layer->clip), &way->functions[0]);
}

/* -------------------------------------------------------------------- sequences */

/* Element `first` and `count` on of an input that may be absent (zeros). */
static void load_or_zero(double *values, const struct anole_call *call, uint32_t i, int64_t first,
                         int64_t count)
{
    const struct anole_operand *input = anole_call_input(call, i);
    if (input)
        anole_load_reals(values, input, first, 1, (size_t)count);
    else
        memset(values, 0, (size_t)count * sizeof *values);
}

static void store_if_wanted(const struct anole_call *call, uint32_t i, int64_t first,
                            const double *values, int64_t count)
{
    if (i < call->output_count && call->outputs[i].data)
        anole_store_reals(&call->outputs[i], first, 1, values, (size_t)count);
}

/* One sequence in direction number `at`. */
static void run_sequence(const struct anole_call *call, struct way *way, int64_t at, bool backwards,
                         int64_t n, int64_t length)
{
    int64_t hidden = way->hidden, ways = way->layer->direction == BIDIRECTIONAL ? 2 : 1;
    int64_t state = (at * way->batch + n) * hidden;
    load_or_zero(way->h, call, 5, state, hidden);
    load_or_zero(way->c, call, 6, state, hidden);
    for (int64_t i = 0; i < way->steps; i++) {
        int64_t t = i < length && backwards ? length - 1 - i : i;
        int64_t to = ((t * ways + at) * way->batch + n) * hidden;
        if (i >= length) {
            memset(way->scratch, 0, (size_t)hidden * sizeof *way->scratch);
            store_if_wanted(call, 0, to, way->scratch, hidden);
            continue;
        }
        int64_t from = t * way->batch + n;
        if (way->layer->projected)
            from = from * ways + at;
        anole_load_reals(way->x, call->inputs[0], from * way->inputs, 1, (size_t)way->inputs);
        if (way->kind == LSTM)
            step_lstm(way);
        else if (way->kind == GRU)
            step_gru(way);
        else
            step_rnn(way);
        store_if_wanted(call, 0, to, way->h, hidden);
    }
    store_if_wanted(call, 1, state, way->h, hidden);
    store_if_wanted(call, 2, state, way->c, hidden);
}

static enum anole_status run_way(const struct anole_call *call, struct way *way, int64_t at,
                                 struct anole_error *error)
{
    int64_t wide = way->gates * way->hidden;
    const struct anole_operand *lengths = anole_call_input(call, 4);
    bool backwards = way->layer->direction == REVERSE || at == 1;
    choose_functions(way->functions, way->layer, way->kind, (uint32_t)at);
    if (!way->layer->projected)
        load_or_zero(way->w, call, 1, at * wide * way->inputs, wide * way->inputs);
    load_or_zero(way->r, call, 2, at * wide * way->hidden, wide * way->hidden);
    load_or_zero(way->b, call, 3, at * 2 * wide, 2 * wide);
    load_or_zero(way->p, call, 7, at * 3 * way->hidden, 3 * way->hidden);
    for (int64_t n = 0; n < way->batch; n++) {
        int64_t length = lengths ? anole_operand_int(lengths, (size_t)n) : way->steps;
        if (length < 0 || length > way->steps)
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "sequence %" PRId64 " has the length %" PRId64
                              "; expected 0 to %" PRId64,
                              n, length, way->steps);
        run_sequence(call, way, at, backwards, n, length);
    }
    return ANOLE_DONE;
}

static enum anole_status run(const struct anole_call *call, int kind, struct anole_error *error)
{
    const struct anole_operand *x = call->inputs[0];
    struct way way = {.kind = kind,
                      .layer = call->attributes,
                      .steps = x->dims[0],
                      .batch = x->dims[1],
                      .inputs = x->dims[2],
                      .gates = gate_counts[kind]};
    enum anole_status status = ANOLE_DONE;
    way.hidden = way.layer->hidden_size;
    int64_t wide = way.gates * way.hidden;
    if (way.layer->projected)
        way.inputs = wide;
    /* All of it at once: x, w, r, b, p, h, c, gate, scratch.  w and r exist as operands, so
     * that their sizes are below 2^31. */
    size_t sizes[] = {
        (size_t)way.inputs,          way.layer->projected ? 0 : (size_t)(wide * way.inputs),
        (size_t)(wide * way.hidden), (size_t)(2 * wide),
        (size_t)(3 * way.hidden),    (size_t)way.hidden,
        (size_t)way.hidden,          (size_t)wide,
        (size_t)way.hidden};
    double **parts[] = {&way.x, &way.w, &way.r,    &way.b,      &way.p,
                        &way.h, &way.c, &way.gate, &way.scratch};
    size_t total = 1;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        total += sizes[i];
    double *work = malloc(total * sizeof *work), *next = work;
    if (!work)
        return anole_fail_memory(error);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; next += sizes[i++])
        *parts[i] = next;
    int64_t ways = way.layer->direction == BIDIRECTIONAL ? 2 : 1;
    for (int64_t at = 0; at < ways && status == ANOLE_DONE; at++)
        status = run_way(call, &way, at, error);
    free(work);
    return status;
}

static enum anole_status compute_lstm(const struct anole_call *call, struct anole_error *error)
{
    return run(call, LSTM, error);
}

static enum anole_status compute_gru(const struct anole_call *call, struct anole_error *error)
{
    return run(call, GRU, error);
}

static enum anole_status compute_rnn(const struct anole_call *call, struct anole_error *error)
{
    return run(call, RNN, error);
}

static double flops_of(const struct anole_call *call, int kind)
{
    const struct recurrent *layer = call->attributes;
    const struct anole_operand *x = call->inputs[0];
    double ways = layer->direction == BIDIRECTIONAL ? 2 : 1;
    return 2 * ways * (double)x->dims[0] * (double)x->dims[1] *
           (double)(gate_counts[kind] * layer->hidden_size) *
           (double)((layer->projected ? 0 : x->dims[2]) + layer->hidden_size);
}

static double flops_lstm(const struct anole_call *call)
{
    return flops_of(call, LSTM);
}

static double flops_gru(const struct anole_call *call)
{
    return flops_of(call, GRU);
}

static double flops_rnn(const struct anole_call *call)
{
    return flops_of(call, RNN);
}

/* -------------------------------------------------------------------- kernels */

#define MOST_LOCAL (32 << 10) /* bytes, which every device has */
#define MOST_ITEMS 32         /* in a group: what llvmpipe takes */

static void define_functions(struct anole_plain_source *source, const struct recurrent *layer,
                             int kind, uint32_t ways)
{
    for (uint32_t way = 0; way < ways; way++) {
        struct function functions[MOST_FUNCTIONS];
        choose_functions(functions, layer, kind, way);
        for (uint32_t i = 0; i < function_counts[kind]; i++) {
            char name[32];
            snprintf(name, sizeof name, "F_%u_%u(x)", way, i);
            anole_plain_define(source, name, "ACT_%s(x, %af, %af)",
                               activations[functions[i].activation],
                               (double)(float)functions[i].alpha, (double)(float)functions[i].beta);
        }
    }
}

static bool is_finite(const struct recurrent *layer)
{
    bool finite = isfinite((float)layer->clip);
    for (size_t i = 0; i < sizeof layer->functions / sizeof *layer->functions; i++)
        finite = finite && !isinf((float)layer->functions[i].alpha) &&
                 !isinf((float)layer->functions[i].beta);
    return finite;
}

/* Whether lengths that are known are in range; a kernel cuts the others. */
static bool fit(const struct anole_operand *lengths, int64_t steps)
{
    for (size_t i = 0; lengths && lengths->data && i < anole_operand_elements(lengths); i++)
        if (anole_operand_int(lengths, i) < 0 || anole_operand_int(lengths, i) > steps)
            return false;
    return true;
}

static enum anole_status make_kernel(const struct anole_call *call,
                                     struct anole_kernel_builder *builder, int kind,
                                     struct anole_error *error)
{
    static const char *const wants[] = {"WANT_Y", "WANT_H", "WANT_C"};
    static const char *const gives[] = {NULL,      NULL,      NULL,      "BIAS",
                                        "LENGTHS", "FIRST_H", "FIRST_C", "PEEPHOLES"};
    const struct recurrent *layer = call->attributes;
    const struct anole_operand *x = call->inputs[0], *lengths = anole_call_input(call, 4);
    const int64_t ways = layer->direction == BIDIRECTIONAL ? 2 : 1, hidden = layer->hidden_size;
    struct anole_plain_source source = {.builder = builder};
    struct anole_arg args[11];
    uint32_t count = 0;
    if (x->dtype != ANOLE_F32 || x->dims[0] < 1 || x->dims[1] < 1 || x->dims[2] < 1 ||
        (gate_counts[kind] + 2) * hidden * (int64_t)sizeof(float) > MOST_LOCAL ||
        !fit(lengths, x->dims[0]) || !is_finite(layer))
        return anole_plain_none("this type or size", error);
    anole_plain_define_int(&source, "KIND", kind);
    anole_plain_define_int(&source, "STEPS", x->dims[0]);
    anole_plain_define_int(&source, "BATCH", x->dims[1]);
    anole_plain_define_int(&source, "WAYS", ways);
    anole_plain_define_int(&source, "HIDDEN", hidden);
    anole_plain_define_int(&source, "GATES", gate_counts[kind]);
    anole_plain_define_int(&source, "INPUTS", x->dims[2]);
    anole_plain_define_int(&source, "PROJECTED", layer->projected);
    anole_plain_define_int(&source, "REVERSE", layer->direction == REVERSE);
    anole_plain_define_int(&source, "INPUT_FORGET", layer->input_forget);
    anole_plain_define_int(&source, "LINEAR_BEFORE_RESET", layer->linear_before_reset);
    if (lengths)
        anole_plain_define(&source, "INDEX", "%s", anole_plain_type(lengths->dtype));
    if (layer->clip > 0)
        anole_plain_define(&source, "CLIP(x)", "fmin(fmax(x, %af), %af)",
                           -(double)(float)layer->clip, (double)(float)layer->clip);
    else
        anole_plain_define(&source, "CLIP(x)", "(x)");
    define_functions(&source, layer, kind, (uint32_t)ways);
    for (uint32_t i = 0; i < 8; i++) {
        const bool given = anole_call_input(call, i) != NULL;
        if (gives[i])
            anole_plain_define_int(&source, gives[i], given);
        if (given)
            args[count++] = ANOLE_PLAIN_INPUT(i);
    }
    for (uint32_t i = 0; i < 3; i++) {
        const bool wanted = i < call->output_count && call->outputs[i].dtype;
        anole_plain_define_int(&source, wants[i], wanted);
        if (wanted)
            args[count++] = ANOLE_PLAIN_OUTPUT(i);
    }
    anole_plain_text(&source, kernel_op_recurrent);
    int64_t items = 1;
    while (2 * items <= hidden && items < MOST_ITEMS)
        items *= 2;
    anole_plain_launch_groups(&source, "recurrent", ways * x->dims[1], items, args, count);
    return anole_plain_finish(&source, error);
}

static enum anole_status kernel_lstm(const struct anole_call *call,
                                     struct anole_kernel_builder *builder,
                                     struct anole_error *error)
{
    return make_kernel(call, builder, LSTM, error);
}

static enum anole_status kernel_gru(const struct anole_call *call,
                                    struct anole_kernel_builder *builder, struct anole_error *error)
{
    return make_kernel(call, builder, GRU, error);
}

static enum anole_status kernel_rnn(const struct anole_call *call,
                                    struct anole_kernel_builder *builder, struct anole_error *error)
{
    return make_kernel(call, builder, RNN, error);
}

#define RECURRENT(NAME, INPUTS, OUTPUTS)                                                           \
    const struct anole_op anole_op_##NAME = {                                                      \
        .name = #NAME,                                                                             \
        .fewest_inputs = 1, /* and r, and w unless it is projected */                              \
        .most_inputs = INPUTS,                                                                     \
        .fewest_outputs = 1,                                                                       \
        .most_outputs = OUTPUTS,                                                                   \
        .attribute_bytes = sizeof(struct recurrent),                                               \
        .defaults = &defaults,                                                                     \
        .keys = NAME##_keys,                                                                       \
        .infer = infer_##NAME,                                                                     \
        .compute = compute_##NAME,                                                                 \
        .kernel = kernel_##NAME,                                                                   \
        .flops = flops_##NAME,                                                                     \
    }

RECURRENT(lstm, 8, 3);
RECURRENT(gru, 6, 2);
RECURRENT(rnn, 6, 2);
