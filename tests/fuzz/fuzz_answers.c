/* SPDX-License-Identifier: MIT
 *
 * The tuner's end of the protocol: a worker that says whatever it likes, by a transport
 * without a process.
 */
#include "fuzz.h"

#include "worker/handle.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_ANSWERS 64

/* As batch.c, compare.c and registry.c read what they were waiting for. */
static void read_answer(struct anole_handle *handle, struct anole_handle_terms *terms,
                        const struct anole_frame *frame)
{
    static struct anole_probe_reply probed;
    static struct anole_vet_reply vetted;
    struct anole_trial_reply trial;
    struct anole_round_reply round;
    struct anole_wire wire;
    anole_wire_reader_init(&wire, frame->payload, frame->length);
    switch (frame->type) {
    case ANOLE_FRAME_VETTED:
        anole_wire_vet_reply(&wire, &vetted);
        FUZZ_REQUIRE(!anole_wire_complete(&wire) || vetted.driver_count <= ANOLE_MAX_DRIVERS);
        break;
    case ANOLE_FRAME_PROBED:
        anole_wire_probe_reply(&wire, &probed);
        FUZZ_REQUIRE(!anole_wire_complete(&wire) || probed.device_count <= ANOLE_MAX_DEVICES);
        break;
    case ANOLE_FRAME_SAMPLES:
        anole_wire_round_reply(&wire, &round);
        FUZZ_REQUIRE(!anole_wire_complete(&wire) || round.count <= ANOLE_MAX_SLOTS);
        break;
    default:
        anole_wire_trial_reply(&wire, &trial);
        FUZZ_REQUIRE(!anole_wire_complete(&wire) || trial.binary_bytes <= frame->length);
        if (anole_wire_complete(&wire))
            anole_handle_review(handle, terms, &trial.usage);
    }
}

/* -- The transport: a socket that somebody else writes to -- */

struct end {
    struct anole_connection base;
    struct anole_channel channel;
};

static struct anole_channel *channel_of(struct anole_connection *connection)
{
    return &((struct end *)connection)->channel;
}

static enum anole_status send_frame(struct anole_connection *connection, enum anole_frame_type type,
                                    const void *payload, size_t length, int data,
                                    uint32_t *sequence, struct anole_error *error)
{
    return anole_channel_queue(channel_of(connection), sequence, type, 0, payload, length, data,
                               error);
}

static void polls(const struct anole_connection *connection, struct pollfd *fds)
{
    (void)connection;
    (void)fds;
}

static enum anole_status service(struct anole_connection *connection, struct anole_error *error)
{
    struct anole_channel *channel = channel_of(connection);
    enum anole_status status = ANOLE_DONE;
    size_t before;
    do {
        before = channel->in_length;
        status = anole_channel_fill(channel, error);
    } while (status == ANOLE_DONE && channel->in_length > before);
    return status;
}

static enum anole_status receive(struct anole_connection *connection, struct anole_frame *frame,
                                 bool *got, bool *ended, struct anole_error *error)
{
    struct anole_channel *channel = channel_of(connection);
    enum anole_status status = anole_channel_take(channel, frame, got, error);
    if (status == ANOLE_DONE && *got && frame->descriptor >= 0)
        close(frame->descriptor);
    *ended = status == ANOLE_DONE && !*got && channel->ended;
    return status;
}

static void ask(struct anole_connection *connection)
{
    (void)connection;
}

static bool gone(struct anole_connection *connection)
{
    (void)connection;
    return true;
}

static void end(struct anole_connection *connection)
{
    struct anole_channel *channel = channel_of(connection);
    close(channel->descriptor);
    anole_channel_fini(channel);
}

static const struct anole_transport transport = {.name = "fuzz",
                                                 .send = send_frame,
                                                 .polls = polls,
                                                 .service = service,
                                                 .receive = receive,
                                                 .ask_end = ask,
                                                 .ask_close = ask,
                                                 .gone = gone,
                                                 .end = end};

FUZZ_TARGET(answers)
{
    static const enum anole_frame_type expected[] = {ANOLE_FRAME_BUILT,   ANOLE_FRAME_RESULT,
                                                     ANOLE_FRAME_SAMPLES, ANOLE_FRAME_VETTED,
                                                     ANOLE_FRAME_PROBED,  ANOLE_FRAME_READY};
    struct anole_handle_terms terms = {
        .build_limit = 1e9, .run_limit = 1e9, .worker_memory = 1 << 30};
    struct anole_handle handle;
    struct anole_frame frame;
    char text[256];
    int pair[2];
    fuzz_quiet();
    if (size < 1)
        return 0;
    FUZZ_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    anole_handle_init(&handle);
    struct end ours = {.base.transport = &transport};
    anole_channel_init(&ours.channel, pair[0]);
    handle.worker.process.connection = &ours.base;
    handle.worker.deadline = 1e30;
    anole_supervised_expect(&handle.worker,
                            expected[data[0] / 2 % (sizeof expected / sizeof *expected)], 1);
    fuzz_send(pair[1], data, size, NULL, 0);
    for (int i = 0; i < MOST_ANSWERS && anole_process_alive(&handle.worker.process); i++) {
        handle.worker.busy = true;
        enum anole_worker_event event =
            anole_handle_check(&handle, &terms, &frame, text, sizeof text);
        if (event == ANOLE_WORKER_ANSWERED)
            read_answer(&handle, &terms, &frame);
        else if (event != ANOLE_WORKER_WAITING)
            FUZZ_REQUIRE(memchr(text, '\0', sizeof text) != NULL);
    }
    anole_handle_empty(&handle);
    close(pair[1]);
    return 0;
}
