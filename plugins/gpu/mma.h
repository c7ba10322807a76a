/* SPDX-License-Identifier: MIT
 *
 * Products on tensor cores, as far as other generators ask about them.
 */
#ifndef ANOLE_GPU_MMA_H
#define ANOLE_GPU_MMA_H

#include <anole/plugin.h>

#include <stdbool.h>

/* Has the layer a product that tensor cores do?  It is no match for those who go
 * without products of matrices, and a space that had their knobs as well would be too
 * large. */
bool gpu_mma_serves(const struct anole_device *device, const struct anole_task *task);

#endif
