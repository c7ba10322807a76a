/* SPDX-License-Identifier: MIT
 *
 * Histories as they pass by: what is counted, what of several files is joined, and what a
 * history loses when it is made smaller.
 */
#include "history_fixture.h"

#include "base/hash.h"
#include "record/history_merge.h"

#include <sys/stat.h>

/* The authors' own vector: the bytes 0, 1, ... under the key 0, 1, ... 15. */
static void test_keyed_hash_is_siphash(void **state)
{
    (void)state;
    const uint64_t expected[] = {UINT64_C(0x726fdb47dd0e0e31), UINT64_C(0x74f839c593dc67fd),
                                 UINT64_C(0x0d6c8009d9a94f5a), UINT64_C(0x85676696d7fb7e2d)};
    const uint64_t hash_key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    unsigned char bytes[15];
    for (unsigned char i = 0; i < sizeof bytes; i++)
        bytes[i] = i;
    for (size_t i = 0; i < 4; i++)
        assert_true(anole_hash_keyed(hash_key, bytes, i) == expected[i]);
    assert_true(anole_hash_keyed(hash_key, bytes, 15) == UINT64_C(0xa129ca6149be45e5));
}

static void append_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "ab");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static struct anole_history_stream *read_all(const char *path, const char *other,
                                             const struct anole_history_filter *filter)
{
    struct anole_history_stream *stream = NULL;
    struct anole_error error = {0};
    if (anole_history_stream_create(&stream, filter, &error) ||
        anole_history_stream_read(stream, path, NULL, NULL, &error) ||
        (other && anole_history_stream_read(stream, other, NULL, NULL, &error)))
        fail_msg("%s", error.text);
    return stream;
}

static void test_stream_counts_each_trial_once(void **state)
{
    struct fixture *f = *state;
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    struct anole_result good = make_result(3), bad = make_failure(ANOLE_OUTCOME_COMPILE, "no");
    append(history, f, 3, &good);
    append(history, f, 4, &bad);
    assert_int_equal(anole_history_begin(history, &key, f->space, 5, NULL), ANOLE_DONE);
    struct anole_history_key other = key;
    other.device = "Another";
    assert_int_equal(anole_history_append(history, &other, f->space, 5, &good, NULL), ANOLE_DONE);
    anole_history_close(history);
    struct anole_history_stream *stream = read_all(f->path, f->path, NULL);
    assert_int_equal(stream->row_count, 2);
    assert_int_equal(stream->repeated, 3);
    assert_int_equal(stream->rows[0].trials, 2);
    assert_int_equal(stream->rows[0].by_outcome[ANOLE_OUTCOME_COMPILE], 1);
    assert_true(stream->rows[0].best == good.seconds);
    assert_int_equal(strlen(stream->rows[0].last), 20);
    struct anole_history_found found;
    assert_true(anole_history_row_key(&found, &stream->rows[1]));
    assert_string_equal(found.key.device, "Another");
    anole_history_stream_destroy(stream);
}

static void test_filters_choose(void **state)
{
    struct fixture *f = *state;
    write_history(f, f->path, 6);
    const struct {
        struct anole_history_filter filter;
        size_t trials;
    } cases[] = {
        {{.task = "CONV 3x3"}, 6},
        {{.task = "k3x3"}, 6},
        {{.task = "dense"}, 0},
        {{.device = "epyc"}, 6},
        {{.device = "Intel"}, 0},
        {{.driver = "Language 3.1"}, 6},
        {{.driver = "3.2"}, 0},
        {{.backend = "cpu"}, 6},
        {{.outcomes = 1u << ANOLE_OUTCOME_OK}, 6},
        {{.outcomes = 1u << ANOLE_OUTCOME_CRASH}, 0},
        {{.since = "2020"}, 6},
        {{.since = "2999-01-01"}, 0},
        {{.until = "2020-01-01T00:00:00Z"}, 0},
        {{.until = "2999"}, 6},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct anole_history_stream *stream = read_all(f->path, NULL, &cases[i].filter);
        assert_int_equal(stream->row_count, 1);
        assert_int_equal(stream->rows[0].trials, cases[i].trials);
        anole_history_stream_destroy(stream);
    }
}

static void merge_ok(struct anole_history_merged *merged, const char *path, char *a, char *b)
{
    struct anole_error error = {0};
    char *others[] = {a, b};
    if (anole_history_merge(merged, path, others, b ? 2 : 1, &error))
        fail_msg("%s", error.text);
}

static void test_merge_takes_each_line_once(void **state)
{
    struct fixture *f = *state;
    char other[128], third[128];
    size_t length, again;
    struct anole_history_merged merged;
    snprintf(other, sizeof other, "%s/other", f->folder);
    snprintf(third, sizeof third, "%s/third", f->folder);
    write_history(f, f->path, 4);
    char *text = read_file(f->path, &length);
    write_file(other, text, length);
    append_text(other, "not a line\n{\"v\":99,\"id\":7,\"crc\":\"00000000\"}\n");
    free(text);
    struct anole_history *history = open_history(other, ANOLE_HISTORY_APPEND);
    struct anole_result result = make_result(5);
    append(history, f, 5, &result);
    anole_history_close(history);
    append_text(other, "{\"v\":3,\"ta");
    merge_ok(&merged, third, f->path, other);
    assert_int_equal(merged.taken, 5);
    assert_int_equal(merged.repeated, 4);
    assert_int_equal(merged.damaged, 3);
    assert_int_equal(count_good_trials(f, third, ANOLE_HISTORY_READ, &again), 5);
    assert_int_equal(again, 0);
    text = read_file(third, &length);
    merge_ok(&merged, third, other, f->path);
    assert_int_equal(merged.taken, 0);
    char *same = read_file(third, &again);
    assert_int_equal(length, again);
    assert_memory_equal(text, same, length);
    free(text);
    free(same);
}

static void test_merge_into_a_torn_history_goes_on_behind_it(void **state)
{
    struct fixture *f = *state;
    char other[128];
    size_t damaged;
    struct anole_history_merged merged;
    snprintf(other, sizeof other, "%s/other", f->folder);
    write_history(f, f->path, 2);
    write_history(f, other, 3);
    append_text(f->path, "{\"v\":3,\"ta");
    merge_ok(&merged, f->path, other, NULL);
    struct anole_history_stream *stream = read_all(f->path, NULL, NULL);
    assert_int_equal(stream->damaged, 0);
    anole_history_stream_destroy(stream);
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_READ);
    damaged = anole_history_damaged(history);
    assert_int_equal(damaged, 0);
    anole_history_close(history);
}

/* A file that is none ends it, and what was added before is taken back. */
static void test_merge_fails_as_a_whole(void **state)
{
    struct fixture *f = *state;
    char other[128], stranger[128], made[128];
    size_t before, after;
    struct anole_history_merged merged;
    struct anole_error error = {0};
    snprintf(other, sizeof other, "%s/other", f->folder);
    snprintf(stranger, sizeof stranger, "%s/stranger", f->folder);
    snprintf(made, sizeof made, "%s/made", f->folder);
    write_history(f, f->path, 2);
    write_history(f, other, 4);
    write_file(stranger, "name,seconds\nx,1\n", 17);
    char *text = read_file(f->path, &before);
    char *others[] = {other, stranger};
    assert_int_equal(anole_history_merge(&merged, f->path, others, 2, &error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "stranger"));
    char *same = read_file(f->path, &after);
    assert_int_equal(before, after);
    assert_memory_equal(text, same, before);
    assert_int_equal(anole_history_merge(&merged, made, others, 2, NULL), ANOLE_ERR_INPUT);
    struct stat info;
    assert_int_equal(stat(made, &info), -1);
    free(text);
    free(same);
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    assert_int_equal(anole_history_merge(&merged, f->path, others, 1, NULL), ANOLE_ERR_IN_USE);
    anole_history_close(history);
}

static struct anole_history_swept sweep(const char *path,
                                        const struct anole_history_filter *unwanted, bool dry)
{
    struct anole_history_swept swept;
    struct anole_error error = {0};
    if (anole_history_sweep(&swept, path, unwanted, dry, &error))
        fail_msg("%s", error.text);
    return swept;
}

static void test_sweep_loses_nothing_that_counts(void **state)
{
    struct fixture *f = *state;
    size_t length, after;
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    struct anole_result result = make_result(1);
    for (int i = 0; i < 2; i++) /* the second is never ended, and again */
        anole_history_begin(history, &key, f->space, 7, NULL);
    anole_history_begin(history, &key, f->space, 1, NULL);
    append(history, f, 1, &result);
    anole_history_begin(history, &key, f->space, 2, NULL);
    anole_history_withdraw(history, &key, f->space, 2, NULL);
    anole_history_close(history);
    char *text = read_file(f->path, &length), *line = strrchr(text, '\n');
    *line = '\0'; /* the last line once more, and rubbish */
    line = strrchr(text, '\n') + 1;
    append_text(f->path, line);
    append_text(f->path, "\nrubbish\n");
    free(text);
    assert_int_equal(chmod(f->path, 0640), 0);
    struct anole_history_swept would = sweep(f->path, NULL, true);
    text = read_file(f->path, &length);
    assert_int_equal(length, would.before);
    free(text);
    struct anole_history_swept swept = sweep(f->path, NULL, false);
    assert_memory_equal(&would, &swept, sizeof swept);
    assert_int_equal(swept.kept, 3);
    assert_int_equal(swept.ended, 3);
    assert_int_equal(swept.repeated, 1);
    assert_int_equal(swept.damaged, 1);
    free(read_file(f->path, &after));
    assert_int_equal(after, swept.after);
    struct stat info;
    assert_int_equal(stat(f->path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    history = open_history(f->path, ANOLE_HISTORY_APPEND);
    assert_true(anole_history_quarantined(history, &key, f->space, 7));
    assert_false(anole_history_quarantined(history, &key, f->space, 2));
    anole_history_close(history);
    history = open_history(f->path, ANOLE_HISTORY_READ);
    struct anole_history_count count;
    anole_history_count(history, &key, &count);
    assert_int_equal(count.trials, 1);
    anole_history_close(history);
    swept = sweep(f->path, NULL, false);
    assert_int_equal(swept.before, swept.after);
}

static void test_sweep_removes_what_is_asked_for(void **state)
{
    struct fixture *f = *state;
    write_history(f, f->path, 3);
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    struct anole_history_key old = key;
    struct anole_result result = make_result(1);
    old.driver_version = "1.8";
    assert_int_equal(anole_history_append(history, &old, f->space, 1, &result, NULL), ANOLE_DONE);
    anole_history_close(history);
    const struct anole_history_filter filter = {.driver = "Language 1.8"};
    struct anole_history_swept swept = sweep(f->path, &filter, false);
    assert_int_equal(swept.unwanted, 1);
    assert_int_equal(count_good_trials(f, f->path, ANOLE_HISTORY_READ, NULL), 3);
}

static void test_sweep_leaves_alone_what_another_writes(void **state)
{
    struct fixture *f = *state;
    struct anole_history_swept swept;
    struct anole_error error = {0};
    write_history(f, f->path, 3);
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    assert_int_equal(anole_history_sweep(&swept, f->path, NULL, false, &error), ANOLE_ERR_IN_USE);
    anole_history_close(history);
    assert_int_equal(anole_history_sweep(&swept, "/nonexistent/x", NULL, false, NULL),
                     ANOLE_ERR_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_keyed_hash_is_siphash),
        TEST(test_stream_counts_each_trial_once),
        TEST(test_filters_choose),
        TEST(test_merge_takes_each_line_once),
        TEST(test_merge_into_a_torn_history_goes_on_behind_it),
        TEST(test_merge_fails_as_a_whole),
        TEST(test_sweep_loses_nothing_that_counts),
        TEST(test_sweep_removes_what_is_asked_for),
        TEST(test_sweep_leaves_alone_what_another_writes),
    };
    anole_log_set_level(ANOLE_LEVEL_ERROR);
    return cmocka_run_group_tests_name("history_stream", tests, NULL, NULL);
}
