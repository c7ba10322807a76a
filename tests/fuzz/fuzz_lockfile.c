/* SPDX-License-Identifier: MIT
 *
 * A lock file from anywhere: what is read can be written, and then is the same when it is read and
 * written once more.
 */
#include "fuzz.h"

#include "base/file.h"
#include "record/lockfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[64];

static void end(void)
{
    unlink(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
}

static void begin(void)
{
    if (path[0])
        return;
    fuzz_quiet();
    /* In memory if that can be: each input is synced several times. */
    snprintf(path, sizeof path, "%s/anole-fuzz-XXXXXX",
             access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp");
    FUZZ_REQUIRE(mkdtemp(path) != NULL);
    strcat(path, "/lock");
    atexit(end);
}

/* What it looks like on disk. */
static char *save(const struct anole_lockfile *lockfile)
{
    char *text = NULL;
    size_t length;
    FUZZ_REQUIRE(anole_lockfile_save(lockfile, path, NULL) == ANOLE_DONE);
    FUZZ_REQUIRE(anole_file_read(&text, &length, path, 0, NULL) == ANOLE_DONE);
    return text;
}

FUZZ_TARGET(lockfile)
{
    struct anole_lockfile *lockfile = NULL, *again = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    begin();
    enum anole_status status =
        anole_lockfile_parse(&lockfile, (const char *)data, size, "fuzz.lock.json", &error);
    FUZZ_REQUIRE((status == ANOLE_DONE) == (lockfile != NULL));
    FUZZ_REQUIRE(status == ANOLE_DONE || error.text[0] != '\0');
    if (!lockfile)
        return 0;
    char *first = save(lockfile);
    FUZZ_REQUIRE(anole_lockfile_load(&again, path, NULL) == ANOLE_DONE);
    FUZZ_REQUIRE(again->device_count == lockfile->device_count);
    char *second = save(again);
    FUZZ_REQUIRE(strcmp(first, second) == 0);
    free(first);
    free(second);
    anole_lockfile_destroy(lockfile);
    anole_lockfile_destroy(again);
    return 0;
}
