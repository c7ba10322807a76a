/* SPDX-License-Identifier: MIT
 *
 * A launch made by several queues together.
 *
 * A driver's pool of threads sleeps between launches, and it takes microseconds until the
 * last of them is awake: more than a small layer does.  Here each lane is a queue of a
 * device without threads, and a thread of ours that enqueues its share of the groups and
 * waits, which is what runs them.  A launch begins when all shares of the one before it
 * are done, as it may read what that has written; they spin for it, so that takes a
 * microsecond.  The share of a lane that is late is done by one that is not.
 *
 * All lanes' queues are of one device: a program is then built once, not once a lane.  It
 * is for the driver to run them at the same time; one that does not is slow, not wrong.
 */
#include "opencl_session.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Looks at whether a step is done before doing another lane's share, a microsecond about:
 * what cores that are all there differ by. */
#define PATIENCE 500

/* ------------------------------------------------------------------ the lanes */

void opencl_lanes_fini(struct opencl_lanes *lanes)
{
    opencl_team_destroy(lanes->team);
    for (uint32_t i = 0; lanes->queues && i < lanes->count; i++)
        if (lanes->queues[i])
            clReleaseCommandQueue(lanes->queues[i]);
    free(lanes->queues);
    free(lanes->claims);
    free(lanes->cores);
}

int opencl_lanes_init(struct anole_session *session, const struct opencl_lanes_terms *terms,
                      struct anole_message *message)
{
    struct opencl_lanes *lanes = &session->lanes;
    cl_int error = CL_SUCCESS;
    if (!terms->count)
        return ANOLE_OK;
    *lanes = (struct opencl_lanes){.device = terms->device, .count = terms->count};
    lanes->queues = calloc(terms->count, sizeof(cl_command_queue));
    lanes->claims = aligned_alloc(sizeof *lanes->claims, terms->count * sizeof *lanes->claims);
    lanes->cores = terms->cores ? calloc(terms->count, sizeof *lanes->cores) : NULL;
    if (!lanes->queues || !lanes->claims || (terms->cores && !lanes->cores)) {
        opencl_lanes_fini(lanes);
        return opencl_say(message, ANOLE_NO_MEMORY, "Out of memory.");
    }
    if (lanes->cores)
        memcpy(lanes->cores, terms->cores, terms->count * sizeof *lanes->cores);
    for (uint32_t i = 0; i < lanes->count && !error; i++)
        lanes->queues[i] = clCreateCommandQueue(session->context, terms->device, 0, &error);
    if (error) {
        opencl_lanes_fini(lanes);
        return opencl_fail(message, ANOLE_DEVICE_LOST, error, "clCreateCommandQueue");
    }
    lanes->terms = (struct opencl_team_terms){
        .count = terms->count, .spins = terms->spins, .cores = lanes->cores};
    return ANOLE_OK;
}

/* --------------------------------------------------------------------- shares */

/* A kernel says that it can be launched by parts by where it takes its place from; what
 * get_group_id() gives does not count offsets.  What comes with its task is its author's, whatever
 * words it uses. */
bool opencl_lanes_suit(const struct opencl_lanes *lanes, const struct anole_kernel *kernel)
{
    if (!lanes->count || kernel->task->kind == ANOLE_TASK_CUSTOM ||
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

bool opencl_lanes_share(const struct opencl_lanes *lanes, struct anole_build *build)
{
    build->shares = calloc((size_t)build->launch_count * lanes->count, sizeof *build->shares);
    if (!build->shares)
        return false;
    for (uint32_t i = 0; i < build->launch_count; i++) {
        const struct anole_launch *launch = &build->launches[i].launch;
        size_t groups[3] = {1, 1, 1};
        for (uint32_t d = 0; d < launch->dimensions && d < 3; d++)
            groups[d] = (size_t)launch->global[d];
        for (uint32_t lane = 0; lane < lanes->count; lane++) {
            struct opencl_share *share = &build->shares[i * lanes->count + lane];
            share->count = opencl_split(share->boxes, groups, lanes->count, lane);
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
    struct anole_session *session;
    struct anole_build *build;
    unsigned steps;                         /* launches, over all repeats */
    double *ends;                           /* of each repeat */
    atomic_uint done;                       /* shares, over all steps: `count` lanes a step */
    atomic_int enqueue_error, finish_error; /* of OpenCL; 0: none */
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Enqueues the share `owner` on the queue of the lane that does it, and runs it. */
static void launch_share(struct job *job, unsigned step, uint32_t owner, uint32_t lane)
{
    const struct opencl_lanes *lanes = &job->session->lanes;
    const uint32_t i = step % job->build->launch_count;
    const struct opencl_share *share = &job->build->shares[i * lanes->count + owner];
    cl_command_queue queue = lanes->queues[lane];
    cl_int error = CL_SUCCESS;
    for (uint32_t b = 0; b < share->count && !error; b++)
        error = enqueue_box(queue, job->build->launches[i].kernel,
                            job->build->launches[i].launch.dimensions, &share->boxes[b]);
    if (error)
        atomic_store(&job->enqueue_error, error);
    error = share->count ? clFinish(queue) : CL_SUCCESS;
    if (error)
        atomic_store(&job->finish_error, error);
}

/* Does a share of a step, if nobody has taken it yet. */
static void try_share(struct job *job, unsigned step, uint32_t owner, uint32_t lane)
{
    struct opencl_lanes *lanes = &job->session->lanes;
    atomic_uint *claim = &lanes->claims[owner].next;
    unsigned expected = step;
    if (atomic_load(claim) != step || !atomic_compare_exchange_strong(claim, &expected, step + 1))
        return;
    /* After a failure all there is left to do is to come to the end. */
    if (!atomic_load(&job->enqueue_error) && !atomic_load(&job->finish_error))
        launch_share(job, step, owner, lane);
    unsigned done = opencl_team_advance(lanes->team, &job->done);
    if (done == (step + 1) * lanes->count && (step + 1) % job->build->launch_count == 0)
        job->ends[step / job->build->launch_count] = now();
}

static bool spin_for_step(struct job *job, unsigned step)
{
    const unsigned all = (step + 1) * job->session->lanes.count;
    for (int i = 0; i < PATIENCE; i++)
        if (atomic_load(&job->done) >= all)
            return true;
    return false;
}

/* All that one lane does: its own share of each step, and what nobody has begun once it
 * has waited for a moment.  One that comes late goes on where the others are. */
static void run_lane(void *context, uint32_t lane)
{
    struct job *job = context;
    struct opencl_lanes *lanes = &job->session->lanes;
    const uint32_t count = lanes->count;
    for (unsigned step = 0; step < job->steps; step = atomic_load(&job->done) / count) {
        try_share(job, step, lane, lane);
        if (spin_for_step(job, step))
            continue;
        for (uint32_t i = 1; i < count; i++)
            try_share(job, step, (lane + i) % count, lane);
        opencl_team_wait(lanes->team, &job->done, (step + 1) * count);
    }
}

/* In a process that only builds, none of these threads is started. */
static int start_team(struct opencl_lanes *lanes, struct anole_message *message)
{
    if (!lanes->team)
        lanes->team = opencl_team_create(&lanes->terms);
    return lanes->team
               ? ANOLE_OK
               : opencl_say(message, ANOLE_NO_MEMORY,
                            "Cannot start %u threads to launch kernels with.", lanes->count - 1);
}

/* -- Loading kernels beforehand --
 *
 * PoCL keeps what it has loaded of a kernel in a list, with the widest grid that each entry
 * serves and a count of its users; a launch takes the first entry that is wide enough, but
 * gives back the first of that kernel, whatever its width (pocl_release_dlhandle_cache()
 * of PoCL 3.1).  With two entries in use at a time a count falls below zero, and the
 * process is ended by an assertion.  So the widest box of all lanes is launched first, by
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

static const struct opencl_box *widest_box(const struct opencl_share *shares, uint32_t lanes,
                                           int dimensions)
{
    const struct opencl_box *widest = NULL;
    for (uint32_t lane = 0; lane < lanes; lane++)
        for (uint32_t b = 0; b < shares[lane].count; b++)
            if (!widest || width(&shares[lane].boxes[b], dimensions) > width(widest, dimensions))
                widest = &shares[lane].boxes[b];
    return widest;
}

/* The third dimension does not count in PoCL 3.1; it may in others. */
static cl_int enqueue_widest(const struct opencl_lanes *lanes, const struct anole_build *build,
                             uint32_t launch)
{
    const struct opencl_box *last = NULL;
    cl_int error = CL_SUCCESS;
    for (int dimensions = 2; dimensions <= 3 && !error; dimensions++) {
        const struct opencl_box *box =
            widest_box(&build->shares[launch * lanes->count], lanes->count, dimensions);
        if (box && box != last)
            error = enqueue_box(lanes->queues[0], build->launches[launch].kernel,
                                build->launches[launch].launch.dimensions, box);
        last = box;
    }
    return error;
}

/* Runs parts of the launches out of order: harmless, for each run writes all its outputs
 * and whatever it reads of the workspace. */
static int load(struct anole_session *session, struct anole_build *build,
                struct anole_message *message)
{
    static const char what[] = "A first launch of one lane's share";
    struct opencl_lanes *lanes = &session->lanes;
    cl_int error = CL_SUCCESS;
    if (build->loaded_at && lanes->loaded - build->loaded_at < LOADED_FOR_LONG)
        return ANOLE_OK;
    for (uint32_t i = 0; i < build->launch_count && !error; i++)
        error = enqueue_widest(lanes, build, i);
    cl_int finish_error = clFinish(lanes->queues[0]);
    if (finish_error)
        return opencl_fail_running(finish_error, what, message);
    if (error)
        return opencl_fail(message, ANOLE_LAUNCH_FAILED, error, what);
    lanes->loaded += build->launch_count;
    build->loaded_at = lanes->loaded;
    return ANOLE_OK;
}

/* A repeat lasts from the end of the one before it to when its last share is done: the
 * clock of the lanes is the host's, there is no other.  That a lane still has to see that
 * all is over belongs to no run. */
int opencl_lanes_run(struct anole_session *session, struct anole_build *build, uint32_t repeats,
                     double *device_seconds, double *host_seconds, struct anole_message *message)
{
    struct opencl_lanes *lanes = &session->lanes;
    struct job job = {.session = session,
                      .build = build,
                      .steps = repeats * build->launch_count,
                      .ends = device_seconds};
    int code = start_team(lanes, message);
    if (!code && repeats)
        code = load(session, build, message);
    if (code || !repeats)
        return code;
    for (uint32_t i = 0; i < lanes->count; i++)
        atomic_store(&lanes->claims[i].next, 0);
    double begin = now();
    opencl_team_work(lanes->team, run_lane, &job);
    if (atomic_load(&job.finish_error))
        return opencl_fail_running(job.finish_error, "clFinish", message);
    if (atomic_load(&job.enqueue_error))
        return opencl_fail(message, ANOLE_LAUNCH_FAILED, job.enqueue_error,
                           "clEnqueueNDRangeKernel");
    *host_seconds = device_seconds[repeats - 1] - begin;
    for (uint32_t i = repeats - 1; i > 0; i--)
        device_seconds[i] -= device_seconds[i - 1];
    device_seconds[0] -= begin;
    return ANOLE_OK;
}

int opencl_lanes_warm(struct anole_session *session, struct anole_build *build,
                      struct anole_message *message)
{
    const struct opencl_box one = {.count = {1, 1, 1}};
    cl_command_queue queue = session->lanes.queues[0];
    cl_int error = CL_SUCCESS;
    for (uint32_t i = 0; i < build->launch_count && !error; i++)
        error = enqueue_box(queue, build->launches[i].kernel, build->launches[i].launch.dimensions,
                            &one);
    cl_int finish_error = clFinish(queue);
    session->lanes.loaded += build->launch_count;
    static const char what[] = "A first launch of one work-group";
    if (error)
        return opencl_fail(message, ANOLE_LAUNCH_FAILED, error, what);
    return finish_error ? opencl_fail_running(finish_error, what, message) : ANOLE_OK;
}
