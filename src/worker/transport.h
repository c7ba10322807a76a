/* SPDX-License-Identifier: MIT
 *
 * How frames get to a worker and back: what process.h, and all above it, needs of a way to
 * reach workers.  There is one, processes of this machine (transport_local.h); another is a
 * file that fills in the struct below.
 */
#ifndef ANOLE_TRANSPORT_H
#define ANOLE_TRANSPORT_H

#include "worker/output.h"
#include "worker/protocol.h"

#include <poll.h>

#define ANOLE_TRANSPORT_POLLS 3 /* struct pollfds that a connection needs */

/* What is known of a worker from outside, and outlives it. */
struct anole_worker_trace {
    struct anole_output out, err; /* workers that are programs write all to `err` */
    char
        death[192]; /* how it ended: "was killed by SIGSEGV", "exited with code 3"; "": not known */
    bool killed;    /* by SIGKILL, which comes from outside: from a user, or for want of memory */
};

/* What to start. */
struct anole_worker_start {
    const char *scratch; /* see scratch.h; NULL: none */
    /* NULL: the worker program.  Else a copy of this process, under a guard, that calls
     * this with the socket for its frames; stdout and stderr are caught apart.  Of a
     * transport to this machine alone. */
    void (*function)(void *context, int socket);
    void *context;
};

/* A connection to one worker; a transport's own struct begins with it. */
struct anole_connection {
    const struct anole_transport *transport;
};

/* But for end(), nothing here waits. */
struct anole_transport {
    const char *name; /* "local" */
    /* *connection: to end() by the caller.  `trace` is filled in until then. */
    enum anole_status (*start)(struct anole_connection **connection,
                               struct anole_worker_trace *trace,
                               const struct anole_worker_start *start, struct anole_error *error);
    /* Queues a frame, and sends what goes.  `data`: a descriptor of a sealed file in memory,
     * whose contents the worker gets along; -1: none.  *sequence (may be NULL): the frame's.
     * That the worker has died is no failure: it shows later. */
    enum anole_status (*send)(struct anole_connection *connection, enum anole_frame_type type,
                              const void *payload, size_t length, int data, uint32_t *sequence,
                              struct anole_error *error);
    /* What to poll for; fds[ANOLE_TRANSPORT_POLLS], -1 where there is nothing. */
    void (*polls)(const struct anole_connection *connection, struct pollfd *fds);
    /* Reads and writes what can be. */
    enum anole_status (*service)(struct anole_connection *connection, struct anole_error *error);
    /* The next frame that has arrived whole; its payload is valid until the next call of
     * service().  *ended: the worker has closed its end, and nothing more comes. */
    enum anole_status (*receive)(struct anole_connection *connection, struct anole_frame *frame,
                                 bool *got, bool *ended, struct anole_error *error);
    /* Asks the worker, whatever it is at, to end with all that it started. */
    void (*ask_end)(struct anole_connection *connection);
    /* Asks an idle worker to close its device and go. */
    void (*ask_close)(struct anole_connection *connection);
    /* True once the worker is gone; its trace is then complete. */
    bool (*gone)(struct anole_connection *connection);
    /* Seconds that the worker has been ready to run, while other work had the cores, since the
     * last call with `begin`; may be NULL: not known. */
    double (*waited)(struct anole_connection *connection, bool begin);
    /* Ends the worker with all that it started, if it lives, waits for that (well under a
     * second), and frees the connection.  trace->death is set if it ended by itself. */
    void (*end)(struct anole_connection *connection);
};

#endif
