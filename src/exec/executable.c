/* SPDX-License-Identifier: MIT */
#include "exec/executable.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CANARY 256u /* bytes behind packed weights that pack() must leave alone */
#define CANARY_BYTE 0x5a
#define CHUNK_TIME 2e-3 /* seconds that some runs of a ring take together, for the clock's sake */

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
        target->salt && executable->generated->kernel.source_length > 0
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
    if (target->warmth == ANOLE_WARMTH_COLD)
        executable->kept = packed;
    else
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

/* -- Cold -- */

/* What a set of its own has a copy of. */
struct part {
    uint32_t role;
    size_t bytes, room; /* room: a multiple of what offsets are multiples of */
    const void *data;   /* NULL: poison */
};

static size_t add_part(struct part *parts, size_t count, const struct anole_executable *executable,
                       const struct anole_target *target, uint32_t role)
{
    const size_t page = ANOLE_GUARD,
                 bytes = anole_executable_tensor(executable, target, role)->bytes;
    if (bytes == 0)
        return count;
    parts[count] = (struct part){.role = role,
                                 .bytes = bytes,
                                 .room = (bytes + page - 1) / page * page,
                                 .data = anole_role_data(target->data, role)};
    if (role == ANOLE_ROLE_WEIGHTS && executable->kept)
        parts[count].data = executable->kept;
    return count + 1;
}

/* A custom kernel has no weights: there all data is cold. */
static size_t list_parts(struct part parts[2], const struct anole_executable *executable,
                         const struct anole_target *target)
{
    if (!target->task.custom)
        return add_part(parts, 0, executable, target, ANOLE_ROLE_WEIGHTS);
    size_t count = add_part(parts, 0, executable, target, ANOLE_ROLE_INPUT);
    return add_part(parts, count, executable, target, ANOLE_ROLE_OUTPUT);
}

/* Every byte is written: memory that was never touched is no memory yet.  memory: where the copy
 * lies, or NULL. */
static int copy_part(const struct anole_executable *executable, struct anole_target *target,
                     const struct part *part, size_t offset, char *memory,
                     struct anole_message *message)
{
    void *poison = NULL;
    if (memory && part->data)
        memcpy(memory, part->data, part->bytes);
    else if (memory)
        anole_guarded_fill(memory, part->bytes);
    if (memory)
        return ANOLE_OK;
    if (!part->data) {
        poison = malloc(part->bytes);
        if (!poison)
            return ANOLE_NO_MEMORY;
        anole_guarded_fill(poison, part->bytes);
    }
    int code = target->backend->plugin.buffer_write(target->session, executable->copies.buffer,
                                                    offset, part->data ? part->data : poison,
                                                    part->bytes, message);
    free(poison);
    return code;
}

/* Memory of the host's where the copies lie, or NULL: a write each through the backend costs more
 * than a small copy itself. */
static char *map_copies(const struct anole_executable *executable, struct anole_target *target)
{
    const struct anole_plugin *plugin = &target->backend->plugin;
    struct anole_message message = {.size = sizeof message};
    void *memory = NULL;
    if (!plugin->buffer_map || !plugin->buffer_unmap ||
        !(target->device.flags & ANOLE_DEVICE_SHARES_HOST) ||
        plugin->buffer_map(target->session, executable->copies.buffer, ANOLE_GUARD,
                           executable->copies.bytes, &memory, &message) != ANOLE_OK)
        return NULL;
    return memory;
}

/* bindings[sets][ANOLE_ROLE_COUNT]: the first set is the kernel's own. */
static int make_copies(struct anole_executable *executable, struct anole_target *target,
                       const struct part *parts, size_t part_count, uint32_t sets,
                       struct anole_binding *bindings, struct anole_message *message)
{
    size_t offset = ANOLE_GUARD;
    int code = ANOLE_OK;
    char *memory = map_copies(executable, target);
    for (uint32_t set = 0; set < sets && code == ANOLE_OK; set++) {
        struct anole_binding *own = bindings + (size_t)set * ANOLE_ROLE_COUNT;
        memcpy(own, executable->bindings, sizeof executable->bindings);
        for (size_t p = 0; set > 0 && p < part_count && code == ANOLE_OK; p++) {
            own[parts[p].role] = (struct anole_binding){
                .buffer = executable->copies.buffer, .offset = offset, .bytes = parts[p].bytes};
            code = copy_part(executable, target, &parts[p], offset,
                             memory ? memory + (offset - ANOLE_GUARD) : NULL, message);
            offset += parts[p].room;
        }
    }
    if (memory && code == ANOLE_OK)
        code = target->backend->plugin.buffer_unmap(target->session, executable->copies.buffer,
                                                    memory, message);
    return code;
}

static int make_ring(struct anole_executable *executable, struct anole_target *target,
                     const struct part *parts, size_t part_count, size_t set, uint32_t sets,
                     double first, struct anole_message *message)
{
    struct anole_binding *bindings = calloc((size_t)sets * ANOLE_ROLE_COUNT, sizeof *bindings);
    double wanted = first > 0.0 ? fmax(1.0, ceil(CHUNK_TIME / first)) : 1.0;
    uint32_t runs = wanted < sets ? (uint32_t)wanted : sets;
    if (!bindings)
        return ANOLE_NO_MEMORY;
    int code =
        anole_guarded_reserve(&executable->copies, &target->memory, set * (sets - 1), message);
    if (code == ANOLE_OK)
        code = make_copies(executable, target, parts, part_count, sets, bindings, message);
    if (code == ANOLE_OK)
        code = anole_ring_create(&executable->ring, &target->backend->plugin, target->session,
                                 executable->build, bindings, sets, runs, message);
    free(bindings);
    return code;
}

bool anole_executable_chill(struct anole_executable *executable, struct anole_target *target,
                            double first, struct anole_result *result)
{
    struct part parts[2];
    struct anole_message message = {.size = sizeof message};
    size_t set = 0;
    if (target->warmth != ANOLE_WARMTH_COLD)
        return true;
    anole_target_say(target, ANOLE_STAGE_TRANSFER, UINT32_MAX);
    size_t count = list_parts(parts, executable, target);
    for (size_t i = 0; i < count; i++)
        set += parts[i].room;
    size_t own = target->task.custom ? 0 : target->sizes.bytes[ANOLE_ROLE_WEIGHTS];
    uint32_t sets = anole_cold_sets(&target->device, target->options.constants, own, set, first);
    int code = sets > 1 ? make_ring(executable, target, parts, count, set, sets, first, &message)
                        : ANOLE_OK;
    free(executable->kept);
    executable->kept = NULL;
    executable->timed.ring = executable->ring.count ? &executable->ring : NULL;
    return code == ANOLE_OK ? true
                            : anole_target_fail(target, result, code, ANOLE_OUTCOME_LAUNCH,
                                                &message, "copying what is to be cold");
}

/* -- Ending -- */

void anole_executable_release(struct anole_executable *executable, struct anole_target *target)
{
    anole_ring_destroy(&executable->ring, &target->backend->plugin, target->session);
    executable->timed.ring = NULL;
    free(executable->kept);
    executable->kept = NULL;
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
    anole_guarded_destroy(&executable->copies, &target->memory);
    anole_guarded_destroy(&executable->workspace, &target->memory);
}
