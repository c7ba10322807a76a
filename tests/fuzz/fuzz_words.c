/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "base/text.h"
#include "op/task.h"
#include "space/space.h"

#include <stdlib.h>
#include <string.h>

static void read_key(const char *text)
{
    struct anole_task task, again;
    struct anole_error error = {.status = ANOLE_DONE};
    char key[ANOLE_TASK_KEY], second[ANOLE_TASK_KEY];
    if (anole_task_parse_key(&task, text, &error) != ANOLE_DONE)
        return;
    anole_task_key(key, &task);
    FUZZ_REQUIRE(anole_task_parse_key(&again, key, &error) == ANOLE_DONE);
    anole_task_key(second, &again);
    FUZZ_REQUIRE(strcmp(key, second) == 0);
}

static void read_constraint(const char *text)
{
    static const int64_t values[] = {1, 2, 3, 4, 8};
    struct anole_space *space;
    struct anole_rng rng;
    uint64_t config;
    struct anole_error error = {.status = ANOLE_DONE};
    FUZZ_REQUIRE(anole_space_create(&space, &error) == ANOLE_DONE);
    anole_space_add_knob(space, "a", false, values, NULL, 5, 0, &error);
    anole_space_add_knob(space, "b", false, values, NULL, 5, 1, &error);
    anole_space_add_knob(space, "c", true, values, NULL, 5, 2, &error);
    FUZZ_REQUIRE(error.status == ANOLE_DONE);
    if (anole_space_add_constraint(space, text, "a test", &error) == ANOLE_DONE &&
        anole_space_finish(space, &error) == ANOLE_DONE) {
        anole_rng_init(&rng, 1);
        if (anole_space_sample(space, &rng, &config))
            FUZZ_REQUIRE(anole_space_valid(space, config));
        FUZZ_REQUIRE(anole_space_valid(space, anole_space_default(space)));
    }
    anole_space_destroy(space);
}

/* No byte of what is printed may steer a terminal. */
static void print(const char *text)
{
    char out[300];
    anole_text_printable(out, sizeof out, text);
    FUZZ_REQUIRE(strlen(out) < sizeof out);
    for (const unsigned char *p = (const unsigned char *)out; *p; p++)
        FUZZ_REQUIRE(*p >= 0x20 && *p != 0x7f && !(p[0] == 0xc2 && p[1] < 0xa0));
}

FUZZ_TARGET(words)
{
    double seconds;
    struct anole_error error = {.status = ANOLE_DONE};
    fuzz_quiet();
    if (size > 4096)
        return 0;
    char *text = malloc(size + 1);
    FUZZ_REQUIRE(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    read_key(text);
    read_constraint(text);
    print(text);
    if (anole_text_parse_duration(&seconds, text, &error) == ANOLE_DONE)
        FUZZ_REQUIRE(seconds > 0 && seconds < 101 * 366 * 86400.0);
    free(text);
    return 0;
}
