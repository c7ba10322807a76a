/* SPDX-License-Identifier: MIT */
#include "check/resources.h"

#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#define LEAK_A_TURN 4096      /* bytes of the heap: from here on it counts */
#define SEEN_A_TURN 64        /* less may be the allocator's own doing */
#define RESIDENT_A_TURN 32768 /* bytes: the code of a compiled kernel is some pages */

static size_t count_files(void)
{
    DIR *list = opendir("/proc/self/fd");
    size_t count = 0;
    while (list && readdir(list))
        count++;
    if (list)
        closedir(list);
    return count;
}

#ifdef __SANITIZE_ADDRESS__

/* Of sanitizer/allocator_interface.h, which GCC has not always brought along. */
size_t __sanitizer_get_current_allocated_bytes(void);

static void weigh(struct anole_resources *resources)
{
    resources->heap = __sanitizer_get_current_allocated_bytes();
    resources->resident = 0; /* it keeps what is freed, to catch its users */
}

#else

static void weigh(struct anole_resources *resources)
{
    struct mallinfo2 info = mallinfo2();
    unsigned long size = 0, resident = 0, shared = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    bool read = file && fscanf(file, "%lu %lu %lu", &size, &resident, &shared) == 3;
    if (file)
        fclose(file);
    resources->heap = info.uordblks + info.hblkhd;
    resources->resident =
        read && resident > shared ? (resident - shared) * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

#endif

void anole_resources_take(struct anole_resources *resources)
{
    weigh(resources);
    resources->files = count_files();
}

/* Bytes, or files, a turn, if both series grew; 0: they did not. */
static size_t growth(size_t a, size_t b, size_t c, size_t turns)
{
    return b > a && c > b ? (c - a) / 2 / turns : 0;
}

bool anole_resources_leak(char *out, size_t size, const struct anole_resources series[3],
                          size_t turns)
{
    const struct anole_resources *a = &series[0], *b = &series[1], *c = &series[2];
    size_t heap = growth(a->heap, b->heap, c->heap, turns);
    size_t resident = growth(a->resident, b->resident, c->resident, turns);
    bool files = b->files > a->files && c->files > b->files;
    out[0] = '\0';
    if (files)
        snprintf(out, size, "%zu open files became %zu", a->files, c->files);
    else if (resident >= RESIDENT_A_TURN && heap < LEAK_A_TURN)
        snprintf(out, size, "the memory in use grows by %zu bytes a turn", resident);
    else if (heap >= SEEN_A_TURN)
        snprintf(out, size, "the heap grows by %zu bytes a turn", heap);
    return files || heap >= LEAK_A_TURN || resident >= RESIDENT_A_TURN;
}
