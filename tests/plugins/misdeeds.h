/* SPDX-License-Identifier: MIT
 *
 * What the test plugin can do wrong when it builds and runs.
 */
#ifndef MISDEEDS_H
#define MISDEEDS_H

#include <anole/plugin.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Misdeeds, in the order of the knob's values. */
#define DEED_MAP(X)                                                                                \
    X(none)                                                                                        \
    X(refuse)                                                                                      \
    X(bad_launch)                                                                                  \
    X(no_compile)                                                                                  \
    X(crash_build)                                                                                 \
    X(hang_build)                                                                                  \
    X(exit_build)                                                                                  \
    X(crash_run)                                                                                   \
    X(hang_run)                                                                                    \
    X(exit_run)                                                                                    \
    X(refuse_run)                                                                                  \
    X(write_before)                                                                                \
    X(write_behind)                                                                                \
    X(write_workspace)                                                                             \
    X(write_input)                                                                                 \
    X(wrong)                                                                                       \
    X(wrong_later)                                                                                 \
    X(unwritten)                                                                                   \
    X(nan)                                                                                         \
    X(negative_time)                                                                               \
    X(nan_time)                                                                                    \
    X(flood)                                                                                       \
    X(print)                                                                                       \
    X(scribble)                                                                                    \
    X(leave_child)                                                                                 \
    X(lose_device)                                                                                 \
    X(bad_pack)                                                                                    \
    X(events_lie)                                                                                  \
    X(talk)                                                                                        \
    X(crash_later)                                                                                 \
    X(one_time)                                                                                    \
    X(milliseconds)

enum deed {
#define X(name) DEED_##name,
    DEED_MAP(X)
#undef X
        DEED_COUNT
};

struct anole_buffer {
    unsigned char *data;
    size_t bytes;
};

struct anole_build {
    struct anole_task task;
    int64_t tile, slow;
    enum deed deed;
    size_t packed;
    unsigned runs;
};

static int fail(struct anole_message *message, int code, const char *text)
{
    snprintf(message->text, sizeof message->text, "%s", text);
    return code;
}

static void hang(void)
{
    for (;;)
        pause();
}

static int misbuild(enum deed deed, struct anole_message *message)
{
    switch (deed) {
    case DEED_no_compile:
        return fail(message, ANOLE_BUILD_FAILED, "conv.cl:1:1: error: this is no kernel");
    case DEED_crash_build:
        fprintf(stderr, "the compiler is confused\n");
        signal(SIGSEGV, SIG_DFL);
        raise(SIGSEGV);
        return ANOLE_OK;
    case DEED_hang_build:
        hang();
        return ANOLE_OK;
    case DEED_exit_build:
        _exit(7);
    default:
        return ANOLE_OK;
    }
}

static float *at(const struct anole_binding *bindings, uint32_t role)
{
    return bindings[role].buffer ? (float *)(bindings[role].buffer->data + bindings[role].offset)
                                 : NULL;
}

static void leave_children(void)
{
    pid_t child = fork();
    if (child == 0) {
        if (fork() == 0)
            setsid(); /* an orphan in a session of its own */
        hang();
    }
}

/* What ends or hangs the process, or fails.  */
static int fail_to_run(const struct anole_build *made, struct anole_message *message)
{
    switch (made->deed) {
    case DEED_crash_run:
        fprintf(stderr, "about to divide by zero\n");
        signal(SIGFPE, SIG_DFL);
        raise(SIGFPE);
        return ANOLE_OK;
    case DEED_crash_later:
        if (made->runs > 4)
            raise(SIGKILL);
        return ANOLE_OK;
    case DEED_hang_run:
        hang();
        return ANOLE_OK;
    case DEED_exit_run:
        exit(3);
    case DEED_refuse_run:
        return fail(message, ANOLE_LAUNCH_FAILED, "the queue is jammed");
    case DEED_lose_device:
        return fail(message, ANOLE_DEVICE_LOST, "it fell off the bus");
    default:
        return ANOLE_OK;
    }
}

/* What spoils the output, or memory beside it. */
static void spoil(const struct anole_build *made, const struct anole_binding *bindings)
{
    float *out = at(bindings, ANOLE_ROLE_OUTPUT);
    size_t outputs = bindings[ANOLE_ROLE_OUTPUT].bytes / sizeof *out;
    switch (made->deed) {
    case DEED_write_before:
        out[-1] = 1;
        break;
    case DEED_write_behind:
        out[outputs] = 1;
        break;
    case DEED_write_workspace:
        ((char *)at(bindings, ANOLE_ROLE_WORKSPACE))[bindings[ANOLE_ROLE_WORKSPACE].bytes] = 1;
        break;
    case DEED_write_input: /* right now, and wrong from the next run on */
        at(bindings, ANOLE_ROLE_INPUT)[0] += 1000;
        break;
    case DEED_wrong:
        out[outputs / 2] += 1;
        break;
    case DEED_wrong_later:
        if (made->runs > 1)
            out[0] += 1;
        break;
    case DEED_nan:
        out[0] = NAN;
        break;
    default:
        break;
    }
}

/* A quarter of a megabyte, at once: 5,000 writes would take seconds of each test. */
static void flood(void)
{
    static char lines[5000 * 64];
    size_t used = 0;
    for (int i = 0; i < 5000; i++)
        used += (size_t)snprintf(lines + used, sizeof lines - used,
                                 "%d: the quick brown fox jumps over the lazy dog\n", i);
    fwrite(lines, 1, used, stderr);
}

/* What leaves traces outside. */
static void litter(const struct anole_build *made)
{
    switch (made->deed) {
    case DEED_flood:
        flood();
        break;
    case DEED_print:
        printf("a plugin should not write to stdout\n");
        fflush(stdout);
        break;
    case DEED_scribble:
        if (write(3, "not a frame, and much longer than a header of one", 49) < 0)
            break;
        break;
    case DEED_leave_child:
        leave_children();
        break;
    default:
        break;
    }
}

#endif
