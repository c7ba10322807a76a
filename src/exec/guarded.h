/* SPDX-License-Identifier: MIT
 *
 * A buffer on a device with a guard in front of and behind its data: a page of
 * NaNs, whether read as floats or as halves, so that a kernel that reads there computes NaN, and
 * one that writes there is found out.
 */
#ifndef ANOLE_GUARDED_H
#define ANOLE_GUARDED_H

#include <anole/plugin.h>

#include <stdbool.h>
#include <stddef.h>

#define ANOLE_GUARD 4096u

/* Zero-initialised: there is none. */
struct anole_guarded {
    struct anole_buffer *buffer;
    size_t bytes;    /* of the data */
    size_t capacity; /* bytes that the buffer has room for, guards aside */
};

/* What the functions below need. */
struct anole_guarded_device {
    const struct anole_plugin *plugin;
    struct anole_session *session;
    size_t held; /* bytes of all buffers */
};

/* All return a code of the plugin's, with its message. */

/* Room for `bytes` of data with fresh guards around; the buffer is made anew if
 * it is too small or far too large. */
int anole_guarded_reserve(struct anole_guarded *guarded, struct anole_guarded_device *device,
                          size_t bytes, struct anole_message *message);
/* Writes all of the data. */
int anole_guarded_write(const struct anole_guarded *guarded,
                        const struct anole_guarded_device *device, const void *data,
                        struct anole_message *message);
/* Fills the data with NaNs, of either kind. */
int anole_guarded_poison(const struct anole_guarded *guarded,
                         const struct anole_guarded_device *device, struct anole_message *message);
int anole_guarded_read(const struct anole_guarded *guarded,
                       const struct anole_guarded_device *device, void *data,
                       struct anole_message *message);
/* *before, *behind: whether that guard is as it was.  No buffer: both are. */
int anole_guarded_check(const struct anole_guarded *guarded,
                        const struct anole_guarded_device *device, bool *before, bool *behind,
                        struct anole_message *message);
void anole_guarded_destroy(struct anole_guarded *guarded, struct anole_guarded_device *device);

struct anole_binding anole_guarded_binding(const struct anole_guarded *guarded);

/* True if element `at`, of 2 or 4 bytes, of data read back is what
 * anole_guarded_poison() writes: nothing has been written over it. */
bool anole_guarded_is_poison(const void *data, size_t at, size_t element_bytes);
/* Fills memory of ours with the same. */
void anole_guarded_fill(void *memory, size_t bytes);

#endif
