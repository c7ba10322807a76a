/* SPDX-License-Identifier: MIT
 *
 * How tests of the library look at the status of a call.  A file that includes this has a
 * `struct anole_error error`, which its calls are given.
 */
#ifndef ANOLE_API_FIXTURE_H
#define ANOLE_API_FIXTURE_H

#define assert_done(call)                                                                          \
    do {                                                                                           \
        enum anole_status status_ = (call);                                                        \
        if (status_ != ANOLE_DONE)                                                                 \
            fail_msg("%s: %s: %s", #call, anole_status_text(status_), error.text);                 \
    } while (0)

/* The call is to fail, with this in the words that it gives to `wrong`. */
#define assert_fails(call, expected, part)                                                         \
    do {                                                                                           \
        struct anole_error wrong = {0};                                                            \
        assert_int_equal(call, expected);                                                          \
        assert_int_equal(wrong.status, expected);                                                  \
        if (!strstr(wrong.text, part))                                                             \
            fail_msg("\"%s\" is not in \"%s\"", part, wrong.text);                                 \
    } while (0)

#endif
