/* SPDX-License-Identifier: MIT */
#include "bench/affinity.h"

#include "base/clock.h"

#include <dirent.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The lowest of the hardware threads that share a core with this one. */
static int first_sibling(int cpu)
{
    char path[128];
    int first = cpu;
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
    FILE *file = fopen(path, "re");
    if (!file)
        return cpu;
    if (fscanf(file, "%d", &first) != 1)
        first = cpu;
    fclose(file);
    return first;
}

/* Adds up to `wanted` of `allowed` to `chosen`; `whole`: only one of each core. */
static uint32_t choose(cpu_set_t *chosen, const cpu_set_t *allowed, uint32_t wanted, bool whole)
{
    uint32_t count = (uint32_t)CPU_COUNT(chosen);
    for (int cpu = 0; cpu < CPU_SETSIZE && count < wanted; cpu++) {
        if (!CPU_ISSET(cpu, allowed) || CPU_ISSET(cpu, chosen))
            continue;
        int first = first_sibling(cpu);
        if (whole && first != cpu && CPU_ISSET(first, allowed))
            continue;
        CPU_SET(cpu, chosen);
        count++;
    }
    return count;
}

enum anole_status bench_affinity_limit(struct bench_affinity *affinity, uint32_t threads,
                                       struct anole_error *error)
{
    cpu_set_t allowed, chosen;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return anole_fail_errno(error, "asking for the cores of this process");
    CPU_ZERO(&chosen);
    uint32_t count = choose(&chosen, &allowed, threads, true);
    if (count < threads)
        count = choose(&chosen, &allowed, threads, false);
    if (count < threads)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "--threads: expected at most %u, the processors that this process may "
                          "use; found %u",
                          count, threads);
    if (sched_setaffinity(0, sizeof chosen, &chosen) != 0)
        return anole_fail_errno(error, "keeping to %u cores", threads);
    affinity->cores = chosen;
    affinity->count = 0;
    return ANOLE_DONE;
}

/* Calls `visit` for each thread of this process but the calling one. */
static void each_thread(void (*visit)(void *context, pid_t id), void *context)
{
    DIR *folder = opendir("/proc/self/task");
    if (!folder)
        return;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        pid_t id = (pid_t)atol(entry->d_name);
        if (id > 0 && id != gettid())
            visit(context, id);
    }
    closedir(folder);
}

static void note(void *context, pid_t id)
{
    struct bench_affinity *affinity = context;
    if (affinity->count < BENCH_MOST_THREADS)
        affinity->ids[affinity->count++] = id;
}

void bench_affinity_note(struct bench_affinity *affinity)
{
    affinity->count = 0;
    each_thread(note, affinity);
}

/* The state of a thread, as in /proc/ID/stat: behind the name, which may hold
 * anything. */
static void note_running(void *context, pid_t id)
{
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)id);
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    const char *name_end = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    if (name_end && strncmp(name_end, ") R", 3) == 0 && !strstr(line, "(" BENCH_IDLE_POLL_NAME ")"))
        *(bool *)context = true;
    fclose(file);
}

void bench_threads_settle(void)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    bool running = true;
    double begin = anole_clock();
    while (running && anole_clock() - begin < 1.0) {
        nanosleep(&pause, NULL);
        running = false;
        each_thread(note_running, &running);
    }
}

struct pinning {
    const struct bench_affinity *affinity;
    int core;
};

static void pin_next(struct pinning *pinning, pid_t id)
{
    cpu_set_t one;
    do
        pinning->core = (pinning->core + 1) % CPU_SETSIZE;
    while (!CPU_ISSET(pinning->core, &pinning->affinity->cores));
    CPU_ZERO(&one);
    CPU_SET(pinning->core, &one);
    sched_setaffinity(id, sizeof one, &one); /* it may have ended: no matter */
}

static void pin_if_new(void *context, pid_t id)
{
    struct pinning *pinning = context;
    for (size_t i = 0; i < pinning->affinity->count; i++)
        if (pinning->affinity->ids[i] == id)
            return;
    pin_next(pinning, id);
}

void bench_affinity_pin_new(const struct bench_affinity *affinity)
{
    struct pinning pinning = {.affinity = affinity, .core = -1};
    if (CPU_COUNT(&affinity->cores) == 0)
        return;
    pin_next(&pinning, 0);
    each_thread(pin_if_new, &pinning);
}
