/* SPDX-License-Identifier: MIT */
#include "graph/workload.h"

#include "base/hash.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum anole_status anole_workload_create(struct anole_workload **workload, const char *name,
                                        const char *path, struct anole_error *error)
{
    struct anole_workload *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    new->name = strdup(name);
    new->path = strdup(path);
    new->dtype = ANOLE_F32;
    if (!new->name || !new->path) {
        anole_workload_destroy(new);
        return anole_fail_memory(error);
    }
    *workload = new;
    return ANOLE_DONE;
}

static void free_layers(struct anole_workload_task *task)
{
    for (uint32_t i = 0; i < task->multiplicity; i++)
        free(task->layers[i]);
    free(task->layers);
}

void anole_workload_destroy(struct anole_workload *workload)
{
    if (!workload)
        return;
    for (size_t i = 0; i < workload->task_count; i++)
        free_layers(&workload->tasks[i]);
    for (size_t i = 0; i < workload->shape_count; i++)
        free(workload->shapes[i]);
    for (size_t i = 0; i < workload->part_count; i++)
        anole_workload_destroy(workload->parts[i]);
    free(workload->parts);
    free(workload->shapes);
    free(workload->tasks);
    free(workload->name);
    free(workload->path);
    free(workload);
}

/* struct anole_task has no holes, and whoever makes one writes all of it. */
static bool same(const struct anole_task *a, const struct anole_task *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* One more layer of a task; room for names grows by powers of two. */
static enum anole_status count_layer(struct anole_workload_task *task, const char *layer,
                                     struct anole_error *error)
{
    uint32_t count = task->multiplicity;
    if ((count & (count - 1)) == 0) {
        char **larger = realloc(task->layers, (count ? 2 * (size_t)count : 1) * sizeof *larger);
        if (!larger)
            return anole_fail_memory(error);
        task->layers = larger;
    }
    task->layers[count] = strdup(layer);
    if (!task->layers[count])
        return anole_fail_memory(error);
    task->multiplicity++;
    return ANOLE_DONE;
}

static enum anole_status append(struct anole_workload *workload, const struct anole_task *task,
                                const char *layer, struct anole_error *error)
{
    if (workload->task_count == workload->task_room) {
        size_t room = workload->task_room ? 2 * workload->task_room : 16;
        void *larger = realloc(workload->tasks, room * sizeof *workload->tasks);
        if (!larger)
            return anole_fail_memory(error);
        workload->tasks = larger;
        workload->task_room = room;
    }
    struct anole_workload_task *new = &workload->tasks[workload->task_count];
    *new = (struct anole_workload_task){.task = *task};
    enum anole_status status = count_layer(new, layer, error);
    if (status == ANOLE_DONE)
        workload->task_count++;
    else
        free_layers(new);
    return status;
}

enum anole_status anole_workload_add(struct anole_workload *workload, size_t *index,
                                     const struct anole_task *task, const char *layer,
                                     struct anole_error *error)
{
    size_t at = 0;
    while (at < workload->task_count && !same(&workload->tasks[at].task, task))
        at++;
    enum anole_status status = at < workload->task_count
                                   ? count_layer(&workload->tasks[at], layer, error)
                                   : append(workload, task, layer, error);
    if (status == ANOLE_DONE && index)
        *index = at;
    return status;
}

/* ---------------------------------------------------------------- from a graph */

/* Open addressing over indices into workload->tasks, + 1; 0: free. */
struct table {
    size_t *slots;
    size_t mask;
};

static enum anole_status add(struct anole_workload *workload, const struct table *table,
                             const struct anole_task *task, const char *layer,
                             struct anole_error *error)
{
    size_t slot = (size_t)anole_hash_bytes(task, sizeof *task) & table->mask;
    while (table->slots[slot] && !same(&workload->tasks[table->slots[slot] - 1].task, task))
        slot = (slot + 1) & table->mask;
    if (table->slots[slot])
        return count_layer(&workload->tasks[table->slots[slot] - 1], layer, error);
    enum anole_status status = append(workload, task, layer, error);
    table->slots[slot] = workload->task_count;
    return status;
}

/* "conv2d, dense or depthwise_conv2d": what can be tuned. */
static void list_tunable(struct anole_text *text)
{
    const struct anole_op *op, *last = NULL;
    size_t count = 0;
    for (size_t i = 0; (op = anole_op_at(i)); i++) {
        if (!op->task)
            continue;
        if (last)
            anole_text_printf(text, "%s%s", count++ ? ", " : "", last->name);
        last = op;
    }
    if (last)
        anole_text_printf(text, "%s%s", count ? " or " : "", last->name);
}

static enum anole_status fail_empty(const struct anole_graph *graph, struct anole_error *error)
{
    struct anole_text kinds = {0};
    char file[256];
    list_tunable(&kinds);
    enum anole_status status =
        anole_fail(error, ANOLE_ERR_INPUT,
                   "%s: there is nothing to tune; expected at least one layer of kind %s",
                   anole_text_printable(file, sizeof file, graph->path),
                   kinds.data && !kinds.failed ? kinds.data : "conv2d");
    anole_text_fini(&kinds);
    return status;
}

static enum anole_status collect(struct anole_workload *workload, const struct table *table,
                                 const struct anole_graph *graph, struct anole_error *error)
{
    for (size_t i = 0; i < graph->node_count; i++) {
        struct anole_error why = {.status = ANOLE_DONE};
        struct anole_task task;
        if (!anole_graph_task(&task, graph, i))
            continue;
        enum anole_status status = anole_task_check(&task, &why);
        if (status == ANOLE_ERR_INPUT)
            return anole_graph_fail(graph, &graph->nodes[i], error, "%s", why.text);
        if (status)
            return anole_fail(error, status, "%s", why.text);
        if (workload->task_count == 0)
            workload->dtype = task.dtype;
        status = add(workload, table, &task, graph->nodes[i].name, error);
        if (status)
            return status;
    }
    return workload->task_count ? ANOLE_DONE : fail_empty(graph, error);
}

enum anole_status anole_workload_of_graph(struct anole_workload **workload,
                                          const struct anole_graph *graph,
                                          struct anole_error *error)
{
    struct anole_workload *new;
    enum anole_status status = anole_workload_create(&new, graph->name, graph->path, error);
    size_t size = 2;
    if (status)
        return status;
    while (size < 2 * graph->node_count)
        size *= 2;
    struct table table = {.slots = calloc(size, sizeof *table.slots), .mask = size - 1};
    new->layer_count = graph->layer_count;
    status = table.slots ? collect(new, &table, graph, error) : anole_fail_memory(error);
    free(table.slots);
    if (status)
        anole_workload_destroy(new);
    else
        *workload = new;
    return status;
}

/* --------------------------------------------------------------- several sizes */

uint32_t anole_workload_count(const struct anole_workload *workload, const struct anole_task *task)
{
    for (size_t i = 0; i < workload->task_count; i++)
        if (same(&workload->tasks[i].task, task))
            return workload->tasks[i].multiplicity;
    return 0;
}

static bool same_tasks(const struct anole_workload *a, const struct anole_workload *b)
{
    bool equal = a->task_count == b->task_count;
    for (size_t i = 0; i < a->task_count && equal; i++)
        equal = same(&a->tasks[i].task, &b->tasks[i].task);
    return equal;
}

/* "batch 4, x=4x3x32x32" */
static const char *describe_sizes(char *out, size_t size, const struct anole_workload *workload)
{
    size_t used = (size_t)snprintf(out, size, "batch %u", workload->batch ? workload->batch : 1);
    for (size_t i = 0; i < workload->shape_count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, ", %s", workload->shapes[i]);
    return out;
}

static enum anole_status check_parts(const struct anole_workload *united, struct anole_error *error)
{
    char one[160], other[160], safe[2][320], file[256];
    for (size_t i = 0; i < united->part_count; i++)
        for (size_t j = 0; j < i; j++) {
            if (!same_tasks(united->parts[i], united->parts[j]))
                continue;
            describe_sizes(one, sizeof one, united->parts[j]);
            describe_sizes(other, sizeof other, united->parts[i]);
            return anole_fail(
                error, ANOLE_ERR_USAGE,
                "%s comes to the same layers in the sizes \"%s\" and \"%s\": expected "
                "sizes that the file leaves open, each once",
                anole_text_printable(file, sizeof file, united->path),
                anole_text_printable(safe[0], sizeof safe[0], one),
                anole_text_printable(safe[1], sizeof safe[1], other));
        }
    return ANOLE_DONE;
}

static enum anole_status add_part(struct anole_workload *united, const struct table *table,
                                  const struct anole_workload *part, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < part->task_count; i++)
        for (uint32_t l = 0; l < part->tasks[i].multiplicity && status == ANOLE_DONE; l++)
            status = add(united, table, &part->tasks[i].task, part->tasks[i].layers[l], error);
    return status;
}

static enum anole_status fill_united(struct anole_workload *united, struct anole_error *error)
{
    size_t tasks = 0, size = 2;
    enum anole_status status = check_parts(united, error);
    for (size_t i = 0; i < united->part_count; i++)
        tasks += united->parts[i]->task_count;
    while (size < 2 * tasks)
        size *= 2;
    struct table table = {.slots = calloc(size, sizeof *table.slots), .mask = size - 1};
    if (status == ANOLE_DONE && !table.slots)
        status = anole_fail_memory(error);
    united->dtype = united->parts[0]->dtype;
    united->layer_count = united->parts[0]->layer_count;
    for (size_t i = 0; i < united->part_count && status == ANOLE_DONE; i++)
        status = add_part(united, &table, united->parts[i], error);
    free(table.slots);
    return status;
}

enum anole_status anole_workload_unite(struct anole_workload **united,
                                       struct anole_workload *const *parts, size_t count,
                                       struct anole_error *error)
{
    struct anole_workload *new = NULL;
    struct anole_workload **own = calloc(count + 1, sizeof *own);
    enum anole_status status =
        own ? anole_workload_create(&new, parts[0]->name, parts[0]->path, error)
            : anole_fail_memory(error);
    if (status != ANOLE_DONE) {
        for (size_t i = 0; i < count; i++)
            anole_workload_destroy(parts[i]);
        free(own);
        return status;
    }
    memcpy(own, parts, count * sizeof *own);
    new->parts = own;
    new->part_count = count;
    status = fill_united(new, error);
    if (status != ANOLE_DONE)
        anole_workload_destroy(new);
    else
        *united = new;
    return status;
}

/* ------------------------------------------------------------------- the whole */

void anole_workload_set_precision(struct anole_workload *workload, uint32_t dtype)
{
    workload->dtype = dtype;
    for (size_t i = 0; i < workload->task_count; i++)
        workload->tasks[i].task.dtype = dtype;
    for (size_t i = 0; i < workload->part_count; i++)
        anole_workload_set_precision(workload->parts[i], dtype);
}

enum anole_status anole_workload_set_sizes(struct anole_workload *workload, uint32_t batch,
                                           const char *const *shapes, size_t count,
                                           struct anole_error *error)
{
    char **copies = calloc(count + 1, sizeof *copies);
    if (!copies)
        return anole_fail_memory(error);
    workload->batch = batch;
    workload->shapes = copies;
    for (; workload->shape_count < count; workload->shape_count++) {
        char *copy = strdup(shapes[workload->shape_count]);
        if (!copy)
            return anole_fail_memory(error);
        copies[workload->shape_count] = copy;
    }
    return ANOLE_DONE;
}

double anole_workload_flops(const struct anole_workload *workload)
{
    double sum = 0;
    for (size_t i = 0; i < workload->task_count; i++)
        sum += workload->tasks[i].multiplicity * anole_task_flops(&workload->tasks[i].task);
    return sum;
}

double anole_workload_parameters(const struct anole_workload *workload)
{
    double sum = 0;
    for (size_t i = 0; i < workload->task_count; i++) {
        const struct anole_task *task = &workload->tasks[i].task;
        sum += workload->tasks[i].multiplicity * (double)anole_task_parameter_elements(task);
    }
    return sum;
}
