/* SPDX-License-Identifier: MIT
 *
 * Layers as products of matrices.
 */
#ifndef ANOLE_GPU_CONV_GEMM_H
#define ANOLE_GPU_CONV_GEMM_H

#include "gemm.h"

/* A convolution, pointwise or dense layer as a product. */
struct gemm_shape conv_gemm_shape(const struct anole_task *task);

#endif
