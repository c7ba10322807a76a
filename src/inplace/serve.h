/* SPDX-License-Identifier: MIT
 *
 * The worker's side of inplace.h: from a network's file and a lock file to a running program, and
 * how long that takes.
 */
#ifndef ANOLE_INPLACE_SERVE_H
#define ANOLE_INPLACE_SERVE_H

#include "worker/worker.h"

/* Serves the frame NETWORK, as struct anole_worker_service has it. */
ANOLE_CHECKED enum anole_status anole_inplace_serve(struct anole_wire *reply,
                                                    struct anole_wire *request,
                                                    const struct anole_worker_session *session,
                                                    struct anole_error *error);

#endif
