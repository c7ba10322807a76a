/* SPDX-License-Identifier: MIT
 *
 * A workload: the distinct tasks that there are to tune, and how often each is used.  That is
 * what a network comes to, and what a kernel of the user's own is, too.
 */
#ifndef ANOLE_WORKLOAD_H
#define ANOLE_WORKLOAD_H

#include "graph/graph.h"
#include "op/task.h"

struct anole_workload_task {
    struct anole_task task;
    uint32_t multiplicity; /* layers that share it */
    char **layers;         /* their names, [multiplicity] */
};

struct anole_workload {
    char *name;
    char *path;                        /* of the file, as given */
    uint32_t dtype;                    /* enum anole_dtype: of all tasks */
    size_t layer_count;                /* of the file, tuned or not */
    struct anole_workload_task *tasks; /* in order of first use */
    size_t task_count, task_room;
    /* What was given where the file leaves sizes open; as struct anole_lock_device has it. */
    uint32_t batch;
    char **shapes;
    size_t shape_count;
    /* A literal: why these are not the tasks of a network that could be read from `path` again, and
     * run ("it was not read from a file"); NULL: they are. */
    const char *no_graph;
    /* Of a network in several sizes, what each comes to: `tasks` are those of all of them, with the
     * layers of each.  part_count 0: there is one size. */
    struct anole_workload **parts;
    size_t part_count;
};

enum anole_status anole_workload_create(struct anole_workload **workload, const char *name,
                                        const char *path, struct anole_error *error);
void anole_workload_destroy(struct anole_workload *workload);

/* Adds a task, which `layer` has first, unless it is there; counts it.  *index (may be NULL):
 * its place. */
enum anole_status anole_workload_add(struct anole_workload *workload, size_t *index,
                                     const struct anole_task *task, const char *layer,
                                     struct anole_error *error);

/* Remembers the sizes that were given.  `shapes` are copied. */
enum anole_status anole_workload_set_sizes(struct anole_workload *workload, uint32_t batch,
                                           const char *const *shapes, size_t count,
                                           struct anole_error *error);

/* What a fused graph comes to.  ERR_INPUT: nothing in it can be tuned. */
enum anole_status anole_workload_of_graph(struct anole_workload **workload,
                                          const struct anole_graph *graph,
                                          struct anole_error *error);

/* One workload of the same network in several sizes, which it takes over, also on failure; `parts`
 * itself stays the caller's.  ERR_USAGE: two of them come to the same tasks, so that these are no
 * sizes of it. */
enum anole_status anole_workload_unite(struct anole_workload **united,
                                       struct anole_workload *const *parts, size_t count,
                                       struct anole_error *error);

/* How many layers have a task; 0: it is none of these. */
uint32_t anole_workload_count(const struct anole_workload *workload, const struct anole_task *task);

/* Asks for all tasks in another precision than the file says: enum anole_dtype. */
void anole_workload_set_precision(struct anole_workload *workload, uint32_t dtype);

/* Of all layers together: operations (two a multiply-add), and elements of weights and
 * biases. */
double anole_workload_flops(const struct anole_workload *workload);
double anole_workload_parameters(const struct anole_workload *workload);

#endif
