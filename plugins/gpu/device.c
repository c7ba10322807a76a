/* SPDX-License-Identifier: MIT */
#include "device.h"
#include "vendor.h"
#include "../opencl_device.h"
#include "../opencl_error.h"
#include "../opencl_session.h"

#include "gpu_mma_probe.cl.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_DEVICES 64

/* Of OpenCL 2.1 and later: asked for, not relied on. */
#ifndef CL_DEVICE_MAX_NUM_SUB_GROUPS
#define CL_DEVICE_MAX_NUM_SUB_GROUPS 0x105C
#endif

/* ------------------------------------------------------------- environment */

static bool any_device(void)
{
    const char *text = getenv(GPU_ANY_DEVICE);
    return text && *text && strcmp(text, "0") != 0;
}

/* What drivers keep of their compilers' work goes into the run's own folder: builds
 * in one process save the timing process its own, and a tuning run leaves
 * nothing behind in the user's caches.  What the user has set stays. */
static void share_caches(const struct anole_host *host)
{
    static const struct {
        const char *variable, *folder;
    } caches[] = {
        {"CUDA_CACHE_PATH", "nv"},
        {"MESA_SHADER_CACHE_DIR", "mesa"},
        {"POCL_CACHE_DIR", "pocl"},
    };
    char path[PATH_MAX];
    if (!opencl_has_scratch(host))
        return;
    for (size_t i = 0; i < sizeof caches / sizeof *caches; i++) {
        int n = snprintf(path, sizeof path, "%s/%s", host->scratch, caches[i].folder);
        if (n < 0 || (size_t)n >= sizeof path)
            continue;
        mkdir(path, 0700); /* if this fails, the driver will do without */
        setenv(caches[i].variable, path, 0);
    }
    setenv("CUDA_CACHE_MAXSIZE", "4294967296", 0);
}

/* ----------------------------------------------------------------- devices */

static int find_devices(const struct anole_host *host, const char *driver, cl_device_id *ids,
                        uint32_t *count, struct anole_message *message)
{
    cl_device_type type = any_device() ? CL_DEVICE_TYPE_ALL : CL_DEVICE_TYPE_GPU;
    if (opencl_is_guest(host))
        return opencl_find_devices_of(driver, type, ids, count, message);
    share_caches(host);
    int code = opencl_select_driver(driver, message);
    return code ? code : opencl_find_devices(type, ids, count, message);
}

/* What a compiled kernel that does next to nothing tells of the device. */
struct probe {
    uint32_t wave;      /* what work-groups should be a multiple of; 0: not known */
    uint64_t max_group; /* work-items of a work-group; 0: not known */
};

static void ask_kernel(cl_device_id id, cl_program program, struct probe *probe)
{
    size_t wave = 0, most = 0;
    cl_kernel kernel = clCreateKernel(program, "probe", NULL);
    if (!kernel)
        return;
    if (!clGetKernelWorkGroupInfo(kernel, id, CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE,
                                  sizeof wave, &wave, NULL) &&
        wave <= 1024)
        probe->wave = (uint32_t)wave;
    if (!clGetKernelWorkGroupInfo(kernel, id, CL_KERNEL_WORK_GROUP_SIZE, sizeof most, &most, NULL))
        probe->max_group = most;
    clReleaseKernel(kernel);
}

/* Does this compile?  If so, `probe`, unless NULL, gets what the kernel tells. */
static bool try_source(cl_device_id id, const char *source, struct probe *probe)
{
    cl_context context = clCreateContext(NULL, 1, &id, NULL, NULL, NULL);
    if (!context)
        return false;
    cl_program program = clCreateProgramWithSource(context, 1, &source, NULL, NULL);
    const bool built = program && !clBuildProgram(program, 1, &id, "", NULL, NULL);
    if (built && probe)
        ask_kernel(id, program, probe);
    if (program)
        clReleaseProgram(program);
    clReleaseContext(context);
    return built;
}

static void ask_compiler(cl_device_id id, struct probe *probe)
{
    try_source(id,
               "__kernel void probe(__global float *x)\n"
               "{ x[get_global_id(0)] *= 2.0f; }\n",
               probe);
}

/* Instructions of PTX that are written into a kernel: nothing says that a driver takes
 * them, and it may compile for another architecture than the device's. */
static bool takes_tensor_cores(cl_device_id id, const struct anole_device *device)
{
    return gpu_has_tensor_cores(device) && try_source(id, kernel_gpu_mma_probe, NULL);
}

/* The device's list of extensions, to be freed; "" if it has none. */
static char *extensions_of(cl_device_id id)
{
    size_t size = 0;
    if (clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, 0, NULL, &size))
        size = 0;
    char *text = calloc(1, size + 1);
    if (text && size && clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, size, text, NULL))
        text[0] = 0;
    return text;
}

static void describe(cl_device_id id, uint32_t index, struct anole_device *device)
{
    char *extensions = extensions_of(id);
    const char *list = extensions ? extensions : "";

    opencl_describe(id, index, device);
    device->cache_l2 = opencl_device_number(id, CL_DEVICE_GLOBAL_MEM_CACHE_SIZE, 0);
    gpu_describe_vendor(id, list, device);
    struct probe probe = {0};
    ask_compiler(id, &probe);
    if (probe.wave)
        gpu_add_property(device, "wave_preferred", probe.wave);
    if (!device->simd_width)
        device->simd_width = probe.wave;
    /* What not even that kernel may have is no limit of the device's. */
    if (probe.max_group && probe.max_group < device->max_work_group)
        device->max_work_group = probe.max_group;
    gpu_add_property(device, "local_real",
                     opencl_device_number(id, CL_DEVICE_LOCAL_MEM_TYPE, 0) == CL_LOCAL);
    gpu_add_property(device, "fp16", strstr(list, "cl_khr_fp16") != NULL);
    if (takes_tensor_cores(id, device))
        gpu_add_property(device, "tensor_cores", 1);
    gpu_add_property(device, "sub_groups",
                     strstr(list, "cl_khr_subgroups") || strstr(list, "cl_intel_subgroups") ||
                         opencl_device_number(id, CL_DEVICE_MAX_NUM_SUB_GROUPS, 0) > 0);
    bool unified = opencl_device_number(id, CL_DEVICE_HOST_UNIFIED_MEMORY, 0);
    gpu_add_property(device, "unified_memory", unified);
    /* Such a device computes with the cores that build. */
    if (device->type != ANOLE_DEVICE_GPU || strstr(device->name, "llvmpipe"))
        device->flags |= ANOLE_DEVICE_SHARES_HOST;
    free(extensions);
}

int gpu_probe(const struct anole_host *host, const char *driver, struct anole_device *devices,
              uint32_t *count, struct anole_message *message)
{
    cl_device_id ids[MAX_DEVICES];
    uint32_t found = MAX_DEVICES, usable = 0;
    int code = find_devices(host, driver, ids, &found, message);
    if (code)
        return code;
    for (uint32_t i = 0; i < found && i < MAX_DEVICES; i++) {
        if (!opencl_device_number(ids[i], CL_DEVICE_COMPILER_AVAILABLE, 0))
            continue;
        /* The index is that of all devices of the driver: what open() finds. */
        if (usable < *count)
            describe(ids[i], i, &devices[usable]);
        usable++;
    }
    if (found && !usable)
        return opencl_say(message, ANOLE_UNSUPPORTED,
                          "The driver has a GPU, but no compiler for it: kernels are made from "
                          "source.");
    *count = usable;
    return ANOLE_OK;
}

int gpu_open(const struct anole_host *host, const char *driver, uint32_t index,
             struct anole_session **session, struct anole_message *message)
{
    cl_device_id ids[MAX_DEVICES];
    uint32_t found = MAX_DEVICES;
    int code = find_devices(host, driver, ids, &found, message);
    if (code)
        return code;
    if (index >= found || index >= MAX_DEVICES)
        return opencl_say(message, ANOLE_NO_DEVICE,
                          "The driver '%s' has %u GPUs, none of number %u.", driver, found, index);
    return opencl_open(ids[index], session, message);
}
