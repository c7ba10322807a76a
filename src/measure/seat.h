/* SPDX-License-Identifier: MIT
 *
 * A place for a worker that drives the device of a measurement: filled when
 * there is something to do, emptied when its worker dies, hangs or grows.  One
 * request at a time; what must come before it (start, open, task) goes along.
 */
#ifndef ANOLE_SEAT_H
#define ANOLE_SEAT_H

#include "measure/link.h"
#include "measure/message.h"
#include "measure/patience.h"

/* What all workers of a measurement have in common. */
struct anole_seat_terms {
    struct anole_open_request open;
    const char *scratch;
    double build_limit, run_limit;        /* seconds: the most that is waited for */
    struct anole_patience *builds, *runs; /* of the task in hand; may be NULL */
    size_t worker_memory;                 /* bytes */
    size_t workers_started, workers_lost, workers_recycled;
};

struct anole_seat {
    struct anole_link link;
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
struct anole_seat_task {
    uint64_t number; /* the same for the same task; never 0 */
    const struct anole_task *task;
    int data; /* descriptor of its sealed file; -1: no data */
};

void anole_seat_init(struct anole_seat *seat);

/* Makes a request of an idle seat.  `task` NULL: one that needs no plugin.
 * `along`: a descriptor, or -1. */
enum anole_status anole_seat_ask(struct anole_seat *seat, struct anole_seat_terms *terms,
                                 const struct anole_seat_task *task, enum anole_frame_type request,
                                 enum anole_frame_type expected, const struct anole_wire *payload,
                                 int along, struct anole_error *error);

enum anole_seat_event {
    ANOLE_SEAT_WAITING,
    ANOLE_SEAT_ANSWERED, /* *frame is the answer; the seat is idle */
    /* In the rest, the worker is gone, and `text` says what happened. */
    ANOLE_SEAT_FAILED, /* it says that it cannot do it */
    ANOLE_SEAT_DIED,
    ANOLE_SEAT_HANGS,
};

/* What has become of the request in hand.  text[256]. */
enum anole_seat_event anole_seat_check(struct anole_seat *seat, struct anole_seat_terms *terms,
                                       struct anole_frame *frame, char *text, size_t size);

/* True if what goes wrong at this stage is the kernel's doing. */
bool anole_stage_blames_kernel(enum anole_stage stage);

/* Takes note of what a worker has used up, and replaces it when that is too
 * much.  The seat is idle. */
void anole_seat_review(struct anole_seat *seat, struct anole_seat_terms *terms,
                       const struct anole_usage *usage);

/* Kills the worker, if there is one. */
void anole_seat_empty(struct anole_seat *seat);

#endif
