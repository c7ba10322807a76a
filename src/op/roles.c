/* SPDX-License-Identifier: MIT */
#include "op/roles.h"

const char *anole_role_name(uint32_t role)
{
    static const char *const names[] = {
        [ANOLE_ROLE_INPUT] = "input",   [ANOLE_ROLE_WEIGHTS] = "weights",
        [ANOLE_ROLE_BIAS] = "bias",     [ANOLE_ROLE_RESIDUAL] = "residual",
        [ANOLE_ROLE_OUTPUT] = "output", [ANOLE_ROLE_WORKSPACE] = "workspace",
        [ANOLE_ROLE_INT] = "int",       [ANOLE_ROLE_LOCAL] = "local",
        [ANOLE_ROLE_VALUE] = "value",   [ANOLE_ROLE_TENSOR] = "tensor",
    };
    return role < sizeof names / sizeof *names && names[role] ? names[role] : "unknown";
}

void anole_task_sizes(struct anole_task_sizes *sizes, const struct anole_task *task)
{
    size_t element = anole_task_element_bytes(task);
    *sizes = (struct anole_task_sizes){
        .element = element,
        .bytes = {
            [ANOLE_ROLE_INPUT] = anole_task_input_elements(task) * element,
            [ANOLE_ROLE_WEIGHTS] = anole_task_weight_elements(task) * element,
            [ANOLE_ROLE_BIAS] = anole_task_bias_elements(task) * element,
            [ANOLE_ROLE_RESIDUAL] = anole_task_residual_elements(task) * element,
            [ANOLE_ROLE_OUTPUT] = anole_task_output_elements(task) * element,
        }};
}

size_t anole_role_bytes(const struct anole_task_sizes *sizes, const struct anole_kernel *kernel,
                        uint32_t role)
{
    if (role == ANOLE_ROLE_WORKSPACE)
        return kernel->workspace;
    if (role == ANOLE_ROLE_WEIGHTS && kernel->packed_weights > 0)
        return kernel->packed_weights;
    return role < ANOLE_ROLE_COUNT ? sizes->bytes[role] : 0;
}

const void *anole_role_data(const struct anole_task_data *data, uint32_t role)
{
    switch (role) {
    case ANOLE_ROLE_INPUT:
        return data->input;
    case ANOLE_ROLE_WEIGHTS:
        return data->weights;
    case ANOLE_ROLE_BIAS:
        return data->bias;
    case ANOLE_ROLE_RESIDUAL:
        return data->residual;
    case ANOLE_ROLE_OUTPUT: /* of a custom kernel, which may read it */
        return data->initial;
    default:
        return NULL;
    }
}
