/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct anole_json_place place = {"some.json", "layer \"a\""};

static char folder[] = "/tmp/anole-test-json-XXXXXX";

/* A path in the test's own folder; good until the fourth call after. */
static const char *in_folder(const char *name)
{
    static char paths[4][512];
    static int next;
    next = (next + 1) % 4;
    snprintf(paths[next], sizeof paths[next], "%s/%s", folder, name);
    return paths[next];
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int count_files(void)
{
    DIR *directory = opendir(folder);
    int count = 0;
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static void remove_files(void)
{
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        if (entry->d_name[0] != '.' && unlink(in_folder(entry->d_name)) != 0)
            rmdir(in_folder(entry->d_name));
    if (directory)
        closedir(directory);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    remove_files();
    return rmdir(folder);
}

static int empty_folder(void **state)
{
    (void)state;
    remove_files();
    return 0;
}

/* ------------------------------------------------------------------- reading */

static void test_read_file(void **state)
{
    (void)state;
    char *text;
    size_t length;
    put("a", "some text\n");
    assert_int_equal(anole_file_read(&text, &length, in_folder("a"), 0, NULL), ANOLE_DONE);
    assert_string_equal(text, "some text\n");
    assert_int_equal(length, 10);
    free(text);
    put("empty", "");
    assert_int_equal(anole_file_read(&text, &length, in_folder("empty"), 0, NULL), ANOLE_DONE);
    assert_string_equal(text, "");
    assert_int_equal(length, 0);
    free(text);
}

static void test_read_file_with_unknown_size(void **state)
{
    (void)state;
    char *text;
    size_t length;
    /* Its size is 0 as far as stat() knows. */
    assert_int_equal(anole_file_read(&text, &length, "/proc/self/status", 0, NULL), ANOLE_DONE);
    assert_true(length > 100);
    free(text);
}

static void test_read_file_respects_the_limit(void **state)
{
    (void)state;
    char *text = NULL;
    size_t length;
    struct anole_error error = {0};
    put("a", "12345678");
    assert_int_equal(anole_file_read(&text, &length, in_folder("a"), 8, NULL), ANOLE_DONE);
    free(text);
    text = NULL;
    assert_int_equal(anole_file_read(&text, &length, in_folder("a"), 7, &error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "too large; expected at most 7 B"));
    assert_null(text);
    /* A file with a hole takes no space, but is too large to read. */
    assert_int_equal(truncate(in_folder("a"), (off_t)1 << 40), 0);
    assert_int_equal(anole_file_read(&text, &length, in_folder("a"), 1 << 20, NULL),
                     ANOLE_ERR_INPUT);
    assert_null(text);
}

static void test_read_file_refuses_what_is_no_file(void **state)
{
    (void)state;
    char *text = NULL;
    size_t length;
    static const char *const cases[][2] = {{"folder", "a folder"},
                                           {"fifo", "a FIFO"},
                                           {"missing", "no such file"},
                                           {"link", "a device"}};
    assert_int_equal(mkdir(in_folder("folder"), 0700), 0);
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_int_equal(symlink("/dev/zero", in_folder("link")), 0);
    for (size_t i = 0; i < 4; i++) {
        struct anole_error error = {0};
        assert_int_equal(anole_file_read(&text, &length, in_folder(cases[i][0]), 0, &error),
                         ANOLE_ERR_INPUT);
        assert_non_null(strstr(error.text, cases[i][1]));
        assert_null(text);
    }
}

static void test_read_file_makes_its_name_printable(void **state)
{
    (void)state;
    char *text;
    size_t length;
    struct anole_error error = {0};
    assert_int_equal(anole_file_read(&text, &length, "a\x1b[31m\n", 0, &error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "a\\x1b[31m\\x0a: "));
}

/* ------------------------------------------------------------------ replacing */

static void expect_content(const char *name, const char *content)
{
    char *text;
    size_t length;
    assert_int_equal(anole_file_read(&text, &length, in_folder(name), 0, NULL), ANOLE_DONE);
    assert_string_equal(text, content);
    free(text);
}

static void test_replace_file(void **state)
{
    (void)state;
    struct stat info;
    assert_int_equal(anole_file_replace(in_folder("a"), "one", 3, NULL), ANOLE_DONE);
    expect_content("a", "one");
    assert_int_equal(chmod(in_folder("a"), 0640), 0);
    assert_int_equal(anole_file_replace(in_folder("a"), "", 0, NULL), ANOLE_DONE);
    expect_content("a", "");
    assert_int_equal(stat(in_folder("a"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
    assert_int_equal(count_files(), 1);
}

static void test_replace_file_respects_the_umask(void **state)
{
    (void)state;
    struct stat info;
    mode_t old = umask(027);
    assert_int_equal(anole_file_replace(in_folder("a"), "one", 3, NULL), ANOLE_DONE);
    umask(old);
    assert_int_equal(stat(in_folder("a"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
}

static void test_replace_file_in_the_current_folder(void **state)
{
    (void)state;
    char *before = getcwd(NULL, 0);
    assert_non_null(before);
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(anole_file_replace("plain", "one", 3, NULL), ANOLE_DONE);
    assert_int_equal(chdir(before), 0);
    free(before);
    expect_content("plain", "one");
}

static void test_replace_file_follows_a_link(void **state)
{
    (void)state;
    struct stat info;
    put("real", "old");
    assert_int_equal(symlink("real", in_folder("link")), 0);
    assert_int_equal(anole_file_replace(in_folder("link"), "new", 3, NULL), ANOLE_DONE);
    assert_int_equal(lstat(in_folder("link"), &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    expect_content("real", "new");
    assert_int_equal(count_files(), 2);
}

static void test_replace_file_refuses_what_is_no_file(void **state)
{
    (void)state;
    struct anole_error error = {0};
    assert_int_equal(mkdir(in_folder("folder"), 0700), 0);
    assert_int_equal(anole_file_replace(in_folder("folder"), "x", 1, &error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "a folder"));
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_int_equal(anole_file_replace(in_folder("fifo"), "x", 1, NULL), ANOLE_ERR_INPUT);
    assert_int_equal(symlink("/dev/null", in_folder("link")), 0);
    assert_int_equal(anole_file_replace(in_folder("link"), "x", 1, NULL), ANOLE_ERR_INPUT);
    assert_int_equal(anole_file_replace(in_folder("missing/a"), "x", 1, NULL), ANOLE_ERR_SYSTEM);
    assert_int_equal(anole_file_replace(in_folder("fifo/a"), "x", 1, NULL), ANOLE_ERR_SYSTEM);
    assert_int_equal(count_files(), 3);
}

static void test_replace_file_that_fails_leaves_the_old_one(void **state)
{
    (void)state;
    static char large[1 << 16];
    struct rlimit before, tight;
    struct anole_error error = {0};
    put("a", "old");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight = before;
    tight.rlim_cur = 4096;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    enum anole_status old = anole_file_replace(in_folder("a"), large, sizeof large, &error);
    enum anole_status new = anole_file_replace(in_folder("b"), large, sizeof large, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(old, ANOLE_ERR_SYSTEM);
    assert_int_equal(new, ANOLE_ERR_SYSTEM);
    assert_non_null(strstr(error.text, "cannot be written"));
    expect_content("a", "old");
    assert_int_equal(count_files(), 1); /* neither b nor a temporary file */
}

static void test_replace_file_passes_by_what_is_in_the_way(void **state)
{
    (void)state;
    char name[64];
    snprintf(name, sizeof name, "a.tmp%ld-0", (long)getpid());
    assert_int_equal(symlink("elsewhere", in_folder(name)), 0);
    assert_int_equal(anole_file_replace(in_folder("a"), "new", 3, NULL), ANOLE_DONE);
    expect_content("a", "new");
    assert_int_equal(access(in_folder("elsewhere"), F_OK), -1);
    assert_int_equal(count_files(), 2);
}

/* ------------------------------------------------------------------- parsing */

static json_t *parsed(const char *text)
{
    json_t *root = NULL;
    struct anole_error error = {0};
    if (anole_json_parse(&root, text, strlen(text), "some.json", &error))
        fail_msg("%s", error.text);
    return root;
}

static void test_parse_refuses(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "some.json: the file is empty"},
        {" \n", "some.json: the file is empty"},
        {"{\n\"a\": 1,\n\"a\": 2}", "some.json:3:"},
        {"{\"a\": 1} x", "some.json:1:"},
        {"{\"a\": \"\x1b\"}", "some.json:1:"},
        {"{'a': 1}", "near"},
        {"{\"a\": 1,}", "comma"},
        {"[1, 2", "some.json:1:"},
        {"{\"a\": \"\\u0000\"}", "some.json:1:"},
        {"{\"\\u0000\": 1}", "some.json:1:"},
        {"{\"a\": NaN}", "some.json:1:"},
        {"{\"a\": 0x10}", "some.json:1:"},
        {"{\"a\": 01}", "some.json:1:"},
        {"{\"a\": 1e999}", "some.json:1:"},
        {"{\"a\": \"\xff\"}", "some.json:1:"},
        {"{\"a\": \"\\ud800\"}", "some.json:1:"},
        {"17", "some.json:1:"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *root = NULL;
        struct anole_error error = {0};
        assert_int_equal(
            anole_json_parse(&root, cases[i][0], strlen(cases[i][0]), "some.json", &error),
            ANOLE_ERR_INPUT);
        assert_null(root);
        assert_non_null(strstr(error.text, cases[i][1]));
        assert_non_null(strstr(error.text, "expected"));
        assert_null(strchr(error.text, '\x1b'));
    }
}

static void test_parse_reads_only_what_it_is_given(void **state)
{
    (void)state;
    json_t *root = NULL;
    assert_int_equal(anole_json_parse(&root, "{\"a\": 1}garbage", 8, "p", NULL), ANOLE_DONE);
    json_decref(root);
    assert_int_equal(anole_json_parse(&root, "{}\0{}", 5, "p", NULL), ANOLE_ERR_INPUT);
    struct anole_error error = {0};
    assert_int_equal(anole_json_parse(&root, "    ", 2, "p", &error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "empty"));
}

static void test_parse_refuses_deep_nesting(void **state)
{
    (void)state;
    size_t depth = 1000000;
    char *text = malloc(depth);
    json_t *root = NULL;
    struct anole_error error = {0};
    assert_non_null(text);
    memset(text, '[', depth);
    assert_int_equal(anole_json_parse(&root, text, depth, "p", &error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "depth"));
    free(text);
}

static void test_load(void **state)
{
    (void)state;
    json_t *root = NULL;
    struct anole_error error = {0};
    put("a", "{\"a\": [1, 2.5, null]}");
    assert_int_equal(anole_json_load(&root, in_folder("a"), 0, NULL), ANOLE_DONE);
    assert_int_equal(json_array_size(json_object_get(root, "a")), 3);
    json_decref(root);
    root = NULL;
    assert_int_equal(anole_json_load(&root, in_folder("a"), 5, NULL), ANOLE_ERR_INPUT);
    assert_int_equal(anole_json_load(&root, in_folder("none"), 0, &error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "none: there is no such file"));
    assert_null(root);
}

/* -------------------------------------------------------------------- fields */

static void test_only_accepts_known_keys(void **state)
{
    (void)state;
    static const char *const keys[] = {"kernel", "stride", NULL};
    struct anole_error error = {0};
    json_t *object = parsed("{\"stride\": 1}");
    assert_int_equal(anole_json_only(object, keys, &place, NULL), ANOLE_DONE);
    json_object_set_new(object, "kernal\x1b", json_null());
    assert_int_equal(anole_json_only(object, keys, &place, &error), ANOLE_ERR_INPUT);
    assert_string_equal(error.text, "some.json: layer \"a\": unknown key \"kernal\\x1b\"; did you "
                                    "mean \"kernel\"?; expected one of: kernel, stride");
    json_decref(object);
}

static void test_get_fields(void **state)
{
    (void)state;
    const char *text;
    uint64_t whole;
    double number;
    json_t *array, *inner;
    json_t *object = parsed("{\"t\": \"x\", \"u\": 9223372036854775807, \"n\": 2, \"r\": -1.5, "
                            "\"nan\": null, \"a\": [], \"o\": {}}");
    assert_int_equal(anole_json_text(&text, object, "t", &place, NULL), ANOLE_DONE);
    assert_string_equal(text, "x");
    assert_int_equal(anole_json_u64(&whole, object, "u", 0, UINT64_MAX, &place, NULL), ANOLE_DONE);
    assert_true(whole == INT64_MAX);
    assert_int_equal(anole_json_number(&number, object, "r", &place, NULL), ANOLE_DONE);
    assert_true(number == -1.5);
    assert_int_equal(anole_json_number(&number, object, "nan", &place, NULL), ANOLE_DONE);
    assert_true(isnan(number));
    assert_int_equal(anole_json_array(&array, object, "a", &place, NULL), ANOLE_DONE);
    assert_int_equal(anole_json_object(&inner, object, "o", &place, NULL), ANOLE_DONE);
    json_decref(object);
}

static void test_get_refuses_other_types_and_missing_fields(void **state)
{
    (void)state;
    const char *text = NULL;
    uint64_t whole = 7;
    double number = 7;
    json_t *value = NULL;
    json_t *object = parsed("{\"t\": \"x\", \"u\": 5, \"minus\": -5, \"r\": 5.0, \"a\": [], \"b\": "
                            "true}");
    static const char *const keys[] = {"t", "u", "minus", "r", "a", "b", "missing"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct anole_error error = {0};
        if (strcmp(keys[i], "t") != 0)
            assert_int_equal(anole_json_text(&text, object, keys[i], &place, &error),
                             ANOLE_ERR_INPUT);
        assert_int_equal(anole_json_u64(&whole, object, keys[i], 6, 9, &place, &error),
                         ANOLE_ERR_INPUT);
        if (!strchr("umr", keys[i][0]))
            assert_int_equal(anole_json_number(&number, object, keys[i], &place, &error),
                             ANOLE_ERR_INPUT);
        if (strcmp(keys[i], "a") != 0)
            assert_int_equal(anole_json_array(&value, object, keys[i], &place, &error),
                             ANOLE_ERR_INPUT);
        assert_int_equal(anole_json_object(&value, object, keys[i], &place, &error),
                         ANOLE_ERR_INPUT);
        assert_non_null(strstr(error.text, "some.json: layer \"a\": \""));
        assert_non_null(strstr(error.text, "expected"));
    }
    assert_null(text);
    assert_null(value);
    assert_int_equal(whole, 7);
    assert_true(number == 7);
    json_decref(object);
}

static void test_found_describes_values(void **state)
{
    (void)state;
    json_t *array = parsed("[{}, [], [1, \"a\\u0007\\u007f\"], \"t\\u001b\", 5, 2.0, 0.5, true, "
                           "false, null, [1,2,3,4,5,6,7,8,9]]");
    static const char *const expected[] = {"an object",
                                           "an array of 0",
                                           "the array [1, \"a\\u0007\\x7f\"]",
                                           "the text \"t\\x1b\"",
                                           "the number 5",
                                           "the number 2.0",
                                           "the number 0.5",
                                           "true",
                                           "false",
                                           "null",
                                           "an array of 9"};
    char out[128];
    for (size_t i = 0; i < json_array_size(array); i++)
        assert_string_equal(anole_json_found(out, sizeof out, json_array_get(array, i)),
                            expected[i]);
    assert_string_equal(anole_json_found(out, sizeof out, NULL), "nothing");
    json_decref(array);
}

static void test_real_turns_nan_into_null(void **state)
{
    (void)state;
    const double numbers[] = {NAN, INFINITY, -INFINITY, 0.25};
    for (size_t i = 0; i < 4; i++) {
        json_t *value = anole_json_real(numbers[i]);
        assert_true(i < 3 ? json_is_null(value) : json_real_value(value) == 0.25);
        json_decref(value);
    }
}

#define ALONE(test) cmocka_unit_test_setup_teardown(test, empty_folder, empty_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALONE(test_read_file),
        ALONE(test_read_file_with_unknown_size),
        ALONE(test_read_file_respects_the_limit),
        ALONE(test_read_file_refuses_what_is_no_file),
        ALONE(test_read_file_makes_its_name_printable),
        ALONE(test_replace_file),
        ALONE(test_replace_file_respects_the_umask),
        ALONE(test_replace_file_in_the_current_folder),
        ALONE(test_replace_file_follows_a_link),
        ALONE(test_replace_file_refuses_what_is_no_file),
        ALONE(test_replace_file_that_fails_leaves_the_old_one),
        ALONE(test_replace_file_passes_by_what_is_in_the_way),
        ALONE(test_parse_refuses),
        ALONE(test_parse_reads_only_what_it_is_given),
        ALONE(test_parse_refuses_deep_nesting),
        ALONE(test_load),
        ALONE(test_only_accepts_known_keys),
        ALONE(test_get_fields),
        ALONE(test_get_refuses_other_types_and_missing_fields),
        ALONE(test_found_describes_values),
        ALONE(test_real_turns_nan_into_null),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
