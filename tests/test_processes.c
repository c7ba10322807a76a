/* SPDX-License-Identifier: MIT
 *
 * That nothing is left behind: no process, no folder, however it ends.
 */
#include "measure_fixture.h"
#include "process_fixture.h"

#include "measure/batch.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static size_t count_entries(const char *folder)
{
    DIR *list = opendir(folder);
    size_t count = 0;
    assert_non_null(list);
    while (readdir(list))
        count++;
    closedir(list);
    return count - 2;
}

struct bench {
    char *plugins, *temporary; /* folders; all scratch folders go into the latter */
    struct anole_registry *registry;
    struct anole_generator *generator;
    struct anole_measure *measure;
    unsigned polls, stop_after;
    size_t results;
    struct anole_result last;
};

static bool stop(void *context)
{
    struct bench *bench = context;
    return bench->stop_after > 0 && ++bench->polls >= bench->stop_after;
}

static void open_bench(struct bench *bench)
{
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_task task = parse_task(SMALL_TASK);
    memset(bench, 0, sizeof *bench);
    set_mark();
    bench->plugins = make_folder();
    bench->temporary = make_folder();
    add_plugins(bench->plugins, "naughty");
    bench->registry = registry_of(bench->plugins);
    /* What is counted below is the measurement's: the registry's own worker goes with it. */
    anole_backend_ask_here(bench->registry->entries[0].backend);
    assert_done(anole_generator_create(&bench->generator, bench->registry->entries[0].backend,
                                       &bench->registry->devices[0].device, &task, &error));
    const struct anole_measure_options options = {.build_workers = 2,
                                                  .threads = 1,
                                                  .build_limit = 60,
                                                  .run_limit = 60,
                                                  .sample_time = 1e-3,
                                                  .stop = stop,
                                                  .stop_context = bench};
    setenv("TMPDIR", bench->temporary, 1);
    assert_done(anole_measure_create(&bench->measure, bench->registry, &bench->registry->devices[0],
                                     &options, &error));
    unsetenv("TMPDIR");
}

static void close_bench(struct bench *bench)
{
    anole_measure_destroy(bench->measure);
    assert_int_equal(count_entries(bench->temporary), 0);
    expect_none_left();
    anole_generator_destroy(bench->generator);
    anole_registry_destroy(bench->registry);
    drop_folder(bench->plugins);
    drop_folder(bench->temporary);
}

static uint64_t config_of(const struct bench *bench, const char *deed)
{
    static const char *const names[] = {"tile", "slow", "deed"};
    const struct anole_space *space = anole_generator_space(bench->generator);
    const struct anole_space_knob *knob = anole_space_knob(space, 2);
    int64_t values[3] = {1, 0, 0};
    uint64_t config = 0;
    struct anole_error error = {.status = ANOLE_DONE};
    for (uint32_t i = 0; i < knob->count; i++)
        if (strcmp(knob->labels[i], deed) == 0)
            values[2] = knob->values[i];
    assert_done(anole_space_lookup(space, &config, names, values, 3, &error));
    return config;
}

static enum anole_status take(void *context, size_t index, uint64_t config,
                              const struct anole_result *result, struct anole_error *error)
{
    struct bench *bench = context;
    (void)index;
    (void)config;
    (void)error;
    bench->results++;
    bench->last = *result;
    return ANOLE_DONE;
}

static enum anole_status run(struct bench *bench, const char *first, const char *second)
{
    struct anole_error error = {.status = ANOLE_DONE};
    uint64_t configs[2] = {config_of(bench, first), config_of(bench, second)};
    bench->results = 0;
    return anole_measure_batch(bench->measure, bench->generator, configs, 2, NAN, take, bench,
                               &error);
}

static void test_end_all_with_measure(void **state)
{
    (void)state;
    struct bench bench;
    pid_t found[MAX_MARKED];
    open_bench(&bench);
    assert_int_equal(run(&bench, "leave_child", "none"), ANOLE_DONE);
    assert_int_equal(bench.results, 2);
    assert_true(find_marked(found) > 4); /* workers, and what they left behind */
    close_bench(&bench);
}

static void test_end_what_dead_worker_left(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    assert_int_equal(run(&bench, "leave_child", "crash_run"), ANOLE_DONE);
    close_bench(&bench);
}

static void test_stop_while_worker_hangs(void **state)
{
    (void)state;
    static const char *const deeds[] = {"hang_build", "hang_run"};
    for (int i = 0; i < 2; i++) {
        struct bench bench;
        open_bench(&bench);
        bench.stop_after = 20;
        assert_int_equal(run(&bench, deeds[i], "none"), ANOLE_ERR_INTERRUPTED);
        bench.stop_after = 0;
        assert_int_equal(run(&bench, "none", "none"), ANOLE_DONE); /* and may go on */
        assert_int_equal(bench.last.outcome, ANOLE_OUTCOME_OK);
        close_bench(&bench);
    }
}

static void test_replace_worker_that_somebody_killed(void **state)
{
    (void)state;
    struct bench bench;
    pid_t found[MAX_MARKED];
    open_bench(&bench);
    assert_int_equal(run(&bench, "none", "none"), ANOLE_DONE);
    size_t count = find_marked(found);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++)
        kill(found[i], SIGKILL);
    expect_none_left();
    assert_int_equal(run(&bench, "none", "none"), ANOLE_DONE);
    assert_int_equal(bench.results, 2);
    assert_int_equal(bench.last.outcome, ANOLE_OUTCOME_OK);
    close_bench(&bench);
}

/* A tuner in a process of its own, that never gets to an end by itself. */
static pid_t start_tuner(struct bench *bench)
{
    pid_t tuner = fork();
    assert_true(tuner >= 0);
    if (tuner == 0) {
        run(bench, "leave_child", "hang_run");
        _exit(0);
    }
    return tuner;
}

static void test_end_all_when_tuner_is_killed(void **state)
{
    (void)state;
    static const int signals[] = {SIGKILL, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct bench bench;
        pid_t found[MAX_MARKED];
        size_t count = 0;
        open_bench(&bench);
        assert_int_equal(count_entries(bench.temporary), 1);
        pid_t tuner = start_tuner(&bench);
        /* Guard and worker of two builders and a timer, and two left children. */
        for (int wait = 0; wait < PATIENCE && count < 8; wait++) {
            pause_a_tenth();
            count = find_marked(found);
        }
        assert_true(count >= 8);
        kill(tuner, signals[i]);
        assert_int_equal(waitpid(tuner, NULL, 0), tuner);
        expect_none_left();
        assert_int_equal(count_entries(bench.temporary), 0); /* the guards' doing */
        close_bench(&bench);
    }
}

static void *run_in_thread(void *context)
{
    struct bench *bench = context;
    assert_int_equal(run(bench, "none", "none"), ANOLE_DONE);
    return NULL;
}

static void test_keep_workers_when_their_thread_ends(void **state)
{
    (void)state;
    struct bench bench;
    struct anole_measure_cost first, second;
    pthread_t thread;
    pid_t before[MAX_MARKED], after[MAX_MARKED];
    open_bench(&bench);
    assert_int_equal(pthread_create(&thread, NULL, run_in_thread, &bench), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    anole_measure_cost(bench.measure, &first);
    for (int i = 0; i < 10; i++) /* the process that made the reference goes */
        pause_a_tenth();
    size_t count = find_marked(before);
    assert_true(count >= 2); /* guard and worker, of the timer at least: builds are shared */
    for (int i = 0; i < 5; i++)
        pause_a_tenth();
    assert_int_equal(find_marked(after), count);
    assert_memory_equal(before, after, count * sizeof *before);
    assert_int_equal(run(&bench, "none", "none"), ANOLE_DONE);
    assert_int_equal(bench.last.outcome, ANOLE_OUTCOME_OK);
    anole_measure_cost(bench.measure, &second);
    assert_int_equal(second.workers_started, first.workers_started);
    assert_int_equal(second.workers_lost, 0);
    close_bench(&bench);
}

/* A process that holds what the tuner held, as children of a program do that forks. */
static void test_end_all_when_tuner_is_killed_and_its_child_lives(void **state)
{
    (void)state;
    struct bench bench;
    pid_t found[MAX_MARKED], heir = 0;
    int pipe_ends[2];
    size_t count = 0;
    open_bench(&bench);
    assert_int_equal(pipe(pipe_ends), 0);
    pid_t tuner = fork();
    assert_true(tuner >= 0);
    if (tuner == 0) {
        bool ran = run(&bench, "leave_child", "none") == ANOLE_DONE;
        heir = fork();
        if (heir == 0) {
            pause();
            _exit(0);
        }
        _exit(ran && write(pipe_ends[1], &heir, sizeof heir) == sizeof heir && pause() ? 0 : 1);
    }
    assert_int_equal(read(pipe_ends[0], &heir, sizeof heir), sizeof heir);
    count = find_marked(found);
    assert_true(count >= 4);
    kill(tuner, SIGKILL);
    assert_int_equal(waitpid(tuner, NULL, 0), tuner);
    expect_none_left();
    assert_int_equal(count_entries(bench.temporary), 0);
    assert_int_equal(kill(heir, SIGKILL), 0);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    close_bench(&bench);
}

/* What a process has open, as text: one link a line. */
static void open_files(pid_t process, char *out, size_t size)
{
    char path[64], target[256];
    size_t used = 0;
    out[0] = '\0';
    for (int descriptor = 0; descriptor < 256; descriptor++) {
        snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)process, descriptor);
        ssize_t length = readlink(path, target, sizeof target - 1);
        if (length < 0)
            continue;
        target[length] = '\0';
        used += (size_t)snprintf(out + used, size - used, "%d %s\n", descriptor, target);
        assert_true(used < size);
    }
}

static void test_give_workers_nothing_of_ours(void **state)
{
    (void)state;
    struct bench bench;
    pid_t found[MAX_MARKED];
    char files[8192], secret[512];
    open_bench(&bench);
    snprintf(secret, sizeof secret, "%s/secret", bench.plugins);
    int descriptor = open(secret, O_CREAT | O_RDWR, 0600); /* without O_CLOEXEC */
    assert_true(descriptor >= 0);
    assert_int_equal(run(&bench, "none", "none"), ANOLE_DONE);
    size_t count = find_marked(found);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        open_files(found[i], files, sizeof files);
        assert_null(strstr(files, "secret"));
        assert_contains(files, "0 /dev/null");
        assert_int_not_equal(getsid(found[i]), getsid(0)); /* Ctrl-C is not for them */
    }
    close(descriptor);
    unlink(secret);
    close_bench(&bench);
}

/* What /proc says of a process under a name, behind the colon; "" if nothing. */
static const char *proc_line(char *out, size_t size, pid_t process, const char *file,
                             const char *name)
{
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%ld/%s", (long)process, file);
    FILE *lines = fopen(path, "re");
    out[0] = '\0';
    while (lines && fgets(line, sizeof line, lines))
        if (strncmp(line, name, strlen(name)) == 0)
            snprintf(out, size, "%s", line + strlen(name));
    if (lines)
        fclose(lines);
    return out;
}

static void test_sweep_what_a_killed_tuner_left(void **state)
{
    (void)state;
    char *folder = make_folder(), *left, *held, *strange, path[512];
    struct anole_error error = {.status = ANOLE_DONE};
    const struct timespec long_ago[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    setenv("TMPDIR", folder, 1);
    assert_done(anole_scratch_create(&left, &error));
    assert_done(anole_scratch_create(&held, &error));
    assert_done(anole_scratch_create(&strange, &error)); /* without a mark */
    int first = anole_scratch_hold(left), second = anole_scratch_hold(held);
    assert_true(first >= 0 && second >= 0);
    snprintf(path, sizeof path, "%s/.in-use", left);
    close(first);
    anole_scratch_sweep();
    assert_int_equal(access(left, F_OK), 0); /* its owner may be about to lock it */
    assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
    assert_int_equal(futimens(second, long_ago), 0);
    anole_scratch_sweep();
    assert_int_not_equal(access(left, F_OK), 0);
    assert_int_equal(access(held, F_OK), 0);
    assert_int_equal(access(strange, F_OK), 0);
    unsetenv("TMPDIR");
    close(second);
    free(left);
    free(held);
    free(strange);
    drop_folder(folder);
}

static void test_take_from_workers_what_they_do_not_need(void **state)
{
    (void)state;
    struct bench bench;
    pid_t found[MAX_MARKED];
    char text[512];
    size_t confined = 0;
    open_bench(&bench);
    assert_int_equal(run(&bench, "none", "none"), ANOLE_DONE);
    size_t count = find_marked(found);
    for (size_t i = 0; i < count; i++) {
        if (atoi(proc_line(text, sizeof text, found[i], "status", "NoNewPrivs:")) != 1)
            continue; /* a guard, or one that loads no plugin */
        confined++;
        proc_line(text, sizeof text, found[i], "status", "CapEff:");
        assert_int_equal(strtoull(text, NULL, 16) & ~UINT64_C(0x80400a), 0);
        proc_line(text, sizeof text, found[i], "limits", "Max file size");
        assert_true(strtoull(text, NULL, 10) <= UINT64_C(4) << 30);
        proc_line(text, sizeof text, found[i], "limits", "Max processes");
        assert_null(strstr(text, "unlimited"));
        proc_line(text, sizeof text, found[i], "limits", "Max core file size");
        assert_int_equal(strtoull(text, NULL, 10), 0);
    }
    assert_true(confined >= 1); /* two builders and a timer, less what was not needed */
    close_bench(&bench);
}

static void test_refuse_to_work_by_hand(void **state)
{
    (void)state;
    const char *worker = getenv("ANOLE_WORKER");
    char command[1024];
    assert_non_null(worker);
    snprintf(command, sizeof command, "'%s' </dev/null >/dev/null 2>&1", worker);
    int status = system(command);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_end_all_with_measure),
        cmocka_unit_test(test_end_what_dead_worker_left),
        cmocka_unit_test(test_stop_while_worker_hangs),
        cmocka_unit_test(test_replace_worker_that_somebody_killed),
        cmocka_unit_test(test_end_all_when_tuner_is_killed),
        cmocka_unit_test(test_keep_workers_when_their_thread_ends),
        cmocka_unit_test(test_end_all_when_tuner_is_killed_and_its_child_lives),
        cmocka_unit_test(test_give_workers_nothing_of_ours),
        cmocka_unit_test(test_sweep_what_a_killed_tuner_left),
        cmocka_unit_test(test_take_from_workers_what_they_do_not_need),
        cmocka_unit_test(test_refuse_to_work_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
