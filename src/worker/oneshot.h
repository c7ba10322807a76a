/* SPDX-License-Identifier: MIT
 *
 * One request to a fresh worker process, and its answer: many of them in
 * parallel.  For questions about plugins that nobody trusts yet.
 */
#ifndef ANOLE_ONESHOT_H
#define ANOLE_ONESHOT_H

#include "worker/protocol.h"
#include "worker/wire.h"

struct anole_oneshot {
    enum anole_frame_type request, expected;
    struct anole_wire payload; /* of the request */
    const char *scratch;       /* see plugin/scratch.h; NULL: none */
    uint8_t *answer;           /* the payload of the expected frame; NULL: there is none */
    size_t answer_length;
    bool started; /* the worker came up: what went wrong later is not its fault */
    /* Why there is none: "was killed by SIGSEGV while loading the plugin". */
    char problem[ANOLE_ERROR_TEXT];
};

/* Runs them all, each for at most `limit` seconds.  That an oneshot fails is no
 * failure. */
ANOLE_CHECKED enum anole_status anole_oneshots_run(struct anole_oneshot *oneshots, size_t count,
                                                   double limit, struct anole_error *error);
/* The same, until `stop`, which is polled many times a second, says so: then all workers are
 * killed, ERR_INTERRUPTED. */
ANOLE_CHECKED enum anole_status anole_oneshots_run_until(struct anole_oneshot *oneshots,
                                                         size_t count, double limit,
                                                         bool (*stop)(void *context), void *context,
                                                         struct anole_error *error);
void anole_oneshot_fini(struct anole_oneshot *oneshot);

#endif
