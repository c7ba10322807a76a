# SPDX-License-Identifier: MIT
#
# hwloc: cores, caches and NUMA nodes of the host.

AC_DEFUN([ANOLE_HWLOC], [
    ANOLE_PKG([HWLOC], [hwloc >= 2.0], [hwloc.h], [hwloc_topology_init],
        [hwloc 2.0 or newer], [for the cores and caches of the host], [libhwloc-dev])
])
