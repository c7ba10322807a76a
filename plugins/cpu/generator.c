/* SPDX-License-Identifier: MIT */
#include "generator.h"

int64_t cpu_simd_width(const struct anole_device *device)
{
    return device->simd_width >= 16 ? 16 : device->simd_width >= 8 ? 8 : 4;
}

int64_t cpu_registers(const struct anole_device *device)
{
    return device->registers ? device->registers : 16;
}

bool cpu_has_few_registers(const struct anole_device *device)
{
    return cpu_registers(device) <= 16;
}

int64_t cpu_l1_bytes(const struct anole_device *device)
{
    return device->cache_l1 ? (int64_t)device->cache_l1 : 32 << 10;
}

int64_t cpu_l2_bytes(const struct anole_device *device)
{
    return device->cache_l2 ? (int64_t)device->cache_l2 : 512 << 10;
}

int64_t cpu_units(const struct anole_device *device)
{
    return device->compute_units ? device->compute_units : 1;
}

int64_t cpu_buffer_floats(const struct anole_device *device)
{
    const int64_t most = INT64_C(1) << 30;
    return device->max_allocation ? gen_min((int64_t)device->max_allocation / 4, most) : most / 4;
}

uint32_t cpu_vector_widths(const struct anole_device *device, int64_t *list)
{
    return gen_powers(list, 4, cpu_simd_width(device));
}
