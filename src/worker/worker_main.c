/* SPDX-License-Identifier: MIT
 *
 * anole-worker: the process that drives a device.  Started by anole, with a
 * socket as descriptor 3; of no use by hand.
 */
#include "base/file.h"
#include "inplace/serve.h"
#include "plugin/scratch.h"
#include "worker/guard.h"
#include "worker/worker.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

/* What the tuner's program had open and did not mean to hand on. */
static void close_strangers(void)
{
    DIR *list = opendir("/proc/self/fd");
    struct dirent *entry;
    if (!list)
        return;
    while ((entry = readdir(list))) {
        int descriptor = atoi(entry->d_name);
        if (descriptor > ANOLE_WORKER_SOCKET && descriptor != dirfd(list))
            close(descriptor);
    }
    closedir(list);
}

static const struct anole_worker_service services[] = {
    {ANOLE_FRAME_NETWORK, ANOLE_FRAME_NETWORK_RAN, anole_inplace_serve},
};

int main(int argc, char **argv)
{
    struct stat about;
    anole_file_hold_standard();
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("anole-worker " PACKAGE_VERSION);
        return 0;
    }
    if (argc != 3 || strcmp(argv[1], "--serve") != 0 || fstat(ANOLE_WORKER_SOCKET, &about) != 0 ||
        !S_ISSOCK(about.st_mode)) {
        fputs("anole-worker: expected to be started by anole, which drives devices through it; "
              "run anole instead\n",
              stderr);
        return 2;
    }
    close_strangers();
    fcntl(ANOLE_WORKER_SOCKET, F_SETFD, FD_CLOEXEC); /* not for compilers that a driver starts */
    anole_guard_enter((pid_t)atol(argv[2]), getenv(ANOLE_SCRATCH_VARIABLE));
    return anole_worker_serve(ANOLE_WORKER_SOCKET, true, services,
                              sizeof services / sizeof *services);
}
