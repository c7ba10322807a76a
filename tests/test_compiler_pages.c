/* SPDX-License-Identifier: MIT
 *
 * The pages of a driver's compiler that are given back: those of its libraries alone, none that
 * were changed, and what is read of them again is what it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "opencl_compiler.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BYTES (64 << 10)

static char folder[] = "/tmp/anole-compiler-XXXXXX";

/* A library with a table of BYTES, byte i is i % 251; NULL: there is no compiler. */
static const unsigned char *load(const char *name)
{
    char path[256], command[600];
    const char *cc = getenv("CC");
    snprintf(path, sizeof path, "%s/table.c", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "const unsigned char table[%d] = {", BYTES);
    for (int i = 0; i < BYTES; i++)
        fprintf(file, "%d,", i % 251);
    fprintf(file, "};\n");
    assert_int_equal(fclose(file), 0);
    snprintf(command, sizeof command, "%s -shared -fPIC -o %s/%s %s", cc ? cc : "cc", folder, name,
             path);
    if (system(command) != 0)
        return NULL;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    void *library = dlopen(path, RTLD_NOW);
    assert_non_null(library);
    return dlsym(library, "table");
}

/* Reads it all, so that all its pages are there. */
static void check(const unsigned char *table, size_t but)
{
    for (size_t i = 0; i < BYTES; i++)
        if (i != but)
            assert_int_equal(table[i], i % 251);
}

static void test_clean_pages_are_given_back(void **state)
{
    (void)state;
    const unsigned char *table = load("libLLVM-of-a-test.so.1");
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (!table || access("/proc/self/pagemap", R_OK) != 0)
        skip();
    check(table, BYTES);
    const size_t given = opencl_compiler_forget();
    assert_in_range(given, BYTES - 2 * page, 4 * BYTES);
    assert_in_range(opencl_compiler_forget(), 0, given / 2); /* they are gone */
    check(table, BYTES);
    assert_in_range(opencl_compiler_forget(), BYTES - 2 * page, 4 * BYTES);
}

static void test_changed_pages_stay(void **state)
{
    (void)state;
    const unsigned char *table = load("libclang-of-a-test.so");
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (!table || access("/proc/self/pagemap", R_OK) != 0)
        skip();
    unsigned char *changed = (unsigned char *)(((uintptr_t)table + BYTES / 2) / page * page);
    assert_int_equal(mprotect(changed, page, PROT_READ | PROT_WRITE), 0);
    changed[7] = 255; /* as a debugger would */
    assert_int_equal(mprotect(changed, page, PROT_READ), 0);
    check(table, (size_t)(changed + 7 - table));
    assert_true(opencl_compiler_forget() >= BYTES / 2);
    assert_int_equal(changed[7], 255);
    check(table, (size_t)(changed + 7 - table));
}

/* Whole pages of a table that this process has. */
static size_t count_pages(const unsigned char *table)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), first = ((uintptr_t)table + page - 1) / page;
    const size_t last = ((uintptr_t)table + BYTES) / page;
    size_t count = 0;
    int file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0);
    for (size_t i = first; i < last; i++) {
        uint64_t entry;
        assert_int_equal(pread(file, &entry, sizeof entry, (off_t)(i * sizeof entry)),
                         sizeof entry);
        count += entry >> 63;
    }
    close(file);
    return count;
}

static void test_other_libraries_stay(void **state)
{
    (void)state;
    const unsigned char *table = load("libtable.so"), *other = load("libLLVM-again.so");
    const size_t pages = BYTES / (size_t)sysconf(_SC_PAGESIZE) - 1;
    if (!table || !other || access("/proc/self/pagemap", R_OK) != 0)
        skip();
    check(table, BYTES);
    check(other, BYTES);
    assert_true(count_pages(table) >= pages && count_pages(other) >= pages);
    assert_true(opencl_compiler_forget() > 0);
    assert_true(count_pages(table) >= pages);
    assert_int_equal(count_pages(other), 0);
}

/* Reads a table and waits until somebody has taken its pages. */
struct loading {
    const unsigned char *table;
    bool taken;
};

static void load_slowly(void *context)
{
    struct loading *loading = context;
    for (int i = 0; i < 10000 && !loading->taken; i++) {
        if (i == 0)
            check(loading->table, BYTES);
        usleep(1000);
        loading->taken = count_pages(loading->table) == 0;
    }
    check(loading->table, BYTES);
}

static void test_pages_are_given_back_while_a_driver_is_loaded(void **state)
{
    (void)state;
    struct loading loading = {.table = load("libLLVM-slowly.so")};
    if (!loading.table || access("/proc/self/pagemap", R_OK) != 0)
        skip();
    opencl_compiler_load(load_slowly, &loading);
    assert_true(loading.taken);
    assert_int_equal(count_pages(loading.table), 0); /* at the end, too */
    check(loading.table, BYTES);
}

struct found {
    char name[64];
    const unsigned char *table;
};

static void load_library(void *context)
{
    struct found *found = context;
    found->table = load(found->name);
    if (found->table)
        check(found->table, BYTES);
}

static void test_libraries_can_be_loaded_meanwhile(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        struct found found = {.table = NULL};
        snprintf(found.name, sizeof found.name, "libLLVM-%d.so", i);
        opencl_compiler_load(load_library, &found);
        if (!found.table)
            skip();
        check(found.table, BYTES);
    }
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean_pages_are_given_back),
        cmocka_unit_test(test_changed_pages_stay),
        cmocka_unit_test(test_other_libraries_stay),
        cmocka_unit_test(test_pages_are_given_back_while_a_driver_is_loaded),
        cmocka_unit_test(test_libraries_can_be_loaded_meanwhile),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
