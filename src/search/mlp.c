/* SPDX-License-Identifier: MIT */
#include "search/mlp.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Rows of weights and of activations are padded to whole vectors of four floats,
 * which every 64-bit target has registers for. */
#define LANES 4
#define BLOCK 4 /* rows that share one pass over a column of weights */

typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

struct layer {
    size_t inputs, outputs;
    size_t width;           /* outputs, padded */
    size_t weights, biases; /* offsets into the parameters: inputs x width, width */
    float *values;          /* rows x width: after tanh, or the output */
    float *deltas;          /* rows x width: the loss's gradient by what came before tanh */
};

struct anole_mlp {
    size_t layer_count;
    struct layer layers[ANOLE_MLP_MAX_LAYERS];
    size_t parameter_count;
    float *parameters, *gradient, *first, *second; /* one allocation */
    unsigned long steps;
    const float *input; /* of the last forward pass */
    size_t rows;        /* of the last forward pass */
    size_t capacity;    /* rows that values, deltas and output have room for */
    float *output;      /* without padding */
};

static size_t padded(size_t n)
{
    return (n + LANES - 1) / LANES * LANES;
}

static lanes load(const float *from)
{
    lanes v;
    memcpy(&v, from, sizeof v);
    return v;
}

static void store(float *to, lanes v)
{
    memcpy(to, &v, sizeof v);
}

static lanes splat(float x)
{
    return (lanes){x, x, x, x};
}

/* e^x for |x| < 80: 2^n e^r with |r| <= ln 2 / 2, and e^r by its Taylor series up
 * to r^6. */
static lanes exp_lanes(lanes x)
{
    typedef int32_t whole __attribute__((vector_size(LANES * sizeof(int32_t))));
    const float magic = 0x1.8p23f; /* adding it rounds to a whole number */
    lanes shifted = x * 0x1.715476p+0f + magic;
    lanes n = shifted - magic;
    lanes r = x - n * 0x1.62ep-1f - n * 0x1.0bfbe8p-15f; /* ln 2 in two parts */
    lanes p = r * (1.0f / 720.0f) + 1.0f / 120.0f;
    p = p * r + 1.0f / 24.0f;
    p = p * r + 1.0f / 6.0f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    whole bits = ((whole)shifted - (whole)splat(magic) + 127) << 23;
    return p * (lanes)bits;
}

/* tanh to about 2e-7; saves most of the time that libm's would take. */
static lanes tanh_lanes(lanes x)
{
    for (int i = 0; i < LANES; i++)
        x[i] = x[i] > 9.0f ? 9.0f : x[i] < -9.0f ? -9.0f : x[i];
    return 1.0f - 2.0f / (exp_lanes(x + x) + 1.0f);
}

static void draw_weights(struct anole_mlp *mlp, float output_scale, struct anole_rng *rng)
{
    for (size_t l = 0; l < mlp->layer_count; l++) {
        const struct layer *layer = &mlp->layers[l];
        double bound = sqrt(6.0 / (double)(layer->inputs + layer->outputs));
        if (l + 1 == mlp->layer_count)
            bound *= (double)output_scale;
        for (size_t i = 0; i < layer->inputs; i++) {
            float *row = mlp->parameters + layer->weights + i * layer->width;
            for (size_t o = 0; o < layer->outputs; o++)
                row[o] = (float)(bound * (2.0 * anole_rng_uniform(rng) - 1.0));
        }
    }
}

enum anole_status anole_mlp_create(struct anole_mlp **mlp, const size_t *sizes, size_t layers,
                                   float output_scale, struct anole_rng *rng,
                                   struct anole_error *error)
{
    if (layers < 1 || layers > ANOLE_MLP_MAX_LAYERS)
        return anole_fail(error, ANOLE_ERR_INTERNAL,
                          "a perceptron has 1 to %d layers, %zu were asked for",
                          ANOLE_MLP_MAX_LAYERS, layers);
    struct anole_mlp *made = calloc(1, sizeof *made);
    if (!made)
        return anole_fail_memory(error);
    made->layer_count = layers;
    size_t count = 0;
    for (size_t l = 0; l < layers; l++) {
        struct layer *layer = &made->layers[l];
        if (!sizes[l] || !sizes[l + 1] || sizes[l] > 65536 || sizes[l + 1] > 65536) {
            free(made);
            return anole_fail(error, ANOLE_ERR_INTERNAL,
                              "a layer of a perceptron has 1 to 65536 units, found %zu to %zu",
                              sizes[l], sizes[l + 1]);
        }
        layer->inputs = sizes[l];
        layer->outputs = sizes[l + 1];
        layer->width = padded(sizes[l + 1]);
        layer->weights = count;
        layer->biases = count + layer->inputs * layer->width;
        count = layer->biases + layer->width;
    }
    made->parameter_count = count;
    made->parameters = calloc(4 * count, sizeof(float));
    if (!made->parameters) {
        free(made);
        return anole_fail_memory(error);
    }
    made->gradient = made->parameters + count;
    made->first = made->gradient + count;
    made->second = made->first + count;
    draw_weights(made, output_scale, rng);
    *mlp = made;
    return ANOLE_DONE;
}

static void free_activations(struct anole_mlp *mlp)
{
    for (size_t l = 0; l < mlp->layer_count; l++) {
        free(mlp->layers[l].values);
        free(mlp->layers[l].deltas);
        mlp->layers[l].values = NULL;
        mlp->layers[l].deltas = NULL;
    }
    free(mlp->output);
    mlp->output = NULL;
    mlp->capacity = 0;
}

void anole_mlp_destroy(struct anole_mlp *mlp)
{
    if (!mlp)
        return;
    free_activations(mlp);
    free(mlp->parameters);
    free(mlp);
}

static bool reserve(struct anole_mlp *mlp, size_t rows)
{
    if (rows <= mlp->capacity)
        return true;
    if (rows > SIZE_MAX / sizeof(float) / 65536)
        return false;
    rows = (rows + BLOCK - 1) / BLOCK * BLOCK;
    free_activations(mlp);
    bool whole = true;
    for (size_t l = 0; l < mlp->layer_count; l++) {
        struct layer *layer = &mlp->layers[l];
        layer->values = calloc(rows * layer->width, sizeof(float));
        layer->deltas = calloc(rows * layer->width, sizeof(float));
        whole = whole && layer->values && layer->deltas;
    }
    mlp->output = calloc(rows * mlp->layers[mlp->layer_count - 1].outputs, sizeof(float));
    if (!whole || !mlp->output) {
        free_activations(mlp);
        return false;
    }
    mlp->capacity = rows;
    return true;
}

/* out = in * W + b for `rows` <= BLOCK rows; in[rows][stride]. */
static void forward_block(const struct layer *layer, const float *parameters, const float *in,
                          size_t stride, size_t rows, bool squash, float *out)
{
    /* Rows that do not exist repeat the first one: the loop stays the same. */
    const float *row[BLOCK];
    for (size_t r = 0; r < BLOCK; r++)
        row[r] = in + (r < rows ? r : 0) * stride;
    for (size_t o = 0; o < layer->width; o += LANES) {
        const float *w = parameters + layer->weights + o;
        lanes bias = load(parameters + layer->biases + o);
        lanes sum[BLOCK] = {bias, bias, bias, bias};
        for (size_t i = 0; i < layer->inputs; i++, w += layer->width) {
            lanes column = load(w);
            for (int r = 0; r < BLOCK; r++)
                sum[r] += column * row[r][i];
        }
        for (size_t r = 0; r < rows; r++)
            store(out + r * layer->width + o, squash ? tanh_lanes(sum[r]) : sum[r]);
    }
}

enum anole_status anole_mlp_forward(struct anole_mlp *mlp, const float **output, const float *input,
                                    size_t rows, struct anole_error *error)
{
    if (!reserve(mlp, rows))
        return anole_fail_memory(error);
    mlp->input = input;
    mlp->rows = rows;
    const float *in = input;
    size_t stride = mlp->layers[0].inputs;
    for (size_t l = 0; l < mlp->layer_count; l++) {
        struct layer *layer = &mlp->layers[l];
        bool squash = l + 1 < mlp->layer_count;
        for (size_t r = 0; r < rows; r += BLOCK)
            forward_block(layer, mlp->parameters, in + r * stride, stride,
                          rows - r < BLOCK ? rows - r : BLOCK, squash,
                          layer->values + r * layer->width);
        in = layer->values;
        stride = layer->width;
    }
    const struct layer *last = &mlp->layers[mlp->layer_count - 1];
    for (size_t r = 0; r < rows; r++)
        memcpy(mlp->output + r * last->outputs, last->values + r * last->width,
               last->outputs * sizeof(float));
    *output = mlp->output;
    return ANOLE_DONE;
}

/* Adds one row's share to the gradient of a layer's weights and biases. */
static void gather(const struct layer *layer, float *gradient, const float *in, const float *deltas)
{
    for (size_t o = 0; o < layer->width; o += LANES) {
        lanes delta = load(deltas + o);
        float *bias = gradient + layer->biases + o;
        store(bias, load(bias) + delta);
        float *w = gradient + layer->weights + o;
        for (size_t i = 0; i < layer->inputs; i++, w += layer->width)
            store(w, load(w) + delta * in[i]);
    }
}

/* The deltas of the layer before, from this layer's. */
static void propagate(const struct layer *layer, const float *parameters, const float *deltas,
                      const struct layer *before, const float *values, float *out)
{
    for (size_t i = 0; i < before->outputs; i++) {
        const float *w = parameters + layer->weights + i * layer->width;
        lanes sum = splat(0.0f);
        for (size_t o = 0; o < layer->width; o += LANES)
            sum += load(w + o) * load(deltas + o);
        float slope = 1.0f - values[i] * values[i];
        out[i] = slope * ((sum[0] + sum[1]) + (sum[2] + sum[3]));
    }
}

void anole_mlp_backward(struct anole_mlp *mlp, const float *output_gradient)
{
    struct layer *last = &mlp->layers[mlp->layer_count - 1];
    for (size_t r = 0; r < mlp->rows; r++)
        memcpy(last->deltas + r * last->width, output_gradient + r * last->outputs,
               last->outputs * sizeof(float));
    for (size_t l = mlp->layer_count; l-- > 0;) {
        struct layer *layer = &mlp->layers[l];
        struct layer *before = l ? &mlp->layers[l - 1] : NULL;
        for (size_t r = 0; r < mlp->rows; r++) {
            const float *in =
                before ? before->values + r * before->width : mlp->input + r * layer->inputs;
            const float *deltas = layer->deltas + r * layer->width;
            gather(layer, mlp->gradient, in, deltas);
            if (before)
                propagate(layer, mlp->parameters, deltas, before, in,
                          before->deltas + r * before->width);
        }
    }
}

double anole_mlp_gradient_norm2(const struct anole_mlp *mlp)
{
    double sum = 0.0;
    for (size_t i = 0; i < mlp->parameter_count; i++)
        sum += (double)mlp->gradient[i] * (double)mlp->gradient[i];
    return sum;
}

void anole_mlp_scale_gradient(struct anole_mlp *mlp, float factor)
{
    for (size_t i = 0; i < mlp->parameter_count; i++)
        mlp->gradient[i] *= factor;
}

void anole_mlp_step(struct anole_mlp *mlp, const struct anole_adam *adam)
{
    mlp->steps++;
    double t = (double)mlp->steps;
    double bias1 = 1.0 - pow((double)adam->beta1, t);
    double bias2 = 1.0 - pow((double)adam->beta2, t);
    float rate = (float)((double)adam->rate * sqrt(bias2) / bias1);
    float epsilon = (float)((double)adam->epsilon * sqrt(bias2));
    for (size_t i = 0; i < mlp->parameter_count; i++) {
        float g = mlp->gradient[i];
        float m = mlp->first[i] = adam->beta1 * mlp->first[i] + (1.0f - adam->beta1) * g;
        float v = mlp->second[i] = adam->beta2 * mlp->second[i] + (1.0f - adam->beta2) * g * g;
        mlp->parameters[i] -= rate * m / (sqrtf(v) + epsilon);
        mlp->gradient[i] = 0.0f;
    }
}

float *anole_mlp_parameters(struct anole_mlp *mlp, size_t *count)
{
    *count = mlp->parameter_count;
    return mlp->parameters;
}

const float *anole_mlp_gradient(const struct anole_mlp *mlp)
{
    return mlp->gradient;
}
