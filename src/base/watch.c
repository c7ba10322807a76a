/* SPDX-License-Identifier: MIT */
#include "base/watch.h"

#include "base/clock.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Of the wall time: what the system itself takes, clock ticks and the like, stays below. */
#define TOO_MUCH 0.02
/* Without the kernel's own account: processor time that is missing, of what there was at best. */
#define MISSING 0.1
/* Seconds until a thread that is woken runs, on a core that has nothing else to do. */
#define WAKE_TIME 20e-6
#define PROBE_STEPS 20000u
#define PROBES 3 /* the fastest counts: an interrupt is no change of the clock */

/* -- What the kernel keeps account of -- */

static void open_thread(struct anole_watch *watch, const char *id)
{
    char path[320]; /* a name in a folder has up to 255 characters */
    if (watch->count == ANOLE_WATCHED_THREADS)
        return;
    snprintf(path, sizeof path, "/proc/self/task/%s/schedstat", id);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0)
        watch->files[watch->count++] = file;
}

/* Seconds that a thread has waited for a core: the second of three numbers. */
static double read_waited(int file)
{
    char text[96];
    unsigned long long ran, waited;
    ssize_t length = pread(file, text, sizeof text - 1, 0);
    if (length <= 0)
        return 0.0; /* it has ended */
    text[length] = '\0';
    return sscanf(text, "%llu %llu", &ran, &waited) == 2 ? 1e-9 * (double)waited : 0.0;
}

static double processor_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of all cores together; NaN: not known. */
static double read_stolen(void)
{
    unsigned long long ticks[8];
    FILE *file = fopen("/proc/stat", "re");
    if (!file)
        return NAN;
    int found = fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &ticks[0], &ticks[1],
                       &ticks[2], &ticks[3], &ticks[4], &ticks[5], &ticks[6], &ticks[7]);
    fclose(file);
    long unit = sysconf(_SC_CLK_TCK);
    return found == 8 && unit > 0 ? (double)ticks[7] / (double)unit : NAN;
}

void anole_watch_begin(struct anole_watch *watch)
{
    anole_watch_end(watch);
    DIR *folder = opendir("/proc/self/task");
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            open_thread(watch, entry->d_name);
    if (folder)
        closedir(folder);
    watch->stolen = read_stolen();
    watch->began = anole_clock();
}

void anole_watch_end(struct anole_watch *watch)
{
    for (size_t i = 0; i < watch->count; i++)
        close(watch->files[i]);
    watch->count = 0;
}

void anole_watch_look(struct anole_watch *watch, struct anole_look *look)
{
    struct rusage usage = {.ru_nivcsw = 0};
    getrusage(RUSAGE_SELF, &usage);
    look->switches = (uint64_t)usage.ru_nivcsw;
    look->sleeps = (uint64_t)usage.ru_nvcsw;
    look->worked = processor_time();
    look->waited = watch->count ? 0.0 : NAN;
    for (size_t i = 0; i < watch->count; i++)
        look->waited += read_waited(watch->files[i]);
    look->wall = anole_clock();
}

double anole_watch_stolen(const struct anole_watch *watch)
{
    double stolen = read_stolen() - watch->stolen, wall = anole_clock() - watch->began;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (!(stolen > 0.0) || !(wall > 0.0) || cores < 1)
        return 0.0;
    return fmin(1.0, stolen / (wall * (double)cores));
}

/* -- The probe -- */

/* Each step waits for the one before it: the time is the clock's alone. */
static double run_probe(void)
{
    struct timespec start, end;
    volatile uint32_t out;
    uint32_t value = 1;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    for (uint32_t i = 0; i < PROBE_STEPS; i++)
        value = value * 1664525u + (value >> 16);
    out = value;
    (void)out;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    return (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
}

double anole_watch_probe(struct anole_watch *watch)
{
    double fastest = INFINITY;
    for (int i = 0; i < PROBES; i++)
        fastest = fmin(fastest, run_probe());
    if (watch->probe == 0.0 || fastest < watch->probe)
        watch->probe = fastest;
    return watch->probe > 0.0 ? fastest / watch->probe : 1.0;
}

/* -- What it means -- */

/* Where the kernel keeps no account: from processor time that is missing after threads were
 * sent away.  Threads of a driver that sleep are no sign. */
static double guess(struct anole_watch *watch, const struct anole_look *from,
                    const struct anole_look *to, double wall)
{
    double busy = (to->worked - from->worked) / wall;
    watch->busiest = fmax(watch->busiest, busy);
    if (to->switches == from->switches || watch->busiest <= 0.0)
        return 0.0;
    double missing = 1.0 - busy / watch->busiest;
    return missing > MISSING ? missing : 0.0;
}

/* Seconds of waiting that waking up does not explain; NaN: not known. */
static double waited_between(const struct anole_look *from, const struct anole_look *to)
{
    double waited = to->waited - from->waited - WAKE_TIME * (double)(to->sleeps - from->sleeps);
    return waited < 0.0 ? 0.0 : waited;
}

double anole_watch_share(struct anole_watch *watch, const struct anole_look *from,
                         const struct anole_look *to)
{
    double wall = to->wall - from->wall, worked = to->worked - from->worked;
    double waited = waited_between(from, to);
    if (!(wall > 0.0))
        return 0.0;
    if (isnan(waited))
        return guess(watch, from, to, wall);
    if (!(waited > 0.0))
        return 0.0;
    return waited / (waited + fmax(worked, 0.0));
}

bool anole_watch_disturbed(struct anole_watch *watch, const struct anole_look *from,
                           const struct anole_look *to)
{
    double waited = waited_between(from, to);
    if (isnan(waited))
        return anole_watch_share(watch, from, to) > 0.0;
    /* A single thread that waits may keep all others waiting. */
    return waited > TOO_MUCH * (to->wall - from->wall);
}
