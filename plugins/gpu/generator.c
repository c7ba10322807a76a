/* SPDX-License-Identifier: MIT */
#include "generator.h"

#include <string.h>

/* ----------------------------------------------------------- the device */

double gpu_property(const struct anole_device *device, const char *name, double otherwise)
{
    for (uint32_t i = 0; i < device->property_count && i < ANOLE_MAX_PROPERTIES; i++)
        if (!strncmp(device->properties[i].name, name, sizeof device->properties[i].name))
            return device->properties[i].value;
    return otherwise;
}

int64_t gpu_wave(const struct anole_device *device)
{
    return device->simd_width ? gen_min(device->simd_width, 128) : 32;
}

int64_t gpu_units(const struct anole_device *device)
{
    return device->compute_units ? device->compute_units : 8;
}

int64_t gpu_max_group(const struct anole_device *device)
{
    int64_t most =
        device->max_work_group ? (int64_t)gen_min((int64_t)device->max_work_group, 1024) : 256;
    if (device->max_work_items[0])
        most = gen_min(most, (int64_t)device->max_work_items[0]);
    return gen_max(most, 1);
}

int64_t gpu_plain_items(const struct anole_device *device)
{
    return gen_min(64, gpu_max_group(device));
}

int64_t gpu_local_bytes(const struct anole_device *device)
{
    /* Drivers' compilers may take a few bytes for themselves. */
    return device->local_memory > 1024 ? (int64_t)device->local_memory - 256 : 0;
}

bool gpu_local_is_real(const struct anole_device *device)
{
    return gpu_property(device, "local_real", 1) != 0 && gpu_local_bytes(device) > 0;
}

int64_t gpu_registers(const struct anole_device *device)
{
    return device->registers ? gen_max(gen_min(device->registers, 256), 64) : 128;
}

int64_t gpu_unit_registers(const struct anole_device *device)
{
    return (int64_t)gpu_property(device, "registers_per_unit", 65536);
}

int64_t gpu_unit_local(const struct anole_device *device)
{
    double otherwise = (double)gen_max(2 * gpu_local_bytes(device), 1);
    return (int64_t)gpu_property(device, "local_per_unit", otherwise);
}

int64_t gpu_unit_items(const struct anole_device *device)
{
    return (int64_t)gpu_property(device, "items_per_unit", 1024);
}

enum gpu_tensor_cores gpu_tensor_cores(const struct anole_device *device)
{
    const double value = gpu_property(device, "tensor_cores", 0);
    return value == GPU_TENSOR_CORES || value == GPU_EMULATED ? (enum gpu_tensor_cores)value
                                                              : GPU_NO_TENSOR_CORES;
}

double gpu_occupancy(const struct anole_device *device, int64_t items, int64_t registers,
                     int64_t local_bytes)
{
    const int64_t wave = gpu_wave(device), most = gpu_unit_items(device);
    const int64_t held = gen_ceil_div(items, wave) * wave; /* whole waves */
    int64_t groups = most / held;
    groups = gen_min(groups, gpu_unit_registers(device) / gen_max(registers * held, 1));
    if (local_bytes > 0)
        groups = gen_min(groups, gpu_unit_local(device) / local_bytes);
    /* One work-group runs at any rate, if it can be launched at all. */
    double share = (double)(gen_max(groups, 1) * held) / (double)most;
    return share < 1 ? share : 1;
}

/* ----------------------------------------------------------- what they emit */

static bool has_role(const struct anole_task *task, int role)
{
    if (role == ANOLE_ROLE_BIAS)
        return task->flags & ANOLE_TASK_BIAS;
    if (role == ANOLE_ROLE_RESIDUAL)
        return task->flags & ANOLE_TASK_RESIDUAL;
    return true;
}

void gpu_emit_launch(struct gen_emit *emit, const char *kernel, const struct anole_task *task,
                     const int64_t groups[3], int64_t items, const int *roles)
{
    struct anole_launch launch = {.dimensions = 3, .kernel = kernel};
    for (int d = 0; d < 3; d++) {
        launch.local[d] = d ? 1 : (uint64_t)items;
        launch.global[d] = (uint64_t)groups[d] * launch.local[d];
    }
    for (; *roles >= 0; roles++)
        if (has_role(task, *roles))
            launch.args[launch.arg_count++].role = (uint32_t)*roles;
    gen_emit_raw_launch(emit, &launch);
}

void gpu_emit_task(struct gen_emit *emit, const struct anole_device *device,
                   const struct anole_task *task)
{
    const bool converts = gpu_property(device, "fp16", 0) != 0;
    gen_emit_task(emit, task);
    gen_emit_define(emit, "HALF", task->dtype != ANOLE_F16 ? 0 : converts ? 2 : 1);
}

bool gpu_task_fits(const struct anole_task *task)
{
    const bool known =
        task->dtype == ANOLE_F32 || task->dtype == ANOLE_TF32 || task->dtype == ANOLE_F16;
    return known && gen_task_fits(task);
}

int64_t gpu_vector_of(int64_t n, int64_t most)
{
    int64_t width = 1;
    while (2 * width <= most && n % (2 * width) == 0)
        width *= 2;
    return width;
}
