/* SPDX-License-Identifier: MIT
 *
 * Runs a network: the example of the manual, include/anole/anole.h.
 */
#include <anole/anole.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: run NETWORK DEVICE [LOCK]\n");
        return 2;
    }
    struct anole_error error = {0};
    struct anole_context *context = NULL;
    struct anole_model *model = NULL;
    struct anole_model_options options = {.size = sizeof options};
    const struct anole_latency *latency;
    void *input;
    const void *output;
    options.selector = argv[2];
    options.tuned = argv[3];
    options.random_weights = true;

    if (anole_context_create(&context, NULL, &error) == ANOLE_DONE &&
        anole_model_load(&model, context, argv[1], NULL, &options, &error) == ANOLE_DONE &&
        anole_model_map_input(&input, NULL, model, 0, &error) == ANOLE_DONE) {
        memset(input, 1, anole_model_input(model, 0)->bytes);
        if (anole_model_measure(&latency, model, 10, &error) == ANOLE_DONE &&
            anole_model_map_output(&output, NULL, model, 0, &error) == ANOLE_DONE) {
            const struct anole_model_info *info = anole_model_info(model);
            const struct anole_tensor_info *tensor = anole_model_output(model, 0);
            const float *values = output;
            for (size_t i = 0; i < tensor->bytes / sizeof *values && i < 10; i++)
                printf("%s[%zu] = %g\n", tensor->name, i, (double)values[i]);
            printf("%zu of %zu steps are tuned; %.3f ms\n", info->steps_tuned, info->steps,
                   1e3 * latency->median);
        }
    }
    if (error.status != ANOLE_DONE)
        fprintf(stderr, "run: %s\n", error.text);
    anole_model_destroy(model);
    anole_context_destroy(context);
    return error.status != ANOLE_DONE;
}
