/* SPDX-License-Identifier: MIT */
#include "worker/confine.h"

#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MORE_PROCESSES 2048u
#define LARGEST_FILE (UINT64_C(4) << 30)

/* Files of other users (caches, device nodes), pinned memory, threads' cores. */
static const unsigned kept[] = {CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_IPC_LOCK, CAP_SYS_NICE};

static void drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    uint64_t mask = 0;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        mask |= UINT64_C(1) << kept[i];
    if (syscall(SYS_capget, &header, data) != 0)
        return;
    /* First what a program that is started might get back. */
    for (unsigned cap = 0; cap < 64; cap++)
        if (!(mask >> cap & 1) && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
            prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
    for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        uint32_t part = (uint32_t)(mask >> (32 * i));
        data[i].permitted &= part;
        data[i].effective &= part;
        data[i].inheritable = 0;
    }
    syscall(SYS_capset, &header, data);
}

static void limit(int resource, uint64_t value)
{
    struct rlimit now;
    if (getrlimit(resource, &now) != 0)
        return;
    if (now.rlim_max == RLIM_INFINITY || value < now.rlim_max)
        now.rlim_max = (rlim_t)value;
    if (now.rlim_cur == RLIM_INFINITY || now.rlim_cur > now.rlim_max)
        now.rlim_cur = now.rlim_max;
    setrlimit(resource, &now);
}

/* Processes and threads of the whole machine: at least as many as are counted
 * against our user. */
static uint64_t count_processes(void)
{
    FILE *file = fopen("/proc/loadavg", "re");
    unsigned long long total = 0;
    if (file && fscanf(file, "%*s %*s %*s %*u/%llu", &total) != 1)
        total = 0;
    if (file)
        fclose(file);
    return total;
}

void anole_confine(void)
{
    const char *privileges = getenv(ANOLE_PRIVILEGES_VARIABLE);
    uint64_t processes = count_processes();
    if (privileges && strcmp(privileges, "keep") == 0)
        return;
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    drop_capabilities();
#if !defined(__SANITIZE_ADDRESS__) &&                                                              \
    !defined(__SANITIZE_THREAD__) /* they reserve more than there is */
    uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    limit(RLIMIT_DATA, memory / 4 * 3);
#endif
    if (processes > 0)
        limit(RLIMIT_NPROC, processes + MORE_PROCESSES);
    limit(RLIMIT_FSIZE, LARGEST_FILE);
}
