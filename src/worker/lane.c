/* SPDX-License-Identifier: MIT */
#include "worker/lane.h"

#include "base/clock.h"

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SPIN 20e-6 /* seconds: what a question takes to come and go */
#define LOOKS 32   /* between two looks at the clock */

enum anole_status anole_lane_create(struct anole_lane **lane, int *file, struct anole_error *error)
{
    int new = memfd_create("anole-lane", MFD_CLOEXEC);
    if (new < 0 || ftruncate(new, sizeof **lane) != 0) {
        enum anole_status status = anole_fail_errno(error, "cannot make memory for a worker");
        if (new >= 0)
            close(new);
        return status;
    }
    enum anole_status status = anole_lane_map(lane, new, error);
    if (status == ANOLE_DONE)
        *file = new;
    else
        close(new);
    return status;
}

enum anole_status anole_lane_map(struct anole_lane **lane, int file, struct anole_error *error)
{
    struct stat about;
    if (fstat(file, &about) != 0 || about.st_size < (off_t)sizeof **lane)
        return anole_fail(error, ANOLE_ERR_INTERNAL, "the memory of a lane is too small");
    void *map = mmap(NULL, sizeof **lane, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (map == MAP_FAILED)
        return anole_fail_errno(error, "cannot map the memory of a lane");
    *lane = map;
    return ANOLE_DONE;
}

void anole_lane_unmap(struct anole_lane *lane)
{
    if (lane)
        munmap(lane, sizeof *lane);
}

static long futex(_Atomic uint32_t *word, int op, uint32_t value, const struct timespec *limit)
{
    return syscall(SYS_futex, word, op, value, limit, NULL, 0);
}

void anole_lane_pass(struct anole_lane *lane)
{
    atomic_fetch_add(&lane->turn, 1);
    if (atomic_load(&lane->asleep) > 0)
        futex(&lane->turn, FUTEX_WAKE, INT32_MAX, NULL);
}

static bool is_turn(struct anole_lane *lane, bool worker)
{
    return (atomic_load_explicit(&lane->turn, memory_order_acquire) & 1) == worker;
}

/* The other side needs a core of its own to answer meanwhile. */
static bool spin(struct anole_lane *lane, bool worker)
{
    static _Atomic long cores;
    if (atomic_load_explicit(&cores, memory_order_relaxed) == 0)
        atomic_store(&cores, sysconf(_SC_NPROCESSORS_ONLN));
    if (atomic_load_explicit(&cores, memory_order_relaxed) < 2)
        return is_turn(lane, worker);
    double end = anole_clock() + SPIN;
    do {
        for (int i = 0; i < LOOKS; i++) {
            if (is_turn(lane, worker))
                return true;
#if defined(__x86_64__) || defined(__i386__)
            __builtin_ia32_pause();
#endif
        }
    } while (anole_clock() < end);
    return false;
}

bool anole_lane_wait(struct anole_lane *lane, bool worker, double seconds)
{
    if (spin(lane, worker))
        return true;
    const struct timespec limit = {.tv_sec = (time_t)seconds,
                                   .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    atomic_fetch_add(&lane->asleep, 1);
    uint32_t turn = atomic_load(&lane->turn);
    if ((turn & 1) != worker)
        futex(&lane->turn, FUTEX_WAIT, turn, &limit);
    atomic_fetch_sub(&lane->asleep, 1);
    return is_turn(lane, worker);
}
