/* SPDX-License-Identifier: MIT */
#include "worker/process.h"

#include "base/log.h"
#include "base/text.h"
#include "worker/transport_local.h"

#include <stdio.h>
#include <string.h>

void anole_process_init(struct anole_process *process)
{
    *process = (struct anole_process){.connection = NULL};
}

bool anole_process_alive(const struct anole_process *process)
{
    return process->connection && !process->dead;
}

enum anole_status anole_process_start(struct anole_process *process,
                                      const struct anole_transport *transport,
                                      const struct anole_worker_start *start,
                                      struct anole_error *error)
{
    anole_process_init(process);
    if (!transport)
        transport = &anole_transport_local;
    return transport->start(&process->connection, &process->trace, start, error);
}

/* -- Talking -- */

enum anole_status anole_process_send(struct anole_process *process, enum anole_frame_type type,
                                     const struct anole_wire *payload, int data, uint32_t *sequence,
                                     struct anole_error *error)
{
    struct anole_connection *connection = process->connection;
    if (payload && payload->failed)
        return anole_fail_memory(error);
    return connection->transport->send(connection, type, payload ? payload->data : NULL,
                                       payload ? payload->length : 0, data, sequence, error);
}

void anole_process_polls(const struct anole_process *process, struct pollfd *fds)
{
    for (int i = 0; i < ANOLE_PROCESS_POLLS; i++)
        fds[i] = (struct pollfd){.fd = -1};
    if (anole_process_alive(process))
        process->connection->transport->polls(process->connection, fds);
}

void anole_process_distrust(struct anole_process *process, const char *why)
{
    struct anole_worker_trace *trace = &process->trace;
    char said[sizeof trace->death + 32];
    if (process->dead)
        return;
    process->dead = true;
    snprintf(said, sizeof said, "sent nonsense (%.*s)", (int)sizeof trace->death, why);
    anole_text_printable(trace->death, sizeof trace->death, said);
}

/* The connection failed: as a rule because of what came over it. */
static void give_up(struct anole_process *process, const struct anole_error *error)
{
    if (error->status != ANOLE_ERR_MEMORY) {
        anole_process_distrust(process, error->text);
        return;
    }
    process->dead = process->starved = true;
    snprintf(process->trace.death, sizeof process->trace.death,
             "could not be heard (out of memory)");
}

void anole_process_service(struct anole_process *process)
{
    struct anole_error error = {.status = ANOLE_DONE};
    if (!anole_process_alive(process))
        return;
    if (process->connection->transport->service(process->connection, &error) != ANOLE_DONE)
        give_up(process, &error);
}

bool anole_process_take(struct anole_process *process, struct anole_frame *frame)
{
    struct anole_error error = {.status = ANOLE_DONE};
    bool got = false, ended = false;
    if (!anole_process_alive(process))
        return false;
    if (process->connection->transport->receive(process->connection, frame, &got, &ended, &error) !=
        ANOLE_DONE) {
        give_up(process, &error);
        return false;
    }
    process->dead |= ended; /* how, anole_process_end() finds out */
    return got;
}

/* -- Ending -- */

double anole_process_waited(struct anole_process *process, bool begin)
{
    struct anole_connection *connection = process->connection;
    if (!connection || !connection->transport->waited)
        return 0.0;
    return connection->transport->waited(connection, begin);
}

void anole_process_ask_end(struct anole_process *process)
{
    if (process->connection)
        process->connection->transport->ask_end(process->connection);
}

void anole_process_end(struct anole_process *process)
{
    if (process->connection)
        process->connection->transport->end(process->connection);
    process->connection = NULL;
    process->dead = true;
}

void anole_process_ask_close(struct anole_process *process)
{
    if (anole_process_alive(process))
        process->connection->transport->ask_close(process->connection);
}

bool anole_process_closed(struct anole_process *process)
{
    const struct anole_worker_trace *trace = &process->trace;
    char words[512];
    if (!process->connection)
        return true;
    if (!process->connection->transport->gone(process->connection))
        return false;
    if (trace->death[0] && strcmp(trace->death, "exited with code 0") != 0)
        anole_log_debug("a worker process %s as it closed its device; its last words: %s",
                        trace->death, anole_output_last_words(&trace->err, words, sizeof words));
    anole_process_end(process);
    return true;
}
