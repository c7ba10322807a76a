/* SPDX-License-Identifier: MIT */
#include "worker/describe.h"

#include "base/text.h"
#include "plugin/plugin_message.h"
#include "plugin/host.h"

#include <stdio.h>
#include <string.h>

/* -- Drivers -- */

static int add_driver(struct anole_driver_list *list, const char *driver)
{
    struct anole_vet_reply *reply = list->host;
    if (!driver || strlen(driver) >= ANOLE_DRIVER) {
        snprintf(reply->problem, sizeof reply->problem,
                 "a driver's name is missing or longer than %d bytes", ANOLE_DRIVER - 1);
        return ANOLE_BAD_REQUEST;
    }
    if (reply->driver_count == ANOLE_MAX_DRIVERS) {
        snprintf(reply->problem, sizeof reply->problem, "only the first %d drivers are used",
                 ANOLE_MAX_DRIVERS);
        return ANOLE_NO_MEMORY;
    }
    strcpy(reply->drivers[reply->driver_count++], driver);
    return ANOLE_OK;
}

void anole_describe_drivers(struct anole_vet_reply *reply, const struct anole_plugin *plugin,
                            uint32_t threads)
{
    struct anole_driver_list list = {.size = sizeof list, .host = reply, .add = add_driver};
    struct anole_message message = {.size = sizeof message};
    if (!plugin->drivers) {
        reply->driver_count = 1; /* one, "" */
        return;
    }
    const struct anole_host *host = anole_host_get(threads);
    int code = host ? plugin->drivers(host, &list, &message) : ANOLE_NO_MEMORY;
    if (code != ANOLE_OK && code != ANOLE_NO_DEVICE && reply->problem[0] == '\0')
        anole_plugin_words(reply->problem, sizeof reply->problem, code, &message);
}

/* -- Devices -- */

void anole_describe_tame(struct anole_device *device)
{
    device->size = sizeof *device;
    device->name[sizeof device->name - 1] = '\0';
    device->vendor[sizeof device->vendor - 1] = '\0';
    device->driver[sizeof device->driver - 1] = '\0';
    device->driver_version[sizeof device->driver_version - 1] = '\0';
    if (device->property_count > ANOLE_MAX_PROPERTIES)
        device->property_count = ANOLE_MAX_PROPERTIES;
    for (uint32_t i = 0; i < device->property_count; i++)
        device->properties[i].name[sizeof device->properties[i].name - 1] = '\0';
}

void anole_describe_devices(struct anole_probe_reply *reply, const struct anole_plugin *plugin,
                            const struct anole_probe_request *request)
{
    struct anole_message message = {.size = sizeof message};
    uint32_t count = ANOLE_MAX_DEVICES;
    for (uint32_t i = 0; i < ANOLE_MAX_DEVICES; i++)
        reply->devices[i].size = sizeof reply->devices[i];
    const struct anole_host *host = anole_host_get(request->threads);
    int code = host ? plugin->probe(host, request->driver, reply->devices, &count, &message)
                    : ANOLE_NO_MEMORY;
    if (code == ANOLE_NO_DEVICE)
        return; /* having none is no failure */
    if (code != ANOLE_OK) {
        anole_plugin_words(reply->problem, sizeof reply->problem, code, &message);
        return;
    }
    if (count > ANOLE_MAX_DEVICES) {
        snprintf(reply->problem, sizeof reply->problem, "only the first %d of %u devices are used",
                 ANOLE_MAX_DEVICES, count);
        count = ANOLE_MAX_DEVICES;
    }
    reply->device_count = count;
    for (uint32_t i = 0; i < count; i++)
        anole_describe_tame(&reply->devices[i]);
}

/* -- Health -- */

static int take_finding(struct anole_diagnosis *diagnosis, const char *check, uint32_t verdict,
                        const char *found, const char *mend)
{
    struct anole_diagnose_reply *reply = diagnosis->host;
    if (!check || !found || verdict > ANOLE_VERDICT_SKIPPED)
        return ANOLE_BAD_REQUEST;
    if (reply->count == ANOLE_MAX_FINDINGS)
        return ANOLE_NO_MEMORY;
    struct anole_finding_text *finding = &reply->findings[reply->count++];
    finding->verdict = verdict;
    anole_text_printable(finding->check, sizeof finding->check, check);
    anole_text_printable(finding->found, sizeof finding->found, found);
    anole_text_printable(finding->mend, sizeof finding->mend, mend ? mend : "");
    return ANOLE_OK;
}

void anole_describe_health(struct anole_diagnose_reply *reply, const struct anole_plugin *plugin,
                           const struct anole_diagnose_request *request)
{
    struct anole_message message = {.size = sizeof message};
    struct anole_diagnosis diagnosis = {
        .size = sizeof diagnosis, .host = reply, .report = take_finding};
    const struct anole_host *host = anole_host_get(request->threads);
    char words[400];
    if (!plugin->diagnose)
        return;
    int code = host ? plugin->diagnose(host, request->has_driver ? request->driver : NULL,
                                       request->index, &diagnosis, &message)
                    : ANOLE_NO_MEMORY;
    if (code == ANOLE_OK)
        return;
    anole_plugin_words(words, sizeof words, code, &message);
    take_finding(&diagnosis, "diagnosis", ANOLE_VERDICT_FAULT, words, NULL);
}
