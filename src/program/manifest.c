/* SPDX-License-Identifier: MIT */
#include "program/manifest.h"

#include "base/json.h"
#include "op/roles.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Appends a value, which may be NULL, and which the array then owns. */
static void append(json_t *array, json_t *value, bool *failed)
{
    *failed |= json_array_append_new(array, value) != 0;
}

/* The same under a name. */
static void set(json_t *object, const char *name, json_t *value, bool *failed)
{
    *failed |= json_object_set_new(object, name, value) != 0;
}

static json_t *integer(uint64_t value)
{
    return json_integer((json_int_t)value);
}

/* The number of a thing, or null. */
static json_t *number_of(size_t index)
{
    return index == ANOLE_NONE ? json_null() : integer(index);
}

/* Takes over `object` where something of it failed. */
static json_t *unless(bool failed, json_t *object)
{
    if (!failed)
        return object;
    json_decref(object);
    return NULL;
}

static bool is_operator(const struct anole_kernel *kernel)
{
    return kernel->task->kind == ANOLE_TASK_OPERATOR;
}

void anole_manifest_file_name(char out[ANOLE_MANIFEST_FILE], size_t number,
                              const struct anole_kernel *kernel)
{
    char label[64];
    const size_t size = ANOLE_MANIFEST_FILE;
    if (is_operator(kernel))
        snprintf(label, sizeof label, "%s", kernel->task->custom->name);
    else
        anole_task_label(label, sizeof label, kernel->task);
    size_t used = (size_t)snprintf(out, size, "%02zu_", number);
    for (const char *p = label; *p && used + 4 < size; p++) {
        if (isalnum((unsigned char)*p))
            out[used++] = *p;
        else if (out[used - 1] != '_')
            out[used++] = '_';
    }
    snprintf(out + used, size - used, ".cl");
}

/* ----------------------------------------------------------------- a kernel */

static json_t *sizes_json(const uint64_t sizes[3], uint32_t count)
{
    json_t *array = json_array();
    bool failed = !array;
    for (uint32_t i = 0; i < count && i < 3; i++)
        append(array, integer(sizes[i]), &failed);
    return unless(failed, array);
}

/* An argument by its role alone: the role's offset, or its value. */
static json_t *arg_json(const struct anole_arg *arg)
{
    json_t *object = json_pack("{s:s, s:I}", "role", anole_role_name(arg->role), "value",
                               (json_int_t)arg->value);
    bool failed = !object;
    if (arg->role == ANOLE_ROLE_VALUE)
        set(object, "bytes", integer(arg->bytes), &failed);
    return unless(failed, object);
}

static json_t *launch_json(const struct anole_launch *launch)
{
    json_t *args = json_array();
    bool failed = !args;
    for (uint32_t i = 0; i < launch->arg_count; i++)
        append(args, arg_json(&launch->args[i]), &failed);
    return json_pack("{s:s, s:o, s:o, s:o}", "kernel", launch->kernel, "global",
                     sizes_json(launch->global, launch->dimensions), "local",
                     sizes_json(launch->local, launch->dimensions), "args", unless(failed, args));
}

static json_t *launches_json(const struct anole_kernel *kernel)
{
    json_t *array = json_array();
    bool failed = !array;
    for (uint32_t i = 0; i < kernel->launch_count; i++)
        append(array, launch_json(&kernel->launches[i]), &failed);
    return unless(failed, array);
}

static json_t *dims_json(const int64_t *dims, uint32_t rank)
{
    json_t *array = json_array();
    bool failed = !array;
    for (uint32_t i = 0; i < rank; i++)
        append(array, json_integer((json_int_t)dims[i]), &failed);
    return unless(failed, array);
}

/* What a tensor of a task is like, under its role. */
static void set_tensor(json_t *object, const struct anole_task *task, uint32_t role,
                       const int64_t *dims, uint32_t rank, bool *failed)
{
    json_t *tensor = json_pack("{s:s, s:o}", "type", task->dtype == ANOLE_F16 ? "f16" : "f32",
                               "shape", dims_json(dims, rank));
    set(object, anole_role_name(role), tensor, failed);
}

/* The tensors of a task in their canonical layouts, as struct anole_task has them. */
static json_t *tensors_json(const struct anole_task *task)
{
    json_t *object = json_object();
    bool failed = !object;
    const bool flat = task->kind == ANOLE_TASK_DENSE, product = task->kind == ANOLE_TASK_MATMUL;
    const bool turned = product && task->flags & ANOLE_TASK_TRANSPOSE_A;
    const int64_t batch = task->batch, in_c = task->in_c, out_c = task->out_c;
    const int64_t in[4] = {batch, task->in_h, task->in_w, in_c};
    const int64_t out[4] = {batch, task->out_h, task->out_w, out_c};
    const int64_t in2[2] = {batch, in_c}, out2[2] = {batch, out_c};
    const int64_t in3[3] = {batch, turned ? in_c : task->in_w, turned ? task->in_w : in_c};
    const int64_t out3[3] = {batch, task->out_w, out_c};
    const int64_t *in_dims = flat ? in2 : product ? in3 : in;
    const int64_t *out_dims = flat ? out2 : product ? out3 : out;
    const uint32_t rank = flat ? 2 : product ? 3 : 4;
    uint32_t sizes[4];
    int64_t weights[4];
    const uint32_t weights_rank = anole_task_weights(sizes, task);
    for (uint32_t i = 0; i < weights_rank; i++)
        weights[i] = sizes[i];
    set_tensor(object, task, ANOLE_ROLE_INPUT, in_dims, rank, &failed);
    if (weights_rank > 0)
        set_tensor(object, task, ANOLE_ROLE_WEIGHTS, weights, weights_rank, &failed);
    if (task->flags & ANOLE_TASK_BIAS)
        set_tensor(object, task, ANOLE_ROLE_BIAS, &out_c, 1, &failed);
    if (task->flags & ANOLE_TASK_RESIDUAL)
        set_tensor(object, task, ANOLE_ROLE_RESIDUAL, out_dims, rank, &failed);
    set_tensor(object, task, ANOLE_ROLE_OUTPUT, out_dims, rank, &failed);
    return unless(failed, object);
}

static json_t *layer_json(const struct anole_task *task)
{
    json_t *object = json_pack(
        "{s:s, s:[I,I], s:[I,I], s:[I,I], s:[I,I,I,I], s:I, s:s}", "kind",
        anole_task_kind_text(task->kind), "kernel", (json_int_t)task->kernel_h,
        (json_int_t)task->kernel_w, "stride", (json_int_t)task->stride_h,
        (json_int_t)task->stride_w, "dilation", (json_int_t)task->dilation_h,
        (json_int_t)task->dilation_w, "padding", (json_int_t)task->pad_top,
        (json_int_t)task->pad_left, (json_int_t)task->pad_bottom, (json_int_t)task->pad_right,
        "groups", (json_int_t)task->groups, "activation", anole_activation_text(task->activation));
    bool failed = !object;
    if (anole_activation_parameters(task->activation) > 0)
        set(object, "alpha", anole_json_real((double)task->alpha), &failed);
    if (anole_activation_parameters(task->activation) > 1)
        set(object, "beta", anole_json_real((double)task->beta), &failed);
    return unless(failed, object);
}

/* What is known of its task: of the user's own kernels nothing but the key. */
static void set_task(json_t *object, const struct anole_task *task, bool *failed)
{
    char key[ANOLE_TASK_KEY];
    anole_task_key(key, task);
    set(object, "task", json_string(key), failed);
    if (task->kind == ANOLE_TASK_CUSTOM)
        return;
    set(object, "layer", layer_json(task), failed);
    set(object, "tensors", tensors_json(task), failed);
}

json_t *anole_manifest_kernel(const struct anole_kernel *kernel, const char *file)
{
    json_t *object = json_object();
    bool failed = !object;
    if (is_operator(kernel))
        set(object, "operator", json_string(kernel->task->custom->name), &failed);
    else
        set_task(object, kernel->task, &failed);
    set(object, "file", json_string(file), &failed);
    set(object, "options", json_string(kernel->options), &failed);
    set(object, "launches", launches_json(kernel), &failed);
    if (!is_operator(kernel)) {
        size_t weights = anole_task_weight_elements(kernel->task);
        set(object, "weights_bytes", integer(weights * anole_task_element_bytes(kernel->task)),
            &failed);
        set(object, "packed_weights_bytes", integer(kernel->packed_weights), &failed);
        set(object, "workspace_bytes", integer(kernel->workspace), &failed);
    }
    return unless(failed, object);
}

/* ---------------------------------------------------------------- the graph */

/* Numbers for the tensors that something uses: passes leave others behind. */
static size_t *number_tensors(const struct anole_graph *graph)
{
    size_t *numbers = calloc(graph->tensor_count + 1, sizeof *numbers), count = 0;
    if (!numbers)
        return NULL;
    for (size_t n = 0; n < graph->node_count; n++) {
        const struct anole_node *node = &graph->nodes[n];
        for (size_t i = 0; i < node->input_count; i++)
            if (node->inputs[i] != ANOLE_NONE)
                numbers[node->inputs[i]] = 1;
        for (size_t i = 0; i < node->output_count; i++)
            if (node->outputs[i] != ANOLE_NONE)
                numbers[node->outputs[i]] = 1;
        if (node->residual != ANOLE_NONE)
            numbers[node->residual] = 1;
    }
    for (size_t i = 0; i < graph->input_count; i++)
        numbers[graph->inputs[i]] = 1;
    for (size_t i = 0; i < graph->output_count; i++)
        numbers[graph->outputs[i]] = 1;
    for (size_t t = 0; t < graph->tensor_count; t++)
        numbers[t] = numbers[t] ? count++ : ANOLE_NONE;
    return numbers;
}

static json_t *tensor_json(const struct anole_program *program, size_t t)
{
    const struct anole_graph_tensor *tensor = &program->graph->tensors[t];
    const struct anole_place *place = &program->tensors[t];
    json_t *object = json_pack("{s:s, s:s, s:o, s:I, s:b}", "name", tensor->name, "type",
                               anole_dtype_text(tensor->type.dtype), "shape",
                               dims_json(tensor->type.dims, tensor->type.rank), "bytes",
                               (json_int_t)anole_program_tensor_bytes(program->graph, t),
                               "constant", anole_graph_is_constant(program->graph, t));
    bool failed = !object;
    if (place->buffer != ANOLE_NONE && !anole_graph_is_constant(program->graph, t)) {
        set(object, "buffer", integer(place->buffer), &failed);
        set(object, "offset", integer(place->offset), &failed);
    }
    return unless(failed, object);
}

static json_t *list_json(const size_t *tensors, size_t count, const size_t *numbers)
{
    json_t *array = json_array();
    bool failed = !array;
    for (size_t i = 0; i < count; i++)
        append(array, number_of(tensors[i] == ANOLE_NONE ? ANOLE_NONE : numbers[tensors[i]]),
               &failed);
    return unless(failed, array);
}

/* The steps of node n: they come one behind the other, from `first` on. */
static json_t *steps_json(const struct anole_program *program, size_t n, const size_t *kernels,
                          size_t *first)
{
    json_t *array = json_array();
    bool failed = !array;
    for (; *first < program->step_count && program->steps[*first].node == n; ++*first) {
        const struct anole_step *step = &program->steps[*first];
        append(
            array,
            json_pack("{s:s, s:o}", "how", anole_step_kind_text(step->kind), "program",
                      number_of(step->kernel == ANOLE_NONE ? ANOLE_NONE : kernels[step->kernel])),
            &failed);
    }
    return unless(failed, array);
}

static json_t *node_json(const struct anole_program *program, size_t n, const size_t *kernels,
                         const size_t *numbers, size_t *first)
{
    const struct anole_node *node = &program->graph->nodes[n];
    json_t *object =
        json_pack("{s:s, s:s, s:o, s:o}", "name", node->name ? node->name : "", "operator",
                  node->op->name, "inputs", list_json(node->inputs, node->input_count, numbers),
                  "outputs", list_json(node->outputs, node->output_count, numbers));
    bool failed = !object;
    if (node->residual != ANOLE_NONE)
        set(object, "residual", integer(numbers[node->residual]), &failed);
    if (node->activation != ANOLE_ACT_NONE)
        set(object, "activation", json_string(anole_activation_text(node->activation)), &failed);
    set(object, "steps", steps_json(program, n, kernels, first), &failed);
    return unless(failed, object);
}

enum anole_status anole_manifest_add_graph(json_t *root, const struct anole_program *program,
                                           const size_t *kernels, struct anole_error *error)
{
    const struct anole_graph *graph = program->graph;
    size_t *numbers = number_tensors(graph), first = 0;
    json_t *tensors = json_array(), *nodes = json_array();
    bool failed = !numbers || !tensors || !nodes;
    for (size_t t = 0; t < graph->tensor_count && !failed; t++)
        if (numbers[t] != ANOLE_NONE)
            append(tensors, tensor_json(program, t), &failed);
    for (size_t n = 0; n < graph->node_count && !failed; n++)
        append(nodes, node_json(program, n, kernels, numbers, &first), &failed);
    if (!failed) {
        set(root, "inputs", list_json(graph->inputs, graph->input_count, numbers), &failed);
        set(root, "outputs", list_json(graph->outputs, graph->output_count, numbers), &failed);
    }
    set(root, "tensors", tensors, &failed);
    set(root, "nodes", nodes, &failed);
    free(numbers);
    return failed ? anole_fail_memory(error) : ANOLE_DONE;
}

/* --------------------------------------------------------------- how it runs */

static json_t *buffers_json(const struct anole_program *program, const size_t *starts)
{
    json_t *array = json_array();
    bool failed = !array;
    for (size_t i = 0; i < program->buffer_count; i++) {
        json_t *object = json_pack("{s:I}", "bytes", (json_int_t)program->buffer_bytes[i]);
        bool bad = !object;
        if (i > 0)
            set(object, "weights_offset", integer(starts[i]), &bad);
        append(array, unless(bad, object), &failed);
    }
    return unless(failed, array);
}

static json_t *constants_json(const struct anole_program *program, const size_t *kernels,
                              const size_t *numbers)
{
    json_t *array = json_array();
    bool failed = !array;
    for (size_t i = 0; i < program->constant_count; i++) {
        const struct anole_program_constant *constant = &program->constants[i];
        append(array,
               json_pack("{s:o, s:o, s:I, s:I, s:I}", "tensor",
                         number_of(numbers[constant->tensor]), "packed_by",
                         number_of(constant->kernel == ANOLE_NONE ? ANOLE_NONE
                                                                  : kernels[constant->kernel]),
                         "buffer", (json_int_t)constant->place.buffer, "offset",
                         (json_int_t)constant->place.offset, "bytes",
                         (json_int_t)constant->place.bytes),
               &failed);
    }
    return unless(failed, array);
}

/* An argument as it is bound in a step. */
static json_t *bound_json(const struct anole_step *step, const struct anole_arg *arg)
{
    const bool by_index = arg->role == ANOLE_ROLE_TENSOR;
    if (!by_index && arg->role >= ANOLE_ROLE_COUNT)
        return arg_json(arg);
    const struct anole_place *place = &step->places[by_index ? (size_t)arg->value : arg->role];
    const size_t skip = by_index ? 0 : (size_t)arg->value;
    return json_pack("{s:s, s:I, s:I, s:I}", "role", anole_role_name(arg->role), "buffer",
                     (json_int_t)place->buffer, "offset", (json_int_t)(place->offset + skip),
                     "bytes", (json_int_t)(place->bytes - skip));
}

static json_t *bound_launch_json(const struct anole_step *step, const struct anole_launch *launch,
                                 const size_t *kernels)
{
    json_t *args = json_array();
    bool failed = !args;
    for (uint32_t i = 0; i < launch->arg_count; i++)
        append(args, bound_json(step, &launch->args[i]), &failed);
    return json_pack("{s:I, s:I, s:s, s:o, s:o, s:o}", "node", (json_int_t)step->node, "program",
                     (json_int_t)kernels[step->kernel], "kernel", launch->kernel, "global",
                     sizes_json(launch->global, launch->dimensions), "local",
                     sizes_json(launch->local, launch->dimensions), "args", unless(failed, args));
}

enum anole_status anole_manifest_add_launches(json_t *root, const struct anole_program *program,
                                              const size_t *kernels, const size_t *starts,
                                              struct anole_error *error)
{
    size_t *numbers = number_tensors(program->graph);
    json_t *launches = json_array();
    bool failed = !numbers || !launches;
    for (size_t s = 0; s < program->step_count && !failed; s++) {
        const struct anole_step *step = &program->steps[s];
        const struct anole_kernel *kernel = &program->kernels[step->kernel].generated->kernel;
        for (uint32_t l = 0; l < kernel->launch_count; l++)
            append(launches, bound_launch_json(step, &kernel->launches[l], kernels), &failed);
    }
    set(root, "buffers", buffers_json(program, starts), &failed);
    if (!failed)
        set(root, "constants", constants_json(program, kernels, numbers), &failed);
    set(root, "launches", launches, &failed);
    free(numbers);
    return failed ? anole_fail_memory(error) : ANOLE_DONE;
}
