/* SPDX-License-Identifier: MIT
 *
 * What the outputs of a kernel in a T1 file are held to, where the file says it in numbers:
 * "ReferenceArguments" as T1 has them, and "ReferenceData" as KTT does.  What is not understood
 * of them is refused: a kernel is not to be called right by less than its author asked for.
 */
#include "kernel/t1_kernel_private.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define USUAL_THRESHOLD 1e-4 /* KTT's own */

/* How outputs are compared, while it is read. */
struct validation {
    size_t method;    /* enum anole_custom_validation */
    double threshold; /* NAN: none was given */
};

static struct anole_custom_argument *find_argument(struct anole_custom_kernel *custom,
                                                   const char *name)
{
    for (size_t i = 0; name && i < custom->argument_count; i++)
        if (strcmp(custom->arguments[i].name, name) == 0)
            return &custom->arguments[i];
    return NULL;
}

/* Refuses keys that are not among these (NULL at the end). */
static enum anole_status check_keys(const struct anole_t1_draft *draft, const char *const *keys)
{
    const char *key;
    json_t *value;
    char shown[80];
    json_object_foreach((json_t *)draft->object, key, value)
    {
        size_t i = 0;
        while (keys[i] && strcmp(keys[i], key) != 0)
            i++;
        if (!keys[i])
            return anole_t1_fail(draft->reader, draft->place,
                                 "\"%s\" is not understood: nothing that says what is right is "
                                 "passed over",
                                 anole_text_printable(shown, sizeof shown, key));
    }
    return ANOLE_DONE;
}

/* "ValidationMethod" and "ValidationThreshold" of an object; what is missing stays. */
static enum anole_status read_validation(struct validation *validation,
                                         const struct anole_t1_draft *draft)
{
    static const char *const methods[] = {"AbsoluteDifference", "SideBySideComparison",
                                          "SideBySideRelativeComparison"};
    bool named = json_object_get(draft->object, "ValidationMethod");
    size_t method = 0;
    enum anole_status status = ANOLE_DONE;
    if (named)
        status = anole_t1_word(draft, "ValidationMethod", methods, 3, 3, &method);
    if (status == ANOLE_DONE)
        status = anole_t1_draft_number(&validation->threshold, draft, draft->object,
                                       "ValidationThreshold", validation->threshold);
    if (status != ANOLE_DONE)
        return status;
    if (named)
        validation->method = ANOLE_VALIDATE_SUM + method;
    if (!isnan(validation->threshold) &&
        !(validation->threshold >= 0 && isfinite(validation->threshold)))
        return anole_t1_fail(draft->reader, draft->place,
                             "\"ValidationThreshold\" is %g; expected 0 or more",
                             validation->threshold);
    return ANOLE_DONE;
}

static enum anole_status set_validation(const struct anole_t1_draft *draft,
                                        const struct validation *validation, bool own_tolerance)
{
    struct anole_custom_argument *argument = draft->argument;
    bool threshold = !isnan(validation->threshold);
    if (!threshold && validation->method == ANOLE_VALIDATE_TOLERANCE)
        return ANOLE_DONE;
    if (own_tolerance)
        return anole_t1_fail(draft->reader, draft->place,
                             "the argument \"%s\" has a \"Tolerance\" of its own: expected that or "
                             "\"ValidationThreshold\", not both",
                             argument->name);
    argument->validation = validation->method == ANOLE_VALIDATE_TOLERANCE
                               ? ANOLE_VALIDATE_ELEMENT
                               : (uint32_t)validation->method;
    argument->tolerance = threshold ? validation->threshold : USUAL_THRESHOLD;
    return ANOLE_DONE;
}

/* The argument that a reference is for: as it says itself, or "ValidationPairs" do, or the
 * one of that name. */
static const char *target_of(const json_t *data, const json_t *reference)
{
    const char *name = json_string_value(json_object_get(reference, "Name"));
    const char *target = json_string_value(json_object_get(reference, "TargetName"));
    const json_t *pairs = json_object_get(data, "ValidationPairs");
    for (size_t i = 0; name && !target && i < json_array_size(pairs); i++) {
        const json_t *pair = json_array_get(pairs, i);
        const char *other = json_string_value(json_object_get(pair, "ReferenceName"));
        if (other && strcmp(other, name) == 0)
            return json_string_value(json_object_get(pair, "TargetName"));
    }
    return target ? target : name;
}

/* Whether the argument has a "Tolerance" of its own. */
static bool has_tolerance(const struct anole_custom_kernel *custom,
                          const struct anole_custom_argument *argument, const json_t *spec)
{
    const json_t *list = json_object_get(spec, "Arguments");
    const json_t *object = json_array_get(list, (size_t)(argument - custom->arguments));
    return json_object_get(object, "Tolerance");
}

static enum anole_status read_reference(struct anole_custom_kernel *custom,
                                        struct anole_t1_draft *draft, const json_t *spec,
                                        const json_t *data, struct validation validation)
{
    static const char *const fills[] = {"Constant", "BinaryRaw"};
    /* Type, size and seed are the argument's, and those that are not of constants and files. */
    static const char *const keys[] = {
        "Name", "TargetName", "FillType", "FillValue",  "DataSource",       "RandomSeed",
        "Type", "Size",       "TypeSize", "MemoryType", "ValidationMethod", "ValidationThreshold",
        NULL};
    size_t fill;
    struct anole_custom_argument *argument = find_argument(custom, target_of(data, draft->object));
    draft->argument = argument;
    if (!argument || !argument->checked)
        return anole_t1_fail(draft->reader, draft->place,
                             "it is for no output: its \"TargetName\", or the one that "
                             "\"ValidationPairs\" give it, or else its \"Name\", should be an "
                             "argument's");
    if (argument->reference != ANOLE_FILL_NONE)
        return anole_t1_fail(draft->reader, draft->place,
                             "it is a second reference of the argument \"%s\"", argument->name);
    enum anole_status status = check_keys(draft, keys);
    if (status == ANOLE_DONE)
        status = anole_t1_word(draft, "FillType", fills, 2, 2, &fill);
    if (status == ANOLE_DONE)
        status =
            anole_t1_draft_number(&argument->reference_value, draft, draft->object, "FillValue", 0);
    if (status == ANOLE_DONE && fill == 1)
        status = anole_t1_raw(&argument->reference_file, draft,
                              json_object_get(draft->object, "DataSource"), draft->place);
    if (status == ANOLE_DONE)
        status = read_validation(&validation, draft);
    if (status != ANOLE_DONE)
        return status;
    argument->reference = fill == 1 ? ANOLE_FILL_FILE : ANOLE_FILL_CONSTANT;
    return set_validation(draft, &validation, has_tolerance(custom, argument, spec));
}

static enum anole_status read_list(struct anole_custom_kernel *custom,
                                   struct anole_t1_reader *reader, const json_t *spec,
                                   const json_t *data, const char *place,
                                   const struct validation *validation)
{
    char found[96];
    const json_t *list = json_object_get(data ? data : spec, "ReferenceArguments");
    if (!json_is_array(list))
        return anole_t1_fail(reader, place, "\"ReferenceArguments\" is %s; expected an array",
                             anole_json_found(found, sizeof found, list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct anole_t1_draft draft = {
            .reader = reader, .object = json_array_get(list, i), .lanes = 1};
        snprintf(draft.place, sizeof draft.place, "%sReferenceArguments[%zu]",
                 data ? "ReferenceData." : "", i);
        enum anole_status status = read_reference(custom, &draft, spec, data, *validation);
        if (status != ANOLE_DONE)
            return status;
    }
    return ANOLE_DONE;
}

/* KTT's way: the references, which arguments they are for, and how they are compared. */
static enum anole_status read_data(struct anole_custom_kernel *custom,
                                   struct anole_t1_reader *reader, const json_t *spec,
                                   const json_t *data)
{
    static const char *const keys[] = {"ReferenceArguments", "ValidationPairs", "ValidationMethod",
                                       "ValidationThreshold", NULL};
    char found[96];
    struct validation validation = {.threshold = NAN};
    struct anole_t1_draft draft = {
        .reader = reader, .object = data, .lanes = 1, .place = "ReferenceData"};
    const json_t *pairs = json_object_get(data, "ValidationPairs");
    if (!json_is_object(data))
        return anole_t1_fail(reader, draft.place, "expected an object, found %s",
                             anole_json_found(found, sizeof found, data));
    enum anole_status status = check_keys(&draft, keys);
    if (status == ANOLE_DONE && pairs && !json_is_array(pairs))
        status = anole_t1_fail(reader, draft.place, "\"ValidationPairs\" is %s; expected an array",
                               anole_json_found(found, sizeof found, pairs));
    if (status == ANOLE_DONE)
        status = read_validation(&validation, &draft);
    if (status == ANOLE_DONE)
        status = read_list(custom, reader, spec, data, draft.place, &validation);
    return status;
}

/* Keys by the names of which their authors asked for a proof. */
static enum anole_status check_proofs(const struct anole_t1_reader *reader, const json_t *spec)
{
    static const char *const known[] = {"ReferenceArguments", "ReferenceData", "ReferenceKernel"};
    static const char *const words[] = {"Reference", "Validation", "Verif", "Answer", "Expected"};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)spec, key, value)
    {
        bool proof = false;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            proof |= strncmp(key, words[i], strlen(words[i])) == 0;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            proof &= strcmp(key, known[i]) != 0;
        if (proof)
            return anole_t1_fail(reader, key,
                                 "is not understood, and what says what is right is not passed "
                                 "over: expected ReferenceArguments, ReferenceData or "
                                 "ReferenceKernel");
    }
    return ANOLE_DONE;
}

enum anole_status anole_t1_read_references(struct anole_custom_kernel *custom,
                                           struct anole_t1_reader *reader, const json_t *spec)
{
    const struct validation none = {.threshold = NAN};
    const json_t *data = json_object_get(spec, "ReferenceData");
    enum anole_status status = check_proofs(reader, spec);
    if (status == ANOLE_DONE && data && !json_is_null(data))
        status = read_data(custom, reader, spec, data);
    if (status == ANOLE_DONE && json_object_get(spec, "ReferenceArguments"))
        status = read_list(custom, reader, spec, NULL, "", &none);
    return status;
}
