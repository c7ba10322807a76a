/* SPDX-License-Identifier: MIT
 *
 * How the tool says that it failed.  (That a *kernel* failed is an outcome, and
 * no error: see result.h.)
 *
 * A function that can fail returns an enum anole_status: 0, or a negative code.
 * Its last parameter is an error that the caller owns; the first to detect a
 * failure fills it in, everyone else only passes it on.  Codes, texts and the error are
 * those of the public header.
 */
#ifndef ANOLE_STATUS_H
#define ANOLE_STATUS_H

#include <anole/status.h>
#include <stdbool.h>

/* In front of a function whose status nobody may ignore: who does not care says so with
 * (void)!f(...). */
#define ANOLE_CHECKED __attribute__((warn_unused_result))

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

#endif
