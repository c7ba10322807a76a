/* SPDX-License-Identifier: MIT
 *
 * The pure half of a backend, for one task on one device: the design space, the
 * features for the cost model, and the kernel of a config.
 */
#ifndef ANOLE_GENERATOR_H
#define ANOLE_GENERATOR_H

#include "op/task.h"
#include "plugin/kernel.h"
#include "plugin/supports.h"
#include "space/feature.h"
#include "space/space.h"

/* Binds a backend, a device description and a task; owns the space and the
 * features made from them. */
struct anole_generator;

/* Calls the op `space` in this process: what it hands over, found to be right, goes into `space`,
 * which is left unfinished, and to `also` (NULL: nobody).  ERR_PLUGIN, or of memory. */
ANOLE_CHECKED enum anole_status
anole_backend_declare(struct anole_space *space, const struct anole_plugin *plugin,
                      const struct anole_device *device, const struct anole_task *task,
                      struct anole_space_builder *also, struct anole_error *error);

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
/* ERR_PLUGIN if its validity or its features could not be asked at some time: the space, and
 * what was learnt of it, cannot be believed since.  The error names backend, op and task. */
ANOLE_CHECKED enum anole_status anole_generator_trouble(const struct anole_generator *generator,
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
