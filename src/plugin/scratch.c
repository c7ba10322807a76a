/* SPDX-License-Identifier: MIT */
#include "plugin/scratch.h"

#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define MAX_DEPTH 32
#define MARK ".in-use"
#define SETTLED 60 /* seconds: older marks are locked, if anybody still needs them */
#define TRIAL_BYTES ((size_t)4 << 20)
#define TRIAL_WORDS "4 MB"
#define TRIAL_NAME "trial-XXXXXX"
#define LEAST_FILES 64
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

/* Room for what is built beside each other, and for a file that a limit would cut. */
static const char *try_to_write(int file, size_t bytes)
{
    static const char zeros[1 << 16];
    for (size_t done = 0; done < bytes;) {
        ssize_t written = write(file, zeros, sizeof zeros);
        if (written <= 0)
            return "a file of " TRIAL_WORDS " cannot be written there";
        done += (size_t)written;
    }
    return NULL;
}

static const char *try_to_load(int file)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *code = mmap(NULL, page, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
    if (code == MAP_FAILED)
        return "libraries cannot be loaded from there (is it mounted noexec?)";
    munmap(code, page);
    return NULL;
}

/* A limit on the size of files shows as a failure, instead of ending the process. */
static const char *try_file(int file)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction before;
    sigaction(SIGXFSZ, &ignore, &before);
    const char *failed = try_to_write(file, TRIAL_BYTES);
    int why = errno;
    sigaction(SIGXFSZ, &before, NULL);
    errno = why;
    return failed ? failed : try_to_load(file);
}

static const char *try_folder(const char *path)
{
    char name[sizeof TRIAL_NAME + 4096];
    snprintf(name, sizeof name, "%.4000s/%s", path, TRIAL_NAME);
    int file = mkostemp(name, O_CLOEXEC);
    if (file < 0)
        return "no file can be made there";
    const char *failed = try_file(file);
    int why = errno;
    close(file);
    unlink(name);
    errno = why;
    return failed;
}

static bool few_files(const char *path)
{
    struct statvfs about;
    return statvfs(path, &about) == 0 && about.f_files > 0 && about.f_favail < LEAST_FILES;
}

enum anole_status anole_scratch_check(const char *path, struct anole_error *error)
{
    const char *failed = try_folder(path);
    if (failed)
        return anole_fail(error, ANOLE_ERR_SYSTEM,
                          "%s: compilers cannot work in this folder: %s: %s; make room, lift the "
                          "limit (ulimit -f), or set TMPDIR to another folder",
                          path, failed, strerror(errno));
    if (few_files(path))
        return anole_fail(error, ANOLE_ERR_SYSTEM,
                          "%s: compilers cannot work in this folder: fewer than %d more files fit "
                          "there; remove some, or set TMPDIR to another folder",
                          path, LEAST_FILES);
    return ANOLE_DONE;
}

enum anole_status anole_scratch_restore(const char *path, int *hold, struct anole_error *error)
{
    if (mkdir(path, 0700) == 0) {
        anole_log_warning(
            "%s: somebody removed this folder, which compilers need: it is made again", path);
        if (*hold >= 0)
            close(*hold);
        *hold = anole_scratch_hold(path);
    } else if (errno != EEXIST) {
        return anole_fail_errno(error, "%s: this folder, which compilers need, is gone", path);
    }
    return anole_scratch_check(path, error);
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
