/* SPDX-License-Identifier: MIT
 *
 * Launches a kernel that `anole best NAME.lock.json --kernels DIR --device cpu` wrote: once
 * as a whole, by one queue, and once as Anole times it on PoCL ("own queues"), by several
 * queues together.  Both outputs must be the same, bit for bit, and right.
 *
 *     cc -std=c11 -D_GNU_SOURCE -o launch launch.c \
 *         `pkg-config --cflags --libs OpenCL jansson` -pthread
 *     POCL_DEVICES=basic ./launch DIR FILE.cl QUEUES
 *
 * FILE.cl: a kernel in DIR made of the template "pointwise" or "dense", both of which are
 * products of matrices.  How others read their weights, the comment before their template
 * says, which is in each file; all else is the same for them.
 */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_LAUNCHES 8
#define MOST_QUEUES 64

/* A library would hand errors on; here the first is the end. */
static void need(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "launch: %s\n", what);
    exit(1);
}

/* ------------------------------------------------------------------ the layer */

/* out[m][k] = activation(in[m][c] * weights[k][c] + bias[k] + residual[m][k]) */
enum { IN, WEIGHTS, BIAS, RESIDUAL, OUT, WORKSPACE, TENSORS };
static const char *const roles[TENSORS] = {"input",    "weights", "bias",
                                           "residual", "output",  "workspace"};
struct layer {
    size_t m, c, k, count[TENSORS]; /* of floats */
    float *data[TENSORS];
};

/* Each file begins with the layer and the config as macros. */
static size_t macro(const char *source, const char *name)
{
    char line[64];
    snprintf(line, sizeof line, "#define %s ", name);
    const char *at = strstr(source, line);
    need(at, line);
    return strtoul(at + strlen(line), NULL, 10);
}

static void make_layer(struct layer *l, const char *source, size_t workspace)
{
    unsigned seed = 1;
    l->m = macro(source, "N") * macro(source, "P") * macro(source, "Q");
    l->c = macro(source, "C");
    l->k = macro(source, "K");
    /* Each has one more than it needs: buffers of no bytes there are not. */
    const size_t count[] = {l->m * l->c, l->k * l->c, l->k, l->m * l->k, l->m * l->k, workspace};
    for (int t = 0; t < TENSORS; t++) {
        l->count[t] = count[t];
        l->data[t] = calloc(count[t] + 1, sizeof(float));
        need(l->data[t], "out of memory");
        for (size_t i = 0; i < count[t]; i++) {
            seed = seed * 1664525u + 1013904223u;
            l->data[t][i] = (float)(seed >> 8) / (1 << 23) - 1.0f;
        }
    }
}

/* weights[K][C] as both templates read them: [K_BLOCKS][C][KB], and 0 beyond K. */
static float *pack(const struct layer *l, const char *source, size_t count)
{
    const size_t kb = macro(source, "KV") * macro(source, "VW");
    need(count == macro(source, "K_BLOCKS") * l->c * kb, "this is no product of matrices");
    float *packed = calloc(count + 1, sizeof *packed);
    need(packed, "out of memory");
    for (size_t k = 0; k < l->k; k++)
        for (size_t c = 0; c < l->c; c++)
            packed[(k / kb * l->c + c) * kb + k % kb] = l->data[WEIGHTS][k * l->c + c];
    return packed;
}

static bool is_right(const struct layer *l, const char *source, const float *out)
{
    const size_t activation = macro(source, "ACTIVATION"); /* 1: ReLU, 2: ReLU6 */
    for (size_t i = 0; i < l->count[OUT]; i++) {
        double sum = macro(source, "BIAS") ? l->data[BIAS][i % l->k] : 0;
        sum += macro(source, "RESIDUAL") ? l->data[RESIDUAL][i] : 0;
        for (size_t c = 0; c < l->c; c++)
            sum += (double)l->data[IN][i / l->k * l->c + c] * l->data[WEIGHTS][i % l->k * l->c + c];
        sum = activation && sum < 0 ? 0 : activation == 2 && sum > 6 ? 6 : sum;
        if (!(fabs(sum - out[i]) <= 1e-6 * (double)(l->c + 2))) /* all numbers are below 1 */
            return false;
    }
    return true;
}

/* ----------------------------------------------------------------- the kernel */

struct job {
    json_t *launches; /* of kernels.json: one after the other */
    cl_kernel kernels[MOST_LAUNCHES];
    cl_command_queue queues[MOST_QUEUES];
    unsigned launch_count, queue_count;
    size_t first_group;    /* the offset of a launch's first group, in each dimension */
    atomic_uint next_lane; /* the number of the next thread */
    atomic_uint done;      /* parts, over all launches */
};

/* Enqueues the share of one lane: the longest dimension is cut, the first share is the
 * widest.  Groups of these kernels are single work-items ("local" is 1). */
static void enqueue(struct job *job, unsigned launch, unsigned lane)
{
    json_t *global = json_object_get(json_array_get(job->launches, launch), "global");
    const size_t dimensions = json_array_size(global), local[3] = {1, 1, 1};
    size_t count[3] = {0}, first[3], longest = 0;
    for (size_t d = 0; d < dimensions && d < 3; d++) {
        count[d] = (size_t)json_integer_value(json_array_get(global, d));
        first[d] = job->first_group;
        longest = count[d] > count[longest] ? d : longest;
    }
    const size_t all = count[longest], each = (all + job->queue_count - 1) / job->queue_count;
    if (lane * each >= all)
        return; /* there are more queues than groups */
    first[longest] += lane * each;
    count[longest] = all - lane * each < each ? all - lane * each : each;
    need(!clEnqueueNDRangeKernel(job->queues[lane], job->kernels[launch], (cl_uint)dimensions,
                                 first, count, local, 0, NULL, NULL),
         "cannot launch the kernel");
}

/* On a device without threads, clFinish() is what runs the groups, in this thread.  A launch
 * may read what the one before it wrote, so all wait until its last share is done.  (A program
 * in earnest starts these threads once, and lets them spin for the next layer as well.) */
static void *drive(void *context)
{
    struct job *job = context;
    const unsigned lane = atomic_fetch_add(&job->next_lane, 1);
    cpu_set_t core;
    CPU_ZERO(&core);
    CPU_SET(lane, &core); /* where that one may not be used, the thread stays anywhere */
    sched_setaffinity(0, sizeof core, &core);
    for (unsigned i = 0; i < job->launch_count; i++) {
        enqueue(job, i, lane);
        need(!clFinish(job->queues[lane]), "the kernel failed");
        atomic_fetch_add(&job->done, 1);
        while (atomic_load(&job->done) < (i + 1) * job->queue_count)
            sched_yield(); /* only because there may be fewer cores than queues */
    }
    return NULL;
}

/* PoCL 3.1 ends with an assertion if two threads load a kernel for grids of different width
 * at a time: the widest share of each launch goes first, alone.  All of it is done again. */
static void run(struct job *job)
{
    pthread_t threads[MOST_QUEUES];
    for (unsigned i = 0; i < job->launch_count; i++)
        enqueue(job, i, 0);
    need(!clFinish(job->queues[0]), "the kernel failed");
    for (unsigned i = 0; i < job->queue_count; i++)
        need(!pthread_create(&threads[i], NULL, drive, job), "cannot start a thread");
    for (unsigned i = 0; i < job->queue_count; i++)
        pthread_join(threads[i], NULL);
}

/* ----------------------------------------------------------------------- main */

/* Sets the arguments of each launch, in the order of kernels.json, by their roles. */
static void bind(struct job *job, cl_program program, const cl_mem memory[TENSORS])
{
    for (size_t i = 0; i < json_array_size(job->launches); i++) {
        need(i < MOST_LAUNCHES, "too many launches");
        json_t *launch = json_array_get(job->launches, i), *args = json_object_get(launch, "args");
        const char *name = json_string_value(json_object_get(launch, "kernel"));
        job->kernels[job->launch_count++] = clCreateKernel(program, name, NULL);
        for (size_t a = 0; a < json_array_size(args); a++)
            for (int t = 0; t < TENSORS; t++) {
                json_t *role = json_object_get(json_array_get(args, a), "role");
                if (strcmp(json_string_value(role), roles[t]) == 0)
                    need(!clSetKernelArg(job->kernels[i], (cl_uint)a, sizeof *memory, &memory[t]),
                         "cannot set an argument");
            }
    }
}

/* Builds and launches; returns the output. */
static float *execute(const struct layer *l, json_t *entry, const char *source, cl_device_id device,
                      unsigned queues)
{
    float *out = calloc(l->count[OUT], sizeof *out);
    struct job job = {.launches = json_object_get(entry, "launches"), .queue_count = queues};
    cl_mem memory[TENSORS];
    char options[4096];
    cl_context context = clCreateContext(NULL, 1, &device, NULL, NULL, NULL);
    cl_program program = clCreateProgramWithSource(context, 1, &source, NULL, NULL);
    /* With shares no launch begins at 0: PoCL compiles another variant for those that do. */
    job.first_group = queues > 1;
    snprintf(options, sizeof options, "%s -DFIRST_GROUP=%zu",
             json_string_value(json_object_get(entry, "options")), job.first_group);
    need(!clBuildProgram(program, 1, &device, options, NULL, NULL), "the kernel does not compile");
    for (int t = 0; t < TENSORS; t++)
        memory[t] = clCreateBuffer(context, CL_MEM_COPY_HOST_PTR, (l->count[t] + 1) * sizeof(float),
                                   l->data[t], NULL);
    for (unsigned i = 0; i < queues; i++)
        job.queues[i] = clCreateCommandQueue(context, device, 0, NULL);
    bind(&job, program, memory);
    run(&job);
    need(out && !clEnqueueReadBuffer(job.queues[0], memory[OUT], CL_TRUE, 0,
                                     l->count[OUT] * sizeof(float), out, 0, NULL, NULL),
         "cannot read the output");
    for (unsigned i = 0; i < queues; i++)
        clReleaseCommandQueue(job.queues[i]);
    for (unsigned i = 0; i < job.launch_count; i++)
        clReleaseKernel(job.kernels[i]);
    for (int t = 0; t < TENSORS; t++)
        clReleaseMemObject(memory[t]);
    clReleaseProgram(program);
    clReleaseContext(context);
    return out;
}

/* The first CPU of any driver. */
static cl_device_id find_device(void)
{
    cl_platform_id platforms[16];
    cl_device_id device = NULL;
    cl_uint count = 0;
    clGetPlatformIDs(16, platforms, &count);
    for (cl_uint i = 0; i < count && i < 16 && !device; i++)
        clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_CPU, 1, &device, NULL);
    need(device, "there is no OpenCL driver for CPUs");
    return device;
}

int main(int argc, char **argv)
{
    struct layer layer;
    json_t *entry = NULL;
    json_int_t packed, workspace;
    const char *name = "";
    char *source = NULL;
    size_t room = 0;
    need(argc == 4 && chdir(argv[1]) == 0, "expected DIR FILE.cl QUEUES");
    const unsigned queues = (unsigned)strtoul(argv[3], NULL, 10);
    need(queues > 1 && queues <= MOST_QUEUES, "expected 2 to 64 queues");
    json_t *root = json_load_file("kernels.json", 0, NULL), *all = json_object_get(root, "kernels");
    for (size_t i = 0; i < json_array_size(all) && strcmp(name, argv[2]) != 0; i++) {
        entry = json_array_get(all, i);
        need(json_unpack(entry, "{s:s, s:I, s:I}", "file", &name, "packed_weights_bytes", &packed,
                         "workspace_bytes", &workspace) == 0,
             "this is no kernels.json");
    }
    FILE *file = fopen(argv[2], "r");
    need(strcmp(name, argv[2]) == 0 && file && getdelim(&source, &room, 0, file) > 0,
         "there is no such kernel");
    fclose(file);

    make_layer(&layer, source, (size_t)workspace / sizeof(float));
    struct layer bound = layer; /* as the kernel reads it */
    bound.count[WEIGHTS] = (size_t)packed / sizeof(float);
    bound.data[WEIGHTS] = pack(&layer, source, bound.count[WEIGHTS]);
    cl_device_id device = find_device();
    float *whole = execute(&bound, entry, source, device, 1);
    float *parts = execute(&bound, entry, source, device, queues);
    bool same = memcmp(whole, parts, layer.count[OUT] * sizeof(float)) == 0;
    bool right = is_right(&layer, source, whole);
    printf("%s: %s, and %s by %u queues\n", name, right ? "right" : "WRONG",
           same ? "the same, bit for bit," : "DIFFERENT", queues);
    for (int t = 0; t < TENSORS; t++)
        free(layer.data[t]);
    free(bound.data[WEIGHTS]);
    free(whole);
    free(parts);
    free(source);
    json_decref(root);
    return same && right ? 0 : 1;
}
