/* SPDX-License-Identifier: MIT */
#include "program/epilogue.h"

#include "op/activation.h"

#include <stdio.h>
#include <string.h>

#define GROUP 64u /* work-items, where the device takes so many */

bool anole_epilogue_wanted(const struct anole_node *node)
{
    return node->activation != ANOLE_ACT_NONE || node->residual != ANOLE_NONE;
}

/* Each activation of `x` in OpenCL C, with parameters `a` and `b`; NULL: not known. */
static const char *activation_source(uint32_t activation)
{
    static const char *const sources[] = {
        [ANOLE_ACT_NONE] = "x",
        [ANOLE_ACT_RELU] = "fmax(x, 0.0f)",
        [ANOLE_ACT_RELU6] = "fmin(fmax(x, 0.0f), 6.0f)",
        [ANOLE_ACT_LEAKY_RELU] = "x < 0.0f ? a * x : x",
        [ANOLE_ACT_CLIP] = "fmin(fmax(x, a), b)",
        [ANOLE_ACT_SIGMOID] = "1.0f / (1.0f + exp(-x))",
        [ANOLE_ACT_SILU] = "x / (1.0f + exp(-a * x))",
        [ANOLE_ACT_TANH] = "tanh(x)",
        [ANOLE_ACT_HARD_SIGMOID] = "fmin(fmax(a * x + b, 0.0f), 1.0f)",
        [ANOLE_ACT_HARD_SWISH] = "x * fmin(fmax(x / 6.0f + 0.5f, 0.0f), 1.0f)",
        [ANOLE_ACT_ELU] = "x < 0.0f ? a * expm1(x) : x",
        [ANOLE_ACT_GELU] = "0.5f * x * (1.0f + erf(x * 0.70710678f))",
        [ANOLE_ACT_GELU_TANH] =
            "0.5f * x * (1.0f + tanh(0.79788456f * (x + 0.044715f * x * x * x)))",
    };
    return activation < sizeof sources / sizeof *sources ? sources[activation] : NULL;
}

struct request {
    const struct anole_device *device;
    const struct anole_node *node;
    uint32_t dtype;
    size_t elements;
};

static enum anole_status make(void *context, struct anole_kernel_builder *builder,
                              struct anole_error *error)
{
    const struct request *request = context;
    const bool half = request->dtype == ANOLE_F16, adds = request->node->residual != ANOLE_NONE;
    const char *activation = activation_source(request->node->activation);
    char source[1024];
    if (!activation)
        return anole_fail(error, ANOLE_ERR_INPUT, "there is no plain kernel for activation %u",
                          request->node->activation);
    if (request->dtype != ANOLE_F32 && !half)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "there is no plain kernel for a fused activation of this type");
    int length = snprintf(
        source, sizeof source,
        "kernel void epilogue(%sglobal %s *out)\n"
        "{\n"
        "    size_t i = get_global_id(0);\n"
        "    if (i < %zu) {\n"
        "        const float a = %af, b = %af, x = %s%s;\n"
        "        %s%s%s;\n"
        "    }\n"
        "}\n",
        !adds  ? ""
        : half ? "global const half *add, "
               : "global const float *add, ",
        half ? "half" : "float", request->elements, (double)request->node->activation_alpha,
        (double)request->node->activation_beta, half ? "vload_half(i, out)" : "out[i]",
        !adds  ? ""
        : half ? " + vload_half(i, add)"
               : " + add[i]",
        half ? "vstore_half_rte(" : "out[i] = ", activation, half ? ", i, out)" : "");
    struct anole_launch launch = {.size = sizeof launch, .dimensions = 1, .kernel = "epilogue"};
    uint64_t most = request->device->max_work_group;
    launch.local[0] = most > 0 && most < GROUP ? most : GROUP;
    launch.global[0] =
        (request->elements + launch.local[0] - 1) / launch.local[0] * launch.local[0];
    if (adds)
        launch.args[launch.arg_count++] = (struct anole_arg){.role = ANOLE_ROLE_INPUT};
    launch.args[launch.arg_count++] = (struct anole_arg){.role = ANOLE_ROLE_OUTPUT};
    if (builder->source(builder, source, (size_t)length) != ANOLE_OK ||
        builder->launch(builder, &launch) != ANOLE_OK)
        return anole_fail(error, ANOLE_ERR_INPUT, "the kernel is not taken");
    return ANOLE_DONE;
}

enum anole_status
anole_epilogue_generate(struct anole_generated **generated, const struct anole_graph *graph,
                        const struct anole_node *node, const struct anole_backend *backend,
                        const struct anole_device *device, struct anole_error *error)
{
    const struct anole_operand *type = &graph->tensors[node->outputs[0]].type;
    size_t elements = anole_operand_elements(type);
    struct request request = {
        .device = device, .node = node, .dtype = type->dtype, .elements = elements};
    const uint64_t bytes = elements * anole_dtype_bytes(type->dtype);
    const uint64_t tensor_bytes[] = {node->residual == ANOLE_NONE ? 0 : bytes, bytes};
    const struct anole_plain plain = {.name = "epilogue",
                                      .dtype = type->dtype,
                                      .tensor_count = 2,
                                      .input_count = 1,
                                      .tensor_bytes = tensor_bytes,
                                      .make = make,
                                      .context = &request};
    return anole_backend_generate_plain(generated, backend, device, &plain, error);
}

enum anole_status anole_epilogue_compute(const struct anole_node *node,
                                         const struct anole_operand *residual,
                                         struct anole_operand *output, struct anole_error *error)
{
    size_t elements = anole_operand_elements(output);
    const struct anole_activate activate = {.activation = node->activation,
                                            .alpha = node->activation_alpha,
                                            .beta = node->activation_beta};
    enum anole_status status = anole_activation_check(&activate, error);
    if (status)
        return status;
    for (size_t i = 0; i < elements; i++) {
        double x = anole_operand_real(output, i);
        if (residual)
            x += anole_operand_real(residual, i);
        anole_operand_set_real(output, i, anole_activation_apply(&activate, x));
    }
    return ANOLE_DONE;
}
