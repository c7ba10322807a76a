/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "record/lockfile.h"

FUZZ_TARGET(lockfile)
{
    struct anole_lockfile *lockfile = NULL;
    struct anole_error error = {.status = ANOLE_DONE};
    fuzz_quiet();
    enum anole_status status =
        anole_lockfile_parse(&lockfile, (const char *)data, size, "fuzz.lock.json", &error);
    FUZZ_REQUIRE((status == ANOLE_DONE) == (lockfile != NULL));
    FUZZ_REQUIRE(status == ANOLE_DONE || error.text[0] != '\0');
    anole_lockfile_destroy(lockfile);
    return 0;
}
