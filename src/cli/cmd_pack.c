/* SPDX-License-Identifier: MIT
 *
 * anole pack: a layer's weights, laid out once and for all as its kernel reads them.
 */
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/lock_device.h"
#include "cli/pack_layer.h"
#include "program/tuned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_BYTES ((size_t)16 << 30) /* of a file of weights */

struct arguments {
    const char *file, *task, *output;
    struct anole_lock_wish wish;
    const char *weights; /* NULL: those of the network's file */
};

enum { DEVICE, THREADS, PRECISION, OUTPUT };

static const struct anole_option options[] = {
    [DEVICE] = {"device", "D", "the device whose kernel it is, if there are several"},
    [THREADS] = {"threads", "N", "those that were tuned with, where LOCKFILE holds several"},
    [PRECISION] = {"precision", "P", "fp32, fp16 or tf32, where LOCKFILE holds several"},
    [OUTPUT] = {"output", "FILE", "write there instead of to stdout"},
    {0},
};

static enum anole_status take(void *context, size_t index, const char *value,
                              struct anole_error *error)
{
    struct arguments *arguments = context;
    switch (index) {
    case DEVICE:
        arguments->wish.device = value;
        break;
    case THREADS:
        return anole_text_parse_u64(&arguments->wish.threads, value, "--threads", 1, 4096, error);
    case PRECISION:
        return anole_command_precision(&arguments->wish.precision, value, error);
    case OUTPUT:
        arguments->output = value;
        break;
    }
    return ANOLE_DONE;
}

/* By its key, or by its place, which the name of its exported file begins with.  NULL: there is no
 * such task. */
static const struct anole_lock_task *find_task(const struct anole_lock_device *locked,
                                               const struct arguments *arguments)
{
    for (size_t i = 0; i < locked->task_count; i++) {
        char place[24];
        snprintf(place, sizeof place, "%zu", i + 1);
        if (strcmp(arguments->task, locked->tasks[i].task) != 0 &&
            strcmp(arguments->task, place) != 0)
            continue;
        return &locked->tasks[i];
    }
    return NULL;
}

/* "[64][3][3][16] of fp32, 36864 bytes": as of enum anole_task_kind. */
static void describe(char *out, size_t size, const struct anole_task *task, size_t bytes)
{
    const char *type = anole_precision_text(task->dtype);
    uint32_t dims[4], rank = anole_task_weights(dims, task);
    size_t length = 0;
    for (uint32_t i = 0; i < rank && length < size; i++)
        length += (size_t)snprintf(out + length, size - length, "[%u]", dims[i]);
    if (length < size)
        snprintf(out + length, size - length, " of %s, %zu bytes", type, bytes);
}

static enum anole_status read_weights(char **weights, size_t *bytes,
                                      const struct arguments *arguments,
                                      const struct anole_task *task, struct anole_error *error)
{
    char shape[96], label[64];
    size_t expected = anole_task_weight_elements(task) * anole_task_element_bytes(task);
    anole_task_label(label, sizeof label, task);
    if (expected == 0)
        return anole_fail(error, ANOLE_ERR_INPUT, "%s: there are no weights to pack", label);
    enum anole_status status =
        anole_file_read(weights, bytes, arguments->weights, MOST_BYTES, error);
    if (status != ANOLE_DONE || *bytes == expected)
        return status;
    size_t found = *bytes;
    free(*weights);
    *weights = NULL;
    describe(shape, sizeof shape, task, expected);
    return anole_fail(error, ANOLE_ERR_INPUT, "%s: %s: expected its weights, %s, found %zu bytes",
                      arguments->weights, label, shape, found);
}

static enum anole_status write_packed(const struct arguments *arguments, const char *data,
                                      size_t bytes, struct anole_error *error)
{
    if (arguments->output) {
        enum anole_status status = anole_file_replace(arguments->output, data, bytes, error);
        if (status == ANOLE_DONE)
            anole_log_info("wrote %s: %zu bytes", arguments->output, bytes);
        return status;
    }
    if (fwrite(data, 1, bytes, stdout) != bytes || fflush(stdout) != 0)
        return anole_fail_errno(error, "cannot write to stdout");
    return ANOLE_DONE;
}

/* As the kernel reads them, or as they are, if it reads them so. */
static enum anole_status pack(const struct arguments *arguments,
                              const struct anole_tuned_task *tuned, size_t packed_bytes,
                              struct anole_error *error)
{
    char *weights = NULL, *packed = NULL;
    size_t bytes = 0;
    enum anole_status status = read_weights(&weights, &bytes, arguments, &tuned->task, error);
    if (status != ANOLE_DONE)
        return status;
    if (packed_bytes == 0) {
        status = write_packed(arguments, weights, bytes, error);
    } else if (!(packed = calloc(1, packed_bytes))) {
        status = anole_fail_memory(error);
    } else {
        status = anole_generator_pack(tuned->generator, tuned->config, weights, bytes, packed,
                                      packed_bytes, error);
        if (status == ANOLE_DONE)
            status = write_packed(arguments, packed, packed_bytes, error);
    }
    free(packed);
    free(weights);
    return status;
}

/* Of a task by itself: a kernel of the user's own, or where the network is no longer there. */
static enum anole_status
pack_task(const struct arguments *arguments, const struct anole_lockfile *lockfile,
          const struct anole_lock_task *entry, const struct anole_registry *registry,
          const struct anole_registry_device *device, struct anole_error *error)
{
    struct anole_tuned_task tuned;
    struct anole_generated *generated = NULL;
    enum anole_status status =
        anole_tuned_task_init(&tuned, entry, lockfile, registry->entries[device->backend].backend,
                              &device->device, error);
    if (status != ANOLE_DONE)
        return status;
    status = anole_generator_kernel(&generated, tuned.generator, tuned.config, error);
    if (status == ANOLE_DONE)
        status = pack(arguments, &tuned, generated->kernel.packed_weights, error);
    anole_generated_destroy(generated);
    anole_tuned_task_fini(&tuned);
    return status;
}

/* As the network's program has it; *found false, and `why`: there is no such layer, or network. */
static enum anole_status
pack_layer(bool *found, struct anole_error *why, const struct arguments *arguments,
           const struct anole_lockfile *lockfile, const struct anole_lock_device *locked,
           const struct anole_registry *registry, const struct anole_registry_device *device,
           const char *layer, struct anole_error *error)
{
    struct anole_packed_layer packed = {.data = NULL};
    char *weights = NULL;
    size_t bytes = 0;
    enum anole_status status = ANOLE_DONE;
    if (arguments->weights)
        status = anole_file_read(&weights, &bytes, arguments->weights, MOST_BYTES, error);
    if (status == ANOLE_DONE)
        status = anole_pack_layer(&packed, found, why, lockfile, locked, registry, device, layer,
                                  weights, bytes, error);
    if (status == ANOLE_DONE && *found)
        status = write_packed(arguments, packed.data, packed.bytes, error);
    free(packed.data);
    free(weights);
    return status;
}

static enum anole_status pack_any(const struct arguments *arguments,
                                  const struct anole_lockfile *lockfile,
                                  const struct anole_registry *registry,
                                  const struct anole_registry_device *device, uint32_t threads,
                                  struct anole_error *error)
{
    const struct anole_lock_device *locked = NULL;
    struct anole_error why = {.status = ANOLE_DONE};
    bool found = false;
    enum anole_status status =
        anole_lockfile_find(&locked, lockfile, arguments->file, registry, device,
                            arguments->wish.precision, threads, NULL, error);
    if (status != ANOLE_DONE)
        return status;
    const struct anole_lock_task *entry = find_task(locked, arguments);
    status = pack_layer(&found, &why, arguments, lockfile, locked, registry, device,
                        entry ? entry->task : arguments->task, error);
    if (status != ANOLE_DONE || found)
        return status;
    if (!entry)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "%s: expected a task of %s: 1 to %zu, in the order of `anole best`, or "
                          "its key, as in kernels.json, or the name of a layer (%.500s)",
                          arguments->task, arguments->file, locked->task_count, why.text);
    if (!arguments->weights)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "expected WEIGHTS, as there is no network to take them from: %s",
                          why.text);
    return pack_task(arguments, lockfile, entry, registry, device, error);
}

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct arguments arguments = {0};
    struct anole_lockfile *lockfile = NULL;
    struct anole_registry *registry = NULL;
    const struct anole_registry_device *device = NULL;
    uint32_t threads = 0;
    char **positional;
    size_t count;
    bool help;
    enum anole_status status = anole_options_parse(&anole_cmd_pack, argc, argv, take, &arguments,
                                                   &positional, &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    arguments.file = positional[0];
    arguments.task = positional[1];
    arguments.weights = count > 2 ? positional[2] : NULL;
    if (!arguments.output && isatty(STDOUT_FILENO))
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "what is packed is no text for a terminal: expected --output FILE, or "
                          "`> FILE`");
    status = anole_lockfile_load(&lockfile, arguments.file, error);
    if (status == ANOLE_DONE)
        status = anole_lock_device_here(&registry, &device, &threads, lockfile, arguments.file,
                                        &arguments.wish, error);
    if (status == ANOLE_DONE)
        status = pack_any(&arguments, lockfile, registry, device, threads, error);
    anole_registry_destroy(registry);
    anole_lockfile_destroy(lockfile);
    return status;
}

const struct anole_command anole_cmd_pack = {
    .name = "pack",
    .arguments = "LOCKFILE TASK|LAYER [WEIGHTS]",
    .summary = "Lay a layer's weights out as its kernel reads them",
    .options = options,
    .least = 2,
    .most = 3,
    .run = run,
};
