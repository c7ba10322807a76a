/* SPDX-License-Identifier: MIT */
#include "worker/queueing.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DEEPEST 8 /* a compiler that runs a linker that runs a plugin is 3 below its worker */

typedef void visit_fn(void *context, pid_t thread, double waited);

/* The second of three numbers: nanoseconds on a run queue. */
static double read_waited(pid_t process, pid_t thread)
{
    char path[96];
    unsigned long long ran, waited = 0;
    snprintf(path, sizeof path, "/proc/%ld/task/%ld/schedstat", (long)process, (long)thread);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0.0; /* it has ended */
    const int found = fscanf(file, "%llu %llu", &ran, &waited);
    fclose(file);
    return found == 2 ? 1e-9 * (double)waited : 0.0;
}

static void visit_tree(pid_t process, int depth, visit_fn *visit, void *context);

static void visit_children(pid_t process, pid_t thread, int depth, visit_fn *visit, void *context)
{
    char path[96];
    long child;
    snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)process, (long)thread);
    FILE *file = fopen(path, "re");
    while (file && fscanf(file, "%ld", &child) == 1)
        visit_tree((pid_t)child, depth + 1, visit, context);
    if (file)
        fclose(file);
}

static void visit_tree(pid_t process, int depth, visit_fn *visit, void *context)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/task", (long)process);
    DIR *folder = depth < DEEPEST ? opendir(path) : NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        const pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
        if (thread <= 0)
            continue;
        visit(context, thread, read_waited(process, thread));
        visit_children(process, thread, depth, visit, context);
    }
    if (folder)
        closedir(folder);
}

static void note(void *context, pid_t thread, double waited)
{
    struct anole_queueing *queueing = context;
    if (queueing->count == ANOLE_QUEUEING_THREADS)
        return;
    queueing->threads[queueing->count].thread = thread;
    queueing->threads[queueing->count++].waited = waited;
}

void anole_queueing_begin(struct anole_queueing *queueing, pid_t root)
{
    queueing->count = 0;
    visit_tree(root, 0, note, queueing);
}

struct most {
    const struct anole_queueing *queueing;
    double seconds;
};

static void find_most(void *context, pid_t thread, double waited)
{
    struct most *most = context;
    for (size_t i = 0; i < most->queueing->count; i++)
        if (most->queueing->threads[i].thread == thread)
            waited -= most->queueing->threads[i].waited;
    most->seconds = fmax(most->seconds, waited);
}

double anole_queueing_seconds(const struct anole_queueing *queueing, pid_t root)
{
    struct most most = {.queueing = queueing};
    visit_tree(root, 0, find_most, &most);
    return most.seconds;
}
