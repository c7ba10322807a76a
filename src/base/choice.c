/* SPDX-License-Identifier: MIT */
#include "base/choice.h"

#include "base/text.h"

#include <string.h>

enum anole_status anole_choice_find(size_t *index, const char *what, const char *name,
                                    const char *const *names, size_t count,
                                    struct anole_error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            *index = i;
            return ANOLE_DONE;
        }
    }
    char shown[64];
    struct anole_text list = {0};
    for (size_t i = 0; i < count; i++)
        anole_text_printf(&list, "%s%s", i ? ", " : "", names[i]);
    const char *nearest = anole_text_nearest(name, names, count);
    anole_fail(error, ANOLE_ERR_USAGE, "there is no %s \"%s\"; there are: %s%s%s%s", what,
               anole_text_printable(shown, sizeof shown, name), list.data ? list.data : "",
               nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
    anole_text_fini(&list);
    return ANOLE_ERR_USAGE;
}
