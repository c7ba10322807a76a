/* SPDX-License-Identifier: MIT
 *
 * What drivers say of local memory is not always so: Mesa 22's rusticl counts an array twice,
 * and PoCL says 0 since version 4.  But PoCL writes it down in its binaries, which are looked at
 * where the kernel is a user's: what templates take is a matter of their constraints.
 */
#include "opencl_local_memory.h"
#include "opencl_binary.h"
#include "opencl_device.h"
#include "opencl_session_private.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Does the driver count an array once? */
static bool counts_once(const struct anole_session *session)
{
    static const char *const source = "kernel void probe(global float *out)\n"
                                      "{\n"
                                      "    local float kept[64];\n"
                                      "    kept[get_local_id(0)] = out[0];\n"
                                      "    barrier(CLK_LOCAL_MEM_FENCE);\n"
                                      "    out[1] = kept[get_local_id(1)];\n"
                                      "}\n";
    cl_ulong local = 0;
    cl_program program =
        clCreateProgramWithSource(session->context, 1, (const char **)&source, NULL, NULL);
    if (program && !clBuildProgram(program, 1, &session->device, "", NULL, NULL)) {
        cl_kernel kernel = clCreateKernel(program, "probe", NULL);
        if (kernel) {
            clGetKernelWorkGroupInfo(kernel, session->device, CL_KERNEL_LOCAL_MEM_SIZE,
                                     sizeof local, &local, NULL);
            clReleaseKernel(kernel);
        }
    }
    if (program)
        clReleaseProgram(program);
    return local == 64 * sizeof(cl_float);
}

/* Is there a word `local` or `__local`? */
static bool mentions_local(const char *source)
{
    for (const char *at = source; (at = strstr(at, "local")); at++) {
        const char *begin = at - source >= 2 && !strncmp(at - 2, "__", 2) ? at - 2 : at;
        char before = ' ';
        if (begin > source)
            before = begin[-1];
        if (before != '_' && !isalnum((unsigned char)before) &&
            isspace((unsigned char)at[strlen("local")]))
            return true;
    }
    return false;
}

/* ------------------------------------------------------------ PoCL's binaries */

static uint64_t number_at(const unsigned char *at, size_t bytes)
{
    uint64_t number = 0;
    for (size_t i = bytes; i-- > 0;)
        number = number << 8 | at[i];
    return number;
}

#define MAGIC "poclbin"
#define LAYOUT_AT 16   /* behind the magic word, and an id of the device */
#define LAYOUT 11      /* as PoCL 6 writes them */
#define MOST_ARRAYS 64 /* of a kernel; more are something else */

/* A kernel is written as the length of its name, the name, numbers of 32 bits that count its
 * arguments and its arrays in local memory, three of 64 bits, and one of 64 bits for the size
 * of each array. */
bool opencl_local_arrays_in_binary(uint64_t *bytes, const unsigned char *binary, size_t size,
                                   const char *kernel, uint32_t arguments)
{
    const size_t length = strlen(kernel), head = 4 + length + 4 + 4 + 3 * 8;
    if (size < LAYOUT_AT + 4 || memcmp(binary, MAGIC, sizeof MAGIC) != 0 ||
        number_at(binary + LAYOUT_AT, 4) != LAYOUT)
        return false;
    for (size_t i = LAYOUT_AT; size >= head && i <= size - head; i++) {
        const unsigned char *at = binary + i;
        if (number_at(at, 4) != length || memcmp(at + 4, kernel, length) != 0 ||
            number_at(at + 4 + length, 4) != arguments)
            continue;
        const uint64_t arrays = number_at(at + 8 + length, 4);
        if (arrays > MOST_ARRAYS || size - head - i < 8 * arrays)
            continue;
        *bytes = 0;
        for (uint64_t a = 0; a < arrays; a++)
            *bytes += number_at(at + head + 8 * a, 8);
        return true;
    }
    return false;
}

/* 0: not known. */
static uint64_t arrays_by_binary(const struct anole_session *session,
                                 const struct anole_build *build, const struct anole_kernel *kernel,
                                 uint32_t launch)
{
    const struct anole_launch *named =
        (const void *)((const char *)kernel->launches + launch * kernel->launches[0].size);
    uint64_t found = 0;
    size_t size = 0;
    if (opencl_binary(session, build, NULL, &size, NULL) || !size)
        return 0;
    unsigned char *binary = malloc(size);
    if (binary && !opencl_binary(session, build, binary, &size, NULL) &&
        !opencl_local_arrays_in_binary(&found, binary, size, named->kernel, named->arg_count))
        found = 0;
    free(binary);
    return found;
}

/* -------------------------------------------------------------------- the sum */

static uint64_t arrays(const struct anole_session *session, const struct anole_build *build,
                       uint32_t launch, const struct anole_kernel *kernel)
{
    const uint64_t there =
        opencl_device_number(build->device, CL_DEVICE_LOCAL_MEM_SIZE, UINT64_MAX);
    cl_ulong said = 0;
    if (clGetKernelWorkGroupInfo(build->launches[launch].kernel, build->device,
                                 CL_KERNEL_LOCAL_MEM_SIZE, sizeof said, &said, NULL))
        said = 0;
    /* Asked for its binary, PoCL builds the kernel once more, for work-groups of any size. */
    if (!said && kernel->task->kind == ANOLE_TASK_CUSTOM && mentions_local(kernel->source))
        return arrays_by_binary(session, build, kernel, launch);
    return said > there && !counts_once(session) ? 0 : said;
}

uint64_t opencl_local_memory(const struct anole_session *session, const struct anole_build *build,
                             uint32_t launch, const struct anole_kernel *kernel)
{
    const struct anole_launch *made = &build->launches[launch].launch;
    uint64_t bytes = arrays(session, build, launch, kernel);
    for (uint32_t i = 0; i < made->arg_count && i < ANOLE_MAX_ARGS; i++)
        if (made->args[i].role == ANOLE_ROLE_LOCAL && made->args[i].value > 0)
            bytes += (uint64_t)made->args[i].value;
    return bytes;
}
