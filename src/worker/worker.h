/* SPDX-License-Identifier: MIT
 *
 * A worker: does what the tuner asks for over a socket, with one plugin.
 */
#ifndef ANOLE_WORKER_H
#define ANOLE_WORKER_H

#include "worker/protocol.h"
#include "worker/wire.h"

#include <stdbool.h>

/* The descriptor that a worker finds its socket at. */
#define ANOLE_WORKER_SOCKET 3

/* What a service is told about the worker that it works in. */
struct anole_worker_session {
    bool confined; /* see anole_worker_serve() */
    /* Says what is done next, in words ("building the network's kernels"): who dies or hangs then
     * is known to have done so while at that. */
    void (*say)(void *context, const char *step);
    void *context;
};

/* A request that the program around a worker serves, and not the worker itself: one that takes more
 * of Anole than a device and a kernel.  serve() reads the request, which is for it to check, and
 * writes the reply; if it fails, the error is the answer. */
struct anole_worker_service {
    enum anole_frame_type request, reply;
    enum anole_status (*serve)(struct anole_wire *reply, struct anole_wire *request,
                               const struct anole_worker_session *session,
                               struct anole_error *error);
};

/* Serves until the tuner closes the socket.  Returns an exit code.  `confined`: the
 * process gives up what a plugin does not need (confine.h), for good.  services[count] are
 * borrowed. */
int anole_worker_serve(int descriptor, bool confined, const struct anole_worker_service *services,
                       size_t count);

#endif
