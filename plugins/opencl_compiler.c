/* SPDX-License-Identifier: MIT */
#include "opencl_compiler.h"

#ifdef __linux__

#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Of an entry of /proc/self/pagemap. */
#define PRESENT (UINT64_C(1) << 63)
#define OF_A_FILE (UINT64_C(1) << 61)

#define ENTRIES 512 /* that are read at once */

/* Between two rounds while a driver is loaded.  The loader reads some 20 MB in that time; what it
 * needs again costs it a fault of the page cache. */
#define ROUND 3000000 /* ns */

struct forgetting {
    int pagemap;
    size_t page, bytes;
};

static bool is_compiler(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return strncmp(name, "libLLVM", 7) == 0 || strncmp(name, "libclang", 8) == 0;
}

static bool is_clean(uint64_t entry)
{
    return (entry & PRESENT) && (entry & OF_A_FILE);
}

/* Whole pages, those that are clean. */
static void forget(struct forgetting *f, uintptr_t begin, uintptr_t end)
{
    uint64_t entries[ENTRIES];
    for (uintptr_t at = begin; at < end; at += ENTRIES * f->page) {
        size_t count = (end - at) / f->page < ENTRIES ? (end - at) / f->page : ENTRIES;
        const size_t bytes = count * sizeof *entries;
        if (pread(f->pagemap, entries, bytes, (off_t)(at / f->page * sizeof *entries)) !=
            (ssize_t)bytes)
            return;
        for (size_t first = 0, last; first < count; first = last + 1) {
            last = first;
            while (last < count && is_clean(entries[last]))
                last++;
            const size_t run = (last - first) * f->page;
            if (run > 0 && madvise((void *)(at + first * f->page), run, MADV_DONTNEED) == 0)
                f->bytes += run;
        }
    }
}

static int look(struct dl_phdr_info *info, size_t size, void *context)
{
    struct forgetting *f = context;
    (void)size;
    for (int i = 0; is_compiler(info->dlpi_name) && i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || part->p_flags & PF_W)
            continue;
        const uintptr_t begin = info->dlpi_addr + part->p_vaddr, end = begin + part->p_filesz;
        forget(f, (begin + f->page - 1) / f->page * f->page, end / f->page * f->page);
    }
    return 0;
}

size_t opencl_compiler_forget(void)
{
    struct forgetting f = {.pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC),
                           .page = (size_t)sysconf(_SC_PAGESIZE)};
    if (f.pagemap < 0)
        return 0;
    dl_iterate_phdr(look, &f);
    close(f.pagemap);
    return f.bytes;
}

/* -------------------------------------------------------------- while loading */

struct rounds {
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    bool end;
};

/* Libraries can be walked through while another thread's dlopen() relocates them. */
static void *go_round(void *context)
{
    struct rounds *rounds = context;
    pthread_mutex_lock(&rounds->mutex);
    while (!rounds->end) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += ROUND;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        if (!pthread_cond_timedwait(&rounds->ended, &rounds->mutex, &until))
            continue;
        pthread_mutex_unlock(&rounds->mutex);
        (void)opencl_compiler_forget();
        pthread_mutex_lock(&rounds->mutex);
    }
    pthread_mutex_unlock(&rounds->mutex);
    return NULL;
}

/* Signals are for threads of the process, not for this one. */
static bool start(pthread_t *thread, struct rounds *rounds)
{
    sigset_t all, before;
    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before))
        return false;
    const bool started = pthread_create(thread, NULL, go_round, rounds) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

void opencl_compiler_load(void (*load)(void *), void *context)
{
    struct rounds rounds = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    pthread_condattr_t monotonic;
    pthread_t thread;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&rounds.ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    const bool started = start(&thread, &rounds);
    load(context);
    if (started) {
        pthread_mutex_lock(&rounds.mutex);
        rounds.end = true;
        pthread_cond_signal(&rounds.ended);
        pthread_mutex_unlock(&rounds.mutex);
        pthread_join(thread, NULL);
    }
    pthread_cond_destroy(&rounds.ended);
    (void)opencl_compiler_forget(); /* nothing is compiled yet */
}

#else

size_t opencl_compiler_forget(void)
{
    return 0;
}

void opencl_compiler_load(void (*load)(void *), void *context)
{
    load(context);
}

#endif
