/* SPDX-License-Identifier: MIT */
#include "base/hash.h"
#include "history_fixture.h"
#include "base/rng.h"

#include <sys/stat.h>

/* --------------------------------------------------------------------- damage */

static void test_file_cut_anywhere_stays_readable(void **state)
{
    struct fixture *f = *state;
    size_t length, whole = 0, newlines = 0;
    write_history(f, f->path, 4);
    char *text = read_file(f->path, &length);
    struct anole_result result = make_result(40);
    for (size_t cut = 0; cut <= length; cut++) {
        if (cut && text[cut - 1] == '\n')
            newlines++;
        whole = newlines ? newlines - 1 : 0;
        write_file(f->path, text, cut);
        size_t damaged, found = count_good_trials(f, f->path, ANOLE_HISTORY_READ, &damaged);
        /* Without its newline, a line is still whole. */
        size_t expected = cut < length && text[cut] == '\n' && newlines ? whole + 1 : whole;
        assert_int_equal(found, expected);
        assert_int_equal(damaged, 0);
        struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
        append(history, f, 40, &result);
        anole_history_close(history);
        assert_int_equal(count_good_trials(f, f->path, ANOLE_HISTORY_READ, &damaged), expected + 1);
        assert_int_equal(damaged, 0);
    }
    free(text);
}

static void test_flipped_byte_costs_one_line_at_most(void **state)
{
    struct fixture *f = *state;
    static const unsigned char masks[] = {0x01, 0x20, 0x80, 0xff};
    size_t length, damaged;
    write_history(f, f->path, 4);
    char *text = read_file(f->path, &length);
    const char *line = text;
    for (int i = 0; i < 2; i++) /* of the header and three trials before it, the third */
        line = strchr(line, '\n') + 1;
    size_t from = (size_t)(line - text), to = (size_t)(strchr(line, '\n') - text);
    for (size_t at = from; at <= to; at++) {
        for (size_t m = 0; m < sizeof masks; m++) {
            text[at] = (char)(text[at] ^ masks[m]);
            write_file(f->path, text, length);
            size_t found = count_good_trials(f, f->path, ANOLE_HISTORY_READ, &damaged);
            if (damaged != 1 || found != (at == to ? 4 : 3))
                fail_msg("byte %zu: %zu trials, %zu damaged lines", at - from, found, damaged);
            text[at] = (char)(text[at] ^ masks[m]);
        }
    }
    /* The last newline is one that a new line will follow. */
    text[length - 1] = 'x';
    write_file(f->path, text, length);
    assert_int_equal(count_good_trials(f, f->path, ANOLE_HISTORY_APPEND, &damaged), 4);
    assert_int_equal(damaged, 1);
    free(text);
}

static void test_damaged_header_does_no_harm(void **state)
{
    struct fixture *f = *state;
    size_t length, damaged;
    write_history(f, f->path, 3);
    char *text = read_file(f->path, &length);
    for (char *at = text; at <= strchr(text, '\n'); at++) {
        char was = *at;
        *at = was == '7' ? '8' : '7';
        write_file(f->path, text, length);
        assert_int_equal(count_good_trials(f, f->path, ANOLE_HISTORY_APPEND, &damaged), 3);
        assert_int_equal(damaged, 1);
        *at = was;
    }
    char *trials = strchr(text, '\n') + 1; /* no header at all */
    write_file(f->path, trials, strlen(trials));
    assert_int_equal(count_good_trials(f, f->path, ANOLE_HISTORY_APPEND, &damaged), 3);
    assert_int_equal(damaged, 0);
    free(text);
}

static void test_garbage_between_lines_is_skipped(void **state)
{
    struct fixture *f = *state;
    size_t length, damaged;
    write_history(f, f->path, 2);
    char *text = read_file(f->path, &length), *tail = strchr(text, '\n') + 1;
    FILE *file = fopen(f->path, "wb");
    assert_non_null(file);
    fwrite(text, 1, (size_t)(tail - text), file);
    for (int i = 0; i < 3000000; i++) /* longer than any buffer */
        putc(i % 7 ? 'a' : '\0', file);
    putc('\n', file);
    fputs("{\"v\":1,\"task\":\n\n<<<<<<< HEAD\n{}\n", file);
    fputs(tail, file);
    fclose(file);
    assert_int_equal(count_good_trials(f, f->path, ANOLE_HISTORY_APPEND, &damaged), 2);
    assert_int_equal(damaged, 5);
    free(text);
}

static void test_checksum_is_crc32(void **state)
{
    (void)state;
    unsigned char bytes[64];
    assert_int_equal(anole_crc32("123456789", 9), 0xcbf43926u);
    for (size_t n = 0; n < sizeof bytes; n++) {
        uint32_t crc = 0xffffffffu; /* bit by bit, as it is defined */
        for (size_t i = 0; i < n; i++) {
            crc ^= bytes[i];
            for (int bit = 0; bit < 8; bit++)
                crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
        }
        assert_int_equal(anole_crc32(bytes, n), ~crc);
        bytes[n] = (unsigned char)(n * n * 37 + 11);
    }
}

/* What a checksum does not keep out: nonsense that somebody has signed. */
static void test_signed_nonsense_does_no_harm(void **state)
{
    (void)state;
    struct anole_rng rng;
    struct anole_text line = {0};
    struct anole_history_slice knobs = {"{\"tile\":4,\"block\":-8}", 21}, key_slice = {NULL, 0};
    struct anole_result result = make_result(3);
    snprintf(result.message, sizeof result.message, "a \"message\" \n \xff");
    anole_history_line_write_key(&line, &key);
    key_slice = (struct anole_history_slice){strdup(line.data), line.length};
    anole_text_clear(&line);
    anole_history_line_write(&line, key_slice, ANOLE_METRIC_SECONDS, ANOLE_WARMTH_HOT, 17, knobs,
                             ANOLE_HISTORY_LINE_TRIAL, &result, 0);
    size_t covered = line.length - 19, intact = 0; /* ,"crc":"xxxxxxxx"} and newline */
    anole_rng_init(&rng, 5);
    for (int round = 0; round < 20000; round++) {
        struct anole_history_line parsed;
        struct anole_history_fields fields;
        char *text = malloc(line.length), names[ANOLE_MAX_KNOBS][ANOLE_KNOB_NAME], crc[9];
        int64_t values[ANOLE_MAX_KNOBS];
        size_t count;
        memcpy(text, line.data, line.length);
        for (uint64_t changes = anole_rng_below(&rng, 3); changes + 1; changes--) {
            static const char nasty[] = "0123456789-+.eE\"\\{}[]:,unl x\x80\xff";
            text[anole_rng_below(&rng, covered)] = nasty[anole_rng_below(&rng, sizeof nasty)];
        }
        snprintf(crc, sizeof crc, "%08x", (unsigned)anole_crc32(text, covered));
        memcpy(text + covered + 8, crc, 8);
        anole_history_line_parse(&parsed, text, line.length - 1);
        if (parsed.kind == ANOLE_HISTORY_LINE_TRIAL) {
            intact++;
            assert_true(anole_history_line_fields(&fields, parsed.key));
            anole_history_line_knobs(names, values, &count, parsed.knobs);
            assert_true(parsed.result.seconds >= 0.0 || parsed.result.outcome);
        }
        free(text);
    }
    assert_true(intact > 1000); /* what is changed in a name is another name */
    free((char *)key_slice.data);
    anole_text_fini(&line);
}

/* As an editor or a version control system may leave it. */
static void test_carriage_returns_do_no_harm(void **state)
{
    struct fixture *f = *state;
    size_t length, damaged;
    write_history(f, f->path, 3);
    char *text = read_file(f->path, &length);
    FILE *file = fopen(f->path, "wb");
    assert_non_null(file);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n')
            putc('\r', file);
        putc(text[i], file);
    }
    fclose(file);
    free(text);
    assert_int_equal(count_good_trials(f, f->path, ANOLE_HISTORY_READ, &damaged), 3);
    assert_int_equal(damaged, 0);
}

static void test_joined_histories_are_one(void **state)
{
    struct fixture *f = *state;
    size_t a_length, damaged;
    char joined[2 << 16];
    struct anole_result result = make_result(30),
                        crash = make_failure(ANOLE_OUTCOME_CRASH, "signal 11");
    write_history(f, f->path, 3);
    char *a = read_file(f->path, &a_length);
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    append(history, f, 30, &result); /* the other copy went on */
    append(history, f, 31, &crash);
    anole_history_close(history);
    size_t b_length;
    char *b = read_file(f->path, &b_length);
    /* What is in both counts once; the torn end of the first is joined to the
     * header of the second. */
    int length = snprintf(joined, sizeof joined, "%s{\"v\":1,\"torn%s%s", a, b, b);
    write_file(f->path, joined, (size_t)length);
    history = open_history(f->path, ANOLE_HISTORY_APPEND);
    struct anole_trials *trials = collect(history, f);
    assert_int_equal(anole_trials_count(trials), 5);
    assert_int_equal(anole_history_damaged(history), 1);
    assert_false(anole_history_quarantined(history, &key, f->space, 31));
    anole_trials_destroy(trials);
    append(history, f, 32, &result);
    anole_history_close(history);
    history = open_history(f->path, ANOLE_HISTORY_READ);
    trials = collect(history, f);
    assert_int_equal(anole_trials_count(trials), 6);
    anole_trials_destroy(trials);
    damaged = anole_history_damaged(history);
    assert_int_equal(damaged, 1);
    anole_history_close(history);
    free(a);
    free(b);
}

/* ------------------------------------------------------------------- refusals */

/* A line of a later version, or of somebody who knows one. */
static void append_signed(struct anole_text *out, const char *line)
{
    anole_text_printf(out, "%s,\"crc\":\"%08x\"}\n", line,
                      (unsigned)anole_crc32(line, strlen(line)));
    assert_false(out->failed);
}

/* Refused in both modes, and left as it was. */
static void expect_untouched(const struct fixture *f, const char *text, size_t length,
                             enum anole_status status, const char *words)
{
    size_t after;
    write_file(f->path, text, length);
    expect_refusal(f->path, ANOLE_HISTORY_READ, status, words);
    expect_refusal(f->path, ANOLE_HISTORY_APPEND, status, words);
    char *now = read_file(f->path, &after);
    assert_int_equal(after, length);
    assert_memory_equal(now, text, length);
    free(now);
}

static void test_newer_formats_are_refused(void **state)
{
    struct fixture *f = *state;
    const char *const headers[] = {"{\"anole_history\":2,\"crc\":\"00000000\"}\n",
                                   "{\"anole_history\":12,\"anything\":[]}\n{\"v\":12,...}\n",
                                   "{\"anole_history\":3}"};
    for (size_t i = 0; i < 2; i++)
        expect_untouched(f, headers[i], strlen(headers[i]), ANOLE_ERR_VERSION, "expected 1");
    expect_untouched(f, headers[2], strlen(headers[2]), ANOLE_ERR_INPUT, "no history");
    /* A file of ours that was joined with one of theirs. */
    struct anole_text joined = {0};
    size_t length;
    unlink(f->path);
    write_history(f, f->path, 2);
    char *text = read_file(f->path, &length);
    anole_text_append(&joined, text, length);
    append_signed(&joined, "{\"anole_history\":2,\"new\":true");
    expect_untouched(f, joined.data, joined.length, ANOLE_ERR_VERSION, "format 2");
    free(text);
    anole_text_fini(&joined);
}

static void test_what_is_no_history_is_left_alone(void **state)
{
    struct fixture *f = *state;
    static char large[(1 << 20) - 1];
    const char network[] = "{\n  \"name\": \"net\",\n  \"layers\": []\n}\n";
    expect_untouched(f, network, sizeof network - 1, ANOLE_ERR_INPUT, "no history");
    expect_untouched(f, "{\"a\":1}", 7, ANOLE_ERR_INPUT, "no history");
    expect_untouched(f, "\n", 1, ANOLE_ERR_INPUT, "no history");
    expect_untouched(f,
                     "\x7f"
                     "ELF\x02\x01\x01\0\0\0\n\0\0",
                     13, ANOLE_ERR_INPUT, "no history");
    memset(large, 'x', sizeof large);
    expect_untouched(f, large, sizeof large, ANOLE_ERR_INPUT, "no history");
    for (size_t i = 0; i < sizeof large; i += 50)
        large[i] = '\n';
    expect_untouched(f, large, sizeof large, ANOLE_ERR_INPUT, "no history");
}

static void test_empty_file_is_an_empty_history(void **state)
{
    struct fixture *f = *state;
    write_file(f->path, "", 0);
    assert_int_equal(count_good_trials(f, f->path, ANOLE_HISTORY_READ, NULL), 0);
    write_history(f, f->path, 2);
    assert_int_equal(count_good_trials(f, f->path, ANOLE_HISTORY_READ, NULL), 2);
}

static void test_what_is_no_file_is_refused(void **state)
{
    struct fixture *f = *state;
    char path[160];
    for (int mode = ANOLE_HISTORY_READ; mode <= ANOLE_HISTORY_APPEND; mode++) {
        enum anole_history_mode m = (enum anole_history_mode)mode;
        expect_refusal(f->folder, m, ANOLE_ERR_INPUT, "a folder");
        expect_refusal("/dev/null", m, ANOLE_ERR_INPUT, "a device");
        snprintf(path, sizeof path, "%s/fifo%d", f->folder, mode);
        assert_int_equal(mkfifo(path, 0600), 0);
        expect_refusal(path, m, ANOLE_ERR_INPUT, "a FIFO");
        snprintf(path, sizeof path, "%s/link%d", f->folder, mode);
        assert_int_equal(symlink("nowhere", path), 0);
        expect_refusal(path, m, ANOLE_ERR_INPUT, mode ? "leads nowhere" : "no such");
        snprintf(path, sizeof path, "%s/no/such", f->folder);
        if (m == ANOLE_HISTORY_APPEND)
            expect_refusal(path, m, ANOLE_ERR_SYSTEM, "No such file");
    }
    expect_refusal(f->path, ANOLE_HISTORY_READ, ANOLE_ERR_INPUT, "no such history");
}

static void test_forbidden_files_are_refused(void **state)
{
    struct fixture *f = *state;
    if (geteuid() == 0)
        skip(); /* nothing is forbidden */
    write_history(f, f->path, 1);
    assert_int_equal(chmod(f->path, 0400), 0);
    expect_refusal(f->path, ANOLE_HISTORY_APPEND, ANOLE_ERR_SYSTEM, "Permission denied");
    assert_int_equal(count_good_trials(f, f->path, ANOLE_HISTORY_READ, NULL), 1);
    assert_int_equal(chmod(f->path, 0), 0);
    expect_refusal(f->path, ANOLE_HISTORY_READ, ANOLE_ERR_SYSTEM, "Permission denied");
    assert_int_equal(unlink(f->path), 0);
    assert_int_equal(chmod(f->folder, 0500), 0);
    expect_refusal(f->path, ANOLE_HISTORY_APPEND, ANOLE_ERR_SYSTEM, "Permission denied");
    assert_int_equal(chmod(f->folder, 0700), 0);
}

static void test_history_for_reading_refuses_trials(void **state)
{
    struct fixture *f = *state;
    write_history(f, f->path, 1);
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_READ);
    struct anole_result result = make_result(1);
    assert_int_equal(anole_history_append(history, &key, f->space, 1, &result, NULL),
                     ANOLE_ERR_INTERNAL);
    anole_history_close(history);
    anole_history_close(NULL);
    assert_int_equal(count_good_trials(f, f->path, ANOLE_HISTORY_READ, NULL), 1);
}

static void test_trial_that_makes_no_sense_is_not_written(void **state)
{
    struct fixture *f = *state;
    struct anole_result result = make_result(1);
    struct anole_error error = {0};
    write_history(f, f->path, 1);
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    result.seconds = NAN; /* and ok */
    assert_int_equal(anole_history_append(history, &key, f->space, 1, &result, &error),
                     ANOLE_ERR_INTERNAL);
    result = make_result(1);
    result.outcome = ANOLE_OUTCOME_COUNT;
    assert_int_equal(anole_history_append(history, &key, f->space, 1, &result, NULL),
                     ANOLE_ERR_INTERNAL);
    anole_history_close(history);
    assert_int_equal(count_good_trials(f, f->path, ANOLE_HISTORY_READ, NULL), 1);
}

/* Somebody else changes the file, minding no lock. */
static void test_changed_file_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct anole_result result = make_result(9);
    for (int removed = 0; removed < 2; removed++) {
        struct anole_error error = {0};
        write_history(f, f->path, 2);
        struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
        assert_int_equal(removed ? unlink(f->path) : truncate(f->path, 10), 0);
        assert_int_equal(anole_history_append(history, &key, f->space, 9, &result, &error),
                         ANOLE_ERR_INPUT);
        assert_non_null(strstr(error.text, removed ? "removed" : "changed"));
        anole_history_close(history);
        unlink(f->path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_file_cut_anywhere_stays_readable),
        TEST(test_flipped_byte_costs_one_line_at_most),
        TEST(test_damaged_header_does_no_harm),
        TEST(test_garbage_between_lines_is_skipped),
        TEST(test_checksum_is_crc32),
        TEST(test_signed_nonsense_does_no_harm),
        TEST(test_carriage_returns_do_no_harm),
        TEST(test_joined_histories_are_one),
        TEST(test_newer_formats_are_refused),
        TEST(test_what_is_no_history_is_left_alone),
        TEST(test_empty_file_is_an_empty_history),
        TEST(test_what_is_no_file_is_refused),
        TEST(test_forbidden_files_are_refused),
        TEST(test_history_for_reading_refuses_trials),
        TEST(test_trial_that_makes_no_sense_is_not_written),
        TEST(test_changed_file_is_noticed),
    };
    anole_log_set_level(ANOLE_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
