/* SPDX-License-Identifier: MIT
 *
 * Results of others, taken over: what is read of a recording and written as T4 is read as the same.
 */
#include "fuzz.h"

#include "formats/recording.h"
#include "formats/t4_write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char t1_text[] =
    "{\"General\": {\"BenchmarkName\": \"bowl\"}, \"ConfigurationSpace\": {\"TuningParameters\": ["
    "{\"Name\": \"x\", \"Values\": \"[1, 2, 4, 8]\"},"
    "{\"Name\": \"half\", \"Values\": \"[0.5, 1.5]\"},"
    "{\"Name\": \"way\", \"Values\": \"['row', 'column']\"}],"
    "\"Conditions\": [{\"Expression\": \"x < 8 or way == 'row'\"}]}}";

static void write_all(struct anole_t4_writer *writer, const struct anole_recording *recording,
                      const struct anole_space *space, const struct anole_t1 *t1)
{
    const struct anole_t4_source source = {.kernel = "fuzz",
                                           .device = anole_recording_device(recording)};
    char names[ANOLE_MAX_KNOBS][ANOLE_KNOB_NAME];
    size_t count = anole_space_knob_count(space);
    for (size_t i = 0; i < count; i++)
        strcpy(names[i], anole_space_knob(space, i)->name);
    anole_t4_begin(writer, &source, t1);
    for (size_t i = 0; i < anole_recording_count(recording); i++) {
        const struct anole_recorded *item = anole_recording_get(recording, i);
        int64_t values[ANOLE_MAX_KNOBS];
        struct anole_result result;
        anole_space_values(space, item->config, values);
        anole_recorded_result(item, &result);
        FUZZ_REQUIRE(anole_t4_add(writer, names, values, count, &result, NULL) == ANOLE_DONE);
    }
    FUZZ_REQUIRE(anole_t4_end(writer, NULL) == ANOLE_DONE);
}

static bool is_close(double a, double b)
{
    return (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-6 * fabs(a) + 1e-300;
}

static void compare(const struct anole_recording *a, const struct anole_recording *b)
{
    FUZZ_REQUIRE(anole_recording_count(a) == anole_recording_count(b));
    for (size_t i = 0; i < anole_recording_count(a); i++) {
        const struct anole_recorded *first = anole_recording_get(a, i);
        const struct anole_recorded *second = anole_recording_find(b, first->config);
        FUZZ_REQUIRE(second != NULL);
        FUZZ_REQUIRE(is_close(first->seconds, second->seconds));
        FUZZ_REQUIRE((first->outcome == ANOLE_OUTCOME_OK) == (second->outcome == ANOLE_OUTCOME_OK));
    }
}

FUZZ_TARGET(t4)
{
    struct anole_t1 *t1;
    struct anole_space *space;
    struct anole_recording *recording = NULL, *again = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    fuzz_quiet();
    FUZZ_REQUIRE(anole_t1_parse(&t1, t1_text, sizeof t1_text - 1, "T1.json", NULL) == ANOLE_DONE);
    FUZZ_REQUIRE(anole_t1_space(&space, t1, NULL) == ANOLE_DONE);
    if (anole_recording_parse(&recording, t1, space, (const char *)data, size, "fuzz.json",
                              &error) == ANOLE_DONE) {
        struct anole_t4_writer writer;
        write_all(&writer, recording, space, t1);
        if (anole_recording_parse(&again, t1, space, writer.text.data, writer.text.length,
                                  "again.json", &error) != ANOLE_DONE)
            fuzz_broken(error.text, __FILE__, __LINE__);
        compare(recording, again);
        anole_t4_fini(&writer);
    }
    anole_recording_destroy(recording);
    anole_recording_destroy(again);
    anole_space_destroy(space);
    anole_t1_destroy(t1);
    return 0;
}
