/* SPDX-License-Identifier: MIT
 *
 * What the frames between the tuner and its workers say.  Each message is a
 * plain struct with one function that writes or reads it, as the wire has it.
 * Everything that is read is within its bounds; whether it makes sense is for
 * the reader to check.
 */
#ifndef ANOLE_MESSAGE_H
#define ANOLE_MESSAGE_H

#include "space/space.h"
#include "exec/stage.h"
#include "plugin/backend.h"
#include "worker/protocol.h"
#include "worker/wire.h"
#include "space/result.h"

#define ANOLE_PATH 4096
#define ANOLE_DRIVER 256 /* bytes of a driver's name */
#define ANOLE_MAX_DRIVERS 64
#define ANOLE_MAX_DEVICES 64  /* of one driver */
#define ANOLE_MAX_FINDINGS 64 /* of one diagnosis */
#define ANOLE_CONCLUSION 600
#define ANOLE_MAX_CHECKS 4 /* configs that a reference is made and checked with */

struct anole_vet_request {
    char path[ANOLE_PATH];
    uint32_t threads;
};

struct anole_vet_reply {
    uint32_t refusal;              /* enum anole_refusal */
    char reason[ANOLE_ERROR_TEXT]; /* if refused */
    char name[64], version[64];
    uint32_t generator;
    uint32_t driver_count;
    char drivers[ANOLE_MAX_DRIVERS][ANOLE_DRIVER];
    char problem[ANOLE_ERROR_TEXT]; /* why the drivers could not be listed */
};

struct anole_probe_request {
    char path[ANOLE_PATH];
    char driver[ANOLE_DRIVER];
    uint32_t threads;
};

struct anole_probe_reply {
    uint32_t device_count;
    struct anole_device devices[ANOLE_MAX_DEVICES];
    char problem[ANOLE_ERROR_TEXT]; /* why there is none; "" if all went well */
};

struct anole_diagnose_request {
    char path[ANOLE_PATH];
    bool has_driver; /* else it is about what comes before drivers */
    char driver[ANOLE_DRIVER];
    uint32_t index; /* of a device, or ANOLE_ALL_DEVICES */
    uint32_t threads;
};

struct anole_finding_text {
    char check[64];
    uint32_t verdict; /* enum anole_verdict */
    char found[512], mend[512];
};

struct anole_diagnose_reply {
    uint32_t count;
    struct anole_finding_text findings[ANOLE_MAX_FINDINGS];
};

struct anole_prepare_request {
    struct anole_task task; /* .custom: as for a task request */
    uint64_t seed;
    uint32_t threads;
    /* Of a kernel that comes with its task: the default config, then some to check
     * it by.  The worker holds the device and the task. */
    uint32_t config_count, value_count;
    int64_t values[ANOLE_MAX_CHECKS][ANOLE_MAX_KNOBS];
};

struct anole_open_request {
    char path[ANOLE_PATH];
    char driver[ANOLE_DRIVER];
    uint32_t threads;
    double sample_time;
    uint64_t constants;         /* as in struct anole_target_options */
    struct anole_device device; /* as the tuner knows it: what kernels are generated for */
};

struct anole_task_request {
    struct anole_task task; /* when read, .custom is the reader's to destroy */
    bool data;              /* comes along */
};

/* TRIAL, BUILD and LOAD. */
struct anole_trial_request {
    uint32_t value_count;
    int64_t values[ANOLE_MAX_KNOBS];
    double best;            /* TRIAL: seconds; NaN: none */
    enum anole_timer timer; /* the task's, if it is decided: see anole_runner_set_timer() */
    uint32_t salt;          /* not 0: build it anew, whatever a compiler has kept of it */
    const void *binary;     /* TRIAL, LOAD; borrowed */
    size_t binary_bytes;
};

struct anole_trial_reply {
    struct anole_result result;
    struct anole_usage usage;
    const void *binary; /* BUILT; borrowed from the frame */
    size_t binary_bytes;
};

struct anole_round_reply {
    uint32_t count;
    double seconds[ANOLE_MAX_SLOTS]; /* NaN: that slot failed */
    uint32_t failed;                 /* the slot that did; UINT32_MAX: none */
    bool disturbed;                  /* some of these, and taking them again was of no use */
    double crowding;                 /* as in struct anole_result */
    uint32_t outcome;
    char message[256];
    struct anole_usage usage;
};

struct anole_failed_reply {
    uint32_t status; /* -(enum anole_status) */
    char text[ANOLE_ERROR_TEXT];
};

struct anole_stage_event {
    uint32_t stage;
    uint32_t slot;         /* in a round: whose turn it is */
    char step[ANOLE_STEP]; /* in words of the worker's own; "": those of the stage */
};

/* Of a clause of `anole plugin check`. */
struct anole_concluded_reply {
    uint32_t verdict; /* enum anole_check_verdict */
    uint64_t number;  /* whatever the next clauses need to know of this one */
    char text[ANOLE_CONCLUSION];
};

struct anole_log_event {
    uint32_t level;
    bool plugin; /* the plugin says it; else the worker does */
    char text[4096];
};

struct anole_hello_event {
    char version[64]; /* of the worker */
};

void anole_wire_device(struct anole_wire *wire, struct anole_device *device);
void anole_wire_task(struct anole_wire *wire, struct anole_task *task);
void anole_wire_vet_request(struct anole_wire *wire, struct anole_vet_request *message);
void anole_wire_vet_reply(struct anole_wire *wire, struct anole_vet_reply *message);
void anole_wire_probe_request(struct anole_wire *wire, struct anole_probe_request *message);
void anole_wire_probe_reply(struct anole_wire *wire, struct anole_probe_reply *message);
void anole_wire_diagnose_request(struct anole_wire *wire, struct anole_diagnose_request *message);
void anole_wire_diagnose_reply(struct anole_wire *wire, struct anole_diagnose_reply *message);
void anole_wire_prepare_request(struct anole_wire *wire, struct anole_prepare_request *message);
void anole_wire_open_request(struct anole_wire *wire, struct anole_open_request *message);
void anole_wire_task_request(struct anole_wire *wire, struct anole_task_request *message);
void anole_wire_trial_request(struct anole_wire *wire, struct anole_trial_request *message);
void anole_wire_trial_reply(struct anole_wire *wire, struct anole_trial_reply *message);
void anole_wire_round_reply(struct anole_wire *wire, struct anole_round_reply *message);
void anole_wire_failed_reply(struct anole_wire *wire, struct anole_failed_reply *message);
void anole_wire_stage_event(struct anole_wire *wire, struct anole_stage_event *message);
void anole_wire_concluded_reply(struct anole_wire *wire, struct anole_concluded_reply *message);
void anole_wire_log_event(struct anole_wire *wire, struct anole_log_event *message);
void anole_wire_hello_event(struct anole_wire *wire, struct anole_hello_event *message);

#endif
