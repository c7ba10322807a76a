/* SPDX-License-Identifier: MIT
 *
 * Words for people.  They go where the thread's environment says (environment.h), or, in a
 * program of ours, to stderr.  Data goes to stdout and never through here.
 */
#ifndef ANOLE_LOG_H
#define ANOLE_LOG_H

#include "base/status.h" /* enum anole_level, with the values of anole_log_level in plugin.h */

/* For programs, before they start a thread: what is above `level` is dropped on stderr;
 * initially ANOLE_LEVEL_INFO. */
void anole_log_set_level(int level);

/* For programs: called before each line on stderr, so that a progress display can clear
 * itself.  May be NULL. */
void anole_log_set_hook(void (*before)(void *context), void *context);

/* For programs, before they start a thread: takes every message that would be a line on
 * stderr, in place of stderr; NULL ends that.  Called from any thread. */
typedef void anole_log_sink(void *context, enum anole_level level, const char *text);
void anole_log_set_sink(anole_log_sink *write, void *context);

/* To stderr, as a program has it: the anole_log_callback of its context. */
void anole_log_print(void *unused, enum anole_level level, const char *text);

void anole_log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void anole_log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void anole_log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void anole_log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
