/* SPDX-License-Identifier: MIT
 *
 * The tuner's end of the protocol: a worker that says whatever it likes.  There
 * is no process behind the link: see FUZZ_NOBODY.
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
    handle.process.pid = FUZZ_NOBODY;
    anole_channel_init(&handle.process.channel, pair[0]);
    handle.deadline = 1e30;
    handle.awaited = 1;
    handle.expected = expected[data[0] / 2 % (sizeof expected / sizeof *expected)];
    fuzz_send(pair[1], data, size, NULL, 0);
    for (int i = 0; i < MOST_ANSWERS && anole_process_alive(&handle.process); i++) {
        handle.busy = true;
        enum anole_handle_event event =
            anole_handle_check(&handle, &terms, &frame, text, sizeof text);
        if (event == ANOLE_HANDLE_ANSWERED)
            read_answer(&handle, &terms, &frame);
        else if (event != ANOLE_HANDLE_WAITING)
            FUZZ_REQUIRE(memchr(text, '\0', sizeof text) != NULL);
    }
    anole_handle_empty(&handle); /* closes our end */
    close(pair[1]);
    return 0;
}
