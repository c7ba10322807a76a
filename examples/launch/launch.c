/* SPDX-License-Identifier: MIT
 *
 * Launches a convolution or a dense layer that Anole tuned for a CPU: once as a whole, by
 * one queue, and once as Anole times it on PoCL ("own queues"), by several queues together.
 * Both outputs must be the same, bit for bit, and right.  With WEIGHTS, the layer's weights
 * as numbers (see anole-pack(1)), and kernel 3 as an example:
 *
 *     anole best NAME.lock.json --kernels DIR --device cpu
 *     anole pack NAME.lock.json 3 WEIGHTS --output PACKED --device cpu
 *     cc -std=c11 -D_GNU_SOURCE -o launch launch.c \
 *         `pkg-config --cflags --libs OpenCL jansson` -pthread
 *     POCL_DEVICES=basic ./launch DIR 03_LABEL.cl QUEUES WEIGHTS PACKED
 *
 * The kernel reads PACKED; WEIGHTS are for what it is held against.
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

enum { IN, WEIGHTS, BIAS, RESIDUAL, OUT, WORKSPACE, TENSORS };
static const char *const roles[TENSORS] = {"input",    "weights", "bias",
                                           "residual", "output",  "workspace"};

/* As kernels.json has it: images are [n][height][width][channels]. */
struct layer {
    size_t n, h, w, c, k, r, s, p, q; /* images, input, output channels, kernel, output */
    size_t groups, stride[2], dilation[2], pad[2];
    bool bias, residual, relu, relu6;
    size_t count[TENSORS]; /* of floats */
    float *data[TENSORS];
};

/* Number i of a list of the layer's. */
static size_t number(json_t *list, size_t i)
{
    json_t *value = json_array_get(list, i);
    need(json_is_integer(value), "kernels.json lacks a size");
    return (size_t)json_integer_value(value);
}

/* Batch, height, width and channels; a dense layer has no height and width. */
static void read_shape(size_t shape[4], json_t *tensor)
{
    json_t *sizes = json_object_get(tensor, "shape");
    const bool flat = json_array_size(sizes) == 2;
    shape[0] = number(sizes, 0);
    shape[1] = flat ? 1 : number(sizes, 1);
    shape[2] = flat ? 1 : number(sizes, 2);
    shape[3] = number(sizes, flat ? 1 : 3);
}

static void read_layer(struct layer *l, json_t *entry)
{
    json_t *tensors = json_object_get(entry, "tensors"), *layer = json_object_get(entry, "layer");
    const char *activation = json_string_value(json_object_get(layer, "activation"));
    size_t in[4], out[4];
    read_shape(in, json_object_get(tensors, "input"));
    read_shape(out, json_object_get(tensors, "output"));
    l->n = in[0], l->h = in[1], l->w = in[2], l->c = in[3];
    l->p = out[1], l->q = out[2], l->k = out[3];
    l->r = number(json_object_get(layer, "kernel"), 0);
    l->s = number(json_object_get(layer, "kernel"), 1);
    l->groups = (size_t)json_integer_value(json_object_get(layer, "groups"));
    for (size_t d = 0; d < 2; d++) {
        l->stride[d] = number(json_object_get(layer, "stride"), d);
        l->dilation[d] = number(json_object_get(layer, "dilation"), d);
        l->pad[d] = number(json_object_get(layer, "padding"), d);
    }
    l->bias = json_object_get(tensors, "bias");
    l->residual = json_object_get(tensors, "residual");
    need(activation && l->groups > 0, "kernels.json lacks the layer");
    l->relu = strcmp(activation, "relu") == 0;
    l->relu6 = strcmp(activation, "relu6") == 0;
    need(l->relu || l->relu6 || strcmp(activation, "none") == 0, "an activation that is not here");
}

/* All but the weights is random. */
static void make_layer(struct layer *l, json_t *entry, size_t workspace)
{
    unsigned seed = 1;
    read_layer(l, entry);
    const size_t out = l->n * l->p * l->q * l->k;
    const size_t count[] = {l->n * l->h * l->w * l->c,
                            l->k * l->r * l->s * l->c / l->groups,
                            l->k,
                            out,
                            out,
                            workspace};
    for (int t = 0; t < TENSORS; t++) {
        l->count[t] = count[t];
        l->data[t] = calloc(count[t] + 1, sizeof(float)); /* there are no buffers of no bytes */
        need(l->data[t], "out of memory");
        for (size_t i = 0; i < count[t]; i++) {
            seed = seed * 1664525u + 1013904223u;
            l->data[t][i] = (float)(seed >> 8) / (1 << 23) - 1.0f;
        }
    }
}

/* Exactly so many. */
static void read_floats(float *to, size_t count, const char *path)
{
    FILE *file = fopen(path, "rb");
    need(file && fread(to, sizeof *to, count, file) == count && fgetc(file) == EOF,
         "a file of weights is missing, or of another size than the kernel needs");
    fclose(file);
}

/* The sum for channel k of output (y, x) of image n.  A depthwise layer has as many groups
 * as channels, and weights[r][s][k]; others have weights[k][r][s][c of a group]. */
static double convolve(const struct layer *l, size_t n, size_t y, size_t x, size_t k)
{
    const size_t per_group = l->c / l->groups, first = k / (l->k / l->groups) * per_group;
    const bool depthwise = l->groups > 1 && l->groups == l->c;
    double sum = 0;
    for (size_t r = 0; r < l->r; r++)
        for (size_t s = 0; s < l->s; s++) {
            const size_t iy = y * l->stride[0] + r * l->dilation[0] - l->pad[0];
            const size_t ix = x * l->stride[1] + s * l->dilation[1] - l->pad[1];
            if (iy >= l->h || ix >= l->w) /* what is below 0 is very large */
                continue;
            const float *in = l->data[IN] + ((n * l->h + iy) * l->w + ix) * l->c + first;
            const float *weights = l->data[WEIGHTS];
            weights +=
                depthwise ? (r * l->s + s) * l->k + k : ((k * l->r + r) * l->s + s) * per_group;
            for (size_t c = 0; c < per_group; c++)
                sum += (double)in[c] * weights[c];
        }
    return sum;
}

static bool is_right(const struct layer *l, const float *out)
{
    const double most = 1e-5 * (double)(l->r * l->s * l->c / l->groups + 2);
    for (size_t i = 0; i < l->count[OUT]; i++) {
        const size_t k = i % l->k, x = i / l->k % l->q, y = i / l->k / l->q % l->p;
        double sum = convolve(l, i / l->k / l->q / l->p, y, x, k);
        sum += l->bias ? l->data[BIAS][k] : 0;
        sum += l->residual ? l->data[RESIDUAL][i] : 0;
        sum = (l->relu || l->relu6) && sum < 0 ? 0 : sum;
        sum = l->relu6 && sum > 6 ? 6 : sum;
        if (!(fabs(sum - out[i]) <= most)) /* for all numbers are below 1 */
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

/* A number that is passed as it stands, or a tensor. */
static cl_int set_argument(cl_kernel kernel, cl_uint a, json_t *argument,
                           const cl_mem memory[TENSORS])
{
    const char *role = json_string_value(json_object_get(argument, "role"));
    const cl_int value = (cl_int)json_integer_value(json_object_get(argument, "value"));
    if (strcmp(role, "int") == 0)
        return clSetKernelArg(kernel, a, sizeof value, &value);
    for (int t = 0; t < TENSORS; t++)
        if (strcmp(role, roles[t]) == 0)
            return clSetKernelArg(kernel, a, sizeof *memory, &memory[t]);
    return CL_INVALID_ARG_VALUE;
}

/* Sets the arguments of each launch, in the order of kernels.json, by their roles. */
static void bind(struct job *job, cl_program program, const cl_mem memory[TENSORS])
{
    for (size_t i = 0; i < json_array_size(job->launches); i++) {
        need(i < MOST_LAUNCHES, "too many launches");
        json_t *launch = json_array_get(job->launches, i), *args = json_object_get(launch, "args");
        const char *name = json_string_value(json_object_get(launch, "kernel"));
        job->kernels[job->launch_count++] = clCreateKernel(program, name, NULL);
        for (size_t a = 0; a < json_array_size(args); a++)
            need(!set_argument(job->kernels[i], (cl_uint)a, json_array_get(args, a), memory),
                 "cannot set an argument");
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
    char path[4096];
    need(argc == 6, "expected DIR FILE.cl QUEUES WEIGHTS PACKED");
    const unsigned queues = (unsigned)strtoul(argv[3], NULL, 10);
    need(queues > 1 && queues <= MOST_QUEUES, "expected 2 to 64 queues");
    snprintf(path, sizeof path, "%s/kernels.json", argv[1]);
    json_t *root = json_load_file(path, 0, NULL), *all = json_object_get(root, "kernels");
    for (size_t i = 0; i < json_array_size(all) && strcmp(name, argv[2]) != 0; i++) {
        entry = json_array_get(all, i);
        need(json_unpack(entry, "{s:s, s:I, s:I}", "file", &name, "packed_weights_bytes", &packed,
                         "workspace_bytes", &workspace) == 0,
             "this is no kernels.json");
    }
    snprintf(path, sizeof path, "%s/%s", argv[1], argv[2]);
    FILE *file = fopen(path, "r");
    need(strcmp(name, argv[2]) == 0 && file && getdelim(&source, &room, 0, file) > 0,
         "there is no such kernel");
    fclose(file);

    make_layer(&layer, entry, (size_t)workspace / sizeof(float));
    read_floats(layer.data[WEIGHTS], layer.count[WEIGHTS], argv[4]);
    struct layer bound = layer; /* as the kernel reads it */
    if (packed > 0)             /* otherwise the kernel reads weights as they are */
        bound.count[WEIGHTS] = (size_t)packed / sizeof(float);
    bound.data[WEIGHTS] = calloc(bound.count[WEIGHTS] + 1, sizeof(float));
    need(bound.data[WEIGHTS], "out of memory");
    read_floats(bound.data[WEIGHTS], bound.count[WEIGHTS], argv[5]);
    cl_device_id device = find_device();
    float *whole = execute(&bound, entry, source, device, 1);
    float *parts = execute(&bound, entry, source, device, queues);
    bool same = memcmp(whole, parts, layer.count[OUT] * sizeof(float)) == 0;
    bool right = is_right(&layer, whole);
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
