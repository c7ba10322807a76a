/* SPDX-License-Identifier: MIT
 *
 * The worker's side of what a tuner asks of a plugin's pure ops (the tuner's: asked.h), and
 * what travels between the two.
 */
#ifndef ANOLE_ANSWER_H
#define ANOLE_ANSWER_H

#include "worker/lane.h"
#include "worker/message.h"

#define ANOLE_ASKED_TENSORS 4096u

enum anole_ask_op {
    ANOLE_ASK_SUPPORTS,
    ANOLE_ASK_SPACE,
    ANOLE_ASK_GENERATE,
    ANOLE_ASK_BIND, /* this slot means this task from now on; with the first comes a lane */
    ANOLE_ASK_COUNT,
};

struct anole_ask_request {
    char path[ANOLE_PATH];
    uint32_t op;   /* enum anole_ask_op */
    uint32_t slot; /* BIND */
    struct anole_device device;
    struct anole_task task;
    /* What plugins see of a kernel that comes with its task: task.custom points to it. */
    struct anole_custom custom;
    char custom_name[256];
    uint64_t *tensor_bytes; /* read: the reader's to free */
    uint32_t count;
    int64_t values[ANOLE_MAX_KNOBS];
};

void anole_wire_ask_request(struct anole_wire *wire, struct anole_ask_request *request);
/* Literals: "asked for its design space". */
const char *anole_ask_words(enum anole_ask_op op);

/* After a status and a text of it: SUPPORTS: a bool; SPACE: parts; GENERATE: parts.  A part is a
 * call of the builder. */
enum anole_ask_part {
    ANOLE_PART_END,
    ANOLE_PART_KNOB,
    ANOLE_PART_CONSTRAINT,
    ANOLE_PART_SOURCE,
    ANOLE_PART_OPTIONS,
    ANOLE_PART_LAUNCH,
    ANOLE_PART_SIZES, /* of packed weights and workspace */
};

#define ANOLE_PART_TEXT ((size_t)16 << 20)

/* What a worker keeps for the answers: tasks by slot, and its end of the lane. */
struct anole_answering;

ANOLE_CHECKED enum anole_status anole_answering_create(struct anole_answering **answering,
                                                       struct anole_error *error);
/* Writes the answer.  The request's tensors are taken over with BIND.  `along`: a lane, or -1. */
ANOLE_CHECKED enum anole_status anole_answer(struct anole_wire *answer,
                                             struct anole_answering *answering,
                                             const struct anole_backend *backend,
                                             struct anole_ask_request *request, int along,
                                             struct anole_error *error);

#endif
