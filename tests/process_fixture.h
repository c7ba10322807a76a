/* SPDX-License-Identifier: MIT
 *
 * Which processes a test has started, and that none of them is left.
 */
#ifndef ANOLE_PROCESS_FIXTURE_H
#define ANOLE_PROCESS_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MARK "ANOLE_TEST_MARK"
#define MAX_MARKED 256
#define PATIENCE 200 /* times a tenth of a second: only a failure takes that long */

/* Every worker, and whatever it starts, has this in its environment. */
static char mark[64];

static inline void set_mark(void)
{
    static unsigned count;
    char value[32];
    snprintf(value, sizeof value, "%ld.%u", (long)getpid(), ++count);
    setenv(MARK, value, 1);
    snprintf(mark, sizeof mark, "%s=%s", MARK, value);
}

static inline bool is_marked(const char *process)
{
    char path[64], text[65536];
    snprintf(path, sizeof path, "/proc/%.20s/environ", process);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file >= 0 ? read(file, text, sizeof text) : -1;
    if (file >= 0)
        close(file);
    return length > 0 && memmem(text, (size_t)length, mark, strlen(mark) + 1);
}

/* Those that run, this process aside (its environment as it started has no mark). */
static inline size_t find_marked(pid_t *found)
{
    DIR *list = opendir("/proc");
    struct dirent *entry;
    size_t count = 0;
    assert_non_null(list);
    while ((entry = readdir(list)))
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && count < MAX_MARKED &&
            is_marked(entry->d_name))
            found[count++] = (pid_t)atol(entry->d_name);
    closedir(list);
    return count;
}

static inline void pause_a_tenth(void)
{
    const struct timespec tenth = {.tv_nsec = 100000000};
    nanosleep(&tenth, NULL);
}

static inline void expect_none_left(void)
{
    pid_t found[MAX_MARKED];
    size_t count = 0;
    for (int i = 0; i < PATIENCE; i++) {
        count = find_marked(found);
        if (count == 0)
            return;
        pause_a_tenth();
    }
    fail_msg("%zu processes are left, e.g. %ld", count, (long)found[0]);
}

#endif
