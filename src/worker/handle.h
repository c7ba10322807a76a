/* SPDX-License-Identifier: MIT
 *
 * A place for a worker that drives the device of a measurement: filled when
 * there is something to do, emptied when its worker dies, hangs or grows.  One
 * request at a time; what must come before it (start, open, task) goes along.
 */
#ifndef ANOLE_HANDLE_H
#define ANOLE_HANDLE_H

#include "worker/process.h"
#include "worker/message.h"
#include "worker/timeout.h"

/* What all workers of a measurement have in common. */
struct anole_handle_terms {
    struct anole_open_request open;
    const char *scratch;
    double build_limit, run_limit;       /* seconds: the most that is waited for */
    struct anole_timeout *builds, *runs; /* of the task in hand; may be NULL */
    size_t worker_memory;                /* bytes */
    size_t workers_started, workers_lost, workers_recycled;
};

struct anole_handle {
    struct anole_process process;
    bool opened;   /* it holds the device */
    uint64_t task; /* the number of the task that it was given; 0: none */
    bool busy;
    uint32_t awaited;               /* the sequence of the request in hand, */
    enum anole_frame_type expected; /* and what answers it */
    enum anole_stage stage;
    uint32_t slot;             /* in a round: whose turn it is */
    double began;              /* when the request was made */
    double entered;            /* when the stage began, */
    double deadline;           /* and when it counts as hanging */
    enum anole_status failure; /* after SEAT_FAILED: the worker's */
    struct anole_usage usage;
};

/* What to do a request on. */
struct anole_handle_task {
    uint64_t number; /* the same for the same task; never 0 */
    const struct anole_task *task;
    int data; /* descriptor of its sealed file; -1: no data */
};

void anole_handle_init(struct anole_handle *handle);

/* Makes a request of an idle handle.  `task` NULL: one that needs no plugin.
 * `along`: a descriptor, or -1. */
enum anole_status anole_handle_ask(struct anole_handle *handle, struct anole_handle_terms *terms,
                                   const struct anole_handle_task *task,
                                   enum anole_frame_type request, enum anole_frame_type expected,
                                   const struct anole_wire *payload, int along,
                                   struct anole_error *error);

enum anole_handle_event {
    ANOLE_HANDLE_WAITING,
    ANOLE_HANDLE_ANSWERED, /* *frame is the answer; the handle is idle */
    /* In the rest, the worker is gone, and `text` says what happened. */
    ANOLE_HANDLE_FAILED, /* it says that it cannot do it */
    ANOLE_HANDLE_DIED,
    ANOLE_HANDLE_HANGS,
};

/* What has become of the request in hand.  text[256]. */
enum anole_handle_event anole_handle_check(struct anole_handle *handle,
                                           struct anole_handle_terms *terms,
                                           struct anole_frame *frame, char *text, size_t size);

/* Takes note of what a worker has used up, and replaces it when that is too
 * much.  The handle is idle. */
void anole_handle_review(struct anole_handle *handle, struct anole_handle_terms *terms,
                         const struct anole_usage *usage);

/* Kills the worker, if there is one. */
void anole_handle_empty(struct anole_handle *handle);

#endif
