/* SPDX-License-Identifier: MIT
 *
 * Words for people, on stderr.  Data goes to stdout and never through here.
 */
#ifndef ANOLE_LOG_H
#define ANOLE_LOG_H

/* The values are those of enum anole_log_level in plugin.h. */
enum { ANOLE_LEVEL_ERROR, ANOLE_LEVEL_WARNING, ANOLE_LEVEL_INFO, ANOLE_LEVEL_DEBUG };

/* What is above `level` is dropped; initially ANOLE_LEVEL_INFO. */
void anole_log_set_level(int level);

/* Called before each line, so that a progress display can clear itself.  May be
 * NULL. */
void anole_log_set_hook(void (*before)(void *context), void *context);

void anole_log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void anole_log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void anole_log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void anole_log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
