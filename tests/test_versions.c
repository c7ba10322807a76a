/* SPDX-License-Identifier: MIT
 *
 * Histories and lock files of other versions of Anole: what is known in them is read, and
 * what is not is neither lost nor in the way.  What the first release wrote is in
 * tests/data/release-96a419c, named after its last commit; nobody mends those files.
 */
#include "history_fixture.h"

#include "base/hash.h"
#include "base/file.h"
#include "op/task.h"
#include "record/lockfile.h"

/* A trial of config 1 or so of history_fixture.h, as another version may put it. */
#define KEY_TEXT                                                                                   \
    "\"task\":\"conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 bias relu\","                \
    "\"backend\":\"cpu\",\"backend_version\":\"1.0\",\"generator\":3,"                             \
    "\"device\":\"AMD EPYC 9R45\",\"driver\":\"Portable Computing Language\","                     \
    "\"driver_version\":\"3.1\",\"threads\":2"
#define KNOBS_TEXT "\"knobs\":{\"tile\":4,\"block\":16,\"order\":1}"
#define TIMES_TEXT                                                                                 \
    "\"seconds\":0.25,\"low\":0.125,\"high\":0.5,\"samples\":7,\"error\":0.5,"                     \
    "\"abandoned\":false,\"simulated\":false,\"message\":\"\""
#define COST_TEXT "\"cost\":{\"generate\":1,\"build\":2,\"transfer\":3,\"run\":4,\"verify\":5}"
#define TIME_TEXT "\"time\":\"2027-01-31T12:00:00Z\""

static void append_signed(struct anole_text *out, const char *line)
{
    anole_text_printf(out, "%s,\"crc\":\"%08x\"}\n", line,
                      (unsigned)anole_crc32(line, strlen(line)));
    assert_false(out->failed);
}

/* A history whose second line is `line`. */
static void write_with(const struct fixture *f, const char *line)
{
    struct anole_text text = {0};
    append_signed(&text, "{\"anole_history\":1");
    append_signed(&text, line);
    write_file(f->path, text.data, text.length);
    anole_text_fini(&text);
}

static void expect_trial(const struct anole_trials *trials)
{
    assert_int_equal(anole_trials_count(trials), 1);
    const struct anole_result *result = &anole_trials_get(trials, 0)->result;
    assert_int_equal(result->outcome, ANOLE_OUTCOME_OK);
    assert_int_equal(result->metric, ANOLE_METRIC_SECONDS);
    assert_true(result->seconds == 0.25 && result->low == 0.125 && result->high == 0.5);
    assert_true(result->samples == 7 && result->cost.verify == 5.0);
}

/* --------------------------------------------------------------- what is read */

static void test_lines_with_more_members_are_read(void **state)
{
    struct fixture *f = *state;
    const char *const lines[] = {
        /* as the first release wrote it */
        "{\"v\":1," KEY_TEXT ",\"id\":9," KNOBS_TEXT ",\"outcome\":\"ok\"," TIMES_TEXT "," COST_TEXT
        "," TIME_TEXT,
        "{\"v\":2," KEY_TEXT ",\"metric\":\"seconds\",\"id\":9," KNOBS_TEXT
        ",\"outcome\":\"ok\"," TIMES_TEXT "," COST_TEXT "," TIME_TEXT,
        /* with members that nobody knows yet, of every kind and in every place */
        "{\"v\":1,\"clock\":\"own\"," KEY_TEXT ",\"id\":9," KNOBS_TEXT
        ",\"outcome\":\"ok\"," TIMES_TEXT "," COST_TEXT "," TIME_TEXT ",\"disturbed\":false",
        "{\"v\":2," KEY_TEXT ",\"timed\":\"hot\",\"metric\":\"seconds\",\"id\":9," KNOBS_TEXT
        ",\"outcome\":\"ok\",\"more\":{\"a\":[1,-2.5e3,null,{\"b\":\"]}\\\"\"}],\"seconds\":7},"
        "\"none\":[]," TIMES_TEXT ",\"joules\":1e-3,\"cost\":{\"generate\":1,\"build\":2,"
        "\"upload\":9,\"transfer\":3,\"run\":4,\"verify\":5}," TIME_TEXT,
        /* in another order */
        "{\"v\":2," TIME_TEXT "," COST_TEXT ",\"outcome\":\"ok\"," TIMES_TEXT "," KNOBS_TEXT
        ",\"id\":9,\"metric\":\"seconds\",\"threads\":2,\"driver_version\":\"3.1\","
        "\"driver\":\"Portable Computing Language\",\"device\":\"AMD EPYC 9R45\","
        "\"generator\":3,\"backend_version\":\"1.0\",\"backend\":\"cpu\","
        "\"task\":\"conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 bias relu\"",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        write_with(f, lines[i]);
        struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
        assert_int_equal(anole_history_damaged(history), 0);
        assert_int_equal(anole_history_newer(history), 0);
        struct anole_trials *trials = collect(history, f);
        expect_trial(trials);
        anole_trials_destroy(trials);
        /* A trial of today is one under the same key. */
        struct anole_result result = make_result(3);
        append(history, f, 3, &result);
        trials = collect(history, f);
        assert_int_equal(anole_trials_count(trials), 2);
        anole_trials_destroy(trials);
        anole_history_close(history);
        size_t length;
        char *text = read_file(f->path, &length);
        assert_non_null(strstr(text, lines[i])); /* as it was */
        assert_non_null(strstr(text, "{\"v\":2,\"task\":"));
        assert_non_null(strstr(text, "\"threads\":2,\"metric\":\"seconds\",\"id\":10,"));
        free(text);
    }
}

static void test_long_messages_are_cut_off(void **state)
{
    struct fixture *f = *state;
    struct anole_text line = {0};
    anole_text_printf(&line, "{\"v\":2," KEY_TEXT ",\"metric\":\"seconds\",\"id\":9," KNOBS_TEXT
                             ",\"outcome\":\"crash\",\"seconds\":null,\"low\":null,\"high\":null,"
                             "\"samples\":0,\"error\":null,\"abandoned\":false,"
                             "\"simulated\":false,\"message\":\"");
    for (int i = 0; i < 300; i++)
        anole_text_printf(&line, "\\u00%02x", 0x80 + i % 64);
    anole_text_printf(&line, "\"," COST_TEXT "," TIME_TEXT);
    write_with(f, line.data);
    anole_text_fini(&line);
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_READ);
    struct anole_trials *trials = collect(history, f);
    assert_int_equal(anole_trials_count(trials), 1);
    const struct anole_result *result = &anole_trials_get(trials, 0)->result;
    assert_int_equal(strlen(result->message), sizeof result->message - 1);
    assert_int_equal((unsigned char)result->message[65], 0x81);
    anole_trials_destroy(trials);
    anole_history_close(history);
}

static void test_what_a_line_must_have_is_missed(void **state)
{
    struct fixture *f = *state;
    const char *const lines[] = {
        /* no knobs; no time; no cost; a cost without a part; no metric in version 2 */
        "{\"v\":1," KEY_TEXT ",\"id\":9,\"outcome\":\"ok\"," TIMES_TEXT "," COST_TEXT "," TIME_TEXT,
        "{\"v\":1," KEY_TEXT ",\"id\":9," KNOBS_TEXT ",\"outcome\":\"ok\"," TIMES_TEXT
        "," COST_TEXT,
        "{\"v\":1," KEY_TEXT ",\"id\":9," KNOBS_TEXT ",\"outcome\":\"ok\"," TIMES_TEXT
        "," TIME_TEXT,
        "{\"v\":1," KEY_TEXT ",\"id\":9," KNOBS_TEXT ",\"outcome\":\"ok\"," TIMES_TEXT
        ",\"cost\":{\"generate\":1}," TIME_TEXT,
        "{\"v\":2," KEY_TEXT ",\"id\":9," KNOBS_TEXT ",\"outcome\":\"ok\"," TIMES_TEXT "," COST_TEXT
        "," TIME_TEXT,
        /* of another type; twice; nothing where something must be; a bracket too few */
        "{\"v\":1," KEY_TEXT ",\"id\":\"9\"," KNOBS_TEXT ",\"outcome\":\"ok\"," TIMES_TEXT
        "," COST_TEXT "," TIME_TEXT,
        "{\"v\":1," KEY_TEXT ",\"id\":9,\"id\":9," KNOBS_TEXT ",\"outcome\":\"ok\"," TIMES_TEXT
        "," COST_TEXT "," TIME_TEXT,
        "{\"v\":1," KEY_TEXT ",\"id\":9,\"x\":," KNOBS_TEXT ",\"outcome\":\"ok\"," TIMES_TEXT
        "," COST_TEXT "," TIME_TEXT,
        "{\"v\":1," KEY_TEXT ",\"id\":9," KNOBS_TEXT ",\"outcome\":\"ok\"," TIMES_TEXT "," COST_TEXT
        "," TIME_TEXT ",\"x\":[[1]",
        /* ok, and without a time */
        "{\"v\":1," KEY_TEXT ",\"id\":9," KNOBS_TEXT ",\"outcome\":\"ok\",\"seconds\":null,"
        "\"low\":1,\"high\":1,\"samples\":7,\"error\":0.5,\"abandoned\":false,"
        "\"simulated\":false,\"message\":\"\"," COST_TEXT "," TIME_TEXT,
        "{\"v\":0," KEY_TEXT ",\"id\":9," KNOBS_TEXT ",\"outcome\":\"ok\"," TIMES_TEXT "," COST_TEXT
        "," TIME_TEXT,
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        write_with(f, lines[i]);
        struct anole_history *history = open_history(f->path, ANOLE_HISTORY_READ);
        if (anole_history_damaged(history) != 1 || anole_history_newer(history) != 0)
            fail_msg("line %zu: %zu damaged, %zu newer", i, anole_history_damaged(history),
                     anole_history_newer(history));
        anole_history_close(history);
    }
}

/* ------------------------------------------------------------ what is passed over */

static void test_newer_lines_are_kept_and_left_out(void **state)
{
    struct fixture *f = *state;
    const char *const lines[] = {
        "{\"v\":5," KEY_TEXT ",\"id\":41,\"knobs\":[4,16],\"what\":{\"is\":[\"new\"]}",
        "{\"v\":99,\"nothing\":\"that we know\"",
        "{\"v\":2," KEY_TEXT ",\"metric\":\"joules\",\"id\":42," KNOBS_TEXT
        ",\"outcome\":\"ok\"," TIMES_TEXT "," COST_TEXT "," TIME_TEXT,
        "{\"v\":2," KEY_TEXT ",\"metric\":\"seconds\",\"id\":40," KNOBS_TEXT
        ",\"outcome\":\"unstable\"," TIMES_TEXT "," COST_TEXT "," TIME_TEXT,
        "{\"v\":3," KEY_TEXT ",\"metric\":\"seconds\",\"timing\":\"in place\",\"id\":39," KNOBS_TEXT
        ",\"outcome\":\"ok\"," TIMES_TEXT "," COST_TEXT "," TIME_TEXT,
    };
    struct anole_text text = {0};
    size_t length, count = sizeof lines / sizeof *lines;
    write_history(f, f->path, 2);
    char *before = read_file(f->path, &length);
    anole_text_append(&text, before, length);
    for (size_t i = 0; i < count; i++)
        append_signed(&text, lines[i]);
    write_file(f->path, text.data, text.length);
    free(before);
    for (int pass = 0; pass < 2; pass++) {
        struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
        assert_int_equal(anole_history_damaged(history), 0);
        assert_int_equal(anole_history_newer(history), count);
        struct anole_trials *trials = collect(history, f);
        assert_int_equal(anole_trials_count(trials), 2 + pass);
        anole_trials_destroy(trials);
        struct anole_result result = make_result(7);
        if (pass == 0)
            append(history, f, 7, &result);
        anole_history_close(history);
    }
    char *after = read_file(f->path, &length);
    assert_true(length > text.length);
    assert_memory_equal(after, text.data, text.length);
    assert_non_null(strstr(after + text.length, "\"id\":43,")); /* numbers are given once */
    free(after);
    anole_text_fini(&text);
}

/* Whose clock it was stands with each trial; older versions leave out what a device timed itself.
 */
static void test_clocks_are_recorded(void **state)
{
    struct fixture *f = *state;
    struct anole_error error = {0};
    size_t length;
    write_history(f, f->path, 1);
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    for (int i = 1; i < ANOLE_TIMER_COUNT; i++) {
        struct anole_result result = make_result(0);
        result.outcome = ANOLE_OUTCOME_OK;
        result.seconds = 1.0;
        result.timer = (enum anole_timer)i;
        assert_int_equal(
            anole_history_append(history, &key, f->space, (uint64_t)i, &result, &error),
            ANOLE_DONE);
    }
    anole_history_close(history);
    history = open_history(f->path, ANOLE_HISTORY_READ);
    struct anole_trials *trials = collect(history, f);
    assert_int_equal(anole_trials_count(trials), ANOLE_TIMER_COUNT);
    for (int i = 0; i < ANOLE_TIMER_COUNT; i++)
        assert_int_equal(anole_trials_get(trials, (size_t)i)->result.timer, i);
    anole_trials_destroy(trials);
    anole_history_close(history);
    char *text = read_file(f->path, &length);
    assert_null(strstr(text, "unsaid"));
    assert_non_null(strstr(text, "},\"clock\":\"host\","));
    char *own = strstr(text, "{\"v\":4,");
    assert_non_null(own);
    assert_non_null(strstr(own, "\"clock\":\"own\""));
    assert_null(strstr(own + 1, "{\"v\":"));
    free(text);
}

/* What was timed with hot caches and with cold ones stands side by side; older versions know the
 * first alone. */
static void test_hot_and_cold_are_kept_apart(void **state)
{
    struct fixture *f = *state;
    struct anole_error error = {0};
    struct anole_history_key cold = key;
    struct anole_trials *trials;
    struct anole_history_count count;
    struct anole_history_found found;
    size_t length, next = 0, keys = 0;
    cold.warmth = ANOLE_WARMTH_COLD;
    write_history(f, f->path, 2);
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    struct anole_result result = make_result(5);
    result.seconds = 9.5; /* slower than those timed hot */
    result.disturbed = 3;
    result.crowding = 0.34375;
    assert_int_equal(anole_history_append(history, &cold, f->space, 5, &result, &error),
                     ANOLE_DONE);
    for (int pass = 0; pass < 2; pass++) {
        trials = collect(history, f);
        assert_int_equal(anole_trials_count(trials), 2);
        assert_true(anole_trials_get(trials, 0)->result.crowding == 0.0);
        anole_trials_destroy(trials);
        assert_int_equal(anole_trials_create(&trials, &error), ANOLE_DONE);
        assert_int_equal(
            anole_history_collect(history, &cold, f->space, trials, NULL, NULL, &error),
            ANOLE_DONE);
        assert_int_equal(anole_trials_count(trials), 1);
        assert_true(anole_trials_get(trials, 0)->result.crowding == 0.34375);
        assert_int_equal(anole_trials_get(trials, 0)->result.disturbed, 3);
        anole_trials_destroy(trials);
        anole_history_count(history, &key, &count);
        assert_int_equal(count.trials, 3);
        assert_true(count.best == 9.5);
        assert_int_equal(count.warmth, ANOLE_WARMTH_COLD);
        anole_history_close(history);
        history = open_history(f->path, ANOLE_HISTORY_READ); /* as it is read again */
    }
    while (anole_history_next_key(history, &next, &found))
        assert_int_equal(found.key.warmth, keys++ == 0 ? ANOLE_WARMTH_HOT : ANOLE_WARMTH_COLD);
    assert_int_equal(keys, 2);
    anole_history_close(history);
    char *text = read_file(f->path, &length);
    assert_null(strstr(text, "\"timing\":\"hot\""));
    char *line = strstr(text, "{\"v\":3,");
    assert_non_null(line);
    assert_null(strstr(line + 1, "{\"v\":"));
    assert_non_null(strstr(line, "\"metric\":\"seconds\",\"timing\":\"cold\",\"id\":3,"));
    assert_non_null(strstr(line, "},\"disturbed_samples\":3,\"crowding\":0.34375,\"time\":"));
    free(text);
}

/* ---------------------------------------------------------------- lock files */

static struct anole_lockfile *parse_lockfile(const char *text)
{
    struct anole_lockfile *lockfile = NULL;
    struct anole_error error = {0};
    if (anole_lockfile_parse(&lockfile, text, strlen(text), "test", &error))
        fail_msg("%s", error.text);
    return lockfile;
}

#define DEVICE_TEXT(device, more)                                                                  \
    "{\"id\": \"cpu:0\", \"backend\": \"cpu\", \"backend_version\": \"1\", \"generator\": 1, "     \
    "\"device\": \"" device                                                                        \
    "\", \"driver\": \"p\", \"driver_version\": \"3\", \"threads\": 0, " more "\"tasks\": ["
#define TASK_TEXT(key)                                                                             \
    "{\"task\": \"" key "\", \"multiplicity\": 1, \"knobs\": {\"tile\": 4}, \"seconds\": 0.5, "    \
    "\"low\": 0.25, \"high\": 1.0, \"default_seconds\": 0.75, \"speedup\": 1.5, "                  \
    "\"speedup_low\": 1.25, \"speedup_high\": 2.0, \"tie\": false, "                               \
    "\"source_hash\": \"fedcba9876543210\", \"trials\": 9"
#define DENSE "dense n1 i32 o10 f32 bias"

/* What is saved, and is the same when it is loaded and saved once more. */
static char *save_text(const struct fixture *f, const struct anole_lockfile *lockfile)
{
    char path[160], *text[2];
    struct anole_lockfile *again = NULL;
    struct anole_error error = {0};
    size_t length;
    snprintf(path, sizeof path, "%s/lock", f->folder);
    for (int i = 0; i < 2; i++) {
        if (anole_lockfile_save(i ? again : lockfile, path, &error) ||
            anole_file_read(&text[i], &length, path, 0, &error))
            fail_msg("%s", error.text);
        if (i == 0 && anole_lockfile_load(&again, path, &error))
            fail_msg("%s", error.text);
    }
    assert_string_equal(text[0], text[1]);
    anole_lockfile_destroy(again);
    free(text[1]);
    return text[0];
}

static void expect_in(const char *text, const char *part, size_t times)
{
    size_t found = 0;
    for (const char *at = text; (at = strstr(at, part)); at++)
        found++;
    if (found != times)
        fail_msg("expected %zu times, found %zu times: %s\nin: %s", times, found, part, text);
}

static void test_unknown_members_are_written_back(void **state)
{
    static const char text[] =
        "{\"anole_lock\": 1, \"network\": \"n\", \"network_path\": \"n.json\", "
        "\"made_by\": {\"anole\": \"9.0\"}, \"devices\": [" DEVICE_TEXT(
            "one", "\"governor\": \"performance\", ")
            TASK_TEXT(DENSE) ", \"joules\": 0.12345678901234559, \"timed\": [\"hot\", "
                             "null]}]}, " DEVICE_TEXT("two", "\"clock\": 1, ")
                                 TASK_TEXT(DENSE) ", \"timed\": \"cold\"}]}]}";
    struct anole_lockfile *lockfile = parse_lockfile(text);
    struct anole_error error = {0};
    assert_int_equal(lockfile->device_count, 2);
    assert_true(lockfile->devices[0].tasks[0].value == 0.5);
    char *saved = save_text(*state, lockfile);
    expect_in(saved, "\"anole_lock\": 2", 1);
    expect_in(saved, "\"metric\": \"seconds\"", 2);
    expect_in(saved, "\"made_by\": {\"anole\": \"9.0\"}", 1);
    expect_in(saved, "\"governor\": \"performance\"", 1);
    expect_in(saved, ", \"joules\": 0.12345678901234559, \"timed\": [\"hot\", null]}", 1);
    expect_in(saved, "\"timed\": \"cold\"", 1);
    free(saved);
    /* A run that found the same kernel again; then one that found another. */
    struct anole_lock_task task = lockfile->devices[0].tasks[0];
    struct anole_lock_device device = lockfile->devices[0];
    task.extra = device.extra = NULL;
    task.value = 0.375;
    device.tasks = &task;
    for (int i = 0; i < 2; i++) {
        task.source_hash += (uint64_t)i;
        assert_int_equal(anole_lockfile_put(lockfile, &device, &error), ANOLE_DONE);
        saved = save_text(*state, lockfile);
        expect_in(saved, "\"seconds\": 0.375", 1);
        expect_in(saved, "\"governor\": \"performance\"", 1);
        expect_in(saved, "\"joules\"", i == 0);
        expect_in(saved, "\"timed\": \"cold\"", 1);
        free(saved);
        if (i == 0) { /* `task` borrows what was replaced */
            task.task = lockfile->devices[0].tasks[0].task;
            task.knobs = lockfile->devices[0].tasks[0].knobs;
            device = lockfile->devices[0];
            device.extra = NULL;
            device.tasks = &task;
        }
    }
    anole_lockfile_destroy(lockfile);
}

/* Devices and tasks that mean something only to a later version, of format 2. */
static void test_newer_entries_are_written_back(void **state)
{
    static const char text[] =
        "{\"anole_lock\": 2, \"network\": \"n\", \"network_path\": \"n.json\", "
        "\"devices\": [" DEVICE_TEXT(
            "one", "\"precision\": \"int3\", \"metric\": "
                   "\"seconds\", ") "]}, " DEVICE_TEXT("one", "\"metric\": \"seconds\", ")
            TASK_TEXT("attention n1 h8 f32") "}, " TASK_TEXT(DENSE) "}]}, " DEVICE_TEXT(
                "one", "\"metric\": \"joules\", ") "{\"joules\": 7}]}]}";
    struct anole_lockfile *lockfile = parse_lockfile(text);
    struct anole_error error = {0};
    assert_int_equal(lockfile->device_count, 1);
    assert_int_equal(lockfile->devices[0].task_count, 1);
    assert_string_equal(lockfile->devices[0].tasks[0].task, DENSE);
    struct anole_lock_device device = lockfile->devices[0];
    device.unread = NULL;
    for (int i = 0; i < 2; i++) {
        char *saved = save_text(*state, lockfile);
        expect_in(saved, "\"precision\": \"int3\"", 1);
        expect_in(saved, TASK_TEXT("attention n1 h8 f32") "}", 1);
        expect_in(saved, "\"metric\": \"joules\"", 1);
        expect_in(saved, "\"tasks\": [{\"joules\": 7}]", 1);
        free(saved);
        /* Tuned again, here. */
        struct anole_lock_task task = lockfile->devices[0].tasks[0];
        device = lockfile->devices[0];
        device.unread = NULL;
        device.tasks = &task;
        if (i == 0)
            assert_int_equal(anole_lockfile_put(lockfile, &device, &error), ANOLE_DONE);
    }
    anole_lockfile_destroy(lockfile);
}

/* In the first version nothing was ever added: what is unknown there is a mistake. */
static void test_nonsense_in_the_first_version_is_refused(void **state)
{
    static const char *const texts[] = {
        "{\"anole_lock\": 1, \"network\": \"n\", \"network_path\": \"n.json\", \"devices\": "
        "[" DEVICE_TEXT("one", "\"precision\": \"int3\", ") "]}]}",
        "{\"anole_lock\": 1, \"network\": \"n\", \"network_path\": \"n.json\", \"devices\": "
        "[" DEVICE_TEXT("one", "") TASK_TEXT("attention n1 h8 f32") "}]}]}",
        /* and in the second, what an entry must have */
        "{\"anole_lock\": 2, \"network\": \"n\", \"network_path\": \"n.json\", \"devices\": "
        "[" DEVICE_TEXT("one", "") TASK_TEXT(DENSE) "}]}]}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct anole_lockfile *lockfile = NULL;
        struct anole_error error = {0};
        assert_int_equal(
            anole_lockfile_parse(&lockfile, texts[i], strlen(texts[i]), "test", &error),
            ANOLE_ERR_INPUT);
        assert_null(lockfile);
        assert_non_null(strstr(error.text, "device 1"));
    }
}

/* ---------------------------------------------------------- the first release */

static void released(char *out, size_t size, const char *name)
{
    const char *data = getenv("ANOLE_TEST_DATA");
    snprintf(out, size, "%s/release-96a419c/%s", data ? data : "tests/data", name);
}

static enum anole_status count_trial(void *context, const struct anole_history_trial *trial,
                                     struct anole_error *error)
{
    size_t *count = context;
    (void)error;
    assert_int_equal(trial->result.outcome, ANOLE_OUTCOME_OK);
    assert_int_equal(trial->result.metric, ANOLE_METRIC_SECONDS);
    assert_true(trial->result.seconds > 0 && trial->result.low <= trial->result.seconds);
    assert_true(trial->knob_count > 0 && trial->result.cost.build > 0);
    ++*count;
    return ANOLE_DONE;
}

static void test_history_of_the_first_release_is_read(void **state)
{
    struct fixture *f = *state;
    char path[512];
    size_t length, longer, next = 0, keys = 0, trials = 0, lines = 0;
    released(path, sizeof path, "tiny.jsonl");
    char *text = read_file(path, &length);
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    write_file(f->path, text, length);
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    struct anole_history_found found, first;
    assert_int_equal(anole_history_damaged(history), 0);
    assert_int_equal(anole_history_newer(history), 0);
    while (anole_history_next_key(history, &next, &found)) {
        struct anole_error error = {0};
        assert_int_equal(anole_history_visit(history, &found.key, count_trial, &trials, &error),
                         ANOLE_DONE);
        if (keys++ == 0)
            first = found;
    }
    assert_int_equal(keys, 6);
    assert_int_equal(trials, lines - 1);
    assert_int_equal(trials, 18);
    /* What is added stands behind it, under the same key. */
    struct anole_history_count before, after;
    struct anole_result result = make_result(0);
    struct anole_error error = {0};
    first.key = (struct anole_history_key){
        first.texts[0], first.texts[1], first.texts[2],    first.key.generator,  first.texts[3],
        first.texts[4], first.texts[5], first.key.threads, ANOLE_METRIC_SECONDS, ANOLE_WARMTH_HOT};
    anole_history_count(history, &first.key, &before);
    assert_int_equal(anole_history_append(history, &first.key, f->space, 0, &result, &error),
                     ANOLE_DONE);
    anole_history_count(history, &first.key, &after);
    assert_int_equal(after.trials, before.trials + 1);
    anole_history_close(history);
    char *now = read_file(f->path, &longer);
    assert_true(longer > length);
    assert_memory_equal(now, text, length);
    free(now);
    free(text);
}

/* A space of every value that the trials of a key have. */
struct knob_values {
    size_t knob_count, counts[ANOLE_MAX_KNOBS];
    char names[ANOLE_MAX_KNOBS][ANOLE_KNOB_NAME];
    int64_t values[ANOLE_MAX_KNOBS][32];
};

static enum anole_status gather_values(void *context, const struct anole_history_trial *trial,
                                       struct anole_error *error)
{
    struct knob_values *all = context;
    (void)error;
    all->knob_count = trial->knob_count;
    for (size_t k = 0; k < trial->knob_count; k++) {
        size_t i = 0;
        memcpy(all->names[k], trial->names[k], sizeof all->names[k]);
        while (i < all->counts[k] && all->values[k][i] != trial->values[k])
            i++;
        if (i == all->counts[k] && i < 32)
            all->values[k][all->counts[k]++] = trial->values[k];
    }
    return ANOLE_DONE;
}

static void test_tuning_resumes_from_the_first_release(void **state)
{
    char path[512];
    struct anole_history_found found;
    size_t next = 0, resumed = 0;
    (void)state;
    released(path, sizeof path, "tiny.jsonl");
    struct anole_history *history = open_history(path, ANOLE_HISTORY_READ);
    while (anole_history_next_key(history, &next, &found)) {
        struct knob_values *all = calloc(1, sizeof *all);
        struct anole_space *space;
        struct anole_trials *trials;
        size_t matched = 0;
        assert_non_null(all);
        assert_int_equal(anole_history_visit(history, &found.key, gather_values, all, NULL),
                         ANOLE_DONE);
        assert_int_equal(anole_space_create(&space, NULL), ANOLE_DONE);
        for (size_t k = 0; k < all->knob_count; k++)
            assert_int_equal(anole_space_add_knob(space, all->names[k], true, all->values[k], NULL,
                                                  all->counts[k], 0, NULL),
                             ANOLE_DONE);
        assert_int_equal(anole_space_finish(space, NULL), ANOLE_DONE);
        assert_int_equal(anole_trials_create(&trials, NULL), ANOLE_DONE);
        assert_int_equal(
            anole_history_collect(history, &found.key, space, trials, &matched, NULL, NULL),
            ANOLE_DONE);
        assert_non_null(anole_trials_best(trials));
        resumed += matched;
        anole_trials_destroy(trials);
        anole_space_destroy(space);
        free(all);
    }
    assert_int_equal(resumed, 18);
    anole_history_close(history);
}

static void test_lock_file_of_the_first_release_is_read(void **state)
{
    char path[512];
    struct anole_lockfile *lockfile = NULL;
    struct anole_error error = {0};
    released(path, sizeof path, "tiny.lock");
    if (anole_lockfile_load(&lockfile, path, &error))
        fail_msg("%s", error.text);
    assert_string_equal(lockfile->network, "tiny");
    assert_int_equal(lockfile->device_count, 1);
    const struct anole_lock_device *device = &lockfile->devices[0];
    assert_int_equal(device->metric, ANOLE_METRIC_SECONDS);
    assert_int_equal(device->task_count, 6);
    for (size_t i = 0; i < device->task_count; i++) {
        assert_true(device->tasks[i].value > 0 && device->tasks[i].knob_count > 0);
        assert_true(device->tasks[i].source_hash != 0 && device->tasks[i].trials > 0);
    }
    char *saved = save_text(*state, lockfile);
    expect_in(saved, "\"default_seconds\": ", 6);
    free(saved);
    anole_lockfile_destroy(lockfile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_lines_with_more_members_are_read),
        TEST(test_long_messages_are_cut_off),
        TEST(test_what_a_line_must_have_is_missed),
        TEST(test_newer_lines_are_kept_and_left_out),
        TEST(test_clocks_are_recorded),
        TEST(test_hot_and_cold_are_kept_apart),
        TEST(test_unknown_members_are_written_back),
        TEST(test_newer_entries_are_written_back),
        TEST(test_nonsense_in_the_first_version_is_refused),
        TEST(test_history_of_the_first_release_is_read),
        TEST(test_tuning_resumes_from_the_first_release),
        TEST(test_lock_file_of_the_first_release_is_read),
    };
    anole_log_set_level(ANOLE_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
