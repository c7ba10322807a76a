/* SPDX-License-Identifier: MIT */
#include "worker/process.h"

#include "base/log.h"
#include "base/text.h"
#include "plugin/paths.h"
#include "plugin/scratch.h"
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
#define END_PATIENCE 900    /* milliseconds for the guard to kill all */
#define CLOSE_PATIENCE 300  /* milliseconds for a worker to close its device */

void anole_process_init(struct anole_process *process)
{
    *process = (struct anole_process){.errors = -1};
    anole_channel_init(&process->channel, -1);
}

bool anole_process_alive(const struct anole_process *process)
{
    return process->pid > 0 && !process->dead;
}

/* -- Starting -- */

/* The four ends of a socket pair and a pipe. */
struct ends {
    int ours, theirs, read, write;
};

static void close_ends(const struct ends *ends)
{
    const int all[] = {ends->ours, ends->theirs, ends->read, ends->write};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] >= 0)
            close(all[i]);
}

/* Moves a descriptor out of the way of 0 to 3. */
static bool lift(int *descriptor)
{
    int lifted = fcntl(*descriptor, F_DUPFD_CLOEXEC, LEAST_DESCRIPTOR);
    close(*descriptor);
    *descriptor = lifted;
    return lifted >= 0;
}

static enum anole_status make_ends(struct ends *ends, struct anole_error *error)
{
    int pair[2], pipes[2];
    *ends = (struct ends){-1, -1, -1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return anole_fail_errno(error, "cannot make a socket for a worker process");
    ends->ours = pair[0];
    ends->theirs = pair[1];
    if (pipe2(pipes, O_CLOEXEC) != 0) {
        enum anole_status status =
            anole_fail_errno(error, "cannot make a pipe for a worker process");
        close_ends(ends);
        return status;
    }
    ends->read = pipes[0];
    ends->write = pipes[1];
    if (!lift(&ends->ours) || !lift(&ends->theirs) || !lift(&ends->read) || !lift(&ends->write) ||
        fcntl(ends->ours, F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(ends->read, F_SETFL, O_NONBLOCK) != 0) {
        enum anole_status status = anole_fail_errno(error, "cannot set a worker's socket up");
        close_ends(ends);
        return status;
    }
    return ANOLE_DONE;
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
        code = posix_spawn_file_actions_adddup2(&actions, ends->write, 1);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(&actions, ends->write, 2);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(&actions, ends->theirs, ANOLE_WORKER_SOCKET);
    if (code == 0)
        code = posix_spawn(pid, path, &actions, &attributes, argv, environment);
    posix_spawnattr_destroy(&attributes);
destroy_actions:
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

enum anole_status anole_process_start(struct anole_process *process, const char *scratch,
                                      struct anole_error *error)
{
    char *path;
    struct ends ends;
    enum anole_status status = anole_paths_worker(&path, error);
    if (status != ANOLE_DONE)
        return status;
    status = make_ends(&ends, error);
    if (status != ANOLE_DONE)
        goto free_path;
    char **environment = make_environment(scratch);
    if (!environment) {
        status = anole_fail_memory(error);
        close_ends(&ends);
        goto free_path;
    }
    pid_t pid = 0;
    errno = spawn(&pid, path, &ends, environment);
    free(environment);
    if (errno != 0) {
        status = anole_fail_errno(error, "cannot start %s", path);
        close_ends(&ends);
        goto free_path;
    }
    close(ends.theirs);
    close(ends.write);
    anole_process_init(process);
    process->pid = pid;
    process->errors = ends.read;
    anole_channel_init(&process->channel, ends.ours);
free_path:
    free(path);
    return status;
}

/* -- Talking -- */

enum anole_status anole_process_send(struct anole_process *process, enum anole_frame_type type,
                                     const struct anole_wire *payload, int along,
                                     uint32_t *sequence, struct anole_error *error)
{
    if (payload && payload->failed)
        return anole_fail_memory(error);
    enum anole_status status =
        anole_channel_queue(&process->channel, sequence, type, 0, payload ? payload->data : NULL,
                            payload ? payload->length : 0, along, error);
    if (status == ANOLE_DONE)
        status = anole_channel_flush(&process->channel, error);
    return status;
}

void anole_process_polls(const struct anole_process *process, struct pollfd *fds)
{
    bool alive = anole_process_alive(process);
    short events = POLLIN;
    if (anole_channel_unsent(&process->channel))
        events |= POLLOUT;
    fds[0] = (struct pollfd){.fd = alive ? process->channel.descriptor : -1, .events = events};
    fds[1] = (struct pollfd){.fd = alive ? process->errors : -1, .events = POLLIN};
}

/* Keeps the last bytes of what the worker writes, however much that is. */
static void drain(struct anole_process *process)
{
    char chunk[4096];
    for (int i = 0; i < 64 && process->errors >= 0; i++) {
        ssize_t got = read(process->errors, chunk, sizeof chunk);
        if (got == 0) {
            close(process->errors);
            process->errors = -1;
        }
        if (got <= 0)
            return;
        size_t fresh = (size_t)got < sizeof process->tail ? (size_t)got : sizeof process->tail;
        size_t kept = process->tail_length < sizeof process->tail - fresh
                          ? process->tail_length
                          : sizeof process->tail - fresh;
        memmove(process->tail, process->tail + process->tail_length - kept, kept);
        memcpy(process->tail + kept, chunk + (size_t)got - fresh, fresh);
        process->tail_length = kept + fresh;
    }
}

void anole_process_distrust(struct anole_process *process, const char *why)
{
    if (process->dead)
        return;
    char said[sizeof process->death + 32];
    process->dead = true;
    snprintf(said, sizeof said, "sent nonsense (%.*s)", (int)sizeof process->death, why);
    anole_text_printable(process->death, sizeof process->death, said);
}

/* The connection failed: as a rule because of what came over it. */
static void give_up(struct anole_process *process, const struct anole_error *error)
{
    if (error->status != ANOLE_ERR_MEMORY) {
        anole_process_distrust(process, error->text);
        return;
    }
    process->dead = process->starved = true;
    snprintf(process->death, sizeof process->death, "could not be heard (out of memory)");
}

void anole_process_service(struct anole_process *process)
{
    struct anole_error error = {.status = ANOLE_DONE};
    if (!anole_process_alive(process))
        return;
    drain(process);
    enum anole_status status = anole_channel_flush(&process->channel, &error);
    size_t before;
    do {
        before = process->channel.in_length;
        if (status == ANOLE_DONE)
            status = anole_channel_fill(&process->channel, &error);
    } while (status == ANOLE_DONE && process->channel.in_length > before);
    if (status != ANOLE_DONE)
        give_up(process, &error);
}

bool anole_process_take(struct anole_process *process, struct anole_frame *frame)
{
    struct anole_error error = {.status = ANOLE_DONE};
    bool got = false;
    if (!anole_process_alive(process))
        return false;
    if (anole_channel_take(&process->channel, frame, &got, &error) != ANOLE_DONE) {
        give_up(process, &error);
        return false;
    }
    if (got && frame->descriptor >= 0)
        close(frame->descriptor); /* workers have none to give */
    if (!got && process->channel.ended) {
        process->dead = true; /* how, the guard tells: anole_process_end() */
        drain(process);
    }
    return got;
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

static void describe_death(struct anole_process *process, int status)
{
    if (process->death[0])
        return;
    if (WIFSIGNALED(status))
        snprintf(process->death, sizeof process->death, "was killed by %s (%s)%s",
                 signal_name(WTERMSIG(status)), strsignal(WTERMSIG(status)),
                 WTERMSIG(status) == SIGKILL ? ": out of memory?" : "");
    else
        snprintf(process->death, sizeof process->death, "exited with code %d", WEXITSTATUS(status));
}

/* Waits for the guard; true once it is gone. */
static bool wait_for(struct anole_process *process, int milliseconds, bool describe)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    for (int i = 0;; i++) {
        int status;
        pid_t gone = waitpid(process->pid, &status, WNOHANG);
        drain(process);
        if (gone == process->pid && describe)
            describe_death(process, status);
        if (gone == process->pid || (gone < 0 && errno != EINTR)) {
            process->pid = 0;
            return true;
        }
        if (i >= milliseconds)
            return false;
        nanosleep(&pause, NULL);
    }
}

static void forget(struct anole_process *process)
{
    int socket = process->channel.descriptor;
    anole_channel_fini(&process->channel);
    if (socket >= 0)
        close(socket);
    if (process->errors >= 0)
        close(process->errors);
    process->errors = -1;
    process->dead = true;
}

void anole_process_ask_end(struct anole_process *process)
{
    if (process->pid > 0 && !(process->dead && process->channel.ended))
        kill(process->pid, SIGTERM);
}

void anole_process_end(struct anole_process *process)
{
    if (process->pid > 0) {
        /* One that went by itself is described by its guard in a moment. */
        bool by_itself = process->channel.ended;
        if (!by_itself || !wait_for(process, END_PATIENCE, true)) {
            kill(process->pid, SIGTERM);
            if (!wait_for(process, END_PATIENCE, false)) {
                kill(process->pid, SIGKILL);
                wait_for(process, END_PATIENCE, false);
            }
        }
        if (process->pid > 0)
            anole_log_warning("process %ld does not end: its driver holds it in the kernel",
                              (long)process->pid);
        process->pid = 0;
    }
    forget(process);
}

void anole_process_ask_close(struct anole_process *process)
{
    if (anole_process_alive(process))
        shutdown(process->channel.descriptor, SHUT_WR);
}

bool anole_process_closed(struct anole_process *process)
{
    char words[512];
    if (process->pid > 0 && !wait_for(process, 0, true))
        return false;
    if (process->death[0] && strcmp(process->death, "exited with code 0") != 0)
        anole_log_debug("a worker process %s as it closed its device; its last words: %s",
                        process->death, anole_process_last_words(process, words, sizeof words));
    return true;
}

const char *anole_process_last_words(const struct anole_process *process, char *out, size_t size)
{
    char line[ANOLE_PROCESS_TAIL + 1];
    size_t length = 0;
    for (size_t i = 0; i < process->tail_length; i++) {
        char c = process->tail[i];
        bool blank = c == '\n' || c == '\r' || c == '\t' || c == ' ' || c == '\0';
        if (!blank)
            line[length++] = c;
        else if (length > 0 && line[length - 1] != ' ')
            line[length++] = ' ';
    }
    while (length > 0 && line[length - 1] == ' ')
        length--;
    line[length] = '\0';
    size_t from = length >= size ? length - size + 4 : 0;
    if (from > 0)
        memcpy(line + from, "...", 3);
    return anole_text_printable(out, size, line + from);
}
