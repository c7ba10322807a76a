/* SPDX-License-Identifier: MIT */
#include "cli/export_network.h"

#include "base/log.h"
#include "devices/selection.h"
#include "program/deploy.h"
#include "program/export.h"
#include "program/tuned.h"

#include <stdio.h>
#include <string.h>

#define SEED 1 /* of weights that a file leaves out: that of `anole run` */
#define LOOKED_AT 65536

bool anole_export_is_network(const char *path)
{
    static char text[LOOKED_AT + 1];
    const size_t length = strlen(path);
    if (length >= 5 && strcmp(path + length - 5, ".onnx") == 0)
        return true;
    FILE *file = fopen(path, "rb");
    size_t count = file ? fread(text, 1, LOOKED_AT, file) : 0;
    if (file)
        fclose(file);
    text[count] = '\0';
    return !strstr(text, "\"anole_history\"") && strstr(text, "\"layers\"");
}

static enum anole_status write(const struct anole_export_network *wanted,
                               const struct anole_program *program,
                               const struct anole_tuned_choice *tuned, struct anole_error *error)
{
    size_t kernels = 0;
    enum anole_status status = anole_program_export(program, wanted->output, &kernels, error);
    if (status)
        return status;
    if (tuned->lockfile)
        anole_tuned_report(tuned, program, wanted->threads);
    anole_log_info("wrote %s: %zu kernels, %zu steps; make -C %s builds it", wanted->output,
                   kernels, program->step_count, wanted->output);
    return ANOLE_DONE;
}

enum anole_status anole_export_network(const struct anole_export_network *wanted,
                                       struct anole_error *error)
{
    struct anole_run_network network = {.filled = 0};
    struct anole_registry *registry = NULL;
    const struct anole_registry_device *device = NULL;
    struct anole_tuned_choice tuned = {.lockfile = NULL};
    struct anole_program_options options = {.choose = NULL};
    struct anole_program *program = NULL;
    struct anole_instance *instance = NULL;
    enum anole_status status =
        anole_run_network_load(&network, wanted->file, &wanted->sizes, SEED, error);
    if (status == ANOLE_DONE && network.filled > 0)
        anole_log_info("%s has no weights: %zu random ones are used", wanted->file, network.filled);
    if (status == ANOLE_DONE && network.loaded.batch_1)
        anole_log_info("%s leaves the batch open: 1 is taken (--batch N)", wanted->file);
    if (status == ANOLE_DONE)
        status = anole_registry_create(&registry, wanted->threads, error);
    if (status == ANOLE_DONE)
        status = anole_registry_find(&device, registry, wanted->device, error);
    if (status == ANOLE_DONE && wanted->tuned) {
        status = anole_tuned_init(&tuned, wanted->tuned, registry, device, error);
        options = (struct anole_program_options){.choose = anole_tuned_choose, .context = &tuned};
    }
    /* Built, so that what the device refuses is not handed over. */
    if (status == ANOLE_DONE)
        status = anole_deploy(&program, &instance, network.loaded.graph,
                              registry->entries[device->backend].backend, &device->device, &options,
                              device->driver, wanted->threads, error);
    anole_instance_destroy(instance);
    if (status == ANOLE_DONE)
        status = write(wanted, program, &tuned, error);
    anole_program_destroy(program);
    anole_tuned_fini(&tuned);
    anole_registry_destroy(registry);
    anole_run_network_fini(&network);
    return status;
}
