/* SPDX-License-Identifier: MIT
 *
 * The table of what plugins may use of the host.
 */
#ifndef ANOLE_HOST_H
#define ANOLE_HOST_H

#include <anole/plugin.h>

#include <stdbool.h>

/* The host table handed to plugins; topology by hwloc.  `threads` as in
 * anole_host; whose process this is, the thread's anole_environment() says.  Valid for the
 * life of the process.  NULL if memory is used up. */
const struct anole_host *anole_host_get(uint32_t threads);
/* The same, as if the process were a caller's (ANOLE_HOST_GUEST), or not. */
const struct anole_host *anole_host_get_as(uint32_t threads, bool guest);
/* Who gets the lines that plugins log, already printable; NULL (the default):
 * our own log. */
typedef void anole_host_log(enum anole_log_level level, const char *text);
void anole_host_set_log(anole_host_log *log);

#endif
