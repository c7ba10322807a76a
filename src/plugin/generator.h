/* SPDX-License-Identifier: MIT
 *
 * The pure half of a backend, for one task on one device: the design space, the
 * features for the cost model, and the kernel of a config.
 */
#ifndef ANOLE_GENERATOR_H
#define ANOLE_GENERATOR_H

#include "op/task.h"
#include "plugin/kernel.h"
#include "space/feature.h"
#include "space/space.h"

/* Binds a backend, a device description and a task; owns the space and the
 * features made from them. */
struct anole_generator;

bool anole_backend_supports(const struct anole_backend *backend, const struct anole_device *device,
                            const struct anole_task *task);

/* What a backend does of a task: all of it, or all but what was fused into the layer, which a
 * kernel of its own then does (program/epilogue.h).  False: nothing. */
bool anole_backend_serves(struct anole_task *served, const struct anole_backend *backend,
                          const struct anole_device *device, const struct anole_task *task);
/* ERR_PLUGIN if the plugin's space is ill-formed.  Backend must outlive it. */
ANOLE_CHECKED enum anole_status anole_generator_create(struct anole_generator **generator,
                                                       const struct anole_backend *backend,
                                                       const struct anole_device *device,
                                                       const struct anole_task *task,
                                                       struct anole_error *error);
/* The same for who wants kernels of the default and of configs that are known: its space is not to
 * be walked (anole_space_finish_unwalked()), and it has no features.  Takes a tenth of the time. */
ANOLE_CHECKED enum anole_status anole_generator_create_unwalked(struct anole_generator **generator,
                                                                const struct anole_backend *backend,
                                                                const struct anole_device *device,
                                                                const struct anole_task *task,
                                                                struct anole_error *error);
void anole_generator_destroy(struct anole_generator *generator);
const struct anole_space *anole_generator_space(const struct anole_generator *generator);
/* NULL: it has none. */
const struct anole_features *anole_generator_features(const struct anole_generator *generator);
const struct anole_task *anole_generator_task(const struct anole_generator *generator);
const struct anole_device *anole_generator_device(const struct anole_generator *generator);
/* The kernel of a config.  ERR_INPUT if the plugin refuses the config (the
 * message is the plugin's). */
ANOLE_CHECKED enum anole_status anole_generator_kernel(struct anole_generated **generated,
                                                       const struct anole_generator *generator,
                                                       uint64_t config, struct anole_error *error);

/* Configs with the same number share what is built: see anole_generated.executable.
 * False if the plugin refuses the config, or there is no memory. */
bool anole_generator_executable(uint64_t *executable, const struct anole_generator *generator,
                                uint64_t config);

/* Lays weights out as the config's kernel reads them; out[kernel.packed_weights]. */
ANOLE_CHECKED enum anole_status anole_generator_pack(const struct anole_generator *generator,
                                                     uint64_t config, const void *weights,
                                                     size_t weights_bytes, void *packed,
                                                     size_t packed_bytes,
                                                     struct anole_error *error);

#endif
