/* SPDX-License-Identifier: MIT
 *
 * Lock files of many machines: which entries are like this one, and in what order.
 */
#include "record/lockfolder.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define TASK "dense n1 i64 o48 f32 bias"

static const struct anole_history_key here = {.task = TASK,
                                              .backend = "cpu",
                                              .backend_version = "1",
                                              .generator = 3,
                                              .device = "Abacus",
                                              .driver = "d",
                                              .driver_version = "2.0",
                                              .threads = 2};

struct folder {
    char path[64];
    int files;
};

static void open_folder(struct folder *folder)
{
    *folder = (struct folder){.files = 0};
    snprintf(folder->path, sizeof folder->path, "/tmp/anole-test-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
}

/* A file of one device, with one task and one knob. */
static void add_device(struct folder *folder, const char *backend, const char *device,
                       unsigned generator, const char *version, unsigned threads, int tile,
                       double seconds)
{
    char path[96];
    snprintf(path, sizeof path, "%s/%d.lock.json", folder->path, folder->files++);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "{\"anole_lock\": 1, \"network\": \"net\", \"network_path\": \"n.json\", "
            "\"devices\": [{\"id\": \"x:0\", \"backend\": \"%s\", \"backend_version\": \"1\", "
            "\"generator\": %u, \"device\": \"%s\", \"driver\": \"d\", \"driver_version\": \"%s\", "
            "\"threads\": %u, \"tasks\": [{\"task\": \"" TASK "\", \"multiplicity\": 1, "
            "\"knobs\": {\"tile\": %d}, \"seconds\": %g, \"low\": %g, \"high\": %g, "
            "\"default_seconds\": null, \"speedup\": null, \"speedup_low\": null, "
            "\"speedup_high\": null, \"tie\": false, \"source_hash\": \"0123456789abcdef\", "
            "\"trials\": 3}]}]}",
            backend, generator, device, version, threads, tile, seconds, seconds, seconds);
    assert_int_equal(fclose(file), 0);
}

/* All of them as one; the folder goes. */
static struct anole_lockfile *read_folder(const struct folder *folder)
{
    struct anole_lockfile *lockfile = NULL;
    struct anole_error error = {0};
    char path[96];
    if (anole_lockfolder_load(&lockfile, folder->path, &error))
        fail_msg("%s", error.text);
    for (int i = 0; i < folder->files; i++) {
        snprintf(path, sizeof path, "%s/%d.lock.json", folder->path, i);
        unlink(path);
    }
    rmdir(folder->path);
    assert_int_equal(lockfile->device_count, (size_t)folder->files);
    return lockfile;
}

static void test_least_different_comes_first(void **state)
{
    (void)state;
    struct folder devices;
    open_folder(&devices);
    struct anole_lock_similar similar[8];
    add_device(&devices, "cpu", "Loom", 3, "2.0", 2, 1, 1e-3);   /* another device */
    add_device(&devices, "cpu", "Abacus", 2, "2.0", 2, 2, 2e-3); /* another generator */
    add_device(&devices, "cpu", "Abacus", 3, "1.0", 2, 3, 3e-3); /* another version */
    add_device(&devices, "cpu", "Abacus", 3, "2.0", 4, 4, 4e-3); /* other threads */
    add_device(&devices, "cpu", "Abacus", 3, "2.0", 2, 5, 5e-3); /* all as here */
    add_device(&devices, "gpu", "Abacus", 3, "2.0", 2, 6, 1e-9); /* another backend */
    add_device(&devices, "cpu", "Loom", 3, "2.0", 2, 7, 5e-4);   /* faster than the first */
    struct anole_lockfile *lockfile = read_folder(&devices);
    static const size_t order[] = {4, 3, 2, 1, 6, 0};
    assert_int_equal(anole_lock_similar(similar, 8, lockfile, &here, false), 6);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(similar[i].device, order[i]);
    assert_int_equal(similar[0].differences, 0);
    assert_int_equal(similar[1].differences, ANOLE_DIFFERS_THREADS);
    assert_int_equal(similar[4].differences, ANOLE_DIFFERS_DEVICE);
    /* Fewer than there are: still the first of them. */
    for (size_t most = 1; most < 6; most++) {
        assert_int_equal(anole_lock_similar(similar, most, lockfile, &here, false), most);
        for (size_t i = 0; i < most; i++)
            assert_int_equal(similar[i].device, order[i]);
    }
    anole_lockfile_destroy(lockfile);
}

static void test_config_stands_once_with_its_best_entry(void **state)
{
    (void)state;
    struct folder devices;
    open_folder(&devices);
    struct anole_lock_similar similar[4];
    add_device(&devices, "cpu", "Loom", 3, "2.0", 2, 1, 1e-3);
    add_device(&devices, "cpu", "Mill", 3, "2.0", 2, 2, 2e-3);
    add_device(&devices, "cpu", "Abacus", 3, "1.0", 2, 1, 3e-3);
    add_device(&devices, "cpu", "Wheel", 3, "2.0", 2, 1, 1e-4);
    struct anole_lockfile *lockfile = read_folder(&devices);
    assert_int_equal(anole_lock_similar(similar, 4, lockfile, &here, false), 2);
    assert_int_equal(similar[0].device, 2);
    assert_int_equal(similar[1].device, 1);
    anole_lockfile_destroy(lockfile);
}

static void test_differences_are_told(void **state)
{
    (void)state;
    struct folder devices;
    open_folder(&devices);
    char text[256];
    add_device(&devices, "cpu", "Loom", 2, "1.0", 0, 1, 1e-3);
    struct anole_lockfile *lockfile = read_folder(&devices);
    unsigned differences = anole_lock_differences(&lockfile->devices[0], &here);
    assert_string_equal(
        anole_lock_differences_text(text, sizeof text, &lockfile->devices[0], differences),
        "device Loom, generator 2, driver d 1.0, all threads");
    assert_string_equal(anole_lock_differences_text(text, sizeof text, &lockfile->devices[0], 0),
                        "all as here");
    anole_lockfile_destroy(lockfile);
}

static void test_origin_is_kept(void **state)
{
    (void)state;
    struct folder devices;
    open_folder(&devices);
    struct anole_lockfile *again = NULL;
    struct anole_error error = {0};
    char *text = NULL;
    size_t length;
    add_device(&devices, "cpu", "Loom", 3, "2.0", 2, 1, 1e-3);
    struct anole_lockfile *lockfile = read_folder(&devices);
    assert_null(lockfile->devices[0].tasks[0].adopted_from);
    lockfile->devices[0].tasks[0].adopted_from = strdup("device Mill");
    assert_int_equal(anole_lockfile_print(&text, &length, lockfile, &error), ANOLE_DONE);
    assert_int_equal(anole_lockfile_parse(&again, text, length, "again", &error), ANOLE_DONE);
    assert_string_equal(again->devices[0].tasks[0].adopted_from, "device Mill");
    assert_int_equal(anole_lockfile_put(lockfile, &again->devices[0], &error), ANOLE_DONE);
    assert_string_equal(lockfile->devices[0].tasks[0].adopted_from, "device Mill");
    free(text);
    anole_lockfile_destroy(again);
    anole_lockfile_destroy(lockfile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_least_different_comes_first),
        cmocka_unit_test(test_config_stands_once_with_its_best_entry),
        cmocka_unit_test(test_differences_are_told),
        cmocka_unit_test(test_origin_is_kept),
    };
    return cmocka_run_group_tests_name("lockfolder", tests, NULL, NULL);
}
