/* SPDX-License-Identifier: MIT
 *
 * A backend's pure half bound to one task on one device: its space, built
 * through callbacks that check what they are handed, and the features made from
 * it.
 */
#include "base/log.h"
#include "base/text.h"
#include "kernel/custom.h"
#include "op/task_ops.h"
#include "plugin/generator.h"
#include "plugin/inside.h"
#include "plugin/kernel.h"
#include "plugin/plugin_message.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CONTEXT 96
#define VETTED 32 /* configs of each task that are asked about in another process first */

/* What plugins are told is what the core holds. */
_Static_assert(ANOLE_MOST_KNOBS == ANOLE_MAX_KNOBS && ANOLE_MOST_VALUES == ANOLE_MAX_KNOB_VALUES &&
                   ANOLE_MOST_CONSTRAINTS == ANOLE_MAX_CONSTRAINTS &&
                   ANOLE_MOST_FEATURES == ANOLE_MAX_EXTRA_FEATURES,
               "the limits of plugin.h are not those of the design space");

struct anole_generator {
    const struct anole_backend *backend;
    struct anole_device device;
    struct anole_task task;
    struct anole_pure_task *asked; /* what of it is asked elsewhere */
    bool unwalked;
    struct anole_space *space;
    struct anole_features *features;
};

/* -- The space -- */

struct space_draft {
    struct anole_space_builder builder; /* first: plugins hand it back */
    struct anole_space *space;
    struct anole_space_builder *also; /* who hears of it too; NULL: nobody */
    enum anole_status status;         /* of the first failure */
    struct anole_error *error;
};

static struct space_draft *space_draft(struct anole_space_builder *builder)
{
    return builder->host;
}

static int code_of(enum anole_status status)
{
    if (status == ANOLE_DONE)
        return ANOLE_OK;
    return status == ANOLE_ERR_MEMORY ? ANOLE_NO_MEMORY : ANOLE_BAD_REQUEST;
}

/* Remembers a failure: a plugin that ignores what its builder returns is not
 * taken for one that succeeded. */
static int remember(struct space_draft *draft, enum anole_status status)
{
    if (draft->status == ANOLE_DONE)
        draft->status = status;
    return code_of(status);
}

static enum anole_status check_knob(const struct space_draft *draft, const struct anole_knob *knob)
{
    if (!knob)
        return anole_fail(draft->error, ANOLE_ERR_PLUGIN, "a knob is NULL");
    if (knob->size < offsetof(struct anole_knob, labels))
        return anole_fail(draft->error, ANOLE_ERR_PLUGIN,
                          "a knob's size is %u, expected at least %zu: set it to "
                          "sizeof (struct anole_knob)",
                          knob->size, offsetof(struct anole_knob, labels));
    if (!knob->name || !knob->values)
        return anole_fail(draft->error, ANOLE_ERR_PLUGIN, "a knob has no %s",
                          knob->name ? "values" : "name");
    if (knob->kind != ANOLE_KNOB_ORDINAL && knob->kind != ANOLE_KNOB_CATEGORICAL)
        return anole_fail(draft->error, ANOLE_ERR_PLUGIN,
                          "knob %.31s is of the unknown kind %u: expected ANOLE_KNOB_ORDINAL or "
                          "ANOLE_KNOB_CATEGORICAL",
                          knob->name, knob->kind);
    for (uint32_t i = 1; knob->kind == ANOLE_KNOB_ORDINAL && i < knob->count; i++)
        if (knob->values[i] <= knob->values[i - 1])
            return anole_fail(draft->error, ANOLE_ERR_PLUGIN,
                              "knob %.31s is ordinal, but its values do not ascend: %lld follows "
                              "%lld",
                              knob->name, (long long)knob->values[i],
                              (long long)knob->values[i - 1]);
    return ANOLE_DONE;
}

static int add_knob(struct anole_space_builder *builder, const struct anole_knob *knob)
{
    struct space_draft *draft = space_draft(builder);
    enum anole_status status = check_knob(draft, knob);
    if (status == ANOLE_DONE) {
        bool labelled = knob->size >= offsetof(struct anole_knob, labels) + sizeof knob->labels;
        status = anole_space_add_knob(
            draft->space, knob->name, knob->kind == ANOLE_KNOB_CATEGORICAL, knob->values,
            labelled ? knob->labels : NULL, knob->count, knob->default_index, draft->error);
        struct anole_knob whole = {.size = 0};
        memcpy(&whole, knob, knob->size < sizeof whole ? knob->size : sizeof whole);
        if (status == ANOLE_DONE && draft->also)
            return draft->also->knob(draft->also, &whole);
    }
    return remember(draft, status);
}

static int add_constraint(struct anole_space_builder *builder, const char *expression,
                          const char *why)
{
    struct space_draft *draft = space_draft(builder);
    if (!expression)
        return remember(draft, anole_fail(draft->error, ANOLE_ERR_PLUGIN, "a constraint is NULL"));
    enum anole_status status =
        anole_space_add_constraint(draft->space, expression, why ? why : "", draft->error);
    if (status == ANOLE_DONE && draft->also)
        return draft->also->constraint(draft->also, expression, why);
    return remember(draft, status);
}

static struct space_draft make_draft(struct anole_space *space, struct anole_error *error)
{
    return (struct space_draft){
        .builder = {.size = sizeof(struct anole_space_builder),
                    .knob = add_knob,
                    .constraint = add_constraint},
        .space = space,
        .error = error,
    };
}

enum anole_status anole_backend_declare(struct anole_space *space,
                                        const struct anole_plugin *plugin,
                                        const struct anole_device *device,
                                        const struct anole_task *task,
                                        struct anole_space_builder *also, struct anole_error *error)
{
    struct space_draft draft = make_draft(space, error);
    draft.builder.host = &draft;
    draft.also = also;
    struct anole_message message = {.size = sizeof message};
    int code = plugin->space(device, task, &draft.builder, &message);
    if (draft.status == ANOLE_DONE && code != ANOLE_OK)
        return anole_plugin_failure(error, ANOLE_ERR_PLUGIN, code, &message);
    return draft.status;
}

static enum anole_status declare_elsewhere(const struct anole_generator *generator,
                                           struct anole_error *error)
{
    struct space_draft draft = make_draft(generator->space, error);
    struct anole_pure *elsewhere = generator->backend->elsewhere;
    draft.builder.host = &draft;
    enum anole_status status =
        elsewhere->space(elsewhere, &generator->device, &generator->task, &draft.builder, error);
    return draft.status != ANOLE_DONE ? draft.status : status;
}

static bool is_valid(void *context, const int64_t *values, size_t count)
{
    const struct anole_generator *generator = context;
    struct anole_pure *elsewhere = generator->backend->elsewhere;
    if (elsewhere && !generator->asked->trusted)
        return elsewhere->valid(elsewhere, generator->asked, values, count);
    anole_inside_enter(generator->backend->label, "valid");
    bool valid = generator->backend->plugin.valid(&generator->device, &generator->task, values,
                                                  (uint32_t)count) == 1;
    anole_inside_leave();
    return valid;
}

/* A default config that is not valid works, but is hardly what was meant. */
static void warn_of_default(const struct anole_generator *generator)
{
    const struct anole_space *space = generator->space;
    uint16_t digits[ANOLE_MAX_KNOBS];
    for (size_t i = 0; i < anole_space_knob_count(space); i++)
        digits[i] = (uint16_t)anole_space_knob(space, i)->default_digit;
    if (anole_space_valid_digits(space, digits))
        return;
    char label[128];
    const char *why = anole_space_violation(space, anole_space_encode(space, digits));
    anole_log_warning("backend %s: its default config for %s is not valid (%s); using another",
                      generator->backend->plugin.name,
                      anole_task_label(label, sizeof label, &generator->task),
                      why ? why : "no reason given");
}

static enum anole_status make_space(struct anole_generator *generator, struct anole_error *error)
{
    const struct anole_plugin *plugin = &generator->backend->plugin;
    enum anole_status status = anole_space_create(&generator->space, error);
    if (status != ANOLE_DONE)
        return status;
    status = generator->backend->elsewhere
                 ? declare_elsewhere(generator, error)
                 : anole_backend_declare(generator->space, plugin, &generator->device,
                                         &generator->task, NULL, error);
    if (status == ANOLE_DONE) {
        if (plugin->valid)
            anole_space_set_validity(generator->space, is_valid, generator);
        status = generator->unwalked ? anole_space_finish_unwalked(generator->space, error)
                                     : anole_space_finish(generator->space, error);
    }
    if (generator->asked->lost) { /* that is why, whatever came of it */
        anole_error_clear(error);
        status = generator->asked->starved
                     ? anole_fail_memory(error)
                     : anole_fail(error, ANOLE_ERR_PLUGIN, "%s", generator->asked->why);
    }
    if (status == ANOLE_DONE) {
        warn_of_default(generator);
        return ANOLE_DONE;
    }
    if (status == ANOLE_ERR_INPUT) /* bad input it is, but the plugin's */
        status = ANOLE_ERR_PLUGIN;
    if (error)
        error->status = status;
    char label[128];
    anole_error_prefix(error, "backend %s: the design space of %s", plugin->name,
                       anole_task_label(label, sizeof label, &generator->task));
    return status;
}

/* The kernel is with the task, and so is its space. */
static bool comes_along(const struct anole_generator *generator)
{
    return generator->task.custom && !(generator->device.flags & ANOLE_DEVICE_SIMULATED);
}

static enum anole_status make_custom_space(struct anole_generator *generator,
                                           struct anole_error *error)
{
    char label[128];
    enum anole_status status = anole_custom_space(
        &generator->space, anole_custom_of(&generator->task), &generator->device, error);
    if (status != ANOLE_DONE)
        anole_error_prefix(error, "the design space of %s",
                           anole_task_label(label, sizeof label, &generator->task));
    return status;
}

/* -- The features -- */

struct row {
    double values[MAX_CONTEXT];
    size_t count;
};

/* Sizes span orders of magnitude: a model sees their logarithms. */
static void size_column(struct row *row, double value)
{
    row->values[row->count++] = value > 0 ? log2(1.0 + value) : 0.0;
}

static void flag_column(struct row *row, bool value)
{
    row->values[row->count++] = value ? 1.0 : 0.0;
}

static void task_columns(struct row *row, const struct anole_task *task)
{
    const uint32_t sizes[] = {task->groups,     task->batch,     task->in_h,     task->in_w,
                              task->in_c,       task->out_h,     task->out_w,    task->out_c,
                              task->kernel_h,   task->kernel_w,  task->stride_h, task->stride_w,
                              task->dilation_h, task->dilation_w};
    for (uint32_t kind = 1; kind < ANOLE_TASK_OPERATOR; kind++)
        if (anole_task_ops_of(kind))
            flag_column(row, task->kind == kind);
    flag_column(row, task->flags & ANOLE_TASK_BIAS);
    flag_column(row, task->flags & ANOLE_TASK_RESIDUAL);
    flag_column(row, task->activation != ANOLE_ACT_NONE);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        size_column(row, sizes[i]);
    size_column(row, task->pad_top + (double)task->pad_bottom);
    size_column(row, task->pad_left + (double)task->pad_right);
    if (task->kind == ANOLE_TASK_CUSTOM) {
        row->count += 3;
        return;
    }
    size_column(row, anole_task_flops(task));
    size_column(row, anole_task_bytes(task));
    size_column(row, (double)anole_task_reduction(task));
}

static void device_columns(struct row *row, const struct anole_device *device)
{
    const uint64_t sizes[] = {
        device->compute_units, device->clock_mhz,      device->simd_width,   device->registers,
        device->cores,         device->max_work_group, device->local_memory, device->global_memory,
        device->cache_l1,      device->cache_l2,       device->cache_l3,     device->cache_line,
    };
    flag_column(row, device->type == ANOLE_DEVICE_CPU);
    flag_column(row, device->type == ANOLE_DEVICE_GPU);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        size_column(row, (double)sizes[i]);
    for (uint32_t i = 0; i < device->property_count; i++)
        row->values[row->count++] = device->properties[i].value;
}

static uint32_t ask_features(const struct anole_generator *generator, const int64_t *values,
                             size_t count, double *out)
{
    struct anole_pure *elsewhere = generator->backend->elsewhere;
    if (elsewhere && !generator->asked->trusted)
        return elsewhere->features(elsewhere, generator->asked, values, count, out);
    anole_inside_enter(generator->backend->label, "features");
    uint32_t made = generator->backend->plugin.features(&generator->device, &generator->task,
                                                        values, (uint32_t)count, out);
    anole_inside_leave();
    return made;
}

static void extra_columns(void *context, const int64_t *values, size_t count, double *out)
{
    ask_features(context, values, count, out);
}

static enum anole_status make_features(struct anole_generator *generator, struct anole_error *error)
{
    const struct anole_plugin *plugin = &generator->backend->plugin;
    uint32_t extra = 0;
    if (plugin->features && !comes_along(generator)) {
        int64_t values[ANOLE_MAX_KNOBS];
        anole_space_values(generator->space, anole_space_default(generator->space), values);
        extra = ask_features(generator, values, anole_space_knob_count(generator->space), NULL);
        enum anole_status status = anole_generator_trouble(generator, error);
        if (status != ANOLE_DONE)
            return status;
    }
    if (extra > ANOLE_MOST_FEATURES)
        return anole_fail(error, ANOLE_ERR_PLUGIN,
                          "backend %s: it announces %u features, expected at most %d", plugin->name,
                          extra, ANOLE_MOST_FEATURES);
    struct row row = {.count = 0};
    task_columns(&row, &generator->task);
    device_columns(&row, &generator->device);
    return anole_features_create(&generator->features, generator->space, row.values, row.count,
                                 extra > 0 ? extra_columns : NULL, generator, extra, error);
}

/* Asks elsewhere about configs all over the space, until the ops are trusted or not. */
static enum anole_status vet_ops(const struct anole_generator *generator, struct anole_error *error)
{
    struct anole_pure *elsewhere = generator->backend->elsewhere;
    struct anole_rng rng;
    if (!elsewhere || comes_along(generator))
        return ANOLE_DONE;
    float *row = calloc(anole_features_count(generator->features) + 1, sizeof *row);
    if (!row)
        return anole_fail_memory(error);
    anole_rng_init(&rng, 1);
    for (int i = 0; i < VETTED && !generator->asked->lost; i++) {
        uint64_t config;
        if (!anole_space_sample(generator->space, &rng, &config))
            break;
        anole_features_row(generator->features, config, row);
    }
    free(row);
    elsewhere->judge(elsewhere, generator->asked);
    return anole_generator_trouble(generator, error);
}

/* -- The whole -- */

static enum anole_status create(struct anole_generator **generator,
                                const struct anole_backend *backend,
                                const struct anole_device *device, const struct anole_task *task,
                                bool unwalked, struct anole_error *error)
{
    enum anole_status status = anole_task_check(task, error);
    if (status != ANOLE_DONE)
        return status;
    if (device->property_count > ANOLE_MAX_PROPERTIES)
        return anole_fail(error, ANOLE_ERR_PLUGIN,
                          "backend %s: a device has %u properties, expected at most %d",
                          backend->plugin.name, device->property_count, ANOLE_MAX_PROPERTIES);
    if (!anole_backend_supports(backend, device, task)) {
        char label[128], name[128];
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "backend %s has no kernel generator for %s on %s: leave this task to "
                          "another device%s",
                          backend->plugin.name, anole_task_label(label, sizeof label, task),
                          anole_text_printable(name, sizeof name, device->name),
                          task->dtype != ANOLE_F32 ? ", or ask for fp32" : "");
    }
    struct anole_generator *new = calloc(1, sizeof *new);
    struct anole_pure_task *asked = calloc(1, sizeof *asked);
    if (!new || !asked) {
        free(new);
        free(asked);
        return anole_fail_memory(error);
    }
    new->backend = backend;
    new->asked = asked;
    *asked = (struct anole_pure_task){.device = &new->device, .task = &new->task};
    new->device = *device;
    new->device.size = sizeof new->device;
    new->task = *task;
    new->task.size = sizeof new->task;
    new->unwalked = unwalked;
    status = comes_along(new) ? make_custom_space(new, error) : make_space(new, error);
    if (status == ANOLE_DONE && !unwalked)
        status = make_features(new, error);
    if (status == ANOLE_DONE && !unwalked)
        status = vet_ops(new, error);
    if (status != ANOLE_DONE) {
        anole_generator_destroy(new);
        return status;
    }
    *generator = new;
    return ANOLE_DONE;
}

enum anole_status anole_generator_create(struct anole_generator **generator,
                                         const struct anole_backend *backend,
                                         const struct anole_device *device,
                                         const struct anole_task *task, struct anole_error *error)
{
    return create(generator, backend, device, task, false, error);
}

enum anole_status anole_generator_create_unwalked(struct anole_generator **generator,
                                                  const struct anole_backend *backend,
                                                  const struct anole_device *device,
                                                  const struct anole_task *task,
                                                  struct anole_error *error)
{
    return create(generator, backend, device, task, true, error);
}

void anole_generator_destroy(struct anole_generator *generator)
{
    if (!generator)
        return;
    anole_features_destroy(generator->features);
    anole_space_destroy(generator->space);
    if (generator->backend->elsewhere)
        generator->backend->elsewhere->forget(generator->backend->elsewhere, generator->asked);
    free(generator->asked);
    free(generator);
}

enum anole_status anole_generator_trouble(const struct anole_generator *generator,
                                          struct anole_error *error)
{
    char label[128];
    if (!generator->asked->lost)
        return ANOLE_DONE;
    if (generator->asked->starved)
        return anole_fail_memory(error);
    return anole_fail(
        error, ANOLE_ERR_PLUGIN, "backend %s: %s: %s", generator->backend->plugin.name,
        anole_task_label(label, sizeof label, &generator->task), generator->asked->why);
}

const struct anole_space *anole_generator_space(const struct anole_generator *generator)
{
    return generator->space;
}

const struct anole_features *anole_generator_features(const struct anole_generator *generator)
{
    return generator->features;
}

const struct anole_task *anole_generator_task(const struct anole_generator *generator)
{
    return &generator->task;
}

const struct anole_device *anole_generator_device(const struct anole_generator *generator)
{
    return &generator->device;
}

enum anole_status anole_generator_kernel(struct anole_generated **generated,
                                         const struct anole_generator *generator, uint64_t config,
                                         struct anole_error *error)
{
    int64_t values[ANOLE_MAX_KNOBS];
    anole_space_values(generator->space, config, values);
    return anole_backend_generate(generated, generator->backend, &generator->device,
                                  &generator->task, values,
                                  anole_space_knob_count(generator->space), error);
}

bool anole_generator_executable(uint64_t *executable, const struct anole_generator *generator,
                                uint64_t config)
{
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_generated *generated;
    if (anole_generator_kernel(&generated, generator, config, &error) != ANOLE_DONE)
        return false;
    *executable = generated->executable;
    anole_generated_destroy(generated);
    return true;
}

enum anole_status anole_generator_pack(const struct anole_generator *generator, uint64_t config,
                                       const void *weights, size_t weights_bytes, void *packed,
                                       size_t packed_bytes, struct anole_error *error)
{
    int64_t values[ANOLE_MAX_KNOBS];
    anole_space_values(generator->space, config, values);
    return anole_backend_pack(generator->backend, &generator->device, &generator->task, values,
                              anole_space_knob_count(generator->space), weights, weights_bytes,
                              packed, packed_bytes, error);
}
