/* SPDX-License-Identifier: MIT
 *
 * A kernel of the user's own as a worker may be sent it: what is taken is sent on as the same, and
 * its data are filled and judged within their room.
 */
#include "fuzz.h"

#include "exec/custom_data.h"
#include "worker/custom_wire.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_DATA ((uint64_t)1 << 16)

/* Data that fit into little memory are made, and compared with themselves. */
static void judge(const struct anole_custom_kernel *custom)
{
    size_t in = (size_t)custom->base.input_bytes, out = (size_t)custom->base.output_bytes;
    struct anole_custom_flaw flaw;
    if (custom->base.input_bytes > MOST_DATA || custom->base.output_bytes > MOST_DATA)
        return;
    for (size_t i = 0; i < custom->argument_count; i++)
        if (custom->arguments[i].fill_file || custom->arguments[i].reference_file)
            return; /* whatever they name is not opened here */
    char *input = malloc(in + 1), *output = malloc(out + 1), *expected = malloc(out + 1);
    FUZZ_REQUIRE(input && output && expected);
    if (anole_custom_fill(input, custom, false, 1, NULL) == ANOLE_DONE &&
        anole_custom_fill(output, custom, true, 1, NULL) == ANOLE_DONE) {
        memcpy(expected, output, out);
        FUZZ_REQUIRE(anole_custom_error(custom, expected, output, &flaw) == 0);
        if (anole_custom_expect(expected, custom, NULL) == ANOLE_DONE) {
            double error = anole_custom_error(custom, expected, output, &flaw);
            char text[256];
            if (error > 1)
                FUZZ_REQUIRE(anole_custom_flaw_text(text, sizeof text, &flaw, "now")[0]);
        }
    }
    free(input);
    free(output);
    free(expected);
}

FUZZ_TARGET(custom)
{
    struct anole_wire reader, first, second;
    struct anole_custom_kernel *custom = NULL, *again = NULL;
    fuzz_quiet();
    anole_wire_reader_init(&reader, data, size);
    anole_wire_custom(&reader, &custom);
    FUZZ_REQUIRE(!reader.failed || !custom);
    if (!custom)
        return 0;
    anole_wire_writer_init(&first);
    anole_wire_custom(&first, &custom);
    FUZZ_REQUIRE(!first.failed);
    anole_wire_reader_init(&reader, first.data, first.length);
    anole_wire_custom(&reader, &again);
    FUZZ_REQUIRE(anole_wire_complete(&reader) && again);
    anole_wire_writer_init(&second);
    anole_wire_custom(&second, &again);
    FUZZ_REQUIRE(first.length == second.length &&
                 memcmp(first.data, second.data, first.length) == 0);
    judge(custom);
    anole_wire_fini(&first);
    anole_wire_fini(&second);
    anole_custom_destroy(custom);
    anole_custom_destroy(again);
    return 0;
}
