/* SPDX-License-Identifier: MIT
 *
 * The gpu plugin without a GPU: those of tests/data/gpus, its generators for them, and
 * compilers of what they make.  For one test program: everything is static.
 */
#ifndef ANOLE_GPU_FIXTURE_H
#define ANOLE_GPU_FIXTURE_H

#include "plugin/generator.h"
#include "op/task.h"

#include <dirent.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MAX_GPUS 16

static struct anole_backend *backend;
static struct anole_device gpus[MAX_GPUS];
static size_t gpu_count;

/* ------------------------------------------------------------ descriptions */

static void take_fact(struct anole_device *d, const char *path, const char *name, const char *value)
{
    const struct {
        const char *name;
        uint32_t *small;
        uint64_t *large;
    } facts[] = {
        {"compute_units", &d->compute_units, NULL},
        {"clock_mhz", &d->clock_mhz, NULL},
        {"simd_width", &d->simd_width, NULL},
        {"registers", &d->registers, NULL},
        {"max_work_group", NULL, &d->max_work_group},
        {"local_memory", NULL, &d->local_memory},
        {"global_memory", NULL, &d->global_memory},
        {"max_allocation", NULL, &d->max_allocation},
        {"cache_l2", NULL, &d->cache_l2},
        {"cache_line", NULL, &d->cache_line},
    };
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        if (strcmp(facts[i].name, name))
            continue;
        if (facts[i].small)
            *facts[i].small = (uint32_t)strtoul(value, NULL, 10);
        else
            *facts[i].large = strtoull(value, NULL, 10);
        return;
    }
    if (!strcmp(name, "name"))
        snprintf(d->name, sizeof d->name, "%s", value);
    else if (!strcmp(name, "vendor"))
        snprintf(d->vendor, sizeof d->vendor, "%s", value);
    else if (!strcmp(name, "property")) {
        struct anole_property *p = &d->properties[d->property_count++];
        assert_int_equal(sscanf(value, "%31s %lf", p->name, &p->value), 2);
    } else
        fail_msg("%s: there is no fact '%s'", path, name);
}

static void read_gpu(const char *path)
{
    char line[256];
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("%s cannot be read", path);
    assert_true(gpu_count < MAX_GPUS);
    struct anole_device *device = &gpus[gpu_count++];
    *device = (struct anole_device){.size = sizeof *device, .type = ANOLE_DEVICE_GPU};
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        char *value = strchr(line, ' ');
        if (line[0] == '#' || !value)
            continue;
        *value = 0;
        take_fact(device, path, line, value + 1);
    }
    fclose(file);
}

static int is_gpu_file(const struct dirent *entry)
{
    const char *end = strrchr(entry->d_name, '.');
    return end && !strcmp(end, ".gpu");
}

static int prepare(void **state)
{
    (void)state;
    struct anole_error error = {0};
    enum anole_refusal refusal;
    struct dirent **entries;
    const char *plugins = getenv("ANOLE_PLUGIN_PATH"), *data = getenv("ANOLE_TEST_DATA");
    char path[4096];
    snprintf(path, sizeof path, "%s/gpu.so", plugins ? plugins : "plugins/.libs");
    if (anole_backend_load(&backend, &refusal, path, &error))
        fail_msg("%s", error.text);
    snprintf(path, sizeof path, "%s/gpus", data ? data : "tests/data");
    int count = scandir(path, &entries, is_gpu_file, alphasort);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        char file[4096 + 256];
        snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        read_gpu(file);
        free(entries[i]);
    }
    free(entries);
    return 0;
}

static int clean_up(void **state)
{
    (void)state;
    anole_backend_destroy(backend);
    return 0;
}

/* ------------------------------------------------------------------- kernels */

static struct anole_generator *generator_of(const struct anole_task *task,
                                            const struct anole_device *device)
{
    struct anole_generator *generator = NULL;
    struct anole_error error = {0};
    char key[ANOLE_TASK_KEY];
    anole_task_key(key, task);
    if (!anole_backend_supports(backend, device, task))
        fail_msg("%s is not supported on %s", key, device->name);
    if (anole_generator_create(&generator, backend, device, task, &error))
        fail_msg("%s on %s: %s", key, device->name, error.text);
    return generator;
}

static struct anole_generated *kernel_of(const struct anole_generator *generator, uint64_t config)
{
    struct anole_generated *generated = NULL;
    struct anole_error error = {0};
    if (anole_generator_kernel(&generated, generator, config, &error))
        fail_msg("%s", error.text);
    return generated;
}

/* A Clang that knows OpenCL C, or NULL. */
static const char *clang(void)
{
    static const char *const names[] = {"clang",    "clang-19", "clang-18", "clang-17",
                                        "clang-16", "clang-15", "clang-14"};
    const char *own = getenv("ANOLE_CLANG");
    if (own)
        return own;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char command[128];
        snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", names[i]);
        if (system(command) == 0)
            return names[i];
    }
    return NULL;
}

#endif
