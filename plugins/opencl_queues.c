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
    for (uint32_t i = 0; queues->parts && i < queues->count; i++)
        clReleaseDevice(queues->parts[i]);
    free(queues->parts);
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
    cl_device_id *parts = options->parts ? calloc(options->count, sizeof(cl_device_id)) : NULL;
    if (!queues->items || !queues->claims || (options->cores && !queues->cores) ||
        (options->parts && !parts)) {
        free(parts);
        opencl_queues_fini(queues);
        return opencl_say(message, ANOLE_NO_MEMORY, "Out of memory.");
    }
    if (queues->cores)
        memcpy(queues->cores, options->cores, options->count * sizeof *queues->cores);
    for (uint32_t i = 0; i < queues->count && !error; i++)
        queues->items[i] =
            clCreateCommandQueue(context, parts ? options->parts[i] : options->device, 0, &error);
    if (error) {
        free(parts);
        opencl_queues_fini(queues);
        return opencl_fail(message, ANOLE_DEVICE_LOST, error, "clCreateCommandQueue");
    }
    if (parts)
        memcpy(parts, options->parts, options->count * sizeof(cl_device_id));
    queues->parts = parts;
    queues->pool_options = (struct opencl_thread_pool_options){
        .count = options->count, .spins = options->spins, .cores = queues->cores};
    return ANOLE_OK;
}

/* --------------------------------------------------------------------- shares */

const char opencl_queues_prefix[] =
    "#define get_global_id(d) \\\n"
    "    (get_global_id(d) - (get_global_offset(d) ? FIRST_GROUP * get_local_size(d) : 0))\n";

/* An operator's kernel finds its place by get_global_id() alone, to which the prefix sees. */
static bool can_launch_operator(const struct anole_kernel *kernel)
{
    static const char *const others[] = {"get_group_id", "get_num_groups", "get_global_size",
                                         "get_global_offset", "get_global_linear_id"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strstr(kernel->source, others[i]))
            return false;
    return true;
}

/* A kernel says that it can be launched by parts by where it takes its place from; what
 * get_group_id() gives does not count offsets.  What comes with its task is its author's, whatever
 * words it uses. */
bool opencl_queues_can_launch(const struct opencl_queues *queues, const struct anole_kernel *kernel)
{
    if (queues->count && kernel->task->kind == ANOLE_TASK_OPERATOR)
        return can_launch_operator(kernel);
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
            groups[d] = (size_t)(launch->global[d] / launch->local[d]);
        for (uint32_t queue = 0; queue < queues->count; queue++) {
            struct opencl_share *share = &build->shares[i * queues->count + queue];
            share->count = opencl_split(share->boxes, groups, queues->count, queue);
        }
    }
    return true;
}

static cl_int enqueue_box(cl_command_queue queue, cl_kernel kernel,
                          const struct anole_launch *launch, const struct opencl_box *box)
{
    size_t first[3], count[3], local[3];
    for (int d = 0; d < 3; d++) {
        local[d] = launch->local[d] ? (size_t)launch->local[d] : 1;
        first[d] = (box->first[d] + OPENCL_FIRST_GROUP) * local[d];
        count[d] = box->count[d] * local[d];
    }
    return clEnqueueNDRangeKernel(queue, kernel, launch->dimensions, first, count, local, 0, NULL,
                                  NULL);
}

/* ------------------------------------------------------------------------ run */

/* One launch and its shares, [queues->count]. */
struct divided {
    cl_kernel kernel;
    const struct anole_launch *launch;
    const struct opencl_share *shares;
};

struct job {
    struct opencl_queues *queues;
    const struct divided *launches; /* [count] */
    unsigned count;
    unsigned steps;                         /* launches, over all repeats */
    double *ends;                           /* of each repeat, or of each launch: */
    bool each;                              /* then there is but one repeat */
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
    const struct divided *divided = &job->launches[step % job->count];
    const struct opencl_share *share = &divided->shares[owner];
    cl_command_queue item = job->queues->items[queue];
    cl_int error = CL_SUCCESS;
    for (uint32_t b = 0; b < share->count && !error; b++)
        error = enqueue_box(item, divided->kernel, divided->launch, &share->boxes[b]);
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
    if (done != (step + 1) * queues->count)
        return;
    if (job->each)
        job->ends[step] = now();
    else if ((step + 1) % job->count == 0)
        job->ends[step / job->count] = now();
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
                                &build->launches[launch].launch, box);
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

static int run_job(struct job *job, double *begin, struct anole_message *message)
{
    struct opencl_queues *queues = job->queues;
    for (uint32_t i = 0; i < queues->count; i++)
        atomic_store(&queues->claims[i].next, 0);
    *begin = now();
    opencl_thread_pool_run(queues->pool, run_queue, job);
    if (atomic_load(&job->finish_error))
        return opencl_fail_running(message, job->finish_error, "clFinish");
    if (atomic_load(&job->enqueue_error))
        return opencl_fail(message, ANOLE_LAUNCH_FAILED, job->enqueue_error,
                           "clEnqueueNDRangeKernel");
    return ANOLE_OK;
}

/* An operator may work in place, so that no group may run twice: not even to load it. */
static int run_operator(struct opencl_queues *queues, struct anole_build *build, uint32_t repeats,
                        double *device_seconds, double *host_seconds, struct anole_message *message)
{
    struct anole_build *builds[ANOLE_MAX_LAUNCHES];
    uint32_t launches[ANOLE_MAX_LAUNCHES];
    cl_kernel kernels[ANOLE_MAX_LAUNCHES];
    double begin = 0, ends[ANOLE_MAX_LAUNCHES] = {0};
    const uint32_t count = build->launch_count;
    int code = ANOLE_OK;
    for (uint32_t i = 0; i < count; i++) {
        builds[i] = build;
        launches[i] = i;
        kernels[i] = build->launches[i].kernel;
    }
    if (!build->list)
        code = opencl_queue_list_create(&build->list, queues, builds, launches, kernels, count,
                                        count, message);
    *host_seconds = 0;
    for (uint32_t i = 0; i < repeats && !code; i++) {
        code = opencl_queue_list_run(queues, build->list, &begin, ends, message);
        device_seconds[i] = ends[count - 1] - begin;
        *host_seconds += device_seconds[i];
    }
    return code;
}

/* A repeat lasts from the end of the one before it to when its last share is done: the
 * clock of the queues is the host's, there is no other.  That a thread still has to see that
 * all is over belongs to no run. */
int opencl_queues_run(struct opencl_queues *queues, struct anole_build *build, uint32_t repeats,
                      double *device_seconds, double *host_seconds, struct anole_message *message)
{
    struct divided launches[ANOLE_MAX_LAUNCHES];
    struct job job = {.queues = queues,
                      .launches = launches,
                      .count = build->launch_count,
                      .steps = repeats * build->launch_count,
                      .ends = device_seconds};
    double begin;
    if (build->tensor_bytes)
        return run_operator(queues, build, repeats, device_seconds, host_seconds, message);
    for (uint32_t i = 0; i < build->launch_count; i++)
        launches[i] = (struct divided){.kernel = build->launches[i].kernel,
                                       .launch = &build->launches[i].launch,
                                       .shares = &build->shares[i * queues->count]};
    int code = start_threads(queues, message);
    if (!code && repeats)
        code = load(queues, build, message);
    if (code || !repeats)
        return code;
    code = run_job(&job, &begin, message);
    if (code)
        return code;
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
        error = enqueue_box(queue, build->launches[i].kernel, &build->launches[i].launch, &one);
    cl_int finish_error = clFinish(queue);
    queues->loaded += build->launch_count;
    static const char what[] = "A first launch of one work-group";
    if (error)
        return opencl_fail(message, ANOLE_LAUNCH_FAILED, error, what);
    return finish_error ? opencl_fail_running(message, finish_error, what) : ANOLE_OK;
}

/* ------------------------------------------------------------- many launches */

/* The order of loading (see above) within the order of running: in the cold list each launch
 * is two, the widest boxes by one queue alone, and then the others.  No group runs twice, and
 * none before what it reads is there. */
struct opencl_queue_list {
    uint32_t count, kernel_count;
    struct divided *hot;  /* [count] */
    struct divided *cold; /* [2 * count] */
    struct opencl_share *shares;
    double *cold_ends;  /* [2 * count] */
    unsigned loaded_at; /* queues->loaded when all were loaded last; 0: never */
};

/* What PoCL keeps, but for a few: a list with more kernels is always cold. */
#define KEPT_LOADED 120

void opencl_queue_list_destroy(struct opencl_queue_list *list)
{
    if (!list)
        return;
    free(list->hot);
    free(list->cold);
    free(list->shares);
    free(list->cold_ends);
    free(list);
}

/* Moves the widest boxes of a launch from rest[count] to first[0]. */
static void set_widest_apart(struct opencl_share *first, struct opencl_share *rest, uint32_t count)
{
    for (int dimensions = 2; dimensions <= 3; dimensions++) {
        const struct opencl_box *box = widest_box(rest, count, dimensions);
        const uint32_t had = first->count;
        if (!box)
            return;
        if (had > 0 && width(box, dimensions) <= width(&first->boxes[0], dimensions))
            continue;
        first->boxes[first->count++] = *box;
        for (uint32_t queue = 0; queue < count && first->count > had; queue++)
            for (uint32_t b = 0; b < rest[queue].count; b++)
                if (&rest[queue].boxes[b] == box) {
                    rest[queue].boxes[b] = rest[queue].boxes[--rest[queue].count];
                    queue = count - 1;
                    break;
                }
    }
}

static void fill_list(struct opencl_queue_list *list, const struct opencl_queues *queues,
                      struct anole_build *const *builds, const uint32_t *launches,
                      const cl_kernel *kernels)
{
    /* One build alone, which has run: the driver knows kernels by what they were built to, not
     * by their objects. */
    bool alike = list->count > 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct opencl_share *shares = &builds[i]->shares[launches[i] * queues->count];
        alike &= builds[i] == builds[0];
        struct opencl_share *first = &list->shares[2 * i * queues->count];
        struct opencl_share *rest = first + queues->count;
        list->hot[i] = (struct divided){.kernel = kernels[i],
                                        .launch = &builds[i]->launches[launches[i]].launch,
                                        .shares = shares};
        memcpy(rest, shares, queues->count * sizeof *rest);
        set_widest_apart(first, rest, queues->count);
        list->cold[2 * i] = list->cold[2 * i + 1] = list->hot[i];
        list->cold[2 * i].shares = first;
        list->cold[2 * i + 1].shares = rest;
    }
    list->loaded_at = alike ? builds[0]->loaded_at : 0;
}

int opencl_queue_list_create(struct opencl_queue_list **list, const struct opencl_queues *queues,
                             struct anole_build *const *builds, const uint32_t *launches,
                             const cl_kernel *kernels, uint32_t count, uint32_t kernel_count,
                             struct anole_message *message)
{
    struct opencl_queue_list *new = calloc(1, sizeof *new);
    if (!new)
        return opencl_say(message, ANOLE_NO_MEMORY, "Out of memory.");
    new->count = count;
    new->kernel_count = kernel_count;
    new->hot = calloc(count + 1, sizeof *new->hot);
    new->cold = calloc(2 * (size_t)count + 1, sizeof *new->cold);
    new->shares = calloc(2 * (size_t)count * queues->count + 1, sizeof *new->shares);
    new->cold_ends = calloc(2 * (size_t)count + 1, sizeof *new->cold_ends);
    if (!new->hot || !new->cold || !new->shares || !new->cold_ends) {
        opencl_queue_list_destroy(new);
        return opencl_say(message, ANOLE_NO_MEMORY, "Out of memory.");
    }
    fill_list(new, queues, builds, launches, kernels);
    *list = new;
    return ANOLE_OK;
}

int opencl_queue_list_run(struct opencl_queues *queues, struct opencl_queue_list *list,
                          double *begin, double *ends, struct anole_message *message)
{
    const bool hot =
        list->loaded_at && queues->loaded - list->loaded_at + list->kernel_count <= KEPT_LOADED;
    struct job job = {.queues = queues,
                      .launches = hot ? list->hot : list->cold,
                      .count = hot ? list->count : 2 * list->count,
                      .ends = hot ? ends : list->cold_ends,
                      .each = true};
    job.steps = job.count;
    int code = start_threads(queues, message);
    if (!code)
        code = run_job(&job, begin, message);
    if (code || hot)
        return code;
    for (uint32_t i = 0; i < list->count; i++)
        ends[i] = list->cold_ends[2 * i + 1];
    queues->loaded += list->kernel_count;
    list->loaded_at = queues->loaded;
    return ANOLE_OK;
}
