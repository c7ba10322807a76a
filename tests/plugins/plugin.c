/* SPDX-License-Identifier: MIT
 *
 * A backend without a device, for tests: "builds" nothing, and runs a direct
 * convolution on the host.  Compiled several times:
 *
 *   PLUGIN_NAME   the name, a string
 *   DEVICE_FLAGS  of its devices (default: they share the host)
 *   NO_BINARY     without the op binary
 *   DEEDS         with a knob `deed`, each value of which is another misdeed
 *   QUICK         ... but for those that take time
 *   DRIVERS       with several drivers, not all of them well
 *   MOODY         whose pure ops do what $MISDEED says of them: "space exit",
 *                 "all print"
 *   OWN_WORK      whose own clock takes longer for larger layers
 *   NETWORKS      with the ops for networks: sequences, and memory that is mapped
 *   LIBRARY       whose kernels have neither source nor launches; a knob has labels
 *   SINGLE        without knobs
 *   SLOW_BUILDS   whose device says that a build may take so many seconds
 *   EXAMINED      with the op diagnose, which has something to say, and crashes
 *   ALWAYS        DEED_x: every config does this
 *   FAULT         FAULT_x: one of those of faults.h
 */
#include "faults.h"
#include "misdeeds.h"
#include "window.h"

#include <anole/plugin.h>

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef PLUGIN_NAME
#define PLUGIN_NAME "good"
#endif
#ifndef DEVICE_FLAGS
#define DEVICE_FLAGS ANOLE_DEVICE_SHARES_HOST
#endif

#ifndef HALVES /* 1: tasks in half precision, too */
#define HALVES 0
#endif

#ifndef ALWAYS
#define ALWAYS DEED_none
#endif

enum { KNOB_TILE, KNOB_SLOW, KNOB_DEED };

#ifdef SINGLE
static const int64_t only[] = {1, 0, DEED_none};
#define VALUES(values) only
#else
#define VALUES(values) values
#endif

struct anole_session {
    const struct anole_host *host;
};

/* What a run of tile 1 takes by a clock of its own: far less than by the host's. */
#define OWN_SECONDS 1e-9
#ifdef OWN_WORK
#define OWN_TIMES(task) ((double)(task)->in_c * (task)->out_c * (task)->out_h * (task)->out_w)
#else
#define OWN_TIMES(task) 1.0
#endif

/* Read back with what binary() wrote. */
#define BINARY_TEXT "built by " PLUGIN_NAME

/* -- Describe -- */

#ifdef DRIVERS
static int drivers(const struct anole_host *host, struct anole_driver_list *list,
                   struct anole_message *message)
{
    (void)host;
    (void)message;
    static const char *const names[] = {"two", "crash", "none", "broken", "one"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (list->add(list, names[i]) != ANOLE_OK)
            return ANOLE_NO_MEMORY;
    return ANOLE_OK;
}
#endif

static int probe(const struct anole_host *host, const char *driver, struct anole_device *devices,
                 uint32_t *count, struct anole_message *message)
{
    uint32_t wanted = strcmp(driver, "two") == 0 ? 2 : 1;
    if (strcmp(driver, "crash") == 0 || FAULT == FAULT_crash_probe) {
        fprintf(stderr, "this driver is about to crash\n");
        signal(SIGABRT, SIG_DFL);
        raise(SIGABRT);
    }
    if (strcmp(driver, "broken") == 0)
        return fail(message, ANOLE_DEVICE_LOST, "its library is too old");
    if (strcmp(driver, "none") == 0)
        wanted = 0;
    for (uint32_t i = 0; i < wanted && i < *count; i++) {
        struct anole_device *device = &devices[i];
        device->index = i;
        device->type = ANOLE_DEVICE_CPU;
        device->flags = DEVICE_FLAGS;
        snprintf(device->name, sizeof device->name, "Test Device %s%u", driver, i);
        snprintf(device->vendor, sizeof device->vendor, "Nobody");
        if (FAULT == FAULT_changing_probe)
            device->clock_mhz = (uint32_t)getpid() + (uint32_t)++calls;
        snprintf(device->driver, sizeof device->driver, "%s driver", PLUGIN_NAME);
        snprintf(device->driver_version, sizeof device->driver_version, "1.2.3");
        device->compute_units = device->cores = host->topology->cores;
        device->max_work_group = 256;
        device->local_memory = 32768;
#ifdef SLOW_BUILDS
        device->build_seconds = SLOW_BUILDS;
#endif
        device->property_count = 1;
        snprintf(device->properties[0].name, sizeof device->properties[0].name, "answer");
        device->properties[0].value = 42;
    }
    *count = wanted;
    return ANOLE_OK;
}

/* -- Generate -- */

#ifdef MOODY
static void mood(const char *op)
{
    const char *misdeed = getenv("MISDEED");
    size_t length = misdeed ? strcspn(misdeed, " ") : 0;
    if (!misdeed || (strncmp(misdeed, op, length) != 0 && strncmp(misdeed, "all ", 4) != 0))
        return;
    const char *deed = misdeed + length + (misdeed[length] == ' ');
    if (strcmp(deed, "cut") == 0 && truncate(getenv("CUT"), 0) != 0)
        abort();
    if (strcmp(deed, "exit") == 0)
        exit(0);
    if (strcmp(deed, "_exit") == 0)
        _exit(0);
    if (strcmp(deed, "abort") == 0 || strcmp(deed, "crash") == 0) {
        int number = strcmp(deed, "abort") == 0 ? SIGABRT : SIGSEGV;
        signal(number, SIG_DFL); /* whatever a sanitizer does */
        raise(number);
    }
    while (strcmp(deed, "hang") == 0)
        sleep(1);
    if (strcmp(deed, "print") == 0)
        printf("a word from the plugin\n");
}
#else
static void mood(const char *op)
{
    (void)op;
}
#endif

static int supports(const struct anole_device *device, const struct anole_task *task)
{
    mood("supports");
    (void)device;
    if (FAULT == FAULT_knows_all_tasks)
        return task->kind != ANOLE_TASK_DEPTHWISE_CONV2D;
    /* The check asks about an odd number of tasks: the second time it is the others. */
    if (FAULT == FAULT_changing_support && ++calls % 2 == 0)
        return 0;
    if (task->in_pitch || task->out_pitch || task->residual_pitch)
        return 0;
    if (task->flags & ~(uint32_t)(ANOLE_TASK_BIAS | ANOLE_TASK_RESIDUAL) && FAULT != FAULT_any_flag)
        return 0;
    return (task->activation <= ANOLE_ACT_RELU6 || FAULT == FAULT_any_activation) &&
           (task->kind == ANOLE_TASK_CONV2D || task->kind == ANOLE_TASK_DENSE) &&
           (task->dtype == ANOLE_F32 || (HALVES && task->dtype == ANOLE_F16));
}

/* A value more than a knob may have. */
static int declare_too_much(struct anole_space_builder *builder)
{
    static int64_t values[4097];
    for (int i = 0; i < 4097; i++)
        values[i] = i;
    const struct anole_knob knob = {.size = sizeof knob,
                                    .kind = ANOLE_KNOB_ORDINAL,
                                    .name = "many",
                                    .values = values,
                                    .count = 4097};
    return builder->knob(builder, &knob);
}

static int space(const struct anole_device *device, const struct anole_task *task,
                 struct anole_space_builder *builder, struct anole_message *message)
{
    static const int64_t tiles[] = {1, 2, 4, 8, 16}, slow[] = {0, 1};
    const struct anole_knob tile = {.size = sizeof tile,
                                    .kind = ANOLE_KNOB_ORDINAL,
                                    .name = "tile",
                                    .values = tiles,
                                    .count = FAULT == FAULT_changing_space && ++calls % 2 ? 4 : 5,
                                    .default_index = FAULT == FAULT_bad_default ? 4 : 1};
    mood("space");
    if (!supports(device, task))
        return fail(message, ANOLE_UNSUPPORTED, "no such task");
    if (FAULT == FAULT_no_space && task->in_c == 8)
        return fail(message, ANOLE_BAD_REQUEST, "eight channels are too many");
    if (FAULT == FAULT_many_values)
        return declare_too_much(builder);
    const struct anole_knob pace = {.size = sizeof pace,
                                    .kind = ANOLE_KNOB_CATEGORICAL,
                                    .name = "slow",
                                    .values = slow,
#ifdef LIBRARY
                                    .labels = (const char *const[]){"hurried", "at ease\x1b[31m"},
#endif
                                    .count = 2};
#ifdef SINGLE
    (void)tile, (void)pace;
    return ANOLE_OK;
#endif
    int code = builder->knob(builder, &tile);
    if (code == ANOLE_OK)
        code = builder->knob(builder, &pace);
#ifdef DEEDS
    static const char *const names[] = {
#define X(name) #name,
        DEED_MAP(X)
#undef X
    };
#ifdef QUICK
    static const int64_t deeds[] = {DEED_none,      DEED_refuse, DEED_no_compile, DEED_exit_build,
                                    DEED_crash_run, DEED_wrong,  DEED_nan};
#else
    static const int64_t deeds[] = {
#define X(name) DEED_##name,
        DEED_MAP(X)
#undef X
    };
#endif
    const char *labels[DEED_COUNT];
    const uint32_t count = sizeof deeds / sizeof *deeds;
    for (uint32_t i = 0; i < count; i++)
        labels[i] = names[deeds[i]];
    const struct anole_knob deed = {.size = sizeof deed,
                                    .kind = ANOLE_KNOB_CATEGORICAL,
                                    .name = "deed",
                                    .values = deeds,
                                    .count = count,
                                    .labels = labels};
    if (code == ANOLE_OK)
        code = builder->knob(builder, &deed);
#endif
    if (code == ANOLE_OK)
        code = builder->constraint(builder, "tile < 16", "a tile of 16 is too large");
    if (code == ANOLE_OK && FAULT == FAULT_empty_space && task->in_c == 8)
        code = builder->constraint(builder, "tile > 16", "nothing is right");
    return code;
}

static int valid(const struct anole_device *device, const struct anole_task *task,
                 const int64_t *values, uint32_t count)
{
    mood("valid");
    (void)device;
    (void)task;
    (void)count;
    (void)values;
    return VALUES(values)[KNOB_TILE] != 8 || VALUES(values)[KNOB_SLOW] == 0;
}

static uint32_t features(const struct anole_device *device, const struct anole_task *task,
                         const int64_t *values, uint32_t count, double *out)
{
    mood("features");
    (void)device;
    (void)count;
    (void)values;
    if (out) {
        out[0] = (double)(task->out_w / (uint64_t)VALUES(values)[KNOB_TILE]);
        if (FAULT != FAULT_short_features)
            out[1] = FAULT == FAULT_nan_feature ? NAN : 1.0;
        if (FAULT == FAULT_long_features)
            for (int i = 2; i < 100; i++)
                out[i] = 1.0;
    }
    return FAULT == FAULT_many_features ? 1025 : 2;
}

static const char *feature_name(uint32_t kind, uint32_t i)
{
    (void)kind;
    return i == 0 ? "tiles a row" : "one";
}

static enum deed deed_of(const int64_t *values, uint32_t count)
{
    return count > KNOB_DEED ? (enum deed)values[KNOB_DEED] : ALWAYS;
}

static void add_arg(struct anole_launch *launch, uint32_t role, int64_t value)
{
    launch->args[launch->arg_count++] = (struct anole_arg){.role = role, .value = value};
}

static bool is_config(const int64_t *values, uint32_t count)
{
    static const uint32_t knobs = KNOB_DEED
#ifdef DEEDS
                                  + 1
#endif
        ;
#ifdef SINGLE
    (void)values, (void)knobs;
    return count == 0;
#endif
    if (count != knobs)
        return false;
    int64_t tile = values[KNOB_TILE], deed = knobs > KNOB_DEED ? values[KNOB_DEED] : 0;
    return tile >= 1 && tile <= 16 && (tile & (tile - 1)) == 0 && values[KNOB_SLOW] >= 0 &&
           values[KNOB_SLOW] <= 1 && deed >= 0 && deed < DEED_COUNT;
}

static int generate(const struct anole_device *device, const struct anole_task *task,
                    const int64_t *values, uint32_t count, struct anole_kernel_builder *builder,
                    struct anole_message *message)
{
    char source[128];
    enum deed deed = deed_of(values, count);
    mood("generate");
    if (!supports(device, task))
        return fail(message, ANOLE_UNSUPPORTED, "no such task");
    if (!is_config(values, count) && FAULT != FAULT_any_config)
        return fail(message, ANOLE_BAD_REQUEST, "no such config");
    if (deed == DEED_refuse)
        return fail(message, ANOLE_BAD_REQUEST, "this config is refused on purpose");
    values = VALUES(values);
    int length =
        snprintf(source, sizeof source, "kernel void conv() { /* %lld %lld %d %d */ }\n",
                 FAULT == FAULT_mixes_builds ? 0 : (long long)values[KNOB_TILE],
                 FAULT == FAULT_idle_knob ? 0 : (long long)values[KNOB_SLOW], deed, misremember());
    struct anole_launch launch = {.size = sizeof launch,
                                  .dimensions = 1,
                                  .kernel = "conv",
                                  .global = {(uint64_t)task->batch * 16},
                                  .local = {deed == DEED_bad_launch ? 3 : 4}};
    add_arg(&launch, ANOLE_ROLE_INPUT, 0);
    add_arg(&launch, ANOLE_ROLE_WEIGHTS, 0);
    if (task->flags & ANOLE_TASK_BIAS)
        add_arg(&launch, ANOLE_ROLE_BIAS, 0);
    if (task->flags & ANOLE_TASK_RESIDUAL)
        add_arg(&launch, ANOLE_ROLE_RESIDUAL, 0);
    add_arg(&launch, ANOLE_ROLE_OUTPUT, 0);
    add_arg(&launch, ANOLE_ROLE_INT, 7);
    if (values[KNOB_TILE] == 4)
        add_arg(&launch, ANOLE_ROLE_WORKSPACE, 0);
#ifdef LIBRARY
    const bool library = true;
#else
    const bool library = false;
#endif
    int code = library ? ANOLE_OK : builder->source(builder, source, (size_t)length);
    if (code == ANOLE_OK && !library)
        code = builder->options(builder, "-DTEST");
    if (code == ANOLE_OK && values[KNOB_TILE] == 2)
        code = builder->packed_weights(builder, weight_bytes(task) + 64);
    if (code == ANOLE_OK && values[KNOB_TILE] == 4)
        code = builder->workspace(builder, 1000);
    return code == ANOLE_OK && !library ? builder->launch(builder, &launch) : code;
}

/* Packed weights begin 64 bytes late. */
static int pack(const struct anole_device *device, const struct anole_task *task,
                const int64_t *values, uint32_t count, const void *weights, size_t weights_bytes,
                void *packed, size_t packed_bytes, struct anole_message *message)
{
    (void)device;
    (void)message;
    if (weights_bytes != weight_bytes(task) || packed_bytes != weights_bytes + 64)
        return fail(message, ANOLE_BAD_REQUEST, "sizes do not match");
    memset(packed, 0, 64);
    memcpy((char *)packed + 64, weights, weights_bytes);
    if (deed_of(values, count) == DEED_bad_pack)
        memset((char *)packed + packed_bytes, 0, 4);
    return ANOLE_OK;
}

/* -- Time -- */

static int open_device(const struct anole_host *host, const char *driver, uint32_t index,
                       struct anole_session **session, struct anole_message *message)
{
    (void)driver;
    const char *trouble = getenv("ANOLE_TEST_OPEN");
    if (trouble && strcmp(trouble, "fail") == 0)
        return fail(message, ANOLE_NO_DEVICE, "somebody took the device away");
    if (trouble && strcmp(trouble, "crash") == 0) {
        signal(SIGSEGV, SIG_DFL);
        raise(SIGSEGV);
    }
    if (index > 1 && FAULT != FAULT_any_device)
        return fail(message, ANOLE_NO_DEVICE, "no such device");
    *session = calloc(1, sizeof **session);
    if (!*session)
        return ANOLE_NO_MEMORY;
    (*session)->host = host;
    opened++;
    if (FAULT == FAULT_leak_session)
        leak();
    if (FAULT == FAULT_leak_file && open("/dev/null", O_RDONLY) < 0)
        return ANOLE_NO_MEMORY;
    return ANOLE_OK;
}

static void close_device(struct anole_session *session)
{
    free(session);
}

static int buffer_create(struct anole_session *session, size_t bytes, struct anole_buffer **buffer,
                         struct anole_message *message)
{
    (void)session;
    (void)message;
    struct anole_buffer *new = calloc(1, sizeof *new);
    /* Room to misbehave in without hurting anybody but the guards. */
    unsigned char *data = new ? aligned_alloc(4096, (bytes + 3 * 4096) / 4096 * 4096) : NULL;
    if (!data) {
        free(new);
        return ANOLE_NO_MEMORY;
    }
    new->data = data;
    new->bytes = bytes;
    *buffer = new;
    return ANOLE_OK;
}

static int buffer_write(struct anole_session *session, struct anole_buffer *buffer, size_t offset,
                        const void *data, size_t bytes, struct anole_message *message)
{
    (void)session;
    if (offset > buffer->bytes || bytes > buffer->bytes - offset)
        return fail(message, ANOLE_BAD_REQUEST, "a write beyond the buffer");
    memcpy(buffer->data + offset, data, bytes);
    return ANOLE_OK;
}

static int buffer_read(struct anole_session *session, struct anole_buffer *buffer, size_t offset,
                       void *data, size_t bytes, struct anole_message *message)
{
    (void)session;
    if (offset > buffer->bytes || bytes > buffer->bytes - offset)
        return fail(message, ANOLE_BAD_REQUEST, "a read beyond the buffer");
    memcpy(data, buffer->data + offset, bytes);
    return ANOLE_OK;
}

static void buffer_destroy(struct anole_session *session, struct anole_buffer *buffer)
{
    (void)session;
    free(buffer->data);
    free(buffer);
}

static unsigned open_builds;

static int build(struct anole_session *session, const struct anole_kernel *kernel,
                 const void *binary, size_t binary_bytes, struct anole_build **made,
                 struct anole_message *message)
{
    const char *pace = getenv("ANOLE_TEST_BUILD_MS");
    enum deed deed = deed_of(kernel->values, kernel->value_count);
    if (binary && (binary_bytes != sizeof BINARY_TEXT || strcmp(binary, BINARY_TEXT) != 0))
        return fail(message, ANOLE_BUILD_FAILED, "the binary is not what binary() gave");
    if (FAULT == FAULT_silent_refusal && VALUES(kernel->values)[KNOB_TILE] != 1)
        return ANOLE_BUILD_FAILED;
    if (FAULT == FAULT_leak_build)
        leak();
    if (FAULT == FAULT_stale_lock && !pass_lock(session->host))
        return fail(message, ANOLE_BUILD_FAILED, "somebody else is building");
    if (!binary && pace)
        usleep((useconds_t)atoi(pace) * 1000);
    if (deed == DEED_talk)
        session->host->log(ANOLE_LOG_WARNING, "a word of warning\x1b[31m");
    int code = misbuild(deed, message);
    if (code != ANOLE_OK)
        return code;
    *made = calloc(1, sizeof **made);
    if (!*made)
        return ANOLE_NO_MEMORY;
    (*made)->task = *kernel->task;
    (*made)->tile = VALUES(kernel->values)[KNOB_TILE];
    (*made)->slow = VALUES(kernel->values)[KNOB_SLOW];
    (*made)->deed = deed;
    /* Beside another, it is taken for what it is not. */
    if (open_builds++ > 0 && FAULT == FAULT_mixes_builds)
        (*made)->deed = DEED_wrong;
    (*made)->packed = kernel->packed_weights;
    return ANOLE_OK;
}

#ifndef NO_BINARY
static int binary_of(struct anole_session *session, struct anole_build *made, void *data,
                     size_t *bytes, struct anole_message *message)
{
    (void)session;
    (void)made;
    (void)message;
    if (data && *bytes >= sizeof BINARY_TEXT)
        memcpy(data,
               FAULT == FAULT_other_binary ? "nonsense, and long enough for all of it to be copied"
                                           : BINARY_TEXT,
               sizeof BINARY_TEXT);
    *bytes = sizeof BINARY_TEXT;
    return ANOLE_OK;
}
#endif

static void release(struct anole_session *session, struct anole_build *made)
{
    (void)session;
    open_builds--;
    free(made);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int run_once(struct anole_build *made, const struct anole_binding *bindings,
                    double *device_seconds, struct anole_message *message)
{
    double start = now();
    made->runs++;
    convolve(made, bindings);
    if (made->slow)
        usleep(20000);
    int code = fail_to_run(made, message);
    spoil(made, bindings);
    litter(made);
    if (DEVICE_FLAGS & ANOLE_DEVICE_EVENT_TIMER)
        *device_seconds = (now() - start) * (made->deed == DEED_events_lie ? 1000 : 0.9);
    if (FAULT == FAULT_fading_events && made->tile >= 4)
        *device_seconds *= 1000;
    if (DEVICE_FLAGS & ANOLE_DEVICE_OWN_CLOCK)
        *device_seconds =
            FAULT == FAULT_silent_clock
                ? -1
                : OWN_SECONDS * OWN_TIMES(&made->task) / (double)made->tile * (made->slow ? 5 : 1);
    return code;
}

static int run(struct anole_session *session, struct anole_build *made,
               const struct anole_binding *bindings, uint32_t binding_count, uint32_t repeats,
               double *device_seconds, double *host_seconds, struct anole_message *message)
{
    (void)session;
    if (DEVICE_FLAGS & ANOLE_DEVICE_SIMULATED) {
        for (uint32_t i = 0; i < binding_count; i++)
            if (bindings[i].buffer || bindings[i].bytes)
                return fail(message, ANOLE_BAD_REQUEST, "a binding of a simulated device");
        if (binding_count != ANOLE_ROLE_COUNT || FAULT == FAULT_wants_data) {
            signal(SIGSEGV, SIG_DFL);
            raise(SIGSEGV);
        }
        for (uint32_t i = 0; i < repeats; i++)
            device_seconds[i] = 1e-3 / (double)made->tile * (made->slow ? 5 : 1);
        *host_seconds = 1;
        return ANOLE_OK;
    }
    if (binding_count != ANOLE_ROLE_COUNT ||
        (FAULT != FAULT_any_memory && !are_whole(made, bindings)))
        return fail(message, ANOLE_BAD_REQUEST, "bindings are missing");
    if (FAULT == FAULT_any_memory && !are_whole(made, bindings))
        return ANOLE_OK;
    double start = now(), pace = pace_of_clock(made->tile, made->slow);
    for (uint32_t i = 0; i < runs_of(repeats); i++) {
        int code = run_once(made, bindings, &device_seconds[i], message);
        if (code != ANOLE_OK)
            return code;
    }
    *host_seconds = (now() - start) * (FAULT == FAULT_half_time ? 0.5 : 1.0);
    const uint32_t clocks = ANOLE_DEVICE_EVENT_TIMER | ANOLE_DEVICE_OWN_CLOCK;
    for (uint32_t i = 0; DEVICE_FLAGS & clocks && i < repeats; i++)
        device_seconds[i] *= pace;
    if (made->deed == DEED_negative_time)
        *host_seconds = -1;
    if (made->deed == DEED_nan_time)
        *host_seconds = NAN;
    if (made->deed == DEED_one_time)
        *host_seconds = 1e-3;
    if (made->deed == DEED_milliseconds)
        *host_seconds *= 1e3;
    return ANOLE_OK;
}

#ifdef NETWORKS

struct anole_sequence {
    uint32_t count;
    int runs;
    struct anole_build *builds[64];
    struct anole_binding bindings[64][ANOLE_ROLE_COUNT];
};

static int sequence_create(struct anole_session *session, const struct anole_sequence_step *steps,
                           uint32_t count, struct anole_sequence **sequence,
                           struct anole_message *message)
{
    (void)session;
    if (count > 64)
        return fail(message, ANOLE_BAD_REQUEST, "too many steps");
    struct anole_sequence *new = calloc(1, sizeof *new);
    if (!new)
        return ANOLE_NO_MEMORY;
    new->count = count;
    for (uint32_t i = 0; i < count; i++) {
        new->builds[i] = steps[i].build;
        memcpy(new->bindings[i], steps[i].bindings, sizeof new->bindings[i]);
    }
    *sequence = new;
    return ANOLE_OK;
}

static int sequence_run(struct anole_session *session, struct anole_sequence *sequence,
                        double *device_seconds, double *host_seconds, struct anole_message *message)
{
    double start = now(), all = 0;
    uint32_t count = sequence->count - (FAULT == FAULT_short_sequence);
    int code = ANOLE_OK;
    if (FAULT == FAULT_first_sequence && sequence->runs++ > 0)
        count = 0;
    for (uint32_t i = 0; i < sequence->count && device_seconds; i++)
        device_seconds[i] = -1;
    for (uint32_t i = 0; i < count && code == ANOLE_OK; i++)
        code = run(session, sequence->builds[i], sequence->bindings[i], ANOLE_ROLE_COUNT, 1,
                   device_seconds ? &device_seconds[i] : (double[1]){0}, &all, message);
    *host_seconds = now() - start;
    return code;
}

static void sequence_destroy(struct anole_session *session, struct anole_sequence *sequence)
{
    (void)session;
    free(sequence);
}

static int buffer_map(struct anole_session *session, struct anole_buffer *buffer, size_t offset,
                      size_t bytes, void **memory, struct anole_message *message)
{
    (void)session;
    (void)message;
    *memory = buffer->data + offset;
    if (FAULT == FAULT_copied_map && (*memory = malloc(bytes)))
        memcpy(*memory, buffer->data + offset, bytes);
    return ANOLE_OK;
}

static int buffer_unmap(struct anole_session *session, struct anole_buffer *buffer, void *memory,
                        struct anole_message *message)
{
    (void)session;
    (void)buffer;
    (void)message;
    if (FAULT == FAULT_copied_map)
        free(memory);
    return ANOLE_OK;
}

#endif

#ifdef EXAMINED
static int diagnose(const struct anole_host *host, const char *driver, uint32_t index,
                    struct anole_diagnosis *diagnosis, struct anole_message *message)
{
    (void)host;
    (void)index;
    (void)message;
    if (!driver)
        return diagnosis->report(diagnosis, "disposition", ANOLE_VERDICT_NOTE, "moody\x1b[31m",
                                 "a kind word");
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
    return ANOLE_OK;
}
#endif

ANOLE_PLUGIN(PLUGIN_NAME, "1.0", 1,
#ifdef DRIVERS
             .drivers = drivers,
#endif
             .probe = probe, .supports = supports, .space = space, .valid = valid,
             .features = features, .feature_name = feature_name, .generate = generate, .pack = pack,
             .open = open_device, .close = close_device, .buffer_create = buffer_create,
             .buffer_write = buffer_write, .buffer_read = buffer_read,
             .buffer_destroy = buffer_destroy, .build = build,
#ifndef NO_BINARY
             .binary = binary_of,
#endif
#ifdef EXAMINED
             .diagnose = diagnose,
#endif
#ifdef NETWORKS
             .sequence_create = sequence_create,
             .sequence_run = FAULT == FAULT_half_sequence ? NULL : sequence_run,
             .sequence_destroy = sequence_destroy, .buffer_map = buffer_map,
             .buffer_unmap = FAULT == FAULT_half_map ? NULL : buffer_unmap,
#endif
             .release = release, .run = run);
