/* SPDX-License-Identifier: MIT */
#include "cli/device_file.h"

#include "base/file.h"
#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_VERSION 1
#define MEMBER "anole_device" /* whose value is the version */

/* The numbers of a device, in the struct's order: 32 bits, and 64. */
#define SMALL_NUMBERS(X)                                                                           \
    X(index)                                                                                       \
    X(type)                                                                                        \
    X(flags)                                                                                       \
    X(compute_units)                                                                               \
    X(clock_mhz)                                                                                   \
    X(simd_width)                                                                                  \
    X(registers)                                                                                   \
    X(cores)                                                                                       \
    X(numa_nodes)
#define SECONDS(X)                                                                                 \
    X(build_seconds)                                                                               \
    X(run_seconds)
#define LARGE_NUMBERS(X)                                                                           \
    X(max_work_group)                                                                              \
    X(local_memory)                                                                                \
    X(global_memory)                                                                               \
    X(max_allocation)                                                                              \
    X(cache_l1)                                                                                    \
    X(cache_l2)                                                                                    \
    X(cache_l3)                                                                                    \
    X(cache_line)
#define TEXTS(X)                                                                                   \
    X(name)                                                                                        \
    X(vendor)                                                                                      \
    X(driver)                                                                                      \
    X(driver_version)

/* -- Writing -- */

static json_t *properties_json(const struct anole_device *device)
{
    json_t *properties = json_object();
    for (uint32_t i = 0; i < device->property_count; i++)
        json_object_set_new(properties, device->properties[i].name,
                            json_real(device->properties[i].value));
    return properties;
}

static json_t *device_json(const struct anole_device *device)
{
    json_t *root = json_pack("{s:i}", MEMBER, FILE_VERSION), *items = json_array();
#define TEXT(member) json_object_set_new(root, #member, json_string(device->member));
#define NUMBER(member) json_object_set_new(root, #member, json_integer((json_int_t)device->member));
    TEXTS(TEXT)
    SMALL_NUMBERS(NUMBER)
    LARGE_NUMBERS(NUMBER)
    SECONDS(NUMBER)
#undef NUMBER
#undef TEXT
    for (int i = 0; i < 3; i++)
        json_array_append_new(items, json_integer((json_int_t)device->max_work_items[i]));
    json_object_set_new(root, "max_work_items", items);
    json_object_set_new(root, "properties", properties_json(device));
    return root;
}

enum anole_status anole_device_file_write(const char *path, const struct anole_device *device,
                                          struct anole_error *error)
{
    json_t *root = device_json(device);
    char *text = anole_json_dump(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    enum anole_status status =
        text ? anole_file_replace(path, text, strlen(text), error) : anole_fail_memory(error);
    free(text);
    json_decref(root);
    return status;
}

/* -- Reading -- */

static enum anole_status fail_member(const char *path, const char *member, const char *expected,
                                     const json_t *value, struct anole_error *error)
{
    char found[128];
    return anole_fail(error, ANOLE_ERR_INPUT, "%s: %s: expected %s, found %s", path, member,
                      expected, anole_json_found(found, sizeof found, value));
}

static enum anole_status read_text(char *out, size_t size, const json_t *root, const char *path,
                                   const char *member, struct anole_error *error)
{
    const json_t *value = json_object_get(root, member);
    if (!value)
        return ANOLE_DONE;
    if (!json_is_string(value) || json_string_length(value) >= size)
        return fail_member(path, member, "a text that fits into anole_device", value, error);
    snprintf(out, size, "%s", json_string_value(value));
    return ANOLE_DONE;
}

static enum anole_status read_number(uint64_t *out, uint64_t most, const json_t *value,
                                     const char *path, const char *member,
                                     struct anole_error *error)
{
    if (!value)
        return ANOLE_DONE;
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        (uint64_t)json_integer_value(value) > most)
        return fail_member(path, member, "a number that fits into anole_device", value, error);
    *out = (uint64_t)json_integer_value(value);
    return ANOLE_DONE;
}

static enum anole_status read_properties(struct anole_device *device, json_t *properties,
                                         const char *path, struct anole_error *error)
{
    const char *name;
    json_t *value;
    if (properties && !json_is_object(properties))
        return fail_member(path, "properties", "an object", properties, error);
    json_object_foreach(properties, name, value)
    {
        struct anole_property *property = &device->properties[device->property_count];
        if (device->property_count == ANOLE_MAX_PROPERTIES || !json_is_number(value) ||
            strlen(name) >= sizeof property->name)
            return fail_member(path, "properties", "up to 32 numbers with names of up to 31 bytes",
                               value, error);
        snprintf(property->name, sizeof property->name, "%s", name);
        property->value = json_number_value(value);
        device->property_count++;
    }
    return ANOLE_DONE;
}

static enum anole_status read_all(struct anole_device *device, const json_t *root, const char *path,
                                  struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    uint64_t number;
    const json_t *items = json_object_get(root, "max_work_items");
#define TEXT(member)                                                                               \
    if (status == ANOLE_DONE)                                                                      \
        status = read_text(device->member, sizeof device->member, root, path, #member, error);
#define NUMBER(member, kind, most)                                                                 \
    number = 0;                                                                                    \
    if (status == ANOLE_DONE)                                                                      \
        status = read_number(&number, most, json_object_get(root, #member), path, #member, error); \
    device->member = (kind)number;
#define SMALL(member) NUMBER(member, uint32_t, UINT32_MAX)
#define LARGE(member) NUMBER(member, uint64_t, INT64_MAX)
    TEXTS(TEXT)
    SMALL_NUMBERS(SMALL)
    LARGE_NUMBERS(LARGE)
#define SHORT(member) NUMBER(member, uint16_t, UINT16_MAX)
    SECONDS(SHORT)
#undef SHORT
#undef LARGE
#undef SMALL
#undef NUMBER
#undef TEXT
    for (size_t i = 0; i < 3 && status == ANOLE_DONE; i++)
        status = read_number(&device->max_work_items[i], INT64_MAX, json_array_get(items, i), path,
                             "max_work_items", error);
    if (status == ANOLE_DONE)
        status = read_properties(device, json_object_get(root, "properties"), path, error);
    return status;
}

enum anole_status anole_device_file_read(struct anole_device *device, const char *path,
                                         struct anole_error *error)
{
    json_t *root = NULL;
    enum anole_status status = anole_json_load(&root, path, 0, error);
    if (status != ANOLE_DONE)
        return status;
    *device = (struct anole_device){.size = sizeof *device};
    if (json_integer_value(json_object_get(root, MEMBER)) != FILE_VERSION)
        status = anole_fail(error, ANOLE_ERR_INPUT,
                            "%s is no description of a device, or of another version: expected "
                            "what `anole plugin check --record-device` writes",
                            path);
    else
        status = read_all(device, root, path, error);
    json_decref(root);
    return status;
}
