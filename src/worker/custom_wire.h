/* SPDX-License-Identifier: MIT
 *
 * A kernel that comes with its task, on its way to a worker.
 */
#ifndef ANOLE_CUSTOM_WIRE_H
#define ANOLE_CUSTOM_WIRE_H

#include "kernel/custom.h"
#include "worker/wire.h"

/* Reading, *custom is made: the caller's to destroy, NULL if the wire failed or
 * there is none.  Writing, *custom may be NULL. */
void anole_wire_custom(struct anole_wire *wire, struct anole_custom_kernel **custom);

#endif
