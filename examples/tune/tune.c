/* SPDX-License-Identifier: MIT
 *
 * Tunes a network on a device, and prints what was found.  Build it with
 *     cc tune.c $(pkg-config --cflags --libs anole) -o tune
 * The program is the example of anole/anole.h.
 */
#include <anole/anole.h>
#include <stdio.h>

static void show(void *progress_context, enum anole_tune_event event,
                 const struct anole_tune_state *state)
{
    (void)progress_context;
    if (event == ANOLE_TUNE_PHASE)
        fprintf(stderr, "%s: %.0f s, %zu trials\n", state->phase_text, state->elapsed,
                state->trials);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: tune NETWORK DEVICE\n");
        return 2;
    }
    struct anole_error error = {0};
    struct anole_context *context = NULL;
    struct anole_devices *devices = NULL;
    struct anole_tasks *tasks = NULL;
    struct anole_results *results = NULL;
    const struct anole_device_info *device;
    struct anole_tune_options options = {.size = sizeof options};
    options.trial_limit = 100;
    options.progress = show;
    options.lock_path = "tuned.lock.json";

    if (anole_context_create(&context, NULL, &error) == ANOLE_DONE &&
        anole_devices_list(&devices, context, 0, &error) == ANOLE_DONE &&
        anole_devices_find(&device, devices, argv[2], &error) == ANOLE_DONE &&
        anole_tasks_load(&tasks, context, argv[1], NULL, &error) == ANOLE_DONE &&
        anole_tune(&results, tasks, device, &options, &error) == ANOLE_DONE) {
        for (size_t i = 0; i < anole_results_count(results); i++) {
            const struct anole_result_info *result = anole_results_get(results, i);
            printf("%-30s x%-3u", result->label, result->multiplicity);
            if (result->found)
                printf(" %8.3f ms, %.2f times the default's speed\n", 1e3 * result->seconds,
                       result->speedup);
            else
                printf(" %s\n", result->problem);
        }
    }
    if (error.status != ANOLE_DONE)
        fprintf(stderr, "tune: %s\n", error.text);
    anole_results_destroy(results);
    anole_tasks_destroy(tasks);
    anole_devices_destroy(devices);
    anole_context_destroy(context);
    return error.status != ANOLE_DONE;
}
