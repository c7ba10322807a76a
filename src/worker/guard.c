/* SPDX-License-Identifier: MIT */
#include "worker/guard.h"

#include "base/clock.h"
#include "plugin/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LEAST_DESCRIPTOR 16 /* of what a guard keeps open */
#define KILL_LIMIT 0.4      /* seconds until the killed must be gone */
#define FAREWELL_LIMIT 1.0  /* seconds between the end of a process's descriptors and its own */
#define STEP 1e-3           /* seconds between two looks */

static void pause_a_step(void)
{
    const struct timespec step = {.tv_nsec = (long)(STEP * 1e9)};
    nanosleep(&step, NULL);
}

static void kill_children(void)
{
    FILE *file = fopen("/proc/thread-self/children", "re");
    int child;
    while (file && fscanf(file, "%d", &child) == 1)
        kill(child, SIGKILL);
    if (file)
        fclose(file);
}

/* Kills the worker, its process group and all their descendants: those become
 * our children as their parents die. */
static void kill_all(pid_t worker)
{
    double end = anole_clock() + KILL_LIMIT;
    kill(-worker, SIGKILL);
    while (anole_clock() < end) {
        kill_children();
        pid_t gone;
        while ((gone = waitpid(-1, NULL, WNOHANG)) > 0)
            continue;
        if (gone < 0 && errno == ECHILD)
            return;
        pause_a_step();
    }
}

/* Ends as the worker did, so that the tuner sees what became of it. */
static void end_like(int status)
{
    if (WIFSIGNALED(status)) {
        sigset_t all;
        signal(WTERMSIG(status), SIG_DFL);
        sigfillset(&all);
        sigprocmask(SIG_UNBLOCK, &all, NULL);
        raise(WTERMSIG(status));
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 127);
}

/* What a guard waits for.  A descriptor of -1: not that. */
struct watch {
    pid_t worker, tuner;
    const char *scratch;
    int signals;  /* of the guard */
    int lifeline; /* the end of a pipe that the tuner reads */
    int process;  /* the tuner's, where the kernel has such descriptors (Linux 5.3) */
};

/* The guard keeps nothing of its worker's open, but for the pipe that its stderr goes to:
 * that the socket ends tells the tuner of the worker. */
static void let_go(struct watch *watch)
{
    enum { KEPT = 3 };
    int null = open("/dev/null", O_RDWR);
    int *const kept[KEPT] = {&watch->signals, &watch->lifeline, &watch->process};
    for (int i = 0; i < KEPT; i++)
        if (*kept[i] >= 0)
            *kept[i] = fcntl(*kept[i], F_DUPFD_CLOEXEC, LEAST_DESCRIPTOR);
    for (int i = 0; i < 3 && null >= 0; i++)
        dup2(null, i);
    for (int i = 3; i < LEAST_DESCRIPTOR; i++)
        close(i);
}

/* Whether the tuner's process has ended, or does so now: its descriptors are closed a
 * moment before its children see another parent. */
static bool has_ended(const struct watch *watch)
{
    double end = anole_clock() + FAREWELL_LIMIT;
    while (getppid() == watch->tuner && anole_clock() < end)
        pause_a_step();
    return getppid() != watch->tuner;
}

/* The tuner, or its end of the pipe, is gone. */
static void end_alone(const struct watch *watch)
{
    kill_all(watch->worker);
    if (watch->scratch && has_ended(watch))
        anole_scratch_remove(watch->scratch);
    _exit(0);
}

static void take_signal(const struct watch *watch)
{
    struct signalfd_siginfo signal;
    if (read(watch->signals, &signal, sizeof signal) != (ssize_t)sizeof signal)
        return;
    if (signal.ssi_signo != SIGCHLD) {
        kill_all(watch->worker);
        if (getppid() != watch->tuner && watch->scratch)
            anole_scratch_remove(watch->scratch);
        _exit(128 + (int)signal.ssi_signo);
    }
    int status;
    pid_t gone;
    while ((gone = waitpid(-1, &status, WNOHANG)) > 0) {
        if (gone == watch->worker) {
            kill_all(watch->worker);
            end_like(status);
        }
    }
}

static void stand_guard(struct watch *watch)
{
    prctl(PR_SET_NAME, "anole-guard");
    let_go(watch);
    for (;;) {
        /* No events: what is waited for is the error of a pipe that nobody reads. */
        struct pollfd fds[] = {{.fd = watch->signals, .events = POLLIN},
                               {.fd = watch->lifeline},
                               {.fd = watch->process, .events = POLLIN}};
        if (poll(fds, 3, -1) < 0)
            continue;
        if (fds[0].revents)
            take_signal(watch);
        if (fds[1].revents || fds[2].revents)
            end_alone(watch);
    }
}

/* If a kernel uses up the machine's memory, its worker goes, not the tuner. */
static void offer_to_oom_killer(void)
{
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return;
    if (write(file, "800", 3) != 3) {
        /* then it takes whom it takes */
    }
    close(file);
}

void anole_guard_enter(pid_t tuner, const char *scratch)
{
    const struct rlimit none = {0, 0};
    struct watch watch = {.tuner = tuner, .scratch = scratch, .lifeline = STDERR_FILENO};
    sigset_t signals, before;
    setsid(); /* Ctrl-C at the terminal is for the tuner */
    setrlimit(RLIMIT_CORE, &none);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, &before);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    watch.signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    /* Not PR_SET_PDEATHSIG: that is about the thread that started us. */
    watch.process = (int)syscall(SYS_pidfd_open, tuner, 0);
    if (getppid() != tuner) /* it died before we could watch it */
        _exit(0);
    pid_t guard = getpid();
    watch.worker = watch.signals >= 0 ? fork() : -1;
    if (watch.worker < 0) {
        perror("anole-worker: cannot fork");
        _exit(127);
    }
    if (watch.worker > 0)
        stand_guard(&watch);
    close(watch.signals);
    if (watch.process >= 0)
        close(watch.process);
    setpgid(0, 0);
    offer_to_oom_killer();
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* the guard has one thread */
    if (getppid() != guard)
        _exit(0);
    sigprocmask(SIG_SETMASK, &before, NULL);
}
