/* SPDX-License-Identifier: MIT
 *
 * A small multilayer perceptron: dense layers, tanh between them, a linear
 * output; gradients by backpropagation, steps by Adam (Kingma and Ba, 2015).
 * Made for networks of a few hundred to a few thousand weights.
 *
 * One thread at a time.
 */
#ifndef ANOLE_MLP_H
#define ANOLE_MLP_H

#include "base/rng.h"
#include "base/status.h"

#include <stddef.h>

#define ANOLE_MLP_MAX_LAYERS 4

struct anole_mlp;

struct anole_adam {
    float rate;
    float beta1, beta2;
    float epsilon;
};

/* `sizes[layers + 1]`: inputs, hidden units, ..., outputs.  Weights are drawn
 * from `rng` (Glorot uniform), those of the last layer times `output_scale`:
 * near 0 makes the initial outputs near 0.  Biases start at 0. */
enum anole_status anole_mlp_create(struct anole_mlp **mlp, const size_t *sizes, size_t layers,
                                   float output_scale, struct anole_rng *rng,
                                   struct anole_error *error);
void anole_mlp_destroy(struct anole_mlp *mlp);

/* input[rows * inputs], row after row.  *output[rows * outputs] is borrowed, and
 * valid until the next call. */
enum anole_status anole_mlp_forward(struct anole_mlp *mlp, const float **output, const float *input,
                                    size_t rows, struct anole_error *error);

/* Adds the gradient of a loss to what is gathered since the last step, given the
 * loss's gradient by the outputs of the last forward pass (whose input must still
 * be there): output_gradient[rows * outputs]. */
void anole_mlp_backward(struct anole_mlp *mlp, const float *output_gradient);

/* The squared Euclidean norm of the gathered gradient; and its scaling. */
double anole_mlp_gradient_norm2(const struct anole_mlp *mlp);
void anole_mlp_scale_gradient(struct anole_mlp *mlp, float factor);

/* One step of Adam down the gathered gradient, which is 0 afterwards. */
void anole_mlp_step(struct anole_mlp *mlp, const struct anole_adam *adam);

/* All weights and biases, and the gathered gradient, in the same order: for
 * tests.  Some entries are padding: always 0, as are their gradients. */
float *anole_mlp_parameters(struct anole_mlp *mlp, size_t *count);
const float *anole_mlp_gradient(const struct anole_mlp *mlp);

#endif
