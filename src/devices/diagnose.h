/* SPDX-License-Identifier: MIT
 *
 * What `anole doctor` finds: each thing that tuning depends on, with what is wrong
 * with it and what mends that.
 */
#ifndef ANOLE_DIAGNOSE_H
#define ANOLE_DIAGNOSE_H

#include "devices/registry.h"

struct anole_finding {
    char subject[320]; /* whose: "cpu:0", "backend cpu", a path */
    char check[64];    /* what was looked at: "event timer" */
    enum anole_verdict verdict;
    char found[1200]; /* a sentence without a full stop; printable, as all of them */
    char mend[512];   /* the command that mends it, or ""  */
};

struct anole_findings { /* zero-initialise */
    struct anole_finding *items;
    size_t count;
};

void anole_findings_fini(struct anole_findings *findings);

/* Appends one; `mend` NULL: nothing. */
ANOLE_CHECKED enum anole_status anole_findings_add(struct anole_findings *findings,
                                                   const char *subject, const char *check,
                                                   enum anole_verdict verdict, const char *mend,
                                                   struct anole_error *error, const char *format,
                                                   ...) __attribute__((format(printf, 7, 8)));

size_t anole_findings_count(const struct anole_findings *findings, enum anole_verdict verdict);

/* Backends: found or refused, their drivers, their devices; each device runs
 * something.  A worker process for each; devices one after another.  `only` NULL:
 * all devices.  *well: devices at which no fault was found. */
ANOLE_CHECKED enum anole_status anole_diagnose_backends(
    struct anole_findings *findings, size_t *well, const struct anole_registry *registry,
    const struct anole_registry_device *only, uint32_t threads, struct anole_error *error);

#endif
