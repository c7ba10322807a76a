/* SPDX-License-Identifier: MIT
 *
 * The backend cpu with another generator, for tests: dense layers, one output a
 * work-group, and one group that does what the knob `deed` says.  Launches are split
 * over several queues as those of its own kernels are; one that is not is known by
 * "whole", which then writes nothing.  ANOLE_TEST_CPU is the file of the backend.
 */
#include <anole/plugin.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

ANOLE_PLUGIN_EXPORT struct anole_plugin anole_plugin;

enum { KNOB_DEED, KNOB_GROUP, KNOBS };

static const char *const deeds[] = {"none",   "crash",     "trap", "loop",
                                    "behind", "unwritten", "whole"};
#define DEEDS (sizeof deeds / sizeof *deeds)

/* Where a launch is split, FIRST_GROUP is defined: kernels/vector.cl.  What is computed
 * from what was read is nothing that a compiler can see through. */
static const char source[] =
    "#ifndef FIRST_GROUP\n"
    "#define FIRST_GROUP 0\n"
    "#endif\n"
    "__kernel void dense(__global const float *in, __global const float *weights,\n"
    "                    __global const float *bias, __global float *out)\n"
    "{\n"
    "    const int k = (int)get_global_id(0) - FIRST_GROUP;\n"
    "    volatile __global const float *again = in;\n"
    "    float sum = bias[k];\n"
    "    for (int i = 0; i < INPUTS; i++)\n"
    "        sum += in[i] * weights[k * INPUTS + i];\n"
    "    if (k == GROUP && DEED == 1)\n"
    "        *(volatile __global int *)(size_t)(again[0] == again[0]) = 1;\n"
    "    if (k == GROUP && DEED == 2 && again[0] == again[0])\n"
    "        __builtin_trap();\n"
    "    while (k == GROUP && DEED == 3 && again[0] == again[0])\n"
    "        ;\n"
    "    if (k == GROUP && DEED == 4)\n"
    "        out[OUTPUTS] = sum;\n"
    "    if ((k != GROUP || DEED != 5) && (DEED != 6 || FIRST_GROUP))\n"
    "        out[k] = sum;\n"
    "}\n";

static int supports(const struct anole_device *device, const struct anole_task *task)
{
    (void)device;
    return task->kind == ANOLE_TASK_DENSE && task->dtype == ANOLE_F32 && task->batch == 1 &&
           task->flags == ANOLE_TASK_BIAS && task->activation == ANOLE_ACT_NONE;
}

static int space(const struct anole_device *device, const struct anole_task *task,
                 struct anole_space_builder *builder, struct anole_message *message)
{
    static const int64_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 7};
    (void)device;
    (void)message;
    const struct anole_knob deed = {.size = sizeof deed,
                                    .kind = ANOLE_KNOB_CATEGORICAL,
                                    .name = "deed",
                                    .values = numbers,
                                    .count = DEEDS,
                                    .labels = deeds};
    const struct anole_knob group = {.size = sizeof group,
                                     .kind = ANOLE_KNOB_ORDINAL,
                                     .name = "group",
                                     .values = numbers,
                                     .count = task->out_c < 8 ? task->out_c : 8};
    int code = builder->knob(builder, &deed);
    return code ? code : builder->knob(builder, &group);
}

static int generate(const struct anole_device *device, const struct anole_task *task,
                    const int64_t *values, uint32_t count, struct anole_kernel_builder *builder,
                    struct anole_message *message)
{
    static const uint32_t roles[] = {ANOLE_ROLE_INPUT, ANOLE_ROLE_WEIGHTS, ANOLE_ROLE_BIAS,
                                     ANOLE_ROLE_OUTPUT};
    char options[128];
    struct anole_launch launch = {.size = sizeof launch,
                                  .dimensions = 1,
                                  .kernel = "dense",
                                  .global = {task->out_c},
                                  .local = {1},
                                  .arg_count = 4};
    for (int i = 0; i < 4; i++)
        launch.args[i].role = roles[i];
    if (!supports(device, task) || count != KNOBS) {
        snprintf(message->text, sizeof message->text, "no such task, or no such config");
        return ANOLE_BAD_REQUEST;
    }
    snprintf(options, sizeof options, "-DINPUTS=%u -DOUTPUTS=%u -DDEED=%d -DGROUP=%d", task->in_c,
             task->out_c, (int)values[KNOB_DEED], (int)values[KNOB_GROUP]);
    int code = builder->source(builder, source, sizeof source - 1);
    if (!code)
        code = builder->options(builder, options);
    return code ? code : builder->launch(builder, &launch);
}

/* Without the backend there is no magic number, and this is refused. */
__attribute__((constructor)) static void become_cpu(void)
{
    const char *path = getenv("ANOLE_TEST_CPU");
    void *file = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    const struct anole_plugin *cpu = file ? dlsym(file, "anole_plugin") : NULL;
    if (!cpu)
        return;
    anole_plugin = *cpu;
    anole_plugin.name = "shares";
    anole_plugin.supports = supports;
    anole_plugin.space = space;
    anole_plugin.valid = NULL;
    anole_plugin.features = NULL;
    anole_plugin.feature_name = NULL;
    anole_plugin.generate = generate;
    anole_plugin.pack = NULL;
}
