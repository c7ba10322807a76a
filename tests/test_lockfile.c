/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/text.h"
#include "op/task.h"
#include "record/comparison.h"
#include "record/lockfile.h"

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* ------------------------------------------------------------------- helpers */

struct fixture {
    char folder[64];
    char path[96];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    const char *tmp = getenv("TMPDIR");
    snprintf(f->folder, sizeof f->folder, "%.40s/anole-test-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(f->folder))
        return -1;
    snprintf(f->path, sizeof f->path, "%s/net.lock", f->folder);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
    int failed = system(command);
    free(f);
    return failed;
}

static struct anole_lock_knob knobs[] = {
    {"tile_w", 14, NULL}, {"block_k", -3, "narrow"}, {"order", INT64_MIN, NULL}};

static struct anole_lock_task tasks[] = {
    {.task = "conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 bias relu",
     .multiplicity = 2,
     .knobs = knobs,
     .knob_count = 3,
     .value = 1.0 / 813.0,
     .low = 1.0 / 814.0,
     .high = 1.0 / 812.0,
     .default_value = 0.0025,
     .speedup = 2.03,
     .speedup_low = 2.0,
     .speedup_high = 2.06,
     .source_hash = UINT64_C(0xfedcba9876543210),
     .trials = 128,
     .warmth = ANOLE_WARMTH_COLD,
     .timer = ANOLE_TIMER_OWN,
     .crowding = 0.34,
     .disturbed = true,
     .in_place = 0.00135,
     .alone_value = 0.00117,
     .alone_in_place = 0.0015,
     .in_place_disturbed = true,
     .slowdown = 1.04,
     .slowdown_low = 1.01,
     .slowdown_high = 1.07},
    {.task = "dense n1 i512 o1000 f32 bias",
     .multiplicity = 1,
     .value = 3e-5,
     .low = 3e-5,
     .high = 3e-5,
     .default_value = NAN,
     .speedup = NAN,
     .speedup_low = NAN,
     .speedup_high = NAN,
     .tie = true},
};

static struct anole_lock_device make_device(char *id, char *name, uint32_t threads, size_t count)
{
    return (struct anole_lock_device){
        .id = id,
        .backend = "cpu",
        .backend_version = "1.0",
        .device = name,
        .driver = "Portable Computing Language",
        .driver_version = "3.1",
        .generator = 7,
        .threads = threads,
        .dtype = ANOLE_F32,
        .tasks = tasks,
        .task_count = count,
    };
}

static struct anole_lockfile *make_lockfile(void)
{
    struct anole_lockfile *lockfile = calloc(1, sizeof *lockfile);
    assert_non_null(lockfile);
    lockfile->network = strdup("tiny \"net\"");
    lockfile->network_path = strdup("networks/caf\xc3\xa9/tiny.json");
    assert_true(lockfile->network && lockfile->network_path);
    return lockfile;
}

static void put(struct anole_lockfile *lockfile, const struct anole_lock_device *device)
{
    struct anole_error error = {0};
    if (anole_lockfile_put(lockfile, device, &error))
        fail_msg("%s", error.text);
}

static void save(const struct anole_lockfile *lockfile, const char *path)
{
    struct anole_error error = {0};
    if (anole_lockfile_save(lockfile, path, &error))
        fail_msg("%s", error.text);
}

static struct anole_lockfile *load(const char *path)
{
    struct anole_lockfile *lockfile = NULL;
    struct anole_error error = {0};
    if (anole_lockfile_load(&lockfile, path, &error))
        fail_msg("%s", error.text);
    return lockfile;
}

static char *read_text(const char *path)
{
    char *text = NULL;
    size_t length;
    struct anole_error error = {0};
    if (anole_file_read(&text, &length, path, 0, &error))
        fail_msg("%s", error.text);
    return text;
}

static size_t count_files(const char *folder)
{
    DIR *open = opendir(folder);
    size_t count = 0;
    assert_non_null(open);
    while (readdir(open))
        count++;
    closedir(open);
    return count - 2; /* . and .. */
}

/* Equal to the nine digits that are written, or both NaN. */
static void assert_near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-8 * fabs(b)) && !(isnan(a) && isnan(b)))
        fail_msg("%.17g is not %.17g", a, b);
}

static void assert_same_task(const struct anole_lock_task *a, const struct anole_lock_task *b)
{
    assert_string_equal(a->task, b->task);
    assert_int_equal(a->multiplicity, b->multiplicity);
    assert_int_equal(a->knob_count, b->knob_count);
    for (size_t i = 0; i < a->knob_count; i++) {
        assert_string_equal(a->knobs[i].name, b->knobs[i].name);
        assert_true(a->knobs[i].value == b->knobs[i].value);
    }
    const double numbers[][2] = {{a->value, b->value},
                                 {a->low, b->low},
                                 {a->high, b->high},
                                 {a->default_value, b->default_value},
                                 {a->speedup, b->speedup},
                                 {a->speedup_low, b->speedup_low},
                                 {a->speedup_high, b->speedup_high},
                                 {a->in_place, b->in_place},
                                 {a->alone_value, b->alone_value},
                                 {a->alone_in_place, b->alone_in_place},
                                 {a->slowdown, b->slowdown},
                                 {a->slowdown_low, b->slowdown_low},
                                 {a->slowdown_high, b->slowdown_high}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_near(numbers[i][0], numbers[i][1]);
    assert_true(a->tie == b->tie && a->source_hash == b->source_hash && a->trials == b->trials);
    assert_true(a->warmth == b->warmth && a->disturbed == b->disturbed);
    assert_true(a->in_place_disturbed == b->in_place_disturbed);
    assert_int_equal(a->timer, b->timer);
    assert_near(a->crowding, b->crowding);
}

static void assert_same_in_place(const struct anole_lock_in_place *a,
                                 const struct anole_lock_in_place *b)
{
    const double numbers[][2] = {{a->seconds, b->seconds},
                                 {a->low, b->low},
                                 {a->high, b->high},
                                 {a->default_seconds, b->default_seconds},
                                 {a->default_low, b->default_low},
                                 {a->default_high, b->default_high},
                                 {a->speedup, b->speedup},
                                 {a->speedup_low, b->speedup_low},
                                 {a->speedup_high, b->speedup_high}};
    assert_int_equal(a->rounds, b->rounds);
    assert_int_equal(a->steps, b->steps);
    assert_int_equal(a->steps_tuned, b->steps_tuned);
    assert_true(a->disturbed == b->disturbed);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_near(numbers[i][0], numbers[i][1]);
}

static void assert_same_device(const struct anole_lock_device *a, const struct anole_lock_device *b)
{
    const char *texts[][2] = {{a->id, b->id},         {a->backend, b->backend},
                              {a->device, b->device}, {a->backend_version, b->backend_version},
                              {a->driver, b->driver}, {a->driver_version, b->driver_version}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_string_equal(texts[i][0], texts[i][1]);
    assert_true(a->generator == b->generator && a->threads == b->threads);
    assert_int_equal(a->batch, b->batch);
    assert_int_equal(a->most_kernels, b->most_kernels);
    assert_int_equal(a->shape_count, b->shape_count);
    for (size_t i = 0; i < a->shape_count; i++)
        assert_string_equal(a->shapes[i], b->shapes[i]);
    assert_same_in_place(&a->in_place, &b->in_place);
    assert_int_equal(a->task_count, b->task_count);
    for (size_t i = 0; i < a->task_count; i++)
        assert_same_task(&a->tasks[i], &b->tasks[i]);
}

/* --------------------------------------------------------------------- tests */

static void test_carry_adds_what_is_held_of_the_same_device(void **state)
{
    (void)state;
    struct anole_lockfile *lockfile = make_lockfile();
    struct anole_lock_device held = make_device("cpu:0", "AMD EPYC 9R45", 0, 2);
    struct anole_error error = {0};
    bool carried = false;
    put(lockfile, &held);
    struct anole_lock_device device = held;
    device.tasks = NULL;
    device.task_count = 0;
    assert_int_equal(anole_lockfile_carry(&device, &carried, lockfile, tasks[1].task, &error),
                     ANOLE_DONE);
    assert_true(carried);
    assert_int_equal(device.task_count, 1);
    assert_same_task(&device.tasks[0], &tasks[1]);
    assert_int_equal(
        anole_lockfile_carry(&device, &carried, lockfile, "dense n1 i5 o7 f32", &error),
        ANOLE_DONE);
    assert_false(carried);
    struct anole_lock_device others[] = {device, device, device, device};
    others[0].device = "AMD EPYC 9R46";
    others[1].threads = 1;
    others[2].dtype = ANOLE_F16;
    others[3].generator++; /* its configs may mean something else */
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(
            anole_lockfile_carry(&others[i], &carried, lockfile, tasks[0].task, &error),
            ANOLE_DONE);
        assert_false(carried);
        assert_int_equal(others[i].task_count, 1);
    }
    struct anole_lock_device own = {.tasks = device.tasks, .task_count = device.task_count};
    anole_lock_device_fini(&own); /* all else in it is literals */
    anole_lockfile_destroy(lockfile);
}

static char *shapes[] = {"images=1x3x640x640", "mask=1x8"};

/* One whose network was run as a whole. */
static struct anole_lock_device make_run_device(void)
{
    struct anole_lock_device device = make_device("cpu:0", "AMD EPYC 9R45", 0, 2);
    device.batch = 4;
    device.shapes = shapes;
    device.shape_count = 2;
    device.in_place = (struct anole_lock_in_place){.rounds = 40,
                                                   .disturbed = true,
                                                   .seconds = 1.0 / 97.0,
                                                   .low = 1.0 / 98.0,
                                                   .high = 1.0 / 96.0,
                                                   .default_seconds = 0.02,
                                                   .default_low = 0.019,
                                                   .default_high = 0.021,
                                                   .speedup = 2,
                                                   .speedup_low = 1.9,
                                                   .speedup_high = 2.1,
                                                   .steps = 24,
                                                   .steps_tuned = 21};
    return device;
}

/* What is known of the whole stays with its kernels, in whichever order, and goes with them. */
static void test_network_in_place_is_tied_to_its_kernels(void **state)
{
    struct fixture *f = *state;
    struct anole_lockfile *lockfile = make_lockfile();
    struct anole_lock_device device = make_run_device();
    put(lockfile, &device);
    save(lockfile, f->path);
    struct anole_lockfile *again = load(f->path);
    assert_same_device(&again->devices[0], &device);
    assert_near(anole_lock_device_sum(&device), 2.0 / 813.0 + 3e-5);
    assert_ptr_equal(anole_lockfile_same(again, &device), &again->devices[0]);
    anole_lockfile_destroy(again);
    /* Another version has put another kernel there, and kept what it does not know. */
    char *text = read_text(f->path), *hash = strstr(text, "fedcba9876543210");
    struct anole_error error = {0};
    assert_non_null(hash);
    hash[0] = '0';
    assert_int_equal(anole_lockfile_parse(&again, text, strlen(text), "text", &error), ANOLE_DONE);
    assert_int_equal(again->devices[0].in_place.rounds, 0);
    assert_int_equal(again->devices[0].batch, 4);
    anole_lockfile_destroy(again);
    free(text);
    /* So does this one, when it tunes again. */
    struct anole_lock_device retuned = make_run_device();
    retuned.in_place.rounds = 0;
    put(lockfile, &retuned);
    assert_int_equal(lockfile->device_count, 1);
    assert_int_equal(lockfile->devices[0].in_place.rounds, 0);
    save(lockfile, f->path);
    text = read_text(f->path);
    assert_null(strstr(text, "\"in_place\": {"));
    free(text);
    anole_lockfile_destroy(lockfile);
}

static void test_load_finds_what_was_saved(void **state)
{
    struct fixture *f = *state;
    struct anole_lockfile *lockfile = make_lockfile();
    struct anole_lock_device devices[] = {make_device("cpu:0", "AMD EPYC 9R45", 0, 2),
                                          make_device("gpu:0", "NVIDIA H200", 0, 1),
                                          make_device("gpu:1", "none tuned yet", 0, 0)};
    for (size_t i = 0; i < 3; i++)
        put(lockfile, &devices[i]);
    save(lockfile, f->path);
    struct anole_lockfile *again = load(f->path);
    assert_string_equal(again->network, lockfile->network);
    assert_string_equal(again->network_path, lockfile->network_path);
    assert_int_equal(again->device_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_same_device(&again->devices[i], &devices[i]);
    /* What was loaded is saved as the same bytes. */
    char *first = read_text(f->path);
    save(again, f->path);
    char *second = read_text(f->path);
    assert_string_equal(first, second);
    /* A task a line: fit for version control. */
    size_t lines = 0;
    for (char *at = first; (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, 5 + (13 + 2) + (13 + 1) + 12 + 2);
    free(first);
    free(second);
    anole_lockfile_destroy(lockfile);
    anole_lockfile_destroy(again);
}

static void test_empty_lockfile_is_saved_and_loaded(void **state)
{
    struct fixture *f = *state;
    struct anole_lockfile *lockfile = make_lockfile();
    save(lockfile, f->path);
    struct anole_lockfile *again = load(f->path);
    assert_int_equal(again->device_count, 0);
    anole_lockfile_destroy(lockfile);
    anole_lockfile_destroy(again);
    anole_lockfile_destroy(NULL);
    anole_lock_device_fini(&(struct anole_lock_device){0});
}

static void test_put_replaces_the_same_device_alone(void **state)
{
    (void)state;
    struct anole_lockfile *lockfile = make_lockfile();
    struct anole_lock_device first = make_device("cpu:0", "AMD EPYC 9R45", 0, 2),
                             threads = make_device("cpu:0", "AMD EPYC 9R45", 2, 1),
                             other = make_device("cpu:0", "AMD EPYC 9R46", 0, 1);
    put(lockfile, &first);
    put(lockfile, &threads);
    put(lockfile, &other);
    assert_int_equal(lockfile->device_count, 3);
    struct anole_lock_device newer = make_device("cpu:1", "AMD EPYC 9R45", 0, 1);
    newer.backend_version = "1.1";
    newer.driver_version = "4.0";
    newer.generator = 8;
    put(lockfile, &newer);
    assert_int_equal(lockfile->device_count, 3);
    assert_same_device(&lockfile->devices[0], &newer);
    assert_same_device(&lockfile->devices[1], &threads);
    assert_same_device(&lockfile->devices[2], &other);
    /* A copy, and a deep one. */
    assert_ptr_not_equal(lockfile->devices[0].tasks[0].knobs[0].name, knobs[0].name);
    /* Even of itself. */
    put(lockfile, &lockfile->devices[1]);
    assert_same_device(&lockfile->devices[1], &threads);
    struct anole_lock_device driver = make_device("cpu:0", "AMD EPYC 9R45", 0, 1);
    driver.driver = "Intel OpenCL";
    put(lockfile, &driver);
    driver.backend = "gpu";
    put(lockfile, &driver);
    assert_int_equal(lockfile->device_count, 5);
    anole_lockfile_destroy(lockfile);
}

/* What was tuned for one size stays when another is: no batch is a batch of 1, and shapes have no
 * order. */
static void test_sizes_stand_side_by_side(void **state)
{
    struct fixture *f = *state;
    struct anole_lockfile *lockfile = make_lockfile();
    struct anole_lock_device one = make_device("cpu:0", "AMD EPYC 9R45", 0, 2), four = one,
                             wide = one;
    char *given[] = {"x=1x3x64x64", "y=1x8"}, *turned[] = {"y=1x8", "x=1x3x64x64"};
    char text[64];
    four.batch = 4;
    four.most_kernels = 3;
    wide.shapes = given;
    wide.shape_count = 2;
    put(lockfile, &one);
    put(lockfile, &four);
    put(lockfile, &wide);
    assert_int_equal(lockfile->device_count, 3);
    one.batch = 1;
    wide.shapes = turned;
    put(lockfile, &one);
    put(lockfile, &wide);
    put(lockfile, &four);
    assert_int_equal(lockfile->device_count, 3);
    assert_true(anole_lock_same_device(&one, &four));
    assert_false(anole_lock_same_sizes(&one, &four));
    save(lockfile, f->path);
    struct anole_lockfile *again = load(f->path);
    assert_int_equal(again->device_count, 3);
    assert_int_equal(again->devices[1].most_kernels, 3);
    assert_ptr_equal(anole_lockfile_same(again, &wide), &again->devices[2]);
    assert_string_equal(anole_lock_sizes_text(text, sizeof text, &again->devices[1]), "batch 4");
    assert_string_equal(anole_lock_sizes_text(text, sizeof text, &again->devices[2]),
                        "y=1x8, x=1x3x64x64");
    assert_string_equal(anole_lock_sizes_text(text, 8, &again->devices[2]), "y=1x8, ");
    /* One entry of three, whose tasks are the same here. */
    assert_int_equal(anole_lockfile_join_sizes(again, NULL), ANOLE_DONE);
    assert_int_equal(again->device_count, 1);
    assert_int_equal(again->devices[0].task_count, 2);
    assert_string_equal(anole_lock_sizes_text(text, sizeof text, &again->devices[0]), "3 sizes");
    anole_lockfile_destroy(again);
    anole_lockfile_destroy(lockfile);
}

/* Each has an entry; files of fp32 alone look as they always did. */
static void test_precisions_stand_side_by_side(void **state)
{
    struct fixture *f = *state;
    struct anole_lockfile *lockfile = make_lockfile();
    struct anole_lock_device single = make_device("gpu:0", "NVIDIA H200", 0, 1), half = single;
    struct anole_lock_task task = tasks[0];
    task.task = "dense n1 i512 o1000 f16 bias";
    half.dtype = ANOLE_F16;
    half.tasks = &task;
    put(lockfile, &single);
    save(lockfile, f->path);
    char *text = read_text(f->path);
    assert_null(strstr(text, "precision"));
    free(text);
    put(lockfile, &half);
    put(lockfile, &half);
    assert_int_equal(lockfile->device_count, 2);
    save(lockfile, f->path);
    struct anole_lockfile *again = load(f->path);
    assert_int_equal(again->device_count, 2);
    for (int i = 0; i < 2; i++)
        assert_int_equal(again->devices[i].dtype, i ? ANOLE_F16 : ANOLE_F32);
    assert_same_device(&again->devices[0], &single);
    assert_same_device(&again->devices[1], &half);
    anole_lockfile_destroy(again);
    /* A task of the one in the entry of the other cannot be meant. */
    struct anole_error error = {0};
    lockfile->devices[0].dtype = ANOLE_F16;
    lockfile->devices[1].dtype = ANOLE_F32;
    assert_int_equal(anole_lockfile_save(lockfile, f->path, &error), ANOLE_ERR_INTERNAL);
    assert_non_null(strstr(error.text, "another precision"));
    anole_lockfile_destroy(lockfile);
}

/* Names come from drivers. */
static void test_text_that_is_not_printable_is_escaped(void **state)
{
    struct fixture *f = *state;
    char name[] = "Ge\xae"
                  "Force\x1b[31m\n";
    struct anole_lockfile *lockfile = make_lockfile();
    struct anole_lock_device device = make_device("cpu:0", name, 0, 1);
    put(lockfile, &device);
    save(lockfile, f->path);
    struct anole_lockfile *again = load(f->path);
    assert_null(strchr(again->devices[0].device, '\x1b'));
    put(again, &device); /* known again */
    assert_int_equal(again->device_count, 1);
    save(again, f->path);
    anole_lockfile_destroy(lockfile);
    anole_lockfile_destroy(again);
}

static void test_save_refuses_what_could_not_be_loaded(void **state)
{
    struct fixture *f = *state;
    struct anole_lockfile *lockfile = make_lockfile();
    struct anole_lock_device device = make_device("cpu:0", "AMD EPYC 9R45", 0, 1);
    put(lockfile, &device);
    save(lockfile, f->path);
    char *before = read_text(f->path);
    struct anole_error error = {0};
    lockfile->devices[0].tasks[0].value = -1.0;
    assert_int_equal(anole_lockfile_save(lockfile, f->path, &error), ANOLE_ERR_INTERNAL);
    assert_non_null(strstr(error.text, "\"seconds\""));
    char *after = read_text(f->path);
    assert_string_equal(before, after);
    free(before);
    free(after);
    anole_lockfile_destroy(lockfile);
}

static void test_failed_save_leaves_the_file_alone(void **state)
{
    struct fixture *f = *state;
    struct anole_lockfile *lockfile = make_lockfile();
    struct anole_lock_device device = make_device("cpu:0", "AMD EPYC 9R45", 0, 1);
    save(lockfile, f->path);
    char *before = read_text(f->path);
    put(lockfile, &device);
    struct rlimit unlimited, limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
    signal(SIGXFSZ, SIG_IGN);
    for (rlim_t room = 0; room < 400; room += 50) {
        struct anole_error error = {0};
        limit = unlimited;
        limit.rlim_cur = room;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        enum anole_status status = anole_lockfile_save(lockfile, f->path, &error);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
        assert_int_equal(status, ANOLE_ERR_SYSTEM);
        char *after = read_text(f->path);
        assert_string_equal(before, after);
        free(after);
        assert_int_equal(count_files(f->folder), 1); /* no temporary file stays */
    }
    save(lockfile, f->path);
    free(before);
    anole_lockfile_destroy(lockfile);
}

/* Killed at any moment, there is the old file or the new one, whole. */
static void test_killed_save_leaves_a_whole_file(void **state)
{
    struct fixture *f = *state;
    struct anole_lockfile *small = make_lockfile(), *large = make_lockfile();
    char names[50][32];
    for (int i = 0; i < 50; i++) {
        snprintf(names[i], sizeof names[i], "device %d", i);
        struct anole_lock_device device = make_device("cpu:0", names[i], 0, 2);
        put(large, &device);
    }
    save(small, f->path);
    for (int round = 0; round < 12; round++) {
        int ready[2];
        char byte;
        assert_int_equal(pipe(ready), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            for (int i = 0;; i++) {
                if (anole_lockfile_save(i % 2 ? small : large, f->path, NULL))
                    _exit(1);
                if (i == 1 && write(ready[1], "", 1) != 1)
                    _exit(2);
            }
        }
        assert_int_equal(read(ready[0], &byte, 1), 1);
        usleep((useconds_t)(round * 337));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        struct anole_lockfile *now = load(f->path);
        assert_true(now->device_count == 0 || now->device_count == 50);
        anole_lockfile_destroy(now);
        close(ready[0]), close(ready[1]);
    }
    anole_lockfile_destroy(small);
    anole_lockfile_destroy(large);
}

static void test_load_refuses_what_is_no_file(void **state)
{
    struct fixture *f = *state;
    struct anole_lockfile *lockfile = NULL;
    struct anole_error error = {0};
    assert_int_equal(anole_lockfile_load(&lockfile, f->path, &error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, f->path));
    assert_int_equal(anole_lockfile_load(&lockfile, f->folder, NULL), ANOLE_ERR_INPUT);
    assert_int_equal(mkfifo(f->path, 0600), 0);
    assert_int_equal(anole_lockfile_load(&lockfile, f->path, NULL), ANOLE_ERR_INPUT);
    struct anole_lockfile *one = make_lockfile();
    assert_int_equal(anole_lockfile_save(one, f->path, NULL), ANOLE_ERR_INPUT);
    assert_int_equal(anole_lockfile_save(one, f->folder, NULL), ANOLE_ERR_INPUT);
    anole_lockfile_destroy(one);
    assert_null(lockfile);
}

/* -------------------------------------------------------------------- corpus */

/* Calls `check` for each NAME.json in data/lockfiles/`kind`; returns how many. */
static size_t walk(const struct fixture *f, const char *kind,
                   void (*check)(const struct fixture *f, const char *path))
{
    const char *data = getenv("ANOLE_TEST_DATA");
    char folder[512], path[1024];
    struct dirent **entries;
    size_t checked = 0;
    snprintf(folder, sizeof folder, "%s/lockfiles/%s", data ? data : "tests/data", kind);
    int count = scandir(folder, &entries, NULL, alphasort);
    if (count < 0)
        fail_msg("%s cannot be read: set ANOLE_TEST_DATA", folder);
    for (int i = 0; i < count; i++) {
        const char *dot = strrchr(entries[i]->d_name, '.');
        if (dot && strcmp(dot, ".json") == 0) {
            snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
            check(f, path);
            checked++;
        }
        free(entries[i]);
    }
    free(entries);
    return checked;
}

/* What NAME.expect says, line by line, is in the message; and the file's name. */
static void check_invalid(const struct fixture *f, const char *path)
{
    (void)f;
    struct anole_lockfile *lockfile = NULL;
    struct anole_error error = {0};
    enum anole_status status = anole_lockfile_load(&lockfile, path, &error);
    if (status != ANOLE_ERR_INPUT && status != ANOLE_ERR_VERSION)
        fail_msg("%s: %s", path, status ? error.text : "was not refused");
    assert_null(lockfile);
    if (!strstr(error.text, path))
        fail_msg("%s is not named in: %s", path, error.text);
    char expect[1100], *line;
    snprintf(expect, sizeof expect, "%.*s.expect", (int)(strrchr(path, '.') - path), path);
    char *text = read_text(expect), *rest = text;
    while ((line = strsep(&rest, "\n")))
        if (!strstr(error.text, line))
            fail_msg("%s\n  expected: %s\n  found:    %s", path, line, error.text);
    free(text);
}

static void check_valid(const struct fixture *f, const char *path)
{
    struct anole_lockfile *lockfile = load(path);
    save(lockfile, f->path);
    struct anole_lockfile *again = load(f->path);
    assert_int_equal(again->device_count, lockfile->device_count);
    for (size_t i = 0; i < again->device_count; i++)
        assert_same_device(&again->devices[i], &lockfile->devices[i]);
    anole_lockfile_destroy(lockfile);
    anole_lockfile_destroy(again);
}

static void test_invalid_files_are_refused_with_a_reason(void **state)
{
    assert_true(walk(*state, "invalid", check_invalid) >= 70);
}

static void test_valid_files_are_loaded(void **state)
{
    assert_true(walk(*state, "valid", check_valid) >= 8);
}

/* No prefix of a file, and no file with one byte changed, does harm. */
static void test_damaged_files_do_no_harm(void **state)
{
    struct fixture *f = *state;
    struct anole_lockfile *lockfile = make_lockfile();
    struct anole_lock_device device = make_run_device();
    put(lockfile, &device);
    save(lockfile, f->path);
    char *text = read_text(f->path), copy[96];
    size_t length = strlen(text);
    snprintf(copy, sizeof copy, "%s/copy", f->folder);
    for (size_t cut = 0; cut < 2 * length; cut++) {
        struct anole_lockfile *damaged = NULL;
        size_t at = cut % length;
        char was = text[at];
        FILE *file = fopen(copy, "wb");
        assert_non_null(file);
        text[at] = (char)(was ^ 0x04);
        assert_int_equal(fwrite(text, 1, cut < length ? at : length, file),
                         cut < length ? at : length);
        fclose(file);
        text[at] = was;
        enum anole_status status = anole_lockfile_load(&damaged, copy, NULL);
        assert_true(cut >= length - 1 || status == ANOLE_ERR_INPUT);
        anole_lockfile_destroy(damaged);
    }
    free(text);
    anole_lockfile_destroy(lockfile);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ------------------------------------------------------------------- volume */

static void add_device(struct anole_text *text, size_t number, size_t task_count)
{
    anole_text_printf(text,
                      "%s{\"id\": \"cpu:0\", \"backend\": \"cpu\", \"backend_version\": \"1\", "
                      "\"generator\": 1, \"device\": \"device %zu\", \"driver\": \"d\", "
                      "\"driver_version\": \"1\", \"threads\": 0, \"metric\": \"seconds\", "
                      "\"tasks\": [",
                      number ? ", " : "", number);
    for (size_t i = 0; i < task_count; i++)
        anole_text_printf(text,
                          "%s{\"task\": \"dense n1 i%zu o5 f32\", \"multiplicity\": 1, \"knobs\": "
                          "{\"a\": 1}, \"seconds\": 1.0, \"low\": 1.0, \"high\": 1.0, "
                          "\"default_seconds\": 1.0, \"speedup\": 1.0, \"speedup_low\": 1.0, "
                          "\"speedup_high\": 1.0, \"tie\": true, \"source_hash\": "
                          "\"0123456789abcdef\", \"trials\": 1}",
                          i ? ", " : "", i + 1);
    anole_text_printf(text, "]}");
}

/* Processor time, which other work does not change much, of reading a lock file of so many devices
 * and tasks, and comparing it with itself where that can be done. */
static double read_many(size_t device_count, size_t task_count)
{
    struct anole_text text = {0};
    struct anole_error error = {0};
    struct anole_lockfile *files[2];
    anole_text_printf(&text, "{\"anole_lock\": 2, \"network\": \"n\", \"network_path\": "
                             "\"n.json\", \"devices\": [");
    for (size_t i = 0; i < device_count; i++)
        add_device(&text, i, task_count);
    anole_text_printf(&text, "]}");
    clock_t start = clock();
    for (int i = 0; i < 2; i++)
        if (anole_lockfile_parse(&files[i], text.data, text.length, "many", &error))
            fail_msg("%s", error.text);
    if (device_count == 1) {
        static const char *const paths[] = {"a", "b"};
        struct anole_comparison *comparison;
        if (anole_comparison_create(&comparison, files, paths, 2, &error))
            fail_msg("%s", error.text);
        assert_int_equal(comparison->row_count, task_count);
        assert_int_equal(comparison->whole_count, task_count);
        anole_comparison_destroy(comparison);
    }
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    for (int i = 0; i < 2; i++)
        anole_lockfile_destroy(files[i]);
    anole_text_fini(&text);
    return seconds;
}

static void test_time_of_reading_grows_as_the_file_does(void **state)
{
    (void)state;
    double few = read_many(400, 1), many = read_many(6400, 1);
    /* 16 times as many: squared, that would be 256 times the time. */
    if (!(many < 64 * few + 0.05))
        fail_msg("400 devices took %g s, 6,400 %g s", few, many);
    few = read_many(1, 1000);
    many = read_many(1, 16000);
    if (!(many < 64 * few + 0.05))
        fail_msg("1,000 tasks took %g s, 16,000 %g s", few, many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_carry_adds_what_is_held_of_the_same_device),
        TEST(test_load_finds_what_was_saved),
        TEST(test_network_in_place_is_tied_to_its_kernels),
        TEST(test_empty_lockfile_is_saved_and_loaded),
        TEST(test_put_replaces_the_same_device_alone),
        TEST(test_sizes_stand_side_by_side),
        TEST(test_precisions_stand_side_by_side),
        TEST(test_text_that_is_not_printable_is_escaped),
        TEST(test_save_refuses_what_could_not_be_loaded),
        TEST(test_failed_save_leaves_the_file_alone),
        TEST(test_killed_save_leaves_a_whole_file),
        TEST(test_load_refuses_what_is_no_file),
        TEST(test_invalid_files_are_refused_with_a_reason),
        TEST(test_valid_files_are_loaded),
        TEST(test_damaged_files_do_no_harm),
        TEST(test_time_of_reading_grows_as_the_file_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
