/* SPDX-License-Identifier: MIT
 *
 * A worker: does what the tuner asks for over a socket, with one plugin.
 */
#ifndef ANOLE_WORKER_H
#define ANOLE_WORKER_H

/* The descriptor that a worker finds its socket at. */
#define ANOLE_WORKER_SOCKET 3

/* Serves until the tuner closes the socket.  Returns an exit code. */
int anole_worker_serve(int descriptor);

#endif
