/* SPDX-License-Identifier: MIT */
#include "check/sandbox.h"

#include "base/clock.h"
#include "base/text.h"
#include "worker/confine.h"
#include "worker/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAGIC 0x6c6c6563u
#define HIGH 200 /* where the socket goes: plugins that write to low descriptors miss it */
#define POLL_MILLISECONDS 100

enum { SAYS_STEP = 1, SAYS_REPLY };

/* One packet of the socket. */
struct note {
    uint32_t magic, kind;
    struct anole_sandbox_reply reply; /* SAYS_STEP: text alone */
};

/* Our side of a test under way. */
struct watch {
    struct anole_sandbox *sandbox;
    pid_t guard;
    int socket, out, err; /* -1: closed */
    char step[ANOLE_CHECK_TEXT];
    char *tail; /* the end of stderr */
    double limit, deadline;
};

/* ---------------------------------------------------------------- the test */

static void send_note(const struct anole_sandbox *sandbox, struct note *note)
{
    note->magic = MAGIC;
    while (send(sandbox->socket, note, sizeof *note, MSG_NOSIGNAL) < 0 && errno == EINTR)
        continue;
}

void anole_sandbox_step(struct anole_sandbox *sandbox, const char *words)
{
    struct note note = {.kind = SAYS_STEP};
    snprintf(note.reply.text, sizeof note.reply.text, "%s", words);
    send_note(sandbox, &note);
}

static void enter(struct anole_sandbox *sandbox, const int *socket, const int *out, const int *err,
                  pid_t parent)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(null, 0);
    dup2(out[1], 1);
    dup2(err[1], 2);
    sandbox->socket = fcntl(socket[1], F_DUPFD_CLOEXEC, HIGH);
    const int spare[] = {null, socket[0], socket[1], out[0], out[1], err[0], err[1]};
    for (size_t i = 0; i < sizeof spare / sizeof *spare; i++)
        close(spare[i]);
    anole_guard_enter(parent, NULL);
    anole_confine(); /* as a worker: drivers describe what they are allowed */
}

static void live(struct anole_sandbox *sandbox,
                 void (*test)(void *context, struct anole_sandbox *sandbox), void *context)
{
    struct note note = {.kind = SAYS_REPLY};
    test(context, sandbox);
    fflush(stdout); /* what a plugin printed and left in there */
    note.reply = sandbox->reply;
    send_note(sandbox, &note);
    _exit(0);
}

/* ------------------------------------------------------------ our own side */

static enum anole_status make_pipes(int *socket, int *out, int *err, struct anole_error *error)
{
    int all[6] = {-1, -1, -1, -1, -1, -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, all) == 0 &&
        pipe2(all + 2, O_CLOEXEC) == 0 && pipe2(all + 4, O_CLOEXEC) == 0) {
        memcpy(socket, all, 2 * sizeof *all);
        memcpy(out, all + 2, 2 * sizeof *all);
        memcpy(err, all + 4, 2 * sizeof *all);
        return ANOLE_DONE;
    }
    enum anole_status status = anole_fail_errno(error, "cannot make pipes for a test's process");
    for (int i = 0; i < 6; i++)
        if (all[i] >= 0)
            close(all[i]);
    return status;
}

static void hear_note(struct watch *watch)
{
    struct note note;
    ssize_t length = recv(watch->socket, &note, sizeof note, MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length <= 0) {
        close(watch->socket);
        watch->socket = -1;
        return;
    }
    note.reply.text[sizeof note.reply.text - 1] = '\0';
    if (length != (ssize_t)sizeof note || note.magic != MAGIC || note.reply.verdict > ANOLE_SKIPPED)
        return; /* the plugin has found our socket: what it says is none of the test's */
    watch->deadline = anole_clock() + watch->limit;
    if (note.kind == SAYS_STEP) {
        memcpy(watch->step, note.reply.text, sizeof watch->step);
    } else {
        watch->sandbox->reply = note.reply;
        watch->sandbox->answered = true;
    }
}

static void hear_text(int *pipe, size_t *total, char *words, size_t size, bool end)
{
    char text[4096];
    ssize_t length = read(*pipe, text, sizeof text);
    if (length < 0 && errno == EINTR)
        return;
    if (length <= 0) {
        close(*pipe);
        *pipe = -1;
        return;
    }
    size_t was = *total, add = (size_t)length;
    *total += add;
    for (size_t i = 0; i < add; i++) /* words end at a NUL: none may hold one */
        text[i] = text[i] ? text[i] : '?';
    size_t shown = add < size ? add : size - 1;
    if (end || was == 0) {
        memcpy(words, end ? text + add - shown : text, shown);
        words[shown] = '\0';
    }
}

static void hear(struct watch *watch)
{
    struct anole_sandbox *sandbox = watch->sandbox;
    struct pollfd fds[] = {
        {watch->socket, POLLIN, 0}, {watch->out, POLLIN, 0}, {watch->err, POLLIN, 0}};
    if (poll(fds, 3, POLL_MILLISECONDS) <= 0)
        return;
    if (fds[0].revents)
        hear_note(watch);
    if (fds[1].revents)
        hear_text(&watch->out, &sandbox->out, sandbox->out_words, sizeof sandbox->out_words, false);
    if (fds[2].revents)
        hear_text(&watch->err, &sandbox->err, sandbox->err_words, sizeof sandbox->err_words, true);
}

static void say_death(struct watch *watch, const char *what)
{
    struct anole_sandbox *sandbox = watch->sandbox;
    snprintf(sandbox->death, sizeof sandbox->death, "%.90s%s%.150s", what,
             watch->step[0] ? " while " : "", watch->step);
}

static void say_end(struct watch *watch, int status)
{
    char what[90];
    if (WIFSIGNALED(status)) {
        const char *name = sigabbrev_np(WTERMSIG(status));
        snprintf(what, sizeof what, "was killed by SIG%s (%s)", name ? name : "?",
                 strsignal(WTERMSIG(status)));
    } else {
        snprintf(what, sizeof what, "exited with code %d", WEXITSTATUS(status));
    }
    say_death(watch, what);
}

/* Until the test has answered, or can no longer.  The pipes may stay open longer:
 * what the test started may hold them. */
static enum anole_status attend(struct watch *watch, bool (*stop)(void *context), void *context,
                                struct anole_error *error)
{
    int status = 0;
    bool gone = false;
    while (!watch->sandbox->answered && !gone) {
        if (stop && stop(context))
            return anole_fail(error, ANOLE_ERR_INTERRUPTED, "interrupted");
        hear(watch);
        gone = waitpid(watch->guard, &status, WNOHANG) == watch->guard;
        if (!gone && watch->socket < 0 && !watch->sandbox->answered) {
            waitpid(watch->guard, &status, 0); /* it ends the remains now */
            gone = true;
        }
        if (!gone && anole_clock() > watch->deadline) {
            char what[64];
            snprintf(what, sizeof what, "took longer than %g s", watch->limit);
            say_death(watch, what);
            return ANOLE_DONE;
        }
    }
    if (gone)
        watch->guard = 0;
    double patience = anole_clock() + 1; /* for what is still in the pipes */
    while ((watch->out >= 0 || watch->err >= 0 || (gone && watch->socket >= 0)) &&
           anole_clock() < patience)
        hear(watch);
    if (gone && !watch->sandbox->answered)
        say_end(watch, status);
    return ANOLE_DONE;
}

static void finish(struct watch *watch)
{
    const int all[] = {watch->socket, watch->out, watch->err};
    if (watch->guard > 0) {
        kill(watch->guard, SIGTERM);
        while (waitpid(watch->guard, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] >= 0)
            close(all[i]);
}

enum anole_status anole_sandbox_run(struct anole_sandbox *sandbox,
                                    void (*test)(void *context, struct anole_sandbox *sandbox),
                                    void *context, double limit, bool (*stop)(void *context),
                                    void *stop_context, struct anole_error *error)
{
    int socket[2], out[2], err[2];
    enum anole_status status = make_pipes(socket, out, err, error);
    if (status != ANOLE_DONE)
        return status;
    memset(sandbox, 0, sizeof *sandbox);
    struct watch watch = {.sandbox = sandbox, .socket = socket[0], .out = out[0], .err = err[0]};
    watch.limit = limit;
    watch.deadline = anole_clock() + limit;
    pid_t parent = getpid();
    fflush(NULL);
    watch.guard = fork();
    if (watch.guard == 0) {
        enter(sandbox, socket, out, err, parent);
        live(sandbox, test, context);
    }
    close(socket[1]);
    close(out[1]);
    close(err[1]);
    if (watch.guard < 0)
        status = anole_fail_errno(error, "cannot start a process for a test");
    else
        status = attend(&watch, stop, stop_context, error);
    finish(&watch);
    return status;
}
