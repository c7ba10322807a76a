/* SPDX-License-Identifier: MIT */
#include "measure_fixture.h"
#include "devices/selection.h"

#include <limits.h>

static const struct anole_registry_entry *entry_of(const struct anole_registry *registry,
                                                   const char *file)
{
    for (size_t i = 0; i < registry->entry_count; i++)
        if (strstr(registry->entries[i].path, file))
            return &registry->entries[i];
    fail_msg("there is no entry for %s", file);
    return NULL;
}

static void test_find_all_good_ones(void **state)
{
    (void)state;
    char *folder = make_folder();
    add_plugins(folder, "simulated good naughty");
    struct anole_registry *registry = registry_of(folder);
    assert_int_equal(registry->entry_count, 3);
    assert_contains(registry->entries[0].path, "good.so");
    assert_contains(registry->entries[2].path, "simulated.so");
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(registry->entries[i].refusal, ANOLE_REFUSAL_NONE);
        assert_non_null(registry->entries[i].backend);
        assert_string_equal(registry->entries[i].version, "1.0");
        assert_string_equal(registry->entries[i].probe_problem, "");
    }
    assert_int_equal(registry->device_count, 3);
    assert_string_equal(registry->devices[0].id, "good:0");
    assert_string_equal(registry->devices[0].device.vendor, "Nobody");
    assert_int_equal(registry->devices[0].device.property_count, 1);
    assert_true(registry->devices[0].device.properties[0].value == 42);
    assert_true(registry->devices[2].device.flags & ANOLE_DEVICE_SIMULATED);
    anole_registry_destroy(registry);
    drop_folder(folder);
}

static void test_list_refused_with_reason(void **state)
{
    (void)state;
    char *folder = make_folder();
    add_plugins(folder, "good magic abort exit op");
    struct anole_registry *registry = registry_of(folder);
    const struct anole_registry_entry *entry = entry_of(registry, "abort.so");
    assert_int_equal(entry->refusal, ANOLE_REFUSAL_VETTING_FAILED);
    assert_contains(entry->reason, "SIGABRT");
    assert_null(entry->backend);
    entry = entry_of(registry, "exit.so");
    assert_int_equal(entry->refusal, ANOLE_REFUSAL_VETTING_FAILED);
    assert_contains(entry->reason, "exited with code 0");
    assert_int_equal(entry_of(registry, "magic.so")->refusal, ANOLE_REFUSAL_BAD_MAGIC);
    assert_int_equal(entry_of(registry, "op.so")->refusal, ANOLE_REFUSAL_MISSING_OP);
    assert_int_equal(registry->device_count, 1);
    anole_registry_destroy(registry);
    drop_folder(folder);
}

static void test_number_devices_over_all_drivers(void **state)
{
    (void)state;
    char *folder = make_folder();
    add_plugins(folder, "drivers");
    struct anole_registry *registry = registry_of(folder);
    assert_int_equal(registry->device_count, 3);
    assert_string_equal(registry->devices[0].id, "drivers:0");
    assert_string_equal(registry->devices[1].id, "drivers:1");
    assert_string_equal(registry->devices[1].driver, "two");
    assert_int_equal(registry->devices[1].device.index, 1);
    assert_string_equal(registry->devices[2].id, "drivers:2");
    assert_string_equal(registry->devices[2].driver, "one");
    assert_int_equal(registry->devices[2].device.index, 0);
    const char *problem = registry->entries[0].probe_problem;
    assert_contains(problem, "crash: ");
    assert_contains(problem, "SIGABRT");
    assert_contains(problem, "this driver is about to crash");
    assert_contains(problem, "broken: its library is too old");
    anole_registry_destroy(registry);
    drop_folder(folder);
}

static void test_count_first_of_two_with_one_name(void **state)
{
    (void)state;
    char path[2 * PATH_MAX], command[3 * PATH_MAX];
    char *first = make_folder(), *second = make_folder();
    add_plugins(first, "good");
    snprintf(command, sizeof command, "cp '%s/good.so' '%s/good.so'", plugin_folder(), second);
    assert_int_equal(system(command), 0);
    snprintf(path, sizeof path, "%s:%s:%s", first, second, first);
    struct anole_registry *registry = registry_of(path);
    assert_int_equal(registry->entry_count, 2); /* the same file counts once */
    assert_int_equal(registry->entries[0].refusal, ANOLE_REFUSAL_NONE);
    assert_int_equal(registry->entries[1].refusal, ANOLE_REFUSAL_DUPLICATE);
    assert_contains(registry->entries[1].reason, first);
    assert_int_equal(registry->device_count, 1);
    anole_registry_destroy(registry);
    drop_folder(first);
    drop_folder(second);
}

static void test_ignore_relative_and_empty_folders(void **state)
{
    (void)state;
    char path[PATH_MAX], before[PATH_MAX], *folder = make_folder();
    add_plugins(folder, "good");
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    snprintf(path, sizeof path, ":.:./:");
    struct anole_registry *registry = registry_of(path);
    assert_int_equal(registry->entry_count, 0);
    anole_registry_destroy(registry);
    assert_int_equal(chdir(before), 0);
    drop_folder(folder);
}

static void test_let_variable_replace_own_folder(void **state)
{
    (void)state;
    char *first = make_folder(), *own = make_folder();
    struct anole_registry *registry = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    add_plugins(first, "good");
    add_plugins(own, "plain");
    setenv("ANOLE_PLUGIN_PATH", first, 1);
    setenv("ANOLE_PLUGIN_DIR", own, 1);
    assert_done(anole_registry_create(&registry, 0, &error));
    assert_int_equal(registry->entry_count, 2);
    assert_contains(registry->entries[0].path, first);
    assert_contains(registry->entries[1].path, own);
    assert_contains(registry->searched, own);
    anole_registry_destroy(registry);
    drop_folder(first);
    drop_folder(own);
}

static void expect_device(const struct anole_registry *registry, const char *selector,
                          const char *id)
{
    const struct anole_registry_device *device = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    assert_done(anole_registry_find(&device, registry, selector, &error));
    assert_string_equal(device->id, id);
}

static void expect_none(const struct anole_registry *registry, const char *selector,
                        enum anole_status status, const char *words)
{
    const struct anole_registry_device *device = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    assert_int_equal(anole_registry_find(&device, registry, selector, &error), status);
    assert_null(device);
    assert_contains(error.text, words);
}

static void test_find_by_selector(void **state)
{
    (void)state;
    char *folder = make_folder();
    add_plugins(folder, "drivers good abort");
    struct anole_registry *registry = registry_of(folder);
    expect_device(registry, "good:0", "good:0");
    expect_device(registry, "GOOD:0", "good:0");
    expect_device(registry, "good", "good:0");
    expect_device(registry, "device ONE", "drivers:2");
    expect_device(registry, "good driver", "good:0");
    expect_none(registry, "drivers", ANOLE_ERR_NO_DEVICE, "several devices fit \"drivers\"");
    expect_none(registry, "drivers", ANOLE_ERR_NO_DEVICE, "drivers:2 (Test Device one0)");
    /* "Test Device" is part of all names, in the order of their ids. */
    expect_device(registry, "test device:0", "drivers:0");
    expect_device(registry, "Test Device:2", "drivers:2");
    expect_device(registry, "device one:0", "drivers:2");
    expect_none(registry, "device one:1", ANOLE_ERR_NO_DEVICE, "no device \"device one:1\"");
    expect_none(registry, "test device:99", ANOLE_ERR_NO_DEVICE, "there is: drivers:0");
    expect_none(registry, "test device:", ANOLE_ERR_NO_DEVICE, "there is: drivers:0");
    expect_none(registry, "test device:1x", ANOLE_ERR_NO_DEVICE, "there is: drivers:0");
    expect_none(registry, ":0", ANOLE_ERR_NO_DEVICE, "there is: drivers:0");
    expect_none(registry, "nobody", ANOLE_ERR_NO_DEVICE, "several");
    expect_none(registry, "god:0", ANOLE_ERR_NO_DEVICE, "did you mean good:0?");
    expect_none(registry, "god:0", ANOLE_ERR_NO_DEVICE, "abort.so");
    expect_none(registry, "", ANOLE_ERR_NO_DEVICE, "choose one with --device");
    expect_none(registry, NULL, ANOLE_ERR_NO_DEVICE, "choose one with --device");
    anole_registry_destroy(registry);
    drop_folder(folder);
}

static void test_find_only_device_without_selector(void **state)
{
    (void)state;
    char *folder = make_folder();
    add_plugins(folder, "good");
    struct anole_registry *registry = registry_of(folder);
    expect_device(registry, NULL, "good:0");
    anole_registry_destroy(registry);
    drop_folder(folder);
}

static void test_find_nothing_without_plugins(void **state)
{
    (void)state;
    char *folder = make_folder();
    struct anole_registry *registry = registry_of(folder);
    expect_none(registry, "cpu", ANOLE_ERR_NO_BACKEND, folder);
    anole_registry_destroy(registry);
    add_plugins(folder, "magic");
    registry = registry_of(folder);
    expect_none(registry, "cpu", ANOLE_ERR_NO_BACKEND, "wrong magic number");
    anole_registry_destroy(registry);
    drop_folder(folder);
}

static void test_fail_without_worker(void **state)
{
    (void)state;
    char *folder = make_folder(), *worker = strdup(getenv("ANOLE_WORKER"));
    struct anole_registry *registry = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    add_plugins(folder, "good");
    setenv("ANOLE_PLUGIN_PATH", folder, 1);
    setenv("ANOLE_PLUGIN_DIR", "", 1);
    setenv("ANOLE_WORKER", "/nonexistent/anole-worker", 1);
    assert_int_equal(anole_registry_create(&registry, 0, &error), ANOLE_ERR_SYSTEM);
    assert_contains(error.text, "/nonexistent/anole-worker");
    anole_error_clear(&error);
    setenv("ANOLE_WORKER", "anole-worker", 1);
    assert_int_equal(anole_registry_create(&registry, 0, &error), ANOLE_ERR_USAGE);
    anole_error_clear(&error);
    setenv("ANOLE_WORKER", "/bin/true", 1);
    assert_int_equal(anole_registry_create(&registry, 0, &error), ANOLE_ERR_WORKER);
    assert_contains(error.text, "does not come up");
    assert_null(registry);
    setenv("ANOLE_WORKER", worker, 1);
    free(worker);
    drop_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find_all_good_ones),
        cmocka_unit_test(test_list_refused_with_reason),
        cmocka_unit_test(test_number_devices_over_all_drivers),
        cmocka_unit_test(test_count_first_of_two_with_one_name),
        cmocka_unit_test(test_ignore_relative_and_empty_folders),
        cmocka_unit_test(test_let_variable_replace_own_folder),
        cmocka_unit_test(test_find_by_selector),
        cmocka_unit_test(test_find_only_device_without_selector),
        cmocka_unit_test(test_find_nothing_without_plugins),
        cmocka_unit_test(test_fail_without_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
