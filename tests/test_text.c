/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---------------------------------------------------------- growing string */

static void test_append_grows(void **state)
{
    (void)state;
    struct anole_text text = {0};
    for (int i = 0; i < 5000; i++)
        anole_text_printf(&text, "%d,", i % 10);
    anole_text_append(&text, "end", 3);
    assert_false(text.failed);
    assert_int_equal(text.length, 10003);
    assert_int_equal(strlen(text.data), text.length);
    assert_string_equal(text.data + 9998, "9,end");
    anole_text_clear(&text);
    assert_string_equal(text.data, "");
    anole_text_printf(&text, "%s", "again");
    assert_string_equal(text.data, "again");
    anole_text_fini(&text);
    assert_null(text.data);
    anole_text_fini(&text);
    anole_text_fini(NULL);
}

static void test_append_nothing_gives_a_text(void **state)
{
    (void)state;
    struct anole_text text = {0};
    anole_text_append(&text, "", 0);
    assert_string_equal(text.data, "");
    anole_text_fini(&text);
    anole_text_printf(&text, "%s", "");
    assert_string_equal(text.data, "");
    anole_text_fini(&text);
}

static void test_append_refuses_absurd_lengths(void **state)
{
    (void)state;
    struct anole_text text = {0};
    anole_text_append(&text, "abc", SIZE_MAX);
    assert_true(text.failed);
    anole_text_append(&text, "abc", 3); /* does nothing any more */
    assert_int_equal(text.length, 0);
    anole_text_clear(&text);
    anole_text_append(&text, "abc", 3);
    assert_string_equal(text.data, "abc");
    anole_text_fini(&text);
}

/* ------------------------------------------------------------ printable text */

static void test_printable_escapes_what_is_not_text(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"plain text, 100%", "plain text, 100%"},
        {"", ""},
        {"a\nb\tc\r", "a\\x0ab\\x09c\\x0d"},
        {"\x1b[2J\x07", "\\x1b[2J\\x07"},
        {"\x7f", "\\x7f"},
        {"gr\xc3\xbc\xc3\x9f \xce\xb1 \xe2\x82\xac \xf0\x9f\xa6\x8e",
         "gr\xc3\xbc\xc3\x9f \xce\xb1 "
         "\xe2\x82\xac \xf0\x9f\xa6\x8e"},
        {"\xc2\x9b"
         "31m",
         "\\xc2\\x9b31m"}, /* a control sequence of one character */
        {"a\xe2\x80\xae"
         "b",
         "a\\xe2\\x80\\xaeb"}, /* right to left from here */
        {"\xe2\x81\xa6", "\\xe2\\x81\\xa6"},
        {"\xef\xbb\xbf", "\\xef\\xbb\\xbf"},
        {"\xff\xfe", "\\xff\\xfe"},
        {"\x80", "\\x80"},
        {"\xc0\xaf", "\\xc0\\xaf"}, /* an overlong slash */
        {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* half a surrogate pair */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
        {"cut \xe2\x82", "cut \\xe2\\x82"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[128];
        assert_ptr_equal(anole_text_printable(out, sizeof out, cases[i][0]), out);
        assert_string_equal(out, cases[i][1]);
        struct anole_text text = {0};
        anole_text_append_printable(&text, cases[i][0], strlen(cases[i][0]));
        anole_text_append(&text, "", 0);
        assert_string_equal(text.data, cases[i][1]);
        anole_text_fini(&text);
    }
}

static void test_printable_truncates_between_characters(void **state)
{
    (void)state;
    char out[32];
    assert_string_equal(anole_text_printable(out, 8, "1234567"), "1234567");
    assert_string_equal(anole_text_printable(out, 8, "12345678"), "1234...");
    assert_string_equal(anole_text_printable(out, 8, "12345\n"), "1234...");
    assert_string_equal(anole_text_printable(out, 8, "1\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"),
                        "1\xe2\x82\xac...");
    assert_string_equal(anole_text_printable(out, 7, "\xe2\x82\xac\xe2\x82\xac"),
                        "\xe2\x82\xac\xe2\x82\xac");
    assert_string_equal(anole_text_printable(out, 4, "12345"), "...");
    assert_string_equal(anole_text_printable(out, 3, "12345"), "..");
    assert_string_equal(anole_text_printable(out, 1, "12345"), "");
    out[0] = 'x';
    anole_text_printable(out, 0, "12345");
    assert_int_equal(out[0], 'x');
    /* A character that the buffer cuts is one that is there. */
    for (size_t size = 1; size < sizeof out; size++) {
        anole_text_printable(out, size, "\xf0\x9f\xa6\x8e\xf0\x9f\xa6\x8e\xf0\x9f\xa6\x8e");
        assert_true(strlen(out) < size);
        assert_null(strchr(out, '\\'));
    }
}

/* -------------------------------------------------------------- near matches */

static void test_distance(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        size_t distance;
    } cases[] = {
        {"", "", 0},       {"", "abc", 3},   {"abc", "abc", 0},        {"abc", "abd", 1},
        {"abc", "acb", 1}, {"ca", "abc", 3}, {"kitten", "sitting", 3}, {"conv2d", "conv", 2}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(anole_text_distance(cases[i].a, cases[i].b), cases[i].distance);
        assert_int_equal(anole_text_distance(cases[i].b, cases[i].a), cases[i].distance);
    }
}

static void test_distance_of_long_texts_is_bounded(void **state)
{
    (void)state;
    size_t length = 1 << 20;
    char *text = malloc(length + 1);
    assert_non_null(text);
    memset(text, 'a', length);
    text[length] = '\0';
    assert_int_equal(anole_text_distance(text, text), 0);
    assert_int_equal(anole_text_distance(text, "aaaa"), length - 4);
    const char *const names[] = {"aaaa"};
    assert_null(anole_text_nearest(text, names, 1));
    free(text);
}

static void test_nearest(void **state)
{
    (void)state;
    static const char *const names[] = {"input", "conv2d", "max_pool", "add", "relu", "relu6"};
    static const char *const cases[][2] = {
        {"conv", "conv2d"}, {"Conv2D", "conv2d"}, {"maxpool", "max_pool"}, {"MAX-POOL", "max_pool"},
        {"imput", "input"}, {"relu7", "relu"},    {"ad", "add"},           {"dad", "add"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(anole_text_nearest(cases[i][0], names, COUNT(names)), cases[i][1]);
    assert_null(anole_text_nearest("transformer", names, COUNT(names)));
    assert_null(anole_text_nearest("xyz", names, COUNT(names)));
    assert_null(anole_text_nearest("", names, COUNT(names)));
    assert_null(anole_text_nearest("conv2d", names, 0));
}

/* ------------------------------------------------------------------- reading */

static void test_parse_duration(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double seconds;
    } cases[] = {{"90", 90},     {"90s", 90},
                 {"1.5s", 1.5},  {"0.25", 0.25},
                 {"3m", 180},    {"1h30m", 5400},
                 {"500ms", 0.5}, {"1s500ms", 1.5},
                 {"2d", 172800}, {"1d1h1m1s1ms", 90061.001}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        double seconds = -1;
        assert_int_equal(anole_text_parse_duration(&seconds, cases[i].text, NULL), ANOLE_DONE);
        assert_true(fabs(seconds - cases[i].seconds) < 1e-9);
    }
}

static void test_parse_duration_refuses(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",        " ",        "s",    "-1",
        "+1",      "0",        "0s",   "0.0",
        "1e3",     "inf",      "nan",  "0x1",
        "1 s",     "1sec",     "1m1h", "1s1s",
        "1h30",    "1.",       ".5",   "1.s",
        "1,5",     "9999999d", "1s ",  " 1s",
        "1\x1b[m", "1S",       "ms",   "99999999999999999999999999999999999999999999999"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        double seconds = -1;
        struct anole_error error = {0};
        assert_int_equal(anole_text_parse_duration(&seconds, cases[i], &error), ANOLE_ERR_USAGE);
        assert_true(seconds == -1);
        assert_null(strchr(error.text, '\x1b'));
        assert_non_null(strstr(error.text, "1h30m"));
    }
}

static void test_parse_u64(void **state)
{
    (void)state;
    uint64_t value = 7;
    assert_int_equal(anole_text_parse_u64(&value, "0", "it", 0, 10, NULL), ANOLE_DONE);
    assert_int_equal(value, 0);
    assert_int_equal(
        anole_text_parse_u64(&value, "18446744073709551615", "it", 0, UINT64_MAX, NULL),
        ANOLE_DONE);
    assert_true(value == UINT64_MAX);
    assert_int_equal(anole_text_parse_u64(&value, "0010", "it", 10, 10, NULL), ANOLE_DONE);
    assert_int_equal(value, 10);
}

static void test_parse_u64_refuses(void **state)
{
    (void)state;
    static const char *const cases[] = {"",
                                        "-1",
                                        "+1",
                                        " 1",
                                        "1 ",
                                        "0x1",
                                        "1.0",
                                        "1e3",
                                        "ten",
                                        "4",
                                        "11",
                                        "1\n",
                                        "18446744073709551616",
                                        "99999999999999999999999999"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t value = 7;
        struct anole_error error = {0};
        assert_int_equal(anole_text_parse_u64(&value, cases[i], "--trials", 5, 10, &error),
                         ANOLE_ERR_USAGE);
        assert_int_equal(value, 7);
        assert_non_null(strstr(error.text, "--trials is"));
        assert_non_null(strstr(error.text, "from 5 to 10"));
    }
}

/* ------------------------------------------------------------------- writing */

static void test_write_seconds(void **state)
{
    (void)state;
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {
        {1.234e-3, "1.23 ms"}, {45.6e-6, "45.6 us"}, {789e-9, "789 ns"},    {0, "0 s"},
        {1, "1.00 s"},         {59.94, "59.9 s"},    {999.6e-6, "1.00 ms"}, {9.996e-3, "10.0 ms"},
        {1234.5, "1234 s"},    {9000, "9000 s"},     {36000, "10.0 h"},     {1e9, "11574 d"},
        {-0.5, "-500 ms"},     {NAN, "-"},           {INFINITY, "-"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[32];
        assert_ptr_equal(anole_text_seconds(out, sizeof out, cases[i].seconds), out);
        assert_string_equal(out, cases[i].text);
    }
}

static void test_write_bytes(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {{0, "0 B"},
                 {1023, "1023 B"},
                 {1024, "1 KiB"},
                 {1536, "1.5 KiB"},
                 {512 << 10, "512 KiB"},
                 {2 << 20, "2 MiB"},
                 {(1 << 20) - 1, "1 MiB"},
                 {UINT64_C(3) << 40, "3 TiB"},
                 {UINT64_MAX, "16 EiB"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[32];
        assert_string_equal(anole_text_bytes(out, sizeof out, cases[i].bytes), cases[i].text);
    }
}

static void test_write_count(void **state)
{
    (void)state;
    char out[32];
    assert_string_equal(anole_text_count(out, sizeof out, 0), "0");
    assert_string_equal(anole_text_count(out, sizeof out, 999), "999");
    assert_string_equal(anole_text_count(out, sizeof out, 1000), "1,000");
    assert_string_equal(anole_text_count(out, sizeof out, 1234567), "1,234,567");
    assert_string_equal(anole_text_count(out, sizeof out, UINT64_MAX),
                        "18,446,744,073,709,551,615");
    assert_string_equal(anole_text_count(out, 4, 1234567), "1,2");
}

/* ------------------------------------------------------------------------ log */

static void count_call(void *context)
{
    ++*(int *)context;
}

/* What `work` writes to stderr. */
static char *captured(void (*work)(void))
{
    static char text[4096];
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    assert_true(saved >= 0);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    work();
    fflush(stderr);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    rewind(file);
    size_t length = fread(text, 1, sizeof text - 1, file);
    text[length] = '\0';
    fclose(file);
    return text;
}

static void log_each(void)
{
    anole_log_error("it is %d", 1);
    anole_log_warning("it is %d", 2);
    anole_log_info("it is %d", 3);
    anole_log_debug("it is %d", 4);
}

static void log_outside_text(void)
{
    anole_log_info("found %s", "\x1b[31mred\x07\nanole: all is well\n\n");
    anole_log_info("%s", "");
    anole_log_info("a\tb");
}

static void log_long(void)
{
    errno = ENOENT;
    anole_log_info("%*s", 2000, "x");
    assert_int_equal(errno, ENOENT);
}

static void test_log_levels_and_prefixes(void **state)
{
    (void)state;
    assert_string_equal(captured(log_each),
                        "anole: it is 1\nanole: warning: it is 2\nanole: it is 3\n");
    anole_log_set_level(ANOLE_LEVEL_DEBUG);
    assert_non_null(strstr(captured(log_each), "\nanole: debug: it is 4\n"));
    anole_log_set_level(ANOLE_LEVEL_ERROR);
    assert_string_equal(captured(log_each), "anole: it is 1\n");
    anole_log_set_level(ANOLE_LEVEL_INFO);
}

static void test_log_calls_the_hook_before_each_line(void **state)
{
    (void)state;
    int calls = 0;
    anole_log_set_hook(count_call, &calls);
    captured(log_each);
    anole_log_set_hook(NULL, NULL);
    captured(log_each);
    assert_int_equal(calls, 3);
}

static void test_log_makes_outside_text_safe(void **state)
{
    (void)state;
    assert_string_equal(captured(log_outside_text),
                        "anole: found \\x1b[31mred\\x07\n    anole: all is well\nanole: \n"
                        "anole: a b\n");
}

static void test_log_writes_long_messages_whole(void **state)
{
    (void)state;
    assert_int_equal(strlen(captured(log_long)), strlen("anole: ") + 2000 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append_grows),
        cmocka_unit_test(test_append_nothing_gives_a_text),
        cmocka_unit_test(test_append_refuses_absurd_lengths),
        cmocka_unit_test(test_printable_escapes_what_is_not_text),
        cmocka_unit_test(test_printable_truncates_between_characters),
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_distance_of_long_texts_is_bounded),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_parse_duration),
        cmocka_unit_test(test_parse_duration_refuses),
        cmocka_unit_test(test_parse_u64),
        cmocka_unit_test(test_parse_u64_refuses),
        cmocka_unit_test(test_write_seconds),
        cmocka_unit_test(test_write_bytes),
        cmocka_unit_test(test_write_count),
        cmocka_unit_test(test_log_levels_and_prefixes),
        cmocka_unit_test(test_log_calls_the_hook_before_each_line),
        cmocka_unit_test(test_log_makes_outside_text_safe),
        cmocka_unit_test(test_log_writes_long_messages_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
