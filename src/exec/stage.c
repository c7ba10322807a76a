/* SPDX-License-Identifier: MIT */
#include "exec/stage.h"

const char *anole_stage_words(unsigned stage)
{
    static const char *const words[] = {
#define X(name, text) text,
        ANOLE_STAGE_MAP(X)
#undef X
    };
    return stage < ANOLE_STAGE_COUNT ? words[stage] : "doing something unknown";
}

bool anole_stage_blames_kernel(enum anole_stage stage)
{
    switch (stage) {
    case ANOLE_STAGE_GENERATE:
    case ANOLE_STAGE_BUILD:
    case ANOLE_STAGE_TRANSFER:
    case ANOLE_STAGE_RUN:
    case ANOLE_STAGE_VERIFY:
    case ANOLE_STAGE_TIME:
    case ANOLE_STAGE_RELEASE:
        return true;
    default:
        return false;
    }
}
