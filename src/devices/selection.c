/* SPDX-License-Identifier: MIT */
#include "devices/selection.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool names_backend(const struct anole_registry *registry,
                          const struct anole_registry_device *device, const char *selector)
{
    return strcasecmp(registry->entries[device->backend].name, selector) == 0;
}

static bool contains(const char *text, const char *part)
{
    return strcasestr(text, part) != NULL;
}

static bool resembles(const struct anole_registry_device *entry, const char *selector)
{
    const struct anole_device *device = &entry->device;
    return contains(device->name, selector) || contains(device->vendor, selector) ||
           contains(device->driver, selector);
}

/* How well a device fits: exactly, by its backend, by a part of a name. */
enum fit { FIT_NOT, FIT_PART, FIT_BACKEND, FIT_ID };

static enum fit fit_of(const struct anole_registry *registry,
                       const struct anole_registry_device *device, const char *selector)
{
    if (strcasecmp(device->id, selector) == 0)
        return FIT_ID;
    if (selector[0] == '\0' || names_backend(registry, device, selector))
        return FIT_BACKEND;
    return resembles(device, selector) ? FIT_PART : FIT_NOT;
}

/* "cpu:0 (AMD EPYC 9R45), gpu:0 (...)": those that fit so well; all for FIT_NOT. */
static void list_devices(struct anole_text *text, const struct anole_registry *registry,
                         const char *selector, enum fit least)
{
    const char *separator = "";
    for (size_t i = 0; i < registry->device_count; i++) {
        const struct anole_registry_device *device = &registry->devices[i];
        char name[160];
        if (fit_of(registry, device, selector) < least)
            continue;
        anole_text_printf(text, "%s%s (%s)", separator, device->id,
                          anole_text_printable(name, sizeof name, device->device.name));
        separator = ", ";
    }
}

static const char *nearest(const struct anole_registry *registry, const char *selector)
{
    size_t count = registry->device_count + registry->entry_count;
    const char **names = calloc(count + 1, sizeof *names);
    if (!names)
        return NULL;
    size_t used = 0;
    for (size_t i = 0; i < registry->device_count; i++)
        names[used++] = registry->devices[i].id;
    for (size_t i = 0; i < registry->entry_count; i++)
        if (registry->entries[i].refusal == ANOLE_REFUSAL_NONE)
            names[used++] = registry->entries[i].name;
    const char *found = anole_text_nearest(selector, names, used);
    free(names);
    return found;
}

/* What went wrong with the plugins, for one who finds no device. */
static void list_problems(struct anole_text *text, const struct anole_registry *registry)
{
    for (size_t i = 0; i < registry->entry_count; i++) {
        const struct anole_registry_entry *entry = &registry->entries[i];
        if (entry->refusal != ANOLE_REFUSAL_NONE)
            anole_text_printf(text, "; %s", entry->reason);
        else if (entry->probe_problem[0])
            anole_text_printf(text, "; backend %s: %s", entry->name, entry->probe_problem);
    }
}

static enum anole_status fail_empty(const struct anole_registry *registry,
                                    struct anole_error *error)
{
    struct anole_text problems = {.data = NULL};
    size_t loaded = 0;
    for (size_t i = 0; i < registry->entry_count; i++)
        loaded += registry->entries[i].refusal == ANOLE_REFUSAL_NONE;
    list_problems(&problems, registry);
    const char *searched = registry->searched ? registry->searched : "nowhere";
    const char *text = problems.data ? problems.data : "";
    enum anole_status status =
        loaded == 0 ? anole_fail(error, ANOLE_ERR_NO_BACKEND,
                                 "no backend could be loaded (looked in %s)%s", searched, text)
                    : anole_fail(error, ANOLE_ERR_NO_DEVICE,
                                 "no backend has found a device; install an OpenCL driver (PoCL "
                                 "makes the CPU one)%s",
                                 text);
    anole_text_fini(&problems);
    return status;
}

static enum anole_status fail_choice(const struct anole_registry *registry, const char *selector,
                                     enum fit best, struct anole_error *error)
{
    struct anole_text list = {.data = NULL};
    char safe[160];
    anole_text_printable(safe, sizeof safe, selector);
    list_devices(&list, registry, selector, best);
    const char *devices = list.data ? list.data : "";
    enum anole_status status;
    if (selector[0] == '\0') {
        status = anole_fail(error, ANOLE_ERR_NO_DEVICE,
                            "there are several devices, choose one with --device: %s", devices);
    } else if (best != FIT_NOT) {
        status = anole_fail(error, ANOLE_ERR_NO_DEVICE,
                            "several devices fit \"%s\", choose one: %s", safe, devices);
    } else {
        struct anole_text problems = {.data = NULL};
        const char *near = nearest(registry, selector);
        list_problems(&problems, registry);
        status = anole_fail(error, ANOLE_ERR_NO_DEVICE,
                            "there is no device \"%s\"%s%s%s; there is: %s%s", safe,
                            near ? " (did you mean " : "", near ? near : "", near ? "?)" : "",
                            devices, problems.data ? problems.data : "");
        anole_text_fini(&problems);
    }
    anole_text_fini(&list);
    return status;
}

/* Splits "TEXT:N", copying TEXT; false if the selector is of another form. */
static bool split_number(const char *selector, char *text, size_t size, size_t *number)
{
    const char *colon = strrchr(selector, ':');
    if (!colon || colon == selector || (size_t)(colon - selector) >= size)
        return false;
    if (colon[1] == '\0' || strlen(colon + 1) > 4 ||
        colon[1 + strspn(colon + 1, "0123456789")] != '\0')
        return false;
    memcpy(text, selector, (size_t)(colon - selector));
    text[colon - selector] = '\0';
    *number = strtoul(colon + 1, NULL, 10);
    return true;
}

/* The N-th of the devices whose, or whose vendor's or driver's, name has TEXT in it,
 * for "TEXT:N"; NULL if there is none. */
static const struct anole_registry_device *numbered(const struct anole_registry *registry,
                                                    const char *selector)
{
    char text[128];
    size_t number;
    if (!split_number(selector, text, sizeof text, &number))
        return NULL;
    for (size_t i = 0; i < registry->device_count; i++)
        if (resembles(&registry->devices[i], text) && number-- == 0)
            return &registry->devices[i];
    return NULL;
}

enum anole_status anole_registry_find(const struct anole_registry_device **device,
                                      const struct anole_registry *registry, const char *selector,
                                      struct anole_error *error)
{
    const struct anole_registry_device *found = NULL;
    enum fit best = FIT_NOT;
    size_t equals = 0;
    if (!selector)
        selector = "";
    if (registry->device_count == 0)
        return fail_empty(registry, error);
    for (size_t i = 0; i < registry->device_count; i++) {
        enum fit fit = fit_of(registry, &registry->devices[i], selector);
        if (fit > best) {
            best = fit;
            equals = 0;
        }
        if (fit == best && fit != FIT_NOT) {
            found = &registry->devices[i];
            equals++;
        }
    }
    if (best == FIT_NOT) {
        found = numbered(registry, selector);
        equals = found != NULL;
    }
    if (equals != 1)
        return fail_choice(registry, selector, best, error);
    *device = found;
    return ANOLE_DONE;
}
