/* SPDX-License-Identifier: MIT
 *
 * A custom kernel for one device: the design space, and the source and launch of
 * one config.
 */
#include "base/text.h"
#include "kernel/custom.h"
#include "space/expression.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char axes[] = "XYZ";

/* --------------------------------------------------------------------- space */

static enum anole_status add_constraint(struct anole_space *space, const char *expression,
                                        const char *why, const struct anole_device *device,
                                        struct anole_error *error)
{
    char *text = anole_device_substitute(expression, device);
    if (!text)
        return anole_fail_memory(error);
    enum anole_status status = anole_space_add_constraint(space, text, why, error);
    free(text);
    return status;
}

/* What the device allows in a work-group, and OpenCL asks of sizes. */
static enum anole_status add_limits(struct anole_space *space,
                                    const struct anole_custom_launch *launch,
                                    const struct anole_device *device, struct anole_error *error)
{
    struct anole_text text = {.data = NULL};
    enum anole_status status = ANOLE_DONE;
    for (int d = 0; d < 3 && status == ANOLE_DONE; d++) {
        anole_text_clear(&text);
        anole_text_printf(&text, "(%s) >= 1 and (%s) <= DEVICE_MAX_WORK_ITEMS_%c", launch->local[d],
                          launch->local[d], axes[d]);
        if (!launch->groups)
            anole_text_printf(&text, " and (%s) %% (%s) == 0", launch->global[d], launch->local[d]);
        status = text.failed ? anole_fail_memory(error)
                             : add_constraint(space, text.data,
                                              launch->groups
                                                  ? "the device takes that many work-items"
                                                  : "work-groups of a size that the device takes "
                                                    "make up the whole",
                                              device, error);
    }
    anole_text_clear(&text);
    anole_text_printf(&text, "(%s) * (%s) * (%s) <= DEVICE_MAX_WORK_GROUP", launch->local[0],
                      launch->local[1], launch->local[2]);
    if (status == ANOLE_DONE)
        status = text.failed
                     ? anole_fail_memory(error)
                     : add_constraint(space, text.data, "the device takes work-groups of that size",
                                      device, error);
    anole_text_fini(&text);
    return status;
}

static enum anole_status add_local_memory(struct anole_space *space,
                                          const struct anole_custom_kernel *custom,
                                          const struct anole_device *device,
                                          struct anole_error *error)
{
    struct anole_text text = {.data = NULL};
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < custom->argument_count; i++) {
        const struct anole_custom_argument *argument = &custom->arguments[i];
        if (argument->memory == ANOLE_CUSTOM_LOCAL)
            anole_text_printf(&text, "%s(%s) * %zu", text.data ? " + " : "", argument->value,
                              anole_element_bytes(argument->element));
    }
    if (!text.data && !text.failed)
        return ANOLE_DONE;
    anole_text_printf(&text, " <= DEVICE_LOCAL_MEMORY");
    status = text.failed
                 ? anole_fail_memory(error)
                 : add_constraint(space, text.data, "the local memory suffices", device, error);
    anole_text_fini(&text);
    return status;
}

enum anole_status anole_custom_space(struct anole_space **space,
                                     const struct anole_custom_kernel *custom,
                                     const struct anole_device *device, struct anole_error *error)
{
    struct anole_space *made;
    enum anole_status status = anole_space_create(&made, error);
    if (status != ANOLE_DONE)
        return status;
    for (size_t i = 0; i < custom->knob_count && status == ANOLE_DONE; i++) {
        const struct anole_custom_knob *knob = &custom->knobs[i];
        status = anole_space_add_knob(made, knob->name, knob->categorical, knob->values,
                                      (const char *const *)knob->labels, knob->count,
                                      knob->default_digit, error);
    }
    for (size_t i = 0; i < custom->constraint_count && status == ANOLE_DONE; i++)
        status = add_constraint(made, custom->constraints[i], NULL, device, error);
    if (status == ANOLE_DONE)
        status = add_limits(made, &custom->launch, device, error);
    if (status == ANOLE_DONE)
        status = add_local_memory(made, custom, device, error);
    if (status == ANOLE_DONE)
        status = anole_space_finish(made, error);
    if (status != ANOLE_DONE) {
        anole_space_destroy(made);
        return status;
    }
    *space = made;
    return ANOLE_DONE;
}

/* -------------------------------------------------------------------- values */

/* What expressions are evaluated with. */
struct scope {
    const struct anole_custom_kernel *custom;
    const struct anole_device *device;
    const int64_t *values;
    const char *names[ANOLE_MAX_KNOBS];
    struct anole_error *error;
};

static enum anole_status evaluate(double *result, const struct scope *scope, const char *text,
                                  const char *what)
{
    struct anole_expression *expression;
    char *plain = anole_device_substitute(text, scope->device);
    if (!plain)
        return anole_fail_memory(scope->error);
    enum anole_status status = anole_expression_create(&expression, plain, scope->names,
                                                       scope->custom->knob_count, scope->error);
    free(plain);
    if (status != ANOLE_DONE)
        return status;
    if (!anole_expression_evaluate(expression, scope->values, result))
        status = anole_fail(scope->error, ANOLE_ERR_INPUT, "%s, %.200s, has no value", what, text);
    anole_expression_destroy(expression);
    return status;
}

/* A size: a whole number of at least 1. */
static enum anole_status evaluate_size(uint64_t *size, const struct scope *scope, const char *text,
                                       const char *what)
{
    double value;
    enum anole_status status = evaluate(&value, scope, text, what);
    if (status != ANOLE_DONE)
        return status;
    if (!(value >= 1 && value <= 0x1p48) || value != floor(value))
        return anole_fail(scope->error, ANOLE_ERR_INPUT,
                          "%s, %.200s, is %.10g; expected a whole number of at least 1", what, text,
                          value);
    *size = (uint64_t)value;
    return ANOLE_DONE;
}

static enum anole_status bind(struct anole_arg *arg, const struct scope *scope,
                              const struct anole_custom_argument *argument)
{
    char what[96];
    uint64_t count = 0, bits = 0;
    double value;
    enum anole_status status = ANOLE_DONE;
    snprintf(what, sizeof what, "argument '%.63s'", argument->name);
    switch (argument->memory) {
    case ANOLE_CUSTOM_VECTOR:
        *arg = (struct anole_arg){.role = argument->writable ? ANOLE_ROLE_OUTPUT : ANOLE_ROLE_INPUT,
                                  .value = (int64_t)argument->offset};
        break;
    case ANOLE_CUSTOM_LOCAL:
        status = evaluate_size(&count, scope, argument->value, what);
        *arg =
            (struct anole_arg){.role = ANOLE_ROLE_LOCAL,
                               .value = (int64_t)(count * anole_element_bytes(argument->element))};
        break;
    default:
        status = evaluate(&value, scope, argument->value, what);
        if (status == ANOLE_DONE)
            anole_element_store(&bits, argument->element, value);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        bits >>= 64 - 8 * anole_element_bytes(argument->element);
#endif
        *arg = (struct anole_arg){.role = ANOLE_ROLE_VALUE,
                                  .bytes = (uint32_t)anole_element_bytes(argument->element),
                                  .value = (int64_t)bits};
    }
    return status;
}

/* -------------------------------------------------------------------- kernel */

static enum anole_status add_launch(const struct scope *scope,
                                    const struct anole_custom_launch *from,
                                    struct anole_kernel_builder *builder)
{
    struct anole_launch launch = {.size = sizeof launch,
                                  .dimensions = 3,
                                  .kernel = from->kernel,
                                  .arg_count = (uint32_t)scope->custom->argument_count};
    char what[32];
    enum anole_status status = ANOLE_DONE;
    for (int d = 0; d < 3 && status == ANOLE_DONE; d++) {
        snprintf(what, sizeof what, "LocalSize.%c", axes[d]);
        status = evaluate_size(&launch.local[d], scope, from->local[d], what);
        snprintf(what, sizeof what, "GlobalSize.%c", axes[d]);
        if (status == ANOLE_DONE)
            status = evaluate_size(&launch.global[d], scope, from->global[d], what);
        if (status == ANOLE_DONE && from->groups &&
            __builtin_mul_overflow(launch.global[d], launch.local[d], &launch.global[d]))
            status = anole_fail(scope->error, ANOLE_ERR_INPUT, "%s is too large", what);
    }
    for (size_t i = 0; i < scope->custom->argument_count && status == ANOLE_DONE; i++)
        status = bind(&launch.args[i], scope, &scope->custom->arguments[i]);
    while (launch.dimensions > 1 && launch.global[launch.dimensions - 1] == 1)
        launch.dimensions--;
    if (status == ANOLE_DONE && builder->launch(builder, &launch) != ANOLE_OK)
        status = anole_fail(scope->error, ANOLE_ERR_INPUT, "the launch was refused");
    return status;
}

/* The text of a knob's value, as the source sees it. */
static void put_value(struct anole_text *out, const struct anole_custom_knob *knob, int64_t value)
{
    for (uint32_t i = 0; knob->labels && i < knob->count; i++) {
        if (knob->values[i] == value) {
            anole_text_printf(out, "%s", knob->labels[i]);
            return;
        }
    }
    anole_text_printf(out, "%" PRId64, value);
}

enum anole_status anole_custom_generate(const struct anole_custom_kernel *custom, bool reference,
                                        const struct anole_device *device, const int64_t *values,
                                        struct anole_kernel_builder *builder,
                                        struct anole_error *error)
{
    const struct anole_custom_launch *launch = reference ? &custom->reference : &custom->launch;
    struct scope scope = {.custom = custom, .device = device, .values = values, .error = error};
    struct anole_text head = {.data = NULL};
    for (size_t i = 0; i < custom->knob_count; i++) {
        scope.names[i] = custom->knobs[i].name;
        anole_text_printf(&head, "#define %s ", custom->knobs[i].name);
        put_value(&head, &custom->knobs[i], values[i]);
        anole_text_printf(&head, "\n");
    }
    anole_text_printf(&head, "#line 1\n"); /* messages count the user's lines */
    enum anole_status status = ANOLE_DONE;
    if (head.failed)
        status = anole_fail_memory(error);
    else if (builder->source(builder, head.data, head.length) != ANOLE_OK ||
             builder->source(builder, launch->source, strlen(launch->source)) != ANOLE_OK ||
             (launch->options[0] && builder->options(builder, launch->options) != ANOLE_OK))
        status = anole_fail(error, ANOLE_ERR_INPUT, "the source or the options were refused");
    if (status == ANOLE_DONE)
        status = add_launch(&scope, launch, builder);
    anole_text_fini(&head);
    return status;
}
