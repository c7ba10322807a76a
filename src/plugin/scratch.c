/* SPDX-License-Identifier: MIT */
#include "plugin/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define MAX_DEPTH 32
#define MARK ".in-use"
#define SETTLED 60 /* seconds: older marks are locked, if anybody still needs them */
#define IN_MEMORY "/dev/shm"
#define LEAST_MEMORY (UINT64_C(1) << 30) /* bytes free */

/* Memory is best for files that live for minutes: compilers write and sync many
 * small ones.  But there must be enough of it, and libraries among them must be
 * loadable from there. */
static bool memory_will_do(void)
{
    struct statvfs about;
    return statvfs(IN_MEMORY, &about) == 0 && !(about.f_flag & (ST_NOEXEC | ST_RDONLY)) &&
           access(IN_MEMORY, W_OK | X_OK) == 0 &&
           (uint64_t)about.f_bavail * about.f_frsize >= LEAST_MEMORY;
}

static const char *find_base(void)
{
    const char *base = getenv("TMPDIR");
    if (!base || base[0] != '/')
        base = memory_will_do() ? IN_MEMORY : "/tmp";
    return base;
}

enum anole_status anole_scratch_create(char **path, struct anole_error *error)
{
    const char *base = find_base();
    char *name;
    if (asprintf(&name, "%s/anole-XXXXXX", base) < 0)
        return anole_fail_memory(error);
    if (!mkdtemp(name)) {
        enum anole_status status = anole_fail_errno(
            error, "cannot make a temporary folder in %s (set TMPDIR to one that can be written)",
            base);
        free(name);
        return status;
    }
    *path = name;
    return ANOLE_DONE;
}

/* Removes what is in a folder and was last changed before `limit`; follows no
 * process.  Takes the descriptor over. */
static void empty(int folder, time_t limit, int depth)
{
    DIR *list = fdopendir(folder);
    if (!list) {
        close(folder);
        return;
    }
    struct dirent *entry;
    while ((entry = readdir(list))) {
        struct stat about;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            fstatat(dirfd(list), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        bool mark = depth == 0 && limit <= time(NULL) && strcmp(entry->d_name, MARK) == 0;
        bool old = about.st_mtime < limit && about.st_ctime < limit && !mark;
        if (!S_ISDIR(about.st_mode)) {
            if (old)
                unlinkat(dirfd(list), entry->d_name, 0);
            continue;
        }
        int inner = depth < MAX_DEPTH ? openat(dirfd(list), entry->d_name,
                                               O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                                      : -1;
        if (inner >= 0)
            empty(inner, limit, depth + 1);
        if (old) /* fails, and may, if something is left in it */
            unlinkat(dirfd(list), entry->d_name, AT_REMOVEDIR);
    }
    closedir(list);
}

static void empty_path(const char *path, time_t limit)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder >= 0)
        empty(folder, limit, 0);
}

void anole_scratch_trim(const char *path, double age)
{
    empty_path(path, time(NULL) - (time_t)age);
}

void anole_scratch_remove(const char *path)
{
    /* Twice: what is being killed may have written once more. */
    for (int i = 0; i < 2; i++) {
        empty_path(path, time(NULL) + (time_t)1000000);
        if (rmdir(path) == 0 || errno == ENOENT)
            return;
    }
}

int anole_scratch_hold(const char *path)
{
    char *name;
    if (asprintf(&name, "%s/" MARK, path) < 0)
        return -1;
    int mark = open(name, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    free(name);
    if (mark >= 0 && flock(mark, LOCK_EX | LOCK_NB) != 0) {
        close(mark);
        mark = -1;
    }
    return mark;
}

/* True if the folder has our mark, and nobody holds it. */
static bool is_left(int base, const char *name)
{
    char path[64];
    struct stat about;
    snprintf(path, sizeof path, "%.40s/" MARK, name);
    int mark = openat(base, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (mark < 0)
        return false;
    bool left = fstat(mark, &about) == 0 && S_ISREG(about.st_mode) && about.st_uid == geteuid() &&
                about.st_mtime < time(NULL) - SETTLED && flock(mark, LOCK_EX | LOCK_NB) == 0;
    close(mark);
    return left;
}

void anole_scratch_sweep(void)
{
    const char *base = find_base();
    DIR *list = opendir(base);
    struct dirent *entry;
    while (list && (entry = readdir(list))) {
        char *path;
        if (strncmp(entry->d_name, "anole-", 6) != 0 || strlen(entry->d_name) != 12 ||
            !is_left(dirfd(list), entry->d_name) ||
            asprintf(&path, "%s/%s", base, entry->d_name) < 0)
            continue;
        anole_scratch_remove(path);
        free(path);
    }
    if (list)
        closedir(list);
}
