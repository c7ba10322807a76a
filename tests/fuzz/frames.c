/* SPDX-License-Identifier: MIT
 *
 * What the targets share.
 */
#include "fuzz.h"

#include "base/log.h"
#include "worker/protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void fuzz_broken(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: a promise is broken: %s\n", file, line, condition);
    abort();
}

void fuzz_quiet(void)
{
    anole_log_set_level(ANOLE_LEVEL_ERROR);
}

/* -- Frames -- */

/* One message of the series; returns what is left of the input. */
static size_t queue_one(struct anole_channel *channel, const uint8_t *data, size_t size,
                        const void *prefix, size_t prefix_size)
{
    static uint8_t payload[FUZZ_MOST_BYTES];
    enum anole_frame_type type =
        (enum anole_frame_type)(1 + data[0] % (ANOLE_FRAME_TYPE_COUNT - 1));
    size_t length = (size_t)data[2] | (size_t)data[3] << 8, used = 0;
    struct anole_error error = {.status = ANOLE_DONE};
    if (length > size - 4)
        length = size - 4;
    if (data[1] & 2 && prefix_size > 0 && prefix_size + length <= sizeof payload) {
        memcpy(payload, prefix, prefix_size);
        used = prefix_size;
    }
    memcpy(payload + used, data + 4, length);
    /* One that is too long for its type is refused here, and not sent. */
    (void)!anole_channel_queue(channel, NULL, type, data[1] & 1, payload, used + length, -1,
                               &error);
    return size - 4 - length;
}

void fuzz_send(int socket, const uint8_t *data, size_t size, const void *prefix, size_t prefix_size)
{
    struct anole_channel channel;
    struct anole_error error = {.status = ANOLE_DONE};
    if (size > FUZZ_MOST_BYTES)
        size = FUZZ_MOST_BYTES;
    if (size > 0 && data[0] & 1) {
        if (write(socket, data + 1, size - 1) < 0)
            perror("write");
    } else if (size > 0) {
        anole_channel_init(&channel, socket);
        for (size_t at = 1; size - at >= 4 && channel.out_length < FUZZ_MOST_BYTES;)
            at = size - queue_one(&channel, data + at, size - at, prefix, prefix_size);
        (void)!anole_channel_flush(&channel, &error);
        anole_channel_fini(&channel);
    }
    shutdown(socket, SHUT_WR);
}
