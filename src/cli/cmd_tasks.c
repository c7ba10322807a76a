/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "cli/command.h"
#include "frontend/network.h"
#include "cli/kernel_input.h"
#include "cli/table.h"
#include "tune/tuner.h"
#include "devices/selection.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Nodes of the search tree to visit before the count of a space is estimated. */
#define COUNT_BUDGET 200000

struct arguments {
    const char *device;
    const char *history;
    const char *kernel; /* instead of a network */
    uint32_t precision; /* 0: as the network says */
    bool json;
};

enum { KERNEL, PRECISION, DEVICE, HISTORY, JSON };

static const struct anole_option options[] = {
    [KERNEL] = {"kernel", "T1",
                "a kernel of your own, described by a T1 file, in place of NETWORK"},
    [PRECISION] = {"precision", "P", "fp32, fp16 or tf32 (default: as NETWORK says, or fp32)"},
    [DEVICE] = {"device", "D", "also show the design spaces on this device"},
    [HISTORY] = {"history", "FILE", "the history to look into (default: NAME.history, if there)"},
    [JSON] = {"json", NULL, "print JSON to stdout instead of a table"},
    {0},
};

static enum anole_status take(void *context, size_t index, const char *value,
                              struct anole_error *error)
{
    struct arguments *arguments = context;
    switch (index) {
    case KERNEL:
        arguments->kernel = value;
        break;
    case PRECISION:
        return anole_command_precision(&arguments->precision, value, error);
    case DEVICE:
        arguments->device = value;
        break;
    case HISTORY:
        arguments->history = value;
        break;
    case JSON:
        arguments->json = true;
        break;
    }
    return ANOLE_DONE;
}

/* What is known of one task. */
struct row {
    const struct anole_workload_task *source;
    char key[ANOLE_TASK_KEY], label[64];
    bool supported; /* by the device, if one was asked for */
    uint64_t size;  /* of the Cartesian product */
    double valid;   /* configs after constraints */
    bool exact;     /* `valid` was counted, not estimated */
    size_t knobs;
    struct anole_history_count history;
};

struct view {
    const struct anole_workload *network;
    const struct anole_registry *registry; /* NULL: no device asked for */
    const struct anole_registry_device *device;
    const struct anole_history *history; /* NULL: none */
};

static enum anole_status describe_space(struct row *row, const struct view *view,
                                        struct anole_error *error)
{
    const struct anole_backend *backend = view->registry->entries[view->device->backend].backend;
    const struct anole_device *device = &view->device->device;
    row->supported = anole_backend_supports(backend, device, &row->source->task);
    if (!row->supported)
        return ANOLE_DONE;
    struct anole_generator *generator = NULL;
    enum anole_status status =
        anole_generator_create(&generator, backend, device, &row->source->task, error);
    if (status != ANOLE_DONE)
        return status;
    const struct anole_space *space = anole_generator_space(generator);
    row->size = anole_space_size(space);
    row->knobs = anole_space_knob_count(space);
    row->valid = anole_space_count(space, COUNT_BUDGET, &row->exact);
    anole_generator_destroy(generator);
    return ANOLE_DONE;
}

static enum anole_status describe(struct row *row, const struct view *view, size_t i,
                                  struct anole_error *error)
{
    *row = (struct row){.source = &view->network->tasks[i]};
    anole_task_key(row->key, &row->source->task);
    anole_task_label(row->label, sizeof row->label, &row->source->task);
    if (view->history) {
        struct anole_history_key key = {.task = row->key};
        if (view->device)
            key = anole_tuner_key(view->registry, view->device, row->key, 0);
        anole_history_count(view->history, &key, &row->history);
    }
    return view->device ? describe_space(row, view, error) : ANOLE_DONE;
}

/* ---------------------------------------------------------------- outputs */

static void print_space_cells(struct anole_table *table, const struct row *row)
{
    char text[32];
    if (!row->supported) {
        for (int i = 0; i < 3; i++)
            anole_table_cell(table, "-");
        return;
    }
    anole_table_cell(table, "%zu", row->knobs);
    anole_table_cell(table, "%s", anole_text_count(text, sizeof text, row->size));
    if (row->exact)
        anole_table_cell(table, "%s", anole_text_count(text, sizeof text, (uint64_t)row->valid));
    else
        anole_table_cell(table, "~%.2g", row->valid);
}

static void print_row(struct anole_table *table, const struct row *row, const struct view *view)
{
    char text[32];
    anole_table_cell(table, "%s", row->label);
    anole_table_cell(table, "%s", row->source->layer);
    anole_table_cell(table, "%u", row->source->multiplicity);
    anole_table_cell(table, "%.1f", anole_task_flops(&row->source->task) * 1e-6);
    anole_table_cell(
        table, "%s",
        anole_text_bytes(text, sizeof text, (uint64_t)anole_task_bytes(&row->source->task)));
    if (view->device)
        print_space_cells(table, row);
    if (!view->history)
        return;
    anole_table_cell(table, "%zu", row->history.trials);
    anole_table_cell(
        table, "%s",
        isnan(row->history.best) ? "-" : anole_text_seconds(text, sizeof text, row->history.best));
}

static enum anole_status print_table(const struct row *rows, const struct view *view,
                                     struct anole_error *error)
{
    const char *titles[12] = {"task", "first layer", ">layers", ">MFLOP", ">data"};
    size_t columns = 5;
    if (view->device) {
        titles[columns++] = ">knobs";
        titles[columns++] = ">space";
        titles[columns++] = ">valid";
    }
    if (view->history) {
        titles[columns++] = ">trials";
        titles[columns++] = ">best";
    }
    struct anole_table *table = NULL;
    enum anole_status status = anole_table_create(&table, titles, error);
    if (status != ANOLE_DONE)
        return status;
    double flops = 0.0;
    size_t tuned = 0;
    for (size_t i = 0; i < view->network->task_count; i++) {
        print_row(table, &rows[i], view);
        flops += rows[i].source->multiplicity * anole_task_flops(&rows[i].source->task);
        tuned += rows[i].source->multiplicity;
    }
    status = anole_table_print(table, stdout, error);
    anole_table_destroy(table);
    if (status == ANOLE_DONE)
        printf("%zu tasks in %zu tuned layers (of %zu), %.3f GFLOP\n", view->network->task_count,
               tuned, view->network->layer_count, flops * 1e-9);
    return status;
}

static json_t *row_json(const struct row *row, const struct view *view)
{
    const struct anole_task *task = &row->source->task;
    json_t *root = json_pack("{s:s, s:s, s:s, s:s, s:i, s:f, s:f}", "task", row->key, "label",
                             row->label, "kind", anole_task_kind_text(task->kind), "first_layer",
                             row->source->layer, "multiplicity", (int)row->source->multiplicity,
                             "flops", anole_task_flops(task), "bytes", anole_task_bytes(task));
    if (view->device) {
        json_object_set_new(root, "supported", json_boolean(row->supported));
        json_object_set_new(root, "knobs", json_integer((json_int_t)row->knobs));
        json_object_set_new(root, "space", json_integer((json_int_t)row->size));
        json_object_set_new(root, "valid", anole_json_real(row->valid));
        json_object_set_new(root, "valid_exact", json_boolean(row->exact));
    }
    if (view->history) {
        json_t *outcomes = json_object();
        for (int i = 0; i < ANOLE_OUTCOME_COUNT; i++)
            json_object_set_new(outcomes, anole_outcome_text((enum anole_outcome)i),
                                json_integer((json_int_t)row->history.by_outcome[i]));
        json_object_set_new(root, "trials", json_integer((json_int_t)row->history.trials));
        json_object_set_new(root, "outcomes", outcomes);
        json_object_set_new(root, "best_seconds", anole_json_real(row->history.best));
    }
    return root;
}

static enum anole_status print_json(const struct row *rows, const struct view *view,
                                    struct anole_error *error)
{
    json_t *tasks = json_array();
    for (size_t i = 0; i < view->network->task_count; i++)
        json_array_append_new(tasks, row_json(&rows[i], view));
    return anole_command_print_json(
        json_pack("{s:s, s:s, s:I, s:o}", "network", view->network->name, "precision",
                  anole_precision_text(view->network->dtype), "layers",
                  (json_int_t)view->network->layer_count, "tasks", tasks),
        error);
}

/* -------------------------------------------------------------------- run */

static enum anole_status list(const struct view *view, bool json, struct anole_error *error)
{
    struct row *rows = calloc(view->network->task_count, sizeof *rows);
    if (!rows)
        return anole_fail_memory(error);
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; status == ANOLE_DONE && i < view->network->task_count; i++)
        status = describe(&rows[i], view, i, error);
    if (status == ANOLE_DONE)
        status = json ? print_json(rows, view, error) : print_table(rows, view, error);
    free(rows);
    return status;
}

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct arguments arguments = {0};
    char **positional;
    size_t count;
    bool help;
    enum anole_status status = anole_options_parse(&anole_cmd_tasks, argc, argv, take, &arguments,
                                                   &positional, &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    struct anole_workload *network = NULL;
    struct anole_custom_kernel *custom = NULL;
    struct anole_registry *registry = NULL;
    struct anole_history *history = NULL;
    const struct anole_registry_device *device = NULL;
    status = anole_kernel_or_network(arguments.kernel, count, "tasks", error);
    if (status == ANOLE_DONE && !arguments.kernel)
        status = anole_network_load_workload(&network, positional[0], error);
    if (status == ANOLE_DONE && network && arguments.precision)
        anole_workload_set_precision(network, arguments.precision);
    if (status == ANOLE_DONE && arguments.device) {
        status = anole_registry_create(&registry, 0, error);
        if (status == ANOLE_DONE)
            status = anole_registry_find(&device, registry, arguments.device, error);
    }
    if (status == ANOLE_DONE && arguments.kernel)
        status = anole_kernel_network(&network, &custom, arguments.kernel,
                                      device ? &device->device : NULL, error);
    if (status == ANOLE_DONE) {
        char standard[256];
        const char *path = arguments.history;
        if (!path)
            path = anole_command_history_path(standard, sizeof standard, network);
        if (arguments.history || access(path, F_OK) == 0)
            status = anole_history_open(&history, path, ANOLE_HISTORY_READ, error);
    }
    if (status == ANOLE_DONE) {
        struct view view = {network, registry, device, history};
        status = list(&view, arguments.json, error);
    }
    anole_history_close(history);
    anole_registry_destroy(registry);
    anole_workload_destroy(network);
    anole_custom_destroy(custom);
    return status;
}

const struct anole_command anole_cmd_tasks = {
    .name = "tasks",
    .arguments = "NETWORK",
    .summary = "Show what there is to tune in a network",
    .options = options,
    .least = 0, /* with --kernel */
    .most = 1,
    .run = run,
};
