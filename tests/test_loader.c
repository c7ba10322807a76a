/* SPDX-License-Identifier: MIT */
#include "measure_fixture.h"

#include <sys/stat.h>

static void expect_refusal(const char *path, enum anole_refusal expected, const char *words)
{
    struct anole_backend *backend = NULL;
    enum anole_refusal refusal = ANOLE_REFUSAL_NONE;
    struct anole_error error = {.status = ANOLE_DONE};
    assert_int_equal(anole_backend_load(&backend, &refusal, path, &error), ANOLE_ERR_PLUGIN);
    assert_int_equal(refusal, expected);
    assert_null(backend);
    assert_contains(error.text, path);
    assert_contains(error.text, words);
}

static void expect_plugin_refusal(const char *name, enum anole_refusal expected, const char *words)
{
    char path[1024];
    expect_refusal(plugin_path(path, sizeof path, name), expected, words);
}

static void test_load_good_plugin(void **state)
{
    (void)state;
    struct anole_backend *backend = load_backend("good");
    assert_string_equal(backend->plugin.name, "good");
    assert_non_null(backend->plugin.run);
    assert_true(backend->path[0] == '/');
    anole_backend_destroy(backend);
    anole_backend_destroy(NULL);
}

static void test_load_plugin_that_knows_more(void **state)
{
    (void)state;
    struct anole_backend *backend = load_backend("long");
    assert_true(backend->plugin.size > sizeof(struct anole_plugin));
    anole_backend_destroy(backend);
}

static void test_load_without_optional_op(void **state)
{
    (void)state;
    struct anole_backend *backend = load_backend("plain");
    assert_null(backend->plugin.binary);
    anole_backend_destroy(backend);
}

static void test_refuse_in_order(void **state)
{
    (void)state;
    expect_plugin_refusal("no_symbol", ANOLE_REFUSAL_NO_SYMBOL, "ANOLE_PLUGIN(");
    expect_plugin_refusal("foreign", ANOLE_REFUSAL_FOREIGN_SYMBOL, "good.so");
    expect_plugin_refusal("magic", ANOLE_REFUSAL_BAD_MAGIC, "expected 474c50454c4f4e41");
    expect_plugin_refusal("old", ANOLE_REFUSAL_ABI_TOO_OLD, "ABI 0, expected 1");
    expect_plugin_refusal("new", ANOLE_REFUSAL_ABI_TOO_NEW, "ABI 2, expected 1");
    expect_plugin_refusal("small", ANOLE_REFUSAL_TOO_SMALL, "found 64");
    expect_plugin_refusal("claim", ANOLE_REFUSAL_TOO_SMALL, "smaller than it says");
    expect_plugin_refusal("name", ANOLE_REFUSAL_BAD_NAME, "should be called other.so");
    expect_plugin_refusal("capital", ANOLE_REFUSAL_BAD_NAME, "\"Capital\"");
    expect_plugin_refusal("no_name", ANOLE_REFUSAL_BAD_NAME, "(none)");
    expect_plugin_refusal("op", ANOLE_REFUSAL_MISSING_OP, "\"release\"");
}

static void test_refuse_what_is_no_shared_object(void **state)
{
    (void)state;
    char path[1024], *folder = make_folder();
    snprintf(path, sizeof path, "%s/absent.so", folder);
    expect_refusal(path, ANOLE_REFUSAL_NOT_LOADABLE, "No such file");
    snprintf(path, sizeof path, "%s/text.so", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("this is no shared object\n", file);
    fclose(file);
    expect_refusal(path, ANOLE_REFUSAL_NOT_LOADABLE, "cannot be loaded");
    snprintf(path, sizeof path, "%s/folder.so", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    expect_refusal(path, ANOLE_REFUSAL_NOT_LOADABLE, "no regular file");
    snprintf(path, sizeof path, "%s/pipe.so", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_refusal(path, ANOLE_REFUSAL_NOT_LOADABLE, "no regular file");
    drop_folder(folder);
}

static void test_load_through_link_of_that_name(void **state)
{
    (void)state;
    char path[1024], *folder = make_folder();
    struct anole_backend *backend = NULL;
    enum anole_refusal refusal;
    struct anole_error error = {.status = ANOLE_DONE};
    add_plugins(folder, "good");
    snprintf(path, sizeof path, "%s/good.so", folder);
    assert_done(anole_backend_load(&backend, &refusal, path, &error));
    anole_backend_destroy(backend);
    drop_folder(folder);
}

static void test_name_every_refusal(void **state)
{
    (void)state;
    for (int i = 0; i < ANOLE_REFUSAL_COUNT; i++)
        assert_true(strlen(anole_refusal_text((enum anole_refusal)i)) > 0);
    assert_string_equal(anole_refusal_text(ANOLE_REFUSAL_COUNT), "refused");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load_good_plugin),
        cmocka_unit_test(test_load_plugin_that_knows_more),
        cmocka_unit_test(test_load_without_optional_op),
        cmocka_unit_test(test_refuse_in_order),
        cmocka_unit_test(test_refuse_what_is_no_shared_object),
        cmocka_unit_test(test_load_through_link_of_that_name),
        cmocka_unit_test(test_name_every_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
