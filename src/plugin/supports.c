/* SPDX-License-Identifier: MIT */
#include "plugin/supports.h"

#include "base/log.h"

#include <string.h>

/* Whether a plugin would read this task as it is meant: see anole_plugin.task_size. */
static bool knows(const struct anole_plugin *plugin, const struct anole_task *task)
{
    static const unsigned char zeroes[sizeof *task];
    const size_t first = offsetof(struct anole_task, output_pad_h);
    const size_t known = plugin->task_size > first ? plugin->task_size : first;
    if (known < sizeof *task &&
        memcmp((const unsigned char *)task + known, zeroes, sizeof *task - known) != 0)
        return false;
    return plugin->task_size != 0 ||
           (task->kind <= ANOLE_TASK_CUSTOM && task->activation <= ANOLE_ACT_RELU6 &&
            !(task->flags & ~(uint32_t)(ANOLE_TASK_BIAS | ANOLE_TASK_RESIDUAL)));
}

bool anole_backend_supports(const struct anole_backend *backend, const struct anole_device *device,
                            const struct anole_task *task)
{
    bool simulated = device->flags & ANOLE_DEVICE_SIMULATED;
    /* What the core has no reference for, only a record can answer. */
    bool checkable =
        task->kind != ANOLE_TASK_CUSTOM || (task->custom && task->custom->language != 0);
    if (!simulated && !checkable)
        return false;
    if (!knows(&backend->plugin, task))
        return false;
    if (!backend->elsewhere)
        return backend->plugin.supports(device, task) == 1;
    struct anole_error error = {.status = ANOLE_DONE};
    char label[128];
    bool supported = false;
    const enum anole_status status =
        backend->elsewhere->supports(backend->elsewhere, device, task, &supported, &error);
    if (status == ANOLE_DONE)
        return supported;
    anole_log_warning("backend %s: whether it supports %s: %s; it is taken not to",
                      backend->plugin.name, anole_task_label(label, sizeof label, task),
                      error.text);
    return false;
}

bool anole_backend_serves(struct anole_task *served, const struct anole_backend *backend,
                          const struct anole_device *device, const struct anole_task *task)
{
    *served = *task;
    return anole_backend_supports(backend, device, served) ||
           (anole_task_strip(served) && anole_backend_supports(backend, device, served));
}
