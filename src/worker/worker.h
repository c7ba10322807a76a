/* SPDX-License-Identifier: MIT
 *
 * A worker: does what the tuner asks for over a socket, with one plugin.
 */
#ifndef ANOLE_WORKER_H
#define ANOLE_WORKER_H

#include <stdbool.h>

/* The descriptor that a worker finds its socket at. */
#define ANOLE_WORKER_SOCKET 3

/* Serves until the tuner closes the socket.  Returns an exit code.  `confined`: the
 * process gives up what a plugin does not need (confine.h), for good. */
int anole_worker_serve(int descriptor, bool confined);

#endif
