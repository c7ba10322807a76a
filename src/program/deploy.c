/* SPDX-License-Identifier: MIT */
#include "program/deploy.h"

#include "base/log.h"
#include "base/text.h"

/* Once a node: steps of one node come one behind the other. */
static void warn(const struct anole_program *program)
{
    char name[160], reason[800];
    for (size_t s = 0; s < program->step_count; s++) {
        const struct anole_step *step = &program->steps[s];
        if (step->problem && (s == 0 || program->steps[s - 1].node != step->node))
            anole_log_warning(
                "%s: %s; it runs %s",
                anole_text_printable(name, sizeof name, program->graph->nodes[step->node].name),
                anole_text_printable(reason, sizeof reason, step->problem),
                step->kind == ANOLE_STEP_HOST      ? "on the host"
                : step->kind == ANOLE_STEP_DEFAULT ? "with the default config"
                : step->kind == ANOLE_STEP_TUNED   ? "with a tuned one"
                                                   : "by the operator's plain kernel");
    }
}

enum anole_status anole_deploy(struct anole_program **program, struct anole_instance **instance,
                               const struct anole_graph *graph, const struct anole_backend *backend,
                               const struct anole_device *device,
                               const struct anole_program_options *options, const char *driver,
                               uint32_t threads, struct anole_error *error)
{
    struct anole_program_options tried = {.choose = NULL};
    struct anole_kernel_failures failures = {.count = 0};
    struct anole_program *new = NULL;
    struct anole_instance *ready = NULL;
    struct anole_error why;
    enum anole_status status;
    if (options)
        tried = *options;
    tried.failures = &failures;
    /* Each round has fewer kernels to choose from. */
    for (;;) {
        const size_t known = failures.count;
        why = (struct anole_error){.status = ANOLE_DONE}; /* the last round's */
        status = anole_program_create(&new, graph, backend, device, &tried, &why);
        if (status)
            break;
        status = anole_instance_create(&ready, new, driver, threads, &why);
        if (status == ANOLE_DONE || failures.count == known)
            break;
        anole_program_destroy(new);
        new = NULL;
        if (status != ANOLE_ERR_WORKER)
            break;
    }
    if (status) {
        anole_program_destroy(new);
        status = anole_fail(error, status, "%s", why.text);
    } else {
        new->failures = NULL;
        warn(new);
        *program = new;
        *instance = ready;
    }
    anole_kernel_failures_fini(&failures);
    return status;
}
