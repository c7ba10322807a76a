/* SPDX-License-Identifier: MIT */
#include "program/program.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "program/memory_plan.h"
#include "program/epilogue.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where a part of a wider tensor may begin: see the pitches of struct anole_task. */
#define PART_ALIGNMENT 128u
#define CONSTANT_BLOCK ((size_t)256 << 20) /* bytes of a buffer of constants, usually */

const char *anole_step_kind_text(enum anole_step_kind kind)
{
    static const char *const texts[] = {
#define X(name, text) text,
        ANOLE_STEP_MAP(X)
#undef X
    };
    return kind < ANOLE_STEP_KIND_COUNT ? texts[kind] : "unknown";
}

size_t anole_program_tensor_bytes(const struct anole_graph *graph, size_t tensor)
{
    const struct anole_operand *type = &graph->tensors[tensor].type;
    return anole_operand_elements(type) * anole_dtype_bytes(type->dtype);
}

size_t anole_program_constant_of(const struct anole_graph *graph, size_t tensor)
{
    while (!anole_graph_is_constant(graph, tensor)) {
        size_t node = graph->tensors[tensor].producer;
        if (node == ANOLE_NONE || !(graph->nodes[node].op->flags & ANOLE_OP_VIEW))
            return ANOLE_NONE;
        tensor = graph->nodes[node].inputs[0];
    }
    return tensor;
}

/* ---------------------------------------------------------------- a draft */

/* A kernel that was made for a task, or refused. */
struct known_task {
    char key[ANOLE_TASK_KEY];
    size_t kernel; /* ANOLE_NONE: the backend does not support it, or none is right */
    size_t others[ANOLE_MOST_OTHERS];
    size_t other_count;
    struct anole_text problem; /* of kernels that would have been better; empty: there was none */
};

struct part;

struct draft {
    struct anole_program *program;
    const struct anole_graph *graph;
    const struct anole_program_options *options;
    struct known_task *tasks; /* [2 node_count]: with a pitch and without */
    size_t task_count;
    struct anole_text problem;             /* of the kernels of the node in hand */
    const struct anole_operand **operands; /* room for the inputs of any node */
    /* Of each tensor: the one whose memory it is (a view: what it is a view of, or a result
     * that takes an input's place), and until which step it is read; SIZE_MAX: to the end. */
    size_t *owner, *last;
    struct part *parts; /* of each tensor */
    size_t *readers;    /* of each tensor: see count_readers() */
    struct anole_error *error;
};

/* A tensor that a kernel stores where a concatenation would copy it to. */
struct part {
    size_t whole;   /* the result of the concatenation; ANOLE_NONE: it is no part */
    size_t offset;  /* bytes */
    uint32_t pitch; /* channels of the whole */
};

static bool is_constant(const struct draft *draft, size_t tensor)
{
    return anole_graph_is_constant(draft->graph, tensor);
}

static bool is_view(const struct draft *draft, const struct anole_node *node)
{
    return node->op->flags & ANOLE_OP_VIEW && node->output_count == 1 &&
           node->outputs[0] != ANOLE_NONE && node->activation == ANOLE_ACT_NONE &&
           node->residual == ANOLE_NONE && !draft->program->data_sized[node->outputs[0]];
}

/* Nobody gets anything of it. */
static bool is_empty(const struct anole_graph *graph, const struct anole_node *node)
{
    for (size_t i = 0; i < node->output_count; i++)
        if (node->outputs[i] != ANOLE_NONE &&
            anole_program_tensor_bytes(graph, node->outputs[i]) > 0)
            return false;
    return true;
}

/* --------------------------------------------------------------- constants */

static enum anole_status new_buffer(struct draft *draft, size_t bytes)
{
    struct anole_program *program = draft->program;
    uint64_t most = program->device.max_allocation;
    char needed[32], found[32];
    if (most > 0 && bytes > most)
        return anole_fail(draft->error, ANOLE_ERR_INPUT,
                          "the network needs %s in one piece, but device '%s' allocates %s at most",
                          anole_text_bytes(needed, sizeof needed, bytes), program->device.name,
                          anole_text_bytes(found, sizeof found, most));
    size_t *larger = realloc(program->buffer_bytes, (program->buffer_count + 1) * sizeof *larger);
    if (!larger)
        return anole_fail_memory(draft->error);
    program->buffer_bytes = larger;
    larger[program->buffer_count++] = bytes;
    return ANOLE_DONE;
}

static size_t aligned(size_t bytes)
{
    const size_t unit = ANOLE_PROGRAM_ALIGNMENT;
    return (bytes + unit - 1) / unit * unit;
}

/* The place of a constant, laid out by a kernel or not. */
static enum anole_status place_constant(struct anole_place *place, struct draft *draft,
                                        size_t tensor, size_t kernel, size_t bytes)
{
    struct anole_program *program = draft->program;
    for (size_t i = 0; i < program->constant_count; i++)
        if (program->constants[i].tensor == tensor && program->constants[i].kernel == kernel) {
            *place = program->constants[i].place;
            return ANOLE_DONE;
        }
    uint64_t most = program->device.max_allocation;
    size_t limit = most > 0 && most < CONSTANT_BLOCK ? (size_t)most : CONSTANT_BLOCK;
    size_t at = program->buffer_count - 1;
    if (program->buffer_count == 1 || program->buffer_bytes[at] > limit ||
        aligned(bytes) > limit - program->buffer_bytes[at]) {
        enum anole_status status = new_buffer(draft, aligned(bytes));
        if (status)
            return status;
        *place = (struct anole_place){.buffer = ++at, .bytes = bytes};
    } else {
        *place =
            (struct anole_place){.buffer = at, .offset = program->buffer_bytes[at], .bytes = bytes};
        program->buffer_bytes[at] += aligned(bytes);
    }
    struct anole_program_constant *larger =
        realloc(program->constants, (program->constant_count + 1) * sizeof *larger);
    if (!larger)
        return anole_fail_memory(draft->error);
    program->constants = larger;
    larger[program->constant_count++] =
        (struct anole_program_constant){.tensor = tensor, .kernel = kernel, .place = *place};
    return ANOLE_DONE;
}

/* ----------------------------------------------------------------- kernels */

/* Takes over `generated`, also on failure. */
static enum anole_status add_kernel(size_t *kernel, struct draft *draft,
                                    struct anole_generated *generated, uint64_t config, bool tuned,
                                    double seconds)
{
    struct anole_program *program = draft->program;
    struct anole_program_kernel *larger =
        realloc(program->kernels, (program->kernel_count + 1) * sizeof *larger);
    if (!larger) {
        anole_generated_destroy(generated);
        return anole_fail_memory(draft->error);
    }
    program->kernels = larger;
    larger[program->kernel_count] = (struct anole_program_kernel){
        .generated = generated, .tuned = tuned, .seconds = seconds, .config = config};
    *kernel = program->kernel_count++;
    return ANOLE_DONE;
}

/* The same for one of a generator's configs. */
static enum anole_status add_config(size_t *kernel, struct draft *draft,
                                    const struct anole_generator *generator,
                                    struct anole_generated *generated, uint64_t config, bool tuned,
                                    double seconds)
{
    enum anole_status status = add_kernel(kernel, draft, generated, config, tuned, seconds);
    if (status == ANOLE_DONE)
        draft->program->kernels[*kernel].is_default =
            config == anole_space_default(anole_generator_space(generator));
    return status;
}

/* The same for a plain one, which may be there already. */
static enum anole_status add_plain(size_t *kernel, struct draft *draft,
                                   struct anole_generated *generated)
{
    const struct anole_program *program = draft->program;
    for (size_t i = 0; i < program->kernel_count; i++) {
        const struct anole_generated *other = program->kernels[i].generated;
        if (other->source_hash == generated->source_hash &&
            other->kernel.task->kind == ANOLE_TASK_OPERATOR &&
            strcmp(other->kernel.source, generated->kernel.source) == 0) {
            anole_generated_destroy(generated);
            *kernel = i;
            return ANOLE_DONE;
        }
    }
    return add_kernel(kernel, draft, generated, 0, false, NAN);
}

static void note(struct anole_text *problem, const char *which, const char *reason)
{
    anole_text_printf(problem, "%s%s: %s", problem->length ? "; " : "", which, reason);
}

/* The kernel of a config, unless it is refused, or failed before: then known->kernel stays. */
static enum anole_status try_config(struct known_task *known, struct draft *draft,
                                    const struct anole_generator *generator, uint64_t config,
                                    bool tuned, double seconds)
{
    struct anole_generated *generated = NULL;
    struct anole_error why = {.status = ANOLE_DONE};
    enum anole_status status = anole_generator_kernel(&generated, generator, config, &why);
    if (status == ANOLE_ERR_MEMORY)
        return anole_fail_memory(draft->error);
    const char *reason =
        status ? why.text : anole_kernel_failures_find(draft->options->failures, generated);
    if (!reason)
        return add_config(&known->kernel, draft, generator, generated, config, tuned, seconds);
    note(&known->problem, tuned ? "its tuned kernel" : "its default kernel", reason);
    anole_generated_destroy(generated);
    return ANOLE_DONE;
}

/* Tasks are tuned without a pitch: the generator of the task without its.  *dense NULL: there is
 * none whose configs mean the same; the generator itself, where the task has no pitch. */
static enum anole_status find_dense(const struct anole_generator **dense,
                                    struct anole_generator **made, struct draft *draft,
                                    const struct anole_generator *generator)
{
    struct anole_task task = *anole_generator_task(generator);
    *made = NULL;
    *dense = generator;
    if (!task.out_pitch)
        return ANOLE_DONE;
    task.out_pitch = 0;
    *dense = NULL;
    enum anole_status status = anole_generator_create_unwalked(
        made, draft->program->backend, &draft->program->device, &task, NULL);
    if (status)
        return status == ANOLE_ERR_MEMORY ? anole_fail_memory(draft->error) : ANOLE_DONE;
    if (anole_space_fingerprint(anole_generator_space(generator)) ==
        anole_space_fingerprint(anole_generator_space(*made)))
        *dense = *made;
    return ANOLE_DONE;
}

/* The same config does where there is a pitch. */
static enum anole_status choose_config(uint64_t *config, bool *tuned, double *seconds,
                                       struct draft *draft, const struct anole_generator *generator)
{
    const struct anole_program_options *options = draft->options;
    const struct anole_generator *dense;
    struct anole_generator *made;
    enum anole_status status = find_dense(&dense, &made, draft, generator);
    if (status == ANOLE_DONE && dense)
        status = options->choose(options->context, dense, config, tuned, seconds, draft->error);
    anole_generator_destroy(made);
    return status;
}

/* Whether a kernel that was made for the task has this config, or the same source. */
static bool is_known(const struct known_task *known, const struct draft *draft, uint64_t config,
                     uint64_t source_hash)
{
    const struct anole_program_kernel *kernels = draft->program->kernels;
    bool found = kernels[known->kernel].config == config ||
                 kernels[known->kernel].generated->source_hash == source_hash;
    for (size_t i = 0; i < known->other_count && !found; i++)
        found = kernels[known->others[i]].config == config ||
                kernels[known->others[i]].generated->source_hash == source_hash;
    return found;
}

/* Further kernels of a task that has one.  That one of them cannot be had is no problem of the
 * task's. */
static enum anole_status generate_others(struct known_task *known, struct draft *draft,
                                         const struct anole_generator *generator)
{
    const struct anole_program_options *options = draft->options;
    uint64_t configs[ANOLE_MOST_OTHERS];
    size_t count = 0;
    const struct anole_generator *dense;
    struct anole_generator *made;
    enum anole_status status = find_dense(&dense, &made, draft, generator);
    if (status == ANOLE_DONE && dense)
        status = options->others(options->context, dense, configs, &count, draft->error);
    anole_generator_destroy(made);
    for (size_t i = 0; i < count && status == ANOLE_DONE; i++) {
        struct anole_generated *generated = NULL;
        if (!anole_space_valid(anole_generator_space(generator), configs[i]))
            continue;
        status = anole_generator_kernel(&generated, generator, configs[i], NULL);
        if (status == ANOLE_ERR_MEMORY)
            return anole_fail_memory(draft->error);
        if (status) {
            status = ANOLE_DONE;
            continue;
        }
        if (is_known(known, draft, configs[i], generated->source_hash) ||
            anole_kernel_failures_find(options->failures, generated)) {
            anole_generated_destroy(generated);
            continue;
        }
        status = add_config(&known->others[known->other_count], draft, generator, generated,
                            configs[i], false, NAN);
        known->other_count += status == ANOLE_DONE;
    }
    return status;
}

/* The kernel of a task from the backend's generator: with the config that was found, else with the
 * default. */
static enum anole_status generate_task(struct known_task *known, struct draft *draft,
                                       const struct anole_task *task)
{
    const struct anole_program *program = draft->program;
    struct anole_generator *generator = NULL;
    struct anole_error why = {.status = ANOLE_DONE};
    double seconds = NAN;
    bool tuned = false;
    known->kernel = ANOLE_NONE;
    if (!anole_backend_supports(program->backend, &program->device, task))
        return ANOLE_DONE;
    enum anole_status status =
        anole_generator_create_unwalked(&generator, program->backend, &program->device, task, &why);
    if (status == ANOLE_ERR_MEMORY)
        return anole_fail_memory(draft->error);
    if (status) {
        note(&known->problem, "its design space", why.text);
        return ANOLE_DONE;
    }
    const uint64_t otherwise = anole_space_default(anole_generator_space(generator));
    uint64_t config = otherwise;
    if (draft->options->choose)
        status = choose_config(&config, &tuned, &seconds, draft, generator);
    if (status == ANOLE_DONE && tuned)
        status = try_config(known, draft, generator, config, true, seconds);
    if (status == ANOLE_DONE && known->kernel == ANOLE_NONE)
        status = try_config(known, draft, generator, otherwise, false, NAN);
    if (status == ANOLE_DONE && known->kernel != ANOLE_NONE && draft->options->others)
        status = generate_others(known, draft, generator);
    anole_generator_destroy(generator);
    return status;
}

/* The same, once for each task; (*found)->kernel ANOLE_NONE: there is none. */
static enum anole_status find_task_kernel(const struct known_task **found, struct draft *draft,
                                          const struct anole_task *task)
{
    char key[ANOLE_TASK_KEY];
    struct known_task *known = NULL;
    anole_task_key(key, task);
    for (size_t i = 0; i < draft->task_count && !known; i++)
        if (strcmp(draft->tasks[i].key, key) == 0)
            known = &draft->tasks[i];
    if (!known) {
        known = &draft->tasks[draft->task_count++];
        strcpy(known->key, key);
        enum anole_status status = generate_task(known, draft, task);
        if (status) {
            anole_error_prefix(draft->error, "task '%s'", key);
            return status;
        }
    }
    if (known->problem.failed)
        return anole_fail_memory(draft->error);
    if (known->problem.length)
        anole_text_printf(&draft->problem, "%s%s", draft->problem.length ? "; " : "",
                          known->problem.data);
    *found = known;
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------- steps */

static enum anole_status add_step(struct anole_step **step, struct draft *draft, size_t node,
                                  enum anole_step_kind kind, size_t kernel, size_t place_count)
{
    struct anole_program *program = draft->program;
    struct anole_step *larger = realloc(program->steps, (program->step_count + 1) * sizeof *larger);
    if (!larger)
        return anole_fail_memory(draft->error);
    program->steps = larger;
    *step = &larger[program->step_count];
    **step = (struct anole_step){.node = node, .kind = kind, .kernel = kernel};
    (*step)->places = calloc(place_count + 1, sizeof *(*step)->places);
    program->step_count++;
    if (!(*step)->places || draft->problem.failed)
        return anole_fail_memory(draft->error);
    if (draft->problem.length) {
        (*step)->problem = strdup(draft->problem.data);
        if (!(*step)->problem)
            return anole_fail_memory(draft->error);
    }
    (*step)->place_count = place_count;
    for (size_t i = 0; i < place_count; i++)
        (*step)->places[i].buffer = ANOLE_NONE;
    return ANOLE_DONE;
}

/* The tensors of the roles of a task; ANOLE_NONE where one is absent. */
static void role_tensors(size_t tensors[ANOLE_ROLE_COUNT], const struct anole_node *node,
                         const struct anole_task *task)
{
    for (int i = 0; i < ANOLE_ROLE_COUNT; i++)
        tensors[i] = ANOLE_NONE;
    tensors[ANOLE_ROLE_INPUT] = node->inputs[0];
    if (node->input_count > 1)
        tensors[ANOLE_ROLE_WEIGHTS] = node->inputs[1];
    if (node->input_count > 2 && task->flags & ANOLE_TASK_BIAS)
        tensors[ANOLE_ROLE_BIAS] = node->inputs[2];
    if (task->flags & ANOLE_TASK_RESIDUAL)
        tensors[ANOLE_ROLE_RESIDUAL] = node->residual;
    tensors[ANOLE_ROLE_OUTPUT] = node->outputs[0];
}

/* Whether the tensors are as the task has them: a kernel goes by the task. */
static bool fits(const struct draft *draft, const size_t tensors[ANOLE_ROLE_COUNT],
                 const struct anole_task *task)
{
    const size_t elements[] = {
        [ANOLE_ROLE_INPUT] = anole_task_input_elements(task),
        [ANOLE_ROLE_WEIGHTS] = anole_task_weight_elements(task),
        [ANOLE_ROLE_BIAS] = anole_task_bias_elements(task),
        [ANOLE_ROLE_RESIDUAL] = anole_task_residual_elements(task),
        [ANOLE_ROLE_OUTPUT] = anole_task_output_elements(task),
    };
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
        size_t bytes =
            tensors[i] == ANOLE_NONE ? 0 : anole_program_tensor_bytes(draft->graph, tensors[i]);
        if (bytes != elements[i] * anole_task_element_bytes(task))
            return false;
    }
    return true;
}

/* Whether the weights that a kernel wants packed can be, ahead of time. */
static bool can_pack(const struct draft *draft, size_t kernel, size_t weights)
{
    return draft->program->kernels[kernel].generated->kernel.packed_weights == 0 ||
           (weights != ANOLE_NONE && is_constant(draft, weights));
}

/* The places of what is the kernel's own: weights as it packs them, if it does, and the bytes of
 * its workspace. */
static enum anole_status place_weights(struct anole_place places[ANOLE_ROLE_COUNT],
                                       struct draft *draft, size_t kernel, size_t weights)
{
    const struct anole_kernel *own = &draft->program->kernels[kernel].generated->kernel;
    places[ANOLE_ROLE_WORKSPACE].bytes = own->workspace;
    if (own->packed_weights == 0)
        return ANOLE_DONE;
    return place_constant(&places[ANOLE_ROLE_WEIGHTS], draft, weights, kernel, own->packed_weights);
}

static enum anole_status add_others(struct anole_step *step, struct draft *draft,
                                    const struct known_task *known, size_t weights)
{
    enum anole_status status = ANOLE_DONE;
    if (known->other_count == 0)
        return ANOLE_DONE;
    step->others = calloc(known->other_count, sizeof *step->others);
    if (!step->others)
        return anole_fail_memory(draft->error);
    for (size_t i = 0; i < known->other_count && status == ANOLE_DONE; i++) {
        struct anole_step_other *other = &step->others[step->other_count];
        if (!can_pack(draft, known->others[i], weights))
            continue;
        other->kernel = known->others[i];
        for (size_t p = 0; p < ANOLE_ROLE_COUNT; p++)
            other->places[p].buffer = ANOLE_NONE;
        step->other_count++;
        status = place_weights(other->places, draft, other->kernel, weights);
    }
    return status;
}

/* Adds the step of a node that is this task; *done false: the backend has no kernel. */
static enum anole_status add_kernel_step(bool *done, struct draft *draft, size_t index,
                                         const struct anole_task *task)
{
    const struct anole_node *node = &draft->graph->nodes[index];
    const struct known_task *known;
    size_t tensors[ANOLE_ROLE_COUNT];
    role_tensors(tensors, node, task);
    if (!fits(draft, tensors, task))
        return ANOLE_DONE;
    enum anole_status status = find_task_kernel(&known, draft, task);
    if (status || known->kernel == ANOLE_NONE)
        return status;
    const size_t weights = tensors[ANOLE_ROLE_WEIGHTS];
    if (!can_pack(draft, known->kernel, weights))
        return ANOLE_DONE;
    struct anole_step *step;
    status = add_step(&step, draft, index,
                      draft->program->kernels[known->kernel].tuned ? ANOLE_STEP_TUNED
                                                                   : ANOLE_STEP_DEFAULT,
                      known->kernel, ANOLE_ROLE_COUNT);
    if (status == ANOLE_DONE)
        status = place_weights(step->places, draft, known->kernel, weights);
    if (status == ANOLE_DONE)
        status = add_others(step, draft, known, weights);
    *done = true;
    return status;
}

static enum anole_status make_plain(void *context, struct anole_kernel_builder *builder,
                                    struct anole_error *error)
{
    const struct anole_call *call = context;
    return call->op->kernel(call, builder, error);
}

/* The operator's plain kernel for the types of a node; ERR_INPUT: there is none. */
static enum anole_status generate_plain(struct anole_generated **generated, struct draft *draft,
                                        const struct anole_node *node, struct anole_error *error)
{
    const struct anole_program *program = draft->program;
    struct anole_operand outputs[ANOLE_MAX_OPERANDS];
    struct anole_call call;
    size_t count = node->input_count + node->output_count;
    uint64_t *bytes = calloc(count + 1, sizeof *bytes);
    if (!bytes)
        return anole_fail_memory(error);
    for (size_t i = 0; i < count; i++) {
        size_t tensor =
            i < node->input_count ? node->inputs[i] : node->outputs[i - node->input_count];
        if (tensor != ANOLE_NONE)
            bytes[i] = anole_program_tensor_bytes(draft->graph, tensor);
    }
    anole_graph_call(&call, draft->graph, node, draft->operands, outputs);
    const struct anole_plain plain = {.name = node->op->name,
                                      .dtype = outputs[0].dtype,
                                      .tensor_count = (uint32_t)count,
                                      .input_count = (uint32_t)node->input_count,
                                      .tensor_bytes = bytes,
                                      .make = make_plain,
                                      .context = &call};
    enum anole_status status =
        anole_backend_generate_plain(generated, program->backend, &program->device, &plain, error);
    free(bytes);
    return status;
}

/* A plain kernel that was made, or not (`status`, and why), and may have failed before; *usable
 * false: destroyed. */
static enum anole_status judge_plain(bool *usable, struct draft *draft, enum anole_status status,
                                     struct anole_generated **generated, const char *which,
                                     const struct anole_error *why)
{
    const char *failed = NULL;
    *usable = false;
    if (status == ANOLE_DONE)
        failed = anole_kernel_failures_find(draft->options->failures, *generated);
    if (status == ANOLE_ERR_INPUT) {
        anole_log_debug("%s", why->text);
        return ANOLE_DONE;
    }
    if (status)
        return anole_fail(draft->error, status, "%s", why->text);
    *usable = !failed;
    if (failed) {
        note(&draft->problem, which, failed);
        anole_generated_destroy(*generated);
        *generated = NULL;
    }
    return ANOLE_DONE;
}

/* What adds the residual and applies the activation; *usable false: there is none. */
static enum anole_status generate_epilogue(struct anole_generated **generated, bool *usable,
                                           struct draft *draft, const struct anole_node *node)
{
    struct anole_error why = {.status = ANOLE_DONE};
    enum anole_status status = anole_epilogue_generate(
        generated, draft->graph, node, draft->program->backend, &draft->program->device, &why);
    return judge_plain(usable, draft, status, generated, "the kernel of its activation", &why);
}

/* Takes over `generated`, also on failure. */
static enum anole_status add_epilogue_step(struct draft *draft, size_t index,
                                           struct anole_generated *generated)
{
    size_t kernel;
    struct anole_step *step;
    enum anole_status status = add_plain(&kernel, draft, generated);
    if (status == ANOLE_DONE)
        status = add_step(&step, draft, index, ANOLE_STEP_BUILT_IN, kernel, 2);
    if (status == ANOLE_DONE)
        step->epilogue = true;
    return status;
}

/* Adds the step of a node that is a task; *done false: the backend has no kernel.  Where it has
 * none that does what is fused into the node, an epilogue does that. */
static enum anole_status add_task_steps(bool *done, struct draft *draft, size_t index)
{
    const struct anole_node *node = &draft->graph->nodes[index];
    const struct anole_program *program = draft->program;
    struct anole_generated *epilogue = NULL;
    struct anole_task task;
    bool usable;
    if (draft->options->no_generator || !anole_graph_task(&task, draft->graph, index))
        return ANOLE_DONE;
    task.out_pitch = draft->parts[node->outputs[0]].pitch;
    if (task.out_pitch || !anole_epilogue_wanted(node) ||
        anole_backend_supports(program->backend, &program->device, &task))
        return add_kernel_step(done, draft, index, &task);
    anole_task_strip(&task);
    if (draft->options->no_built_in ||
        !anole_backend_supports(program->backend, &program->device, &task))
        return ANOLE_DONE;
    enum anole_status status = generate_epilogue(&epilogue, &usable, draft, node);
    if (status || !usable)
        return status;
    status = add_kernel_step(done, draft, index, &task);
    if (status == ANOLE_DONE && *done)
        return add_epilogue_step(draft, index, epilogue);
    anole_generated_destroy(epilogue);
    return status;
}

/* Adds the steps of a node's plain kernel; *done false: there is none. */
static enum anole_status add_plain_steps(bool *done, struct draft *draft, size_t index)
{
    const struct anole_node *node = &draft->graph->nodes[index];
    struct anole_generated *generated = NULL, *epilogue = NULL;
    struct anole_error why = {.status = ANOLE_DONE};
    bool usable;
    if (draft->options->no_built_in || !node->op->kernel || node->op->flags & ANOLE_OP_HOST)
        return ANOLE_DONE;
    enum anole_status status = generate_plain(&generated, draft, node, &why);
    status = judge_plain(&usable, draft, status, &generated, "its plain kernel", &why);
    if (status == ANOLE_DONE && usable && anole_epilogue_wanted(node))
        status = generate_epilogue(&epilogue, &usable, draft, node);
    if (status || !usable) {
        anole_generated_destroy(generated);
        return status;
    }
    size_t kernel;
    struct anole_step *step;
    status = add_plain(&kernel, draft, generated);
    if (status == ANOLE_DONE)
        status = add_step(&step, draft, index, ANOLE_STEP_BUILT_IN, kernel,
                          node->input_count + node->output_count);
    *done = true;
    if (status == ANOLE_DONE && epilogue)
        return add_epilogue_step(draft, index, epilogue);
    anole_generated_destroy(epilogue);
    return status;
}

/* Steps whose sizes are not known ahead of time are the host's. */
static bool is_data_sized(const struct draft *draft, const struct anole_node *node)
{
    for (size_t i = 0; i < node->output_count; i++)
        if (node->outputs[i] != ANOLE_NONE && draft->program->data_sized[node->outputs[i]])
            return true;
    return false;
}

static enum anole_status add_host_step(struct draft *draft, size_t index, bool data_sized)
{
    const struct anole_node *node = &draft->graph->nodes[index];
    struct anole_step *step;
    enum anole_status status = add_step(&step, draft, index, ANOLE_STEP_HOST, ANOLE_NONE,
                                        node->input_count + node->output_count);
    if (status == ANOLE_DONE)
        step->data_sized = data_sized;
    return status;
}

/* ----------------------------------------------------------- concatenations */

/* Whether a node concatenates channels, which are the last dimension. */
static bool joins_channels(const struct draft *draft, const struct anole_node *node)
{
    const struct anole_op_key *key = anole_op_key_find(node->op, "axis");
    if (strcmp(node->op->name, "concat") != 0 || !key || node->outputs[0] == ANOLE_NONE ||
        node->activation != ANOLE_ACT_NONE || node->residual != ANOLE_NONE)
        return false;
    const struct anole_operand *type = &draft->graph->tensors[node->outputs[0]].type;
    int64_t axis;
    memcpy(&axis, (const char *)node->attributes + key->offset, sizeof axis);
    return type->dtype == ANOLE_F32 && type->rank > 1 &&
           (axis == -1 || axis == (int64_t)type->rank - 1) &&
           type->dims[type->rank - 1] <= UINT32_MAX / 4 &&
           !draft->program->data_sized[node->outputs[0]];
}

/* Whether the kernel that makes a tensor can store it with a pitch. */
static enum anole_status can_be_part(bool *can, struct draft *draft, size_t tensor, uint32_t pitch)
{
    const struct anole_graph *graph = draft->graph;
    size_t producer = graph->tensors[tensor].producer;
    const struct known_task *known;
    struct anole_task task;
    *can = false;
    if (producer == ANOLE_NONE || is_constant(draft, tensor) ||
        !anole_graph_task(&task, graph, producer))
        return ANOLE_DONE;
    task.out_pitch = pitch;
    if (anole_task_check(&task, NULL) != ANOLE_DONE ||
        !anole_backend_supports(draft->program->backend, &draft->program->device, &task) ||
        draft->readers[tensor] != 1)
        return ANOLE_DONE;
    enum anole_status status = find_task_kernel(&known, draft, &task);
    anole_text_clear(&draft->problem);
    *can = status == ANOLE_DONE && known->kernel != ANOLE_NONE;
    return status;
}

/* Where kernels can store all that a node concatenates at its place, nothing is left to do. */
static enum anole_status join(struct draft *draft, const struct anole_node *node)
{
    const struct anole_graph *graph = draft->graph;
    const struct anole_operand *whole = &graph->tensors[node->outputs[0]].type;
    const uint32_t pitch = (uint32_t)whole->dims[whole->rank - 1];
    size_t offset = 0;
    for (size_t i = 0; i < node->input_count; i++) {
        const struct anole_operand *type = &graph->tensors[node->inputs[i]].type;
        bool can;
        enum anole_status status = can_be_part(&can, draft, node->inputs[i], pitch);
        if (status || !can || offset % PART_ALIGNMENT != 0)
            return status;
        offset += (size_t)type->dims[type->rank - 1] * sizeof(float);
    }
    offset = 0;
    for (size_t i = 0; i < node->input_count; i++) {
        const struct anole_operand *type = &graph->tensors[node->inputs[i]].type;
        draft->parts[node->inputs[i]] =
            (struct part){.whole = node->outputs[0], .offset = offset, .pitch = pitch};
        offset += (size_t)type->dims[type->rank - 1] * sizeof(float);
    }
    return ANOLE_DONE;
}

/* How often each tensor is read; an output of the graph is read once more. */
static void count_readers(struct draft *draft)
{
    const struct anole_graph *graph = draft->graph;
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct anole_node *node = &graph->nodes[i];
        for (size_t j = 0; j < node->input_count; j++)
            if (node->inputs[j] != ANOLE_NONE)
                draft->readers[node->inputs[j]]++;
        if (node->residual != ANOLE_NONE)
            draft->readers[node->residual]++;
    }
    for (size_t i = 0; i < graph->output_count; i++)
        draft->readers[graph->outputs[i]]++;
}

static enum anole_status join_all(struct draft *draft)
{
    enum anole_status status = ANOLE_DONE;
    if (draft->options->no_generator)
        return ANOLE_DONE;
    count_readers(draft);
    for (size_t i = 0; i < draft->graph->node_count && status == ANOLE_DONE; i++)
        if (joins_channels(draft, &draft->graph->nodes[i]))
            status = join(draft, &draft->graph->nodes[i]);
    return status;
}

static bool is_joined(const struct draft *draft, const struct anole_node *node)
{
    return node->input_count > 0 && node->inputs[0] != ANOLE_NONE && node->output_count == 1 &&
           node->outputs[0] != ANOLE_NONE && strcmp(node->op->name, "concat") == 0 &&
           draft->parts[node->inputs[0]].whole == node->outputs[0];
}

static enum anole_status add_steps(struct draft *draft)
{
    for (size_t i = 0; i < draft->graph->node_count; i++) {
        const struct anole_node *node = &draft->graph->nodes[i];
        const bool data_sized = is_data_sized(draft, node);
        bool done = is_view(draft, node) || is_empty(draft->graph, node) || is_joined(draft, node);
        enum anole_status status = ANOLE_DONE;
        anole_text_clear(&draft->problem);
        if (!done && !data_sized)
            status = add_task_steps(&done, draft, i);
        if (status == ANOLE_DONE && !done && !data_sized)
            status = add_plain_steps(&done, draft, i);
        if (status == ANOLE_DONE && !done)
            status = add_host_step(draft, i, data_sized);
        if (status)
            return status;
    }
    return ANOLE_DONE;
}

/* --------------------------------------------------------- who uses what when */

/* Tensor i of a step, in the order of its places; ANOLE_NONE: absent or not a tensor. */
static size_t step_tensor(const struct anole_graph *graph, const struct anole_step *step,
                          const struct anole_program *program, size_t i)
{
    const struct anole_node *node = &graph->nodes[step->node];
    size_t tensors[ANOLE_ROLE_COUNT];
    if (step->epilogue)
        return i == 0 ? node->residual : node->outputs[0];
    if (step->kind == ANOLE_STEP_TUNED || step->kind == ANOLE_STEP_DEFAULT) {
        role_tensors(tensors, node, program->kernels[step->kernel].generated->kernel.task);
        return tensors[i];
    }
    return i < node->input_count ? node->inputs[i] : node->outputs[i - node->input_count];
}

/* What a step makes into whose memory: the first output of an elementwise operator may take
 * the place of an input that nobody reads afterwards. */
static void take_place(struct draft *draft, size_t at, const bool *kept)
{
    const struct anole_step *step = &draft->program->steps[at];
    const struct anole_node *node = &draft->graph->nodes[step->node];
    if (step->kind != ANOLE_STEP_BUILT_IN || step->epilogue ||
        !(node->op->flags & ANOLE_OP_ELEMENTWISE) || node->outputs[0] == ANOLE_NONE)
        return;
    size_t output = node->outputs[0];
    for (size_t i = 0; i < node->input_count; i++) {
        size_t input = node->inputs[i];
        if (input == ANOLE_NONE || is_constant(draft, input))
            continue;
        size_t owner = draft->owner[input];
        if (kept[owner] || draft->last[owner] != at || owner == node->residual ||
            anole_program_tensor_bytes(draft->graph, input) !=
                anole_program_tensor_bytes(draft->graph, owner) ||
            anole_program_tensor_bytes(draft->graph, input) !=
                anole_program_tensor_bytes(draft->graph, output))
            continue;
        /* Views of the output have it for their owner, as yet. */
        for (size_t t = 0; t < draft->graph->tensor_count; t++)
            if (draft->owner[t] == output)
                draft->owner[t] = owner;
        draft->last[owner] = draft->last[output];
        return;
    }
}

/* The steps of a node come one behind the other. */
static void find_uses(struct draft *draft)
{
    const struct anole_graph *graph = draft->graph;
    const struct anole_program *program = draft->program;
    for (size_t t = 0; t < graph->tensor_count; t++)
        draft->owner[t] = t;
    for (size_t i = 0; i < graph->node_count; i++)
        if (is_view(draft, &graph->nodes[i]))
            draft->owner[graph->nodes[i].outputs[0]] = draft->owner[graph->nodes[i].inputs[0]];
    for (size_t t = 0; t < graph->tensor_count; t++)
        if (draft->parts[t].whole != ANOLE_NONE)
            draft->owner[t] = draft->parts[t].whole;
    for (size_t s = 0; s < program->step_count; s++) {
        const struct anole_node *node = &graph->nodes[program->steps[s].node];
        for (size_t i = 0; i < node->input_count; i++)
            if (node->inputs[i] != ANOLE_NONE && draft->last[draft->owner[node->inputs[i]]] < s)
                draft->last[draft->owner[node->inputs[i]]] = s;
        for (size_t i = 0; i < node->output_count; i++)
            if (node->outputs[i] != ANOLE_NONE && draft->last[draft->owner[node->outputs[i]]] < s)
                draft->last[draft->owner[node->outputs[i]]] = s;
        if (node->residual != ANOLE_NONE && draft->last[draft->owner[node->residual]] < s)
            draft->last[draft->owner[node->residual]] = s;
    }
    /* Inputs stay, so that a network can be run again on them. */
    for (size_t i = 0; i < graph->input_count; i++)
        draft->last[draft->owner[graph->inputs[i]]] = SIZE_MAX;
    for (size_t i = 0; i < graph->output_count; i++)
        draft->last[draft->owner[graph->outputs[i]]] = SIZE_MAX;
}

static enum anole_status share_places(struct draft *draft)
{
    const struct anole_graph *graph = draft->graph;
    bool *kept = calloc(graph->tensor_count + 1, sizeof *kept);
    if (!kept)
        return anole_fail_memory(draft->error);
    for (size_t i = 0; i < graph->input_count; i++)
        kept[draft->owner[graph->inputs[i]]] = true;
    for (size_t s = 0; s < draft->program->step_count; s++)
        take_place(draft, s, kept);
    free(kept);
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------- memory */

/* Of all kernels that a step can run with. */
static size_t most_workspace(const struct anole_program *program, const struct anole_step *step)
{
    size_t most = program->kernels[step->kernel].generated->kernel.workspace;
    for (size_t i = 0; i < step->other_count; i++) {
        size_t bytes = program->kernels[step->others[i].kernel].generated->kernel.workspace;
        most = bytes > most ? bytes : most;
    }
    return most;
}

/* Lifetimes: one for each tensor of the graph, then one for each step's workspace. */
static void list_lifetimes(struct anole_lifetime *items, const struct draft *draft)
{
    const struct anole_graph *graph = draft->graph;
    const struct anole_program *program = draft->program;
    for (size_t i = 0; i < graph->input_count; i++)
        items[graph->inputs[i]] = (struct anole_lifetime){
            .bytes = anole_program_tensor_bytes(graph, graph->inputs[i]), .last = SIZE_MAX / 2};
    for (size_t s = 0; s < program->step_count; s++) {
        const struct anole_step *step = &program->steps[s];
        const struct anole_node *node = &graph->nodes[step->node];
        for (size_t i = 0; i < node->output_count && !step->epilogue; i++) {
            size_t tensor = node->outputs[i];
            if (tensor == ANOLE_NONE)
                continue;
            /* A whole is there from its first part on. */
            size_t whole = draft->parts[tensor].whole;
            size_t owner = whole == ANOLE_NONE ? tensor : whole;
            if (draft->owner[tensor] != owner || items[owner].bytes > 0)
                continue;
            size_t last = draft->last[owner] == SIZE_MAX ? SIZE_MAX / 2 : draft->last[owner];
            items[owner] = (struct anole_lifetime){
                .bytes = anole_program_tensor_bytes(graph, owner), .first = s, .last = last};
        }
        if (step->kernel != ANOLE_NONE)
            items[graph->tensor_count + s] = (struct anole_lifetime){
                .bytes = most_workspace(program, step), .first = s, .last = s};
    }
}

/* From the first element of a part to its last. */
static size_t part_bytes(const struct draft *draft, size_t tensor)
{
    const struct anole_operand *type = &draft->graph->tensors[tensor].type;
    size_t channels = (size_t)type->dims[type->rank - 1];
    size_t pixels = anole_operand_elements(type) / channels;
    return ((pixels - 1) * draft->parts[tensor].pitch + channels) * sizeof(float);
}

/* The place of a tensor where a step reads or writes it. */
static enum anole_status tensor_place(struct anole_place *place, struct draft *draft, size_t tensor)
{
    size_t owner = draft->owner[tensor];
    size_t bytes = anole_program_tensor_bytes(draft->graph, tensor);
    if (bytes == 0)
        return ANOLE_DONE;
    if (is_constant(draft, owner))
        return place_constant(place, draft, owner, ANOLE_NONE, bytes);
    *place = draft->program->tensors[owner];
    place->bytes = bytes;
    if (draft->parts[tensor].whole != ANOLE_NONE) {
        place->offset += draft->parts[tensor].offset;
        place->bytes = part_bytes(draft, tensor);
    }
    return ANOLE_DONE;
}

/* Whether a kernel has an argument for place i: what it does not read need not be on the device. */
static bool is_bound(const struct anole_program *program, size_t used, size_t i)
{
    const struct anole_kernel *kernel = &program->kernels[used].generated->kernel;
    if (kernel->launch_count == 0)
        return true; /* a library is behind it, and reads what it likes */
    for (uint32_t l = 0; l < kernel->launch_count; l++)
        for (uint32_t a = 0; a < kernel->launches[l].arg_count; a++) {
            const struct anole_arg *arg = &kernel->launches[l].args[a];
            if (arg->role == ANOLE_ROLE_TENSOR ? (uint64_t)arg->value == i : arg->role == i)
                return true;
        }
    return false;
}

/* The places of a step as one of its kernels has them (ANOLE_NONE: the host), where they are not
 * there yet. */
static enum anole_status place_kernel(struct anole_place *places, struct draft *draft,
                                      const struct anole_step *step, size_t kernel,
                                      size_t workspace_offset)
{
    struct anole_program *program = draft->program;
    enum anole_status status = ANOLE_DONE;
    bool generated = step->kind == ANOLE_STEP_TUNED || step->kind == ANOLE_STEP_DEFAULT;
    for (size_t i = 0; i < step->place_count && status == ANOLE_DONE; i++) {
        struct anole_place *place = &places[i];
        if (generated && i == ANOLE_ROLE_WORKSPACE && place->bytes > 0)
            *place = (struct anole_place){.offset = workspace_offset, .bytes = place->bytes};
        size_t tensor = step_tensor(draft->graph, step, program, i);
        if (tensor == ANOLE_NONE || place->buffer != ANOLE_NONE)
            continue;
        if (kernel == ANOLE_NONE && is_constant(draft, draft->owner[tensor]))
            continue; /* the host has it */
        if (kernel == ANOLE_NONE || is_bound(program, kernel, i))
            status = tensor_place(place, draft, tensor);
    }
    return status;
}

static enum anole_status place_step(struct draft *draft, const struct anole_lifetime *items,
                                    size_t s)
{
    struct anole_step *step = &draft->program->steps[s];
    const size_t workspace = items[draft->graph->tensor_count + s].offset;
    enum anole_status status = place_kernel(step->places, draft, step, step->kernel, workspace);
    for (size_t i = 0; i < step->other_count && status == ANOLE_DONE; i++)
        status =
            place_kernel(step->others[i].places, draft, step, step->others[i].kernel, workspace);
    return status;
}

static enum anole_status plan_memory(struct draft *draft)
{
    struct anole_program *program = draft->program;
    const struct anole_graph *graph = draft->graph;
    size_t count = graph->tensor_count + program->step_count, peak;
    struct anole_lifetime *items = calloc(count + 1, sizeof *items);
    if (!items)
        return anole_fail_memory(draft->error);
    list_lifetimes(items, draft);
    enum anole_status status =
        anole_memory_plan(items, count, ANOLE_PROGRAM_ALIGNMENT, &peak, draft->error);
    if (status == ANOLE_DONE) {
        uint64_t most = program->device.max_allocation;
        program->buffer_bytes[0] = peak;
        char needed[32], found[32];
        if (most > 0 && peak > most)
            status = anole_fail(draft->error, ANOLE_ERR_INPUT,
                                "the network's tensors need %s in one piece, but device '%s' "
                                "allocates %s at most; try a smaller batch",
                                anole_text_bytes(needed, sizeof needed, peak), program->device.name,
                                anole_text_bytes(found, sizeof found, most));
    }
    for (size_t t = 0; t < graph->tensor_count && status == ANOLE_DONE; t++)
        if (!is_constant(draft, draft->owner[t]) && anole_program_tensor_bytes(graph, t) > 0 &&
            items[draft->owner[t]].bytes > 0)
            program->tensors[t] =
                (struct anole_place){.offset = items[draft->owner[t]].offset,
                                     .bytes = anole_program_tensor_bytes(graph, t)};
    for (size_t s = 0; s < program->step_count && status == ANOLE_DONE; s++)
        status = place_step(draft, items, s);
    free(items);
    return status;
}

/* What a file asks for may be anything, and a system that lends memory it does not have ends
 * whoever uses it. */
static enum anole_status check_memory(const struct draft *draft)
{
    const struct anole_program *program = draft->program;
    const uint64_t most = program->device.global_memory;
    char needed[32], found[32];
    uint64_t bytes = 0;
    for (size_t i = 0; i < program->buffer_count; i++)
        if (__builtin_add_overflow(bytes, (uint64_t)program->buffer_bytes[i], &bytes))
            bytes = UINT64_MAX;
    anole_text_bytes(needed, sizeof needed, bytes);
    if (most > 0 && bytes > most)
        return anole_fail(
            draft->error, ANOLE_ERR_INPUT,
            "the network's tensors and weights need %s, but device '%s' has %s; try a "
            "smaller batch, or another device",
            needed, program->device.name, anole_text_bytes(found, sizeof found, most));
    const uint64_t available = anole_memory_available();
    if (program->device.flags & ANOLE_DEVICE_SHARES_HOST && bytes > available)
        return anole_fail(
            draft->error, ANOLE_ERR_INPUT,
            "the network's tensors and weights need %s, but %s of memory are available; "
            "try a smaller batch",
            needed, anole_text_bytes(found, sizeof found, available));
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------ create */

static enum anole_status make(struct draft *draft)
{
    struct anole_program *program = draft->program;
    const struct anole_graph *graph = draft->graph;
    size_t most_inputs = 0;
    for (size_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i].input_count > most_inputs)
            most_inputs = graph->nodes[i].input_count;
    draft->operands = calloc(most_inputs + 1, sizeof(struct anole_operand *));
    draft->tasks = calloc(2 * graph->node_count + 1, sizeof *draft->tasks);
    draft->owner = calloc(graph->tensor_count + 1, sizeof *draft->owner);
    draft->last = calloc(graph->tensor_count + 1, sizeof *draft->last);
    draft->parts = calloc(graph->tensor_count + 1, sizeof *draft->parts);
    draft->readers = calloc(graph->tensor_count + 1, sizeof *draft->readers);
    program->tensors = calloc(graph->tensor_count + 1, sizeof *program->tensors);
    program->data_sized = calloc(graph->tensor_count + 1, sizeof *program->data_sized);
    if (!draft->operands || !draft->tasks || !draft->owner || !draft->last || !draft->parts ||
        !draft->readers || !program->tensors || !program->data_sized)
        return anole_fail_memory(draft->error);
    anole_graph_find_data_sized(program->data_sized, graph);
    for (size_t t = 0; t < graph->tensor_count; t++) {
        program->tensors[t].buffer = ANOLE_NONE;
        draft->parts[t].whole = ANOLE_NONE;
    }
    enum anole_status status = new_buffer(draft, 0);
    if (status == ANOLE_DONE)
        status = join_all(draft);
    if (status == ANOLE_DONE)
        status = add_steps(draft);
    if (status == ANOLE_DONE) {
        find_uses(draft);
        status = share_places(draft);
    }
    if (status == ANOLE_DONE)
        status = plan_memory(draft);
    if (status == ANOLE_DONE)
        status = check_memory(draft);
    return status;
}

enum anole_status
anole_program_create(struct anole_program **program, const struct anole_graph *graph,
                     const struct anole_backend *backend, const struct anole_device *device,
                     const struct anole_program_options *options, struct anole_error *error)
{
    static const struct anole_program_options none = {.choose = NULL};
    if (device->flags & ANOLE_DEVICE_SIMULATED)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "device '%s' of backend %s is simulated: it has no data, so that a "
                          "network cannot be run on it; choose another device",
                          device->name, backend->plugin.name);
    struct anole_program *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    new->graph = graph;
    new->backend = backend;
    new->device = *device;
    struct draft draft = {
        .program = new, .graph = graph, .options = options ? options : &none, .error = error};
    new->failures = draft.options->failures;
    enum anole_status status = make(&draft);
    for (size_t i = 0; i < draft.task_count; i++)
        anole_text_fini(&draft.tasks[i].problem);
    anole_text_fini(&draft.problem);
    free(draft.operands);
    free(draft.tasks);
    free(draft.owner);
    free(draft.last);
    free(draft.parts);
    free(draft.readers);
    if (status) {
        anole_program_destroy(new);
        return status;
    }
    *program = new;
    return ANOLE_DONE;
}

void anole_program_destroy(struct anole_program *program)
{
    if (!program)
        return;
    for (size_t i = 0; i < program->step_count; i++) {
        free(program->steps[i].places);
        free(program->steps[i].problem);
        free(program->steps[i].others);
    }
    for (size_t i = 0; i < program->kernel_count; i++)
        anole_generated_destroy(program->kernels[i].generated);
    free(program->steps);
    free(program->kernels);
    free(program->constants);
    free(program->tensors);
    free(program->buffer_bytes);
    free(program->data_sized);
    free(program);
}

size_t anole_program_step_of(const struct anole_program *program, size_t kernel)
{
    for (size_t s = 0; s < program->step_count; s++) {
        const struct anole_step *step = &program->steps[s];
        bool used = step->kernel == kernel;
        for (size_t i = 0; i < step->other_count && !used; i++)
            used = step->others[i].kernel == kernel;
        if (used)
            return s;
    }
    return ANOLE_NONE;
}

enum anole_status anole_program_pack(const struct anole_program *program,
                                     const struct anole_program_constant *constant, void *out,
                                     struct anole_error *error)
{
    const struct anole_graph *graph = program->graph;
    struct anole_constant elements;
    enum anole_status status = anole_graph_open_constant(&elements, graph, constant->tensor, error);
    if (status)
        return status;
    if (constant->kernel == ANOLE_NONE) {
        memcpy(out, elements.data, constant->place.bytes);
    } else {
        const struct anole_kernel *kernel = &program->kernels[constant->kernel].generated->kernel;
        status = anole_backend_pack(program->backend, &program->device, kernel->task,
                                    kernel->values, kernel->value_count, elements.data,
                                    anole_program_tensor_bytes(graph, constant->tensor), out,
                                    constant->place.bytes, error);
    }
    anole_constant_close(&elements);
    return status;
}
