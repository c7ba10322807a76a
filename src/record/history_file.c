/* SPDX-License-Identifier: MIT */
#include "record/history_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* O_NONBLOCK: a FIFO shall be refused, not waited for. */
#define OPEN_FLAGS (O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

#define ATTEMPTS 16

/* ------------------------------------------------------------------- opening */

static const char *kind_text(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "a folder";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    default:
        return "a device";
    }
}

static enum anole_status check_kind(const struct anole_history_file *file, mode_t mode,
                                    struct anole_error *error)
{
    if (S_ISREG(mode))
        return ANOLE_DONE;
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "%s: this is %s; expected a history, which is a regular file: name another",
                      file->name, kind_text(mode));
}

/* The process that holds a lock on a file, as Linux tells it; or 0. */
static long find_owner(const struct stat *info)
{
    FILE *locks = fopen("/proc/locks", "re");
    char line[256];
    long owner = 0;
    while (locks && !owner && fgets(line, sizeof line, locks)) {
        long pid;
        unsigned device_major, device_minor;
        unsigned long inode;
        if (sscanf(line, "%*d: FLOCK %*s WRITE %ld %x:%x:%lu", &pid, &device_major, &device_minor,
                   &inode) == 4 &&
            device_major == major(info->st_dev) && device_minor == minor(info->st_dev) &&
            inode == (unsigned long)info->st_ino && pid > 0)
            owner = pid;
    }
    if (locks)
        fclose(locks);
    return owner;
}

static enum anole_status lock(const struct anole_history_file *file, const struct stat *info,
                              struct anole_error *error)
{
    int result;
    do
        result = flock(file->fd, LOCK_EX | LOCK_NB);
    while (result != 0 && errno == EINTR);
    if (result == 0)
        return ANOLE_DONE;
    if (errno != EWOULDBLOCK)
        return anole_fail_errno(error,
                                "%s: the history cannot be locked; expected a file system that "
                                "has file locks: put it on another",
                                file->name);
    char who[40] = "another process";
    long owner = find_owner(info);
    if (owner)
        snprintf(who, sizeof who, "process %ld", owner);
    return anole_fail(error, ANOLE_ERR_IN_USE,
                      "%s: the history is being written by %s; one process may write it at a time: "
                      "wait until that has ended, or name another history",
                      file->name, who);
}

/* Sets *again if the name does not mean the opened file (any more). */
static enum anole_status open_once(struct anole_history_file *file, bool *again,
                                   struct anole_error *error)
{
    struct stat info, named;
    *again = false;
    if (stat(file->path, &info) == 0) { /* before open(), which has effects on devices */
        enum anole_status status = check_kind(file, info.st_mode, error);
        if (status)
            return status;
    }
    file->created = false;
    file->fd = open(file->path, O_RDWR | O_APPEND | OPEN_FLAGS);
    if (file->fd < 0 && errno == ENOENT) {
        file->fd = open(file->path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | OPEN_FLAGS, 0666);
        file->created = file->fd >= 0;
        *again = file->fd < 0 && errno == EEXIST;
        if (*again)
            return ANOLE_DONE;
    }
    if (file->fd < 0)
        return anole_fail_errno(error, "%s: the history cannot be opened for writing", file->name);
    if (fstat(file->fd, &info) != 0)
        return anole_fail_errno(error, "%s: the history cannot be examined", file->name);
    enum anole_status status = check_kind(file, info.st_mode, error);
    if (!status)
        status = lock(file, &info, error);
    if (!status && (stat(file->path, &named) != 0 || named.st_dev != info.st_dev ||
                    named.st_ino != info.st_ino))
        *again = true; /* replaced or removed before it was locked */
    return status;
}

static enum anole_status open_to_append(struct anole_history_file *file, struct anole_error *error)
{
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        bool again;
        enum anole_status status = open_once(file, &again, error);
        if (!status && !again)
            return ANOLE_DONE;
        if (file->fd >= 0)
            close(file->fd);
        file->fd = -1;
        if (status)
            return status;
    }
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "%s: the history cannot be created: something that leads nowhere, or that "
                      "changes all the time, has its name; remove it, or name another history",
                      file->name);
}

static enum anole_status open_to_read(struct anole_history_file *file, struct anole_error *error)
{
    struct stat info;
    if (stat(file->path, &info) == 0) {
        enum anole_status status = check_kind(file, info.st_mode, error);
        if (status)
            return status;
    }
    file->fd = open(file->path, O_RDONLY | OPEN_FLAGS);
    if (file->fd < 0 && errno == ENOENT)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: there is no such history; expected one that `anole tune` has "
                          "written: check the name",
                          file->name);
    if (file->fd < 0)
        return anole_fail_errno(error, "%s: the history cannot be opened for reading", file->name);
    if (fstat(file->fd, &info) != 0)
        return anole_fail_errno(error, "%s: the history cannot be examined", file->name);
    return check_kind(file, info.st_mode, error);
}

enum anole_status anole_history_file_open(struct anole_history_file *file, const char *path,
                                          enum anole_history_mode mode,
                                          const struct anole_history_io *io,
                                          struct anole_error *error)
{
    memset(file, 0, sizeof *file);
    file->fd = -1;
    file->io = io;
    anole_text_printable(file->name, sizeof file->name, path);
    file->path = strdup(path);
    if (!file->path)
        return anole_fail_memory(error);
    enum anole_status status =
        mode == ANOLE_HISTORY_APPEND ? open_to_append(file, error) : open_to_read(file, error);
    if (status)
        anole_history_file_close(file);
    return status;
}

void anole_history_file_close(struct anole_history_file *file)
{
    if (file->fd >= 0)
        close(file->fd); /* and the lock is gone */
    file->fd = -1;
    free(file->path);
    file->path = NULL;
}

void anole_history_file_discard(struct anole_history_file *file)
{
    if (file->created)
        unlink(file->path);
}

/* ------------------------------------------------------------------- writing */

/* Goes on after a part was written: the next attempt says what the matter is. */
static int write_all(const struct anole_history_file *file, const char *text, size_t length)
{
    while (length) {
        ssize_t n = file->io->write(file->fd, text, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = EIO;
        if (n <= 0)
            return -1;
        text += n;
        length -= (size_t)n;
    }
    return 0;
}

/* Someone who edits or removes a file minds no lock. */
static enum anole_status check_unchanged(const struct anole_history_file *file,
                                         struct anole_error *error)
{
    struct stat info;
    if (fstat(file->fd, &info) != 0)
        return anole_fail_errno(error, "%s: the history cannot be examined", file->name);
    if (info.st_nlink > 0 && (uint64_t)info.st_size == file->length)
        return ANOLE_DONE;
    return anole_fail(
        error, ANOLE_ERR_INPUT,
        "%s: the history was %s by another program while it was being written; "
        "expected to be the only one: see that it is as it should be, and start again",
        file->name, info.st_nlink > 0 ? "changed" : "removed");
}

enum anole_status anole_history_file_append(struct anole_history_file *file, const char *text,
                                            size_t length, struct anole_error *error)
{
    if (file->broken)
        return anole_fail(error, ANOLE_ERR_SYSTEM,
                          "%s: nothing more is written to the history, after a line that could "
                          "neither be written nor taken back; make room or repair the disk, and "
                          "start again",
                          file->name);
    enum anole_status status = check_unchanged(file, error);
    if (status)
        return status;
    if (write_all(file, text, length) == 0 && file->io->sync(file->fd) == 0) {
        file->length += length;
        return ANOLE_DONE;
    }
    anole_fail_errno(error, "%s: the history cannot be written", file->name);
    if (file->io->truncate(file->fd, (off_t)file->length) != 0) {
        file->broken = true;
        anole_error_prefix(error, "a torn line stays at the end");
    } else {
        file->io->sync(file->fd);
    }
    return ANOLE_ERR_SYSTEM;
}

enum anole_status anole_history_file_cut(struct anole_history_file *file, struct anole_error *error)
{
    if (file->io->truncate(file->fd, (off_t)file->length) == 0 && file->io->sync(file->fd) == 0)
        return ANOLE_DONE;
    return anole_fail_errno(error, "%s: the torn last line of the history cannot be cut off",
                            file->name);
}

void anole_history_file_sync_folder(const struct anole_history_file *file)
{
    /* Some file systems cannot do this; the history is whole all the same. */
    const char *slash = strrchr(file->path, '/');
    char *folder = slash ? strndup(file->path, (size_t)(slash - file->path) + 1) : strdup(".");
    int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        file->io->sync(fd);
        close(fd);
    }
    free(folder);
}
