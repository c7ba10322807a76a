/* SPDX-License-Identifier: MIT
 *
 * What the generators of the GPU backend share: facts about the device, features,
 * launches.  See gen.h for what a generator is.
 */
#ifndef ANOLE_GPU_GENERATOR_H
#define ANOLE_GPU_GENERATOR_H

#include "gen.h"

#include <string.h>

/* What tells a cost model how fast a config will be, of the launch that takes
 * longest.  In this order feature_names has them. */
struct gen_features {
    double operations;   /* multiply-adds done, also in vain, over those of the layer */
    double threads;      /* work-items of a work-group, over the width of a wave */
    double groups;       /* work-groups, over compute units */
    double quantisation; /* the share of all compute units' time that work-groups fill */
    double occupancy;    /* of work-items that a unit can hold, by registers and local memory */
    double registers;    /* of a work-item, estimated, over those that it may have */
    double local_bytes;  /* of a work-group, over those that it may have */
    double intensity;    /* multiply-adds for each float that a work-group loads */
    double reads;        /* vector reads of a work-item's innermost step, over its multiply-adds */
    double tile_bytes; /* of inputs and weights that a work-group holds, over a unit's registers */
    double traffic;    /* bytes that all work-groups load, over those of the layer's tensors */
    double depth;      /* steps of the loop over a sum's products, of a work-group */
    double vector_in;  /* floats of a load from global memory */
    double vector_out; /* floats of a store to it */
    double parts;      /* of a sum, in work-groups of their own */
    double launches;
};

extern const struct gen_generator gpu_conv_gemm;
extern const struct gen_generator gpu_winograd;
extern const struct gen_generator gpu_mma;
extern const struct gen_generator gpu_direct;
extern const struct gen_generator gpu_depthwise;
extern const struct gen_generator gpu_dense;
extern const struct gen_generator gpu_matmul;

/* ----------------------------------------------------------- the device */

/* Facts, with a plain guess where it is silent. */
int64_t gpu_wave(const struct anole_device *device);        /* work-items in lockstep */
int64_t gpu_units(const struct anole_device *device);       /* compute units */
int64_t gpu_max_group(const struct anole_device *device);   /* work-items of a work-group */
int64_t gpu_plain_items(const struct anole_device *device); /* of a launch that needs no tuning */
int64_t gpu_local_bytes(const struct anole_device *device); /* of a work-group; 0: none at all */
bool gpu_local_is_real(const struct anole_device *device);  /* is it faster than global memory? */
int64_t gpu_registers(const struct anole_device *device);   /* floats that a work-item can hold */
/* Of a compute unit. */
int64_t gpu_unit_registers(const struct anole_device *device);
int64_t gpu_unit_local(const struct anole_device *device);
int64_t gpu_unit_items(const struct anole_device *device);

/* What takes the instruction mma.sync of PTX: property `tensor_cores`. */
enum gpu_tensor_cores { GPU_NO_TENSOR_CORES, GPU_TENSOR_CORES, GPU_EMULATED };
enum gpu_tensor_cores gpu_tensor_cores(const struct anole_device *device);

/* The value of a property, or `otherwise`. */
double gpu_property(const struct anole_device *device, const char *name, double otherwise);

/* The share of a unit's work-items that can be there at a time, for work-groups of
 * so many, of so many registers each and bytes of local memory together: 0 to 1. */
double gpu_occupancy(const struct anole_device *device, int64_t items, int64_t registers,
                     int64_t local_bytes);

/* ----------------------------------------------------------- what they emit */

/* A launch of groups[3] work-groups of `items` x 1 x 1 work-items.  `roles` (of
 * enum anole_role, ended by a negative one) are its arguments, in this order; of
 * bias and residual those stay out that the task does not have. */
void gpu_emit_launch(struct gen_emit *emit, const char *kernel, const struct anole_task *task,
                     const int64_t groups[3], int64_t items, const int *roles);

/* The task as defines: those of gen_emit_task(), and HALF, of kernels/gpu.cl. */
void gpu_emit_task(struct gen_emit *emit, const struct anole_device *device,
                   const struct anole_task *task);

/* Bytes of an element of a tensor. */
static inline size_t gpu_element_bytes(const struct anole_task *task)
{
    return task->dtype == ANOLE_F16 ? 2 : 4;
}

/* to[i] = from[j], of tensors of the task's type, whatever that is. */
static inline void gpu_copy_element(const struct anole_task *task, float *to, size_t i,
                                    const float *from, size_t j)
{
    if (task->dtype == ANOLE_F16)
        memcpy((char *)to + 2 * i, (const char *)from + 2 * j, 2);
    else
        to[i] = from[j];
}

/* Do tensors keep within 32-bit indices, in a type that the templates have? */
bool gpu_task_fits(const struct anole_task *task);
/* The greatest power of two, up to `most`, that divides n. */
int64_t gpu_vector_of(int64_t n, int64_t most);

#endif
