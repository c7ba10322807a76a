/* SPDX-License-Identifier: MIT
 *
 * Launches that several queues make together: who has which groups, threads that wait
 * for each other, and the cpu plugin's kernels in both ways, bit for bit the same.
 */
#include "kernel_fixture.h"
#include "opencl_split.h"
#include "opencl_thread_pool.h"
#include "random_tasks.h"
#include "plugin/host.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define QUEUES 3 /* divides little, and is more than many a machine has cores */

static struct kernel_fixture fixture;

/* ------------------------------------------------------------------- split */

/* Counts each group once in all shares together; returns the largest share. */
static size_t check_shares(const size_t groups[3], uint32_t parts)
{
    const size_t all = groups[0] * groups[1] * groups[2];
    unsigned char *seen = calloc(all + 1, 1);
    size_t largest = 0, sum = 0;
    assert_non_null(seen);
    for (uint32_t part = 0; part < parts; part++) {
        struct opencl_box boxes[OPENCL_MOST_BOXES];
        uint32_t count = opencl_split(boxes, groups, parts, part);
        size_t share = 0;
        assert_true(count <= OPENCL_MOST_BOXES);
        for (uint32_t b = 0; b < count; b++) {
            const size_t *first = boxes[b].first, *n = boxes[b].count;
            for (int d = 0; d < 3; d++)
                assert_true(n[d] > 0 && first[d] + n[d] <= groups[d]);
            for (size_t z = first[2]; z < first[2] + n[2]; z++)
                for (size_t y = first[1]; y < first[1] + n[1]; y++)
                    for (size_t x = first[0]; x < first[0] + n[0]; x++)
                        assert_int_equal(seen[(z * groups[1] + y) * groups[0] + x]++, 0);
            share += n[0] * n[1] * n[2];
        }
        sum += share;
        largest = share > largest ? share : largest;
    }
    free(seen);
    assert_int_equal(sum, all);
    return largest;
}

static void test_split_covers_each_group_once(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 3, 5, 7, 8, 13, 28};
    static const uint32_t parts[] = {1, 2, 3, 4, 7, 16, 61, 64};
    const size_t count = sizeof sizes / sizeof *sizes;
    for (size_t i = 0; i < count * count * count; i++) {
        const size_t groups[3] = {sizes[i % count], sizes[i / count % count],
                                  sizes[i / count / count]};
        const size_t all = groups[0] * groups[1] * groups[2];
        for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
            size_t ideal = (all + parts[p] - 1) / parts[p];
            assert_true(10 * check_shares(groups, parts[p]) <= 11 * ideal);
        }
    }
}

static void test_split_nothing(void **state)
{
    (void)state;
    struct opencl_box boxes[OPENCL_MOST_BOXES];
    assert_int_equal(opencl_split(boxes, (const size_t[]){4, 0, 1}, 2, 0), 0);
}

static void test_split_takes_one_box_where_it_will_do(void **state)
{
    (void)state;
    struct opencl_box boxes[OPENCL_MOST_BOXES];
    for (uint32_t part = 0; part < 4; part++)
        assert_int_equal(opencl_split(boxes, (const size_t[]){6, 10, 1}, 4, part), 1);
    /* Of equals, the outer dimension. */
    assert_int_equal(opencl_split(boxes, (const size_t[]){8, 2, 1}, 2, 1), 1);
    assert_int_equal(boxes[0].first[1], 1);
    assert_int_equal(boxes[0].count[0], 8);
}

/* ------------------------------------------------------------- thread pool */

#define STEPS 2000

struct relay {
    struct opencl_thread_pool *pool;
    atomic_uint claims[STEPS], done;
    unsigned order[STEPS]; /* written by whoever takes a step, read by who has the next */
};

/* Each step is taken by one thread, whoever is there, after the one before it. */
static void take_steps(void *context, uint32_t thread)
{
    struct relay *relay = context;
    (void)thread;
    for (unsigned i = 0; i < STEPS; i++) {
        if (atomic_fetch_add(&relay->claims[i], 1) == 0) {
            relay->order[i] = i ? relay->order[i - 1] + 1 : 1;
            opencl_thread_pool_advance(relay->pool, &relay->done);
        }
        opencl_thread_pool_wait(relay->pool, &relay->done, i + 1);
    }
}

static void run_relays(bool spins)
{
    struct opencl_thread_pool *pool =
        opencl_thread_pool_create(&(struct opencl_thread_pool_options){.count = 4, .spins = spins});
    struct relay *relay = malloc(sizeof *relay);
    assert_non_null(pool);
    assert_non_null(relay);
    for (int round = 0; round < 5; round++) {
        memset(relay, 0, sizeof *relay);
        relay->pool = pool;
        opencl_thread_pool_run(pool, take_steps, relay);
        assert_int_equal(atomic_load(&relay->done), STEPS);
        assert_int_equal(relay->order[STEPS - 1], STEPS);
        usleep(round * 200); /* now awake, now asleep when the next comes */
    }
    opencl_thread_pool_destroy(pool);
    free(relay);
}

static void test_pool_keeps_the_order_of_steps(void **state)
{
    (void)state;
    run_relays(true);
    run_relays(false);
}

static void test_pool_ends_without_any_work(void **state)
{
    (void)state;
    opencl_thread_pool_destroy(
        opencl_thread_pool_create(&(struct opencl_thread_pool_options){.count = 8}));
    opencl_thread_pool_destroy(
        opencl_thread_pool_create(&(struct opencl_thread_pool_options){.count = 1}));
    opencl_thread_pool_destroy(NULL);
}

/* Threads that are at work, in a job that is gone once opencl_thread_pool_run() has returned. */
static void be_inside(void *context, uint32_t thread)
{
    atomic_uint *inside = context;
    if (thread == 0)
        return;
    atomic_fetch_add(inside, 1);
    for (volatile int i = 0; i < 20000 * (int)thread; i = i + 1)
        ;
    atomic_fetch_sub(inside, 1);
}

/* The first is done at once, and others come early, late, or when all is over. */
static void test_pool_run_returns_when_nobody_is_inside(void **state)
{
    (void)state;
    struct opencl_thread_pool *pool =
        opencl_thread_pool_create(&(struct opencl_thread_pool_options){.count = 4});
    atomic_uint inside = 0;
    assert_non_null(pool);
    for (int round = 0; round < 3000; round++) {
        opencl_thread_pool_run(pool, be_inside, &inside);
        assert_int_equal(atomic_load(&inside), 0);
        usleep(round % 7 * 20);
    }
    opencl_thread_pool_destroy(pool);
}

/* Keeps its core for as long as the test lasts. */
static pid_t start_hog(void)
{
    pid_t id = fork();
    if (id == 0)
        for (volatile unsigned i = 0;; i++)
            if (getppid() == 1)
                _exit(0);
    return id;
}

static void work_for_long(void *context, uint32_t thread)
{
    struct timespec start, t;
    (void)context;
    (void)thread;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do
        clock_gettime(CLOCK_MONOTONIC, &t);
    while (t.tv_sec - start.tv_sec + 1e-9 * (double)(t.tv_nsec - start.tv_nsec) < 10e-3);
}

/* As long as nobody else wants a core of ours, nothing is found; how long that is depends on
 * the machine, so only the opposite is tested. */
static void test_pool_notices_other_work(void **state)
{
    (void)state;
    int core = sched_getcpu();
    if (core < 0 || access("/proc/thread-self/schedstat", R_OK) != 0)
        skip();
    cpu_set_t before, one;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0)
        skip();
    pid_t hog = start_hog();
    assert_true(hog > 0);
    sched_setaffinity(0, sizeof before, &before);
    struct opencl_thread_pool *pool =
        opencl_thread_pool_create(&(struct opencl_thread_pool_options){
            .count = 2, .spins = true, .cores = (const int[]){core, core}});
    assert_non_null(pool);
    for (int i = 0; i < 500 && opencl_thread_pool_crowds(pool) == 0; i++)
        opencl_thread_pool_run(pool, work_for_long, NULL);
    unsigned crowds = opencl_thread_pool_crowds(pool);
    opencl_thread_pool_destroy(pool);
    kill(hog, SIGKILL);
    waitpid(hog, NULL, 0);
    assert_true(crowds > 0);
}

/* ----------------------------------------------------------------- kernels */

static double own_queues(const struct anole_device *device)
{
    for (uint32_t i = 0; i < device->property_count; i++)
        if (strcmp(device->properties[i].name, "own_queues") == 0)
            return device->properties[i].value;
    fail_msg("the device does not say whether it has queues of its own");
    return 0;
}

/* Another process asks about the device; 99: there is none. */
static int queues_with(const char *setting, const char *devices, const char *threads)
{
    int state;
    fflush(NULL);
    pid_t id = fork();
    if (id == 0) {
        setenv("ANOLE_CPU_QUEUES", setting, 1);
        setenv("POCL_MAX_PTHREAD_COUNT", threads, 1);
        setenv("POCL_CPU_MAX_CU_COUNT", threads, 1);
        if (devices)
            setenv("POCL_DEVICES", devices, 1);
        if (!kernel_fixture_init(&fixture))
            _exit(99);
        bool told = strstr(fixture.device.driver_version, "own queues");
        int count = (int)own_queues(&fixture.device);
        _exit(told == (count > 0) ? count : 98);
    }
    assert_int_equal(waitpid(id, &state, 0), id);
    assert_true(WIFEXITED(state));
    return WEXITSTATUS(state);
}

/* These come before the one that loads the driver into this process. */
static void test_choose_as_the_user_says(void **state)
{
    (void)state;
    int count = queues_with("own", NULL, "3");
    if (count == 99)
        skip();
    assert_int_equal(count, 3);
    assert_int_equal(queues_with("pool", NULL, "3"), 0);
    assert_int_equal(queues_with("own", NULL, "1"), 0);
}

static void test_fall_back_to_the_pool(void **state)
{
    (void)state;
    /* The user's devices, of which none is without threads, or all are. */
    int count = queues_with("own", "pthread", "3");
    if (count == 99)
        skip();
    assert_int_equal(count, 0);
    assert_int_equal(queues_with("own", "basic", "3"), 0);
    /* More threads than there can be cores for. */
    assert_int_equal(queues_with("auto", NULL, "2000"), 0);
}

static const struct {
    random_draw *draw;
    const char *algorithm;
} templates[] = {
    {random_conv, "direct"},         {random_narrow_groups, "grouped"},
    {random_pointwise, "pointwise"}, {random_winograd, "winograd"},
    {random_depthwise, NULL},        {random_dense, NULL},
    {random_matmul, NULL},
};

/* The output in both ways of one config. */
static void compare_ways(const struct anole_generator *generator,
                         const struct anole_task_data *data, uint64_t config,
                         struct anole_session *own, struct anole_session *pool)
{
    fixture.session = own;
    kernel_check(&fixture, generator, data, config);
    uint64_t digest = fixture.digest;
    fixture.session = pool;
    kernel_check(&fixture, generator, data, config);
    assert_true(fixture.digest == digest);
}

static void test_run_both_ways_bit_for_bit(void **state)
{
    (void)state;
    struct anole_message message = {.size = sizeof message};
    struct anole_session *pool = NULL;
    struct anole_rng rng;
    setenv("ANOLE_CPU_QUEUES", "own", 1);
    setenv("POCL_MAX_PTHREAD_COUNT", "3", 1);
    setenv("POCL_CPU_MAX_CU_COUNT", "3", 1);
    if (!kernel_fixture_init(&fixture))
        skip();
    assert_true(own_queues(&fixture.device) == QUEUES);
    struct anole_session *own = fixture.session;
    setenv("ANOLE_CPU_QUEUES", "pool", 1);
    if (fixture.plugin->open(anole_host_get(0), fixture.driver, 0, &pool, &message))
        fail_msg("%s", message.text);
    anole_rng_init(&rng, kernel_seed(11));
    for (size_t i = 0; i < 2 * sizeof templates / sizeof *templates * kernel_rounds(); i++) {
        size_t t = i % (sizeof templates / sizeof *templates);
        struct anole_task task = random_task(&rng, templates[t].draw, 3e6);
        struct anole_generator *generator = kernel_generator(&fixture, &fixture.device, &task);
        struct anole_task_data *data = NULL;
        struct anole_error error = {0};
        if (anole_task_data_create(&data, &task, anole_rng_u64(&rng), 1, &error))
            fail_msg("%s", error.text);
        compare_ways(generator, data, kernel_sample(generator, &rng, templates[t].algorithm), own,
                     pool);
        anole_task_data_destroy(data);
        anole_generator_destroy(generator);
    }
    fixture.plugin->close(pool);
    fixture.session = own;
    kernel_fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split_covers_each_group_once),
        cmocka_unit_test(test_split_nothing),
        cmocka_unit_test(test_split_takes_one_box_where_it_will_do),
        cmocka_unit_test(test_pool_keeps_the_order_of_steps),
        cmocka_unit_test(test_pool_ends_without_any_work),
        cmocka_unit_test(test_pool_run_returns_when_nobody_is_inside),
        cmocka_unit_test(test_pool_notices_other_work),
        cmocka_unit_test(test_choose_as_the_user_says),
        cmocka_unit_test(test_fall_back_to_the_pool),
        cmocka_unit_test(test_run_both_ways_bit_for_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
