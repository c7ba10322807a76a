/* SPDX-License-Identifier: MIT */
#include "worker/transport_local.h"

#include "base/clock.h"
#include "base/log.h"
#include "plugin/paths.h"
#include "plugin/scratch.h"
#include "worker/guard.h"
#include "worker/queueing.h"
#include "worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LEAST_DESCRIPTOR 16 /* ours stay clear of those that a worker gets */
#define COPY_SOCKET 200     /* of a copy of this process: plugins that write to low ones miss it */
#define END_LIMIT 0.9       /* seconds for the guard to kill all */

struct local {
    struct anole_connection base;
    struct anole_worker_trace *trace;
    struct anole_channel channel;
    pid_t guard; /* 0: it is gone */
    struct anole_queueing queueing;
    int out, err; /* the pipes that stdout and stderr end in; -1: none, or closed */
    bool frames_ended;
};

static struct local *local_of(struct anole_connection *connection)
{
    return (struct local *)connection;
}

/* -- Starting -- */

/* The ends of a socket pair and two pipes; -1: not there. */
struct ends {
    int ours, theirs, out_read, out_write, err_read, err_write;
};

static void close_one(int descriptor)
{
    if (descriptor >= 0)
        close(descriptor);
}

static void close_theirs(const struct ends *ends)
{
    close_one(ends->theirs);
    close_one(ends->out_write);
    close_one(ends->err_write);
}

static void close_ours(const struct ends *ends)
{
    close_one(ends->ours);
    close_one(ends->out_read);
    close_one(ends->err_read);
}

/* Moves a descriptor out of the way of 0 to 3. */
static bool lift(int *descriptor)
{
    if (*descriptor < 0)
        return true;
    int lifted = fcntl(*descriptor, F_DUPFD_CLOEXEC, LEAST_DESCRIPTOR);
    int why = errno == EINVAL ? EMFILE : errno; /* the limit is below that number */
    close(*descriptor);
    errno = why;
    *descriptor = lifted;
    return lifted >= 0;
}

static bool make_pipe(int *read, int *write)
{
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC) != 0)
        return false;
    *read = pipes[0];
    *write = pipes[1];
    return fcntl(*read, F_SETFL, O_NONBLOCK) == 0;
}

/* `apart`: stdout has a pipe of its own. */
static enum anole_status make_ends(struct ends *ends, bool apart, struct anole_error *error)
{
    int pair[2];
    *ends = (struct ends){-1, -1, -1, -1, -1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return anole_fail_errno(error, "cannot make a socket for a worker process");
    ends->ours = pair[0];
    ends->theirs = pair[1];
    if (make_pipe(&ends->err_read, &ends->err_write) &&
        (!apart || make_pipe(&ends->out_read, &ends->out_write)) && lift(&ends->ours) &&
        lift(&ends->theirs) && lift(&ends->err_read) && lift(&ends->err_write) &&
        lift(&ends->out_read) && lift(&ends->out_write) &&
        fcntl(ends->ours, F_SETFL, O_NONBLOCK) == 0)
        return ANOLE_DONE;
    enum anole_status status = anole_fail_errno(error, "cannot make pipes for a worker process");
    close_ours(ends);
    close_theirs(ends);
    return status;
}

/* Our environment, and where the scratch folder is.  One allocation. */
static char **make_environment(const char *scratch)
{
    static const char name[] = ANOLE_SCRATCH_VARIABLE "=";
    size_t count = 0, used = 0;
    while (environ && environ[count])
        count++;
    size_t extra = sizeof name + (scratch ? strlen(scratch) : 0);
    char **copy = malloc((count + 2) * sizeof *copy + extra);
    if (!copy)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], name, sizeof name - 1) != 0)
            copy[used++] = environ[i];
    if (scratch) {
        char *text = (char *)(copy + count + 2);
        snprintf(text, extra, "%s%s", name, scratch);
        copy[used++] = text;
    }
    copy[used] = NULL;
    return copy;
}

/* Default signals, none blocked; 0 reads nothing, 1 and 2 go to the pipe. */
static int spawn(pid_t *pid, const char *path, const struct ends *ends, char **environment)
{
    char parent[24];
    char *argv[] = {(char *)path, (char *)"--serve", parent, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t signals;
    snprintf(parent, sizeof parent, "%ld", (long)getpid());
    int code = posix_spawn_file_actions_init(&actions);
    if (code != 0)
        return code;
    code = posix_spawnattr_init(&attributes);
    if (code != 0)
        goto destroy_actions;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    code = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(&actions, ends->err_write, 1);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(&actions, ends->err_write, 2);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(&actions, ends->theirs, ANOLE_WORKER_SOCKET);
    if (code == 0)
        code = posix_spawn(pid, path, &actions, &attributes, argv, environment);
    posix_spawnattr_destroy(&attributes);
destroy_actions:
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

static enum anole_status start_program(pid_t *pid, const struct ends *ends, const char *scratch,
                                       struct anole_error *error)
{
    char *path;
    enum anole_status status = anole_paths_worker(&path, error);
    if (status != ANOLE_DONE)
        return status;
    char **environment = make_environment(scratch);
    if (!environment) {
        status = anole_fail_memory(error);
        goto free_path;
    }
    errno = spawn(pid, path, ends, environment);
    if (errno != 0)
        status = anole_fail_errno(error, "cannot start %s", path);
    free(environment);
free_path:
    free(path);
    return status;
}

static void enter_copy(const struct ends *ends, const struct anole_worker_start *start,
                       pid_t parent)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close_ours(ends);
    dup2(null, 0);
    dup2(ends->out_write, 1);
    dup2(ends->err_write, 2);
    int socket = fcntl(ends->theirs, F_DUPFD_CLOEXEC, COPY_SOCKET);
    if (null > 2)
        close(null);
    close_theirs(ends);
    anole_guard_enter(parent, start->scratch);
    start->function(start->context, socket);
    _exit(0);
}

static enum anole_status start_copy(pid_t *pid, const struct ends *ends,
                                    const struct anole_worker_start *start,
                                    struct anole_error *error)
{
    pid_t parent = getpid();
    fflush(NULL);
    *pid = fork();
    if (*pid == 0)
        enter_copy(ends, start, parent);
    return *pid > 0 ? ANOLE_DONE : anole_fail_errno(error, "cannot start a process");
}

static enum anole_status local_start(struct anole_connection **connection,
                                     struct anole_worker_trace *trace,
                                     const struct anole_worker_start *start,
                                     struct anole_error *error)
{
    struct ends ends;
    pid_t pid = 0;
    struct local *local = calloc(1, sizeof *local);
    if (!local)
        return anole_fail_memory(error);
    enum anole_status status = make_ends(&ends, start->function, error);
    if (status != ANOLE_DONE)
        goto free_local;
    status = start->function ? start_copy(&pid, &ends, start, error)
                             : start_program(&pid, &ends, start->scratch, error);
    close_theirs(&ends);
    if (status != ANOLE_DONE) {
        close_ours(&ends);
        goto free_local;
    }
    *trace = (struct anole_worker_trace){.death = ""};
    *local = (struct local){.base.transport = &anole_transport_local,
                            .trace = trace,
                            .guard = pid,
                            .out = ends.out_read,
                            .err = ends.err_read};
    anole_channel_init(&local->channel, ends.ours);
    *connection = &local->base;
    return ANOLE_DONE;
free_local:
    free(local);
    return status;
}

/* -- Talking -- */

static enum anole_status local_send(struct anole_connection *connection, enum anole_frame_type type,
                                    const void *payload, size_t length, int data,
                                    uint32_t *sequence, struct anole_error *error)
{
    struct anole_channel *channel = &local_of(connection)->channel;
    enum anole_status status =
        anole_channel_queue(channel, sequence, type, 0, payload, length, data, error);
    return status == ANOLE_DONE ? anole_channel_flush(channel, error) : status;
}

static void local_polls(const struct anole_connection *connection, struct pollfd *fds)
{
    const struct local *local = (const struct local *)connection;
    short events = POLLIN;
    if (anole_channel_unsent(&local->channel))
        events |= POLLOUT;
    fds[0] = (struct pollfd){.fd = local->channel.descriptor, .events = events};
    fds[1] = (struct pollfd){.fd = local->err, .events = POLLIN};
    fds[2] = (struct pollfd){.fd = local->out, .events = POLLIN};
}

static void drain(struct local *local)
{
    anole_output_drain(&local->trace->err, &local->err);
    anole_output_drain(&local->trace->out, &local->out);
}

static enum anole_status local_service(struct anole_connection *connection,
                                       struct anole_error *error)
{
    struct local *local = local_of(connection);
    size_t before;
    drain(local);
    enum anole_status status = anole_channel_flush(&local->channel, error);
    do {
        before = local->channel.in_length;
        if (status == ANOLE_DONE)
            status = anole_channel_fill(&local->channel, error);
    } while (status == ANOLE_DONE && local->channel.in_length > before);
    return status;
}

static enum anole_status local_receive(struct anole_connection *connection,
                                       struct anole_frame *frame, bool *got, bool *ended,
                                       struct anole_error *error)
{
    struct local *local = local_of(connection);
    enum anole_status status = anole_channel_take(&local->channel, frame, got, error);
    if (status != ANOLE_DONE)
        return status;
    if (*got && frame->descriptor >= 0)
        close(frame->descriptor); /* workers have none to give */
    *ended = !*got && local->channel.ended;
    local->frames_ended |= *ended;
    if (*ended)
        drain(local);
    return ANOLE_DONE;
}

/* -- Ending -- */

static const char *signal_name(int number)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {
#define X(name) {name, #name}
        X(SIGSEGV), X(SIGABRT), X(SIGBUS), X(SIGILL),  X(SIGFPE),  X(SIGKILL), X(SIGTERM),
        X(SIGTRAP), X(SIGSYS),  X(SIGINT), X(SIGPIPE), X(SIGALRM), X(SIGHUP),  X(SIGXCPU),
#undef X
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == number)
            return names[i].name;
    return "a signal";
}

static void describe_death(struct anole_worker_trace *trace, int status)
{
    if (trace->death[0])
        return;
    trace->killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (WIFSIGNALED(status))
        snprintf(trace->death, sizeof trace->death, "was killed by %s (%s)%s",
                 signal_name(WTERMSIG(status)), strsignal(WTERMSIG(status)),
                 WTERMSIG(status) == SIGKILL ? ": out of memory?" : "");
    else
        snprintf(trace->death, sizeof trace->death, "exited with code %d", WEXITSTATUS(status));
}

/* Waits for the guard, at most `limit` seconds; true once it is gone. */
static bool wait_for(struct local *local, double limit, bool describe)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    for (double end = anole_clock() + limit;;) {
        int status;
        pid_t gone = local->guard > 0 ? waitpid(local->guard, &status, WNOHANG) : -1;
        drain(local);
        if (gone > 0 && describe)
            describe_death(local->trace, status);
        if (gone > 0 || local->guard == 0 || (gone < 0 && errno != EINTR)) {
            local->guard = 0;
            return true;
        }
        if (anole_clock() >= end)
            return false;
        nanosleep(&pause, NULL);
    }
}

static void local_ask_end(struct anole_connection *connection)
{
    struct local *local = local_of(connection);
    if (local->guard > 0 && !local->frames_ended)
        kill(local->guard, SIGTERM);
}

static void local_ask_close(struct anole_connection *connection)
{
    shutdown(local_of(connection)->channel.descriptor, SHUT_WR);
}

static bool local_gone(struct anole_connection *connection)
{
    return wait_for(local_of(connection), 0.0, true);
}

static void end_guard(struct local *local)
{
    /* One that went by itself is described by its guard in a moment. */
    if (local->channel.ended && wait_for(local, END_LIMIT, true))
        return;
    kill(local->guard, SIGTERM);
    if (wait_for(local, END_LIMIT, false))
        return;
    kill(local->guard, SIGKILL);
    if (!wait_for(local, END_LIMIT, false))
        anole_log_warning("process %ld does not end: its driver holds it in the kernel",
                          (long)local->guard);
}

static void local_end(struct anole_connection *connection)
{
    struct local *local = local_of(connection);
    int socket = local->channel.descriptor;
    if (local->guard > 0)
        end_guard(local);
    anole_channel_fini(&local->channel);
    close_one(socket);
    close_one(local->err);
    close_one(local->out);
    free(local);
}

static double local_waited(struct anole_connection *connection, bool begin)
{
    struct local *local = (struct local *)connection;
    if (local->guard == 0)
        return 0.0;
    if (begin)
        anole_queueing_begin(&local->queueing, local->guard);
    return begin ? 0.0 : anole_queueing_seconds(&local->queueing, local->guard);
}

const struct anole_transport anole_transport_local = {
    .name = "local",
    .start = local_start,
    .send = local_send,
    .polls = local_polls,
    .service = local_service,
    .receive = local_receive,
    .ask_end = local_ask_end,
    .ask_close = local_ask_close,
    .gone = local_gone,
    .waited = local_waited,
    .end = local_end,
};
