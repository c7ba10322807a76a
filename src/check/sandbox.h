/* SPDX-License-Identifier: MIT
 *
 * A process for the test of one clause: a copy of this one, under a guard, supervised as
 * workers are.  Its verdict comes back as a frame; its stdout and stderr are caught;
 * whatever it does, it ends, and with it all that it started.
 */
#ifndef ANOLE_SANDBOX_H
#define ANOLE_SANDBOX_H

#include "check/check.h"
#include "worker/message.h"
#include "worker/output.h"

/* Seconds that a step of the test may take: a build, a run, any other. */
struct anole_sandbox_limits {
    double build, run, other;
};

struct anole_sandbox {
    /* In the test: */
    struct anole_channel channel;
    bool mute; /* a process that the test started: it does not speak for the test */
    /* What the test says at its end. */
    struct anole_concluded_reply reply;
    /* Of a test that has ended: */
    bool answered;
    char death[ANOLE_CHECK_TEXT]; /* else: "was killed by SIGSEGV while ..." */
    struct anole_output out, err; /* what it wrote */
};

/* Runs `test` in a process of its own, which gets a copy of everything that
 * `context` points to.  Each step may take as long as `limits` says.  That the test dies is
 * no failure. */
ANOLE_CHECKED enum anole_status
anole_sandbox_run(struct anole_sandbox *sandbox,
                  void (*test)(void *context, struct anole_sandbox *sandbox), void *context,
                  const struct anole_sandbox_limits *limits, bool (*stop)(void *context),
                  void *stop_context, struct anole_error *error);

/* In the test: says what comes next, for `death`; the time starts anew. */
void anole_sandbox_step(struct anole_sandbox *sandbox, const char *words);

#endif
