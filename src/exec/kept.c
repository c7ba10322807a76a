/* SPDX-License-Identifier: MIT */
#include "exec/kept.h"

#include <string.h>

static void release(struct anole_kept *kept, struct anole_target *target, size_t at)
{
    struct anole_kept_build gone = kept->builds[at];
    kept->count--;
    kept->bytes -= gone.bytes;
    memmove(&kept->builds[at], &kept->builds[at + 1], (kept->count - at) * sizeof kept->builds[0]);
    target->backend->plugin.release(target->session, gone.build);
}

void anole_kept_add(struct anole_kept *kept, struct anole_target *target, uint64_t executable,
                    struct anole_build *build, size_t bytes)
{
    anole_target_say(target, ANOLE_STAGE_RELEASE, UINT32_MAX);
    for (size_t i = 0; i < kept->count; i++)
        if (kept->builds[i].executable == executable) {
            release(kept, target, i);
            break;
        }
    while (kept->count > 0 &&
           (kept->count == ANOLE_MAX_KEPT || kept->bytes + bytes > ANOLE_MAX_KEPT_BYTES))
        release(kept, target, 0);
    kept->builds[kept->count++] =
        (struct anole_kept_build){.executable = executable, .build = build, .bytes = bytes};
    kept->bytes += bytes;
}

void anole_kept_clear(struct anole_kept *kept, struct anole_target *target)
{
    while (kept->count > 0)
        release(kept, target, kept->count - 1);
}
