/* SPDX-License-Identifier: MIT */
#include "worker/protocol.h"

#include "base/hash.h"
#include "worker/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_CHUNK ((size_t)64 << 10)
#define FLAG_DESCRIPTOR 1u
#define HASHED_HEADER 24u /* bytes of the header before its hash */

static const struct {
    const char *name;
    size_t limit;
} types[] = {{"none", 0},
#define X(name, limit) {#name, limit},
             ANOLE_FRAME_MAP(X)
#undef X
};

const char *anole_frame_name(unsigned type)
{
    return type > 0 && type < ANOLE_FRAME_TYPE_COUNT ? types[type].name : "unknown";
}

void anole_channel_init(struct anole_channel *channel, int descriptor)
{
    *channel = (struct anole_channel){.descriptor = descriptor, .arrived = -1, .leaving = -1};
}

void anole_channel_fini(struct anole_channel *channel)
{
    if (channel->arrived >= 0)
        close(channel->arrived);
    if (channel->leaving >= 0)
        close(channel->leaving);
    free(channel->in);
    free(channel->out);
    anole_channel_init(channel, -1);
}

/* Makes room for `bytes` after what is in a buffer, moving it to the front. */
static bool make_room(uint8_t **data, size_t *start, size_t *length, size_t *capacity, size_t bytes)
{
    if (*start > 0) {
        memmove(*data, *data + *start, *length);
        *start = 0;
    }
    if (bytes <= *capacity - *length)
        return true;
    size_t wanted = *capacity ? *capacity : 4096;
    while (wanted - *length < bytes)
        wanted *= 2;
    uint8_t *grown = realloc(*data, wanted);
    if (!grown)
        return false;
    *data = grown;
    *capacity = wanted;
    return true;
}

struct header {
    uint32_t magic;
    uint16_t version, type;
    uint32_t sequence, reply_to, length, flags;
    uint64_t hash;
};

static void wire_header(struct anole_wire *wire, struct header *header)
{
    anole_wire_u32(wire, &header->magic);
    anole_wire_u16(wire, &header->version);
    anole_wire_u16(wire, &header->type);
    anole_wire_u32(wire, &header->sequence);
    anole_wire_u32(wire, &header->reply_to);
    anole_wire_u32(wire, &header->length);
    anole_wire_u32(wire, &header->flags);
    anole_wire_u64(wire, &header->hash);
}

static uint64_t frame_hash(const uint8_t *header, const uint8_t *payload, size_t length)
{
    return anole_hash_combine(anole_hash_bytes(header, HASHED_HEADER),
                              anole_hash_bytes(payload, length));
}

/* Puts a header for `payload` in front of it; both go to `place`. */
static bool write_frame(uint8_t *place, struct header *header, const void *payload)
{
    struct anole_wire wire;
    anole_wire_writer_init(&wire);
    wire_header(&wire, header);
    if (!wire.failed) {
        header->hash = frame_hash(wire.data, payload, header->length);
        anole_wire_clear(&wire);
        wire_header(&wire, header);
    }
    bool made = !wire.failed;
    if (made) {
        memcpy(place, wire.data, ANOLE_FRAME_HEADER);
        if (header->length > 0)
            memcpy(place + ANOLE_FRAME_HEADER, payload, header->length);
    }
    anole_wire_fini(&wire);
    return made;
}

enum anole_status anole_channel_queue(struct anole_channel *channel, uint32_t *sequence,
                                      enum anole_frame_type type, uint32_t reply_to,
                                      const void *payload, size_t length, int along,
                                      struct anole_error *error)
{
    if (length > types[type].limit)
        return anole_fail(error, ANOLE_ERR_INTERNAL,
                          "a %s frame of %zu bytes is over the limit of %zu",
                          anole_frame_name(type), length, types[type].limit);
    if (along >= 0 && channel->leaving >= 0)
        return anole_fail(error, ANOLE_ERR_INTERNAL, "two descriptors wait to be sent to a worker");
    if (!make_room(&channel->out, &channel->out_start, &channel->out_length, &channel->out_capacity,
                   ANOLE_FRAME_HEADER + length))
        return anole_fail_memory(error);
    if (along >= 0) {
        channel->leaving = fcntl(along, F_DUPFD_CLOEXEC, 0);
        if (channel->leaving < 0)
            return anole_fail_errno(error, "cannot duplicate a descriptor for a worker");
        channel->leaving_after = channel->out_length;
    }
    struct header header = {.magic = ANOLE_FRAME_MAGIC,
                            .version = ANOLE_PROTOCOL_VERSION,
                            .type = (uint16_t)type,
                            .sequence = channel->out_sequence + 1,
                            .reply_to = reply_to,
                            .length = (uint32_t)length,
                            .flags = along >= 0 ? FLAG_DESCRIPTOR : 0};
    if (!write_frame(channel->out + channel->out_length, &header, payload))
        return anole_fail_memory(error);
    channel->out_length += ANOLE_FRAME_HEADER + length;
    channel->out_sequence = header.sequence;
    if (sequence)
        *sequence = header.sequence;
    return ANOLE_DONE;
}

bool anole_channel_unsent(const struct anole_channel *channel)
{
    return channel->out_length > 0 && !channel->ended;
}

/* One sendmsg: up to where a descriptor has to go along, or with it. */
static ssize_t send_some(struct anole_channel *channel)
{
    struct iovec part = {channel->out + channel->out_start, channel->out_length};
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (channel->leaving >= 0 && channel->leaving_after > 0) {
        part.iov_len = channel->leaving_after;
    } else if (channel->leaving >= 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.space;
        message.msg_controllen = sizeof control.space;
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(head), &channel->leaving, sizeof(int));
    }
    ssize_t sent = sendmsg(channel->descriptor, &message, MSG_NOSIGNAL);
    if (sent > 0 && message.msg_control) {
        close(channel->leaving);
        channel->leaving = -1;
    } else if (sent > 0 && channel->leaving >= 0) {
        channel->leaving_after -= (size_t)sent;
    }
    return sent;
}

enum anole_status anole_channel_flush(struct anole_channel *channel, struct anole_error *error)
{
    while (anole_channel_unsent(channel)) {
        ssize_t sent = send_some(channel);
        if (sent >= 0) {
            channel->out_start += (size_t)sent;
            channel->out_length -= (size_t)sent;
        } else if (errno == EPIPE || errno == ECONNRESET) {
            channel->ended = true;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return ANOLE_DONE;
        } else if (errno != EINTR) {
            return anole_fail_errno(error, "cannot send to a worker process");
        }
    }
    if (channel->out_length == 0)
        channel->out_start = 0;
    return ANOLE_DONE;
}

/* Keeps the descriptor that came with a message; a second one is closed. */
static void keep_descriptors(struct anole_channel *channel, struct msghdr *message)
{
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(head) + i * sizeof(int), sizeof descriptor);
            if (channel->arrived < 0)
                channel->arrived = descriptor;
            else
                close(descriptor);
        }
    }
}

enum anole_status anole_channel_fill(struct anole_channel *channel, struct anole_error *error)
{
    if (!make_room(&channel->in, &channel->in_start, &channel->in_length, &channel->in_capacity,
                   RECEIVE_CHUNK))
        return anole_fail_memory(error);
    struct iovec part = {channel->in + channel->in_length,
                         channel->in_capacity - channel->in_length};
    union {
        char space[CMSG_SPACE(4 * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.space,
                             .msg_controllen = sizeof control.space};
    ssize_t got;
    do {
        got = recvmsg(channel->descriptor, &message, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return ANOLE_DONE;
    if (got < 0 && errno != ECONNRESET)
        return anole_fail_errno(error, "cannot receive from a worker process");
    if (got <= 0) {
        channel->ended = true;
        return ANOLE_DONE;
    }
    keep_descriptors(channel, &message);
    channel->in_length += (size_t)got;
    return ANOLE_DONE;
}

/* What is wrong with a header, as a failure. */
static enum anole_status check_header(const struct anole_channel *channel,
                                      const struct header *header, struct anole_error *error)
{
    if (header->magic != ANOLE_FRAME_MAGIC)
        return anole_fail(error, ANOLE_ERR_WORKER,
                          "what arrived is no message: it begins with %08x, expected %08x",
                          header->magic, ANOLE_FRAME_MAGIC);
    if (header->version != ANOLE_PROTOCOL_VERSION)
        return anole_fail(error, ANOLE_ERR_VERSION,
                          "anole and anole-worker do not match: expected protocol %u, found %u; "
                          "install both from one version",
                          ANOLE_PROTOCOL_VERSION, header->version);
    if (header->type == 0 || header->type >= ANOLE_FRAME_TYPE_COUNT)
        return anole_fail(error, ANOLE_ERR_WORKER, "a message has the unknown type %u",
                          header->type);
    if (header->length > types[header->type].limit)
        return anole_fail(
            error, ANOLE_ERR_WORKER, "a %s message claims %u bytes, over the limit of %zu",
            anole_frame_name(header->type), header->length, types[header->type].limit);
    if (header->sequence != channel->in_sequence + 1)
        return anole_fail(error, ANOLE_ERR_WORKER,
                          "a message is out of sequence: expected number %u, found %u",
                          channel->in_sequence + 1, header->sequence);
    return ANOLE_DONE;
}

enum anole_status anole_channel_take(struct anole_channel *channel, struct anole_frame *frame,
                                     bool *got, struct anole_error *error)
{
    *got = false;
    if (channel->broken)
        return anole_fail(error, ANOLE_ERR_WORKER, "the connection to a worker is broken");
    if (channel->in_length < ANOLE_FRAME_HEADER)
        return ANOLE_DONE;
    const uint8_t *start = channel->in + channel->in_start;
    struct anole_wire wire;
    struct header header;
    anole_wire_reader_init(&wire, start, ANOLE_FRAME_HEADER);
    wire_header(&wire, &header);
    enum anole_status status = check_header(channel, &header, error);
    if (status != ANOLE_DONE)
        goto broken;
    size_t whole = ANOLE_FRAME_HEADER + (size_t)header.length;
    if (channel->in_length < whole)
        return ANOLE_DONE;
    const uint8_t *payload = start + ANOLE_FRAME_HEADER;
    bool along = header.flags & FLAG_DESCRIPTOR;
    if (frame_hash(start, payload, header.length) != header.hash ||
        (along && channel->arrived < 0)) {
        status = anole_fail(error, ANOLE_ERR_WORKER, "a %s message arrived damaged",
                            anole_frame_name(header.type));
        goto broken;
    }
    *frame = (struct anole_frame){.type = (enum anole_frame_type)header.type,
                                  .sequence = header.sequence,
                                  .reply_to = header.reply_to,
                                  .payload = payload,
                                  .length = header.length,
                                  .descriptor = along ? channel->arrived : -1};
    if (along)
        channel->arrived = -1;
    channel->in_start += whole;
    channel->in_length -= whole;
    channel->in_sequence = header.sequence;
    *got = true;
    return ANOLE_DONE;
broken:
    channel->broken = true;
    return status;
}
