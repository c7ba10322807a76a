/* SPDX-License-Identifier: MIT */
#include "threads.h"

#include <dirent.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef __linux__

#define MAX_FOREIGN 256

/* The threads that there were before a driver was loaded.  Like its pool, this
 * belongs to the process. */
static struct {
    pid_t ids[MAX_FOREIGN];
    size_t count;
    bool noted;
} foreign;

/* Calls `visit` for each thread of this process but the calling one. */
static void each_thread(bool (*visit)(void *context, pid_t id), void *context)
{
    DIR *threads = opendir("/proc/self/task");
    if (!threads)
        return;
    bool more = true;
    for (struct dirent *entry = readdir(threads); entry && more; entry = readdir(threads)) {
        pid_t id = (pid_t)atol(entry->d_name);
        if (id > 0 && id != gettid())
            more = visit(context, id);
    }
    closedir(threads);
}

static bool note_foreign(void *context, pid_t id)
{
    (void)context;
    foreign.ids[foreign.count++] = id;
    return foreign.count < MAX_FOREIGN;
}

void cpu_note_threads(void)
{
    if (!foreign.noted)
        each_thread(note_foreign, NULL);
    foreign.noted = true;
}

static bool is_foreign(pid_t id)
{
    for (size_t i = 0; i < foreign.count; i++)
        if (foreign.ids[i] == id)
            return true;
    return false;
}

struct pinning {
    cpu_set_t allowed;
    int core; /* the last that was given away */
};

/* The next core of `allowed` behind `core`, round and round; -1: there is none. */
static int next_core(const cpu_set_t *allowed, int core)
{
    for (int i = 0; i < CPU_SETSIZE; i++) {
        core = (core + 1) % CPU_SETSIZE;
        if (CPU_ISSET(core, allowed))
            return core;
    }
    return -1;
}

static bool pin(void *context, pid_t id)
{
    struct pinning *pinning = context;
    cpu_set_t one;
    if (is_foreign(id))
        return true;
    pinning->core = next_core(&pinning->allowed, pinning->core);
    if (pinning->core < 0)
        return false;
    CPU_ZERO(&one);
    CPU_SET(pinning->core, &one);
    sched_setaffinity(id, sizeof one, &one); /* it may have ended: no matter */
    return true;
}

bool cpu_keep_to_cores(uint32_t count)
{
    static bool kept; /* once: what is left would be cut again */
    cpu_set_t allowed, some;
    if (kept)
        return true;
    if (sched_getaffinity(0, sizeof allowed, &allowed))
        return false;
    const uint32_t cores = (uint32_t)CPU_COUNT(&allowed);
    int core = -1;
    CPU_ZERO(&some);
    for (uint32_t i = cores > count ? (uint32_t)getpid() % cores : 0; i > 0; i--)
        core = next_core(&allowed, core);
    for (uint32_t i = 0; i < count && i < cores; i++) {
        core = next_core(&allowed, core);
        CPU_SET(core, &some);
    }
    kept = cores <= count || sched_setaffinity(0, sizeof some, &some) == 0;
    return kept;
}

void cpu_pin_threads(void)
{
    struct pinning pinning = {.core = -1};
    if (foreign.noted && cpu_pins_threads() &&
        !sched_getaffinity(0, sizeof pinning.allowed, &pinning.allowed))
        each_thread(pin, &pinning);
}

bool cpu_pins_threads(void)
{
    return !getenv("POCL_AFFINITY");
}

#else

bool cpu_keep_to_cores(uint32_t count)
{
    (void)count;
    return false;
}

void cpu_note_threads(void)
{
}

void cpu_pin_threads(void)
{
}

bool cpu_pins_threads(void)
{
    return false;
}

#endif
