/* SPDX-License-Identifier: MIT
 *
 * One request to a fresh worker process, and its answer: many of them in
 * parallel.  For questions about plugins that nobody trusts yet.
 */
#ifndef ANOLE_ERRAND_H
#define ANOLE_ERRAND_H

#include "measure/protocol.h"
#include "measure/wire.h"

struct anole_errand {
    enum anole_frame_type request, expected;
    struct anole_wire payload; /* of the request */
    uint8_t *answer;           /* the payload of the expected frame; NULL: there is none */
    size_t answer_length;
    bool started; /* the worker came up: what went wrong later is not its fault */
    /* Why there is none: "was killed by SIGSEGV while loading the plugin". */
    char problem[ANOLE_ERROR_TEXT];
};

/* Runs them all, each for at most `limit` seconds.  That an errand fails is no
 * failure. */
enum anole_status anole_errands_run(struct anole_errand *errands, size_t count, double limit,
                                    struct anole_error *error);
void anole_errand_fini(struct anole_errand *errand);

#endif
