/* SPDX-License-Identifier: MIT */
#include "exec/executable.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CANARY 256u /* bytes behind packed weights that pack() must leave alone */
#define CANARY_BYTE 0x5a

enum anole_status anole_executable_generate(struct anole_executable *executable,
                                            struct anole_target *target, const int64_t *values,
                                            size_t count, struct anole_error *error)
{
    anole_target_say(target, ANOLE_STAGE_GENERATE, UINT32_MAX);
    return anole_backend_generate(&executable->generated, target->backend, &target->device,
                                  &target->task, values, count, error);
}

/* Spaces at the end mean nothing in any language of kernels, and make it another text: as many
 * as the salt has in binary, between newlines. */
static char *salted(const struct anole_kernel *kernel, uint32_t salt)
{
    char *text = malloc(kernel->source_length + 34);
    if (!text)
        return NULL;
    memcpy(text, kernel->source, kernel->source_length);
    char *end = text + kernel->source_length;
    *end++ = '\n';
    for (; salt > 0; salt >>= 1)
        *end++ = salt & 1 ? ' ' : '\n';
    *end = '\0';
    return text;
}

static int build_salted(struct anole_executable *executable, struct anole_target *target,
                        struct anole_message *message)
{
    struct anole_kernel kernel = executable->generated->kernel;
    char *text = salted(&kernel, target->salt);
    if (!text)
        return ANOLE_NO_MEMORY;
    kernel.source = text;
    kernel.source_length = strlen(text);
    int code = target->backend->plugin.build(target->session, &kernel, NULL, 0, &executable->build,
                                             message);
    free(text);
    return code;
}

int anole_executable_build(struct anole_executable *executable, struct anole_target *target,
                           const void *binary, size_t binary_bytes, struct anole_message *message)
{
    anole_target_say(target, ANOLE_STAGE_BUILD, UINT32_MAX);
    int code =
        target->salt
            ? build_salted(executable, target, message)
            : target->backend->plugin.build(target->session, &executable->generated->kernel, binary,
                                            binary_bytes, &executable->build, message);
    target->builds++;
    if (code != ANOLE_OK)
        executable->build = NULL;
    executable->timed.build = executable->build;
    return code;
}

int anole_executable_binary(const struct anole_executable *executable, struct anole_target *target,
                            void **binary, size_t *bytes, size_t *announced,
                            struct anole_message *message)
{
    const struct anole_plugin *plugin = &target->backend->plugin;
    *binary = NULL;
    *bytes = *announced = 0;
    if (!plugin->binary)
        return ANOLE_UNSUPPORTED;
    int code = plugin->binary(target->session, executable->build, NULL, announced, message);
    if (code != ANOLE_OK || *announced == 0 || *announced > ANOLE_MAX_BINARY)
        return code;
    void *memory = malloc(*announced);
    if (!memory)
        return ANOLE_NO_MEMORY;
    *bytes = *announced;
    code = plugin->binary(target->session, executable->build, memory, bytes, message);
    if (code == ANOLE_OK && *bytes <= *announced) {
        *binary = memory;
        return ANOLE_OK;
    }
    free(memory);
    return code;
}

/* -- Binding -- */

/* Packs the weights into memory of ours, poisoned before: what pack() leaves out
 * shows as a wrong answer. */
static bool pack(struct anole_executable *executable, struct anole_target *target, void **packed,
                 struct anole_result *result)
{
    const struct anole_kernel *kernel = &executable->generated->kernel;
    size_t bytes = kernel->packed_weights;
    unsigned char *memory = malloc(bytes + CANARY);
    if (!memory) {
        result->outcome = ANOLE_OUTCOME_LAUNCH;
        snprintf(result->message, sizeof result->message,
                 "out of memory for %zu bytes of packed weights", bytes);
        return false;
    }
    anole_guarded_fill(memory, bytes);
    memset(memory + bytes, CANARY_BYTE, CANARY);
    struct anole_error error = {.status = ANOLE_DONE};
    enum anole_status status = anole_backend_pack(
        target->backend, &target->device, &target->task, kernel->values, kernel->value_count,
        target->data->weights, target->sizes.bytes[ANOLE_ROLE_WEIGHTS], memory, bytes, &error);
    executable->overpacked = false;
    for (size_t i = 0; i < CANARY; i++)
        executable->overpacked |= memory[bytes + i] != CANARY_BYTE;
    target->tainted |= executable->overpacked;
    if (status == ANOLE_DONE) {
        *packed = memory;
        return true;
    }
    free(memory);
    result->outcome = ANOLE_OUTCOME_INVALID;
    anole_text_printable(result->message, sizeof result->message, error.text);
    return false;
}

static bool place_weights(struct anole_executable *executable, struct anole_target *target,
                          struct anole_result *result)
{
    struct anole_message message = {.size = sizeof message};
    size_t bytes = executable->generated->kernel.packed_weights;
    if (bytes == 0) {
        int code = anole_target_upload_weights(target, &message);
        return code == ANOLE_OK ? true
                                : anole_target_fail(target, result, code, ANOLE_OUTCOME_LAUNCH,
                                                    &message, "moving the weights");
    }
    void *packed;
    if (!pack(executable, target, &packed, result))
        return false;
    int code = anole_guarded_reserve(&executable->packed, &target->memory, bytes, &message);
    if (code == ANOLE_OK)
        code = anole_guarded_write(&executable->packed, &target->memory, packed, &message);
    free(packed);
    return code == ANOLE_OK ? true
                            : anole_target_fail(target, result, code, ANOLE_OUTCOME_LAUNCH,
                                                &message, "moving the packed weights");
}

static bool make_workspace(struct anole_executable *executable, struct anole_target *target,
                           struct anole_result *result)
{
    struct anole_message message = {.size = sizeof message};
    size_t bytes = executable->generated->kernel.workspace;
    int code = bytes > 0
                   ? anole_guarded_reserve(&executable->workspace, &target->memory, bytes, &message)
                   : ANOLE_OK;
    return code == ANOLE_OK ? true
                            : anole_target_fail(target, result, code, ANOLE_OUTCOME_LAUNCH,
                                                &message, "making the workspace");
}

bool anole_executable_poison(const struct anole_executable *executable, struct anole_target *target,
                             struct anole_result *result)
{
    const struct anole_guarded *output = &target->tensors[ANOLE_ROLE_OUTPUT];
    struct anole_message message = {.size = sizeof message};
    const void *initial = anole_role_data(target->data, ANOLE_ROLE_OUTPUT);
    int code = initial ? anole_guarded_write(output, &target->memory, initial, &message)
                       : anole_guarded_poison(output, &target->memory, &message);
    if (code == ANOLE_OK && executable->generated->kernel.workspace > 0)
        code = anole_guarded_poison(&executable->workspace, &target->memory, &message);
    return code == ANOLE_OK ? true
                            : anole_target_fail(target, result, code, ANOLE_OUTCOME_LAUNCH,
                                                &message, "preparing the output");
}

const struct anole_guarded *anole_executable_tensor(const struct anole_executable *executable,
                                                    const struct anole_target *target,
                                                    uint32_t role)
{
    static const struct anole_guarded none;
    const struct anole_kernel *kernel = &executable->generated->kernel;
    if (role == ANOLE_ROLE_WORKSPACE)
        return kernel->workspace > 0 ? &executable->workspace : &none;
    if (role == ANOLE_ROLE_WEIGHTS && kernel->packed_weights > 0)
        return &executable->packed;
    return role < ANOLE_ROLE_COUNT ? &target->tensors[role] : &none;
}

bool anole_executable_bind(struct anole_executable *executable, struct anole_target *target,
                           struct anole_result *result)
{
    anole_target_say(target, ANOLE_STAGE_TRANSFER, UINT32_MAX);
    bool done = place_weights(executable, target, result) &&
                make_workspace(executable, target, result) &&
                anole_executable_poison(executable, target, result);
    for (uint32_t role = 0; role < ANOLE_ROLE_COUNT; role++)
        executable->bindings[role] =
            anole_guarded_binding(anole_executable_tensor(executable, target, role));
    executable->timed.bindings = executable->bindings;
    return done;
}

/* -- Ending -- */

void anole_executable_release(struct anole_executable *executable, struct anole_target *target)
{
    if (executable->build) {
        anole_target_say(target, ANOLE_STAGE_RELEASE, UINT32_MAX);
        target->backend->plugin.release(target->session, executable->build);
    }
    anole_generated_destroy(executable->generated);
    executable->build = NULL;
    executable->generated = NULL;
}

void anole_executable_destroy(struct anole_executable *executable, struct anole_target *target)
{
    anole_executable_release(executable, target);
    anole_guarded_destroy(&executable->packed, &target->memory);
    anole_guarded_destroy(&executable->workspace, &target->memory);
}
