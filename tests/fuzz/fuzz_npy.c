/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "frontend/npy.h"

#include <string.h>

static void check(const struct anole_array *array)
{
    const uint8_t *data = array->data;
    volatile uint8_t sum = 0;
    struct anole_array again = *array;
    FUZZ_REQUIRE(array->rank <= ANOLE_ARRAY_MAX_RANK && anole_array_aligned(array));
    FUZZ_REQUIRE(anole_array_size(&again, NULL) == ANOLE_DONE && again.bytes == array->bytes);
    for (size_t i = 0; i < array->bytes; i++)
        sum ^= data[i];
}

/* One array, or an archive of several. */
FUZZ_TARGET(npy)
{
    struct anole_array array = {0};
    struct anole_arrays arrays = {0};
    struct anole_error error = {.status = ANOLE_DONE};
    fuzz_quiet();
    enum anole_status status = anole_npy_parse(&array, data, size, "fuzz.npy", &error);
    FUZZ_REQUIRE(status == error.status && (status == ANOLE_DONE) == (array.data != NULL));
    if (status == ANOLE_DONE)
        check(&array);
    anole_array_fini(&array);
    anole_error_clear(&error);
    status = anole_npz_parse(&arrays, data, size, "fuzz.npz", &error);
    FUZZ_REQUIRE(status == error.status && (status == ANOLE_DONE || arrays.count == 0));
    for (size_t i = 0; i < arrays.count; i++) {
        check(&arrays.items[i]);
        FUZZ_REQUIRE(anole_arrays_find(&arrays, arrays.items[i].name) == &arrays.items[i]);
    }
    anole_arrays_fini(&arrays);
    return 0;
}
