/* SPDX-License-Identifier: MIT
 *
 * Which config of a task runs: the best of a history, or what a lock file names.
 */
#ifndef BENCH_TUNED_CONFIGS_H
#define BENCH_TUNED_CONFIGS_H

#include "devices/registry.h"
#include "plugin/generator.h"

#include <stdint.h>

struct bench_tuned_configs;

/* The fastest right config of each task in a history, of trials made on this
 * device with so many threads. */
enum anole_status bench_tuned_configs_from_history(struct bench_tuned_configs **configs,
                                                   const char *path,
                                                   const struct anole_registry *registry,
                                                   const struct anole_registry_device *device,
                                                   uint32_t threads, struct anole_error *error)
    __attribute__((warn_unused_result));
/* What lock files name for this device; `paths`: one or several, commas between.
 * A task that is in several has the config of the first. */
enum anole_status bench_tuned_configs_from_lock(struct bench_tuned_configs **configs,
                                                const char *paths,
                                                const struct anole_registry *registry,
                                                const struct anole_registry_device *device,
                                                uint32_t threads, struct anole_error *error)
    __attribute__((warn_unused_result));
void bench_tuned_configs_destroy(struct bench_tuned_configs *configs);

/* *config: in the generator's space.  *trials: how many were spent on the task.
 * ERR_NOTHING_VALID if there is none. */
enum anole_status bench_tuned_configs_find(uint64_t *config, size_t *trials,
                                           const struct bench_tuned_configs *configs,
                                           const char *key, const struct anole_generator *generator,
                                           struct anole_error *error)
    __attribute__((warn_unused_result));

/* The default config with some knobs set otherwise: "tile_h=3,edges=dynamic".
 * ERR_USAGE if a knob or a value is none of the space's, or if the config breaks a
 * constraint. */
enum anole_status bench_config_set(uint64_t *config, const char *knobs,
                                   const struct anole_generator *generator,
                                   struct anole_error *error) __attribute__((warn_unused_result));

/* Tunes a network with the program `anole` from an empty history in `folder` (of
 * the caller's, empty), for `budget` as --time takes it: lock[size] becomes the
 * path of the lock file.  The program is $ANOLE, or the one beside or above the
 * folder of this one, or found by $PATH; it gets all cores, and talks on stderr. */
enum anole_status bench_tune(char *lock, size_t size, const char *network, const char *device,
                             uint32_t threads, const char *budget, const char *folder,
                             struct anole_error *error) __attribute__((warn_unused_result));

#endif
