/* SPDX-License-Identifier: MIT
 *
 * How kernels are timed: what is cold and how, what becomes of samples that other work
 * disturbed, and that other work is noticed.
 */
#include "measure_fixture.h"

#include "base/watch.h"
#include "exec/cold.h"
#include "exec/runner.h"
#include "exec/timing.h"
#include "plugin/generator.h"

#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MEGA ((uint64_t)1 << 20)

/* --------------------------------------------------------------- what is cold */

static struct anole_device make_device(uint64_t l2, uint64_t l3)
{
    return (struct anole_device){.size = sizeof(struct anole_device),
                                 .type = ANOLE_DEVICE_CPU,
                                 .cache_l2 = l2,
                                 .cache_l3 = l3,
                                 .global_memory = 8192 * MEGA};
}

static void test_descriptions_that_lie_are_not_believed(void **state)
{
    (void)state;
    struct anole_caches caches;
    struct anole_device device = make_device(2 * MEGA, 300 * MEGA);
    anole_caches_of(&caches, &device);
    assert_true(caches.stays == 2 * MEGA && caches.last == 300 * MEGA);
    assert_string_equal(caches.doubt, "");
    static const uint64_t lies[] = {0, 1, (uint64_t)1 << 63, UINT64_MAX};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        device = make_device(2 * MEGA, lies[i]);
        device.cache_l2 = i == 0 ? 0 : 2 * MEGA;
        anole_caches_of(&caches, &device);
        assert_true(caches.last == 64 * MEGA);
        assert_contains(caches.doubt, "cannot be");
        device = make_device(lies[i], 300 * MEGA);
        anole_caches_of(&caches, &device);
        assert_true(caches.stays == MEGA && caches.last == 300 * MEGA);
        assert_contains(caches.doubt, "timed as if it had 1024 kB");
    }
    device = make_device(50 * MEGA, 0);
    device.type = ANOLE_DEVICE_GPU;
    anole_caches_of(&caches, &device);
    assert_true(caches.stays == 25 * MEGA && caches.last == 50 * MEGA);
}

static void test_sets_are_as_many_as_the_network_asks_for(void **state)
{
    (void)state;
    struct anole_device device = make_device(2 * MEGA, 300 * MEGA);
    /* 40 MB of others' weights: 20 more copies of 2 MB. */
    assert_int_equal(anole_cold_sets(&device, 42 * MEGA, 2 * MEGA, 2 * MEGA, 1e-4), 21);
    /* Packed to four times its size. */
    assert_int_equal(anole_cold_sets(&device, 42 * MEGA, 2 * MEGA, 8 * MEGA, 1e-4), 6);
    /* Coming round takes no longer than it matters, but there are two at least. */
    assert_int_equal(anole_cold_sets(&device, 42 * MEGA, 2 * MEGA, 2 * MEGA, 4e-3), 5);
    assert_int_equal(anole_cold_sets(&device, 42 * MEGA, 2 * MEGA, 2 * MEGA, 10.0), 2);
    assert_int_equal(anole_cold_sets(&device, 42 * MEGA, 2 * MEGA, 2 * MEGA, NAN), 2);
    /* Not without end. */
    assert_int_equal(anole_cold_sets(&device, 42 * MEGA, 1024, 1024, 1e-6), 128);
    assert_true(anole_cold_sets(&device, UINT64_MAX, 0, MEGA, 1e-6) == 128);
    /* One alone is more than there is room for. */
    assert_int_equal(anole_cold_sets(&device, 2000 * MEGA, 600 * MEGA, 600 * MEGA, 1e-2), 1);
    device.global_memory = 64 * MEGA;
    assert_int_equal(anole_cold_sets(&device, 42 * MEGA, 16 * MEGA, 16 * MEGA, 1e-4), 1);
    assert_int_equal(anole_cold_sets(&device, 42 * MEGA, 2 * MEGA, 2 * MEGA, 1e-4), 5);
    device = make_device(2 * MEGA, 4 * MEGA); /* what is read once in 8 MB is never there */
    assert_int_equal(anole_cold_sets(&device, 42 * MEGA, 2 * MEGA, 2 * MEGA, 1e-4), 5);
}

/* --------------------------------------------------------- trials that are cold */

/* A backend's sequences, made of its op `run`; they note which weights were used. */
struct anole_sequence {
    uint32_t count;
    struct anole_build *builds[ANOLE_MAX_SETS];
    struct anole_binding bindings[ANOLE_MAX_SETS][ANOLE_ROLE_COUNT];
};

static const struct anole_plugin *backend_ops;
static size_t sequences, offsets[4096], offset_count, most_bytes;
static bool untouched; /* a step's weights are not those of the first run */
static unsigned char *weights;
static size_t weight_bytes;

static int create_sequence(struct anole_session *session, const struct anole_sequence_step *steps,
                           uint32_t count, struct anole_sequence **sequence,
                           struct anole_message *message)
{
    (void)session;
    (void)message;
    struct anole_sequence *new = calloc(1, sizeof *new);
    assert_non_null(new);
    assert_true(count > 0 && count <= ANOLE_MAX_SETS);
    new->count = count;
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(steps[i].binding_count, ANOLE_ROLE_COUNT);
        new->builds[i] = steps[i].build;
        memcpy(new->bindings[i], steps[i].bindings, sizeof new->bindings[i]);
    }
    sequences++;
    *sequence = new;
    return ANOLE_OK;
}

static void look_at_weights(struct anole_session *session, const struct anole_binding *binding)
{
    struct anole_message message = {.size = sizeof message};
    unsigned char *now = malloc(binding->bytes);
    assert_non_null(now);
    assert_int_equal(binding->offset % 4096, 0);
    assert_int_equal(backend_ops->buffer_read(session, binding->buffer, binding->offset, now,
                                              binding->bytes, &message),
                     ANOLE_OK);
    if (!weights) {
        weights = now;
        weight_bytes = binding->bytes;
    } else if (binding->bytes == weight_bytes) { /* else they are another kernel's */
        untouched |= memcmp(weights, now, binding->bytes) != 0;
    }
    if (now != weights)
        free(now);
    for (size_t i = 0; i < offset_count; i++)
        if (offsets[i] == (size_t)binding->buffer + binding->offset)
            return;
    assert_true(offset_count < sizeof offsets / sizeof *offsets);
    offsets[offset_count++] = (size_t)binding->buffer + binding->offset;
    most_bytes = binding->bytes;
}

static int run_sequence(struct anole_session *session, struct anole_sequence *sequence,
                        double *device_seconds, double *host_seconds, struct anole_message *message)
{
    double sum = 0.0, seconds, device;
    for (uint32_t i = 0; i < sequence->count; i++) {
        look_at_weights(session, &sequence->bindings[i][ANOLE_ROLE_WEIGHTS]);
        int code = backend_ops->run(session, sequence->builds[i], sequence->bindings[i],
                                    ANOLE_ROLE_COUNT, 1, &device, &seconds, message);
        if (code != ANOLE_OK)
            return code;
        if (device_seconds)
            device_seconds[i] = device;
        sum += seconds;
    }
    *host_seconds = sum;
    return ANOLE_OK;
}

static void destroy_sequence(struct anole_session *session, struct anole_sequence *sequence)
{
    (void)session;
    sequences--;
    free(sequence);
}

struct bench {
    struct anole_backend *backend;
    struct anole_device device;
    struct anole_task task;
    struct anole_task_data *data;
    struct anole_runner *runner;
};

static void open_bench(struct bench *bench, uint64_t constants, bool able)
{
    struct anole_error error = {.status = ANOLE_DONE};
    const struct anole_target_options options = {.sample_time = 1e-3, .constants = constants};
    bench->backend = load_backend("good");
    bench->device = probe_device(bench->backend);
    bench->device.cache_l2 = 64 << 10;
    bench->device.cache_l3 = 128 << 10;
    bench->task = parse_task(SMALL_TASK);
    backend_ops = &bench->backend->plugin;
    bench->backend->plugin.sequence_create = able ? create_sequence : NULL;
    bench->backend->plugin.sequence_run = able ? run_sequence : NULL;
    bench->backend->plugin.sequence_destroy = able ? destroy_sequence : NULL;
    assert_done(
        anole_runner_create(&bench->runner, bench->backend, "", &bench->device, &options, &error));
    assert_done(anole_task_data_create(&bench->data, &bench->task, 1, 1, &error));
    anole_runner_set_task(bench->runner, &bench->task, bench->data);
    offset_count = sequences = 0;
    untouched = false;
}

static void close_bench(struct bench *bench)
{
    anole_runner_destroy(bench->runner);
    anole_task_data_destroy(bench->data);
    anole_backend_destroy(bench->backend);
    free(weights);
    weights = NULL;
}

static struct anole_result try(struct bench *bench, int64_t tile)
{
    const int64_t values[] = {tile, 0};
    struct anole_result result;
    struct anole_error error = {.status = ANOLE_DONE};
    assert_done(anole_runner_trial(bench->runner, values, 2, NULL, 0, NAN, &result, &error));
    if (result.outcome != ANOLE_OUTCOME_OK)
        fail_msg("%s", result.message);
    assert_true(result.seconds > 0 && result.low <= result.seconds);
    return result;
}

static void test_cold_trials_use_copy_after_copy(void **state)
{
    (void)state;
    for (int64_t tile = 1; tile <= 4; tile *= 2) { /* plain, packed, with a workspace */
        struct bench bench;
        open_bench(&bench, 100 << 10, true);
        try(&bench, tile);
        assert_true(offset_count >= 2);
        assert_int_equal(sequences, 0); /* none is left */
        assert_false(untouched);
        /* As much passes as the rest of the network has, or coming round takes long enough. */
        assert_true(offset_count * ((most_bytes + 4095) / 4096 * 4096) <= 2 * (100 << 10) ||
                    offset_count == 2);
        close_bench(&bench);
    }
}

static void test_kernels_are_hot_where_they_cannot_be_cold(void **state)
{
    (void)state;
    static const struct {
        uint64_t constants;
        bool able;
    } cases[] = {{0, true}, {100 << 10, false}, {60 << 10, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        open_bench(&bench, cases[i].constants, cases[i].able);
        assert_int_equal(
            anole_cold_decide(backend_ops, &bench.device, &bench.task, cases[i].constants),
            ANOLE_WARMTH_HOT);
        try(&bench, 2);
        assert_int_equal(offset_count, 0);
        close_bench(&bench);
    }
}

static void test_cold_kernels_are_compared_cold(void **state)
{
    (void)state;
    struct bench bench;
    struct anole_result result;
    struct anole_error error = {.status = ANOLE_DONE};
    double seconds[2];
    uint32_t failed;
    open_bench(&bench, 100 << 10, true);
    for (int64_t tile = 1; tile <= 2; tile++) {
        const int64_t values[] = {tile, 0};
        assert_done(anole_runner_load(bench.runner, values, 2, NULL, 0, &result, &error));
        assert_int_equal(result.outcome, ANOLE_OUTCOME_OK);
        free(weights); /* they are packed in another way */
        weights = NULL;
    }
    offset_count = 0;
    assert_true(anole_runner_round(bench.runner, seconds, &failed, &result));
    assert_true(seconds[0] > 0 && seconds[1] > 0);
    assert_true(offset_count >= 2);
    assert_true(anole_runner_prove(bench.runner, 1, &result));
    anole_runner_unload(bench.runner);
    assert_int_equal(sequences, 0);
    close_bench(&bench);
}

/* -------------------------------------------------------------- disturbance */

static double passed; /* seconds, in the world of these tests */
static int run_count; /* of batches */
static bool (*crowded)(int run);

static int run_fake(struct anole_session *session, struct anole_build *build,
                    const struct anole_binding *bindings, uint32_t binding_count, uint32_t repeats,
                    double *device_seconds, double *host_seconds, struct anole_message *message)
{
    (void)session;
    (void)build;
    (void)bindings;
    (void)binding_count;
    (void)device_seconds;
    (void)message;
    const struct timespec pause = {.tv_nsec = 20000};
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    nanosleep(&pause, NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    run_count++;
    /* Within what the wall clock allows; the disturbed ones take half as long again. */
    double wall =
        (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
    *host_seconds = (crowded(run_count) ? 15e-6 : 10e-6) * (wall > 15e-6);
    passed += *host_seconds;
    *host_seconds = *host_seconds > 0 ? *host_seconds : wall;
    (void)repeats;
    return ANOLE_OK;
}

/* Half of the time was others', if the last run was disturbed. */
static void look_fake(struct anole_watch *watch, struct anole_look *look)
{
    static double waited;
    (void)watch;
    if (crowded(run_count))
        waited += passed;
    *look = (struct anole_look){.wall = passed, .worked = passed, .waited = waited};
}

static bool never(int run)
{
    (void)run;
    return false;
}

static bool often(int run)
{
    return run % 3 != 0;
}

static bool always(int run)
{
    (void)run;
    return true;
}

static struct anole_result time_beside(bool (*others)(int run), uint32_t flags)
{
    static struct anole_plugin plugin = {.name = "fake", .run = run_fake};
    static struct anole_timing timing;
    struct anole_timed timed = {.repeats = 0};
    struct anole_result result;
    crowded = others;
    passed = 0;
    run_count = 0;
    anole_timing_init(&timing, &plugin, NULL, flags, 0.5); /* the machine may be busy */
    timing.look = look_fake;
    anole_result_clear(&result);
    assert_true(anole_timing_measure(&timing, &timed, NAN, NAN, &result));
    return result;
}

static void test_disturbed_samples_are_taken_again(void **state)
{
    (void)state;
    struct anole_result quiet = time_beside(never, ANOLE_DEVICE_SHARES_HOST);
    assert_int_equal(quiet.disturbed, 0);
    assert_true(quiet.samples >= 3);
    struct anole_result disturbed = time_beside(often, ANOLE_DEVICE_SHARES_HOST);
    assert_int_equal(disturbed.disturbed, 0); /* none of those that count */
    assert_true(disturbed.samples >= 3);
    assert_true(disturbed.crowding > 0.1);
}

/* The final comparison asks as trials do. */
static void test_lowered_clock_is_crowding(void **state)
{
    (void)state;
    static struct anole_plugin plugin = {.name = "fake", .run = run_fake};
    static struct anole_timing timing;
    const struct anole_crowding none = {.waited = 0};
    anole_timing_init(&timing, &plugin, NULL, ANOLE_DEVICE_SHARES_HOST, 0.5);
    anole_timing_begin(&timing);
    timing.watch.probe = 1e-9; /* it was very fast once */
    double slower = anole_timing_probe(&timing);
    assert_true(slower > 100);
    assert_true(anole_timing_crowding(&timing, &none, slower) > 0.9);
    timing.watch.stolen = -1e6; /* a hypervisor took all since */
    assert_true(anole_timing_crowding(&timing, &none, 1.0) == 1.0 ||
                access("/proc/stat", R_OK) != 0);
    anole_timing_end(&timing);
    anole_timing_init(&timing, &plugin, NULL, 0, 0.5);
    timing.watch.probe = 1e-9;
    assert_true(anole_timing_probe(&timing) == 1.0);
    assert_true(anole_timing_crowding(&timing, &none, slower) == 0.0);
}

static void test_what_stays_disturbed_is_said(void **state)
{
    (void)state;
    struct anole_result result = time_beside(always, ANOLE_DEVICE_SHARES_HOST);
    assert_true(result.samples >= 3);
    assert_int_equal(result.disturbed, result.samples);
    assert_true(result.crowding > 0.1 && result.crowding <= 1.0);
    /* What the host's cores do is of no interest to another device. */
    result = time_beside(always, 0);
    assert_int_equal(result.disturbed, 0);
    assert_true(result.crowding == 0.0);
}

/* -------------------------------------------------------------------- watch */

/* Keeps this core busy, too. */
static pid_t start_hog(int core)
{
    pid_t id = fork();
    if (id != 0)
        return id;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    sched_setaffinity(0, sizeof one, &one);
    for (volatile unsigned i = 0;; i++)
        if (getppid() == 1)
            _exit(0);
}

static void be_busy(double seconds)
{
    struct timespec start, t;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do
        clock_gettime(CLOCK_MONOTONIC, &t);
    while ((double)(t.tv_sec - start.tv_sec) + 1e-9 * (double)(t.tv_nsec - start.tv_nsec) <
           seconds);
}

static void test_other_work_is_noticed(void **state)
{
    (void)state;
    cpu_set_t before, one;
    static struct anole_watch watch;
    struct anole_look from, to;
    int core = sched_getcpu();
    if (core < 0 || access("/proc/self/schedstat", R_OK) != 0)
        skip();
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    if (sched_getaffinity(0, sizeof before, &before) || sched_setaffinity(0, sizeof one, &one))
        skip();
    pid_t hog = start_hog(core);
    assert_true(hog > 0);
    anole_watch_begin(&watch);
    anole_watch_look(&watch, &from);
    be_busy(0.3);
    anole_watch_look(&watch, &to);
    double share = anole_watch_share(&watch, &from, &to);
    bool disturbed = anole_watch_disturbed(&watch, &from, &to);
    anole_watch_end(&watch);
    kill(hog, SIGKILL);
    waitpid(hog, NULL, 0);
    sched_setaffinity(0, sizeof before, &before);
    assert_true(disturbed);
    assert_true(share > 0.2 && share < 1.0);
    assert_int_equal(watch.count, 0);
}

static void test_shares_follow_from_looks(void **state)
{
    (void)state;
    struct anole_watch watch = {.count = 0};
    const struct anole_look from = {.wall = 1, .worked = 2, .waited = 3, .switches = 4};
    struct anole_look to = {.wall = 2, .worked = 3.5, .waited = 3, .switches = 9};
    assert_true(anole_watch_share(&watch, &from, &to) == 0.0);
    assert_false(anole_watch_disturbed(&watch, &from, &to));
    to.waited = 3.5;
    assert_true(anole_watch_share(&watch, &from, &to) == 0.25);
    assert_true(anole_watch_disturbed(&watch, &from, &to));
    assert_true(anole_watch_share(&watch, &to, &to) == 0.0);
    /* Threads of a driver's that sleep between launches wait when they are woken, too. */
    to.sleeps = 15000;
    assert_true(fabs(anole_watch_share(&watch, &from, &to) - 0.2 / 1.7) < 1e-9);
    to.sleeps = 30000;
    assert_true(anole_watch_share(&watch, &from, &to) == 0.0);
    assert_false(anole_watch_disturbed(&watch, &from, &to));
    to.sleeps = 0;
    /* Where the kernel keeps no account: from processor time that is missing. */
    to.waited = NAN;
    assert_false(anole_watch_disturbed(&watch, &from, &to)); /* the best that was seen so far */
    to.worked = 2.75;
    assert_true(fabs(anole_watch_share(&watch, &from, &to) - 0.5) < 1e-9);
    to.switches = 4; /* nobody sent it away: it slept */
    assert_false(anole_watch_disturbed(&watch, &from, &to));
}

static void test_probe_is_never_faster_than_the_fastest(void **state)
{
    (void)state;
    struct anole_watch watch = {.count = 0};
    assert_true(anole_watch_probe(&watch) == 1.0);
    for (int i = 0; i < 20; i++)
        assert_true(anole_watch_probe(&watch) >= 1.0);
    watch.probe /= 2;
    assert_true(anole_watch_probe(&watch) > 1.5); /* as with half the clock */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptions_that_lie_are_not_believed),
        cmocka_unit_test(test_sets_are_as_many_as_the_network_asks_for),
        cmocka_unit_test(test_cold_trials_use_copy_after_copy),
        cmocka_unit_test(test_kernels_are_hot_where_they_cannot_be_cold),
        cmocka_unit_test(test_cold_kernels_are_compared_cold),
        cmocka_unit_test(test_disturbed_samples_are_taken_again),
        cmocka_unit_test(test_what_stays_disturbed_is_said),
        cmocka_unit_test(test_lowered_clock_is_crowding),
        cmocka_unit_test(test_other_work_is_noticed),
        cmocka_unit_test(test_shares_follow_from_looks),
        cmocka_unit_test(test_probe_is_never_faster_than_the_fastest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
