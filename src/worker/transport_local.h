/* SPDX-License-Identifier: MIT
 *
 * Workers that are processes of this machine: frames over a socket pair, data as
 * descriptors, stdout and stderr by pipes, all under a guard (guard.h).
 */
#ifndef ANOLE_TRANSPORT_LOCAL_H
#define ANOLE_TRANSPORT_LOCAL_H

#include "worker/transport.h"

extern const struct anole_transport anole_transport_local;

#endif
