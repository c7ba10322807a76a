/* SPDX-License-Identifier: MIT
 *
 * What a build costs on OpenCL, and what share of it is which part: processor time, which
 * other programs on the machine change little, of
 *
 *   front end  clBuildProgram() with an empty cache
 *   launch     the first launch: on PoCL, its passes, code generation and linking
 *   again      both once more, in another context, where the cache on disk has them
 *   shared     another kernel object of the same program, and its first launch
 *
 * and how many executables there are among the configs: those with the same source, options
 * and kernels are built once.
 *
 * anole-bench-builds [--configs N] [--seed N] [--options TEXT] [--prefix FILE] [--count] NETWORK
 *                    [LAYER]
 *
 * --count builds nothing, and only counts executables.
 * --options and --prefix are for trials of the compiler: what is added to the options, and put
 * before each source.
 *
 * Configs are the default and others that differ from it by one to three knobs.  Kernels run on
 * zeros, one work-group of each launch.
 */
#include "base/rng.h"
#include "devices/selection.h"
#include "frontend/load.h"
#include "plugin/generator.h"
#include "tune/suggest.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#define BUFFER_BYTES ((size_t)256 << 20)
#define MOST_CONFIGS 1024

enum part { FRONT_END, LAUNCH, AGAIN, SHARED, PARTS };

struct bench {
    cl_device_id device;
    const char *options;
    char prefix[16384];
    unsigned configs;
    uint64_t seed;
    bool count;
};

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "anole-bench-builds: %s: %s\n", what, why);
    exit(1);
}

/* Processor seconds of all threads, and of the processes that a driver starts to link. */
static double processor_time(void)
{
    double sum = 0;
    const int who[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
    for (int i = 0; i < 2; i++) {
        struct rusage usage;
        getrusage(who[i], &usage);
        sum += (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
               1e-6 * ((double)usage.ru_utime.tv_usec + (double)usage.ru_stime.tv_usec);
    }
    return sum;
}

static void check(cl_int code, const char *what)
{
    char text[32];
    snprintf(text, sizeof text, "OpenCL error %d", (int)code);
    if (code != CL_SUCCESS)
        die(what, text);
}

static cl_program build(const struct bench *bench, cl_context context,
                        const struct anole_kernel *kernel)
{
    char options[512];
    cl_int code;
    snprintf(options, sizeof options, "%s -DFIRST_GROUP=1 -w %s", kernel->options, bench->options);
    cl_program program =
        clCreateProgramWithSource(context, 2, (const char *[]){bench->prefix, kernel->source},
                                  (size_t[]){strlen(bench->prefix), kernel->source_length}, &code);
    check(code, "clCreateProgramWithSource");
    check(clBuildProgram(program, 1, &bench->device, options, NULL, NULL), "clBuildProgram");
    return program;
}

static void set_arguments(cl_kernel kernel, const struct anole_launch *launch, cl_mem buffer)
{
    for (uint32_t a = 0; a < launch->arg_count; a++) {
        const struct anole_arg *arg = &launch->args[a];
        cl_int number = (cl_int)arg->value;
        if (arg->role == ANOLE_ROLE_INT)
            check(clSetKernelArg(kernel, a, sizeof number, &number), "clSetKernelArg");
        else if (arg->role == ANOLE_ROLE_LOCAL)
            check(clSetKernelArg(kernel, a, (size_t)arg->value, NULL), "clSetKernelArg");
        else
            check(clSetKernelArg(kernel, a, sizeof buffer, &buffer), "clSetKernelArg");
    }
}

/* One work-group of each launch. */
static void launch_all(cl_program program, cl_command_queue queue, cl_mem buffer,
                       const struct anole_kernel *kernel)
{
    for (uint32_t i = 0; i < kernel->launch_count; i++) {
        const struct anole_launch *launch = &kernel->launches[i];
        size_t offset[3], size[3];
        cl_int code;
        cl_kernel k = clCreateKernel(program, launch->kernel, &code);
        check(code, "clCreateKernel");
        set_arguments(k, launch, buffer);
        for (int d = 0; d < 3; d++)
            offset[d] = size[d] = (size_t)launch->local[d];
        check(
            clEnqueueNDRangeKernel(queue, k, launch->dimensions, offset, size, size, 0, NULL, NULL),
            "clEnqueueNDRangeKernel");
        check(clFinish(queue), "clFinish");
        clReleaseKernel(k);
    }
}

/* Where something is built; a worker keeps its own for all builds. */
struct place {
    cl_context context;
    cl_command_queue queue;
    cl_mem buffer;
};

static void open_place(struct place *place, const struct bench *bench)
{
    static const char text[] = "kernel void first(global float *out) { out[0] = 0; }";
    const struct anole_launch launch = {.dimensions = 1,
                                        .kernel = "first",
                                        .global = {1, 1, 1},
                                        .local = {1, 1, 1},
                                        .arg_count = 1,
                                        .args = {{.role = ANOLE_ROLE_OUTPUT}}};
    const struct anole_kernel kernel = {.source = text,
                                        .source_length = sizeof text - 1,
                                        .options = "",
                                        .launches = &launch,
                                        .launch_count = 1};
    cl_int code;
    place->context = clCreateContext(NULL, 1, &bench->device, NULL, NULL, &code);
    check(code, "clCreateContext");
    place->queue = clCreateCommandQueue(place->context, bench->device, 0, &code);
    check(code, "clCreateCommandQueue");
    place->buffer = clCreateBuffer(place->context, CL_MEM_READ_WRITE, BUFFER_BYTES, NULL, &code);
    check(code, "clCreateBuffer");
    /* What is loaded once, for all builds. */
    cl_program program = build(bench, place->context, &kernel);
    launch_all(program, place->queue, place->buffer, &kernel);
    clReleaseProgram(program);
}

static void close_place(struct place *place)
{
    clReleaseMemObject(place->buffer);
    clReleaseCommandQueue(place->queue);
    clReleaseContext(place->context);
}

static void time_parts(const struct bench *bench, struct place *place,
                       const struct anole_kernel *kernel, double seconds[PARTS])
{
    double start = processor_time();
    cl_program program = build(bench, place->context, kernel);
    double built = processor_time();
    launch_all(program, place->queue, place->buffer, kernel);
    double launched = processor_time();
    launch_all(program, place->queue, place->buffer, kernel);
    double shared = processor_time();
    clReleaseProgram(program);
    seconds[FRONT_END] += built - start;
    seconds[LAUNCH] += launched - built;
    seconds[SHARED] += shared - launched;

    struct place other;
    open_place(&other, bench);
    start = processor_time();
    program = build(bench, other.context, kernel);
    launch_all(program, other.queue, other.buffer, kernel);
    seconds[AGAIN] += processor_time() - start;
    clReleaseProgram(program);
    close_place(&other);
}

static size_t list_configs(const struct bench *bench, const struct anole_space *space,
                           uint64_t *configs)
{
    struct anole_rng rng;
    anole_rng_init(&rng, bench->seed);
    configs[0] = anole_space_default(space);
    return 1 + anole_suggest_neighbours(configs + 1, bench->configs - 1, space, configs[0], &rng);
}

static bool is_new(uint64_t *known, size_t *count, uint64_t executable)
{
    for (size_t i = 0; i < *count; i++)
        if (known[i] == executable)
            return false;
    known[(*count)++] = executable;
    return true;
}

static void run_task(const struct bench *bench, struct place *place,
                     const struct anole_generator *generator, const char *name)
{
    uint64_t configs[MOST_CONFIGS], known[MOST_CONFIGS];
    size_t executables = 0, count = list_configs(bench, anole_generator_space(generator), configs);
    double seconds[PARTS] = {0};
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        struct anole_error error = {.status = ANOLE_DONE};
        struct anole_generated *generated;
        if (anole_generator_kernel(&generated, generator, configs[i], &error) != ANOLE_DONE)
            die(name, error.text);
        if (is_new(known, &executables, generated->executable)) {
            if (!bench->count)
                time_parts(bench, place, &generated->kernel, seconds);
            bytes += generated->kernel.source_length;
        }
        anole_generated_destroy(generated);
    }
    const double n = (double)executables;
    printf("%-44s %4zu configs %4zu executables of %5.1f kB; front end %6.1f  launch %6.1f  again "
           "%5.1f  shared %4.1f ms\n",
           name, count, executables, 1e-3 * (double)bytes / n, 1e3 * seconds[FRONT_END] / n,
           1e3 * seconds[LAUNCH] / n, 1e3 * seconds[AGAIN] / n, 1e3 * seconds[SHARED] / n);
    fflush(stdout);
}

static void read_prefix(struct bench *bench, const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file || fread(bench->prefix, 1, sizeof bench->prefix - 1, file) == 0)
        die(path, "cannot be read");
    fclose(file);
}

static cl_device_id find_device(void)
{
    cl_platform_id platforms[16];
    cl_device_id devices[16];
    cl_uint count = 0, found = 0;
    clGetPlatformIDs(16, platforms, &count);
    for (cl_uint i = 0; i < count && i < 16; i++) {
        char name[128] = "";
        clGetPlatformInfo(platforms[i], CL_PLATFORM_NAME, sizeof name, name, NULL);
        if (strcmp(name, "Portable Computing Language") == 0 &&
            clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_CPU, 16, devices, &found) == CL_SUCCESS)
            return devices[0];
    }
    die("no device", "expected PoCL, from the package pocl-opencl-icd");
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"configs", required_argument, NULL, 'c'}, {"seed", required_argument, NULL, 's'},
        {"options", required_argument, NULL, 'o'}, {"prefix", required_argument, NULL, 'p'},
        {"count", no_argument, NULL, 'n'},         {0}};
    struct bench bench = {.configs = 16, .seed = 1, .options = ""};
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_registry *registry = NULL;
    const struct anole_registry_device *device = NULL;
    struct anole_workload *workload = NULL;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'c')
            bench.configs = (unsigned)atoi(optarg);
        else if (c == 's')
            bench.seed = (uint64_t)atoll(optarg);
        else if (c == 'o')
            bench.options = optarg;
        else if (c == 'n')
            bench.count = true;
        else if (c == 'p')
            read_prefix(&bench, optarg);
        else
            return 2;
    }
    if (optind >= argc || bench.configs < 2 || bench.configs > MOST_CONFIGS) {
        fprintf(stderr, "anole-bench-builds: expected [--configs N] NETWORK [LAYER]\n");
        return 2;
    }
    /* An empty cache, and a device that compiles on the thread that asks. */
    char folder[] = "/tmp/anole-bench-builds-XXXXXX", command[64];
    if (!mkdtemp(folder) || setenv("POCL_CACHE_DIR", folder, 1) != 0)
        die("the cache", "cannot be made");
    setenv("POCL_DEVICES", "basic", 1);
    enum anole_status status = anole_registry_create(&registry, 0, &error);
    if (status == ANOLE_DONE)
        status = anole_registry_find(&device, registry, "cpu", &error);
    if (status == ANOLE_DONE)
        status = anole_workload_load(&workload, argv[optind], NULL, &error);
    if (status != ANOLE_DONE)
        die("starting", error.text);
    bench.device = find_device();
    struct place place;
    open_place(&place, &bench);
    for (size_t i = 0; i < workload->task_count; i++) {
        struct anole_generator *generator;
        const struct anole_workload_task *task = &workload->tasks[i];
        char label[128];
        anole_task_label(label, sizeof label, &task->task);
        if (optind + 1 < argc && !strstr(label, argv[optind + 1]))
            continue;
        if (anole_generator_create(&generator, registry->entries[device->backend].backend,
                                   &device->device, &task->task, &error) != ANOLE_DONE)
            die(label, error.text);
        run_task(&bench, &place, generator, label);
        anole_generator_destroy(generator);
    }
    close_place(&place);
    anole_workload_destroy(workload);
    anole_registry_destroy(registry);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) == 0 ? 0 : 1;
}
