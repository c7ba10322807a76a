/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/log.h"
#include "base/statistics.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/run_arrays.h"
#include "cli/run_network.h"
#include "cli/run_profile.h"
#include "devices/selection.h"
#include "measure/prove.h"
#include "program/deploy.h"
#include "program/tuned.h"
#include "program/weights.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_WORDS 256 /* of --input, and of --check */
#define DEFAULT_REPEAT 10
#define DEFAULT_TOLERANCE 2e-4
#define PROFILE_RUNS 10
#define LARGE_FILE (4 << 20) /* bytes: reading it takes longer than a thread to start */
#define SEED 1               /* of inputs and weights that are not given */

struct arguments {
    const char *file, *device, *tuned, *output, *trace;
    const char *inputs[MAX_WORDS], *checks[MAX_WORDS], *shapes[MAX_WORDS];
    size_t input_count, check_count, shape_count;
    uint64_t threads, repeat, batch;
    double tolerance;
    bool profile, json, no_cache;
};

enum {
    DEVICE,
    THREADS,
    TUNED,
    BATCH,
    SHAPE,
    INPUT,
    OUTPUT,
    CHECK,
    TOLERANCE,
    REPEAT,
    PROFILE,
    TRACE,
    NO_CACHE,
    JSON
};

static const struct anole_option options[] = {
    [DEVICE] = {"device", "D", "the device: see `anole devices`; not needed if there is but one"},
    [THREADS] = {"threads", "N", "threads of a CPU device (default: all cores)"},
    [TUNED] = {"tuned", "LOCK", "take kernels from this lock file, by task; others are defaults"},
    [BATCH] = {"batch", "N", "the batch size, where an ONNX file leaves it open (default 1)"},
    [SHAPE] = {"shape", "NAME=SIZES",
               "the shape of an input, where an ONNX file leaves it open and no input says it:\n"
               "images=1x3x640x640; may be repeated"},
    [INPUT] = {"input", "WORD",
               "FILE.npz, or NAME=FILE.npy, FILE.pb, random or ramp; may be repeated\n"
               "(default: random)"},
    [OUTPUT] = {"output", "PATH", "write outputs to PATH.npz, or to a folder, an .npy each"},
    [CHECK] = {"check", "WORD",
               "compare outputs with FILE.npz, or NAME=FILE.npy or FILE.pb; may be repeated;\n"
               "exit code 5 if one is off"},
    [TOLERANCE] = {"tolerance", "T",
                   "what --check allows: |y - ref| up to T max|ref| (default: 2e-4)"},
    [REPEAT] = {"repeat", "N", "runs that are timed, after one that is not (default: 10)"},
    [PROFILE] = {"profile", NULL, "print the time of each step, and write a trace"},
    [TRACE] = {"trace", "FILE", "where --profile writes it (default: NETWORK.trace.json)"},
    [NO_CACHE] = {"no-cache", NULL,
                  "build all kernels and pack all weights, and keep none of them"},
    [JSON] = {"json", NULL, "print JSON to stdout instead of a table"},
    {0},
};

static enum anole_status add_word(const char **words, size_t *count, const char *value,
                                  struct anole_error *error)
{
    if (*count == MAX_WORDS)
        return anole_fail(error, ANOLE_ERR_USAGE, "more than %d of one option", MAX_WORDS);
    words[(*count)++] = value;
    return ANOLE_DONE;
}

static enum anole_status take_tolerance(double *tolerance, const char *value,
                                        struct anole_error *error)
{
    char *end, safe[64];
    *tolerance = strtod(value, &end);
    if (end != value && *end == '\0' && *tolerance >= 0 && isfinite(*tolerance))
        return ANOLE_DONE;
    return anole_fail(error, ANOLE_ERR_USAGE,
                      "--tolerance \"%s\": expected a number from 0 on, such as 1e-3",
                      anole_text_printable(safe, sizeof safe, value));
}

static enum anole_status take(void *context, size_t index, const char *value,
                              struct anole_error *error)
{
    struct arguments *a = context;
    switch (index) {
    case DEVICE:
        a->device = value;
        break;
    case THREADS:
        return anole_text_parse_u64(&a->threads, value, "--threads", 1, 4096, error);
    case TUNED:
        a->tuned = value;
        break;
    case BATCH:
        return anole_text_parse_u64(&a->batch, value, "--batch", 1, 1000000, error);
    case SHAPE:
        return add_word(a->shapes, &a->shape_count, value, error);
    case INPUT:
        return add_word(a->inputs, &a->input_count, value, error);
    case OUTPUT:
        a->output = value;
        break;
    case CHECK:
        return add_word(a->checks, &a->check_count, value, error);
    case TOLERANCE:
        return take_tolerance(&a->tolerance, value, error);
    case REPEAT:
        return anole_text_parse_u64(&a->repeat, value, "--repeat", 1, 1000000, error);
    case PROFILE:
        a->profile = true;
        break;
    case TRACE:
        a->trace = value;
        a->profile = true;
        break;
    case NO_CACHE:
        a->no_cache = true;
        break;
    case JSON:
        a->json = true;
        break;
    }
    return ANOLE_DONE;
}

/* One output, held against what was expected. */
struct verdict {
    double error;
    size_t at; /* the element that is farthest off, and what it is */
    double found, expected;
    bool checked, right;
    bool other_shape; /* nothing was compared */
};

struct session {
    struct arguments arguments;
    struct anole_run_network network;
    const struct anole_graph *graph; /* the network's */
    struct anole_registry *registry;
    const struct anole_registry_device *device;
    struct anole_tuned_choice tuned;
    struct anole_program *program;
    struct anole_instance *instance;
    struct anole_values inputs, outputs, expected;
    struct verdict *verdicts; /* of each output; NULL: nothing was checked */
    struct anole_summary latency;
    struct anole_profile profile;
    /* From nothing to ready, and parts of it: the network and its inputs are read, devices are
     * found (what is left of that by then), kernels are generated and memory is planned. */
    double start_seconds, read_seconds, devices_seconds, plan_seconds;
};

static void session_fini(struct session *s)
{
    anole_profile_fini(&s->profile);
    free(s->verdicts);
    anole_values_fini(&s->inputs);
    anole_values_fini(&s->outputs);
    anole_values_fini(&s->expected);
    anole_instance_destroy(s->instance);
    anole_program_destroy(s->program);
    anole_tuned_fini(&s->tuned);
    anole_registry_destroy(s->registry);
    anole_run_network_fini(&s->network);
}

/* ------------------------------------------------------------------ prepare */

static enum anole_status load_network(struct session *s, struct anole_error *error)
{
    const struct arguments *a = &s->arguments;
    const struct anole_run_sizes sizes = {.batch = (int64_t)a->batch,
                                          .shapes = a->shapes,
                                          .shape_count = a->shape_count,
                                          .inputs = a->inputs,
                                          .input_count = a->input_count};
    enum anole_status status = anole_run_network_load(&s->network, a->file, &sizes, SEED, error);
    if (status)
        return status;
    s->graph = s->network.loaded.graph;
    if (s->network.filled > 0)
        anole_log_info("%s has no weights: %zu random ones are used", a->file, s->network.filled);
    if (s->network.loaded.batch_1 && !a->json)
        anole_log_info("%s leaves the batch open: 1 is taken (--batch N)", a->file);
    return ANOLE_DONE;
}

/* What was not given is random. */
static enum anole_status fill_inputs(struct session *s, struct anole_error *error)
{
    const struct anole_graph *graph = s->graph;
    const bool some = s->arguments.input_count > 0 || s->arguments.check_count > 0;
    char shape[128], name[200];
    for (size_t i = 0; i < s->inputs.count; i++) {
        struct anole_operand *item = &s->inputs.items[i];
        const size_t bytes = anole_operand_elements(item) * anole_dtype_bytes(item->dtype);
        if (item->data)
            continue;
        item->data = calloc(1, bytes + 1);
        if (!item->data)
            return anole_fail_memory(error);
        anole_weights_random(item, SEED, graph->tensors[graph->inputs[i]].name, 1);
        if (some)
            anole_log_warning(
                "input \"%s\" (%s%s) is not given: it is random",
                anole_text_printable(name, sizeof name, graph->tensors[graph->inputs[i]].name),
                anole_dtype_text(item->dtype), anole_operand_shape_text(shape, sizeof shape, item));
    }
    return ANOLE_DONE;
}

/* Words about what is no input any more have done their work. */
static enum anole_status load_inputs(struct session *s, struct anole_error *error)
{
    const struct anole_graph *graph = s->graph;
    const struct anole_value_names names = {.graph = graph,
                                            .tensors = graph->inputs,
                                            .count = graph->input_count,
                                            .prefix = "in",
                                            .numbers = s->network.loaded.numbers};
    const char *words[MAX_WORDS];
    size_t count = 0;
    for (size_t i = 0; i < s->arguments.input_count; i++)
        if (!anole_run_network_knows(&s->network, s->arguments.inputs[i]))
            words[count++] = s->arguments.inputs[i];
    enum anole_status status = anole_values_load(&s->inputs, &names, words, count, SEED, error);
    return status ? status : fill_inputs(s, error);
}

static enum anole_status load_expected(struct session *s, struct anole_error *error)
{
    const struct anole_graph *graph = s->graph;
    const struct arguments *a = &s->arguments;
    bool *sized = calloc(graph->tensor_count + 1, sizeof *sized);
    const struct anole_value_names names = {.graph = graph,
                                            .tensors = graph->outputs,
                                            .count = graph->output_count,
                                            .prefix = "out",
                                            .sized = sized};
    if (!sized)
        return anole_fail_memory(error);
    anole_graph_find_data_sized(sized, graph);
    enum anole_status status =
        anole_values_reserve(&s->outputs, graph, graph->outputs, graph->output_count, error);
    if (status == ANOLE_DONE && a->check_count > 0)
        status = anole_values_load(&s->expected, &names, a->checks, a->check_count, SEED, error);
    free(sized);
    return status;
}

/* Devices, found while the network is read. */
struct finding {
    struct session *session;
    enum anole_status status;
    struct anole_error error;
    pthread_t thread;
    bool threaded;
};

static void *find_devices(void *context)
{
    struct finding *finding = context;
    struct session *s = finding->session;
    finding->status =
        anole_registry_create(&s->registry, (uint32_t)s->arguments.threads, &finding->error);
    return NULL;
}

/* Only beside a file that takes a while: one that is wrong is mostly found out at once. */
static void begin_finding(struct finding *finding)
{
    struct stat about;
    finding->threaded = stat(finding->session->arguments.file, &about) == 0 &&
                        about.st_size >= LARGE_FILE &&
                        pthread_create(&finding->thread, NULL, find_devices, finding) == 0;
}

static enum anole_status end_finding(struct finding *finding, enum anole_status status,
                                     struct anole_error *error)
{
    if (finding->threaded)
        pthread_join(finding->thread, NULL);
    else if (status == ANOLE_DONE)
        find_devices(finding);
    if (status == ANOLE_DONE && finding->status) {
        *error = finding->error;
        status = finding->status;
    }
    return status;
}

static enum anole_status prove(void *context, const struct anole_generator *generator,
                               uint64_t config, bool *right, char *why, size_t size,
                               struct anole_error *error)
{
    return anole_prove(context, generator, config, right, why, size, error);
}

static enum anole_status deploy(struct session *s, struct anole_error *error)
{
    struct anole_program_options program = {.choose = NULL};
    struct anole_prover prover = {
        .registry = s->registry, .device = s->device, .threads = (uint32_t)s->arguments.threads};
    enum anole_status status = ANOLE_DONE;
    if (s->arguments.tuned) {
        status = anole_tuned_init(&s->tuned, s->arguments.tuned, s->registry, s->device, error);
        s->tuned.prove = prove;
        s->tuned.prove_context = &prover;
        program =
            (struct anole_program_options){.choose = anole_tuned_choose, .context = &s->tuned};
    }
    if (status == ANOLE_DONE)
        status = anole_deploy(&s->program, &s->instance, s->graph,
                              s->registry->entries[s->device->backend].backend, &s->device->device,
                              &program, s->device->driver, (uint32_t)s->arguments.threads, error);
    s->tuned.prove = NULL;
    anole_prover_fini(&prover);
    return status;
}

static enum anole_status prepare(struct session *s, struct anole_error *error)
{
    struct finding finding = {.session = s};
    double start = anole_clock();
    begin_finding(&finding);
    enum anole_status status = load_network(s, error);
    if (status == ANOLE_DONE)
        status = load_inputs(s, error);
    if (status == ANOLE_DONE)
        status = load_expected(s, error);
    s->read_seconds = anole_clock() - start;
    status = end_finding(&finding, status, error);
    if (status == ANOLE_DONE)
        status = anole_registry_find(&s->device, s->registry, s->arguments.device, error);
    s->devices_seconds = anole_clock() - start - s->read_seconds;
    if (status == ANOLE_DONE)
        status = deploy(s, error);
    if (status == ANOLE_DONE) {
        const struct anole_start *made = anole_instance_start(s->instance);
        s->plan_seconds = anole_clock() - start - s->read_seconds - s->devices_seconds -
                          made->open - made->build - made->pack - made->upload;
    }
    if (status == ANOLE_DONE && s->arguments.tuned)
        anole_tuned_report(&s->tuned, s->program, (uint32_t)s->arguments.threads);
    s->start_seconds = anole_clock() - start;
    return status;
}

/* ---------------------------------------------------------------------- run */

/* One run as a user pays for it: inputs in, outputs out. */
static enum anole_status run_once(struct session *s, double *seconds, struct anole_error *error)
{
    double start = anole_clock();
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < s->inputs.count && status == ANOLE_DONE; i++)
        status = anole_instance_set_input(s->instance, i, s->inputs.items[i].data, error);
    if (status == ANOLE_DONE)
        status = anole_instance_run(s->instance, NULL, NULL, error);
    for (size_t i = 0; i < s->outputs.count && status == ANOLE_DONE; i++)
        status = anole_instance_get_output(s->instance, i, s->outputs.items[i].data, error);
    for (size_t i = 0; i < s->outputs.count; i++)
        memcpy(s->outputs.items[i].dims, anole_instance_output_type(s->instance, i)->dims,
               sizeof s->outputs.items[i].dims);
    *seconds = anole_clock() - start;
    return status;
}

static enum anole_status run_all(struct session *s, struct anole_error *error)
{
    const size_t repeat = (size_t)s->arguments.repeat;
    double first, *seconds = calloc(repeat, sizeof *seconds);
    if (!seconds)
        return anole_fail_memory(error);
    enum anole_status status = run_once(s, &first, error);
    for (size_t i = 0; i < repeat && status == ANOLE_DONE; i++)
        status = anole_interrupted(NULL) ? anole_fail(error, ANOLE_ERR_INTERRUPTED, "interrupted")
                                         : run_once(s, &seconds[i], error);
    if (status == ANOLE_DONE)
        anole_summarise(&s->latency, seconds, repeat);
    free(seconds);
    if (status == ANOLE_DONE && s->arguments.profile)
        status = anole_profile_init(&s->profile, s->instance, s->program, PROFILE_RUNS, error);
    return status;
}

static enum anole_status compare(struct session *s, struct anole_error *error)
{
    s->verdicts = calloc(s->outputs.count + 1, sizeof *s->verdicts);
    if (!s->verdicts)
        return anole_fail_memory(error);
    for (size_t i = 0; i < s->expected.count; i++) {
        const struct anole_operand *found = &s->outputs.items[i];
        const struct anole_operand *expected = &s->expected.items[i];
        struct verdict *verdict = &s->verdicts[i];
        if (!expected->data)
            continue;
        verdict->checked = true;
        verdict->other_shape = !anole_operand_same_shape(found, expected);
        if (verdict->other_shape) {
            verdict->error = INFINITY;
            continue;
        }
        verdict->error = anole_operand_error(found, expected, &verdict->at);
        verdict->right = verdict->error <= s->arguments.tolerance;
        if (verdict->right)
            continue;
        verdict->found = anole_operand_real(found, verdict->at);
        verdict->expected = anole_operand_real(expected, verdict->at);
        /* Of a NaN nobody wants to see the sign. */
        verdict->found = isnan(verdict->found) ? NAN : verdict->found;
        verdict->expected = isnan(verdict->expected) ? NAN : verdict->expected;
    }
    return ANOLE_DONE;
}

/* --------------------------------------------------------------------- tell */

static size_t count_steps(const struct session *s, enum anole_step_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < s->program->step_count; i++)
        count += s->program->steps[i].kind == kind;
    return count;
}

static void print_profile_sums(const struct session *s)
{
    const struct anole_profile *p = &s->profile;
    char sum[32], before[32];
    printf("\nsteps in sum %s", anole_text_seconds(sum, sizeof sum, p->sum));
    if (p->sum > 0)
        printf(", of which tuned kernels %.1f %%, other generated ones %.1f %%, the rest %.1f %%",
               100 * p->tuned / p->sum, 100 * (p->generated - p->tuned) / p->sum,
               100 * (1 - p->generated / p->sum));
    if (!isnan(p->tuned_before) && p->tuned_before > 0)
        printf("; the tuned ones took %s when they were tuned, one by one (now %.2fx)",
               anole_text_seconds(before, sizeof before, p->tuned_before),
               p->tuned / p->tuned_before);
    puts("");
}

static void print_start(const struct session *s)
{
    const struct anole_start *start = anole_instance_start(s->instance);
    const struct {
        const char *what;
        double seconds;
    } parts[] = {{"reading", s->read_seconds},       {"devices", s->devices_seconds},
                 {"planning", s->plan_seconds},      {"driver", start->open},
                 {"building kernels", start->build}, {"packing weights", start->pack},
                 {"uploading", start->upload}};
    char time[32];
    printf("start: ");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        printf("%s%s %s", i > 0 ? ", " : "", parts[i].what,
               anole_text_seconds(time, sizeof time, parts[i].seconds));
    printf("; %zu kernels in %zu sources, %zu from the cache and %zu by workers; %zu packed "
           "tensors, %zu from the cache\n",
           start->kernel_count, start->source_count, start->cached_kernels, start->worker_kernels,
           start->weights_count, start->cached_weights);
}

static void print_verdict(const struct session *s, size_t i)
{
    const struct verdict *verdict = &s->verdicts[i];
    char name[200], found[128], expected[128];
    if (!verdict->checked)
        return;
    anole_text_printable(name, sizeof name, s->graph->tensors[s->graph->outputs[i]].name);
    if (verdict->other_shape)
        printf("output \"%s\": WRONG, of the shape %s where %s is expected\n", name,
               anole_operand_shape_text(found, sizeof found, &s->outputs.items[i]),
               anole_operand_shape_text(expected, sizeof expected, &s->expected.items[i]));
    else
        printf("output \"%s\": %s, error %.3g of max|ref|\n", name,
               verdict->right ? "right" : "WRONG", verdict->error);
}

static enum anole_status print_text(const struct session *s, struct anole_error *error)
{
    char median[32], low[32], high[32], memory[32], host[32], start[32], name[200];
    enum anole_status status = ANOLE_DONE;
    if (s->arguments.profile) {
        status = anole_profile_print(&s->profile, s->program, error);
        print_profile_sums(s);
    }
    printf("%s on %s: %s [%s, %s] (median and 95 %% interval of %zu runs)\n",
           anole_text_printable(name, sizeof name, s->graph->name),
           anole_command_shown(s->device->id),
           anole_text_seconds(median, sizeof median, s->latency.median),
           anole_text_seconds(low, sizeof low, s->latency.low),
           anole_text_seconds(high, sizeof high, s->latency.high), s->latency.count);
    printf("%zu steps: %zu tuned, %zu default, %zu built in, %zu on the host; %zu submission%s a "
           "run\n",
           s->program->step_count, count_steps(s, ANOLE_STEP_TUNED),
           count_steps(s, ANOLE_STEP_DEFAULT), count_steps(s, ANOLE_STEP_BUILT_IN),
           count_steps(s, ANOLE_STEP_HOST), anole_instance_submissions(s->instance),
           anole_instance_submissions(s->instance) == 1 ? "" : "s");
    printf("memory: %s on the device, of which %s for tensors; %s on the host; ready after %s\n",
           anole_text_bytes(memory, sizeof memory, anole_instance_device_bytes(s->instance)),
           anole_text_bytes(median, sizeof median, s->program->buffer_bytes[0]),
           anole_text_bytes(host, sizeof host, anole_instance_host_bytes(s->instance)),
           anole_text_seconds(start, sizeof start, s->start_seconds));
    if (s->arguments.profile)
        print_start(s);
    for (size_t i = 0; s->verdicts && i < s->outputs.count; i++)
        print_verdict(s, i);
    return status;
}

static json_t *checks_json(const struct session *s)
{
    json_t *list = json_array();
    for (size_t i = 0; s->verdicts && i < s->outputs.count; i++)
        if (s->verdicts[i].checked)
            json_array_append_new(list, json_pack("{s:s, s:o, s:b}", "output",
                                                  s->graph->tensors[s->graph->outputs[i]].name,
                                                  "error", anole_json_real(s->verdicts[i].error),
                                                  "right", (int)s->verdicts[i].right));
    return list;
}

static json_t *start_json(const struct session *s)
{
    const struct anole_start *start = anole_instance_start(s->instance);
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I}", "read_seconds",
        anole_json_real(s->read_seconds), "devices_seconds", anole_json_real(s->devices_seconds),
        "plan_seconds", anole_json_real(s->plan_seconds), "driver_seconds",
        anole_json_real(start->open), "build_seconds", anole_json_real(start->build),
        "pack_seconds", anole_json_real(start->pack), "upload_seconds",
        anole_json_real(start->upload), "sources", (json_int_t)start->source_count, "kernels",
        (json_int_t)start->kernel_count, "cached_kernels", (json_int_t)start->cached_kernels,
        "worker_kernels", (json_int_t)start->worker_kernels, "packed",
        (json_int_t)start->weights_count, "cached_packed", (json_int_t)start->cached_weights);
}

/* Steps whose kernel is not the one that was to be used, or NULL: there are none. */
static json_t *problems_json(const struct session *s)
{
    json_t *list = NULL;
    char safe[800];
    for (size_t i = 0; i < s->program->step_count; i++) {
        const struct anole_step *step = &s->program->steps[i];
        if (!step->problem || step->epilogue)
            continue;
        if (!list)
            list = json_array();
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s}", "node", s->graph->nodes[step->node].name,
                                        "kernel", anole_step_kind_text(step->kind), "problem",
                                        anole_text_printable(safe, sizeof safe, step->problem)));
    }
    return list;
}

static enum anole_status print_json(const struct session *s, struct anole_error *error)
{
    json_t *root = json_pack(
        "{s:s, s:s, s:s, s:I, s:{s:o, s:o, s:o}, s:I, s:I, s:I, s:I, s:o, s:I, "
        "s:{s:I, s:I, s:I, s:I}, s:o}",
        "network", s->graph->name, "device", s->device->id, "device_name", s->device->device.name,
        "threads", (json_int_t)s->arguments.threads, "latency_seconds", "median",
        anole_json_real(s->latency.median), "low", anole_json_real(s->latency.low), "high",
        anole_json_real(s->latency.high), "runs", (json_int_t)s->latency.count, "peak_memory_bytes",
        (json_int_t)anole_instance_device_bytes(s->instance), "arena_bytes",
        (json_int_t)s->program->buffer_bytes[0], "host_memory_bytes",
        (json_int_t)anole_instance_host_bytes(s->instance), "start_seconds",
        anole_json_real(s->start_seconds), "submissions",
        (json_int_t)anole_instance_submissions(s->instance), "steps", "tuned",
        (json_int_t)count_steps(s, ANOLE_STEP_TUNED), "default",
        (json_int_t)count_steps(s, ANOLE_STEP_DEFAULT), "built_in",
        (json_int_t)count_steps(s, ANOLE_STEP_BUILT_IN), "host",
        (json_int_t)count_steps(s, ANOLE_STEP_HOST), "checks", checks_json(s));
    if (root)
        json_object_set_new(root, "start", start_json(s));
    if (root && s->tuned.lockfile)
        json_object_set_new(root, "tasks",
                            json_pack("{s:I, s:I, s:I, s:I}", "tuned", (json_int_t)s->tuned.matched,
                                      "nearest", (json_int_t)s->tuned.near, "missing",
                                      (json_int_t)s->tuned.missing, "outdated",
                                      (json_int_t)s->tuned.outdated));
    json_t *problems = problems_json(s);
    if (root && problems)
        json_object_set_new(root, "problems", problems);
    if (root && s->arguments.profile) {
        json_object_set_new(root, "profile", anole_profile_json(&s->profile, s->program));
        json_object_set_new(root, "profile_seconds", anole_json_real(s->profile.sum));
        json_object_set_new(root, "tuned_share",
                            anole_json_real(s->profile.tuned / s->profile.sum));
        json_object_set_new(root, "tuned_seconds", anole_json_real(s->profile.tuned_before));
    }
    return anole_command_print_json(root, error);
}

static enum anole_status write_files(const struct session *s, struct anole_error *error)
{
    const struct arguments *a = &s->arguments;
    enum anole_status status = ANOLE_DONE;
    char path[512];
    if (a->output)
        status = anole_values_save(&s->outputs, s->graph, s->graph->outputs, a->output, error);
    if (status || !a->profile)
        return status;
    const char *name = strrchr(a->file, '/');
    name = name ? name + 1 : a->file;
    const char *dot = strrchr(name, '.');
    snprintf(path, sizeof path, "%.*s.trace.json", dot ? (int)(dot - name) : (int)strlen(name),
             name);
    return anole_profile_trace(&s->profile, s->program, a->trace ? a->trace : path, error);
}

static enum anole_status fail_wrong(const struct session *s, size_t i, struct anole_error *error)
{
    const struct verdict *verdict = &s->verdicts[i];
    char name[200], found[128], expected[128];
    anole_text_printable(name, sizeof name, s->graph->tensors[s->graph->outputs[i]].name);
    if (verdict->other_shape)
        return anole_fail(
            error, ANOLE_ERR_WRONG_RESULT, "output \"%s\" has the shape %s; expected %s", name,
            anole_operand_shape_text(found, sizeof found, &s->outputs.items[i]),
            anole_operand_shape_text(expected, sizeof expected, &s->expected.items[i]));
    return anole_fail(error, ANOLE_ERR_WRONG_RESULT,
                      "output \"%s\" is off by %.3g of max|ref|; expected at most %.3g "
                      "(element %zu is %.9g, expected %.9g)",
                      name, verdict->error, s->arguments.tolerance, verdict->at, verdict->found,
                      verdict->expected);
}

static enum anole_status judge(const struct session *s, struct anole_error *error)
{
    for (size_t i = 0; s->verdicts && i < s->outputs.count; i++)
        if (s->verdicts[i].checked && !s->verdicts[i].right)
            return fail_wrong(s, i, error);
    return ANOLE_DONE;
}

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct session *s = calloc(1, sizeof *s);
    char **positional;
    size_t count;
    bool help;
    if (!s)
        return anole_fail_memory(error);
    s->arguments = (struct arguments){.repeat = DEFAULT_REPEAT, .tolerance = DEFAULT_TOLERANCE};
    enum anole_status status = anole_options_parse(&anole_cmd_run, argc, argv, take, &s->arguments,
                                                   &positional, &count, &help, error);
    if (status != ANOLE_DONE || help) {
        free(s);
        return status;
    }
    s->arguments.file = positional[0];
    if (s->arguments.no_cache)
        setenv("ANOLE_CACHE_DIR", "", 1);
    status = prepare(s, error);
    if (status == ANOLE_DONE)
        status = run_all(s, error);
    if (status == ANOLE_DONE && s->arguments.check_count > 0)
        status = compare(s, error);
    if (status == ANOLE_DONE)
        status = write_files(s, error);
    if (status == ANOLE_DONE)
        status = s->arguments.json ? print_json(s, error) : print_text(s, error);
    if (status == ANOLE_DONE)
        status = judge(s, error);
    session_fini(s);
    free(s);
    return status;
}

const struct anole_command anole_cmd_run = {
    .name = "run",
    .arguments = "NETWORK",
    .summary = "Run a whole network, with the kernels that tuning found",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
