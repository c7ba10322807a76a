/* SPDX-License-Identifier: MIT
 *
 * A network as it ran, step by step: what `anole run --profile` says with --json, or its trace.
 */
#ifndef ANOLE_REPORT_NETWORK_H
#define ANOLE_REPORT_NETWORK_H

#include "base/status.h"

#include <stddef.h>

enum anole_report_step_kind {
    ANOLE_REPORT_STEP_TUNED,
    ANOLE_REPORT_STEP_DEFAULT,
    ANOLE_REPORT_STEP_BUILT_IN,
    ANOLE_REPORT_STEP_HOST,
    ANOLE_REPORT_STEP_OTHER,
};

struct anole_report_step {
    char *node, *label; /* as they stand in the file */
    enum anole_report_step_kind kind;
    double seconds; /* NaN: not known */
};

struct anole_report_network {
    char *name, *device;       /* NULL: a trace does not say */
    double latency, low, high; /* seconds; NaN: likewise */
    struct anole_report_step *steps;
    size_t step_count;
    double sum; /* of what is known of the steps */
};

/* ERR_INPUT if the file is neither, or was written without --profile. */
enum anole_status anole_report_network_load(struct anole_report_network **network, const char *path,
                                            struct anole_error *error) ANOLE_CHECKED;
void anole_report_network_destroy(struct anole_report_network *network);

/* A literal. */
const char *anole_report_step_text(enum anole_report_step_kind kind);

#endif
