/* SPDX-License-Identifier: MIT */
#include "exec/custom_data.h"

#include "base/rng.h"
#include "exec/guarded.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------ contents */

static void fill_constant(char *memory, const struct anole_custom_argument *argument, double value)
{
    size_t bytes = anole_element_bytes(argument->element);
    for (uint64_t i = 0; i < argument->count; i++)
        anole_element_store(memory + i * bytes, argument->element, value);
}

/* Each argument has a stream of its own: a further one changes none of the others. */
static void fill_random(char *memory, const struct anole_custom_argument *argument,
                        const struct anole_rng *parent)
{
    struct anole_rng rng;
    size_t bytes = anole_element_bytes(argument->element);
    bool real = anole_element_is_real(argument->element);
    uint64_t bound = argument->fill_value >= 0 && argument->fill_value < 0x1p62
                         ? (uint64_t)argument->fill_value + 1
                         : 1;
    anole_rng_fork(&rng, parent, argument->name);
    for (uint64_t i = 0; i < argument->count; i++)
        anole_element_store(memory + i * bytes, argument->element,
                            real ? anole_rng_uniform(&rng) * argument->fill_value
                                 : (double)anole_rng_below(&rng, bound));
}

static enum anole_status fill_file(char *memory, const struct anole_custom_argument *argument,
                                   const char *path, struct anole_error *error)
{
    size_t bytes = (size_t)argument->count * anole_element_bytes(argument->element), done = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return anole_fail_errno(error, "%s: the file cannot be opened for reading", path);
    while (done < bytes) {
        ssize_t n = read(file, memory + done, bytes - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    close(file);
    return done == bytes ? ANOLE_DONE
                         : anole_fail(error, ANOLE_ERR_INPUT,
                                      "%s: %zu bytes could be read; expected %zu: it changed since "
                                      "the run began",
                                      path, done, bytes);
}

/* What is only written begins as poison, so that what was not written shows.  (Of
 * smaller types, too many numbers look like poison.) */
static bool is_poisoned(const struct anole_custom_argument *argument)
{
    return argument->unread &&
           (argument->fill != ANOLE_FILL_CONSTANT || anole_element_bytes(argument->element) >= 4);
}

enum anole_status anole_custom_fill(void *memory, const struct anole_custom_kernel *custom,
                                    bool written, uint64_t seed, struct anole_error *error)
{
    struct anole_rng rng;
    enum anole_status status = ANOLE_DONE;
    size_t bytes = (size_t)(written ? custom->base.output_bytes : custom->base.input_bytes);
    anole_rng_init(&rng, seed);
    anole_guarded_fill(memory, bytes);
    for (size_t i = 0; i < custom->argument_count && status == ANOLE_DONE; i++) {
        const struct anole_custom_argument *argument = &custom->arguments[i];
        char *place = (char *)memory + argument->offset;
        if (argument->memory != ANOLE_CUSTOM_VECTOR || argument->writable != written ||
            is_poisoned(argument))
            continue;
        if (argument->fill == ANOLE_FILL_CONSTANT)
            fill_constant(place, argument, argument->fill_value);
        else if (argument->fill == ANOLE_FILL_RANDOM)
            fill_random(place, argument, &rng);
        else if (argument->fill == ANOLE_FILL_FILE)
            status = fill_file(place, argument, argument->fill_file, error);
    }
    return status;
}

enum anole_status anole_custom_expect(void *memory, const struct anole_custom_kernel *custom,
                                      struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < custom->argument_count && status == ANOLE_DONE; i++) {
        const struct anole_custom_argument *argument = &custom->arguments[i];
        char *place = (char *)memory + argument->offset;
        if (argument->reference == ANOLE_FILL_CONSTANT)
            fill_constant(place, argument, argument->reference_value);
        else if (argument->reference == ANOLE_FILL_FILE)
            status = fill_file(place, argument, argument->reference_file, error);
    }
    return status;
}

void anole_custom_adopt(void *memory, const struct anole_custom_kernel *custom,
                        const void *computed)
{
    for (size_t i = 0; i < custom->argument_count; i++) {
        const struct anole_custom_argument *argument = &custom->arguments[i];
        if (argument->checked && argument->reference == ANOLE_FILL_NONE)
            memcpy((char *)memory + argument->offset, (const char *)computed + argument->offset,
                   (size_t)argument->count * anole_element_bytes(argument->element));
    }
}

/* ------------------------------------------------------------------- judging */

/* Root of the mean square of what is finite and was written. */
static double typical(const char *expected, const struct anole_custom_argument *argument)
{
    size_t bytes = anole_element_bytes(argument->element);
    double sum = 0;
    uint64_t count = 0;
    for (uint64_t i = 0; i < argument->count; i++) {
        double value = anole_element_load(expected + i * bytes, argument->element);
        if (!isfinite(value))
            continue;
        sum += value * value;
        count++;
    }
    return count > 0 ? sqrt(sum / (double)count) : 0.0;
}

static double element_error(double expected, double found, double allowed)
{
    double off = fabs(found - expected);
    if (off == 0)
        return 0;
    return isfinite(off) && allowed > 0 ? off / allowed : (double)INFINITY;
}

static bool is_poison(const char *element, size_t bytes)
{
    uint32_t poison;
    anole_guarded_fill(&poison, sizeof poison);
    return bytes >= sizeof poison && memcmp(element, &poison, sizeof poison) == 0 &&
           memcmp(element + bytes - sizeof poison, &poison, sizeof poison) == 0;
}

/* An element; if it was not written, as it would have been if the vector had not
 * been poisoned. */
static double load(const struct anole_custom_argument *argument, const char *element)
{
    bool constant = argument->unread && argument->fill == ANOLE_FILL_CONSTANT;
    return constant && is_poison(element, anole_element_bytes(argument->element))
               ? argument->fill_value
               : anole_element_load(element, argument->element);
}

/* How far an element may be off.  `scale`: what is typical of the vector. */
static double allowed_error(const struct anole_custom_argument *argument, double expected,
                            double scale)
{
    switch (argument->validation) {
    case ANOLE_VALIDATE_SUM:
    case ANOLE_VALIDATE_ELEMENT:
        return argument->tolerance;
    case ANOLE_VALIDATE_RELATIVE:
        return argument->tolerance * fabs(expected);
    default:
        return argument->tolerance * (fabs(expected) > scale ? fabs(expected) : scale);
    }
}

static double vector_error(const struct anole_custom_argument *argument, const char *expected,
                           const char *output, struct anole_custom_flaw *flaw)
{
    size_t bytes = anole_element_bytes(argument->element);
    bool relative = argument->validation == ANOLE_VALIDATE_TOLERANCE && argument->tolerance > 0;
    double scale = relative ? typical(expected, argument) : 0.0, worst = 0, sum = 0;
    for (uint64_t i = 0; i < argument->count; i++) {
        const char *want = expected + i * bytes, *got = output + i * bytes;
        if (memcmp(want, got, bytes) == 0)
            continue;
        double a = load(argument, want), b = load(argument, got);
        double allowed = allowed_error(argument, a, scale);
        double error = element_error(a, b, allowed);
        sum += error;
        if (error <= worst)
            continue;
        worst = error;
        *flaw = (struct anole_custom_flaw){.argument = argument,
                                           .index = i,
                                           .expected = a,
                                           .found = b,
                                           .allowed = allowed,
                                           .never_written = is_poison(got, bytes)};
    }
    if (argument->validation != ANOLE_VALIDATE_SUM || worst > 1)
        return worst;
    flaw->sum = sum * argument->tolerance;
    return sum;
}

/* The first byte from `start` to `end` that is not as it was; `end`: none. */
static uint64_t find_change(const char *output, uint64_t start, uint64_t end)
{
    unsigned char poison[sizeof(uint32_t)];
    anole_guarded_fill(poison, sizeof poison);
    while (start < end && (unsigned char)output[start] == poison[start % sizeof poison])
        start++;
    return start;
}

const struct anole_custom_argument *anole_custom_unwritten(const struct anole_custom_kernel *custom,
                                                           const void *output)
{
    for (size_t i = 0; i < custom->argument_count; i++) {
        const struct anole_custom_argument *argument = &custom->arguments[i];
        uint64_t end = argument->offset + argument->count * anole_element_bytes(argument->element);
        if (argument->checked && argument->unread && argument->reference == ANOLE_FILL_NONE &&
            find_change(output, argument->offset, end) == end)
            return argument;
    }
    return NULL;
}

double anole_custom_error(const struct anole_custom_kernel *custom, const void *expected,
                          const void *output, struct anole_custom_flaw *flaw)
{
    double worst = 0;
    for (size_t i = 0; i < custom->argument_count; i++) {
        const struct anole_custom_argument *argument = &custom->arguments[i];
        if (argument->memory != ANOLE_CUSTOM_VECTOR || !argument->writable)
            continue;
        uint64_t start =
            argument->offset + argument->count * anole_element_bytes(argument->element);
        uint64_t end = (start + 2 * ANOLE_CUSTOM_PAGE - 1) / ANOLE_CUSTOM_PAGE * ANOLE_CUSTOM_PAGE;
        uint64_t changed = find_change(output, start, end);
        if (changed < end) {
            *flaw = (struct anole_custom_flaw){
                .argument = argument, .behind = true, .index = changed - start};
            return (double)INFINITY;
        }
        struct anole_custom_flaw here = {.argument = NULL};
        double error = argument->checked
                           ? vector_error(argument, (const char *)expected + argument->offset,
                                          (const char *)output + argument->offset, &here)
                           : 0;
        if (error > worst) {
            worst = error;
            *flaw = here;
        }
    }
    return worst;
}

const char *anole_custom_flaw_text(char *out, size_t size, const struct anole_custom_flaw *flaw,
                                   const char *when)
{
    unsigned long long index = (unsigned long long)flaw->index;
    const char *name = flaw->argument->name;
    if (flaw->behind)
        snprintf(out, size, "the kernel wrote behind its output %s %s: byte %llu there has changed",
                 name, when, index + 1);
    else if (flaw->never_written)
        snprintf(out, size, "output %s[%llu] was never written %s: expected %.8g", name, index,
                 when, flaw->expected);
    else if (flaw->sum > 0)
        snprintf(out, size,
                 "output %s is wrong %s: its elements are off by %.2g together, allowed %.2g; the "
                 "worst is [%llu]: expected %.8g, found %.8g",
                 name, when, flaw->sum, flaw->allowed, index, flaw->expected, flaw->found);
    else
        snprintf(out, size,
                 "output %s[%llu] is wrong %s: expected %.8g, found %.8g, allowed error %.2g", name,
                 index, when, flaw->expected, flaw->found, flaw->allowed);
    return out;
}
