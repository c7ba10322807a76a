/* SPDX-License-Identifier: MIT */
#include "history_fixture.h"

#include "record/history_private.h"

#include <locale.h>
#include <time.h>

/* ---------------------------------------------------------------- round trips */

static void test_reopen_finds_every_field_again(void **state)
{
    struct fixture *f = *state;
    struct anole_result results[ANOLE_OUTCOME_COUNT + 3];
    size_t count = 0;
    for (int o = 0; o < ANOLE_OUTCOME_COUNT; o++)
        results[count++] = o ? make_failure((enum anole_outcome)o, "why") : make_result(0);
    results[count] = make_result(5);
    results[count].abandoned = results[count].simulated = true;
    results[count++].samples = UINT32_MAX;
    results[count] = make_result(5);
    results[count].seconds = 5e-324;
    results[count].low = -0.0;
    results[count].high = 1.7976931348623157e308;
    results[count].error = INFINITY;
    results[count].cost.build = -INFINITY;
    results[count++].cost.verify = NAN;
    results[count] = make_result(1);
    results[count].seconds = 0.1;
    results[count++].low = 1.0 / 3.0;
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    for (size_t i = 0; i < count; i++)
        append(history, f, i, &results[i]);
    for (int pass = 0; pass < 3; pass++) {
        struct anole_trials *trials = collect(history, f);
        assert_int_equal(anole_trials_count(trials), count);
        for (size_t i = 0; i < count; i++) {
            const struct anole_trial *trial = anole_trials_get(trials, i);
            assert_int_equal(trial->config, i);
            assert_same_result(&trial->result, &results[i]);
        }
        anole_trials_destroy(trials);
        anole_history_close(history);
        history = open_history(f->path, pass ? ANOLE_HISTORY_APPEND : ANOLE_HISTORY_READ);
    }
    anole_history_close(history);
}

static void test_message_may_hold_any_byte(void **state)
{
    struct fixture *f = *state;
    char bytes[256];
    for (int i = 0; i < 255; i++)
        bytes[i] = (char)(i + 1);
    bytes[255] = '\0';
    const char *const messages[] = {
        bytes,
        "\"},\"crc\":\"00000000\"}\n{\"v\":1,",
        "tab\tnewline\nquote\"backslash\\slash/ delete\x7f",
        "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\xa6\x8e",
        "\xe9 latin, \xc0\x80 overlong, \xed\xa0\x80 surrogate, \xf4\x90\x80\x80 too large, "
        "\xe2\x82",
        "\\u00e9 \\n \\",
        "",
    };
    size_t count = sizeof messages / sizeof *messages;
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    for (size_t i = 0; i < count; i++) {
        struct anole_result result = make_failure(ANOLE_OUTCOME_COMPILE, messages[i]);
        append(history, f, i, &result);
    }
    anole_history_close(history);
    history = open_history(f->path, ANOLE_HISTORY_READ);
    assert_int_equal(anole_history_damaged(history), 0);
    struct anole_trials *trials = collect(history, f);
    assert_int_equal(anole_trials_count(trials), count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(anole_trials_get(trials, i)->result.message, messages[i]);
    anole_trials_destroy(trials);
    anole_history_close(history);
}

/* Others shall be able to read it: each line is JSON, in valid UTF-8. */
static void test_lines_are_json(void **state)
{
    struct fixture *f = *state;
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    struct anole_history_key odd = key;
    struct anole_result result = make_result(3);
    odd.device = "Ge\xae\xff \"quoted\" \x01\n";
    result.error = INFINITY;
    assert_int_equal(anole_history_append(history, &odd, f->space, 3, &result, NULL), ANOLE_DONE);
    result = make_failure(ANOLE_OUTCOME_CRASH, "\x1b[31m\x80");
    assert_int_equal(anole_history_append(history, &odd, f->space, 4, &result, NULL), ANOLE_DONE);
    assert_int_equal(anole_history_begin(history, &odd, f->space, 4, NULL), ANOLE_DONE);
    anole_history_close(history);
    size_t length, lines = 0;
    char *text = read_file(f->path, &length), *rest = text, *line;
    for (size_t i = 0; i < length; i++)
        assert_true(text[i] == '\n' || (text[i] >= 0x20 && text[i] < 0x7f));
    while ((line = strsep(&rest, "\n")) && *line) {
        assert_int_equal(line[0], '{');
        assert_int_equal(line[strlen(line) - 1], '}');
        lines++;
    }
    assert_int_equal(lines, 4);
    assert_non_null(strstr(text, "{\"anole_history\":1,\"crc\":\""));
    free(text);
    history = open_history(f->path, ANOLE_HISTORY_READ);
    struct anole_history_count count;
    anole_history_count(history, &odd, &count);
    assert_int_equal(count.trials, 2);
    anole_history_close(history);
}

static void test_same_results_give_the_same_bytes(void **state)
{
    struct fixture *f = *state;
    char other[128];
    size_t lengths[2];
    snprintf(other, sizeof other, "%s.2", f->path);
    write_history(f, f->path, 20);
    write_history(f, other, 20);
    char *texts[2] = {read_file(f->path, &lengths[0]), read_file(other, &lengths[1])};
    assert_int_equal(lengths[0], lengths[1]);
    for (int i = 0; i < 2; i++) /* blank what clocks say, and what sums it up */
        for (char *at = texts[i]; (at = strstr(at, ",\"time\":\"")); at++)
            memset(at + 9, '.', strcspn(at + 9, "\n"));
    assert_string_equal(texts[0], texts[1]);
    free(texts[0]);
    free(texts[1]);
}

static void test_numbers_do_not_depend_on_the_locale(void **state)
{
    struct fixture *f = *state;
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "fr_FR.UTF-8"))
        skip();
    write_history(f, f->path, 3);
    size_t found = count_good_trials(f, f->path, ANOLE_HISTORY_READ, NULL);
    setlocale(LC_NUMERIC, "C");
    assert_int_equal(found, 3);
    assert_int_equal(count_good_trials(f, f->path, ANOLE_HISTORY_READ, NULL), 3);
}

static void test_knobs_are_found_by_name(void **state)
{
    struct fixture *f = *state;
    write_history(f, f->path, 10);
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_READ);
    struct fixture turned = {.space = make_space(true)};
    struct anole_trials *trials = collect(history, &turned);
    assert_int_equal(anole_trials_count(trials), 10);
    for (size_t i = 0; i < 10; i++) {
        char was[128], is[128];
        int64_t a[3], b[3];
        anole_space_values(f->space, i, a);
        anole_space_values(turned.space, anole_trials_get(trials, i)->config, b);
        assert_true(a[0] == b[1] && a[1] == b[2] && a[2] == b[0]);
        assert_true(anole_space_describe(f->space, was, sizeof was, i) == was);
        assert_true(anole_space_describe(turned.space, is, sizeof is, i) == is);
    }
    anole_trials_destroy(trials);
    /* A space without one of the knobs, or with another, has none of them. */
    static const int64_t one[] = {1};
    struct anole_space *poorer;
    assert_int_equal(anole_space_create(&poorer, NULL), ANOLE_DONE);
    assert_int_equal(anole_space_add_knob(poorer, "tile", false, one, NULL, 1, 0, NULL),
                     ANOLE_DONE);
    assert_int_equal(anole_space_finish(poorer, NULL), ANOLE_DONE);
    struct fixture without = {.space = poorer};
    trials = collect(history, &without);
    assert_int_equal(anole_trials_count(trials), 0);
    anole_trials_destroy(trials);
    anole_space_destroy(poorer);
    anole_space_destroy(turned.space);
    anole_history_close(history);
}

/* -------------------------------------------------------------------- looking */

static void test_collect_wants_every_field_of_the_key(void **state)
{
    struct fixture *f = *state;
    struct anole_history_key keys[10];
    for (size_t i = 0; i < 10; i++)
        keys[i] = key;
    keys[1].driver_version = "3.2";  /* near */
    keys[2].driver = "Intel OpenCL"; /* near */
    keys[3].backend_version = "1.1"; /* near */
    keys[4].generator = 4;           /* near */
    keys[5].threads = 0;             /* near */
    keys[6].task = "dense n1 i512 o1000 f32 bias";
    keys[7].backend = "gpu";
    keys[8].device = "AMD EPYC 9R46";
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    for (uint64_t i = 0; i < 10; i++) {
        struct anole_result result = make_result(i);
        assert_int_equal(anole_history_append(history, &keys[i], f->space, i, &result, NULL), 0);
    }
    for (int pass = 0; pass < 2; pass++) {
        struct anole_trials *trials;
        size_t matched, near;
        assert_int_equal(anole_trials_create(&trials, NULL), ANOLE_DONE);
        assert_int_equal(
            anole_history_collect(history, &key, f->space, trials, &matched, &near, NULL),
            ANOLE_DONE);
        assert_int_equal(matched, 2);
        assert_int_equal(near, 5);
        assert_int_equal(anole_trials_get(trials, 0)->config, 0);
        assert_int_equal(anole_trials_get(trials, 1)->config, 9);
        anole_trials_destroy(trials);
        anole_history_close(history);
        history = open_history(f->path, ANOLE_HISTORY_READ);
    }
    anole_history_close(history);
}

static void test_count_ignores_what_is_left_open(void **state)
{
    struct fixture *f = *state;
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    struct anole_history_key other = key, query = {.task = key.task};
    struct anole_history_count count;
    struct anole_result fast = make_result(1), slow = make_result(7),
                        wrong = make_failure(ANOLE_OUTCOME_WRONG_ANSWER, "off");
    anole_history_count(history, &query, &count);
    assert_int_equal(count.trials, 0);
    assert_true(isnan(count.best));
    other.device = "another";
    struct anole_result abandoned = make_result(0);
    abandoned.abandoned = true;
    append(history, f, 7, &slow);
    append(history, f, 8, &wrong);
    append(history, f, 0, &abandoned);
    assert_int_equal(anole_history_append(history, &other, f->space, 1, &fast, NULL), ANOLE_DONE);
    anole_history_count(history, &query, &count);
    assert_int_equal(count.trials, 4);
    assert_int_equal(count.by_outcome[ANOLE_OUTCOME_OK], 3);
    assert_int_equal(count.by_outcome[ANOLE_OUTCOME_WRONG_ANSWER], 1);
    assert_true(count.best == fast.seconds);
    query.device = key.device;
    query.threads = 2;
    anole_history_count(history, &query, &count);
    assert_int_equal(count.trials, 3);
    assert_true(count.best == slow.seconds);
    query.threads = 4;
    anole_history_count(history, &query, &count);
    assert_int_equal(count.trials, 0);
    anole_history_close(history);
}

/* ----------------------------------------------------------------- quarantine */

static bool quarantined(const struct fixture *f, const struct anole_history *history,
                        uint64_t config)
{
    return anole_history_quarantined(history, &key, f->space, config);
}

static void test_keys_are_listed_as_they_were_written(void **state)
{
    struct fixture *f = *state;
    struct anole_history_key second = key, third = key;
    char longest[400];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    second.device = "a \"quoted\" \\ device\n\xff caf\xc3\xa9";
    second.threads = 7;
    third.task = longest;
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    struct anole_result result = make_result(1);
    struct anole_error error = {0};
    append(history, f, 1, &result);
    assert_int_equal(anole_history_append(history, &second, f->space, 1, &result, &error), 0);
    assert_int_equal(anole_history_append(history, &third, f->space, 1, &result, &error), 0);
    append(history, f, 2, &result);
    for (int pass = 0; pass < 2; pass++) {
        struct anole_history_found found;
        size_t next = 0;
        assert_true(anole_history_next_key(history, &next, &found));
        assert_string_equal(found.key.task, key.task);
        assert_string_equal(found.key.driver_version, key.driver_version);
        assert_true(anole_history_next_key(history, &next, &found));
        assert_string_equal(found.key.device, second.device);
        assert_string_equal(found.key.backend, key.backend);
        assert_string_equal(found.key.backend_version, key.backend_version);
        assert_string_equal(found.key.driver, key.driver);
        assert_int_equal(found.key.threads, 7);
        assert_int_equal(found.key.generator, key.generator);
        assert_false(anole_history_next_key(history, &next, &found));
        anole_history_close(history);
        history = open_history(f->path, ANOLE_HISTORY_READ);
    }
    anole_history_close(history);
}

static void test_two_lost_workers_quarantine_a_config(void **state)
{
    struct fixture *f = *state;
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    struct anole_result crash = make_failure(ANOLE_OUTCOME_CRASH, "signal 11"),
                        hang = make_failure(ANOLE_OUTCOME_TIMEOUT, "10 s"),
                        wrong = make_failure(ANOLE_OUTCOME_WRONG_ANSWER, "off");
    append(history, f, 1, &crash);
    append(history, f, 2, &wrong);
    append(history, f, 2, &wrong);
    append(history, f, 2, &hang);
    assert_false(quarantined(f, history, 1));
    append(history, f, 1, &hang);
    assert_true(quarantined(f, history, 1));
    struct anole_history_key other = key;
    other.driver_version = "3.2"; /* may have mended it */
    assert_false(anole_history_quarantined(history, &other, f->space, 1));
    anole_history_close(history);
    history = open_history(f->path, ANOLE_HISTORY_APPEND);
    assert_true(quarantined(f, history, 1));
    assert_false(quarantined(f, history, 2));
    assert_false(quarantined(f, history, 3));
    append(history, f, 2, &crash);
    assert_true(quarantined(f, history, 2));
    anole_history_close(history);
}

static void test_trial_that_never_ended_counts_as_lost(void **state)
{
    struct fixture *f = *state;
    struct anole_result ok = make_result(4);
    for (int times = 1; times <= 2; times++) {
        struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
        for (uint64_t config = 4; config <= 5; config++)
            assert_int_equal(anole_history_begin(history, &key, f->space, config, NULL), 0);
        append(history, f, 4, &ok);
        struct anole_trials *trials = collect(history, f);
        assert_false(quarantined(f, history, 4));
        assert_int_equal(quarantined(f, history, 5), times == 2);
        /* Who is quarantined counts as visited. */
        assert_int_equal(anole_trials_visited(trials, 5), times == 2);
        assert_int_equal(anole_trials_count(trials), times == 2 ? 3 : 1);
        anole_trials_destroy(trials);
        struct anole_history_count count;
        anole_history_count(history, &key, &count);
        assert_int_equal(count.trials, times);
        anole_history_close(history);
    }
}

/* What claims the last number there is does not take it from what comes. */
static void test_ids_that_leave_no_room_are_no_ids(void **state)
{
    struct fixture *f = *state;
    struct anole_result ok = make_result(1);
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    struct anole_history_event event;
    uint64_t ids[3];
    size_t next = 0;
    history->store.last_id = UINT64_MAX - 1;
    append(history, f, 1, &ok);
    anole_history_close(history);
    history = open_history(f->path, ANOLE_HISTORY_APPEND);
    append(history, f, 2, &ok);
    append(history, f, 3, &ok);
    for (int i = 0; i < 3; i++) {
        assert_true(anole_history_next_event(history, &next, &event));
        ids[i] = event.id;
    }
    assert_true(ids[0] == UINT64_MAX && ids[1] > 0 && ids[2] == ids[1] + 1);
    anole_history_close(history);
}

/* --------------------------------------------------------------------- volume */

#define MANY_VALUES 4096

static struct anole_space *make_large_space(void)
{
    static int64_t values[MANY_VALUES];
    struct anole_space *space;
    struct anole_error error = {0};
    for (int i = 0; i < MANY_VALUES; i++)
        values[i] = i;
    int failed = anole_space_create(&space, &error);
    failed |= anole_space_add_knob(space, "a", false, values, NULL, MANY_VALUES, 0, &error);
    failed |= anole_space_add_knob(space, "b", false, values, NULL, 16, 0, &error);
    failed |= anole_space_finish(space, &error);
    if (failed)
        fail_msg("%s", error.text);
    return space;
}

/* Processor time, which other work does not change much, of reading a history in which `count`
 * configs crashed twice and as many were begun twice and never ended, and one of each is right. */
static double read_losses(const struct fixture *f, const struct anole_space *space, uint64_t count)
{
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    struct anole_result crash = make_failure(ANOLE_OUTCOME_CRASH, "signal 11");
    struct anole_trials *trials;
    struct anole_history_event event;
    size_t next = 0, collected, ended = 0, quarantined = 0;
    for (uint64_t i = 0; i < 2 * count; i++) {
        assert_int_equal(anole_history_begin(history, &key, space, i % count, NULL), 0);
        assert_int_equal(
            anole_history_append(history, &key, space, count + i % count, &crash, NULL), 0);
    }
    anole_history_close(history);
    clock_t start = clock();
    history = open_history(f->path, ANOLE_HISTORY_READ);
    assert_int_equal(anole_trials_create(&trials, NULL), 0);
    assert_int_equal(anole_history_collect(history, &key, space, trials, &collected, NULL, NULL),
                     0);
    while (anole_history_next_event(history, &next, &event)) {
        ended += event.ended;
        quarantined += event.quarantined;
    }
    assert_int_equal(collected, 3 * count);
    assert_int_equal(ended, 2 * count);
    assert_int_equal(quarantined, 4 * count);
    anole_trials_destroy(trials);
    anole_history_close(history);
    assert_int_equal(unlink(f->path), 0);
    return (double)(clock() - start) / CLOCKS_PER_SEC;
}

static void test_time_of_reading_losses_grows_as_they_do(void **state)
{
    struct fixture *f = *state;
    struct anole_space *space = make_large_space();
    double few = read_losses(f, space, 1000), many = read_losses(f, space, 16000);
    /* 16 times as many: squared, that would be 256 times the time. */
    if (!(many < 64 * few + 0.05))
        fail_msg("1,000 took %g s, 16,000 %g s", few, many);
    anole_space_destroy(space);
}

static void test_withdrawn_trial_is_as_if_never_begun(void **state)
{
    struct fixture *f = *state;
    struct anole_error error = {0};
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(anole_history_begin(history, &key, f->space, 5, &error), ANOLE_DONE);
        assert_int_equal(anole_history_withdraw(history, &key, f->space, 5, &error), ANOLE_DONE);
    }
    assert_false(quarantined(f, history, 5));
    anole_history_close(history);
    history = open_history(f->path, ANOLE_HISTORY_APPEND);
    assert_false(quarantined(f, history, 5));
    struct anole_trials *trials = collect(history, f);
    assert_int_equal(anole_trials_count(trials), 0);
    anole_trials_destroy(trials);
    anole_history_close(history);
}

static void test_trials_are_found_one_by_one(void **state)
{
    struct fixture *f = *state;
    struct anole_error error = {0};
    struct anole_history_event *trial = calloc(1, sizeof *trial);
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    struct anole_result ok = make_result(3), crash = make_failure(ANOLE_OUTCOME_CRASH, "lost");
    assert_non_null(trial);
    append(history, f, 3, &ok);
    append(history, f, 4, &crash);
    append(history, f, 4, &crash);
    assert_int_equal(anole_history_begin(history, &key, f->space, 3, &error), ANOLE_DONE);
    append(history, f, 3, &ok);
    assert_int_equal(anole_history_begin(history, &key, f->space, 6, &error), ANOLE_DONE);
    anole_history_close(history);
    history = open_history(f->path, ANOLE_HISTORY_READ);
    static const uint64_t ids[] = {1, 2, 3, 5, 6}; /* 4 was begun, and has ended */
    size_t next = 0;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        assert_true(anole_history_next_event(history, &next, trial));
        assert_int_equal(trial->id, ids[i]);
        assert_int_equal(trial->ended, ids[i] != 6);
        assert_int_equal(trial->quarantined, ids[i] == 2 || ids[i] == 3);
        assert_string_equal(trial->found.key.task, key.task);
        assert_int_equal(trial->knob_count, 3);
        assert_string_equal(trial->names[0], "tile");
    }
    assert_false(anole_history_next_event(history, &next, trial));
    assert_int_equal(trial->result.outcome, ANOLE_OUTCOME_CRASH); /* of the one that was begun */
    next = 0;
    assert_true(anole_history_next_event(history, &next, trial));
    assert_same_result(&trial->result, &ok);
    anole_history_close(history);
    free(trial);
}

static void test_many_trials_of_many_tasks(void **state)
{
    struct fixture *f = *state;
    enum { TASKS = 200, TRIALS = 20 };
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    struct anole_result result = make_result(1);
    char task[64];
    struct anole_history_key some = key;
    some.task = task;
    for (uint64_t i = 0; i < TASKS * TRIALS; i++) { /* one of each task in turn */
        snprintf(task, sizeof task, "custom t%d f32", (int)(i % TASKS));
        assert_int_equal(anole_history_append(history, &some, f->space, i / TASKS, &result, NULL),
                         ANOLE_DONE);
    }
    anole_history_close(history);
    history = open_history(f->path, ANOLE_HISTORY_READ);
    for (int t = 0; t < TASKS; t++) {
        struct anole_trials *trials;
        size_t matched;
        snprintf(task, sizeof task, "custom t%d f32", t);
        assert_int_equal(anole_trials_create(&trials, NULL), ANOLE_DONE);
        assert_int_equal(
            anole_history_collect(history, &some, f->space, trials, &matched, NULL, NULL),
            ANOLE_DONE);
        assert_int_equal(matched, TRIALS);
        for (size_t i = 0; i < TRIALS; i++)
            assert_int_equal(anole_trials_get(trials, i)->config, i);
        anole_trials_destroy(trials);
    }
    anole_history_close(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_reopen_finds_every_field_again),
        TEST(test_message_may_hold_any_byte),
        TEST(test_lines_are_json),
        TEST(test_same_results_give_the_same_bytes),
        TEST(test_numbers_do_not_depend_on_the_locale),
        TEST(test_knobs_are_found_by_name),
        TEST(test_collect_wants_every_field_of_the_key),
        TEST(test_count_ignores_what_is_left_open),
        TEST(test_keys_are_listed_as_they_were_written),
        TEST(test_two_lost_workers_quarantine_a_config),
        TEST(test_trial_that_never_ended_counts_as_lost),
        TEST(test_time_of_reading_losses_grows_as_they_do),
        TEST(test_ids_that_leave_no_room_are_no_ids),
        TEST(test_withdrawn_trial_is_as_if_never_begun),
        TEST(test_trials_are_found_one_by_one),
        TEST(test_many_trials_of_many_tasks),
    };
    anole_log_set_level(ANOLE_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
