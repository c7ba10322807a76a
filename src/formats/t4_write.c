/* SPDX-License-Identifier: MIT */
#include "formats/t4_write.h"

#include "base/json.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Takes over the reference; NULL is out of memory. */
static void append_json(struct anole_text *text, json_t *json)
{
    char *dumped = json ? json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    if (dumped)
        anole_text_append(text, dumped, strlen(dumped));
    else
        text->failed = true;
    free(dumped);
    json_decref(json);
}

/* Text that came from anywhere, as JSON has it. */
static json_t *printable_json(const char *text)
{
    char shown[512];
    return json_string(anole_text_printable(shown, sizeof shown, text ? text : ""));
}

void anole_t4_begin(struct anole_t4_writer *writer, const struct anole_t4_source *source,
                    const struct anole_t1 *t1)
{
    *writer = (struct anole_t4_writer){.t1 = t1};
    anole_text_printf(&writer->text, "{\"schema_version\":\"1.0.0\",\n\"metadata\":");
    append_json(&writer->text,
                json_pack("{s:s, s:o, s:o, s:o}", "timeunit", "milliseconds", "kernel",
                          printable_json(source->kernel), "device", printable_json(source->device),
                          "driver", printable_json(source->driver)));
    anole_text_printf(&writer->text, ",\n\"results\":[");
}

static const char *invalidity(enum anole_outcome outcome)
{
    switch (outcome) {
    case ANOLE_OUTCOME_OK:
        return "correct";
    case ANOLE_OUTCOME_INVALID:
        return "constraints";
    case ANOLE_OUTCOME_COMPILE:
        return "compile";
    case ANOLE_OUTCOME_WRONG_ANSWER:
        return "correctness";
    case ANOLE_OUTCOME_TIMEOUT:
        return "timeout";
    default:
        return "runtime";
    }
}

/* What a knob's value means; *known false: the T1 file does not know it; NULL
 * otherwise: out of memory. */
static json_t *meaning(const struct anole_t1 *t1, const char *name, int64_t value, bool *known)
{
    size_t i = t1 ? anole_t1_find(t1, name) : SIZE_MAX;
    const struct anole_t1_parameter *parameter = i == SIZE_MAX ? NULL : &t1->parameters[i];
    uint32_t v = 0;
    *known = true;
    if (!t1)
        return json_integer(value);
    while (parameter && v < parameter->count && parameter->values[v] != value)
        v++;
    *known = parameter && v < parameter->count;
    if (!*known)
        return NULL;
    return parameter->kind == ANOLE_T1_WHOLE      ? json_integer(value)
           : parameter->kind == ANOLE_T1_FRACTION ? json_real(parameter->numbers[v])
                                                  : json_string(parameter->labels[v]);
}

enum anole_status anole_t4_configuration(json_t **object, const struct anole_t1 *t1,
                                         const char names[][ANOLE_KNOB_NAME], const int64_t *values,
                                         size_t count, struct anole_error *error)
{
    json_t *made = json_object();
    for (size_t k = 0; k < count; k++) {
        bool known;
        json_t *value = meaning(t1, names[k], values[k], &known);
        if (!known) {
            char shown[80];
            json_decref(made);
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "%s: expected the T1 file of the results, found none of their "
                              "values in it: %s = %lld",
                              t1->path, anole_text_printable(shown, sizeof shown, names[k]),
                              (long long)values[k]);
        }
        if (json_object_set_new(made, names[k], value) != 0) {
            json_decref(made);
            return anole_fail_memory(error);
        }
    }
    if (!made)
        return anole_fail_memory(error);
    *object = made;
    return ANOLE_DONE;
}

static json_t *milliseconds(double seconds)
{
    return json_real(isfinite(seconds) && seconds > 0.0 ? fmin(1e3 * seconds, DBL_MAX) : 0.0);
}

static json_t *times(const struct anole_result *result)
{
    const struct anole_trial_cost *cost = &result->cost;
    json_t *runs = result->outcome == ANOLE_OUTCOME_OK
                       ? json_pack("[o]", milliseconds(result->seconds))
                       : json_array();
    return json_pack("{s:o, s:o, s:i, s:o, s:o, s:o}", "compilation", milliseconds(cost->build),
                     "framework", milliseconds(cost->generate + cost->transfer), "search_algorithm",
                     0, "validation", milliseconds(cost->verify), "runtimes", runs, "benchmark",
                     milliseconds(cost->run));
}

static json_t *measurements(const struct anole_result *result)
{
    bool ok = result->outcome == ANOLE_OUTCOME_OK;
    return json_pack("[{s:s, s:o, s:s}]", "name", "time", "value",
                     ok ? milliseconds(result->seconds)
                        : json_string(anole_outcome_text(result->outcome)),
                     "unit", "ms");
}

enum anole_status anole_t4_add(struct anole_t4_writer *writer, const char names[][ANOLE_KNOB_NAME],
                               const int64_t *values, size_t count,
                               const struct anole_result *result, struct anole_error *error)
{
    json_t *config = NULL;
    enum anole_status status =
        anole_t4_configuration(&config, writer->t1, names, values, count, error);
    if (status != ANOLE_DONE)
        return status;
    anole_text_printf(&writer->text, writer->entries++ ? ",\n" : "\n");
    append_json(&writer->text,
                json_pack("{s:o, s:o, s:s, s:i, s:o, s:[s]}", "configuration", config, "times",
                          times(result), "invalidity", invalidity(result->outcome), "correctness",
                          result->outcome == ANOLE_OUTCOME_OK, "measurements", measurements(result),
                          "objectives", "time"));
    return writer->text.failed ? anole_fail_memory(error) : ANOLE_DONE;
}

enum anole_status anole_t4_end(struct anole_t4_writer *writer, struct anole_error *error)
{
    anole_text_printf(&writer->text, "\n]}\n");
    return writer->text.failed ? anole_fail_memory(error) : ANOLE_DONE;
}

void anole_t4_fini(struct anole_t4_writer *writer)
{
    anole_text_fini(&writer->text);
}
