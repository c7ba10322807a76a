/* SPDX-License-Identifier: MIT
 *
 * Runs of several builds, one after another.  Each step has kernel objects of its own, with
 * arguments that stay set.  Steps that queues of ours launch together (opencl_queues.h) and
 * steps of the driver's queue take turns in stretches; within one there is a single wait, at
 * its end.
 */
#include "opencl_sequence.h"
#include "opencl_compiler.h"
#include "opencl_error.h"
#include "opencl_session_private.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Launches between two events that are waited for: up to twice as many are in flight. */
#define LAUNCHES_AHEAD 128

struct step {
    struct anole_build *build;
    cl_kernel kernels[ANOLE_MAX_LAUNCHES];
    struct opencl_parts parts;
};

/* Steps from `first` on that are launched alike. */
struct stretch {
    uint32_t first, count, launch_count;
    struct opencl_queue_list *list; /* NULL: by the driver's queue */
};

struct anole_sequence {
    struct step *steps;
    uint32_t count;
    struct stretch *stretches;
    uint32_t stretch_count;
    cl_event *events; /* two for each step, while it is timed */
    double *ends;     /* of the launches of any stretch */
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ------------------------------------------------------------------- create */

/* The same functions as the build's kernels, as objects of their own. */
static int copy_kernels(struct step *step, struct anole_message *message)
{
    for (uint32_t i = 0; i < step->build->launch_count; i++) {
        char name[256];
        cl_int error = clGetKernelInfo(step->build->launches[i].kernel, CL_KERNEL_FUNCTION_NAME,
                                       sizeof name, name, NULL);
        if (!error)
            step->kernels[i] = clCreateKernel(step->build->program, name, &error);
        if (error) {
            step->kernels[i] = NULL;
            return opencl_fail(message, ANOLE_LAUNCH_FAILED, error, "clCreateKernel");
        }
    }
    return ANOLE_OK;
}

static int prepare_steps(struct anole_sequence *sequence, const struct anole_sequence_step *steps,
                         struct anole_message *message)
{
    int code = ANOLE_OK;
    for (uint32_t i = 0; i < sequence->count && !code; i++) {
        struct step *step = &sequence->steps[i];
        step->build = steps[i].build;
        code = copy_kernels(step, message);
        if (!code)
            code = opencl_bind(step->build, step->kernels, steps[i].bindings,
                               steps[i].binding_count, &step->parts, message);
    }
    return code;
}

/* Kernels of a stretch that differ. */
static uint32_t count_kernels(const struct anole_sequence *sequence, const struct stretch *stretch)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < stretch->count; i++) {
        const struct anole_build *build = sequence->steps[stretch->first + i].build;
        bool seen = false;
        for (uint32_t j = 0; j < i && !seen; j++)
            seen = sequence->steps[stretch->first + j].build == build;
        count += seen ? 0 : build->launch_count;
    }
    return count;
}

static int make_list(struct anole_session *session, const struct anole_sequence *sequence,
                     struct stretch *stretch, struct anole_message *message)
{
    const uint32_t count = stretch->launch_count;
    struct anole_build **builds = calloc(count + 1, sizeof(struct anole_build *));
    uint32_t *launches = calloc(count + 1, sizeof *launches);
    cl_kernel *kernels = calloc(count + 1, sizeof(cl_kernel));
    int code = ANOLE_NO_MEMORY;
    if (builds && launches && kernels) {
        uint32_t at = 0;
        for (uint32_t i = 0; i < stretch->count; i++) {
            const struct step *step = &sequence->steps[stretch->first + i];
            for (uint32_t l = 0; l < step->build->launch_count; l++, at++) {
                builds[at] = step->build;
                launches[at] = l;
                kernels[at] = step->kernels[l];
            }
        }
        code = opencl_queue_list_create(&stretch->list, &session->queues, builds, launches, kernels,
                                        count, count_kernels(sequence, stretch), message);
    } else {
        opencl_say(message, ANOLE_NO_MEMORY, "Out of memory.");
    }
    free(kernels);
    free(launches);
    free(builds);
    return code;
}

static int divide(struct anole_session *session, struct anole_sequence *sequence,
                  struct anole_message *message)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < sequence->count; i++) {
        const struct anole_build *build = sequence->steps[i].build;
        struct stretch *stretch = &sequence->stretches[sequence->stretch_count];
        if (i == 0 || !build->shares != !sequence->steps[i - 1].build->shares) {
            *stretch++ = (struct stretch){.first = i};
            sequence->stretch_count++;
        }
        stretch[-1].count++;
        stretch[-1].launch_count += build->launch_count;
        if (stretch[-1].launch_count > most)
            most = stretch[-1].launch_count;
    }
    sequence->ends = calloc((size_t)most + 1, sizeof *sequence->ends);
    if (!sequence->ends)
        return opencl_say(message, ANOLE_NO_MEMORY, "Out of memory.");
    int code = ANOLE_OK;
    for (uint32_t i = 0; i < sequence->stretch_count && !code; i++)
        if (sequence->steps[sequence->stretches[i].first].build->shares)
            code = make_list(session, sequence, &sequence->stretches[i], message);
    return code;
}

int opencl_sequence_create(struct anole_session *session, const struct anole_sequence_step *steps,
                           uint32_t count, struct anole_sequence **sequence,
                           struct anole_message *message)
{
    struct anole_sequence *new = calloc(1, sizeof *new);
    if (!new)
        return opencl_say(message, ANOLE_NO_MEMORY, "Out of memory.");
    new->count = count;
    new->steps = calloc((size_t)count + 1, sizeof *new->steps);
    new->stretches = calloc((size_t)count + 1, sizeof *new->stretches);
    new->events = calloc(2 * (size_t)count + 1, sizeof(cl_event));
    int code = ANOLE_OK;
    if (!new->steps || !new->stretches || !new->events)
        code = opencl_say(message, ANOLE_NO_MEMORY, "Out of memory.");
    if (!code)
        code = prepare_steps(new, steps, message);
    if (!code)
        code = divide(session, new, message);
    if (code) {
        opencl_sequence_destroy(session, new);
        return code;
    }
    /* A network that is ready to run needs no compiler. */
    (void)opencl_compiler_forget();
    *sequence = new;
    return ANOLE_OK;
}

void opencl_sequence_destroy(struct anole_session *session, struct anole_sequence *sequence)
{
    (void)session;
    if (!sequence)
        return;
    for (uint32_t i = 0; sequence->stretches && i < sequence->stretch_count; i++)
        opencl_queue_list_destroy(sequence->stretches[i].list);
    for (uint32_t i = 0; sequence->steps && i < sequence->count; i++) {
        struct step *step = &sequence->steps[i];
        for (uint32_t l = 0; l < ANOLE_MAX_LAUNCHES; l++)
            if (step->kernels[l])
                clReleaseKernel(step->kernels[l]);
        opencl_parts_fini(&step->parts);
    }
    free(sequence->steps);
    free(sequence->stretches);
    free(sequence->events);
    free(sequence->ends);
    free(sequence);
}

/* ---------------------------------------------------------------------- run */

/* Lets the device catch up now and then, without ever letting it run dry. */
static cl_int wait_behind(cl_event *behind, cl_event *ahead)
{
    cl_int error = *behind ? clWaitForEvents(1, behind) : CL_SUCCESS;
    if (*behind)
        clReleaseEvent(*behind);
    *behind = *ahead;
    *ahead = NULL;
    return error;
}

static cl_int enqueue_stretch(struct anole_session *session, struct anole_sequence *sequence,
                              const struct stretch *stretch, bool timed)
{
    cl_event behind = NULL, ahead = NULL;
    cl_int error = CL_SUCCESS;
    uint32_t launched = 0;
    for (uint32_t i = stretch->first; i < stretch->first + stretch->count && !error; i++) {
        const struct step *step = &sequence->steps[i];
        const uint32_t count = step->build->launch_count;
        for (uint32_t l = 0; l < count && !error; l++) {
            const bool marked = ++launched % LAUNCHES_AHEAD == 0;
            cl_event event = NULL;
            const bool kept = timed && (l == 0 || l + 1 == count);
            error = opencl_enqueue(session, step->kernels[l], &step->build->launches[l].launch,
                                   false, kept || marked ? &event : NULL);
            if (error)
                break;
            if (marked) {
                clRetainEvent(event);
                ahead = event;
                error = wait_behind(&behind, &ahead);
            }
            if (kept)
                sequence->events[2 * i + (l > 0)] = event;
            else if (event)
                clReleaseEvent(event);
        }
    }
    if (behind)
        clReleaseEvent(behind);
    return error;
}

/* Times of steps by the driver's events, which are given back. */
static cl_int read_events(struct anole_session *session, struct anole_sequence *sequence,
                          const struct stretch *stretch, double *device_seconds)
{
    cl_int error = CL_SUCCESS;
    for (uint32_t i = stretch->first; i < stretch->first + stretch->count; i++) {
        cl_event first = sequence->events[2 * i], last = sequence->events[2 * i + 1];
        device_seconds[i] = session->timer ? opencl_event_seconds(first, last ? last : first) : -1;
        if (!error)
            error = opencl_event_error(last ? last : first);
        if (first)
            clReleaseEvent(first);
        if (last)
            clReleaseEvent(last);
        sequence->events[2 * i] = sequence->events[2 * i + 1] = NULL;
    }
    return error;
}

static int run_by_driver(struct anole_session *session, struct anole_sequence *sequence,
                         const struct stretch *stretch, double *device_seconds,
                         struct anole_message *message)
{
    cl_int error = enqueue_stretch(session, sequence, stretch, device_seconds != NULL);
    cl_int finish_error = clFinish(session->queue), event_error = CL_SUCCESS;
    if (device_seconds)
        event_error = read_events(session, sequence, stretch, device_seconds);
    if (finish_error)
        return opencl_fail_running(message, finish_error, "clFinish");
    if (error)
        return opencl_fail(message, ANOLE_LAUNCH_FAILED, error, "clEnqueueNDRangeKernel");
    return event_error
               ? opencl_fail_running(message, event_error, "The driver ended the kernel: a launch")
               : ANOLE_OK;
}

static int run_by_queues(struct anole_session *session, struct anole_sequence *sequence,
                         const struct stretch *stretch, double *device_seconds,
                         struct anole_message *message)
{
    double begin;
    int code =
        opencl_queue_list_run(&session->queues, stretch->list, &begin, sequence->ends, message);
    uint32_t at = 0;
    for (uint32_t i = 0; i < stretch->count && !code && device_seconds; i++) {
        at += sequence->steps[stretch->first + i].build->launch_count;
        device_seconds[stretch->first + i] = sequence->ends[at - 1] - begin;
        begin = sequence->ends[at - 1];
    }
    return code;
}

int opencl_sequence_run(struct anole_session *session, struct anole_sequence *sequence,
                        double *device_seconds, double *host_seconds, struct anole_message *message)
{
    double start = now();
    int code = ANOLE_OK;
    for (uint32_t i = 0; i < sequence->stretch_count && !code; i++) {
        const struct stretch *stretch = &sequence->stretches[i];
        code = stretch->list ? run_by_queues(session, sequence, stretch, device_seconds, message)
                             : run_by_driver(session, sequence, stretch, device_seconds, message);
    }
    if (!code)
        *host_seconds = now() - start;
    return code;
}
