/* SPDX-License-Identifier: MIT */
#include "formats/cache_write.h"

#include "base/json.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void anole_cache_begin(struct anole_cache_writer *writer, const struct anole_t4_source *source,
                       const struct anole_t1 *t1)
{
    *writer = (struct anole_cache_writer){
        .values = json_object(), .entries = json_object(), .t1 = t1, .source = *source};
}

void anole_cache_fini(struct anole_cache_writer *writer)
{
    json_decref(writer->keys);
    json_decref(writer->values);
    json_decref(writer->entries);
    *writer = (struct anole_cache_writer){.keys = NULL};
}

size_t anole_cache_entries(const struct anole_cache_writer *writer)
{
    return json_object_size(writer->entries);
}

static double milliseconds(double seconds)
{
    return isfinite(seconds) && seconds > 0.0 ? fmin(1e3 * seconds, DBL_MAX) : 0.0;
}

static const char *fault(enum anole_outcome outcome)
{
    switch (outcome) {
    case ANOLE_OUTCOME_INVALID:
        return "InvalidConfig";
    case ANOLE_OUTCOME_COMPILE:
        return "CompilationFailedConfig";
    case ANOLE_OUTCOME_WRONG_ANSWER:
        return "IncorrectResultConfig";
    default:
        return "RuntimeFailedConfig";
    }
}

/* "16,1,row": what an entry is called. */
static void name_entry(struct anole_text *out, const json_t *config)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)config, key, value)
    {
        char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
        const char *shown = json_is_string(value) ? json_string_value(value) : text;
        anole_text_printf(out, "%s%s", out->length ? "," : "", shown ? shown : "");
        out->failed |= !shown;
        free(text);
    }
}

/* Notes the values that occur, each once; and whose they are, of the first config. */
static bool note_values(struct anole_cache_writer *writer, const json_t *config)
{
    const char *key;
    json_t *value;
    bool first = !writer->keys;
    if (first)
        writer->keys = json_array();
    json_object_foreach((json_t *)config, key, value)
    {
        json_t *known = json_object_get(writer->values, key);
        bool there = false;
        if (first && json_array_append_new(writer->keys, json_string(key)) != 0)
            return false;
        if (!known) {
            known = json_array();
            if (json_object_set_new(writer->values, key, known) != 0)
                return false;
        }
        for (size_t i = 0; i < json_array_size(known) && !there; i++)
            there = json_equal(json_array_get(known, i), value);
        if (!there && json_array_append(known, value) != 0)
            return false;
    }
    return true;
}

/* Takes over the config, to which what came of it is added. */
static json_t *make_entry(json_t *config, const struct anole_result *result)
{
    const struct anole_trial_cost *cost = &result->cost;
    const bool ok = result->outcome == ANOLE_OUTCOME_OK;
    json_t *told = json_pack(
        "{s:o, s:o, s:f, s:f, s:f, s:f, s:i}", "time",
        ok ? json_real(milliseconds(result->seconds)) : json_string(fault(result->outcome)),
        "times", ok ? json_pack("[f]", milliseconds(result->seconds)) : json_array(),
        "compile_time", milliseconds(cost->build), "verification_time", milliseconds(cost->verify),
        "benchmark_time", milliseconds(cost->run), "framework_time",
        milliseconds(cost->generate + cost->transfer), "strategy_time", 0);
    bool good = told && json_object_update_missing(config, told) == 0;
    json_decref(told);
    if (good)
        return config;
    json_decref(config);
    return NULL;
}

enum anole_status anole_cache_add(struct anole_cache_writer *writer,
                                  const char names[][ANOLE_KNOB_NAME], const int64_t *values,
                                  size_t count, const struct anole_result *result,
                                  struct anole_error *error)
{
    json_t *config = NULL;
    struct anole_text name = {0};
    enum anole_status status =
        anole_t4_configuration(&config, writer->t1, names, values, count, error);
    if (status != ANOLE_DONE)
        return status;
    name_entry(&name, config);
    bool good = !name.failed && note_values(writer, config);
    json_t *entry = good ? make_entry(config, result) : NULL;
    if (!good)
        json_decref(config);
    if (!entry || json_object_set_new(writer->entries, name.data ? name.data : "", entry) != 0)
        status = anole_fail_memory(error);
    anole_text_fini(&name);
    return status;
}

static void append_json(struct anole_text *out, const char *before, const json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY) : NULL;
    anole_text_append(out, before, strlen(before));
    if (text)
        anole_text_append(out, text, strlen(text));
    out->failed |= !text;
    free(text);
}

static void append_text(struct anole_text *out, const char *before, const char *text)
{
    char shown[512];
    json_t *json = json_string(anole_text_printable(shown, sizeof shown, text ? text : ""));
    append_json(out, before, json);
    json_decref(json);
}

enum anole_status anole_cache_end(struct anole_cache_writer *writer, struct anole_text *out,
                                  struct anole_error *error)
{
    const char *key, *comma = "\n";
    json_t *entry;
    if (!writer->keys)
        writer->keys = json_array();
    append_text(out, "{\n\"device_name\": ", writer->source.device);
    append_text(out, ",\n\"kernel_name\": ", writer->source.kernel);
    append_text(out, ",\n\"problem_size\": ", "");
    append_json(out, ",\n\"tune_params_keys\": ", writer->keys);
    append_json(out, ",\n\"tune_params\": ", writer->values);
    append_text(out, ",\n\"objective\": ", "time");
    anole_text_printf(out, ",\n\"cache\": {");
    json_object_foreach(writer->entries, key, entry)
    {
        append_text(out, comma, key);
        append_json(out, ": ", entry);
        comma = ",\n";
    }
    anole_text_printf(out, "\n}}\n");
    return out->failed || !writer->values || !writer->entries ? anole_fail_memory(error)
                                                              : ANOLE_DONE;
}
