/* SPDX-License-Identifier: MIT
 *
 * How the tool says that it failed.  (That a *kernel* failed is an outcome, and
 * no error: see result.h.)
 *
 * A function that can fail returns an enum anole_status: 0, or a negative code.
 * Its last parameter is an error that the caller owns; the first to detect a
 * failure fills it in, everyone else only passes it on.
 */
#ifndef ANOLE_STATUS_H
#define ANOLE_STATUS_H

#include <stdbool.h>

/* In front of a function whose status nobody may ignore: who does not care says so with
 * (void)!f(...). */
#define ANOLE_CHECKED __attribute__((warn_unused_result))

/* code, value, text, exit code of the program */
#define ANOLE_STATUS_MAP(X)                                                                        \
    X(DONE, 0, "done", 0)                                                                          \
    X(ERR_INTERNAL, -1, "internal error", 1)                                                       \
    X(ERR_MEMORY, -2, "out of memory", 1)                                                          \
    X(ERR_SYSTEM, -3, "the operating system refused", 1)                                           \
    X(ERR_USAGE, -4, "wrong usage", 2)                                                             \
    X(ERR_INPUT, -5, "bad input", 2)                                                               \
    X(ERR_IN_USE, -6, "in use by another process", 2)                                              \
    X(ERR_VERSION, -7, "made by another version", 2)                                               \
    X(ERR_NO_DEVICE, -8, "no such device", 3)                                                      \
    X(ERR_NO_BACKEND, -9, "no such backend", 3)                                                    \
    X(ERR_PLUGIN, -10, "plugin refused", 3)                                                        \
    X(ERR_WORKER, -11, "the worker process failed", 1)                                             \
    X(ERR_NOTHING_VALID, -12, "nothing valid found", 4)                                            \
    X(ERR_WRONG_RESULT, -13, "wrong result", 5)                                                    \
    X(ERR_SLOWER, -14, "slower than the baseline", 6)                                              \
    X(ERR_INTERRUPTED, -15, "interrupted", 130)

enum anole_status {
#define X(name, value, text, exit_code) ANOLE_##name = value,
    ANOLE_STATUS_MAP(X)
#undef X
};

#define ANOLE_ERROR_TEXT 1024

struct anole_error {
    enum anole_status status;
    char text[ANOLE_ERROR_TEXT]; /* one message, without a final newline */
};

/* A literal: the text of a code.  Never NULL. */
const char *anole_status_text(enum anole_status status);

/* The program's exit code for a status: 0 to 6, or 130. */
int anole_status_exit_code(enum anole_status status);

/* Fills in `error` (which may be NULL) unless it already holds a failure (the
 * first wins), and returns `status`, so that `return anole_fail(...)` works.
 * A message says what failed, what was expected, what was found, what to try. */
enum anole_status anole_fail(struct anole_error *error, enum anole_status status,
                             const char *format, ...) __attribute__((format(printf, 3, 4)));

/* anole_fail() for ERR_SYSTEM, with strerror(errno) appended. */
enum anole_status anole_fail_errno(struct anole_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* anole_fail() for ERR_MEMORY. */
enum anole_status anole_fail_memory(struct anole_error *error);

/* Puts "context: " in front of the message. */
void anole_error_prefix(struct anole_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Makes the error empty again. */
void anole_error_clear(struct anole_error *error);

#endif
