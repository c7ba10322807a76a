/* SPDX-License-Identifier: MIT
 *
 * What `anole tune` is asked for, and the command line that asks for the rest of it.
 */
#ifndef ANOLE_CLI_TUNE_ARGUMENTS_H
#define ANOLE_CLI_TUNE_ARGUMENTS_H

#include "cli/command.h"
#include "cli/given_files.h"
#include "cli/options.h"

#include <stdint.h>
#include <stdbool.h>

#define ANOLE_TUNE_TRANSFERS 16
#define ANOLE_TUNE_DEVICES 16

/* All texts are borrowed: from the command line, or from whoever fills in defaults. */
struct anole_tune_arguments {
    const char *network, *kernel; /* one of them; NULL: the other */
    const char *device; /* the one of `devices` that is tuned on now; NULL: the only one */
    const char *history, *output, *baseline;
    const char *devices[ANOLE_TUNE_DEVICES];
    size_t device_count;
    char written[4096]; /* the lock file, once it is known */
    const char *explorer, *sampler;
    const char *transfers[ANOLE_TUNE_TRANSFERS];
    size_t transfer_count;
    double time;                   /* seconds; 0: no limit */
    double build_limit, run_limit; /* seconds; 0: as the device says */
    uint64_t trials;               /* 0: no limit */
    uint64_t seed, threads;
    uint64_t tolerance; /* percent */
    const char *from;   /* NULL: nothing is given */
    const char *timing; /* NULL: as the network leaves the caches */
    uint32_t precision; /* enum anole_dtype; 0: as the network says */
    const char *batch;  /* "4", or "1,2,4"; NULL: not given */
    uint64_t kernels;   /* a layer, over all sizes, at most; 0: any */
    const char *shapes[ANOLE_COMMAND_SHAPES];
    size_t shape_count;
    struct anole_given_inputs inputs;
    bool no_in_place, json, log_json;
};

/* As struct anole_command wants them. */
extern const struct anole_option anole_tune_options[];
enum anole_status anole_tune_take(void *context, size_t index, const char *value,
                                  struct anole_error *error);

/* Tells how to go on from here, after so many trials and seconds: on `arguments->device`, with
 * the time that is left. */
void anole_tune_say_resume(const struct anole_tune_arguments *arguments, size_t trials,
                           double elapsed);

#endif
