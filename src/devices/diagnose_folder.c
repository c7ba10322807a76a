/* SPDX-License-Identifier: MIT */
#include "devices/diagnose_folder.h"

#include "base/disk_cache.h"
#include "base/text.h"
#include "plugin/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LITTLE_ROOM (UINT64_C(64) << 20) /* bytes: a long run's history and cache */

/* NULL if all went well; else what failed, and errno says why. */
static const char *try_file(const char *path)
{
    static const char text[] = "anole doctor was here\n";
    const char *failed = NULL;
    int file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0)
        return "cannot be created";
    if (write(file, text, sizeof text - 1) != (ssize_t)sizeof text - 1)
        failed = "cannot be written";
    else if (fsync(file) != 0)
        failed = "cannot be synced";
    else if (flock(file, LOCK_EX | LOCK_NB) != 0)
        failed = "cannot be locked";
    int saved = errno;
    close(file);
    unlink(path);
    errno = saved;
    return failed;
}

static enum anole_status examine(struct anole_findings *findings, const char *folder,
                                 const char *check, const char *mend, struct anole_error *error)
{
    char *path, room[32];
    struct statvfs about;
    if (asprintf(&path, "%s/.anole-doctor-%ld", folder, (long)getpid()) < 0)
        return anole_fail_memory(error);
    const char *failed = try_file(path);
    int why = errno;
    free(path);
    if (failed)
        return anole_findings_add(findings, folder, check, ANOLE_VERDICT_FAULT, mend, error,
                                  "a file in it %s: %s", failed, strerror(why));
    if (statvfs(folder, &about) != 0)
        return anole_findings_add(findings, folder, check, ANOLE_VERDICT_FINE, NULL, error,
                                  "can be written, synced and locked");
    uint64_t bytes = (uint64_t)about.f_bavail * about.f_frsize;
    bool little = bytes < LITTLE_ROOM;
    return anole_findings_add(
        findings, folder, check, little ? ANOLE_VERDICT_NOTE : ANOLE_VERDICT_FINE,
        little ? "removing files there, or another folder" : NULL, error,
        "can be written, synced and locked; %s free", anole_text_bytes(room, sizeof room, bytes));
}

enum anole_status anole_diagnose_folder(struct anole_findings *findings, const char *folder,
                                        struct anole_error *error)
{
    return examine(findings, folder, "history's folder",
                   "a folder that you may write to: cd there, or --history FOLDER/NAME.history",
                   error);
}

enum anole_status anole_diagnose_scratch(struct anole_findings *findings, struct anole_error *error)
{
    static const char mend[] =
        "TMPDIR=FOLDER, one that you may write to, with room, not mounted noexec";
    struct anole_error problem = {.status = ANOLE_DONE};
    char *path;
    enum anole_status status = anole_scratch_create(&path, &problem);
    if (status == ANOLE_ERR_MEMORY)
        return anole_fail_memory(error);
    if (status != ANOLE_DONE)
        return anole_findings_add(findings, "scratch", "kernel cache", ANOLE_VERDICT_FAULT, mend,
                                  error, "%s", problem.text);
    if (anole_scratch_check(path, &problem) != ANOLE_DONE)
        status = anole_findings_add(findings, path, "kernel cache", ANOLE_VERDICT_FAULT, mend,
                                    error, "%s", problem.text);
    else
        status = examine(findings, path, "kernel cache", mend, error);
    anole_scratch_remove(path);
    free(path);
    return status;
}

enum anole_status anole_diagnose_cache(struct anole_findings *findings, struct anole_error *error)
{
    static const char check[] = "cache of networks";
    struct anole_error problem = {.status = ANOLE_DONE};
    struct anole_disk_cache *cache = NULL;
    char *path = NULL;
    uint64_t limit;
    enum anole_status status = anole_disk_cache_path(&path, error);
    if (status)
        return status;
    if (!path)
        return anole_findings_add(findings, "cache", check, ANOLE_VERDICT_NOTE, NULL, error,
                                  "there is none: ANOLE_CACHE_DIR is empty, or there is no HOME");
    status = anole_disk_cache_limit(&limit, &problem);
    if (status == ANOLE_DONE)
        status = anole_disk_cache_open(&cache, path, limit, &problem);
    anole_disk_cache_close(cache);
    if (status == ANOLE_ERR_MEMORY)
        status = anole_fail_memory(error);
    else if (status)
        status = anole_findings_add(findings, path, check, ANOLE_VERDICT_NOTE,
                                    "ANOLE_CACHE_DIR=FOLDER, one of this user's alone", error,
                                    "networks start slowly: %s", problem.text);
    else
        status = examine(findings, path, check, "ANOLE_CACHE_DIR=FOLDER, one that you may write to",
                         error);
    free(path);
    return status;
}
