/* SPDX-License-Identifier: MIT */
#include "cli/kernel_export.h"

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "plugin/scratch.h"
#include "program/manifest.h"
#include "program/tuned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A kernel, with the config that it was made of and what that took. */
static json_t *kernel_json(const struct anole_lock_task *entry, const char *file,
                           const struct anole_kernel *kernel)
{
    json_t *object = anole_manifest_kernel(kernel, file), *knobs = json_object();
    for (size_t i = 0; i < entry->knob_count && knobs; i++)
        if (json_object_set_new(knobs, entry->knobs[i].name,
                                json_integer((json_int_t)entry->knobs[i].value)) != 0) {
            json_decref(knobs);
            knobs = NULL;
        }
    const bool failed = json_object_set_new(object, "knobs", knobs) != 0 ||
                        json_object_set_new(object, "seconds", anole_json_real(entry->value)) != 0;
    if (failed) {
        json_decref(object);
        return NULL;
    }
    return object;
}

/* Which of the entries of the lock file each kernel of the program is. */
static size_t *match_kernels(const struct anole_program *program,
                             const struct anole_lock_device *locked)
{
    size_t *kernels = calloc(program->kernel_count + 1, sizeof *kernels);
    for (size_t k = 0; k < program->kernel_count && kernels; k++) {
        char key[ANOLE_TASK_KEY];
        kernels[k] = ANOLE_NONE;
        if (!program->kernels[k].tuned)
            continue;
        anole_task_key(key, program->kernels[k].generated->kernel.task);
        for (size_t i = 0; i < locked->task_count; i++)
            if (strcmp(key, locked->tasks[i].task) == 0)
                kernels[k] = i;
    }
    return kernels;
}

/* The network that was tuned, as far as it is where it was: without it, its graph is NULL.  Its
 * sizes are those that are given, or that it was tuned in, as far as the lock file has them. */
static enum anole_status load_network(struct anole_run_network *network,
                                      const struct anole_lockfile *lockfile,
                                      const struct anole_lock_device *locked,
                                      const struct anole_run_sizes *sizes,
                                      struct anole_error *error)
{
    const bool given = sizes->batch > 0 || sizes->shape_count > 0;
    const struct anole_run_sizes recorded = {.batch = locked->batch,
                                             .shapes = (const char *const *)locked->shapes,
                                             .shape_count = locked->shape_count};
    struct anole_error why = {.status = ANOLE_DONE};
    enum anole_status status =
        anole_run_network_load(network, lockfile->network_path, given ? sizes : &recorded, 1, &why);
    if (status == ANOLE_DONE)
        return status;
    if (given)
        return anole_fail(error, status, "%s", why.text);
    anole_log_info("kernels.json has the kernels alone, without the network: %s", why.text);
    return ANOLE_DONE;
}

/* The kernels of the network's steps. */
static enum anole_status
add_network(json_t *root, const struct anole_graph *graph, struct anole_lockfile *lockfile,
            const struct anole_lock_device *locked, const struct anole_registry_entry *backend,
            const struct anole_registry_device *device, struct anole_error *error)
{
    char path[] = "the lock file";
    struct anole_tuned_choice tuned = {
        .lockfile = lockfile, .path = path, .backend = backend, .device = device};
    const struct anole_program_options options = {.choose = anole_tuned_choose, .context = &tuned};
    struct anole_program *program = NULL;
    struct anole_error why = {.status = ANOLE_DONE};
    enum anole_status status = ANOLE_DONE;
    if (anole_program_create(&program, graph, backend->backend, &device->device, &options, &why)) {
        anole_log_info("kernels.json has the kernels alone, without the network: %s", why.text);
    } else {
        size_t *kernels = match_kernels(program, locked), matched = 0;
        for (size_t k = 0; kernels && k < program->kernel_count; k++)
            matched += kernels[k] != ANOLE_NONE;
        if (kernels && matched == 0)
            anole_log_warning("%s has no layer that was tuned: where an ONNX file leaves sizes "
                              "open, expected those that were tuned, by --batch or --shape",
                              lockfile->network_path);
        status = kernels ? anole_manifest_add_graph(root, program, kernels, error)
                         : anole_fail_memory(error);
        free(kernels);
    }
    anole_program_destroy(program);
    return status;
}

/* ------------------------------------------------------------------ files */

static enum anole_status write_in(const char *folder, const char *name, const char *text,
                                  size_t length, struct anole_error *error)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", folder, name) < 0)
        return anole_fail_memory(error);
    enum anole_status status = anole_file_replace(path, text, length, error);
    free(path);
    return status;
}

static enum anole_status export_task(json_t *list, const char *folder, size_t i,
                                     const struct anole_lockfile *lockfile,
                                     const struct anole_lock_task *entry,
                                     const struct anole_backend *backend,
                                     const struct anole_device *device, struct anole_error *error)
{
    struct anole_tuned_task tuned;
    struct anole_generated *generated = NULL;
    char name[ANOLE_MANIFEST_FILE];
    enum anole_status status =
        anole_tuned_task_init(&tuned, entry, lockfile, backend, device, error);
    if (status)
        return status;
    status = anole_generator_kernel(&generated, tuned.generator, tuned.config, error);
    if (status == ANOLE_DONE && generated->kernel.source_length == 0)
        status = anole_fail(error, ANOLE_ERR_INPUT,
                            "backend %s has no source of its kernels, which are in a library "
                            "behind it: there is nothing to write out",
                            backend->plugin.name);
    if (status == ANOLE_DONE) {
        const struct anole_kernel *kernel = &generated->kernel;
        anole_manifest_file_name(name, i + 1, kernel);
        status = write_in(folder, name, kernel->source, kernel->source_length, error);
        if (status == ANOLE_DONE &&
            json_array_append_new(list, kernel_json(entry, name, kernel)) != 0)
            status = anole_fail_memory(error);
    }
    anole_generated_destroy(generated);
    anole_tuned_task_fini(&tuned);
    return status;
}

static enum anole_status write_index(const char *folder, const struct anole_graph *graph,
                                     struct anole_lockfile *lockfile,
                                     const struct anole_lock_device *locked, json_t *list,
                                     const struct anole_registry_entry *backend,
                                     const struct anole_registry_device *device,
                                     struct anole_error *error)
{
    json_t *root = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:O}", "anole_kernels",
                             ANOLE_MANIFEST_VERSION, "network", lockfile->network, "device",
                             locked->device, "driver", locked->driver, "driver_version",
                             locked->driver_version, "backend", locked->backend, "precision",
                             anole_precision_text(locked->dtype), "kernels", list);
    if (!root)
        return anole_fail_memory(error);
    enum anole_status status =
        graph ? add_network(root, graph, lockfile, locked, backend, device, error) : ANOLE_DONE;
    char *text = status == ANOLE_DONE
                     ? anole_json_dump(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9))
                     : NULL;
    json_decref(root);
    if (status == ANOLE_DONE)
        status = text ? write_in(folder, "kernels.json", text, strlen(text), error)
                      : anole_fail_memory(error);
    free(text);
    return status;
}

static enum anole_status make_folder(const char *folder, struct anole_error *error)
{
    if (mkdir(folder, 0777) != 0)
        return anole_fail_errno(error, "cannot make the folder '%s' (it must not exist yet)",
                                folder);
    return ANOLE_DONE;
}

enum anole_status anole_kernels_export(const char *folder, struct anole_lockfile *lockfile,
                                       const struct anole_registry *registry,
                                       const struct anole_registry_device *device, uint32_t dtype,
                                       uint32_t threads, const struct anole_run_sizes *sizes,
                                       struct anole_error *error)
{
    const struct anole_lock_device *locked = NULL;
    const struct anole_registry_entry *backend = &registry->entries[device->backend];
    struct anole_run_network network = {.filled = 0};
    json_t *list = NULL;
    const struct anole_lock_device wanted = {.batch = (uint32_t)sizes->batch,
                                             .shapes = (char **)sizes->shapes,
                                             .shape_count = sizes->shape_count};
    enum anole_status status =
        anole_lockfile_find(&locked, lockfile, "the lock file", registry, device, dtype, threads,
                            sizes->batch > 0 || sizes->shape_count > 0 ? &wanted : NULL, error);
    if (status == ANOLE_DONE)
        status = load_network(&network, lockfile, locked, sizes, error);
    if (status == ANOLE_DONE)
        status = make_folder(folder, error);
    const bool made = status == ANOLE_DONE;
    if (status == ANOLE_DONE) {
        list = json_array();
        status = list ? ANOLE_DONE : anole_fail_memory(error);
    }
    for (size_t i = 0; status == ANOLE_DONE && i < locked->task_count; i++)
        status = export_task(list, folder, i, lockfile, &locked->tasks[i], backend->backend,
                             &device->device, error);
    if (status == ANOLE_DONE)
        status = write_index(folder, network.loaded.graph, lockfile, locked, list, backend, device,
                             error);
    json_decref(list);
    if (made && status != ANOLE_DONE) /* no half of it: the folder is ours */
        anole_scratch_remove(folder);
    anole_run_network_fini(&network);
    if (status == ANOLE_DONE)
        anole_log_info("wrote %zu kernels and kernels.json into %s", locked->task_count, folder);
    return status;
}
