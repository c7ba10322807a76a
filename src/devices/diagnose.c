/* SPDX-License-Identifier: MIT */
#include "devices/diagnose.h"

#include "base/text.h"
#include "worker/oneshot.h"
#include "worker/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT 60.0 /* seconds for a driver or a device */

/* -- Findings -- */

void anole_findings_fini(struct anole_findings *findings)
{
    free(findings->items);
    *findings = (struct anole_findings){.items = NULL};
}

enum anole_status anole_findings_add(struct anole_findings *findings, const char *subject,
                                     const char *check, enum anole_verdict verdict,
                                     const char *mend, struct anole_error *error,
                                     const char *format, ...)
{
    char found[sizeof findings->items->found];
    struct anole_finding *grown = reallocarray(findings->items, findings->count + 1, sizeof *grown);
    if (!grown)
        return anole_fail_memory(error);
    findings->items = grown;
    struct anole_finding *finding = &grown[findings->count++];
    va_list args;
    va_start(args, format);
    vsnprintf(found, sizeof found, format, args);
    va_end(args);
    finding->verdict = verdict;
    anole_text_printable(finding->subject, sizeof finding->subject, subject);
    anole_text_printable(finding->check, sizeof finding->check, check);
    anole_text_printable(finding->found, sizeof finding->found, found);
    anole_text_printable(finding->mend, sizeof finding->mend, mend ? mend : "");
    return ANOLE_DONE;
}

size_t anole_findings_count(const struct anole_findings *findings, enum anole_verdict verdict)
{
    size_t count = 0;
    for (size_t i = 0; i < findings->count; i++)
        count += findings->items[i].verdict == verdict;
    return count;
}

/* -- Asking a plugin -- */

static enum anole_status take_reply(struct anole_findings *findings, const char *subject,
                                    const struct anole_oneshot *oneshot, struct anole_error *error)
{
    struct anole_wire wire;
    struct anole_diagnose_reply *reply = calloc(1, sizeof *reply);
    enum anole_status status = ANOLE_DONE;
    if (!reply)
        return anole_fail_memory(error);
    anole_wire_reader_init(&wire, oneshot->answer, oneshot->answer_length);
    anole_wire_diagnose_reply(&wire, reply);
    if (!anole_wire_complete(&wire))
        status = anole_findings_add(findings, subject, "diagnosis", ANOLE_VERDICT_FAULT, NULL,
                                    error, "the worker answered with nonsense");
    for (uint32_t i = 0; status == ANOLE_DONE && !wire.failed && i < reply->count; i++) {
        const struct anole_finding_text *text = &reply->findings[i];
        enum anole_verdict verdict = text->verdict <= ANOLE_VERDICT_SKIPPED
                                         ? (enum anole_verdict)text->verdict
                                         : ANOLE_VERDICT_FAULT;
        status = anole_findings_add(findings, subject, text->check, verdict, text->mend, error,
                                    "%s", text->found);
    }
    free(reply);
    return status;
}

/* In a worker of its own.  `driver` NULL, `index`: as for the op. */
static enum anole_status ask(struct anole_findings *findings, const char *subject,
                             const struct anole_registry_entry *entry, const char *driver,
                             uint32_t index, uint32_t threads, struct anole_error *error)
{
    struct anole_diagnose_request request = {
        .has_driver = driver != NULL, .index = index, .threads = threads};
    struct anole_oneshot oneshot = {.request = ANOLE_FRAME_DIAGNOSE,
                                    .expected = ANOLE_FRAME_DIAGNOSED};
    if (!entry->backend->plugin.diagnose)
        return ANOLE_DONE;
    snprintf(request.path, sizeof request.path, "%s", entry->path);
    snprintf(request.driver, sizeof request.driver, "%s", driver ? driver : "");
    anole_wire_diagnose_request(&oneshot.payload, &request);
    enum anole_status status = anole_oneshots_run(&oneshot, 1, LIMIT, error);
    if (status == ANOLE_DONE && oneshot.answer)
        status = take_reply(findings, subject, &oneshot, error);
    else if (status == ANOLE_DONE)
        status = anole_findings_add(findings, subject, "diagnosis", ANOLE_VERDICT_FAULT,
                                    "another version of the driver, or removing it", error,
                                    "the worker process %s", oneshot.problem);
    anole_oneshot_fini(&oneshot);
    return status;
}

/* -- Backends -- */

static enum anole_status examine_device(struct anole_findings *findings, size_t *well,
                                        const struct anole_registry *registry,
                                        const struct anole_registry_device *device,
                                        uint32_t threads, struct anole_error *error)
{
    const struct anole_registry_entry *entry = &registry->entries[device->backend];
    size_t faults = anole_findings_count(findings, ANOLE_VERDICT_FAULT);
    enum anole_status status = anole_findings_add(
        findings, device->id, "device", ANOLE_VERDICT_FINE, NULL, error, "%s, by %s %s",
        device->device.name, device->device.driver[0] ? device->device.driver : "its driver",
        device->device.driver_version);
    if (status == ANOLE_DONE && !entry->backend->plugin.diagnose)
        status =
            anole_findings_add(findings, device->id, "diagnosis", ANOLE_VERDICT_SKIPPED, NULL,
                               error, "backend '%s' does not examine its devices", entry->name);
    if (status == ANOLE_DONE)
        status =
            ask(findings, device->id, entry, device->driver, device->device.index, threads, error);
    *well += status == ANOLE_DONE && anole_findings_count(findings, ANOLE_VERDICT_FAULT) == faults;
    return status;
}

static enum anole_status examine_driver(struct anole_findings *findings,
                                        const struct anole_registry *registry,
                                        const struct anole_registry_driver *driver,
                                        uint32_t threads, struct anole_error *error)
{
    const struct anole_registry_entry *entry = &registry->entries[driver->backend];
    char subject[sizeof findings->items->subject];
    snprintf(subject, sizeof subject, "%s %s", entry->name, driver->name);
    enum anole_status status = ANOLE_DONE;
    if (driver->problem[0])
        status = anole_findings_add(findings, subject, "driver", ANOLE_VERDICT_FAULT,
                                    "another version of the driver, or removing it", error, "%s",
                                    driver->problem);
    else if (driver->name[0])
        status = anole_findings_add(findings, subject, "driver", ANOLE_VERDICT_FINE, NULL, error,
                                    "%u device%s for this backend", driver->devices,
                                    driver->devices == 1 ? "" : "s");
    /* The backend may know how to mend it. */
    return status == ANOLE_DONE && driver->devices == 0 && driver->name[0] && driver->answered
               ? ask(findings, subject, entry, driver->name, ANOLE_ALL_DEVICES, threads, error)
               : status;
}

static enum anole_status examine_entry(struct anole_findings *findings,
                                       const struct anole_registry *registry, size_t at,
                                       uint32_t threads, struct anole_error *error)
{
    const struct anole_registry_entry *entry = &registry->entries[at];
    char subject[128];
    if (entry->refusal != ANOLE_REFUSAL_NONE)
        return anole_findings_add(findings, entry->path, "backend", ANOLE_VERDICT_FAULT,
                                  "what the reason says, or removing the file", error, "%s",
                                  entry->reason);
    snprintf(subject, sizeof subject, "backend %s", entry->name);
    enum anole_status status =
        anole_findings_add(findings, subject, "loaded", ANOLE_VERDICT_FINE, NULL, error,
                           "version %s, from %s", entry->version, entry->path);
    if (status == ANOLE_DONE)
        status = ask(findings, subject, entry, NULL, ANOLE_ALL_DEVICES, threads, error);
    for (size_t i = 0; status == ANOLE_DONE && i < registry->driver_count; i++)
        if (registry->drivers[i].backend == at)
            status = examine_driver(findings, registry, &registry->drivers[i], threads, error);
    return status;
}

enum anole_status anole_diagnose_backends(struct anole_findings *findings, size_t *well,
                                          const struct anole_registry *registry,
                                          const struct anole_registry_device *only,
                                          uint32_t threads, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    *well = 0;
    if (registry->entry_count == 0)
        status = anole_findings_add(findings, "backends", "plugins", ANOLE_VERDICT_FAULT,
                                    "make install, or ANOLE_PLUGIN_PATH=FOLDER with backends",
                                    error, "there is no backend in %s",
                                    registry->searched ? registry->searched : "any folder");
    for (size_t i = 0; status == ANOLE_DONE && i < registry->entry_count; i++)
        status = examine_entry(findings, registry, i, threads, error);
    for (size_t i = 0; status == ANOLE_DONE && i < registry->device_count; i++)
        if (!only || only == &registry->devices[i])
            status =
                examine_device(findings, well, registry, &registry->devices[i], threads, error);
    return status;
}
