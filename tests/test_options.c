/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct anole_option options[] = {
    {"device", "D", "where"},
    {"json", NULL, "how"},
    {0},
};

static const struct anole_command command = {
    .name = "verb",
    .arguments = "FILE",
    .summary = "Test",
    .options = options,
    .least = 1,
    .most = 1,
};

struct seen {
    const char *device;
    int json;
};

static enum anole_status take(void *context, size_t index, const char *value,
                              struct anole_error *error)
{
    (void)error;
    struct seen *seen = context;
    if (index == 0)
        seen->device = value;
    else
        seen->json++;
    return ANOLE_DONE;
}

static enum anole_status parse(struct seen *seen, struct anole_error *error, char **argv,
                               char ***positional)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    size_t count = 0;
    bool help;
    *error = (struct anole_error){0};
    *seen = (struct seen){0};
    return anole_options_parse(&command, argc, argv, take, seen, positional, &count, &help, error);
}

static void test_parse_takes_options_around_arguments(void **state)
{
    (void)state;
    struct seen seen;
    struct anole_error error;
    char **positional;
    char *argv[] = {"verb", "--json", "net.json", "--device", "cpu:0", NULL};
    assert_int_equal(parse(&seen, &error, argv, &positional), ANOLE_DONE);
    assert_string_equal(positional[0], "net.json");
    assert_string_equal(seen.device, "cpu:0");
    assert_int_equal(seen.json, 1);
}

static void test_parse_takes_values_after_an_equals_sign(void **state)
{
    (void)state;
    struct seen seen;
    struct anole_error error;
    char **positional;
    char *argv[] = {"verb", "--device=gpu", "net.json", NULL};
    assert_int_equal(parse(&seen, &error, argv, &positional), ANOLE_DONE);
    assert_string_equal(seen.device, "gpu");
}

static void test_parse_suggests_the_nearest_option(void **state)
{
    (void)state;
    struct seen seen;
    struct anole_error error;
    char **positional;
    char *argv[] = {"verb", "--devise", "cpu", "net.json", NULL};
    assert_int_equal(parse(&seen, &error, argv, &positional), ANOLE_ERR_USAGE);
    assert_non_null(strstr(error.text, "--devise"));
    assert_non_null(strstr(error.text, "did you mean --device"));
}

static void test_parse_refuses_a_missing_value(void **state)
{
    (void)state;
    struct seen seen;
    struct anole_error error;
    char **positional;
    char *argv[] = {"verb", "net.json", "--device", NULL};
    assert_int_equal(parse(&seen, &error, argv, &positional), ANOLE_ERR_USAGE);
    assert_non_null(strstr(error.text, "--device"));
}

static void test_parse_counts_arguments(void **state)
{
    (void)state;
    struct seen seen;
    struct anole_error error;
    char **positional;
    char *none[] = {"verb", NULL};
    char *two[] = {"verb", "a.json", "b\x1b.json", NULL};
    assert_int_equal(parse(&seen, &error, none, &positional), ANOLE_ERR_USAGE);
    assert_non_null(strstr(error.text, "FILE"));
    assert_int_equal(parse(&seen, &error, two, &positional), ANOLE_ERR_USAGE);
    assert_null(strchr(error.text, '\x1b'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_takes_options_around_arguments),
        cmocka_unit_test(test_parse_takes_values_after_an_equals_sign),
        cmocka_unit_test(test_parse_suggests_the_nearest_option),
        cmocka_unit_test(test_parse_refuses_a_missing_value),
        cmocka_unit_test(test_parse_counts_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
