/* SPDX-License-Identifier: MIT
 *
 * One request to a worker process, supervised until it is answered: what the worker says
 * that it does next is noted, lines of its log are passed on, time limits are kept, and
 * however it ends is put into words.  Measuring (handle.h), questions about plugins
 * (oneshot.h) and the sandbox of `anole plugin check` are made of this.
 */
#ifndef ANOLE_SUPERVISE_H
#define ANOLE_SUPERVISE_H

#include "worker/process.h"

struct anole_supervised {
    struct anole_process process;
    bool busy;
    bool spoke;                     /* it has said something: it came up */
    uint32_t awaited;               /* the sequence of the request in hand, */
    enum anole_frame_type expected; /* and what answers it */
    enum anole_stage stage;
    uint32_t slot;             /* in a round: whose turn it is */
    char step[ANOLE_STEP];     /* what it is at in words of its own, instead of `stage`; or "" */
    double began;              /* when the request was made */
    double entered;            /* when the stage began, */
    double deadline;           /* and when it counts as hanging */
    bool watched;              /* it has been in its stage long enough to ask for what it waits, */
    double excused;            /* seconds: and for so much of that the deadline was put off */
    enum anole_status failure; /* after ANOLE_WORKER_FAILED: the worker's */
};

/* How long things may take. */
struct anole_supervision {
    /* Seconds from the moment that this stage was entered; INFINITY: as long as it takes. */
    double (*limit)(const void *context, const struct anole_supervised *worker);
    /* A stage is over, and did not hang; may be NULL. */
    void (*left)(const void *context, enum anole_stage stage, double seconds);
    const void *context;
    bool whole; /* the limits of all stages end at one moment: messages say how long it is in all */
    bool quiet; /* what a plugin logs is for debugging, warnings too */
};

/* One without a process. */
void anole_supervised_init(struct anole_supervised *worker);

/* Starts a process, which is then at the stage START. */
ANOLE_CHECKED enum anole_status anole_supervised_start(struct anole_supervised *worker,
                                                       const struct anole_supervision *rules,
                                                       const struct anole_transport *transport,
                                                       const struct anole_worker_start *start,
                                                       struct anole_error *error);
/* A new request is made of a process: the clock starts anew. */
void anole_supervised_begin(struct anole_supervised *worker, const struct anole_supervision *rules,
                            enum anole_stage stage);
/* What is waited for from here on.  `awaited`: the request's sequence; 0: there was none. */
void anole_supervised_expect(struct anole_supervised *worker, enum anole_frame_type expected,
                             uint32_t awaited);

enum anole_worker_event {
    ANOLE_WORKER_WAITING,
    ANOLE_WORKER_ANSWERED, /* *frame is the answer; it is idle */
    /* In the rest, the process has ended, and `text` says what happened. */
    ANOLE_WORKER_FAILED, /* it says that it cannot do it: why */
    ANOLE_WORKER_DIED,   /* "was killed by SIGSEGV (...) while ...; its last words: ..." */
    ANOLE_WORKER_HANGS,  /* "took longer than 2 s while ...; its last words: ..." */
};

/* This process stood still for so many seconds (stopped, suspended, starved), and the worker, as
 * likely as not, with it: they do not count. */
void anole_supervised_excuse(struct anole_supervised *worker, double seconds);

/* What has become of the request in hand.  Stage, times and trace stay. */
enum anole_worker_event anole_supervised_check(struct anole_supervised *worker,
                                               const struct anole_supervision *rules,
                                               struct anole_frame *frame, char *text, size_t size);

/* Kills the process, if there is one. */
void anole_supervised_end(struct anole_supervised *worker);

#endif
