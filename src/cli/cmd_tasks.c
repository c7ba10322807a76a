/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "cli/command.h"
#include "cli/given_files.h"
#include "cli/table.h"
#include "op/task.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

struct arguments {
    const char *device;
    const char *history;
    const char *kernel; /* instead of a network */
    uint32_t precision; /* 0: as the network says */
    uint64_t batch;
    const char *shapes[ANOLE_COMMAND_SHAPES];
    size_t shape_count;
    struct anole_given_inputs inputs;
    bool json;
};

enum { KERNEL, PRECISION, BATCH, SHAPE, INPUT, DEVICE, HISTORY, JSON };

static const struct anole_option options[] = {
    [KERNEL] = {"kernel", "T1",
                "a kernel of your own, described by a T1 file, in place of NETWORK"},
    [PRECISION] = {"precision", "P", "fp32, fp16 or tf32 (default: as NETWORK says, or fp32)"},
    [BATCH] = {"batch", "N", "the batch size, where an ONNX file leaves it open (default 1)"},
    [SHAPE] = {"shape", "NAME=SIZES",
               "the shape of an input, where an ONNX file leaves it open: images=1x3x640x640;\n"
               "may be given several times"},
    [INPUT] = {"input", "WORD",
               "FILE.npz, NAME=FILE.npy or NAME=FILE.pb: arrays as `anole run` takes them, whose\n"
               "sizes count, and elements where shapes depend on them; may be given several times"},
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
    case BATCH:
        return anole_text_parse_u64(&arguments->batch, value, "--batch", 1, INT32_MAX, error);
    case SHAPE:
        return anole_command_shape(arguments->shapes, &arguments->shape_count, value, error);
    case INPUT:
        return anole_given_inputs_take(&arguments->inputs, value, error);
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

/* What is asked about. */
struct view {
    const struct anole_tasks *tasks;
    bool spaces, history; /* were looked at */
};

/* ---------------------------------------------------------------- outputs */

static void print_space_cells(struct anole_table *table, const struct anole_task_info *task)
{
    char text[32];
    if (!task->supported) {
        for (int i = 0; i < 3; i++)
            anole_table_cell(table, "-");
        return;
    }
    anole_table_cell(table, "%zu", task->knobs);
    anole_table_cell(table, "%s", anole_text_count(text, sizeof text, task->points));
    if (task->exact)
        anole_table_cell(table, "%s", anole_text_count(text, sizeof text, (uint64_t)task->valid));
    else
        anole_table_cell(table, "~%.2g", task->valid);
}

static void print_row(struct anole_table *table, const struct anole_task_info *task,
                      const struct view *view)
{
    char text[32];
    anole_table_cell(table, "%s", task->label);
    anole_table_name(table, task->layers[0]);
    anole_table_cell(table, "%u", task->multiplicity);
    anole_table_cell(table, "%.1f", task->flops * 1e-6);
    anole_table_cell(table, "%s", anole_text_bytes(text, sizeof text, (uint64_t)task->bytes));
    if (view->spaces)
        print_space_cells(table, task);
    if (!view->history)
        return;
    anole_table_cell(table, "%zu", task->trials);
    anole_table_cell(table, "%s",
                     isnan(task->best_seconds)
                         ? "-"
                         : anole_text_seconds(text, sizeof text, task->best_seconds));
}

static enum anole_status print_table(const struct view *view, struct anole_error *error)
{
    const char *titles[12] = {"task", "first layer", ">layers", ">MFLOP", ">data"};
    size_t columns = 5, count = anole_tasks_count(view->tasks);
    if (view->spaces) {
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
    for (size_t i = 0; i < count; i++) {
        const struct anole_task_info *task = anole_tasks_get(view->tasks, i);
        print_row(table, task, view);
        flops += task->multiplicity * task->flops;
        tuned += task->multiplicity;
    }
    status = anole_table_print(table, stdout, error);
    anole_table_destroy(table);
    if (status == ANOLE_DONE)
        printf("%zu tasks in %zu tuned layers (of %zu), %.3f GFLOP\n", count, tuned,
               anole_tasks_layer_count(view->tasks), flops * 1e-9);
    return status;
}

static json_t *row_json(const struct anole_task_info *task, const struct view *view)
{
    json_t *root =
        json_pack("{s:s, s:s, s:s, s:s, s:i, s:f, s:f}", "task", task->key, "label", task->label,
                  "kind", task->kind, "first_layer", task->layers[0], "multiplicity",
                  (int)task->multiplicity, "flops", task->flops, "bytes", task->bytes);
    if (view->spaces) {
        json_object_set_new(root, "supported", json_boolean(task->supported));
        json_object_set_new(root, "knobs", json_integer((json_int_t)task->knobs));
        json_object_set_new(root, "space", json_integer((json_int_t)task->points));
        json_object_set_new(root, "valid", anole_json_real(task->supported ? task->valid : 0.0));
        json_object_set_new(root, "valid_exact", json_boolean(task->exact));
    }
    if (view->history) {
        json_t *outcomes = json_object();
        for (size_t i = 0; i < task->outcome_count; i++)
            json_object_set_new(outcomes, anole_outcome_text((enum anole_outcome)i),
                                json_integer((json_int_t)task->outcomes[i]));
        json_object_set_new(root, "trials", json_integer((json_int_t)task->trials));
        json_object_set_new(root, "outcomes", outcomes);
        json_object_set_new(root, "best_seconds", anole_json_real(task->best_seconds));
    }
    return root;
}

static enum anole_status print_json(const struct view *view, struct anole_error *error)
{
    json_t *tasks = json_array();
    for (size_t i = 0; i < anole_tasks_count(view->tasks); i++)
        json_array_append_new(tasks, row_json(anole_tasks_get(view->tasks, i), view));
    return anole_command_print_json(
        json_pack("{s:s, s:s, s:I, s:o}", "network", anole_tasks_name(view->tasks), "precision",
                  anole_tasks_precision(view->tasks), "layers",
                  (json_int_t)anole_tasks_layer_count(view->tasks), "tasks", tasks),
        error);
}

/* -------------------------------------------------------------------- run */

struct session {
    struct arguments arguments;
    struct anole_context *context;
    struct anole_devices *devices;
    struct anole_tasks *tasks;
    const struct anole_device_info *device; /* NULL: none asked for */
};

static void session_fini(struct session *session)
{
    anole_tasks_destroy(session->tasks);
    anole_devices_destroy(session->devices);
    anole_context_destroy(session->context);
    anole_given_inputs_fini(&session->arguments.inputs);
}

/* A kernel is read with the device in mind, a network before it is looked for. */
static enum anole_status open_input(struct session *session, const char *network,
                                    struct anole_error *error)
{
    struct arguments *arguments = &session->arguments;
    struct anole_load_options load = {.size = sizeof load};
    enum anole_status status = anole_command_context(&session->context, error);
    if (status == ANOLE_DONE && network)
        status = anole_given_inputs_read(&arguments->inputs, network, arguments->shapes,
                                         &arguments->shape_count, error);
    if (arguments->precision)
        load.precision = anole_precision_text(arguments->precision);
    load.batch = (int64_t)arguments->batch;
    load.shapes = arguments->shapes;
    load.shape_count = arguments->shape_count;
    if (status == ANOLE_DONE && network)
        status = anole_tasks_load(&session->tasks, session->context, network, &load, error);
    if (status == ANOLE_DONE && arguments->device)
        status = anole_devices_list(&session->devices, session->context, 0, error);
    if (status == ANOLE_DONE && arguments->device)
        status = anole_devices_find(&session->device, session->devices, arguments->device, error);
    if (status != ANOLE_DONE || network)
        return status;
    load.format = ANOLE_FORMAT_T1;
    load.precision = NULL;
    load.device = session->device;
    return anole_tasks_load(&session->tasks, session->context, arguments->kernel, &load, error);
}

static enum anole_status list(struct session *session, struct anole_error *error)
{
    const struct arguments *arguments = &session->arguments;
    struct view view = {.tasks = session->tasks, .spaces = session->device != NULL};
    enum anole_status status = ANOLE_DONE;
    char standard[256];
    const char *path = arguments->history;
    if (!path)
        path =
            anole_command_history_path(standard, sizeof standard, anole_tasks_name(session->tasks));
    view.history = arguments->history || access(path, F_OK) == 0;
    if (view.history)
        status = anole_tasks_count_trials(session->tasks, path, session->device, error);
    if (status == ANOLE_DONE && view.spaces)
        status = anole_tasks_describe(session->tasks, session->device, error);
    if (status == ANOLE_DONE)
        status = arguments->json ? print_json(&view, error) : print_table(&view, error);
    return status;
}

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct session session = {.device = NULL};
    char **positional;
    size_t count;
    bool help;
    enum anole_status status = anole_options_parse(
        &anole_cmd_tasks, argc, argv, take, &session.arguments, &positional, &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    status = anole_kernel_or_network(session.arguments.kernel, count, "tasks", error);
    if (status == ANOLE_DONE)
        status = open_input(&session, count > 0 ? positional[0] : NULL, error);
    if (status == ANOLE_DONE)
        status = list(&session, error);
    session_fini(&session);
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
