/* SPDX-License-Identifier: MIT
 *
 * What a launch costs on the CPU, besides the work: short kernels, one after the
 * other on one in-order queue, with one wait at the end.  Three ways to use the
 * cores of PoCL, each in a process of its own, for the driver reads its environment
 * once:
 *
 *   pool     the device that has a thread for each core; they sleep between launches
 *   polling  the same, while a thread of lowest priority keeps each core from sleeping
 *   basic    a device without threads for each core, each driven by a thread of ours
 *            that launches its share of the groups, and spins until all have done so
 *
 * anole-bench-launch [THREADS]    default: 2
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/statistics.h"
#include "base/text.h"
#include "bench/affinity.h"
#include "bench/idle_poll.h"

#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#define POCL "/etc/OpenCL/vendors/pocl.icd"
#define MOST_THREADS 64u
#define GROUPS_A_THREAD 8u
#define LAUNCHES 64
#define SAMPLES 41

extern char **environ;

/* Work-groups of a chain of multiply-adds each; `first` is what an offset would be. */
static const char source[] = "__kernel void chain(__global float *out, int steps, int first) {"
                             "  float a = first + get_global_id(0);"
                             "  for (int i = 0; i < steps; i++) a = fma(a, 0.999f, 0.1f);"
                             "  out[16 * (first + get_global_id(0))] = a; }";

/* Microseconds that all the work of a launch takes on one thread, about. */
static const double works[] = {0, 10, 30, 100};
#define WORKS (sizeof works / sizeof *works)

/* -------------------------------------------------------------------- one way */

struct way {
    uint32_t threads, queue_count; /* each queue with a thread to feed it */
    cl_context context;
    cl_program program;
    cl_mem out;
    cl_command_queue queues[MOST_THREADS];
    cl_kernel kernels[MOST_THREADS];
    struct bench_affinity affinity;
    /* Of the queues: */
    pthread_t feeders[MOST_THREADS];
    uint32_t started; /* how many of them, that of queue 0 included */
    atomic_uint arrived, turn, batch, ended;
    atomic_bool quit, failed;
};

static enum anole_status cl_failure(struct anole_error *error, const char *what, cl_int code)
{
    return anole_fail(error, ANOLE_ERR_NO_DEVICE,
                      "%s failed: OpenCL error %d; expected PoCL, from the package "
                      "pocl-opencl-icd",
                      what, (int)code);
}

/* PoCL's, among those that the loader finds. */
static cl_int find_platform(cl_platform_id *platform)
{
    cl_platform_id all[16];
    cl_uint count = 0;
    cl_int code = clGetPlatformIDs(16, all, &count);
    for (cl_uint i = 0; code == CL_SUCCESS && i < count && i < 16; i++) {
        char name[128] = "";
        *platform = all[i];
        if (clGetPlatformInfo(all[i], CL_PLATFORM_NAME, sizeof name, name, NULL) == CL_SUCCESS &&
            strcmp(name, "Portable Computing Language") == 0)
            return CL_SUCCESS;
    }
    return code == CL_SUCCESS ? CL_DEVICE_NOT_FOUND : code;
}

static enum anole_status open_devices(struct way *way, struct anole_error *error)
{
    cl_platform_id platform;
    cl_device_id devices[MOST_THREADS];
    cl_uint count = 0;
    cl_int code = find_platform(&platform);
    if (code == CL_SUCCESS)
        code = clGetDeviceIDs(platform, CL_DEVICE_TYPE_CPU, MOST_THREADS, devices, &count);
    if (code != CL_SUCCESS)
        return cl_failure(error, "looking for devices", code);
    if (count < way->queue_count)
        return anole_fail(error, ANOLE_ERR_NO_DEVICE, "expected %u devices, found %u",
                          way->queue_count, (unsigned)count);
    way->context = clCreateContext(NULL, way->queue_count, devices, NULL, NULL, &code);
    for (uint32_t i = 0; code == CL_SUCCESS && i < way->queue_count; i++)
        way->queues[i] = clCreateCommandQueue(way->context, devices[i], 0, &code);
    return code == CL_SUCCESS ? ANOLE_DONE : cl_failure(error, "opening the devices", code);
}

static enum anole_status build_kernels(struct way *way, struct anole_error *error)
{
    const char *text = source;
    cl_int code;
    size_t bytes = 64u * GROUPS_A_THREAD * way->threads;
    way->out = clCreateBuffer(way->context, CL_MEM_READ_WRITE, bytes, NULL, &code);
    if (code != CL_SUCCESS)
        return cl_failure(error, "making a buffer", code);
    way->program = clCreateProgramWithSource(way->context, 1, &text, NULL, &code);
    if (code == CL_SUCCESS)
        code = clBuildProgram(way->program, 0, NULL, "", NULL, NULL);
    for (uint32_t i = 0; code == CL_SUCCESS && i < way->queue_count; i++) {
        cl_int first = (cl_int)(i * GROUPS_A_THREAD);
        way->kernels[i] = clCreateKernel(way->program, "chain", &code);
        if (code == CL_SUCCESS)
            code = clSetKernelArg(way->kernels[i], 0, sizeof way->out, &way->out);
        if (code == CL_SUCCESS)
            code = clSetKernelArg(way->kernels[i], 2, sizeof first, &first);
    }
    return code == CL_SUCCESS ? ANOLE_DONE : cl_failure(error, "building the kernel", code);
}

/* -- Running: queue 0 is the calling thread's -- */

/* Until the threads of all queues have come here; `sense` is a thread's own. */
static void meet(struct way *way, unsigned *sense)
{
    *sense ^= 1;
    if (atomic_fetch_add(&way->arrived, 1) + 1 == way->queue_count) {
        atomic_store(&way->arrived, 0);
        atomic_store(&way->turn, *sense);
    }
    while (atomic_load(&way->turn) != *sense)
        bench_relax();
}

/* All launches of a batch, of one queue.  A single queue waits at the end alone. */
static void feed(struct way *way, uint32_t queue, unsigned *sense)
{
    size_t local = 1, global = GROUPS_A_THREAD * (size_t)(way->threads / way->queue_count);
    cl_int code = CL_SUCCESS;
    for (int i = 0; i < LAUNCHES; i++) {
        code |= clEnqueueNDRangeKernel(way->queues[queue], way->kernels[queue], 1, NULL, &global,
                                       &local, 0, NULL, NULL);
        if (way->queue_count == 1)
            continue;
        code |= clFinish(way->queues[queue]);
        meet(way, sense);
    }
    code |= clFinish(way->queues[queue]);
    if (code != CL_SUCCESS)
        atomic_store(&way->failed, true);
}

struct feeder {
    struct way *way;
    uint32_t queue;
};

static void *feeder(void *context)
{
    struct feeder self = *(struct feeder *)context;
    unsigned sense = 0, seen = 0;
    free(context);
    while (!atomic_load(&self.way->quit)) {
        if (atomic_load(&self.way->batch) == seen) {
            bench_relax();
            continue;
        }
        seen++;
        feed(self.way, self.queue, &sense);
        atomic_fetch_add(&self.way->ended, 1);
    }
    return NULL;
}

static enum anole_status start_feeders(struct way *way, struct anole_error *error)
{
    bench_affinity_note(&way->affinity);
    way->started = 1;
    for (uint32_t i = 1; i < way->queue_count; i++) {
        struct feeder *context = malloc(sizeof *context);
        if (!context)
            return anole_fail_memory(error);
        *context = (struct feeder){way, i};
        if (pthread_create(&way->feeders[i], NULL, feeder, context) != 0) {
            free(context);
            return anole_fail(error, ANOLE_ERR_SYSTEM, "a thread cannot be started");
        }
        way->started++;
    }
    if (way->queue_count > 1)
        bench_affinity_pin_new(&way->affinity);
    return ANOLE_DONE;
}

/* Seconds of one launch, by one batch. */
static double run_batch(struct way *way, unsigned *sense)
{
    double begin = anole_clock();
    atomic_store(&way->ended, 0);
    atomic_fetch_add(&way->batch, 1);
    feed(way, 0, sense);
    while (atomic_load(&way->ended) + 1 < way->queue_count)
        bench_relax();
    return (anole_clock() - begin) / LAUNCHES;
}

static void set_steps(struct way *way, double microseconds, double step)
{
    double groups = (double)GROUPS_A_THREAD * way->threads;
    cl_int steps = (cl_int)(1e-6 * microseconds / groups / step);
    for (uint32_t i = 0; i < way->queue_count; i++)
        clSetKernelArg(way->kernels[i], 1, sizeof steps, &steps);
}

/* Seconds of one step of a chain: a single group of a million. */
static double time_step(struct way *way)
{
    cl_int steps = 1000000;
    size_t one = 1;
    double best = 1.0;
    clSetKernelArg(way->kernels[0], 1, sizeof steps, &steps);
    for (int i = 0; i < 9; i++) {
        double begin = anole_clock();
        clEnqueueNDRangeKernel(way->queues[0], way->kernels[0], 1, NULL, &one, &one, 0, NULL, NULL);
        clFinish(way->queues[0]);
        double seconds = anole_clock() - begin;
        best = seconds < best ? seconds : best;
    }
    return best / steps;
}

static void measure(struct way *way, const char *name)
{
    unsigned sense = 0;
    double step = time_step(way);
    for (size_t w = 0; w < WORKS; w++) {
        double samples[SAMPLES];
        struct anole_summary summary;
        set_steps(way, works[w], step);
        run_batch(way, &sense);
        for (int i = 0; i < SAMPLES; i++)
            samples[i] = run_batch(way, &sense);
        anole_summarise(&summary, samples, SAMPLES);
        printf("%-7s  %4.0f us of work  %7.2f us [%.2f, %.2f], least %.2f; beyond the work %7.2f "
               "us\n",
               name, works[w], 1e6 * summary.median, 1e6 * summary.low, 1e6 * summary.high,
               1e6 * summary.minimum, 1e6 * summary.median - works[w] / way->threads);
    }
}

static void way_fini(struct way *way)
{
    atomic_store(&way->quit, true);
    for (uint32_t i = 1; i < way->started; i++)
        pthread_join(way->feeders[i], NULL);
    for (uint32_t i = 0; i < way->queue_count; i++) {
        if (way->kernels[i])
            clReleaseKernel(way->kernels[i]);
        if (way->queues[i])
            clReleaseCommandQueue(way->queues[i]);
    }
    if (way->program)
        clReleaseProgram(way->program);
    if (way->out)
        clReleaseMemObject(way->out);
    if (way->context)
        clReleaseContext(way->context);
}

static enum anole_status run_way(const char *name, uint32_t threads, struct anole_error *error)
{
    struct bench_idle_poll *idle_poll = NULL;
    struct way *way = calloc(1, sizeof *way);
    if (!way)
        return anole_fail_memory(error);
    way->threads = threads;
    way->queue_count = strcmp(name, "basic") == 0 ? threads : 1;
    enum anole_status status = bench_affinity_limit(&way->affinity, threads, error);
    if (status == ANOLE_DONE)
        status = open_devices(way, error);
    if (status == ANOLE_DONE)
        status = build_kernels(way, error);
    if (status == ANOLE_DONE)
        status = start_feeders(way, error);
    if (status == ANOLE_DONE && strcmp(name, "polling") == 0)
        status = bench_idle_poll_start(&idle_poll, &way->affinity, error);
    if (status == ANOLE_DONE)
        measure(way, name);
    bench_idle_poll_stop(idle_poll);
    way_fini(way);
    if (status == ANOLE_DONE && atomic_load(&way->failed))
        status = anole_fail(error, ANOLE_ERR_WORKER, "a launch failed");
    free(way);
    return status;
}

/* ------------------------------------------------------------------ all ways */

/* This program again, with an environment of its own. */
static enum anole_status spawn_way(const char *name, uint32_t threads, struct anole_error *error)
{
    char count[16], devices[8 * MOST_THREADS] = "pthread";
    pid_t id;
    int state;
    snprintf(count, sizeof count, "%u", threads);
    if (strcmp(name, "basic") == 0) {
        *devices = '\0';
        for (uint32_t i = 0; i < threads; i++)
            strcat(devices, i ? " basic" : "basic");
    }
    if (access(POCL, R_OK) == 0) /* spare the loader all others */
        setenv("OCL_ICD_VENDORS", POCL, 0);
    setenv("POCL_DEVICES", devices, 1);
    setenv("POCL_MAX_PTHREAD_COUNT", count, 1);
    setenv("POCL_CPU_MAX_CU_COUNT", count, 1);
    setenv("POCL_AFFINITY", "1", 1);
    char *const arguments[] = {(char *)"anole-bench-launch", count, (char *)name, NULL};
    fflush(stdout);
    if (posix_spawn(&id, "/proc/self/exe", NULL, NULL, arguments, environ) != 0)
        return anole_fail_errno(error, "starting this program again");
    if (waitpid(id, &state, 0) < 0)
        return anole_fail_errno(error, "waiting for '%s'", name);
    if (!WIFEXITED(state) || WEXITSTATUS(state) != 0)
        return anole_fail(error, ANOLE_ERR_WORKER, "'%s' did not come to its end", name);
    return ANOLE_DONE;
}

int main(int argc, char **argv)
{
    static const char *const ways[] = {"pool", "polling", "basic"};
    struct anole_error error = {.status = ANOLE_DONE};
    uint64_t threads = 2;
    enum anole_status status = ANOLE_DONE;
    if (argc > 3 || (argc > 1 && strcmp(argv[1], "--help") == 0)) {
        printf("Usage: anole-bench-launch [THREADS]\n");
        return argc > 3 ? 2 : 0;
    }
    if (argc > 1)
        status = anole_text_parse_u64(&threads, argv[1], "the number of threads", 1, MOST_THREADS,
                                      &error);
    if (status == ANOLE_DONE && argc > 2)
        status = run_way(argv[2], (uint32_t)threads, &error);
    for (size_t i = 0; status == ANOLE_DONE && argc < 3 && i < sizeof ways / sizeof *ways; i++)
        status = spawn_way(ways[i], (uint32_t)threads, &error);
    if (status != ANOLE_DONE)
        anole_log_error("%s", error.text);
    return anole_status_exit_code(status);
}
