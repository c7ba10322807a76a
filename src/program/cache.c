/* SPDX-License-Identifier: MIT */
#include "program/cache.h"

#include "base/environment.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif
#define CPUINFO 8192 /* bytes: what is said of the first processor */

struct anole_program_cache {
    struct anole_disk_cache *disk; /* NULL: there is none */
    const struct anole_program *program;
    struct anole_text maker; /* the part of keys that says who makes it, and for what */
    /* [constant_count] Hashes of constants that were looked for, as they are stored next; 0: it was
     * not. */
    uint64_t *hashes;
};

/* --------------------------------------------------------------------- keys */

/* Texts with their lengths: no two lists of them read alike. */
static void add_text(struct anole_text *key, const char *text, size_t length)
{
    anole_text_printf(key, "%zu:", length);
    anole_text_append(key, text, length);
}

static void add_file(struct anole_text *key, const char *path)
{
    struct stat about;
    add_text(key, path, strlen(path));
    if (path[0] == '/' && stat(path, &about) == 0)
        anole_text_printf(key, "(%lld bytes, %lld.%09ld)", (long long)about.st_size,
                          (long long)about.st_mtim.tv_sec, about.st_mtim.tv_nsec);
}

/* The line of instruction sets that Linux writes of the first processor; "": it does not. */
static void add_processor(struct anole_text *key)
{
    static const char *const names[] = {"\nflags", "\nFeatures", "\nisa"};
    char *text = calloc(1, CPUINFO + 1);
    FILE *file = text ? fopen("/proc/cpuinfo", "re") : NULL;
    if (file && fread(text, 1, CPUINFO, file) > 0)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            const char *line = strstr(text, names[i]);
            if (line)
                add_text(key, line + 1, strcspn(line + 1, "\n"));
        }
    if (file)
        fclose(file);
    free(text);
}

static void add_maker(struct anole_text *key, const struct anole_program *program,
                      const char *driver)
{
    const struct anole_plugin *plugin = &program->backend->plugin;
    const struct anole_device *device = &program->device;
    anole_text_printf(key, "anole %s, backend ", PACKAGE_VERSION);
    add_text(key, plugin->name, strlen(plugin->name));
    add_text(key, plugin->version, strlen(plugin->version));
    anole_text_printf(key, " %u ", plugin->generator);
    add_file(key, program->backend->path);
    add_file(key, driver);
    add_text(key, device->name, strlen(device->name));
    add_text(key, device->vendor, strlen(device->vendor));
    add_text(key, device->driver, strlen(device->driver));
    add_text(key, device->driver_version, strlen(device->driver_version));
    anole_text_printf(key, " %u %u %u %u %u %u %u %llu %llu %llu %llu ", device->index,
                      device->type, device->flags, device->compute_units, device->simd_width,
                      device->registers, device->cores, (unsigned long long)device->local_memory,
                      (unsigned long long)device->cache_l1, (unsigned long long)device->cache_l2,
                      (unsigned long long)device->cache_l3);
    if (device->flags & ANOLE_DEVICE_SHARES_HOST)
        add_processor(key);
}

/* Some drivers compile for the launches, too. */
static void add_launches(struct anole_text *key, const struct anole_kernel *kernel)
{
    for (uint32_t i = 0; i < kernel->launch_count; i++) {
        const struct anole_launch *launch = &kernel->launches[i];
        add_text(key, launch->kernel, strlen(launch->kernel));
        anole_text_printf(key, " %u", launch->dimensions);
        for (uint32_t d = 0; d < 3; d++)
            anole_text_printf(key, " %llu/%llu", (unsigned long long)launch->global[d],
                              (unsigned long long)launch->local[d]);
    }
}

/* Where a library is behind the backend, what it builds goes by these. */
static void add_config(struct anole_text *key, const struct anole_kernel *kernel)
{
    char task[ANOLE_TASK_KEY];
    if (kernel->source_length > 0 && kernel->launch_count > 0)
        return;
    anole_task_key(task, kernel->task);
    add_text(key, task, strlen(task));
    for (uint32_t i = 0; i < kernel->value_count; i++)
        anole_text_printf(key, " %lld", (long long)kernel->values[i]);
}

static void add_kernels(struct anole_text *key, const struct anole_program_cache *cache,
                        const char *what, const struct anole_kernel *const *kernels, size_t count)
{
    anole_text_printf(key, "%s ", what);
    add_text(key, cache->maker.data, cache->maker.length);
    add_text(key, kernels[0]->options, strlen(kernels[0]->options));
    for (size_t i = 0; i < count; i++) {
        add_launches(key, kernels[i]);
        add_config(key, kernels[i]);
    }
    add_text(key, kernels[0]->source, kernels[0]->source_length);
}

static bool kernels_key(struct anole_text *key, const struct anole_program_cache *cache,
                        const struct anole_kernel *const *kernels, size_t count)
{
    /* In a process that is not ours a backend may compile for other launches. */
    const bool guest = anole_environment() && anole_environment()->guest;
    if (cache->disk)
        add_kernels(key, cache, guest ? "guest's kernels" : "kernels", kernels, count);
    return cache->disk && !key->failed;
}

static uint64_t hash(const void *disk, const void *data, size_t bytes)
{
    return anole_disk_cache_hash(disk, data, bytes);
}

static bool weights_key(struct anole_text *key, struct anole_program_cache *cache,
                        const struct anole_program_constant *constant)
{
    const struct anole_program *program = cache->program;
    if (!cache->disk || constant->kernel == ANOLE_NONE)
        return false;
    const struct anole_kernel *kernel = &program->kernels[constant->kernel].generated->kernel;
    const size_t bytes = anole_program_tensor_bytes(program->graph, constant->tensor);
    char task[ANOLE_TASK_KEY];
    uint64_t *number = &cache->hashes[constant - program->constants];
    if (*number == 0)
        *number = anole_graph_hash_constant(program->graph, constant->tensor, hash, cache->disk);
    anole_task_key(task, kernel->task);
    add_kernels(key, cache, "weights", &kernel, 1);
    add_text(key, task, strlen(task));
    for (uint32_t i = 0; i < kernel->value_count; i++)
        anole_text_printf(key, " %lld", (long long)kernel->values[i]);
    anole_text_printf(key, "; %zu bytes from %zu, %016llx", constant->place.bytes, bytes,
                      (unsigned long long)*number);
    return !key->failed;
}

/* -------------------------------------------------------------------- cache */

enum anole_status anole_program_cache_create(struct anole_program_cache **cache,
                                             const struct anole_program *program,
                                             const char *driver, struct anole_error *error)
{
    struct anole_program_cache *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    new->program = program;
    new->hashes = calloc(program->constant_count + 1, sizeof *new->hashes);
    enum anole_status status = new->hashes ? ANOLE_DONE : anole_fail_memory(error);
    if (status == ANOLE_DONE)
        status = anole_disk_cache_open_default(&new->disk, error);
    if (status == ANOLE_DONE && new->disk)
        add_maker(&new->maker, program, driver);
    if (status == ANOLE_DONE && new->maker.failed)
        status = anole_fail_memory(error);
    if (status) {
        anole_program_cache_destroy(new);
        return status;
    }
    *cache = new;
    return ANOLE_DONE;
}

void anole_program_cache_destroy(struct anole_program_cache *cache)
{
    if (!cache)
        return;
    anole_disk_cache_close(cache->disk);
    anole_text_fini(&cache->maker);
    free(cache->hashes);
    free(cache);
}

bool anole_program_cache_exists(const struct anole_program_cache *cache)
{
    return cache->disk != NULL;
}

bool anole_program_cache_find_kernels(struct anole_disk_entry *binary,
                                      struct anole_program_cache *cache,
                                      const struct anole_kernel *const *kernels, size_t count)
{
    struct anole_text key = {.data = NULL};
    bool found = kernels_key(&key, cache, kernels, count) &&
                 anole_disk_cache_find(binary, cache->disk, key.data, key.length);
    anole_text_fini(&key);
    return found;
}

void anole_program_cache_store_kernels(struct anole_program_cache *cache,
                                       const struct anole_kernel *const *kernels, size_t count,
                                       const void *binary, size_t bytes)
{
    struct anole_text key = {.data = NULL};
    if (kernels_key(&key, cache, kernels, count))
        anole_disk_cache_store(cache->disk, key.data, key.length, binary, bytes);
    anole_text_fini(&key);
}

bool anole_program_cache_read_weights(void *out, struct anole_program_cache *cache,
                                      const struct anole_program_constant *constant)
{
    struct anole_text key = {.data = NULL};
    bool found =
        weights_key(&key, cache, constant) &&
        anole_disk_cache_read(cache->disk, key.data, key.length, out, constant->place.bytes);
    anole_text_fini(&key);
    return found;
}

void anole_program_cache_store_weights(struct anole_program_cache *cache,
                                       const struct anole_program_constant *constant,
                                       const void *packed)
{
    struct anole_text key = {.data = NULL};
    if (weights_key(&key, cache, constant))
        anole_disk_cache_store(cache->disk, key.data, key.length, packed, constant->place.bytes);
    anole_text_fini(&key);
}
