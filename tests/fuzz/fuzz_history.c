/* SPDX-License-Identifier: MIT
 *
 * A history from anywhere: read, mended by a writer, written to, read again.
 * Where the first byte is even, checksums are made right before: else the fuzzer
 * would never get past them.
 */
#include "fuzz.h"

#include "base/hash.h"
#include "record/history.h"
#include "record/history_file.h"
#include "record/history_merge.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_BYTES                                                                                 \
    8192 /* some twenty lines: what a fuzzer makes of more takes time, and shows no more */
#define CRC ",\"crc\":\""

static char path[64];
static struct anole_space *space;
static const struct anole_history_key key = {.task = "dense n2 i12 o5 f32 bias",
                                             .backend = "cpu",
                                             .backend_version = "1",
                                             .generator = 1,
                                             .device = "d",
                                             .driver = "p",
                                             .driver_version = "1",
                                             .threads = 1};

static void end(void)
{
    unlink(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
    anole_space_destroy(space);
}

static void begin(void)
{
    static const int64_t tiles[] = {1, 2, 4, 8};
    if (space)
        return;
    fuzz_quiet();
    /* In memory if that can be: each input is synced several times. */
    snprintf(path, sizeof path, "%s/anole-fuzz-XXXXXX",
             access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp");
    FUZZ_REQUIRE(mkdtemp(path) != NULL);
    strcat(path, "/history");
    FUZZ_REQUIRE(anole_space_create(&space, NULL) == ANOLE_DONE);
    FUZZ_REQUIRE(anole_space_add_knob(space, "tile", false, tiles, NULL, 4, 0, NULL) == ANOLE_DONE);
    FUZZ_REQUIRE(anole_space_finish(space, NULL) == ANOLE_DONE);
    atexit(end);
}

/* Lines that end as if in a checksum get the right one. */
static void sign(char *text, size_t length)
{
    char *line = text, *stop = text + length;
    while (line < stop) {
        char *newline = memchr(line, '\n', (size_t)(stop - line)), digits[9];
        char *next = newline ? newline : stop;
        size_t tail = strlen(CRC) + 10;
        if ((size_t)(next - line) > tail && memcmp(next - tail, CRC, strlen(CRC)) == 0) {
            snprintf(digits, sizeof digits, "%08x",
                     anole_crc32(line, (size_t)(next - line) - tail));
            memcpy(next - 10, digits, 8);
        }
        line = next + 1;
    }
}

/* A fuzzer looks for what is read wrong, not for what a disk loses: it does not wait for one. */
static int do_not_sync(int descriptor)
{
    (void)descriptor;
    return 0;
}

static const struct anole_history_io quick = {
    .write = write, .sync = do_not_sync, .truncate = ftruncate};

/* Trials that mean something in the space, *added (may be NULL) one more included; -1 if it is no
 * history. */
static long count(enum anole_history_mode mode, long *added)
{
    struct anole_history *history;
    struct anole_trials *trials;
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_history_count all;
    size_t matched = 0;
    if (anole_history_open_with(&history, path, mode, &quick, &error) != ANOLE_DONE) {
        FUZZ_REQUIRE(error.text[0] != '\0');
        return -1;
    }
    FUZZ_REQUIRE(anole_trials_create(&trials, &error) == ANOLE_DONE);
    FUZZ_REQUIRE(anole_history_collect(history, &key, space, trials, &matched, NULL, &error) ==
                 ANOLE_DONE);
    anole_history_count(history, &key, &all);
    for (uint64_t config = 0; config < 4; config++)
        FUZZ_REQUIRE(!anole_history_quarantined(history, &key, space, config) ||
                     anole_trials_visited(trials, config));
    struct anole_result result = {.outcome = ANOLE_OUTCOME_OK, .seconds = 1, .low = 1, .high = 1};
    if (added) {
        enum anole_status status = anole_history_append(history, &key, space, 2, &result, &error);
        /* There is but one way to run out of numbers. */
        FUZZ_REQUIRE(status == ANOLE_DONE || status == ANOLE_ERR_INTERNAL);
        *added = (long)matched + (status == ANOLE_DONE);
    }
    anole_trials_destroy(trials);
    anole_history_close(history);
    return (long)matched;
}

FUZZ_TARGET(history)
{
    begin();
    if (size < 1 || size > MOST_BYTES)
        return 0;
    char *text = malloc(size);
    FUZZ_REQUIRE(text != NULL);
    memcpy(text, data + 1, size - 1);
    if (data[0] % 2 == 0)
        sign(text, size - 1);
    int file = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    FUZZ_REQUIRE(file >= 0 && write(file, text, size - 1) == (ssize_t)(size - 1));
    close(file);
    free(text);
    long added = -1, before = count(ANOLE_HISTORY_READ, NULL);
    FUZZ_REQUIRE(before == count(ANOLE_HISTORY_APPEND, &added));
    if (before >= 0) {
        FUZZ_REQUIRE(added >= before);
        FUZZ_REQUIRE(count(ANOLE_HISTORY_READ, NULL) == added);
        /* What says nothing any more may go, and nothing else. */
        struct anole_history_swept first, second;
        FUZZ_REQUIRE(anole_history_sweep(&first, path, NULL, false, NULL) == ANOLE_DONE);
        FUZZ_REQUIRE(count(ANOLE_HISTORY_READ, NULL) == added);
        FUZZ_REQUIRE(anole_history_sweep(&second, path, NULL, false, NULL) == ANOLE_DONE);
        FUZZ_REQUIRE(second.kept == first.kept && second.before == second.after);
    }
    return 0;
}
