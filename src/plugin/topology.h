/* SPDX-License-Identifier: MIT
 *
 * The host's processors, as hwloc sees them.
 */
#ifndef ANOLE_TOPOLOGY_H
#define ANOLE_TOPOLOGY_H

#include <anole/plugin.h>

/* What cannot be found out is left 0. */
void anole_topology_read(struct anole_topology *topology);

#endif
