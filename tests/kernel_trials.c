/* SPDX-License-Identifier: MIT
 *
 * Random configs of every template of a plugin over random shapes, each built, run
 * and judged, as many as one has time for; see usage().  Unlike
 * test_kernels it goes on after a failure, a crash and a hang, so that a driver's
 * whole list of sins is seen at once.
 */
#include "oclgrind_fixture.h"
#include "random_tasks.h"

#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define SKIPPED 77 /* says Automake */
#define MAX_JOBS 64
#define NO_TRIAL UINT_MAX
#define MAX_FAILURES 20 /* of a template: the rest would tell the same */

static void usage(FILE *to)
{
    fputs("Usage: kernel_trials [OPTION]...\n"
          "Builds, runs and checks random configs of every template of the cpu plugin.\n"
          "  --backend NAME  of another plugin: gpu, on a device that may be any\n"
          "  --trials N      configs of each template, default 20\n"
          "  --only NAME     templates whose names begin so; may be given several times\n"
          "  --first N       begins with trial N: --first N --trials 1 repeats one\n"
          "  --seed N        other trials, default 1\n"
          "  --precision P   fp32, fp16 or tf32 (default fp32)\n"
          "  --operations N  largest layer, in floating-point operations, default 2e7\n"
          "  --jobs N        processes, default 1\n"
          "  --limit N       seconds of processor time for a trial, default 120\n"
          "  --oclgrind LIB  the driver is Oclgrind's library, which looks for races, for\n"
          "                  uninitialised values and for accesses out of bounds\n"
          "  --list          prints the names of the templates\n"
          "The driver is PoCL, or the .icd file or library that ANOLE_TEST_DRIVER names.\n"
          "Exits with 0 if all went well, 1 if not, 77 if there is no such driver.\n",
          to);
}

/* --------------------------------------------------------------- templates */

/* A first layer: few channels, a large filter, a stride. */
static void random_first_layer(struct anole_task *task, struct anole_rng *rng)
{
    random_window(task, rng);
    task->kind = ANOLE_TASK_CONV2D;
    task->groups = 1;
    task->in_c = PICK(rng, 1, 2, 3, 3, 4);
    task->out_c = random_channels(rng);
    task->dilation_h = task->dilation_w = 1;
    task->kernel_h = task->kernel_w = PICK(rng, 3, 5, 7, 11);
    task->stride_h = task->stride_w = PICK(rng, 1, 2, 4);
}

/* Enough rows for a tile of a tensor core. */
static void random_dense_rows(struct anole_task *task, struct anole_rng *rng)
{
    random_dense(task, rng);
    task->batch = PICK(rng, 16, 17, 33, 64);
    task->in_c = PICK(rng, 8, 12, 16, 33, 64);
    task->out_c = PICK(rng, 8, 17, 24, 64);
}

/* A variant of a template: where its tasks come from, and what its configs have in
 * common. */
struct variant {
    const char *name;
    random_draw *draw;
    const char *algorithm;
    struct kernel_wish wishes[2];
    size_t wish_count;
    bool swizzles; /* vectors of 16 lanes: Oclgrind then loses track of what is initialised */
    bool gpu;      /* of the gpu plugin */
    bool standard; /* the default config alone */
    bool tensor;   /* in TF32, on tensor cores, which the device is without */
};

#define GPU_WINOGRAD(size)                                                                         \
    {                                                                                              \
        .name = "winograd-f" #size, .draw = random_winograd, .algorithm = "winograd",              \
        .wishes = {{"wino_tile", size}}, .wish_count = 1, .gpu = true                              \
    }
#define GPU_GEMM(label, take, stage)                                                               \
    {                                                                                              \
        .name = "gemm-" label, .draw = take, .algorithm = "gemm", .wishes = {{"stage", stage}},    \
        .wish_count = 1, .gpu = true                                                               \
    }

#define GPU_TENSOR(label, take, count, ...)                                                        \
    {                                                                                              \
        .name = "tensor-" label, .draw = take, .algorithm = "tensor", .wishes = {__VA_ARGS__},     \
        .wish_count = count, .gpu = true, .tensor = true                                           \
    }

#define WINOGRAD(size, label, stages)                                                              \
    {                                                                                              \
        .name = "winograd-f" #size "-" label, .draw = random_winograd, .algorithm = "winograd",    \
        .wishes = {{"wino_tile", size}, {"wino_stages", stages}}, .wish_count = 2                  \
    }

static const struct variant variants[] = {
    {.name = "direct", .draw = random_conv, .algorithm = "direct"},
    {.name = "first-layer", .draw = random_first_layer, .algorithm = "direct"},
    {.name = "grouped", .draw = random_narrow_groups, .algorithm = "grouped", .swizzles = true},
    {.name = "pointwise", .draw = random_pointwise, .algorithm = "pointwise"},
    WINOGRAD(2, "fused", 0),
    WINOGRAD(2, "staged", 1),
    WINOGRAD(4, "fused", 0),
    WINOGRAD(4, "staged", 1),
    WINOGRAD(5, "fused", 0),
    WINOGRAD(5, "staged", 1),
    WINOGRAD(6, "fused", 0),
    WINOGRAD(6, "staged", 1),
    {.name = "winograd-rest",
     .draw = random_winograd,
     .algorithm = "winograd",
     .wishes = {{"wino_rest", 2}},
     .wish_count = 1},
    {.name = "depthwise", .draw = random_depthwise},
    {.name = "dense", .draw = random_dense},
    {.name = "transposed", .draw = random_conv_transpose},
    {.name = "matmul", .draw = random_matmul},
    GPU_GEMM("both", random_conv, 0),
    GPU_GEMM("weights", random_conv, 1),
    GPU_GEMM("inputs", random_conv, 2),
    GPU_GEMM("none", random_conv, 3),
    {.name = "gemm-pointwise", .draw = random_pointwise, .algorithm = "gemm", .gpu = true},
    {.name = "gemm-dense", .draw = random_dense, .algorithm = "gemm", .gpu = true},
    {.name = "gemm-two-tiles",
     .draw = random_first_layer,
     .algorithm = "gemm",
     .wishes = {{"pipeline", 2}},
     .wish_count = 1,
     .gpu = true},
    {.name = "gemm-split",
     .draw = random_conv,
     .algorithm = "gemm",
     .wishes = {{"split", 2}},
     .wish_count = 1,
     .gpu = true},
    GPU_TENSOR("conv", random_conv, 0),
    GPU_TENSOR("first-layer", random_first_layer, 0),
    GPU_TENSOR("pointwise", random_pointwise, 0),
    GPU_TENSOR("dense", random_dense_rows, 0),
    GPU_TENSOR("two-tiles", random_conv, 1, {"mma_pipeline", 2}),
    GPU_TENSOR("split", random_conv, 1, {"mma_split", 2}),
    {.name = "default-tensor", .draw = random_conv, .gpu = true, .standard = true, .tensor = true},
    GPU_WINOGRAD(2),
    GPU_WINOGRAD(4),
    GPU_WINOGRAD(6),
    {.name = "direct",
     .draw = random_conv,
     .algorithm = "direct",
     .wishes = {{"direct_stage", 0}},
     .wish_count = 1,
     .gpu = true},
    {.name = "direct-local",
     .draw = random_conv,
     .algorithm = "direct",
     .wishes = {{"direct_stage", 1}},
     .wish_count = 1,
     .gpu = true},
    {.name = "direct-grouped", .draw = random_narrow_groups, .algorithm = "direct", .gpu = true},
    {.name = "depthwise",
     .draw = random_depthwise,
     .wishes = {{"stage", 0}},
     .wish_count = 1,
     .gpu = true},
    {.name = "depthwise-local",
     .draw = random_depthwise,
     .wishes = {{"stage", 1}},
     .wish_count = 1,
     .gpu = true},
    {.name = "dense", .draw = random_dense, .algorithm = "dense", .gpu = true},
    {.name = "matmul", .draw = random_matmul, .gpu = true},
    {.name = "default-matmul", .draw = random_matmul, .gpu = true, .standard = true},
    {.name = "default-conv", .draw = random_conv, .gpu = true, .standard = true},
    {.name = "default-winograd", .draw = random_winograd, .gpu = true, .standard = true},
    {.name = "default-depthwise", .draw = random_depthwise, .gpu = true, .standard = true},
    {.name = "default-dense", .draw = random_dense, .gpu = true, .standard = true},
};

#define VARIANTS ((unsigned)(sizeof variants / sizeof *variants))

/* ----------------------------------------------------------------- options */

struct options {
    bool chosen[VARIANTS];
    bool gpu; /* its templates, instead of the CPU's */
    unsigned trials, first, jobs, limit;
    uint64_t seed;
    uint32_t dtype;
    double operations;
    const char *oclgrind; /* its library; NULL: another driver */
    char folder[32];      /* of logs, if it is Oclgrind */
};

static bool choose(struct options *o, const char *name)
{
    bool any = false;
    for (size_t i = 0; i < VARIANTS; i++)
        if (!strncmp(variants[i].name, name, strlen(name)))
            o->chosen[i] = any = true;
    /* Names may occur in both plugins: settle() leaves those of one. */
    if (!any)
        fprintf(stderr, "kernel_trials: no template '%s': --list shows what there is\n", name);
    return any;
}

/* The plugin that was asked for, and its templates: those that were chosen, or all. */
static bool settle(struct options *o, bool any, const char *backend)
{
    o->gpu = !strcmp(backend, "gpu");
    if (!o->gpu && strcmp(backend, "cpu")) {
        fprintf(stderr, "kernel_trials: no backend '%s': expected cpu or gpu\n", backend);
        return false;
    }
    for (size_t i = 0; i < VARIANTS; i++)
        o->chosen[i] = (o->chosen[i] || !any) && variants[i].gpu == o->gpu;
    setenv("ANOLE_TEST_BACKEND", backend, 1);
    if (o->gpu)
        setenv("ANOLE_GPU_ANY_DEVICE", "1", 0); /* 0 leaves real GPUs alone */
    return true;
}

/* -1: go on; else the exit status. */
static int parse(struct options *o, int argc, char **argv)
{
    static const struct option known[] = {
        {"trials", 1, NULL, 't'},    {"only", 1, NULL, 'o'},       {"first", 1, NULL, 'f'},
        {"seed", 1, NULL, 's'},      {"operations", 1, NULL, 'p'}, {"jobs", 1, NULL, 'j'},
        {"limit", 1, NULL, 'l'},     {"oclgrind", 1, NULL, 'g'},   {"backend", 1, NULL, 'b'},
        {"precision", 1, NULL, 'P'}, {"list", 0, NULL, 'L'},       {"help", 0, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    bool any = false;
    const char *backend = "cpu";
    *o = (struct options){
        .trials = 20, .jobs = 1, .limit = 120, .seed = 1, .dtype = ANOLE_F32, .operations = 2e7};
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        const unsigned number = optarg ? (unsigned)strtoul(optarg, NULL, 0) : 0;
        if (c == 'o' && !choose(o, optarg))
            return 2;
        any |= c == 'o';
        if (c == 't')
            o->trials = number;
        else if (c == 'f')
            o->first = number;
        else if (c == 's')
            o->seed = strtoull(optarg, NULL, 0);
        else if (c == 'p')
            o->operations = strtod(optarg, NULL);
        else if (c == 'j')
            o->jobs = number < 1 ? 1 : number > MAX_JOBS ? MAX_JOBS : number;
        else if (c == 'l')
            o->limit = number;
        else if (c == 'g')
            o->oclgrind = optarg;
        else if (c == 'b')
            backend = optarg;
        else if (c == 'P' && !(o->dtype = anole_precision_parse(optarg)))
            return 2;
        else if (c == 'L' || c == 'h' || c == '?') {
            for (size_t i = 0; c == 'L' && i < VARIANTS; i++)
                puts(variants[i].name);
            if (c != 'L')
                usage(c == 'h' ? stdout : stderr);
            return c == '?' ? 2 : 0;
        }
    }
    return settle(o, any, backend) ? -1 : 2;
}

/* ------------------------------------------------------------------ trials */

/* What the processes share.  A trial is a number; its variant is number % VARIANTS. */
struct board {
    atomic_uint next;
    atomic_uint tried[VARIANTS], failed[VARIANTS];
    atomic_uint current[MAX_JOBS]; /* the trial that a process is at */
};

/* Any CPU with this one's memory: wide vectors run on narrow registers as well. */
static struct anole_device random_device(const struct anole_device *real, struct anole_rng *rng)
{
    struct anole_device device = *real;
    device.simd_width = 4u << anole_rng_below(rng, 3);
    device.registers = device.simd_width == 16 || anole_rng_below(rng, 2) ? 32 : 16;
    device.compute_units = PICK(rng, 1, 2, 3, 8, 64);
    return device;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Tensor cores that the kernel is to do without, unless the device has them. */
static void add_tensor_cores(struct anole_device *device)
{
    for (uint32_t i = 0; i < device->property_count; i++)
        if (!strcmp(device->properties[i].name, "tensor_cores"))
            return;
    device->properties[device->property_count++] =
        (struct anole_property){.name = "tensor_cores", .value = 2};
}

/* This device as if it had the traits of some GPU, as far as its limits allow. */
static struct anole_device random_gpu(const struct anole_device *real, struct anole_rng *rng)
{
    struct anole_device device = *real;
    for (uint32_t i = 0; i < device.property_count; i++)
        if (!strcmp(device.properties[i].name, "local_real"))
            device.properties[i].value = anole_rng_below(rng, 4) > 0;
    device.simd_width = PICK(rng, 8, 16, 32, 64);
    device.registers = PICK(rng, 64, 128, 255);
    device.compute_units = PICK(rng, 1, 4, 24, 132);
    device.max_work_group = least(device.max_work_group, PICK(rng, 64, 256, 1024));
    device.local_memory = least(device.local_memory, PICK(rng, 16 << 10, 32 << 10, 48 << 10));
    return device;
}

static void run_trial(struct kernel_fixture *fixture, const struct options *o,
                      const struct variant *variant, unsigned number)
{
    struct anole_rng seeded, rng;
    char label[64];
    snprintf(label, sizeof label, "%s %u", variant->name, number);
    anole_rng_init(&seeded, o->seed);
    anole_rng_fork(&rng, &seeded, label);

    /* Small layers that fill a tile of tensor cores are few. */
    const int most = variant->tensor ? 1000 : 50;
    for (int i = 0; i < most; i++) {
        struct anole_task task = random_task(&rng, variant->draw, o->operations);
        task.dtype = o->dtype;
        struct anole_device device = variant->gpu ? random_gpu(&fixture->device, &rng)
                                                  : random_device(&fixture->device, &rng);
        if (variant->tensor) {
            add_tensor_cores(&device);
            if (task.dtype == ANOLE_F32)
                task.dtype = ANOLE_TF32;
        }
        if (o->oclgrind && variant->swizzles && device.simd_width > 8)
            device.simd_width = 8;
        struct anole_generator *generator = kernel_generator(fixture, &device, &task);
        struct anole_task_data *data = NULL;
        struct anole_error error = {0};
        uint64_t config = anole_space_default(anole_generator_space(generator));
        bool found =
            variant->standard || kernel_sample_wish(&config, generator, &rng, variant->algorithm,
                                                    variant->wishes, variant->wish_count);
        if (found && anole_task_data_create(&data, &task, anole_rng_u64(&rng), 1, &error))
            fail_msg("%s", error.text);
        if (found)
            kernel_check(fixture, generator, data, config);
        anole_task_data_destroy(data);
        anole_generator_destroy(generator);
        if (found)
            return;
    }
    fail_msg("no config of %s was found for %d random layers", variant->name, most);
}

static unsigned end_of(const struct options *o)
{
    return (o->first + o->trials) * VARIANTS;
}

static bool open_driver(struct kernel_fixture *fixture, const struct options *o, char *log)
{
    if (o->oclgrind)
        oclgrind_prepare(o->oclgrind, log);
    if (!kernel_fixture_init(fixture))
        return false;
    fixture->exact = o->oclgrind != NULL;
    fixture->log = o->oclgrind ? log : NULL;
    return true;
}

/* Ends the process after so many seconds of its own, however busy the machine is; one that waits
 * for ever is waited for ten times as long.  0: lifts the limit. */
static void set_limit(unsigned seconds)
{
    const struct itimerval timer = {.it_value = {.tv_sec = seconds}};
    setitimer(ITIMER_PROF, &timer, NULL);
    alarm(10 * seconds);
}

/* Takes trials until there are none left; ends at the first that fails.  Oclgrind
 * takes what a new program does for that of an old one at the same address: it gets
 * a process for each trial. */
static int work(const struct options *o, struct board *board, unsigned job)
{
    struct kernel_fixture fixture;
    char log[64];
    bool done = false;
    snprintf(log, sizeof log, "%s/%u", o->folder, job);
    if (!open_driver(&fixture, o, log))
        return SKIPPED;
    for (unsigned i; !done && (i = atomic_fetch_add(&board->next, 1)) < end_of(o);) {
        const size_t v = i % VARIANTS;
        if (!o->chosen[v] || board->failed[v] >= MAX_FAILURES)
            continue;
        atomic_store(&board->current[job], i);
        atomic_fetch_add(&board->tried[v], 1);
        set_limit(o->limit);
        run_trial(&fixture, o, &variants[v], i / VARIANTS);
        set_limit(0);
        done = o->oclgrind != NULL;
    }
    kernel_fixture_fini(&fixture);
    return 0;
}

/* --------------------------------------------------------------- processes */

static pid_t start(const struct options *o, struct board *board, unsigned job)
{
    fflush(NULL);
    atomic_store(&board->current[job], NO_TRIAL);
    pid_t child = fork();
    if (child == 0)
        exit(work(o, board, job));
    if (child < 0) {
        perror("kernel_trials: fork");
        exit(1);
    }
    return child;
}

static void note_failure(struct board *board, unsigned job, int status)
{
    const unsigned trial = atomic_load(&board->current[job]);
    const int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    const char *how = number == SIGALRM || number == SIGPROF ? "took too long"
                      : number                               ? strsignal(number)
                                                             : "see above";
    fprintf(stderr, "FAILED: --only %s --first %u (%s)\n", variants[trial % VARIANTS].name,
            trial / VARIANTS, how);
    atomic_fetch_add(&board->failed[trial % VARIANTS], 1);
}

/* Oclgrind must see what it is asked to look for.  0, 1 or SKIPPED. */
static int prove(const struct options *o)
{
    struct kernel_fixture fixture;
    char log[64];
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        snprintf(log, sizeof log, "%s/proof", o->folder);
        if (!open_driver(&fixture, o, log))
            exit(SKIPPED);
        oclgrind_prove(&fixture);
        kernel_fixture_fini(&fixture);
        exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
        return 1;
    return WEXITSTATUS(status) == SKIPPED ? SKIPPED : WEXITSTATUS(status) != 0;
}

/* Runs o->jobs processes at a time; one that ends early is replaced.  Returns
 * SKIPPED if there was no driver, else 0. */
static int work_in_processes(const struct options *o, struct board *board)
{
    pid_t children[MAX_JOBS];
    unsigned alive = o->jobs;
    for (unsigned job = 0; job < o->jobs; job++)
        children[job] = start(o, board, job);
    while (alive) {
        int status;
        pid_t ended = wait(&status);
        if (ended < 0)
            return 1;
        unsigned job = 0;
        while (job < o->jobs && children[job] != ended)
            job++;
        if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
            return SKIPPED;
        if (status && atomic_load(&board->current[job]) == NO_TRIAL)
            return 1; /* it did not come as far as a trial, and no other would */
        if (status)
            note_failure(board, job, status);
        if (status || atomic_load(&board->next) < end_of(o))
            children[job] = start(o, board, job);
        else
            alive--;
    }
    return 0;
}

static int run_all(const struct options *o)
{
    unsigned tried = 0, failed = 0;
    struct board *board =
        mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED) {
        perror("kernel_trials: mmap");
        return 1;
    }
    atomic_store(&board->next, o->first * VARIANTS);
    int status = work_in_processes(o, board);
    for (size_t i = 0; i < VARIANTS && !status; i++) {
        if (o->chosen[i])
            printf("%-20s %6u trials %6u failed\n", variants[i].name, board->tried[i],
                   board->failed[i]);
        tried += board->tried[i];
        failed += board->failed[i];
    }
    if (!status)
        printf("%-20s %6u trials %6u failed\n", "all", tried, failed);
    munmap(board, sizeof *board);
    return status ? status : failed > 0;
}

static void remove_logs(const struct options *o)
{
    char path[64];
    for (unsigned job = 0; job < o->jobs; job++) {
        snprintf(path, sizeof path, "%s/%u", o->folder, job);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/proof", o->folder);
    unlink(path);
    rmdir(o->folder);
}

int main(int argc, char **argv)
{
    struct options o;
    int status = parse(&o, argc, argv);
    if (status >= 0)
        return status;
    if (o.oclgrind) {
        strcpy(o.folder, "/tmp/anole-trials-XXXXXX");
        if (!mkdtemp(o.folder)) {
            perror("kernel_trials: a folder in /tmp");
            return 1;
        }
        status = prove(&o);
    }
    if (status <= 0)
        status = run_all(&o);
    if (o.oclgrind)
        remove_logs(&o);
    return status;
}
