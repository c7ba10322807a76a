/* SPDX-License-Identifier: MIT
 *
 * The tuner's end of one worker process: starting it, talking to it without
 * ever waiting for it, hearing what it says on its stderr, finding out how it
 * died, and killing it with everything that it started.
 *
 * Workers end with this process, however that ends (guard.h), and not with the thread
 * that started them.
 */
#ifndef ANOLE_PROCESS_H
#define ANOLE_PROCESS_H

#include "worker/protocol.h"
#include "worker/wire.h"

#include <poll.h>
#include <sys/types.h>

#define ANOLE_PROCESS_TAIL 2048 /* bytes of stderr that are kept: the last ones */
#define ANOLE_PROCESS_POLLS 2   /* struct pollfds that a process needs */

struct anole_process {
    pid_t pid; /* of the guard; 0: there is no process */
    struct anole_channel channel;
    int errors; /* the pipe that its stdout and stderr end in */
    char tail[ANOLE_PROCESS_TAIL];
    size_t tail_length;
    bool dead;       /* it has ended, or what it says makes no sense */
    bool starved;    /* dead because memory of ours ran out: it is not to blame */
    char death[192]; /* how: "was killed by SIGSEGV", "exited with code 3" */
};

/* A process without a process. */
void anole_process_init(struct anole_process *process);
/* Starts one.  `scratch`: see scratch.h; may be NULL. */
enum anole_status anole_process_start(struct anole_process *process, const char *scratch,
                                      struct anole_error *error);
bool anole_process_alive(const struct anole_process *process);

/* Queues a request that `payload` holds, and sends what goes.  `along`: a
 * descriptor, or -1.  That the worker has died is no failure: it shows later. */
enum anole_status anole_process_send(struct anole_process *process, enum anole_frame_type type,
                                     const struct anole_wire *payload, int along,
                                     uint32_t *sequence, struct anole_error *error);

/* What to poll for; fds[ANOLE_PROCESS_POLLS]. */
void anole_process_polls(const struct anole_process *process, struct pollfd *fds);
/* Reads and writes what can be without waiting. */
void anole_process_service(struct anole_process *process);
/* The next frame of a worker; false if there is none, or it is dead. */
bool anole_process_take(struct anole_process *process, struct anole_frame *frame);

/* Marks it dead for what it said: `why` goes into "sent nonsense (...)". */
void anole_process_distrust(struct anole_process *process, const char *why);

/* Asks the guard to kill all; anole_process_end() waits for that.  To end several,
 * ask each first. */
void anole_process_ask_end(struct anole_process *process);
/* Kills it if it lives, waits for it (well under a second), and sets `death` if
 * it had died by itself.  The process then has no process. */
void anole_process_end(struct anole_process *process);
/* Asks an idle worker to close its device and go; true once it has.  Whoever does
 * not, anole_process_end() kills. */
void anole_process_ask_close(struct anole_process *process);
bool anole_process_closed(struct anole_process *process);

/* What it said last, printable, on one line: the end of it if it is too long.
 * Returns out. */
const char *anole_process_last_words(const struct anole_process *process, char *out, size_t size);

#endif
