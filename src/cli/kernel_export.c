/* SPDX-License-Identifier: MIT */
#include "cli/kernel_export.h"

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "op/roles.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ------------------------------------------------------------------- JSON */

static json_t *launch_json(const struct anole_launch *launch)
{
    json_t *global = json_array(), *local = json_array(), *args = json_array();
    for (uint32_t d = 0; d < launch->dimensions; d++) {
        json_array_append_new(global, json_integer((json_int_t)launch->global[d]));
        json_array_append_new(local, json_integer((json_int_t)launch->local[d]));
    }
    for (uint32_t i = 0; i < launch->arg_count; i++) {
        const struct anole_arg *arg = &launch->args[i];
        json_t *object = json_pack("{s:s, s:I}", "role", anole_role_name(arg->role), "value",
                                   (json_int_t)arg->value);
        if (arg->role == ANOLE_ROLE_VALUE)
            json_object_set_new(object, "bytes", json_integer(arg->bytes));
        json_array_append_new(args, object);
    }
    return json_pack("{s:s, s:o, s:o, s:o}", "kernel", launch->kernel, "global", global, "local",
                     local, "args", args);
}

/* Bytes of the weights as `anole pack` takes them, before they are packed. */
static json_int_t weights_bytes(const struct anole_task *task)
{
    return (json_int_t)(anole_task_weight_elements(task) * anole_task_element_bytes(task));
}

static json_t *kernel_json(const struct anole_lock_task *entry, const struct anole_task *task,
                           const char *file, const struct anole_kernel *kernel)
{
    json_t *launches = json_array(), *knobs = json_object();
    for (uint32_t i = 0; i < kernel->launch_count; i++)
        json_array_append_new(launches, launch_json(&kernel->launches[i]));
    for (size_t i = 0; i < entry->knob_count; i++)
        json_object_set_new(knobs, entry->knobs[i].name, json_integer(entry->knobs[i].value));
    return json_pack(
        "{s:s, s:s, s:s, s:o, s:I, s:I, s:I, s:o, s:o}", "task", entry->task, "file", file,
        "options", kernel->options, "launches", launches, "weights_bytes", weights_bytes(task),
        "packed_weights_bytes", (json_int_t)kernel->packed_weights, "workspace_bytes",
        (json_int_t)kernel->workspace, "knobs", knobs, "seconds", anole_json_real(entry->value));
}

/* ------------------------------------------------------------------ files */

/* "03_conv_3x3_1_64_64_56x56.cl" */
static void file_name(char *out, size_t size, size_t i, const struct anole_task *task)
{
    char label[64];
    anole_task_label(label, sizeof label, task);
    int n = snprintf(out, size, "%02zu_", i + 1);
    size_t used = (size_t)n;
    for (const char *p = label; *p && used + 4 < size; p++) {
        if (isalnum((unsigned char)*p))
            out[used++] = *p;
        else if (out[used - 1] != '_')
            out[used++] = '_';
    }
    snprintf(out + used, size - used, ".cl");
}

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
    char name[96];
    enum anole_status status =
        anole_tuned_task_init(&tuned, entry, lockfile, backend, device, error);
    if (status)
        return status;
    status = anole_generator_kernel(&generated, tuned.generator, tuned.config, error);
    if (status == ANOLE_DONE) {
        const struct anole_kernel *kernel = &generated->kernel;
        file_name(name, sizeof name, i, &tuned.task);
        status = write_in(folder, name, kernel->source, kernel->source_length, error);
        json_array_append_new(list, kernel_json(entry, &tuned.task, name, kernel));
    }
    anole_generated_destroy(generated);
    anole_tuned_task_fini(&tuned);
    return status;
}

static enum anole_status write_index(const char *folder, const struct anole_lockfile *lockfile,
                                     const struct anole_lock_device *locked, json_t *list,
                                     struct anole_error *error)
{
    json_t *root = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:O}", "network", lockfile->network,
                             "device", locked->device, "driver", locked->driver, "driver_version",
                             locked->driver_version, "backend", locked->backend, "precision",
                             anole_precision_text(locked->dtype), "kernels", list);
    char *text = root ? anole_json_dump(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(root);
    if (!text)
        return anole_fail_memory(error);
    enum anole_status status = write_in(folder, "kernels.json", text, strlen(text), error);
    free(text);
    return status;
}

enum anole_status anole_kernels_export(const char *folder, const struct anole_lockfile *lockfile,
                                       const struct anole_registry *registry,
                                       const struct anole_registry_device *device, uint32_t dtype,
                                       struct anole_error *error)
{
    const struct anole_lock_device *locked = NULL;
    enum anole_status status =
        anole_lockfile_find(&locked, lockfile, "the lock file", registry, device, dtype, error);
    if (status != ANOLE_DONE)
        return status;
    if (mkdir(folder, 0777) != 0)
        return anole_fail_errno(error, "cannot make the folder '%s' (it must not exist yet)",
                                folder);
    json_t *list = json_array();
    for (size_t i = 0; status == ANOLE_DONE && i < locked->task_count; i++)
        status = export_task(list, folder, i, lockfile, &locked->tasks[i],
                             registry->entries[device->backend].backend, &device->device, error);
    if (status == ANOLE_DONE)
        status = write_index(folder, lockfile, locked, list, error);
    json_decref(list);
    if (status == ANOLE_DONE)
        anole_log_info("wrote %zu kernels and kernels.json into %s", locked->task_count, folder);
    return status;
}
