/* SPDX-License-Identifier: MIT
 *
 * By the C interface of oneDNN 2.  A residual is its post-op `sum`: the tensor is
 * in the destination before a run, and is overwritten by it.  In the timed runs it
 * therefore grows from one to the next, which changes no time.
 */
#include "bench/onednn.h"

#include "base/clock.h"
#include "exec/ring.h"
#include "op/task.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef BENCH_WITH_ONEDNN

enum anole_status bench_onednn_check(uint32_t threads, struct anole_error *error)
{
    (void)threads;
    return anole_fail(error, ANOLE_ERR_USAGE,
                      "--against onednn: this program was built without oneDNN; on Debian and "
                      "Ubuntu, sudo apt-get install libdnnl-dev (version 2), then configure and "
                      "make bench again");
}

const char *bench_onednn_version(char *out, size_t size)
{
    snprintf(out, size, "%s", "");
    return out;
}

enum anole_status bench_onednn_add(struct bench_comparison *comparison,
                                   const struct anole_task *task,
                                   const struct anole_task_data *data,
                                   const struct bench_cold *cold, struct anole_error *error)
{
    (void)comparison;
    (void)task;
    (void)data;
    (void)cold;
    return bench_onednn_check(0, error);
}

#else

#include <oneapi/dnnl/dnnl.h>

/* One algorithm for one task. */
struct onednn {
    const struct anole_task *task;
    const struct anole_task_data *data;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_desc_t description;
    dnnl_primitive_t primitive;
    dnnl_memory_t source, weights, bias, destination;
    dnnl_exec_arg_t args[4];
    int arg_count;
    /* Where weights are cold: copies of them, which take turns with them, as ours do. */
    dnnl_memory_t copies[ANOLE_MAX_SETS];
    uint32_t copy_count, next;
};

static const char *const reasons[] = {"success",       "out of memory", "invalid arguments",
                                      "unimplemented", "iterator ends", "runtime error",
                                      "not required"};

static enum anole_status onednn_fail(struct anole_error *error, dnnl_status_t code,
                                     const char *what)
{
    size_t count = sizeof reasons / sizeof *reasons;
    return anole_fail(error, ANOLE_ERR_INTERNAL, "oneDNN: %s failed: %s", what,
                      (size_t)code < count ? reasons[code] : "unknown");
}

/* ---------------------------------------------------------------- version */

enum anole_status bench_onednn_check(uint32_t threads, struct anole_error *error)
{
    unsigned runtime = dnnl_version()->cpu_runtime;
    char wanted[16];
    if (runtime == DNNL_RUNTIME_SEQ && threads == 1)
        return ANOLE_DONE;
    if (runtime != DNNL_RUNTIME_OMP)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "--against onednn: expected a oneDNN that runs on OpenMP, whose threads "
                          "can be counted; found one with another runtime (number %u)",
                          runtime);
    /* Read by OpenMP when it is loaded: see main(). */
    snprintf(wanted, sizeof wanted, "%u", threads);
    const char *found = getenv("OMP_NUM_THREADS");
    if (!found || strcmp(found, wanted) != 0)
        return anole_fail(error, ANOLE_ERR_INTERNAL, "OMP_NUM_THREADS is not %u", threads);
    return ANOLE_DONE;
}

const char *bench_onednn_version(char *out, size_t size)
{
    const dnnl_version_t *version = dnnl_version();
    snprintf(out, size, "oneDNN %d.%d.%d", version->major, version->minor, version->patch);
    return out;
}

/* ----------------------------------------------------------------- layouts */

/* Our tensors, as oneDNN is told of them.  Weights go in as o h w i and its like
 * are not known to all of its reorders: they are given as (g) o i h w. */
struct layouts {
    dnnl_memory_desc_t source, weights, bias, destination; /* as they are given */
    dnnl_memory_desc_t any_source, any_weights, any_destination;
};

static dnnl_status_t describe(dnnl_memory_desc_t *given, dnnl_memory_desc_t *any, int dimensions,
                              const int64_t *sizes, dnnl_format_tag_t tag)
{
    dnnl_dims_t dims;
    memcpy(dims, sizes, (size_t)dimensions * sizeof *sizes);
    dnnl_status_t code = dnnl_memory_desc_init_by_tag(given, dimensions, dims, dnnl_f32, tag);
    if (code == dnnl_success && any)
        code = dnnl_memory_desc_init_by_tag(any, dimensions, dims, dnnl_f32, dnnl_format_tag_any);
    return code;
}

static dnnl_status_t make_layouts(struct layouts *l, const struct anole_task *t)
{
    bool dense = t->kind == ANOLE_TASK_DENSE;
    int dimensions = dense ? 2 : 4;
    int64_t source[] = {t->batch, t->in_c, t->in_h, t->in_w};
    int64_t destination[] = {t->batch, t->out_c, t->out_h, t->out_w};
    int64_t bias[] = {t->out_c};
    int64_t plain[] = {t->out_c, t->in_c, t->kernel_h, t->kernel_w};
    int64_t grouped[] = {t->groups, t->out_c / t->groups, t->in_c / t->groups, t->kernel_h,
                         t->kernel_w};
    dnnl_format_tag_t tag = dense ? dnnl_nc : dnnl_nhwc;
    dnnl_status_t code = describe(&l->source, &l->any_source, dimensions, source, tag);
    if (code == dnnl_success)
        code = describe(&l->destination, &l->any_destination, dimensions, destination, tag);
    if (code == dnnl_success)
        code = describe(&l->bias, NULL, 1, bias, dnnl_x);
    if (code != dnnl_success)
        return code;
    if (dense)
        return describe(&l->weights, &l->any_weights, 2, plain, dnnl_oi);
    return t->groups > 1 ? describe(&l->weights, &l->any_weights, 5, grouped, dnnl_goihw)
                         : describe(&l->weights, &l->any_weights, 4, plain, dnnl_oihw);
}

/* From a task's canonical layout (anole_task_kind) to (g) o i h w; for dense they
 * are the same.  The caller's to free. */
static float *plain_weights(const struct anole_task *t, const float *from)
{
    size_t taps = (size_t)t->kernel_h * t->kernel_w;
    bool depthwise = t->kind == ANOLE_TASK_DEPTHWISE_CONV2D;
    size_t depth = depthwise ? 1 : t->in_c / t->groups;
    float *to = malloc(t->out_c * taps * depth * sizeof *to);
    for (size_t k = 0; to && k < t->out_c; k++)
        for (size_t tap = 0; tap < taps; tap++)
            for (size_t c = 0; c < depth; c++)
                to[(k * depth + c) * taps + tap] =
                    depthwise ? from[tap * t->out_c + k] : from[(k * taps + tap) * depth + c];
    return to;
}

/* --------------------------------------------------------------- primitive */

static dnnl_status_t make_post_ops(dnnl_primitive_attr_t *attributes, const struct anole_task *t)
{
    dnnl_post_ops_t ops;
    dnnl_status_t code = dnnl_primitive_attr_create(attributes);
    if (code != dnnl_success)
        return code;
    code = dnnl_post_ops_create(&ops);
    if (code != dnnl_success)
        return code;
    if (t->flags & ANOLE_TASK_RESIDUAL)
        code = dnnl_post_ops_append_sum(ops, 1.0f);
    if (code == dnnl_success && t->activation == ANOLE_ACT_RELU)
        code = dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f);
    if (code == dnnl_success && t->activation == ANOLE_ACT_RELU6)
        code = dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_bounded_relu, 6.0f, 0.0f);
    if (code == dnnl_success)
        code = dnnl_primitive_attr_set_post_ops(*attributes, ops);
    dnnl_post_ops_destroy(ops);
    return code;
}

static dnnl_status_t describe_convolution(struct onednn *self, const struct layouts *l,
                                          const dnnl_memory_desc_t *bias, dnnl_alg_kind_t algorithm,
                                          dnnl_primitive_attr_t attributes)
{
    const struct anole_task *t = self->task;
    dnnl_dims_t strides = {t->stride_h, t->stride_w};
    dnnl_dims_t dilations = {t->dilation_h - 1, t->dilation_w - 1}; /* theirs begin at 0 */
    dnnl_dims_t before = {t->pad_top, t->pad_left}, behind = {t->pad_bottom, t->pad_right};
    dnnl_convolution_desc_t convolution;
    dnnl_status_t code = dnnl_dilated_convolution_forward_desc_init(
        &convolution, dnnl_forward_inference, algorithm, &l->any_source, &l->any_weights, bias,
        &l->any_destination, strides, dilations, before, behind);
    if (code != dnnl_success)
        return code;
    return dnnl_primitive_desc_create(&self->description, &convolution, attributes, self->engine,
                                      NULL);
}

static dnnl_status_t describe_dense(struct onednn *self, const struct layouts *l,
                                    const dnnl_memory_desc_t *bias,
                                    dnnl_primitive_attr_t attributes)
{
    dnnl_inner_product_desc_t product;
    dnnl_status_t code =
        dnnl_inner_product_forward_desc_init(&product, dnnl_forward_inference, &l->any_source,
                                             &l->any_weights, bias, &l->any_destination);
    if (code != dnnl_success)
        return code;
    return dnnl_primitive_desc_create(&self->description, &product, attributes, self->engine, NULL);
}

/* Chooses an implementation; dnnl_unimplemented if there is none. */
static dnnl_status_t make_description(struct onednn *self, const struct layouts *l,
                                      dnnl_alg_kind_t algorithm)
{
    dnnl_primitive_attr_t attributes = NULL;
    const dnnl_memory_desc_t *bias = self->task->flags & ANOLE_TASK_BIAS ? &l->bias : NULL;
    dnnl_status_t code = make_post_ops(&attributes, self->task);
    if (code == dnnl_success)
        code = self->task->kind == ANOLE_TASK_DENSE
                   ? describe_dense(self, l, bias, attributes)
                   : describe_convolution(self, l, bias, algorithm, attributes);
    if (attributes)
        dnnl_primitive_attr_destroy(attributes);
    return code;
}

/* ------------------------------------------------------------------ memory */

static dnnl_status_t copy(struct onednn *self, dnnl_memory_t from, dnnl_memory_t to)
{
    const dnnl_memory_desc_t *from_layout, *to_layout;
    dnnl_primitive_desc_t description;
    dnnl_primitive_t reorder;
    dnnl_status_t code = dnnl_memory_get_memory_desc(from, &from_layout);
    if (code == dnnl_success)
        code = dnnl_memory_get_memory_desc(to, &to_layout);
    if (code == dnnl_success)
        code = dnnl_reorder_primitive_desc_create(&description, from_layout, self->engine,
                                                  to_layout, self->engine, NULL);
    if (code != dnnl_success)
        return code;
    code = dnnl_primitive_create(&reorder, description);
    dnnl_primitive_desc_destroy(description);
    if (code != dnnl_success)
        return code;
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    code = dnnl_primitive_execute(reorder, self->stream, 2, args);
    if (code == dnnl_success)
        code = dnnl_stream_wait(self->stream);
    dnnl_primitive_destroy(reorder);
    return code;
}

/* Between host memory of ours in the layout `given` and a memory of oneDNN's. */
static dnnl_status_t transfer(struct onednn *self, dnnl_memory_t memory,
                              const dnnl_memory_desc_t *given, float *host, bool inwards)
{
    dnnl_memory_t ours;
    dnnl_status_t code = dnnl_memory_create(&ours, given, self->engine, host);
    if (code != dnnl_success)
        return code;
    code = inwards ? copy(self, ours, memory) : copy(self, memory, ours);
    dnnl_memory_destroy(ours);
    return code;
}

/* A memory in the layout that the implementation asks for, holding `host` (NULL:
 * nothing yet); the next argument of the primitive. */
static dnnl_status_t provide(struct onednn *self, dnnl_memory_t *memory, int arg, dnnl_query_t what,
                             const dnnl_memory_desc_t *given, float *host)
{
    const dnnl_memory_desc_t *wanted = dnnl_primitive_desc_query_md(self->description, what, 0);
    dnnl_status_t code = dnnl_memory_create(memory, what == dnnl_query_undef ? given : wanted,
                                            self->engine, DNNL_MEMORY_ALLOCATE);
    if (code == dnnl_success && host)
        code = transfer(self, *memory, given, host, true);
    self->args[self->arg_count++] = (dnnl_exec_arg_t){arg, *memory};
    return code;
}

static dnnl_status_t provide_all(struct onednn *self, const struct layouts *l)
{
    const struct anole_task_data *data = self->data;
    float *weights = plain_weights(self->task, data->weights);
    if (!weights)
        return dnnl_out_of_memory;
    dnnl_status_t code =
        provide(self, &self->source, DNNL_ARG_SRC, dnnl_query_src_md, &l->source, data->input);
    if (code == dnnl_success)
        code = provide(self, &self->weights, DNNL_ARG_WEIGHTS, dnnl_query_weights_md, &l->weights,
                       weights);
    if (code == dnnl_success && data->bias)
        code = provide(self, &self->bias, DNNL_ARG_BIAS, dnnl_query_undef, &l->bias, data->bias);
    if (code == dnnl_success)
        code = provide(self, &self->destination, DNNL_ARG_DST, dnnl_query_dst_md, &l->destination,
                       data->residual);
    free(weights);
    return code;
}

/* --------------------------------------------------------------------- ops */

/* The next of the weights and their copies. */
static void turn_round(struct onednn *self)
{
    if (self->copy_count == 0)
        return;
    self->next = (self->next + 1) % (self->copy_count + 1);
    for (int i = 0; i < self->arg_count; i++)
        if (self->args[i].arg == DNNL_ARG_WEIGHTS)
            self->args[i].memory = self->next ? self->copies[self->next - 1] : self->weights;
}

static enum anole_status run(void *context, uint32_t repeats, double *host, double *device,
                             struct anole_error *error)
{
    struct onednn *self = context;
    dnnl_status_t code = dnnl_success;
    double begin = anole_clock();
    for (uint32_t i = 0; i < repeats && code == dnnl_success; i++, turn_round(self))
        code = dnnl_primitive_execute(self->primitive, self->stream, self->arg_count, self->args);
    if (code == dnnl_success)
        code = dnnl_stream_wait(self->stream);
    double end = anole_clock();
    if (code != dnnl_success)
        return onednn_fail(error, code, "running a layer");
    *host = (end - begin) / repeats;
    *device = NAN;
    return ANOLE_DONE;
}

static enum anole_status check(void *context, double *error_ratio, struct anole_error *error)
{
    struct onednn *self = context;
    struct layouts layouts;
    float *output = calloc(anole_task_output_elements(self->task), sizeof *output);
    if (!output)
        return anole_fail_memory(error);
    double host, device;
    dnnl_status_t code = make_layouts(&layouts, self->task);
    if (code == dnnl_success)
        code = transfer(self, self->destination, &layouts.destination,
                        self->data->residual ? self->data->residual : output, true);
    enum anole_status status = code == dnnl_success ? run(self, 1, &host, &device, error)
                                                    : onednn_fail(error, code, "a reorder");
    if (status == ANOLE_DONE) {
        code = transfer(self, self->destination, &layouts.destination, output, false);
        if (code != dnnl_success)
            status = onednn_fail(error, code, "a reorder");
        else
            *error_ratio = anole_task_data_error(self->data, self->task, output, NULL);
    }
    free(output);
    return status;
}

/* As many copies as our kernels would have of these weights. */
static enum anole_status chill(struct onednn *self, const struct bench_cold *cold,
                               struct anole_error *error)
{
    const dnnl_memory_desc_t *layout =
        dnnl_primitive_desc_query_md(self->description, dnnl_query_weights_md, 0);
    size_t bytes = dnnl_memory_desc_get_size(layout);
    size_t own = anole_task_weight_elements(self->task) * sizeof(float);
    double first = NAN, device;
    if (cold->constants == 0)
        return ANOLE_DONE;
    enum anole_status status = run(self, 1, &first, &device, error); /* the threads come up */
    if (status == ANOLE_DONE)
        status = run(self, 1, &first, &device, error);
    uint32_t sets = anole_cold_sets(cold->device, cold->constants, own, bytes, first);
    for (uint32_t i = 1; status == ANOLE_DONE && i < sets; i++) {
        void *from = NULL, *to = NULL;
        dnnl_status_t code = dnnl_memory_create(&self->copies[self->copy_count], layout,
                                                self->engine, DNNL_MEMORY_ALLOCATE);
        if (code == dnnl_success) {
            code = dnnl_memory_get_data_handle(self->copies[self->copy_count++], &to);
            if (code == dnnl_success)
                code = dnnl_memory_get_data_handle(self->weights, &from);
        }
        if (code != dnnl_success)
            return onednn_fail(error, code, "copying weights");
        memcpy(to, from, bytes);
    }
    return status;
}

static void release(void *context)
{
    struct onednn *self = context;
    for (uint32_t i = 0; i < self->copy_count; i++)
        dnnl_memory_destroy(self->copies[i]);
    dnnl_memory_t memories[] = {self->source, self->weights, self->bias, self->destination};
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++)
        if (memories[i])
            dnnl_memory_destroy(memories[i]);
    if (self->primitive)
        dnnl_primitive_destroy(self->primitive);
    if (self->description)
        dnnl_primitive_desc_destroy(self->description);
    if (self->stream)
        dnnl_stream_destroy(self->stream);
    if (self->engine)
        dnnl_engine_destroy(self->engine);
    free(self);
}

/* -------------------------------------------------------------- the header */

/* An algorithm ready to run; *made NULL if oneDNN does not have it. */
static enum anole_status make(struct onednn **made, const struct anole_task *task,
                              const struct anole_task_data *data, dnnl_alg_kind_t algorithm,
                              struct anole_error *error)
{
    struct layouts layouts;
    struct onednn *self = calloc(1, sizeof *self);
    *made = NULL;
    if (!self)
        return anole_fail_memory(error);
    self->task = task;
    self->data = data;
    const char *what = "making an engine";
    dnnl_status_t code = dnnl_engine_create(&self->engine, dnnl_cpu, 0);
    if (code == dnnl_success)
        code = dnnl_stream_create(&self->stream, self->engine, dnnl_stream_default_flags);
    if (code == dnnl_success && (what = "describing a layer"))
        code = make_layouts(&layouts, task);
    if (code == dnnl_success)
        code = make_description(self, &layouts, algorithm);
    if (code == dnnl_success && (what = "making a primitive"))
        code = dnnl_primitive_create(&self->primitive, self->description);
    if (code == dnnl_success && (what = "preparing the data"))
        code = provide_all(self, &layouts);
    if (code == dnnl_success) {
        *made = self;
        return ANOLE_DONE;
    }
    release(self);
    return code == dnnl_unimplemented ? ANOLE_DONE : onednn_fail(error, code, what);
}

/* Whether an implementation is in already, under another algorithm's name. */
static bool is_known(const struct bench_comparison *comparison, const char *implementation)
{
    for (size_t i = 0; i < comparison->count; i++)
        if (comparison->entries[i].run == run &&
            strcmp(comparison->entries[i].detail, implementation) == 0)
            return true;
    return false;
}

/* Whether there are threads besides the calling one. */
static bool has_team(void)
{
    const char *threads = getenv("OMP_NUM_THREADS");
    return !threads || strcmp(threads, "1") != 0;
}

static enum anole_status add(struct bench_comparison *comparison, const struct anole_task *task,
                             const struct anole_task_data *data, const struct bench_cold *cold,
                             const char *name, dnnl_alg_kind_t algorithm, struct anole_error *error)
{
    struct onednn *self;
    const char *implementation = NULL;
    enum anole_status status = make(&self, task, data, algorithm, error);
    if (status != ANOLE_DONE || !self)
        return status;
    status = chill(self, cold, error);
    if (status != ANOLE_DONE) {
        release(self);
        return status;
    }
    dnnl_primitive_desc_query(self->description, dnnl_query_impl_info_str, 0, &implementation);
    if (!implementation)
        implementation = "unknown";
    struct bench_implementation *entry =
        is_known(comparison, implementation) ? NULL : bench_comparison_add(comparison, name);
    if (!entry) {
        release(self);
        return ANOLE_DONE;
    }
    snprintf(entry->detail, sizeof entry->detail, "%s", implementation);
    entry->self = self;
    entry->run = run;
    entry->check = check;
    entry->release = release;
    entry->spins = dnnl_version()->cpu_runtime == DNNL_RUNTIME_OMP && has_team();
    return ANOLE_DONE;
}

/* What is told to oneDNN above: windows and dense layers, and no other activations. */
static enum anole_status check_task(const struct anole_task *task, struct anole_error *error)
{
    const bool known = task->kind == ANOLE_TASK_CONV2D || task->kind == ANOLE_TASK_DENSE ||
                       task->kind == ANOLE_TASK_DEPTHWISE_CONV2D;
    if (known && task->dtype == ANOLE_F32 && task->activation <= ANOLE_ACT_RELU6)
        return ANOLE_DONE;
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "--against onednn: expected a convolution or dense layer in fp32, with relu, "
                      "relu6 or no activation, found a %s: leave it out, by --only",
                      anole_task_kind_text(task->kind));
}

enum anole_status bench_onednn_add(struct bench_comparison *comparison,
                                   const struct anole_task *task,
                                   const struct anole_task_data *data,
                                   const struct bench_cold *cold, struct anole_error *error)
{
    size_t before = comparison->count;
    enum anole_status status = check_task(task, error);
    if (status)
        return status;
    if (task->kind == ANOLE_TASK_DENSE) {
        status = add(comparison, task, data, cold, BENCH_ONEDNN, dnnl_alg_kind_undef, error);
    } else {
        status = add(comparison, task, data, cold, BENCH_ONEDNN " direct", dnnl_convolution_direct,
                     error);
        if (status == ANOLE_DONE)
            status = add(comparison, task, data, cold, BENCH_ONEDNN " winograd",
                         dnnl_convolution_winograd, error);
        if (status == ANOLE_DONE)
            status = add(comparison, task, data, cold, BENCH_ONEDNN " auto", dnnl_convolution_auto,
                         error);
    }
    if (status == ANOLE_DONE && comparison->count == before)
        return anole_fail(error, ANOLE_ERR_INPUT, "oneDNN has no algorithm for this layer");
    return status;
}

#endif
