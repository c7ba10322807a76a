/* SPDX-License-Identifier: MIT
 *
 * A disk that fails, for LD_PRELOAD.  Concerns files whose name contains FAULT_FILE,
 * in the process that was started with it:
 *
 *   FAULT_WRITE=N  what is written behind the N-th byte in all: "no space left"
 *   FAULT_SYNC=N   the N-th fsync or fdatasync and all after it: "I/O error"
 *   FAULT_CUT=1    a line cannot be taken back, either: ftruncate fails, too
 *   FAULT_CREATE=1 nothing can be created: "read-only file system"
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT ssize_t write(int descriptor, const void *data, size_t bytes);
EXPORT int fsync(int descriptor);
EXPORT int fdatasync(int descriptor);
EXPORT int ftruncate(int descriptor, off_t length);
EXPORT int open(const char *path, int flags, ...);

static long number(const char *name)
{
    const char *text = getenv(name);
    return text ? atol(text) : -1;
}

static bool concerns(const char *path)
{
    const char *part = getenv("FAULT_FILE");
    return part && path && strstr(path, part);
}

static bool concerns_open(int descriptor)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    return concerns(path);
}

static void *next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

ssize_t write(int descriptor, const void *data, size_t bytes)
{
    static long written;
    ssize_t (*real)(int, const void *, size_t) =
        (ssize_t(*)(int, const void *, size_t))next("write");
    long limit = number("FAULT_WRITE");
    if (limit < 0 || !concerns_open(descriptor))
        return real(descriptor, data, bytes);
    if (written >= limit) {
        errno = ENOSPC;
        return -1;
    }
    /* As a disk does it: what still fits is written. */
    size_t room = (size_t)(limit - written);
    ssize_t done = real(descriptor, data, bytes < room ? bytes : room);
    written += done > 0 ? done : 0;
    return done;
}

static bool sync_fails(int descriptor)
{
    static long calls;
    long limit = number("FAULT_SYNC");
    if (limit < 0 || !concerns_open(descriptor) || ++calls < limit)
        return false;
    errno = EIO;
    return true;
}

int fsync(int descriptor)
{
    int (*real)(int) = (int (*)(int))next("fsync");
    return sync_fails(descriptor) ? -1 : real(descriptor);
}

int fdatasync(int descriptor)
{
    int (*real)(int) = (int (*)(int))next("fdatasync");
    return sync_fails(descriptor) ? -1 : real(descriptor);
}

int ftruncate(int descriptor, off_t length)
{
    int (*real)(int, off_t) = (int (*)(int, off_t))next("ftruncate");
    if (number("FAULT_CUT") < 0 || !concerns_open(descriptor))
        return real(descriptor, length);
    errno = EIO;
    return -1;
}

int open(const char *path, int flags, ...)
{
    int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))next("open");
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (flags & O_CREAT && number("FAULT_CREATE") >= 0 && concerns(path)) {
        errno = EROFS;
        return -1;
    }
    return real(path, flags, mode);
}
