/* SPDX-License-Identifier: MIT */
#include "report/network.h"

#include "base/json.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *anole_report_step_text(enum anole_report_step_kind kind)
{
    switch (kind) {
    case ANOLE_REPORT_STEP_TUNED:
        return "tuned";
    case ANOLE_REPORT_STEP_DEFAULT:
        return "default";
    case ANOLE_REPORT_STEP_BUILT_IN:
        return "built in";
    case ANOLE_REPORT_STEP_HOST:
        return "host";
    default:
        return "other";
    }
}

static enum anole_report_step_kind parse_kind(const char *text)
{
    enum anole_report_step_kind kind = ANOLE_REPORT_STEP_TUNED;
    while (kind < ANOLE_REPORT_STEP_OTHER && strcmp(text, anole_report_step_text(kind)) != 0)
        kind++;
    return kind;
}

/* A member's text, or "". */
static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* A duration, or NaN. */
static double seconds_of(const json_t *object, const char *key, double unit)
{
    const json_t *member = json_object_get(object, key);
    double value = json_is_number(member) ? unit * json_number_value(member) : NAN;
    return value >= 0.0 && value < 1e9 ? value : NAN;
}

static bool take_step(struct anole_report_network *network, const char *node, const char *label,
                      const char *kind, double seconds)
{
    struct anole_report_step *step = &network->steps[network->step_count];
    *step = (struct anole_report_step){
        .node = strdup(node), .label = strdup(label), .kind = parse_kind(kind), .seconds = seconds};
    network->step_count++;
    network->sum += isnan(seconds) ? 0.0 : seconds;
    return step->node && step->label;
}

static bool take_profile(struct anole_report_network *network, const json_t *steps)
{
    bool fine = true;
    for (size_t i = 0; i < json_array_size(steps) && fine; i++) {
        const json_t *step = json_array_get(steps, i);
        fine = take_step(network, text_of(step, "node"), text_of(step, "label"),
                         text_of(step, "kernel"), seconds_of(step, "seconds", 1.0));
    }
    return fine;
}

static bool take_trace(struct anole_report_network *network, const json_t *events)
{
    bool fine = true;
    for (size_t i = 0; i < json_array_size(events) && fine; i++) {
        const json_t *event = json_array_get(events, i);
        if (strcmp(text_of(event, "ph"), "X") == 0)
            fine = take_step(network, text_of(json_object_get(event, "args"), "node"),
                             text_of(event, "name"), text_of(event, "cat"),
                             seconds_of(event, "dur", 1e-6));
    }
    return fine;
}

static enum anole_status fill(struct anole_report_network *network, const json_t *root,
                              const char *path, struct anole_error *error)
{
    const json_t *profile = json_object_get(root, "profile");
    const json_t *trace = json_object_get(root, "traceEvents");
    const json_t *list = json_is_array(profile) ? profile : trace;
    char safe[160];
    if (!json_is_array(list))
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: expected what `anole run NETWORK --profile --json` prints, or the "
                          "trace that it writes, found neither \"profile\" nor \"traceEvents\"",
                          anole_text_printable(safe, sizeof safe, path));
    const json_t *latency = json_object_get(root, "latency_seconds");
    network->latency = seconds_of(latency, "median", 1.0);
    network->low = seconds_of(latency, "low", 1.0);
    network->high = seconds_of(latency, "high", 1.0);
    network->name = strdup(text_of(root, "network"));
    network->device = strdup(text_of(root, "device_name"));
    network->steps = calloc(json_array_size(list) + 1, sizeof *network->steps);
    if (!network->name || !network->device || !network->steps ||
        !(list == profile ? take_profile(network, list) : take_trace(network, list)))
        return anole_fail_memory(error);
    if (network->step_count == 0 || !(network->sum > 0.0))
        return anole_fail(error, ANOLE_ERR_INPUT, "%s: the profile has no step that took time",
                          anole_text_printable(safe, sizeof safe, path));
    return ANOLE_DONE;
}

enum anole_status anole_report_network_load(struct anole_report_network **network, const char *path,
                                            struct anole_error *error)
{
    struct anole_report_network *loaded = calloc(1, sizeof *loaded);
    json_t *root = NULL;
    enum anole_status status = loaded ? ANOLE_DONE : anole_fail_memory(error);
    if (status == ANOLE_DONE)
        status = anole_json_load(&root, path, 0, error);
    if (status == ANOLE_DONE)
        status = fill(loaded, root, path, error);
    json_decref(root);
    if (status == ANOLE_DONE)
        *network = loaded;
    else
        anole_report_network_destroy(loaded);
    return status;
}

void anole_report_network_destroy(struct anole_report_network *network)
{
    if (!network)
        return;
    for (size_t i = 0; i < network->step_count; i++) {
        free(network->steps[i].node);
        free(network->steps[i].label);
    }
    free(network->steps);
    free(network->name);
    free(network->device);
    free(network);
}
