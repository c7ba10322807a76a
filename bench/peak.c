/* SPDX-License-Identifier: MIT */
#include "bench/peak.h"

#include "base/text.h"
#include "plugin/plugin_message.h"
#include "devices/registry.h"
#include "plugin/host.h"

#include <math.h>

/* Independent chains: enough for two units of four cycles, few enough for sixteen
 * registers. */
#define CHAINS 12
#define STEPS 4096u
#define GROUPS_A_CORE 32u
#define REPEATS 4
#define BATCHES 24

static unsigned lanes_of(const struct anole_device *device)
{
    unsigned lanes = device->simd_width;
    return lanes == 2 || lanes == 4 || lanes == 8 || lanes == 16 ? lanes : 4;
}

static void write_source(struct anole_text *text, unsigned lanes)
{
    anole_text_printf(text,
                      "__kernel void peak(__global float *out)\n{\n"
                      "    float%u x = (float%u)(0.999f), y = (float%u)(0.001f + 1e-6f * "
                      "get_global_id(0));\n    float%u a0 = y",
                      lanes, lanes, lanes, lanes);
    for (int i = 1; i < CHAINS; i++)
        anole_text_printf(text, ", a%d = y + %d.0f", i, i);
    anole_text_printf(text, ";\n    for (int i = 0; i < %u; i++) {\n", STEPS);
    for (int i = 0; i < CHAINS; i++)
        anole_text_printf(text, "        a%d = fma(a%d, x, y);\n", i, i);
    anole_text_printf(text, "    }\n    a0 = a0");
    for (int i = 1; i < CHAINS; i++)
        anole_text_printf(text, " + a%d", i);
    anole_text_printf(text, ";\n    vstore%u(a0, get_global_id(0), out);\n}\n", lanes);
}

/* An open device, and the kernel on it. */
struct peak {
    const struct anole_plugin *plugin;
    struct anole_session *session;
    struct anole_buffer *buffer;
    struct anole_build *build;
    struct anole_binding bindings[ANOLE_ROLE_COUNT];
    struct anole_message message;
};

static int build(struct peak *peak, unsigned lanes, uint32_t groups)
{
    struct anole_text source = {.data = NULL};
    write_source(&source, lanes);
    /* What a plugin must know of buffers it reads off a task: this one has an
     * output of the right size. */
    struct anole_task task = {.size = sizeof task,
                              .kind = ANOLE_TASK_DENSE,
                              .dtype = ANOLE_F32,
                              .groups = 1,
                              .batch = 1,
                              .in_h = 1,
                              .in_w = 1,
                              .in_c = 1,
                              .out_h = 1,
                              .out_w = 1,
                              .out_c = groups * lanes,
                              .kernel_h = 1,
                              .kernel_w = 1,
                              .stride_h = 1,
                              .stride_w = 1,
                              .dilation_h = 1,
                              .dilation_w = 1};
    struct anole_launch launch = {.size = sizeof launch,
                                  .dimensions = 1,
                                  .kernel = "peak",
                                  .global = {groups, 1, 1},
                                  .local = {1, 1, 1},
                                  .arg_count = 1,
                                  .args = {{.role = ANOLE_ROLE_OUTPUT}}};
    struct anole_kernel kernel = {.size = sizeof kernel,
                                  .launch_count = 1,
                                  .source = source.data,
                                  .source_length = source.length,
                                  .options = "",
                                  .launches = &launch,
                                  .task = &task};
    int code = source.failed ? ANOLE_NO_MEMORY
                             : peak->plugin->build(peak->session, &kernel, NULL, 0, &peak->build,
                                                   &peak->message);
    anole_text_fini(&source);
    if (code != ANOLE_OK)
        return code;
    size_t bytes = (size_t)groups * lanes * sizeof(float);
    code = peak->plugin->buffer_create(peak->session, bytes, &peak->buffer, &peak->message);
    peak->bindings[ANOLE_ROLE_OUTPUT] =
        (struct anole_binding){.buffer = peak->buffer, .bytes = bytes};
    return code;
}

/* *seconds: the fastest batch, for one run. */
static int time_it(struct peak *peak, double *seconds)
{
    double host, device[REPEATS];
    int code = ANOLE_OK;
    *seconds = INFINITY;
    for (int i = 0; i < BATCHES && code == ANOLE_OK; i++) {
        code = peak->plugin->run(peak->session, peak->build, peak->bindings, ANOLE_ROLE_COUNT,
                                 REPEATS, device, &host, &peak->message);
        if (code == ANOLE_OK)
            *seconds = fmin(*seconds, host / REPEATS);
    }
    return code;
}

enum anole_status bench_peak_measure(double *flops, const struct anole_backend *backend,
                                     const struct anole_registry_device *device, uint32_t threads,
                                     struct anole_error *error)
{
    struct peak peak = {.plugin = &backend->plugin, .message = {.size = sizeof peak.message}};
    const struct anole_host *host = anole_host_get(threads);
    unsigned lanes = lanes_of(&device->device);
    uint32_t cores = device->device.compute_units ? device->device.compute_units : 1;
    uint32_t groups = GROUPS_A_CORE * (cores < 4096 ? cores : 4096);
    double seconds = NAN;
    if (!host)
        return anole_fail_memory(error);
    int code =
        peak.plugin->open(host, device->driver, device->device.index, &peak.session, &peak.message);
    if (code == ANOLE_OK) {
        code = build(&peak, lanes, groups);
        if (code == ANOLE_OK)
            code = time_it(&peak, &seconds);
        if (peak.buffer)
            peak.plugin->buffer_destroy(peak.session, peak.buffer);
        if (peak.build)
            peak.plugin->release(peak.session, peak.build);
        peak.plugin->close(peak.session);
    }
    if (code != ANOLE_OK) {
        enum anole_status status =
            anole_plugin_failure(error, ANOLE_ERR_WORKER, code, &peak.message);
        anole_error_prefix(error, "measuring the peak of %s", device->id);
        return status;
    }
    *flops = 2.0 * CHAINS * STEPS * lanes * groups / seconds;
    return ANOLE_DONE;
}
