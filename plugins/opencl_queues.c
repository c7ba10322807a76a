/* SPDX-License-Identifier: MIT
 *
 * A launch made by several queues together.
 *
 * A driver's pool of threads sleeps between launches, and it takes microseconds until the
 * last of them runs: more than a small layer does.  Here each queue, of a device without
 * threads, has a thread of ours that enqueues its share of the groups and waits, which is
 * what runs them.  A launch begins when all shares of the one before it
 * are done, as it may read what that has written; they spin for it, so that takes a
 * microsecond.  The share of a queue that is late is done by one that is not (work stealing).
 *
 * All queues are of one device: a program is then built once, not once a queue.  It
 * is for the driver to run them at the same time; one that does not is slow, not wrong.
 */
#include "opencl_queues.h"
#include "opencl_error.h"
#include "opencl_session_private.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Looks at whether a step is done before doing another queue's share, a microsecond about:
 * what cores that are all there differ by. */
#define SPINS_BEFORE_STEALING 500

/* ----------------------------------------------------------------- the queues */

void opencl_queues_fini(struct opencl_queues *queues)
{
    opencl_thread_pool_destroy(queues->pool);
    for (uint32_t i = 0; queues->items && i < queues->count; i++)
        if (queues->items[i])
            clReleaseCommandQueue(queues->items[i]);
    free(queues->items);
    free(queues->claims);
    free(queues->cores);
}

int opencl_queues_init(struct opencl_queues *queues, cl_context context,
                       const struct opencl_queues_options *options, struct anole_message *message)
{
    cl_int error = CL_SUCCESS;
    if (!options->count)
        return ANOLE_OK;
    *queues = (struct opencl_queues){.device = options->device, .count = options->count};
    queues->items = calloc(options->count, sizeof(cl_command_queue));
    queues->claims = aligned_alloc(sizeof *queues->claims, options->count * sizeof *queues->claims);
    queues->cores = options->cores ? calloc(options->count, sizeof *queues->cores) : NULL;
    if (!queues->items || !queues->claims || (options->cores && !queues->cores)) {
        opencl_queues_fini(queues);
        return opencl_say(message, ANOLE_NO_MEMORY, "Out of memory.");
    }
    if (queues->cores)
        memcpy(queues->cores, options->cores, options->count * sizeof *queues->cores);
    for (uint32_t i = 0; i < queues->count && !error; i++)
        queues->items[i] = clCreateCommandQueue(context, options->device, 0, &error);
    if (error) {
        opencl_queues_fini(queues);
        return opencl_fail(message, ANOLE_DEVICE_LOST, error, "clCreateCommandQueue");
    }
    queues->pool_options = (struct opencl_thread_pool_options){
        .count = options->count, .spins = options->spins, .cores = queues->cores};
    return ANOLE_OK;
}

/* --------------------------------------------------------------------- shares */

/* A kernel says that it can be launched by parts by where it takes its place from; what
 * get_group_id() gives does not count offsets.  What comes with its task is its author's, whatever
 * words it uses. */
bool opencl_queues_can_launch(const struct opencl_queues *queues, const struct anole_kernel *kernel)
{
    if (!queues->count || kernel->task->kind == ANOLE_TASK_CUSTOM ||
        !strstr(kernel->source, "FIRST_GROUP") || strstr(kernel->source, "get_group_id("))
        return false;
    for (uint32_t i = 0; i < kernel->launch_count; i++) {
        const struct anole_launch *launch =
            (const void *)((const char *)kernel->launches + i * kernel->launches[0].size);
        for (uint32_t d = 0; d < 3; d++)
            if (d < launch->dimensions && launch->local[d] != 1)
                return false;
    }
    return true;
}

bool opencl_queues_divide(const struct opencl_queues *queues, struct anole_build *build)
{
    build->shares = calloc((size_t)build->launch_count * queues->count, sizeof *build->shares);
    if (!build->shares)
        return false;
    for (uint32_t i = 0; i < build->launch_count; i++) {
        const struct anole_launch *launch = &build->launches[i].launch;
        size_t groups[3] = {1, 1, 1};
        for (uint32_t d = 0; d < launch->dimensions && d < 3; d++)
            groups[d] = (size_t)launch->global[d];
        for (uint32_t queue = 0; queue < queues->count; queue++) {
            struct opencl_share *share = &build->shares[i * queues->count + queue];
            share->count = opencl_split(share->boxes, groups, queues->count, queue);
        }
    }
    return true;
}

static cl_int enqueue_box(cl_command_queue queue, cl_kernel kernel, uint32_t dimensions,
                          const struct opencl_box *box)
{
    const size_t local[3] = {1, 1, 1};
    size_t first[3];
    for (int d = 0; d < 3; d++)
        first[d] = box->first[d] + OPENCL_FIRST_GROUP;
    return clEnqueueNDRangeKernel(queue, kernel, dimensions, first, box->count, local, 0, NULL,
                                  NULL);
}

/* ------------------------------------------------------------------------ run */

struct job {
    struct opencl_queues *queues;
    struct anole_build *build;
    unsigned steps;                         /* launches, over all repeats */
    double *ends;                           /* of each repeat */
    atomic_uint done;                       /* shares, over all steps: `count` queues a step */
    atomic_int enqueue_error, finish_error; /* of OpenCL; 0: none */
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Enqueues the share `owner` on the queue that does it, and runs it. */
static void launch_share(struct job *job, unsigned step, uint32_t owner, uint32_t queue)
{
    const struct opencl_queues *queues = job->queues;
    const uint32_t i = step % job->build->launch_count;
    const struct opencl_share *share = &job->build->shares[i * queues->count + owner];
    cl_command_queue item = queues->items[queue];
    cl_int error = CL_SUCCESS;
    for (uint32_t b = 0; b < share->count && !error; b++)
        error = enqueue_box(item, job->build->launches[i].kernel,
                            job->build->launches[i].launch.dimensions, &share->boxes[b]);
    if (error)
        atomic_store(&job->enqueue_error, error);
    error = share->count ? clFinish(item) : CL_SUCCESS;
    if (error)
        atomic_store(&job->finish_error, error);
}

/* Does a share of a step, if nobody has taken it yet. */
static void try_share(struct job *job, unsigned step, uint32_t owner, uint32_t queue)
{
    struct opencl_queues *queues = job->queues;
    atomic_uint *claim = &queues->claims[owner].next;
    unsigned expected = step;
    if (atomic_load(claim) != step || !atomic_compare_exchange_strong(claim, &expected, step + 1))
        return;
    /* After a failure all there is left to do is to come to the end. */
    if (!atomic_load(&job->enqueue_error) && !atomic_load(&job->finish_error))
        launch_share(job, step, owner, queue);
    unsigned done = opencl_thread_pool_advance(queues->pool, &job->done);
    if (done == (step + 1) * queues->count && (step + 1) % job->build->launch_count == 0)
        job->ends[step / job->build->launch_count] = now();
}

static bool spin_for_step(struct job *job, unsigned step)
{
    const unsigned all = (step + 1) * job->queues->count;
    for (int i = 0; i < SPINS_BEFORE_STEALING; i++)
        if (atomic_load(&job->done) >= all)
            return true;
    return false;
}

/* All that one queue's thread does: its own share of each step, and what nobody has begun once it
 * has waited for a moment.  One that comes late goes on where the others are. */
static void run_queue(void *context, uint32_t queue)
{
    struct job *job = context;
    struct opencl_queues *queues = job->queues;
    const uint32_t count = queues->count;
    for (unsigned step = 0; step < job->steps; step = atomic_load(&job->done) / count) {
        try_share(job, step, queue, queue);
        if (spin_for_step(job, step))
            continue;
        for (uint32_t i = 1; i < count; i++)
            try_share(job, step, (queue + i) % count, queue);
        opencl_thread_pool_wait(queues->pool, &job->done, (step + 1) * count);
    }
}

/* In a process that only builds, none of these threads is started. */
static int start_threads(struct opencl_queues *queues, struct anole_message *message)
{
    if (!queues->pool)
        queues->pool = opencl_thread_pool_create(&queues->pool_options);
    return queues->pool
               ? ANOLE_OK
               : opencl_say(message, ANOLE_NO_MEMORY,
                            "Cannot start %u threads to launch kernels with.", queues->count - 1);
}

/* -- Loading kernels beforehand --
 *
 * PoCL keeps what it has loaded of a kernel in a list, with the widest grid that each entry
 * serves and a count of its users; a launch takes the first entry that is wide enough, but
 * gives back the first of that kernel, whatever its width (pocl_release_dlhandle_cache()
 * of PoCL 3.1).  With two entries in use at a time a count falls below zero, and the
 * process is ended by an assertion.  So the widest box of all queues is launched first, by
 * one thread: what it loads comes first in the list, and serves all others. */

/* Half of the kernels that PoCL keeps loaded: after so many others ours may be gone. */
#define LOADED_FOR_LONG 64

static size_t width(const struct opencl_box *box, int dimensions)
{
    size_t most = 0;
    for (int d = 0; d < dimensions; d++)
        if (box->count[d] > most)
            most = box->count[d];
    return most;
}

static const struct opencl_box *widest_box(const struct opencl_share *shares, uint32_t count,
                                           int dimensions)
{
    const struct opencl_box *widest = NULL;
    for (uint32_t queue = 0; queue < count; queue++)
        for (uint32_t b = 0; b < shares[queue].count; b++)
            if (!widest || width(&shares[queue].boxes[b], dimensions) > width(widest, dimensions))
                widest = &shares[queue].boxes[b];
    return widest;
}

/* The third dimension does not count in PoCL 3.1; it may in others. */
static cl_int enqueue_widest(const struct opencl_queues *queues, const struct anole_build *build,
                             uint32_t launch)
{
    const struct opencl_box *last = NULL;
    cl_int error = CL_SUCCESS;
    for (int dimensions = 2; dimensions <= 3 && !error; dimensions++) {
        const struct opencl_box *box =
            widest_box(&build->shares[launch * queues->count], queues->count, dimensions);
        if (box && box != last)
            error = enqueue_box(queues->items[0], build->launches[launch].kernel,
                                build->launches[launch].launch.dimensions, box);
        last = box;
    }
    return error;
}

/* Runs parts of the launches out of order: harmless, for each run writes all its outputs
 * and whatever it reads of the workspace. */
static int load(struct opencl_queues *queues, struct anole_build *build,
                struct anole_message *message)
{
    static const char what[] = "A first launch of one queue's share";
    cl_int error = CL_SUCCESS;
    if (build->loaded_at && queues->loaded - build->loaded_at < LOADED_FOR_LONG)
        return ANOLE_OK;
    for (uint32_t i = 0; i < build->launch_count && !error; i++)
        error = enqueue_widest(queues, build, i);
    cl_int finish_error = clFinish(queues->items[0]);
    if (finish_error)
        return opencl_fail_running(message, finish_error, what);
    if (error)
        return opencl_fail(message, ANOLE_LAUNCH_FAILED, error, what);
    queues->loaded += build->launch_count;
    build->loaded_at = queues->loaded;
    return ANOLE_OK;
}

/* A repeat lasts from the end of the one before it to when its last share is done: the
 * clock of the queues is the host's, there is no other.  That a thread still has to see that
 * all is over belongs to no run. */
int opencl_queues_run(struct opencl_queues *queues, struct anole_build *build, uint32_t repeats,
                      double *device_seconds, double *host_seconds, struct anole_message *message)
{
    struct job job = {.queues = queues,
                      .build = build,
                      .steps = repeats * build->launch_count,
                      .ends = device_seconds};
    int code = start_threads(queues, message);
    if (!code && repeats)
        code = load(queues, build, message);
    if (code || !repeats)
        return code;
    for (uint32_t i = 0; i < queues->count; i++)
        atomic_store(&queues->claims[i].next, 0);
    double begin = now();
    opencl_thread_pool_run(queues->pool, run_queue, &job);
    if (atomic_load(&job.finish_error))
        return opencl_fail_running(message, job.finish_error, "clFinish");
    if (atomic_load(&job.enqueue_error))
        return opencl_fail(message, ANOLE_LAUNCH_FAILED, job.enqueue_error,
                           "clEnqueueNDRangeKernel");
    *host_seconds = device_seconds[repeats - 1] - begin;
    for (uint32_t i = repeats - 1; i > 0; i--)
        device_seconds[i] -= device_seconds[i - 1];
    device_seconds[0] -= begin;
    return ANOLE_OK;
}

int opencl_queues_warm(struct opencl_queues *queues, struct anole_build *build,
                       struct anole_message *message)
{
    const struct opencl_box one = {.count = {1, 1, 1}};
    cl_command_queue queue = queues->items[0];
    cl_int error = CL_SUCCESS;
    for (uint32_t i = 0; i < build->launch_count && !error; i++)
        error = enqueue_box(queue, build->launches[i].kernel, build->launches[i].launch.dimensions,
                            &one);
    cl_int finish_error = clFinish(queue);
    queues->loaded += build->launch_count;
    static const char what[] = "A first launch of one work-group";
    if (error)
        return opencl_fail(message, ANOLE_LAUNCH_FAILED, error, what);
    return finish_error ? opencl_fail_running(message, finish_error, what) : ANOLE_OK;
}
