/* SPDX-License-Identifier: MIT
 *
 * What the generators of the CPU backend share: facts about the device, and the
 * features.  See gen.h for what a generator is.
 */
#ifndef ANOLE_CPU_GENERATOR_H
#define ANOLE_CPU_GENERATOR_H

#include "gen.h"

/* What tells a cost model how fast a config will be. */
struct gen_features {
    double operations;   /* floating-point operations done, also in vain, over
                            those that the layer needs by its definition */
    double accumulators; /* vector registers that hold sums */
    double registers;    /* vector registers in use in the innermost loop, over
                            those that there are */
    double vector_width; /* lanes of a vector, over the device's */
    double loads;        /* vector loads and broadcasts for each multiply-add */
    double inner_length; /* iterations of the innermost loop */
    double l1_bytes;     /* touched by one tile, over the size of L1 */
    double l2_bytes;     /* kept between tiles (weights of a block, ...), over L2 */
    double traffic;      /* bytes read and written beyond L2, over the layer's tensors */
    double groups;       /* work-groups, over compute units */
    double balance;      /* work of all units, over units x that of the busiest one */
    double code;         /* multiply-adds in the unrolled code */
};

extern const struct gen_generator cpu_conv_direct;
extern const struct gen_generator cpu_conv_grouped;
extern const struct gen_generator cpu_pointwise;
extern const struct gen_generator cpu_winograd;
extern const struct gen_generator cpu_depthwise;
extern const struct gen_generator cpu_dense;
extern const struct gen_generator cpu_conv_transpose;
extern const struct gen_generator cpu_matmul;

/* Facts about the device, with a plain guess where it is silent. */
int64_t cpu_simd_width(const struct anole_device *device);     /* fp32 lanes: 4, 8 or 16 */
int64_t cpu_registers(const struct anole_device *device);      /* vector registers */
bool cpu_has_few_registers(const struct anole_device *device); /* 16: SSE and AVX2 */
int64_t cpu_l1_bytes(const struct anole_device *device);
int64_t cpu_l2_bytes(const struct anole_device *device);
int64_t cpu_units(const struct anole_device *device);         /* threads that run work-groups */
int64_t cpu_buffer_floats(const struct anole_device *device); /* the most in one buffer */

/* A list of values: vector widths in floats: 4, 8, ... up to that of the device. */
uint32_t cpu_vector_widths(const struct anole_device *device, int64_t *list);

#endif
