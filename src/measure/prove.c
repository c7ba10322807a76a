/* SPDX-License-Identifier: MIT */
#include "measure/prove.h"

#include "base/disk_cache.h"
#include "base/text.h"
#include "measure/compare.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SEED 3 /* of inputs and weights: others than tuning and verifying use by default */
/* Seconds that computing a reference may take, by its forecast. */
#define MOST_REFERENCE 20.0

/* What a proof depends on, as one text.  The source stands for config and generator. */
static enum anole_status make_key(struct anole_text *key, const struct anole_prover *prover,
                                  const struct anole_generator *generator, uint64_t config,
                                  struct anole_error *error)
{
    const struct anole_registry_entry *backend =
        &prover->registry->entries[prover->device->backend];
    const struct anole_device *device = &prover->device->device;
    struct anole_generated *generated = NULL;
    char task[ANOLE_TASK_KEY];
    enum anole_status status = anole_generator_kernel(&generated, generator, config, error);
    if (status != ANOLE_DONE)
        return status;
    anole_task_key(task, anole_generator_task(generator));
    anole_text_printf(key, "proof 1\n%s\n%s %s\n%s\n%s\n%s\n%016" PRIx64 " %016" PRIx64 " %u", task,
                      backend->name, backend->version, device->name, device->driver,
                      device->driver_version, generated->source_hash, config, prover->threads);
    anole_generated_destroy(generated);
    return key->failed ? anole_fail_memory(error) : ANOLE_DONE;
}

static enum anole_status open_cache(struct anole_prover *prover, struct anole_error *error)
{
    if (prover->opened)
        return ANOLE_DONE;
    prover->opened = true;
    return anole_disk_cache_open_default(&prover->cache, error);
}

static bool is_remembered(struct anole_prover *prover, const struct anole_text *key)
{
    struct anole_disk_entry entry;
    if (!anole_disk_cache_find(&entry, prover->cache, key->data, key->length))
        return false;
    anole_disk_entry_fini(&entry);
    return true;
}

static enum anole_status open_measure(struct anole_prover *prover, struct anole_error *error)
{
    const struct anole_measure_options options = {.threads = prover->threads,
                                                  .seed = SEED,
                                                  .untimed = true,
                                                  .stop = prover->stop,
                                                  .stop_context = prover->stop_context};
    if (prover->measure)
        return ANOLE_DONE;
    return anole_measure_create(&prover->measure, prover->registry, prover->device, &options,
                                error);
}

static enum anole_status try(struct anole_prover *prover, const struct anole_generator *generator,
                             uint64_t config, bool *right, char *why, size_t size,
                             struct anole_error *error)
{
    struct anole_result result;
    enum anole_status status = open_measure(prover, error);
    if (status != ANOLE_DONE)
        return status;
    const double seconds =
        anole_measure_reference_seconds(prover->measure, anole_generator_task(generator));
    if (seconds > MOST_REFERENCE) {
        snprintf(why, size, "to compute its reference takes about %.0f s", seconds);
        return ANOLE_DONE;
    }
    anole_measure_set_timer(prover->measure, ANOLE_TIMER_UNSAID);
    status = anole_measure_compare(prover->measure, generator, &config, 1, 0.0, 1, &result, NULL,
                                   NULL, error);
    if (status != ANOLE_DONE)
        return status;
    *right = result.outcome == ANOLE_OUTCOME_OK && !result.simulated;
    if (!*right)
        anole_text_printable(why, size, result.message);
    return ANOLE_DONE;
}

enum anole_status anole_prove(struct anole_prover *prover, const struct anole_generator *generator,
                              uint64_t config, bool *right, char *why, size_t size,
                              struct anole_error *error)
{
    struct anole_text key = {0};
    struct anole_error own = {.status = ANOLE_DONE};
    *right = false;
    why[0] = '\0';
    enum anole_status status = make_key(&key, prover, generator, config, &own);
    if (status == ANOLE_DONE)
        status = open_cache(prover, &own);
    if (status == ANOLE_DONE)
        *right = is_remembered(prover, &key);
    if (status == ANOLE_DONE && !*right) {
        status = try(prover, generator, config, right, why, size, &own);
        if (status == ANOLE_DONE && *right && prover->cache)
            anole_disk_cache_store(prover->cache, key.data, key.length, "right", 5);
    }
    anole_text_fini(&key);
    if (status == ANOLE_ERR_MEMORY || status == ANOLE_ERR_INTERRUPTED) {
        if (error)
            *error = own;
        return status;
    }
    if (status != ANOLE_DONE)
        anole_text_printable(why, size, own.text);
    return ANOLE_DONE;
}

void anole_prover_fini(struct anole_prover *prover)
{
    anole_measure_destroy(prover->measure);
    anole_disk_cache_close(prover->cache);
    prover->measure = NULL;
    prover->cache = NULL;
    prover->opened = false;
}
