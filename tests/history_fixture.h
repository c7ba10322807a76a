/* SPDX-License-Identifier: MIT
 *
 * What the tests of the history share: a folder and a space for each test, and
 * histories of which one can tell what should be in them.
 */
#ifndef HISTORY_FIXTURE_H
#define HISTORY_FIXTURE_H

#include "base/log.h"
#include "record/history.h"
#include "record/history_file.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <cmocka.h>

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ------------------------------------------------------------------- fixture */

struct fixture {
    char folder[64];
    char path[96];
    struct anole_space *space;
};

static const struct anole_history_key key __attribute__((unused)) = {
    .task = "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 bias relu",
    .backend = "cpu",
    .backend_version = "1.0",
    .generator = 3,
    .device = "AMD EPYC 9R45",
    .driver = "Portable Computing Language",
    .driver_version = "3.1",
    .threads = 2,
};

static inline struct anole_space *make_space(bool reversed)
{
    static const int64_t tiles[] = {1, 2, 4, 8, 16, 32, 64}, blocks[] = {8, 16, 32},
                         orders[] = {0, 1};
    struct anole_space *space;
    struct anole_error error = {0};
    int failed = anole_space_create(&space, &error);
    if (reversed)
        failed |= anole_space_add_knob(space, "order", true, orders, NULL, 2, 0, &error);
    failed |= anole_space_add_knob(space, "tile", false, tiles, NULL, 7, 0, &error);
    failed |= anole_space_add_knob(space, "block", false, blocks, NULL, 3, 0, &error);
    if (!reversed)
        failed |= anole_space_add_knob(space, "order", true, orders, NULL, 2, 0, &error);
    failed |= anole_space_finish(space, &error);
    if (failed)
        fail_msg("%s", error.text);
    return space;
}

static inline int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    const char *tmp = getenv("TMPDIR");
    snprintf(f->folder, sizeof f->folder, "%.40s/anole-test-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(f->folder))
        return -1;
    snprintf(f->path, sizeof f->path, "%s/net.history", f->folder);
    f->space = make_space(false);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
    anole_space_destroy(f->space);
    int failed = system(command);
    free(f);
    return failed;
}

/* ------------------------------------------------------------------- helpers */

static inline int no_sync(int fd)
{
    (void)fd;
    return 0;
}

/* Where the disk does not matter, the tests need not wait for it. */
static const struct anole_history_io quick_io = {write, no_sync, ftruncate};

static inline struct anole_history *open_history(const char *path, enum anole_history_mode mode)
{
    struct anole_history *history = NULL;
    struct anole_error error = {0};
    if (anole_history_open_with(&history, path, mode, &quick_io, &error))
        fail_msg("%s", error.text);
    return history;
}

static inline void expect_refusal(const char *path, enum anole_history_mode mode,
                                  enum anole_status status, const char *words)
{
    struct anole_history *history = NULL;
    struct anole_error error = {0};
    assert_int_equal(anole_history_open(&history, path, mode, &error), status);
    assert_null(history);
    if (!strstr(error.text, words))
        fail_msg("expected \"%s\" in: %s", words, error.text);
}

static inline struct anole_result make_result(uint64_t config)
{
    return (struct anole_result){
        .outcome = ANOLE_OUTCOME_OK,
        .samples = 12,
        .seconds = 1e-3 * (double)(config + 1) / 3.0,
        .low = 1e-3 * (double)config / 3.0,
        .high = 1e-3 * (double)(config + 2) / 3.0,
        .error = 0.0123,
        .cost = {.generate = 1e-5, .build = 0.31, .transfer = 0.002, .run = 0.05, .verify = 0.01},
    };
}

static inline struct anole_result make_failure(enum anole_outcome outcome, const char *message)
{
    struct anole_result result = {
        .outcome = outcome, .seconds = NAN, .low = NAN, .high = NAN, .error = NAN};
    snprintf(result.message, sizeof result.message, "%s", message);
    return result;
}

static inline void append(struct anole_history *history, const struct fixture *f, uint64_t config,
                          const struct anole_result *result)
{
    struct anole_error error = {0};
    if (anole_history_append(history, &key, f->space, config, result, &error))
        fail_msg("%s", error.text);
}

/* A history of ok trials of configs 0 to count - 1. */
static inline void write_history(const struct fixture *f, const char *path, uint64_t count)
{
    struct anole_history *history = open_history(path, ANOLE_HISTORY_APPEND);
    for (uint64_t config = 0; config < count; config++) {
        struct anole_result result = make_result(config);
        append(history, f, config, &result);
    }
    anole_history_close(history);
}

static inline struct anole_trials *collect(const struct anole_history *history,
                                           const struct fixture *f)
{
    struct anole_trials *trials;
    struct anole_error error = {0};
    if (anole_trials_create(&trials, &error) ||
        anole_history_collect(history, &key, f->space, trials, NULL, NULL, &error))
        fail_msg("%s", error.text);
    return trials;
}

static inline char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    *length = fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    return text;
}

static inline void write_file(const char *path, const char *text, size_t length)
{
    unlink(path); /* some file systems flush what is overwritten */
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

/* The trials in a file, each of which must be a different one of write_history(). */
static inline size_t count_good_trials(const struct fixture *f, const char *path,
                                       enum anole_history_mode mode, size_t *damaged)
{
    struct anole_history *history = open_history(path, mode);
    struct anole_trials *trials = collect(history, f);
    size_t count = anole_trials_count(trials);
    uint64_t seen = 0;
    for (size_t i = 0; i < count; i++) {
        const struct anole_trial *trial = anole_trials_get(trials, i);
        struct anole_result expected = make_result(trial->config);
        assert_true(trial->result.seconds == expected.seconds);
        assert_false(seen >> trial->config & 1);
        seen |= UINT64_C(1) << trial->config;
    }
    if (damaged)
        *damaged = anole_history_damaged(history);
    anole_trials_destroy(trials);
    anole_history_close(history);
    return count;
}

static inline bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static inline void assert_same_result(const struct anole_result *a, const struct anole_result *b)
{
    assert_int_equal(a->outcome, b->outcome);
    assert_int_equal(a->abandoned, b->abandoned);
    assert_int_equal(a->simulated, b->simulated);
    assert_int_equal(a->samples, b->samples);
    assert_true(same(a->seconds, b->seconds));
    assert_true(same(a->low, b->low));
    assert_true(same(a->high, b->high));
    assert_true(same(a->error, b->error));
    assert_true(same(a->cost.generate, b->cost.generate));
    assert_true(same(a->cost.build, b->cost.build));
    assert_true(same(a->cost.transfer, b->cost.transfer));
    assert_true(same(a->cost.run, b->cost.run));
    assert_true(same(a->cost.verify, b->cost.verify));
    assert_string_equal(a->message, b->message);
}

#endif
