/* SPDX-License-Identifier: MIT
 *
 * Frames over a stream socket, between the tuner and a worker.
 *
 * A frame is a header of 32 bytes (magic, protocol version, type, sequence, the
 * sequence of the request it answers, length, flags, a hash of all that and of
 * the payload) and a payload.  Neither side trusts the other: lengths are
 * bounded by type before anything is allocated, memory grows with what has
 * arrived, sequences must be consecutive, and one frame that is not right breaks
 * the channel for good.  A plugin that scribbles over the descriptor costs its
 * worker, no more.
 *
 * The same code serves both ends: the tuner's descriptor does not block, the
 * worker's does.
 */
#ifndef ANOLE_PROTOCOL_H
#define ANOLE_PROTOCOL_H

#include "base/status.h"
#include "exec/stage.h"

#include <stddef.h>
#include <stdint.h>

#define ANOLE_PROTOCOL_VERSION 5u
#define ANOLE_FRAME_MAGIC 0x46454c41u /* "ALEF" */
#define ANOLE_FRAME_HEADER 32u
#define ANOLE_STEP 256 /* bytes of what a worker says that it does, in words */

/* name, largest payload in bytes */
#define ANOLE_FRAME_MAP(X)                                                                         \
    /* what the tuner asks */                                                                      \
    X(VET, 8192)        /* load a plugin, list its drivers */                                      \
    X(PROBE, 16384)     /* load a plugin, describe one driver's devices */                         \
    X(PREPARE, 8 << 20) /* compute a task's data and reference into the file that comes along */   \
    X(OPEN, 32768)      /* load a plugin, open a device */                                         \
    X(TASK, 8 << 20)    /* this task from now on; its data may come along */                       \
    X(BUILD, 65536)     /* build a config, give back the binary */                                 \
    X(TRIAL, ANOLE_MAX_BINARY + 65536) /* build, verify and time a config */                       \
    X(LOAD, ANOLE_MAX_BINARY + 65536)  /* build and verify a config, keep it */                    \
    X(ROUND, 64)                       /* time once, in turn, what was loaded */                   \
    X(UNLOAD, 64)                      /* forget what was loaded */                                \
    X(DIAGNOSE, 16384)                 /* load a plugin, let it look for what is wrong */          \
    X(COMPILE, 9 << 20)                /* load a plugin, build kernels, give back the binaries */  \
    X(ASK, 65536)                      /* one of a plugin's pure ops: worker/answer.h */           \
    X(NETWORK, 9 << 20)                /* load a plugin, run a whole network: src/inplace */       \
    /* what a worker says */                                                                       \
    X(HELLO, 256)                                                                                  \
    X(VETTED, 65536)                                                                               \
    X(PROBED, 1 << 20)                                                                             \
    X(READY, 256) /* PREPARE, OPEN, TASK or UNLOAD is done */                                      \
    X(BUILT, ANOLE_MAX_BINARY + 65536)                                                             \
    X(RESULT, 65536)  /* of TRIAL or LOAD */                                                       \
    X(SAMPLES, 65536) /* of ROUND */                                                               \
    X(DIAGNOSED, 131072)                                                                           \
    X(COMPILED, ANOLE_MAX_BINARY + 65536)                                                          \
    X(ASKED, 32 << 20)                                                                             \
    X(NETWORK_RAN, 1 << 20)                                                                        \
    X(FAILED, 8192) /* the request failed, through no fault of a kernel */                         \
    /* what a worker says unasked */                                                               \
    X(STAGE, 512) /* what it does next */                                                          \
    X(LOG, 8192)  /* a line from the plugin */                                                     \
    /* what a clause of `anole plugin check` says, of the copy of a process that it runs in */     \
    X(CONCLUDED, 1024)

enum anole_frame_type {
    ANOLE_FRAME_NONE,
#define X(name, limit) ANOLE_FRAME_##name,
    ANOLE_FRAME_MAP(X)
#undef X
        ANOLE_FRAME_TYPE_COUNT
};

/* A literal, e.g. "VET"; "unknown" for what is none. */
const char *anole_frame_name(unsigned type);

struct anole_frame {
    enum anole_frame_type type;
    uint32_t sequence;
    uint32_t reply_to;      /* the request's sequence; 0 in requests */
    const uint8_t *payload; /* valid until the channel is filled or destroyed */
    size_t length;
    int descriptor; /* that came along, the receiver's to close; -1: none */
};

struct anole_channel {
    int descriptor; /* of the socket; borrowed */
    uint8_t *in;    /* what has arrived and is not yet taken */
    size_t in_start, in_length, in_capacity;
    uint32_t in_sequence; /* of the last frame taken */
    int arrived;          /* a descriptor that waits for its frame, or -1 */
    uint8_t *out;         /* what is queued and not yet sent */
    size_t out_start, out_length, out_capacity;
    uint32_t out_sequence;
    int leaving;          /* a descriptor to send (owned), or -1 */
    size_t leaving_after; /* bytes of `out` that go before it */
    bool ended;           /* the other side has closed */
    bool broken;          /* something arrived that is no frame */
};

void anole_channel_init(struct anole_channel *channel, int descriptor);
void anole_channel_fini(struct anole_channel *channel);

/* Appends a frame to what is to be sent.  `along` (-1: none) is duplicated; only
 * one may wait at a time.  *sequence (may be NULL): the frame's. */
ANOLE_CHECKED enum anole_status anole_channel_queue(struct anole_channel *channel,
                                                    uint32_t *sequence, enum anole_frame_type type,
                                                    uint32_t reply_to, const void *payload,
                                                    size_t length, int along,
                                                    struct anole_error *error);
/* Sends what is queued: all of it if the socket blocks, else as much as goes.
 * That the other side is gone sets `ended` and is no failure. */
ANOLE_CHECKED enum anole_status anole_channel_flush(struct anole_channel *channel,
                                                    struct anole_error *error);
bool anole_channel_unsent(const struct anole_channel *channel);

/* Receives: waits for at least a byte if the socket blocks, else takes what is
 * there.  The other side's end sets `ended` and is no failure. */
ANOLE_CHECKED enum anole_status anole_channel_fill(struct anole_channel *channel,
                                                   struct anole_error *error);
/* The next whole frame.  *got false: none has arrived yet.  ERR_WORKER if what
 * arrived is no frame, ERR_VERSION if it is one of another protocol. */
ANOLE_CHECKED enum anole_status anole_channel_take(struct anole_channel *channel,
                                                   struct anole_frame *frame, bool *got,
                                                   struct anole_error *error);

#endif
