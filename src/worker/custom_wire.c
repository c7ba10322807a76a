/* SPDX-License-Identifier: MIT */
#include "worker/custom_wire.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SOURCE ((size_t)2 << 20)
#define MAX_TEXT ((size_t)128 << 10) /* of an expression, a path, options */

/* A text on the heap, which may be NULL. */
static void wire_string(struct anole_wire *wire, char **text, size_t limit)
{
    bool there = *text;
    const void *data = *text;
    size_t length = *text && !wire->reading ? strlen(*text) : 0;
    anole_wire_bool(wire, &there);
    if (wire->failed || !there)
        return;
    anole_wire_block(wire, &data, &length, limit);
    if (!wire->reading || wire->failed)
        return;
    *text = length > 0 ? strndup(data, length) : strdup("");
    if (!*text || strlen(*text) != length)
        wire->failed = true;
}

static void wire_launch(struct anole_wire *wire, struct anole_custom_launch *launch)
{
    wire_string(wire, &launch->source, MAX_SOURCE);
    wire_string(wire, &launch->kernel, MAX_TEXT);
    wire_string(wire, &launch->options, MAX_TEXT);
    for (int d = 0; d < 3; d++) {
        wire_string(wire, &launch->global[d], MAX_TEXT);
        wire_string(wire, &launch->local[d], MAX_TEXT);
    }
    anole_wire_bool(wire, &launch->groups);
    /* A launch is there as a whole, or not at all. */
    bool whole = launch->source && launch->kernel && launch->options;
    for (int d = 0; d < 3; d++)
        whole &= launch->global[d] && launch->local[d];
    if (wire->reading && launch->kernel && !whole)
        wire->failed = true;
}

static void wire_knob(struct anole_wire *wire, struct anole_custom_knob *knob)
{
    bool labels = knob->labels;
    uint32_t count = knob->count;
    anole_wire_text(wire, knob->name, sizeof knob->name);
    anole_wire_bool(wire, &knob->categorical);
    anole_wire_bool(wire, &labels);
    anole_wire_count(wire, &count, ANOLE_MAX_KNOB_VALUES);
    anole_wire_u32(wire, &knob->default_digit);
    if (wire->failed)
        return;
    if (wire->reading) {
        knob->count = count;
        knob->values = calloc(count ? count : 1, sizeof *knob->values);
        knob->labels = labels ? calloc(count ? count : 1, sizeof *knob->labels) : NULL;
        if (!knob->values || (labels && !knob->labels)) {
            knob->count = 0;
            wire->failed = true;
            return;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        anole_wire_i64(wire, &knob->values[i]);
        if (labels)
            wire_string(wire, &knob->labels[i], MAX_TEXT);
        if (labels && !knob->labels[i])
            wire->failed = true;
    }
}

static void wire_argument(struct anole_wire *wire, struct anole_custom_argument *argument)
{
    anole_wire_text(wire, argument->name, sizeof argument->name);
    anole_wire_u32(wire, &argument->memory);
    anole_wire_u32(wire, &argument->element);
    anole_wire_bool(wire, &argument->writable);
    anole_wire_bool(wire, &argument->unread);
    anole_wire_bool(wire, &argument->checked);
    anole_wire_u64(wire, &argument->count);
    wire_string(wire, &argument->value, MAX_TEXT);
    anole_wire_u32(wire, &argument->fill);
    anole_wire_f64(wire, &argument->fill_value);
    wire_string(wire, &argument->fill_file, MAX_TEXT);
    anole_wire_u32(wire, &argument->reference);
    anole_wire_f64(wire, &argument->reference_value);
    wire_string(wire, &argument->reference_file, MAX_TEXT);
    anole_wire_u32(wire, &argument->validation);
    anole_wire_f64(wire, &argument->tolerance);
    if (wire->reading &&
        (argument->memory > ANOLE_CUSTOM_LOCAL || argument->element >= ANOLE_ELEMENT_COUNT ||
         argument->fill > ANOLE_FILL_FILE || argument->validation >= ANOLE_VALIDATE_COUNT ||
         argument->reference > ANOLE_FILL_FILE ||
         (argument->memory != ANOLE_CUSTOM_VECTOR &&
          (!argument->value || argument->checked || argument->reference != ANOLE_FILL_NONE)) ||
         (argument->fill == ANOLE_FILL_FILE && !argument->fill_file) ||
         (argument->reference == ANOLE_FILL_FILE && !argument->reference_file)))
        wire->failed = true;
}

static void wire_space(struct anole_wire *wire, struct anole_custom_kernel *custom)
{
    uint32_t knobs = (uint32_t)custom->knob_count;
    uint32_t constraints = (uint32_t)custom->constraint_count;
    anole_wire_count(wire, &knobs, ANOLE_MAX_KNOBS);
    anole_wire_count(wire, &constraints, ANOLE_MAX_CONSTRAINTS);
    if (wire->failed)
        return;
    if (wire->reading) {
        custom->knobs = calloc(knobs + 1, sizeof *custom->knobs);
        custom->constraints = calloc(constraints + 1, sizeof *custom->constraints);
        if (!custom->knobs || !custom->constraints) {
            wire->failed = true;
            return;
        }
        custom->knob_count = knobs;
        custom->constraint_count = constraints;
    }
    for (size_t i = 0; i < knobs; i++)
        wire_knob(wire, &custom->knobs[i]);
    for (size_t i = 0; i < constraints; i++) {
        wire_string(wire, &custom->constraints[i], MAX_TEXT);
        if (!custom->constraints[i])
            wire->failed = true;
    }
}

static void wire_kernel(struct anole_wire *wire, struct anole_custom_kernel *custom)
{
    uint32_t arguments = (uint32_t)custom->argument_count;
    wire_string(wire, &custom->name, MAX_TEXT);
    anole_wire_u32(wire, &custom->base.language);
    anole_wire_u64(wire, &custom->base.digest);
    anole_wire_f64(wire, &custom->base.operations);
    wire_space(wire, custom);
    wire_launch(wire, &custom->launch);
    wire_launch(wire, &custom->reference);
    anole_wire_count(wire, &arguments, ANOLE_MAX_ARGS);
    if (wire->failed)
        return;
    custom->argument_count = arguments;
    for (size_t i = 0; i < arguments; i++)
        wire_argument(wire, &custom->arguments[i]);
}

void anole_wire_custom(struct anole_wire *wire, struct anole_custom_kernel **custom)
{
    bool there = !wire->reading && *custom;
    anole_wire_bool(wire, &there);
    if (!wire->reading) {
        if (there)
            wire_kernel(wire, *custom);
        return;
    }
    *custom = NULL;
    struct anole_custom_kernel *made = there ? calloc(1, sizeof *made) : NULL;
    if (!there || wire->failed || !made) {
        wire->failed |= there && !made;
        free(made);
        return;
    }
    made->base.size = sizeof made->base;
    wire_kernel(wire, made);
    if (wire->failed || !made->name || (made->base.language != 0 && !made->launch.kernel) ||
        anole_custom_place(made, NULL) != ANOLE_DONE)
        wire->failed = true;
    made->base.name = made->name;
    if (wire->failed)
        anole_custom_destroy(made);
    else
        *custom = made;
}
