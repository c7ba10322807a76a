/* SPDX-License-Identifier: MIT
 *
 * How much memory there is, by what the kernel says of it, in a folder made up to look like it.
 */
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static char root[] = "/tmp/anole-memory-XXXXXX";

/* Makes the folders on the way, too. */
static void put(const char *path, const char *text)
{
    char name[512];
    snprintf(name, sizeof name, "%s%s", root, path);
    for (char *at = name + strlen(root) + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        mkdir(name, 0700);
        *at = '/';
    }
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_least_of_what_limits_leave(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(root));
    assert_true(anole_memory_available_below(root) == UINT64_MAX);
    put("/proc/meminfo", "MemTotal:  9000 kB\nMemFree:  10 kB\nMemAvailable:    4000 kB\n");
    assert_int_equal(anole_memory_available_below(root), 4000 * 1024);
    /* A group without a limit, in one that has one, of which files take a part. */
    put("/proc/self/cgroup", "3:cpu:/else\n0::/above/own\n");
    put("/sys/fs/cgroup/above/own/memory.max", "max\n");
    put("/sys/fs/cgroup/above/own/memory.current", "1000\n");
    assert_int_equal(anole_memory_available_below(root), 4000 * 1024);
    put("/sys/fs/cgroup/above/memory.max", "500000\n");
    put("/sys/fs/cgroup/above/memory.current", "200000\n");
    assert_int_equal(anole_memory_available_below(root), 300000);
    put("/sys/fs/cgroup/above/memory.stat", "anon 1\ninactive_file 50000\n");
    assert_int_equal(anole_memory_available_below(root), 350000);
    put("/sys/fs/cgroup/memory.max", "1000\n");
    put("/sys/fs/cgroup/memory.current", "5000\n");
    assert_int_equal(anole_memory_available_below(root), 0);
}

/* What cannot be read is not known, and no reason to refuse. */
static void test_nonsense_is_no_limit(void **state)
{
    (void)state;
    put("/proc/meminfo", "MemAvailable: much\n");
    put("/proc/self/cgroup", "0::/\n");
    put("/sys/fs/cgroup/memory.max", "");
    assert_true(anole_memory_available_below(root) == UINT64_MAX);
    put("/proc/meminfo", "MemAvailable: 18446744073709551615 kB\n");
    assert_true(anole_memory_available_below(root) == UINT64_MAX);
    put("/proc/self/cgroup", "0::relative\n");
    assert_true(anole_memory_available_below(root) == UINT64_MAX);
}

static void test_this_machine_has_some(void **state)
{
    (void)state;
    assert_true(anole_memory_available() > 0);
}

static int drop_root(void **state)
{
    char command[600];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_least_of_what_limits_leave),
        cmocka_unit_test(test_nonsense_is_no_limit),
        cmocka_unit_test(test_this_machine_has_some),
    };
    return cmocka_run_group_tests_name("available memory", tests, NULL, drop_root);
}
