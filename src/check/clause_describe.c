/* SPDX-License-Identifier: MIT
 *
 * Clauses on what a plugin says of itself: loading, devices, supported tasks, and
 * where it may say it.
 */
#include "check/context.h"

#include "base/text.h"
#include "plugin/plugin_message.h"
#include "plugin/host.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEVICES 64
#define MAX_STDERR ((size_t)64 << 10)

enum anole_check_verdict anole_clause_loads(struct anole_check_context *check)
{
    const struct anole_registry_entry *entry = &check->registry->entries[0];
    if (entry->refusal != ANOLE_REFUSAL_NONE)
        return anole_check_fail(check, "%s", entry->reason);
    return anole_check_pass(check, "%s %s, generator %u, ABI %u", entry->name, entry->version,
                            entry->generator_version, check->plugin->abi);
}

/* What is wrong with a description; NULL: nothing. */
static const char *fault_of(const struct anole_device *device)
{
    if (device->name[0] == '\0')
        return "it has no name";
    if (!memchr(device->name, 0, sizeof device->name) ||
        !memchr(device->vendor, 0, sizeof device->vendor) ||
        !memchr(device->driver, 0, sizeof device->driver) ||
        !memchr(device->driver_version, 0, sizeof device->driver_version))
        return "a text does not end";
    if (device->type < ANOLE_DEVICE_CPU || device->type > ANOLE_DEVICE_ACCELERATOR)
        return "its type is no anole_device_type";
    if (device->property_count > ANOLE_MAX_PROPERTIES)
        return "it has more properties than there is room for";
    for (uint32_t i = 0; i < device->property_count; i++)
        if (!isfinite(device->properties[i].value) || !device->properties[i].name[0] ||
            !memchr(device->properties[i].name, 0, sizeof device->properties[i].name))
            return "a property has no name or no finite value";
    return NULL;
}

/* Asks the plugin itself: what the registry holds has been tamed. */
static enum anole_check_verdict ask(struct anole_check_context *check, struct anole_device *devices,
                                    uint32_t *count)
{
    struct anole_message message = {.size = sizeof message};
    char words[256];
    anole_check_step(check, "describing the devices");
    int code = check->plugin->probe(anole_host_get(check->threads), check->driver, devices, count,
                                    &message);
    if (code != ANOLE_OK)
        return anole_check_fail(check, "probe() failed: %s",
                                anole_plugin_words(words, sizeof words, code, &message));
    return ANOLE_PASS;
}

enum anole_check_verdict anole_clause_describes(struct anole_check_context *check)
{
    const char *problem = check->registry->entries[0].probe_problem;
    if (check->recorded)
        return fault_of(check->device)
                   ? anole_check_fail(check, "as it is recorded, %s", fault_of(check->device))
                   : anole_check_pass(check, "as it is recorded");
    if (!check->device)
        return problem[0] ? anole_check_fail(check, "%s", problem)
                          : anole_check_skip(check, "it finds no device on this machine");
    struct anole_device *devices = calloc(MAX_DEVICES, sizeof *devices);
    if (!devices)
        return anole_check_fail(check, "out of memory");
    uint32_t count = MAX_DEVICES, none = 0;
    enum anole_check_verdict verdict = ask(check, devices, &count);
    if (verdict == ANOLE_PASS && count > 0 && ask(check, devices, &none) == ANOLE_PASS &&
        none != count)
        verdict = anole_check_fail(check,
                                   "probe() counts %u devices with room for %d, but %u with room "
                                   "for none: *count must say how many there are",
                                   count, MAX_DEVICES, none);
    for (uint32_t i = 0; i < count && i < MAX_DEVICES && verdict == ANOLE_PASS; i++)
        if (fault_of(&devices[i]))
            verdict = anole_check_fail(check, "device %u: %s", i, fault_of(&devices[i]));
    free(devices);
    if (verdict != ANOLE_PASS)
        return verdict;
    return anole_check_pass(check, "%zu in all%s%s", check->registry->device_count,
                            problem[0] ? "; but " : "", problem);
}

/* The first number in which two descriptions differ; NULL: none. */
static const char *different_number(const struct anole_device *a, const struct anole_device *b)
{
#define SAME(field)                                                                                \
    if (memcmp(&a->field, &b->field, sizeof a->field) != 0)                                        \
    return #field
    SAME(index);
    SAME(type);
    SAME(flags);
    SAME(compute_units);
    SAME(clock_mhz);
    SAME(simd_width);
    SAME(registers);
    SAME(cores);
    SAME(numa_nodes);
    SAME(max_work_group);
    SAME(max_work_items);
    SAME(local_memory);
    SAME(global_memory);
    SAME(max_allocation);
    SAME(cache_l1);
    SAME(cache_l2);
    SAME(cache_l3);
    SAME(cache_line);
    SAME(property_count);
    SAME(build_seconds);
    SAME(run_seconds);
#undef SAME
    return NULL;
}

/* The same of all fields. */
static const char *difference(const struct anole_device *a, const struct anole_device *b)
{
    if (strcmp(a->name, b->name) != 0)
        return "name";
    if (strcmp(a->vendor, b->vendor) != 0)
        return "vendor";
    if (strcmp(a->driver, b->driver) != 0)
        return "driver";
    if (strcmp(a->driver_version, b->driver_version) != 0)
        return "driver_version";
    const char *field = different_number(a, b);
    for (uint32_t i = 0; !field && i < a->property_count; i++)
        if (strcmp(a->properties[i].name, b->properties[i].name) != 0 ||
            memcmp(&a->properties[i].value, &b->properties[i].value, sizeof(double)) != 0)
            field = a->properties[i].name;
    return field;
}

enum anole_check_verdict anole_clause_same_twice(struct anole_check_context *check)
{
    enum anole_check_verdict verdict = ANOLE_PASS;
    if (check->recorded)
        return anole_check_skip(check, "the device is recorded: there is none to ask");
    struct anole_device *devices = calloc(MAX_DEVICES, sizeof *devices);
    if (!devices)
        return anole_check_fail(check, "out of memory");
    for (int turn = 1; turn <= 2 && verdict == ANOLE_PASS; turn++) {
        uint32_t count = MAX_DEVICES, index = check->device->index;
        memset(devices, 0, MAX_DEVICES * sizeof *devices);
        verdict = ask(check, devices, &count);
        if (verdict == ANOLE_PASS && index >= count)
            verdict = anole_check_fail(check, "device %u has gone", index);
        const char *field =
            verdict == ANOLE_PASS ? difference(&devices[index], check->device) : NULL;
        if (field)
            verdict =
                anole_check_fail(check,
                                 "%s describes device %u in another way; the first "
                                 "difference is in %s",
                                 turn == 1 ? "another process" : "asked twice, it", index, field);
    }
    free(devices);
    return verdict == ANOLE_PASS ? anole_check_pass(check, "three times the same") : verdict;
}

/* The tasks that are left out, as far as there is room: " but not of dense ..., ...". */
static void list_others(const struct anole_check_context *check, uint64_t supported, char *out,
                        size_t size)
{
    const char *separator = ": not ";
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < check->candidate_count && used < size; i++) {
        char label[128];
        if (supported >> i & 1)
            continue;
        int n = snprintf(out + used, size - used, "%s%s", separator,
                         anole_task_label(label, sizeof label, &check->candidates[i]));
        used += n > 0 ? (size_t)n : 0;
        separator = ", ";
    }
}

enum anole_check_verdict anole_clause_supports(struct anole_check_context *check)
{
    char others[ANOLE_CHECK_TEXT - 64];
    anole_check_step(check, "asking what it supports");
    uint64_t first = anole_check_supported(check), second = anole_check_supported(check);
    if (first != second)
        return anole_check_fail(check, "asked twice, supports() gives two answers");
    if (first == 0)
        return anole_check_fail(check,
                                "it supports none of the %zu tasks that it was asked about: %s",
                                check->candidate_count,
                                check->network ? "those of the network"
                                               : "convolutions, depthwise ones, dense layers, "
                                                 "products of matrices");
    check->sandbox->reply.number = first;
    list_others(check, first, others, sizeof others);
    return anole_check_pass(check, "%d of %zu tasks%s", __builtin_popcountll(first),
                            check->candidate_count, others);
}

enum anole_check_verdict anole_clause_stdout(struct anole_check_context *check)
{
    if (check->out > 0)
        return anole_check_fail(check,
                                "%zu bytes, beginning with \"%.200s\": stdout is the tuner's; use "
                                "host->log() or stderr",
                                check->out, check->words);
    return anole_check_pass(check, "nothing was written");
}

enum anole_check_verdict anole_clause_stderr(struct anole_check_context *check)
{
    if (check->err > MAX_STDERR)
        return anole_check_fail(check,
                                "%zu bytes: more than %zu in such a short time bury what matters; "
                                "say less, or say it by host->log(ANOLE_LOG_DEBUG, ...)",
                                check->err, MAX_STDERR);
    return anole_check_pass(check, "%zu bytes", check->err);
}
