/* SPDX-License-Identifier: MIT
 *
 * A worker that drives the device of a measurement: started when there is something to do,
 * replaced when it dies, hangs or grows.  One request at a time; what must come before it
 * (start, open, task) goes along.
 */
#ifndef ANOLE_HANDLE_H
#define ANOLE_HANDLE_H

#include "worker/message.h"
#include "worker/supervise.h"
#include "worker/timeout.h"

/* What all workers of a measurement have in common. */
struct anole_handle_terms {
    struct anole_open_request open;
    const struct anole_transport *transport; /* NULL: processes of this machine */
    const char *scratch;
    double build_limit, run_limit;       /* seconds: the most that is waited for */
    struct anole_timeout *builds, *runs; /* of the task in hand; may be NULL */
    size_t worker_memory;                /* bytes */
    size_t workers_started, workers_lost, workers_recycled;
};

struct anole_handle {
    struct anole_supervised worker;
    bool opened;   /* it holds the device */
    uint64_t task; /* the number of the task that it was given; 0: none */
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
ANOLE_CHECKED enum anole_status
anole_handle_ask(struct anole_handle *handle, struct anole_handle_terms *terms,
                 const struct anole_handle_task *task, enum anole_frame_type request,
                 enum anole_frame_type expected, const struct anole_wire *payload, int along,
                 struct anole_error *error);

/* What has become of the request in hand.  Of one that did not answer, `text` says in a
 * whole sentence what happened, and worker.stage and .slot where.  text[256]. */
enum anole_worker_event anole_handle_check(struct anole_handle *handle,
                                           struct anole_handle_terms *terms,
                                           struct anole_frame *frame, char *text, size_t size);

/* Takes note of what a worker has used up, and replaces it when that is too
 * much.  The handle is idle. */
void anole_handle_review(struct anole_handle *handle, struct anole_handle_terms *terms,
                         const struct anole_usage *usage);

/* Kills the worker, if there is one. */
void anole_handle_empty(struct anole_handle *handle);

#endif
