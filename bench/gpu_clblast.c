/* SPDX-License-Identifier: MIT
 *
 * Times layers with CLBlast: its convolution as a product of matrices (Xconvgemm), and
 * its tuned product (Xgemm) of the shape that the layer amounts to, whichever is
 * faster.  The product alone leaves out what gathers the input, in the peer's favour.
 *
 * gpu_clblast [PART OF A DEVICE'S NAME] <KEYS
 *
 * Reads task keys, one a line, as `anole` writes them; prints "SECONDS<tab>KEY" for
 * those that it can do: no groups.  Times are the host's, over batches that keep the
 * queue full.  Bias, residual and activation are left out.
 */
#define CL_TARGET_OPENCL_VERSION 120
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <clblast_c.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH 20e-3 /* seconds */
#define ROUNDS 7

struct layer {
    unsigned n, h, w, c, r, s, stride_h, stride_w, top, left, bottom, right;
    unsigned dilation_h, dilation_w, groups, k, p, q;
};

struct device {
    cl_context context;
    cl_command_queue queue;
};

struct buffers {
    cl_mem in, weights, out;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool read_key(struct layer *l, const char *key)
{
    *l = (struct layer){.h = 1,
                        .w = 1,
                        .r = 1,
                        .s = 1,
                        .stride_h = 1,
                        .stride_w = 1,
                        .dilation_h = 1,
                        .dilation_w = 1,
                        .groups = 1};
    if (sscanf(key, "dense n%u i%u o%u", &l->n, &l->c, &l->k) != 3 &&
        sscanf(key, "conv2d n%u %ux%ux%u k%ux%u s%ux%u p%u,%u,%u,%u d%ux%u g%u o%u", &l->n, &l->h,
               &l->w, &l->c, &l->r, &l->s, &l->stride_h, &l->stride_w, &l->top, &l->left,
               &l->bottom, &l->right, &l->dilation_h, &l->dilation_w, &l->groups, &l->k) != 16)
        return false;
    l->p = (l->h + l->top + l->bottom - (l->r - 1) * l->dilation_h - 1) / l->stride_h + 1;
    l->q = (l->w + l->left + l->right - (l->s - 1) * l->dilation_w - 1) / l->stride_w + 1;
    return l->groups == 1;
}

/* ------------------------------------------------------------------ device */

static bool fits(cl_device_id id, const char *part)
{
    char name[256] = "";
    clGetDeviceInfo(id, CL_DEVICE_NAME, sizeof name, name, NULL);
    return !part || strstr(name, part);
}

static bool open_device(struct device *device, const char *part)
{
    cl_platform_id platforms[16];
    cl_uint platform_count = 0;
    if (clGetPlatformIDs(16, platforms, &platform_count))
        return false;
    for (cl_uint i = 0; i < platform_count && i < 16; i++) {
        cl_device_id ids[16];
        cl_uint count = 0;
        if (clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, 16, ids, &count))
            continue;
        for (cl_uint j = 0; j < count && j < 16; j++) {
            if (!fits(ids[j], part))
                continue;
            device->context = clCreateContext(NULL, 1, &ids[j], NULL, NULL, NULL);
            if (!device->context)
                continue;
            device->queue = clCreateCommandQueue(device->context, ids[j], 0, NULL);
            return device->queue != NULL;
        }
    }
    return false;
}

/* -------------------------------------------------------------------- runs */

typedef CLBlastStatusCode run_layer(struct device *device, const struct layer *l,
                                    const struct buffers *b);

static CLBlastStatusCode run_convgemm(struct device *device, const struct layer *l,
                                      const struct buffers *b)
{
    return CLBlastSconvgemm(CLBlastKernelModeCrossCorrelation, l->c, l->h, l->w, l->r, l->s, l->top,
                            l->left, l->stride_h, l->stride_w, l->dilation_h, l->dilation_w, l->k,
                            l->n, b->in, 0, b->weights, 0, b->out, 0, &device->queue, NULL);
}

static CLBlastStatusCode run_gemm(struct device *device, const struct layer *l,
                                  const struct buffers *b)
{
    const size_t m = (size_t)l->n * l->p * l->q, depth = (size_t)l->r * l->s * l->c;
    return CLBlastSgemm(CLBlastLayoutRowMajor, CLBlastTransposeNo, CLBlastTransposeNo, m, l->k,
                        depth, 1.0f, b->in, 0, depth, b->weights, 0, l->k, 0.0f, b->out, 0, l->k,
                        &device->queue, NULL);
}

/* Seconds of one run, the median of ROUNDS; negative if CLBlast refuses. */
static double time_run(struct device *device, const struct layer *l, const struct buffers *b,
                       run_layer *run)
{
    double times[ROUNDS];
    unsigned repeats = 1;
    if (run(device, l, b) || clFinish(device->queue))
        return -1; /* the first run also compiled */
    for (int i = 0; i < ROUNDS;) {
        double start = now();
        for (unsigned j = 0; j < repeats; j++)
            if (run(device, l, b))
                return -1;
        if (clFinish(device->queue))
            return -1;
        double spent = now() - start;
        if (i == 0 && spent < BATCH / 2 && repeats < 10000) {
            repeats *= 2;
            continue;
        }
        times[i++] = spent / repeats;
    }
    for (int i = 1; i < ROUNDS; i++)
        for (int j = i; j > 0 && times[j] < times[j - 1]; j--) {
            double t = times[j];
            times[j] = times[j - 1];
            times[j - 1] = t;
        }
    return times[ROUNDS / 2];
}

static cl_mem buffer(struct device *device, size_t floats)
{
    float zero = 0;
    cl_mem memory =
        clCreateBuffer(device->context, CL_MEM_READ_WRITE, floats * sizeof(float), NULL, NULL);
    if (memory)
        clEnqueueFillBuffer(device->queue, memory, &zero, sizeof zero, 0, floats * sizeof(float), 0,
                            NULL, NULL);
    return memory;
}

static double time_layer(struct device *device, const struct layer *l)
{
    const size_t m = (size_t)l->n * l->p * l->q, depth = (size_t)l->r * l->s * l->c;
    const size_t image = (size_t)l->n * l->h * l->w * l->c;
    struct buffers b = {buffer(device, m * depth > image ? m * depth : image),
                        buffer(device, depth * l->k), buffer(device, m * l->k)};
    double best = -1;
    if (b.in && b.weights && b.out) {
        double conv =
            l->top == l->bottom && l->left == l->right ? time_run(device, l, &b, run_convgemm) : -1;
        double gemm = time_run(device, l, &b, run_gemm);
        best = conv >= 0 && (gemm < 0 || conv < gemm) ? conv : gemm;
    }
    if (b.in)
        clReleaseMemObject(b.in);
    if (b.weights)
        clReleaseMemObject(b.weights);
    if (b.out)
        clReleaseMemObject(b.out);
    return best;
}

int main(int argc, char **argv)
{
    struct device device = {0};
    char line[512];
    if (!open_device(&device, argc > 1 && argv[1][0] ? argv[1] : NULL)) {
        fprintf(stderr, "gpu_clblast: no such device\n");
        return 1;
    }
    while (fgets(line, sizeof line, stdin)) {
        struct layer layer;
        line[strcspn(line, "\n")] = 0;
        double seconds = read_key(&layer, line) ? time_layer(&device, &layer) : -1;
        if (seconds >= 0)
            printf("%.9g\t%s\n", seconds, line);
        fflush(stdout);
    }
    clReleaseCommandQueue(device.queue);
    clReleaseContext(device.context);
    return 0;
}
