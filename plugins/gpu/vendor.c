/* SPDX-License-Identifier: MIT */
#include "vendor.h"

#include <stdio.h>
#include <string.h>

/* From the extensions' specifications: headers differ in which of them they have. */
enum {
    NV_CAPABILITY_MAJOR = 0x4000,
    NV_CAPABILITY_MINOR = 0x4001,
    NV_REGISTERS_PER_BLOCK = 0x4002,
    NV_WARP_SIZE = 0x4003,
    NV_EXEC_TIMEOUT = 0x4005,
    AMD_BOARD_NAME = 0x4038,
    AMD_SIMD_PER_COMPUTE_UNIT = 0x4040,
    AMD_SIMD_WIDTH = 0x4041,
    AMD_WAVEFRONT_WIDTH = 0x4043,
    AMD_LOCAL_MEM_SIZE_PER_COMPUTE_UNIT = 0x4047,
    INTEL_SUB_GROUP_SIZES = 0x4108,
};

void gpu_add_property(struct anole_device *device, const char *name, double value)
{
    if (device->property_count == ANOLE_MAX_PROPERTIES)
        return;
    struct anole_property *property = &device->properties[device->property_count++];
    snprintf(property->name, sizeof property->name, "%s", name);
    property->value = value;
}

/* -------------------------------------------------------------------- NVIDIA */

/* Of a streaming multiprocessor, from the table "Technical Specifications per
 * Compute Capability" of the CUDA C++ Programming Guide. */
static const struct {
    unsigned capability; /* major * 10 + minor: the first that the row speaks of */
    unsigned lanes, items, local_kib;
} multiprocessors[] = {
    {0, 128, 2048, 48},    {50, 128, 2048, 64},  {52, 128, 2048, 96},  {60, 64, 2048, 64},
    {61, 128, 2048, 96},   {70, 64, 2048, 96},   {75, 64, 1024, 64},   {80, 64, 2048, 164},
    {86, 128, 1536, 100},  {87, 128, 1536, 164}, {89, 128, 1536, 100}, {90, 128, 2048, 228},
    {120, 128, 1536, 100},
};

static void describe_nvidia(cl_device_id id, struct anole_device *device)
{
    unsigned major = (unsigned)opencl_device_number(id, NV_CAPABILITY_MAJOR, 0);
    unsigned minor = (unsigned)opencl_device_number(id, NV_CAPABILITY_MINOR, 0);
    unsigned row = 0;
    for (unsigned i = 0; i < sizeof multiprocessors / sizeof *multiprocessors; i++)
        if (multiprocessors[i].capability <= major * 10 + minor)
            row = i;
    device->simd_width = (uint32_t)opencl_device_number(id, NV_WARP_SIZE, 32);
    device->registers = 255; /* of a thread; one is always zero */
    gpu_add_property(device, "compute_capability", (major * 10 + minor) / 10.0);
    gpu_add_property(device, "registers_per_unit",
                     (double)opencl_device_number(id, NV_REGISTERS_PER_BLOCK, 65536));
    gpu_add_property(device, "local_per_unit", multiprocessors[row].local_kib * 1024.0);
    gpu_add_property(device, "items_per_unit", multiprocessors[row].items);
    gpu_add_property(device, "lanes_per_unit", multiprocessors[row].lanes);
    gpu_add_property(device, "time_limit", (double)opencl_device_number(id, NV_EXEC_TIMEOUT, 0));
}

/* mma.sync on TF32, and on tiles of 16 x 8 x 16 halves, came with 8.0: PTX ISA 7.0. */
bool gpu_has_tensor_cores(const struct anole_device *device)
{
    for (uint32_t i = 0; i < device->property_count; i++)
        if (!strcmp(device->properties[i].name, "compute_capability"))
            return device->properties[i].value >= 8.0;
    return false;
}

/* ----------------------------------------------------------------------- AMD */

static void describe_amd(cl_device_id id, struct anole_device *device)
{
    char board[sizeof device->name] = "";
    uint64_t simds = opencl_device_number(id, AMD_SIMD_PER_COMPUTE_UNIT, 0);
    uint64_t width = opencl_device_number(id, AMD_SIMD_WIDTH, 0);
    device->simd_width = (uint32_t)opencl_device_number(id, AMD_WAVEFRONT_WIDTH, 64);
    device->registers = 256; /* vector registers of a wavefront's lane */
    /* The device's own name is that of an instruction set: gfx1030. */
    if (!clGetDeviceInfo(id, AMD_BOARD_NAME, sizeof board, board, NULL) && board[0]) {
        board[sizeof board - 1] = 0;
        snprintf(device->name, sizeof device->name, "%s", board);
    }
    if (simds && width) {
        /* Each SIMD holds 256 registers of 64 lanes (GCN), or 1024 of 32 (RDNA). */
        double registers = device->simd_width == 64 ? 256.0 * 64 : 1024.0 * 32;
        gpu_add_property(device, "lanes_per_unit", (double)(simds * width));
        gpu_add_property(device, "registers_per_unit", (double)simds * registers);
        gpu_add_property(device, "items_per_unit",
                         (double)simds * (device->simd_width == 64 ? 10 * 64 : 16 * 32));
    }
    uint64_t local = opencl_device_number(id, AMD_LOCAL_MEM_SIZE_PER_COMPUTE_UNIT, 0);
    if (local)
        gpu_add_property(device, "local_per_unit", (double)local);
}

/* --------------------------------------------------------------------- Intel */

/* An execution unit has 4 KiB of registers a thread, seven or eight threads, and
 * starts eight multiply-adds a clock; OpenCL calls it a compute unit. */
static void describe_intel(cl_device_id id, struct anole_device *device)
{
    size_t sizes[16] = {0}, bytes = 0;
    uint32_t width = 0;
    if (clGetDeviceInfo(id, INTEL_SUB_GROUP_SIZES, sizeof sizes, sizes, &bytes))
        return;
    for (size_t i = 0; i < bytes / sizeof *sizes && i < 16; i++) {
        if (sizes[i] == 16 || !width) /* what its compiler prefers */
            width = (uint32_t)sizes[i];
    }
    if (!width)
        return;
    device->simd_width = width;
    device->registers = 4096 / 4 / width;
    gpu_add_property(device, "registers_per_unit", 7 * 1024);
    gpu_add_property(device, "items_per_unit", 7.0 * width);
    gpu_add_property(device, "lanes_per_unit", 8);
}

void gpu_describe_vendor(cl_device_id id, const char *extensions, struct anole_device *device)
{
    if (strstr(extensions, "cl_nv_device_attribute_query"))
        describe_nvidia(id, device);
    else if (strstr(extensions, "cl_amd_device_attribute_query"))
        describe_amd(id, device);
    else if (strstr(extensions, "cl_intel_required_subgroup_size"))
        describe_intel(id, device);
}
