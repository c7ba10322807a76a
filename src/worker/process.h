/* SPDX-License-Identifier: MIT
 *
 * The tuner's end of one worker: starting it, talking to it without ever waiting for it,
 * finding out how it died, and killing it with everything that it started.  How frames
 * travel is the transport's affair.
 *
 * Workers end with this process, however that ends (guard.h), and not with the thread
 * that started them.
 */
#ifndef ANOLE_PROCESS_H
#define ANOLE_PROCESS_H

#include "worker/transport.h"
#include "worker/wire.h"

#define ANOLE_PROCESS_POLLS ANOLE_TRANSPORT_POLLS

struct anole_process {
    struct anole_connection *connection; /* NULL: there is no process */
    struct anole_worker_trace trace;     /* of the last that there was */
    bool dead;                           /* it has ended, or what it says makes no sense */
    bool starved; /* dead because memory of ours ran out: it is not to blame */
};

/* A process without a process. */
void anole_process_init(struct anole_process *process);
/* Starts one.  It must not be moved until it ends.  `transport` NULL: on this machine. */
ANOLE_CHECKED enum anole_status anole_process_start(struct anole_process *process,
                                                    const struct anole_transport *transport,
                                                    const struct anole_worker_start *start,
                                                    struct anole_error *error);
bool anole_process_alive(const struct anole_process *process);

/* Queues a request that `payload` holds, and sends what goes.  `data`: a descriptor, or -1.
 * That the worker has died is no failure: it shows later. */
ANOLE_CHECKED enum anole_status anole_process_send(struct anole_process *process,
                                                   enum anole_frame_type type,
                                                   const struct anole_wire *payload, int data,
                                                   uint32_t *sequence, struct anole_error *error);

/* What to poll for; fds[ANOLE_PROCESS_POLLS]. */
void anole_process_polls(const struct anole_process *process, struct pollfd *fds);
/* Reads and writes what can be without waiting. */
void anole_process_service(struct anole_process *process);
/* The next frame of a worker; false if there is none, or it is dead. */
bool anole_process_take(struct anole_process *process, struct anole_frame *frame);

/* Marks it dead for what it said: `why` goes into "sent nonsense (...)". */
void anole_process_distrust(struct anole_process *process, const char *why);

/* Seconds that it has been ready to run, while other work had the cores, since the last call with
 * `begin`; 0: none, or not known. */
double anole_process_waited(struct anole_process *process, bool begin);

/* Asks for the end of all; anole_process_end() waits for that.  To end several, ask each
 * first. */
void anole_process_ask_end(struct anole_process *process);
/* Kills it if it lives, waits for it (well under a second), and sets trace.death if it had
 * died by itself.  The process then has no process. */
void anole_process_end(struct anole_process *process);
/* Asks an idle worker to close its device and go; true once it has.  Whoever does
 * not, anole_process_end() kills. */
void anole_process_ask_close(struct anole_process *process);
bool anole_process_closed(struct anole_process *process);

#endif
