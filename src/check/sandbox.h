/* SPDX-License-Identifier: MIT
 *
 * A process for one test: its verdict comes back by a socket; its stdout and
 * stderr are caught; whatever it does, it ends, and with it all that it started.
 */
#ifndef ANOLE_SANDBOX_H
#define ANOLE_SANDBOX_H

#include "check/check.h"
#include "worker/message.h"

#include <stdbool.h>

/* What the test says at its end. */
struct anole_sandbox_reply {
    uint32_t verdict; /* enum anole_check_verdict */
    uint64_t number;  /* whatever the next tests need to know of this one */
    char text[ANOLE_CHECK_TEXT];
};

struct anole_sandbox {
    int socket; /* the test's end */
    struct anole_sandbox_reply reply;
    /* Of a test that has ended: */
    bool answered;
    char death[256]; /* how it ended, if it did not answer: "was killed by SIGSEGV while ..." */
    size_t out, err; /* bytes that it wrote to stdout and stderr */
    char out_words[256], err_words[256]; /* how the former begins, how the latter ends */
};

/* Runs `test` in a process of its own, which gets a copy of everything that
 * `context` points to.  Each step may take `limit` seconds.  That the test dies is
 * no failure. */
enum anole_status anole_sandbox_run(struct anole_sandbox *sandbox,
                                    void (*test)(void *context, struct anole_sandbox *sandbox),
                                    void *context, double limit, bool (*stop)(void *context),
                                    void *stop_context, struct anole_error *error);

/* In the test: says what comes next, for `death`; the time starts anew. */
void anole_sandbox_step(struct anole_sandbox *sandbox, const char *words);

#endif
