/* SPDX-License-Identifier: MIT */
#include "measure/device_lock.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The same for all users, and whatever TMPDIR says. */
#define FOLDER "/tmp"

/* Kernels on the host's cores get into each other's way whatever the driver. */
static void name_file(char *out, size_t size, const struct anole_device *device)
{
    if (device->flags & ANOLE_DEVICE_SHARES_HOST) {
        snprintf(out, size, FOLDER "/anole-host.lock");
        return;
    }
    uint64_t hash =
        anole_hash_combine(anole_hash_text(device->vendor), anole_hash_text(device->name));
    snprintf(out, size, FOLDER "/anole-device-%016llx-%u.lock", (unsigned long long)hash,
             device->index);
}

/* A file that others made is opened for reading: some systems refuse more in a
 * folder that all may write to, and a lock needs no more. */
static int open_file(const char *path)
{
    const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    struct stat about;
    int file = open(path, flags);
    if (file < 0 && errno == ENOENT)
        file = open(path, flags | O_CREAT | O_EXCL, 0644);
    if (file < 0 && errno == EEXIST) /* another was faster */
        file = open(path, flags);
    if (file >= 0 && (fstat(file, &about) != 0 || !S_ISREG(about.st_mode))) {
        close(file);
        return -1;
    }
    return file;
}

int anole_device_lock(const struct anole_device *device)
{
    char path[96], name[160];
    name_file(path, sizeof path, device);
    int file = open_file(path);
    if (file < 0)
        return -1;
    if (flock(file, LOCK_EX | LOCK_NB) == 0)
        return file;
    if (errno == EWOULDBLOCK)
        anole_log_warning("another process measures on %s right now: the times of both are worth "
                          "nothing; stop one of them (`fuser %s` tells which)",
                          device->flags & ANOLE_DEVICE_SHARES_HOST
                              ? "this machine's cores"
                              : anole_text_printable(name, sizeof name, device->name),
                          path);
    close(file);
    return -1;
}
