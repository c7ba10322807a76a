/* SPDX-License-Identifier: MIT */
#include "history_fixture.h"
#include "base/rng.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* ----------------------------------------------------------- several processes */

static void test_second_writer_is_refused(void **state)
{
    struct fixture *f = *state;
    int ready[2], done[2];
    char byte = 0, owner[32];
    write_history(f, f->path, 3);
    assert_int_equal(pipe(ready) | pipe(done), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct anole_history *history = NULL;
        byte = anole_history_open(&history, f->path, ANOLE_HISTORY_APPEND, NULL) == ANOLE_DONE;
        (void)!write(ready[1], &byte, 1);
        (void)!read(done[0], &byte, 1);
        _exit(0); /* the lock goes with the process */
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 1);
    snprintf(owner, sizeof owner, "process %d", (int)child);
    expect_refusal(f->path, ANOLE_HISTORY_APPEND, ANOLE_ERR_IN_USE,
                   access("/proc/locks", R_OK) == 0 ? owner : "process");
    assert_int_equal(count_good_trials(f, f->path, ANOLE_HISTORY_READ, NULL), 3);
    assert_int_equal(write(done[1], &byte, 1), 1);
    assert_int_equal(waitpid(child, NULL, 0), child);
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    /* In one process, too. */
    expect_refusal(f->path, ANOLE_HISTORY_APPEND, ANOLE_ERR_IN_USE, "process");
    anole_history_close(history);
    close(ready[0]), close(ready[1]), close(done[0]), close(done[1]);
}

/* Appends trial after trial from `first` on, and acknowledges each. */
static void write_until_killed(const struct fixture *f, uint64_t first, int acknowledge)
{
    struct anole_history *history = NULL;
    if (anole_history_open(&history, f->path, ANOLE_HISTORY_APPEND, NULL))
        _exit(1);
    for (uint64_t i = first;; i++) {
        struct anole_result result = make_result(0);
        result.seconds = (double)i;
        if (anole_history_append(history, &key, f->space, i % 42, &result, NULL))
            _exit(2);
        if (write(acknowledge, &i, sizeof i) != sizeof i)
            _exit(3);
    }
}

/* Every trial up to `acknowledged` is there once, and at most one more; returns
 * the number of the next. */
static uint64_t check_acknowledged(const struct fixture *f, uint64_t acknowledged)
{
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    struct anole_trials *trials = collect(history, f);
    size_t count = anole_trials_count(trials);
    assert_true(count == acknowledged || count == acknowledged + 1);
    for (size_t i = 0; i < count; i++)
        assert_true(anole_trials_get(trials, i)->result.seconds == (double)i);
    assert_int_equal(anole_history_damaged(history), 0);
    anole_trials_destroy(trials);
    anole_history_close(history);
    return count;
}

static void test_killed_writer_loses_no_acknowledged_trial(void **state)
{
    struct fixture *f = *state;
    struct anole_rng rng;
    uint64_t next = 0;
    anole_rng_init(&rng, 12);
    for (int round = 0; round < 16; round++) {
        int acks[2];
        uint64_t number, acknowledged = next;
        assert_int_equal(pipe(acks), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(acks[0]);
            write_until_killed(f, next, acks[1]);
        }
        close(acks[1]);
        for (uint64_t wait = anole_rng_below(&rng, 5); wait; wait--) {
            assert_int_equal(read(acks[0], &number, sizeof number), sizeof number);
            acknowledged = number + 1;
        }
        usleep((useconds_t)anole_rng_below(&rng, 3000));
        kill(child, SIGKILL);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        while (read(acks[0], &number, sizeof number) == sizeof number)
            acknowledged = number + 1;
        close(acks[0]);
        next = check_acknowledged(f, acknowledged);
    }
}

/* A reader sees whole lines only, whatever the writer is at. */
static void test_reader_beside_a_writer_sees_whole_lines(void **state)
{
    struct fixture *f = *state;
    int acks[2];
    uint64_t number;
    size_t before = 0;
    assert_int_equal(pipe(acks), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        write_until_killed(f, 0, acks[1]);
    for (int i = 0; i < 30; i++) {
        assert_int_equal(read(acks[0], &number, sizeof number), sizeof number);
        struct anole_history *history = open_history(f->path, ANOLE_HISTORY_READ);
        struct anole_trials *trials = collect(history, f);
        assert_int_equal(anole_history_damaged(history), 0);
        assert_true(anole_trials_count(trials) > number);
        assert_true(anole_trials_count(trials) >= before);
        before = anole_trials_count(trials);
        anole_trials_destroy(trials);
        anole_history_close(history);
    }
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(acks[0]), close(acks[1]);
}

/* ------------------------------------------------------------- failing writes */

static void test_full_disk_leaves_the_file_as_it_was(void **state)
{
    struct fixture *f = *state;
    struct rlimit unlimited, limit;
    struct anole_error error = {0};
    struct anole_result result = make_result(9);
    size_t length, after;
    write_history(f, f->path, 3);
    char *text = read_file(f->path, &length);
    struct anole_history *history = open_history(f->path, ANOLE_HISTORY_APPEND);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
    limit = unlimited;
    limit.rlim_cur = length + 100; /* room for a part of the line */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    enum anole_status status = anole_history_append(history, &key, f->space, 9, &result, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
    assert_int_equal(status, ANOLE_ERR_SYSTEM);
    assert_non_null(strstr(error.text, strerror(EFBIG)));
    char *now = read_file(f->path, &after);
    assert_int_equal(after, length);
    assert_memory_equal(now, text, length);
    free(now);
    struct anole_trials *trials = collect(history, f);
    assert_int_equal(anole_trials_count(trials), 3);
    anole_trials_destroy(trials);
    append(history, f, 9, &result); /* there is room again */
    anole_history_close(history);
    assert_int_equal(count_good_trials(f, f->path, ANOLE_HISTORY_READ, NULL), 4);
    free(text);
}

static int fail_after; /* calls that succeed yet; then one fails */

static int fail_now(void)
{
    errno = EIO;
    return fail_after-- == 0;
}

static ssize_t failing_write(int fd, const void *data, size_t bytes)
{
    if (fail_now())
        return -1;
    return write(fd, data, bytes > 100 ? 100 : bytes); /* and never the whole */
}

static int failing_sync(int fd)
{
    return fail_now() ? -1 : fsync(fd);
}

static int failing_truncate(int fd, off_t length)
{
    return fail_now() ? -1 : ftruncate(fd, length);
}

static const struct anole_history_io failing_io = {failing_write, failing_sync, failing_truncate};

static void test_every_failing_call_leaves_the_file_as_it_was(void **state)
{
    struct fixture *f = *state;
    struct anole_result result = make_result(3);
    size_t length, after;
    write_history(f, f->path, 3);
    char *text = read_file(f->path, &length);
    for (int calls = 0;; calls++) {
        struct anole_history *history;
        struct anole_error error = {0};
        fail_after = -1;
        assert_int_equal(
            anole_history_open_with(&history, f->path, ANOLE_HISTORY_APPEND, &failing_io, NULL),
            ANOLE_DONE);
        fail_after = calls;
        enum anole_status status =
            anole_history_append(history, &key, f->space, 3, &result, &error);
        fail_after = -1;
        if (status == ANOLE_DONE) {
            anole_history_close(history);
            assert_true(calls > 5);
            break;
        }
        assert_int_equal(status, ANOLE_ERR_SYSTEM);
        assert_non_null(strstr(error.text, strerror(EIO)));
        char *now = read_file(f->path, &after);
        assert_int_equal(after, length);
        assert_memory_equal(now, text, length);
        free(now);
        anole_history_close(history);
    }
    free(text);
    assert_int_equal(count_good_trials(f, f->path, ANOLE_HISTORY_READ, NULL), 4);
}

static int sync_fails(int fd)
{
    (void)fd;
    errno = EIO;
    return -1;
}

static int truncate_fails(int fd, off_t length)
{
    (void)fd, (void)length;
    errno = EROFS;
    return -1;
}

static void test_line_that_cannot_be_taken_back_ends_the_writing(void **state)
{
    struct fixture *f = *state;
    struct anole_history_io io = {failing_write, fsync, truncate_fails};
    struct anole_history *history;
    struct anole_result result = make_result(3);
    struct anole_error error = {0};
    write_history(f, f->path, 3);
    fail_after = -1;
    assert_int_equal(anole_history_open_with(&history, f->path, ANOLE_HISTORY_APPEND, &io, NULL),
                     ANOLE_DONE);
    fail_after = 2;
    assert_int_equal(anole_history_append(history, &key, f->space, 3, &result, &error),
                     ANOLE_ERR_SYSTEM);
    assert_non_null(strstr(error.text, "torn line"));
    anole_error_clear(&error);
    assert_int_equal(anole_history_append(history, &key, f->space, 3, &result, &error),
                     ANOLE_ERR_SYSTEM);
    assert_non_null(strstr(error.text, "nothing more is written"));
    anole_history_close(history);
    assert_int_equal(count_good_trials(f, f->path, ANOLE_HISTORY_APPEND, NULL), 3);
    write_history(f, f->path, 0);
    assert_int_equal(count_good_trials(f, f->path, ANOLE_HISTORY_READ, NULL), 3);
}

static void test_history_that_cannot_be_created_is_not_left_behind(void **state)
{
    struct fixture *f = *state;
    struct anole_history_io io = {failing_write, sync_fails, ftruncate};
    struct anole_history *history = NULL;
    struct anole_error error = {0};
    fail_after = -1;
    assert_int_equal(anole_history_open_with(&history, f->path, ANOLE_HISTORY_APPEND, &io, &error),
                     ANOLE_ERR_SYSTEM);
    assert_null(history);
    assert_int_equal(access(f->path, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_second_writer_is_refused),
        TEST(test_killed_writer_loses_no_acknowledged_trial),
        TEST(test_reader_beside_a_writer_sees_whole_lines),
        TEST(test_full_disk_leaves_the_file_as_it_was),
        TEST(test_every_failing_call_leaves_the_file_as_it_was),
        TEST(test_line_that_cannot_be_taken_back_ends_the_writing),
        TEST(test_history_that_cannot_be_created_is_not_left_behind),
    };
    anole_log_set_level(ANOLE_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
