/* SPDX-License-Identifier: MIT */
#include "worker/guard.h"

#include "plugin/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 400 /* milliseconds until the killed must be gone */

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
    const struct timespec pause = {.tv_nsec = 1000000};
    kill(-worker, SIGKILL);
    for (int i = 0; i < PATIENCE; i++) {
        kill_children();
        pid_t gone;
        while ((gone = waitpid(-1, NULL, WNOHANG)) > 0)
            continue;
        if (gone < 0 && errno == ECHILD)
            return;
        nanosleep(&pause, NULL);
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

/* The guard keeps nothing open: what the tuner sees end is the worker's. */
static void let_go(void)
{
    int null = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3 && null >= 0; i++)
        dup2(null, i);
    for (int i = 3; i < 16; i++)
        close(i);
}

static void watch(pid_t worker, pid_t tuner, const char *scratch, const sigset_t *signals)
{
    prctl(PR_SET_NAME, "anole-guard");
    let_go();
    for (;;) {
        int signal = sigwaitinfo(signals, NULL);
        if (signal < 0)
            continue;
        if (signal != SIGCHLD) {
            kill_all(worker);
            if (getppid() != tuner && scratch)
                anole_scratch_remove(scratch);
            _exit(128 + signal);
        }
        int status;
        pid_t gone;
        while ((gone = waitpid(-1, &status, WNOHANG)) > 0) {
            if (gone == worker) {
                kill_all(worker);
                end_like(status);
            }
        }
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
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != tuner) /* it died before we asked to be told */
        _exit(0);
    pid_t guard = getpid();
    pid_t worker = fork();
    if (worker < 0) {
        perror("anole-worker: cannot fork");
        _exit(127);
    }
    if (worker > 0)
        watch(worker, tuner, scratch, &signals);
    setpgid(0, 0);
    offer_to_oom_killer();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != guard)
        _exit(0);
    sigprocmask(SIG_SETMASK, &before, NULL);
}
