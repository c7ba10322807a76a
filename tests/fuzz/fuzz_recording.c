/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "formats/gzip.h"
#include "formats/recording.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char t1_text[] =
    "{\"General\": {\"BenchmarkName\": \"bowl\"}, \"ConfigurationSpace\": {\"TuningParameters\": ["
    "{\"Name\": \"x\", \"Values\": \"[1, 2, 4, 8]\"},"
    "{\"Name\": \"half\", \"Values\": \"[0.5, 1.5]\"},"
    "{\"Name\": \"way\", \"Values\": \"['row', 'column']\"}],"
    "\"Conditions\": [{\"Expression\": \"x < 8 or way == 'row'\"}]}}";

/* What a recording promises of itself. */
static void check(const struct anole_recording *recording, const struct anole_space *space)
{
    const struct anole_recording_counts *counts = anole_recording_counts(recording);
    size_t count = anole_recording_count(recording);
    FUZZ_REQUIRE(counts->ok > 0 && counts->ok + counts->failed == count);
    FUZZ_REQUIRE(count + counts->repeated + counts->outside + counts->forbidden +
                     counts->unusable ==
                 counts->entries);
    double best = anole_recording_best(recording)->seconds;
    for (size_t i = 0; i < count; i++) {
        const struct anole_recorded *item = anole_recording_get(recording, i);
        bool ok = item->outcome == ANOLE_OUTCOME_OK;
        FUZZ_REQUIRE(anole_space_valid(space, item->config));
        FUZZ_REQUIRE(anole_recording_find(recording, item->config) == item);
        FUZZ_REQUIRE(ok ? item->seconds >= best && isfinite(item->seconds) : isnan(item->seconds));
        FUZZ_REQUIRE(item->build >= 0 && item->verify >= 0 && item->run >= 0 && item->other >= 0);
    }
}

static void parse(const struct anole_t1 *t1, const struct anole_space *space, const char *text,
                  size_t length)
{
    struct anole_recording *recording = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    enum anole_status status =
        anole_recording_parse(&recording, t1, space, text, length, "fuzz.json", &error);
    FUZZ_REQUIRE(status == error.status && (status == ANOLE_DONE) == (recording != NULL));
    FUZZ_REQUIRE(status == ANOLE_DONE || status == ANOLE_ERR_INPUT || status == ANOLE_ERR_MEMORY);
    if (recording)
        check(recording, space);
    anole_recording_destroy(recording);
}

/* Results of others, plain or compressed. */
FUZZ_TARGET(recording)
{
    struct anole_t1 *t1;
    struct anole_space *space;
    char *text;
    size_t length;
    fuzz_quiet();
    FUZZ_REQUIRE(anole_t1_parse(&t1, t1_text, sizeof t1_text - 1, "T1.json", NULL) == ANOLE_DONE);
    FUZZ_REQUIRE(anole_t1_space(&space, t1, NULL) == ANOLE_DONE);
    if (size < 2 || memcmp(data, "\x1f\x8b", 2) != 0) {
        parse(t1, space, (const char *)data, size);
    } else if (anole_gzip_inflate(&text, &length, data, size, "fuzz.gz", NULL) == ANOLE_DONE) {
        parse(t1, space, text, length);
        free(text);
    }
    anole_space_destroy(space);
    anole_t1_destroy(t1);
    return 0;
}
