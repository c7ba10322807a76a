/* SPDX-License-Identifier: MIT
 *
 * A kernel bound to several copies of its data, which take turns: see cold.h.
 */
#ifndef ANOLE_RING_H
#define ANOLE_RING_H

#include <anole/plugin.h>

#define ANOLE_MAX_SETS 256

/* Zero-initialised: there is none.  Runs are made in chunks, each a sequence, long enough for
 * the clock. */
struct anole_ring {
    struct anole_sequence *chunks[ANOLE_MAX_SETS];
    uint32_t runs[ANOLE_MAX_SETS]; /* of each chunk */
    uint32_t count, next;          /* chunks, and whose turn it is */
};

/* Of `sets` sets of bindings, [sets][ANOLE_ROLE_COUNT], `runs` of them a chunk.  The
 * plugin's code; on failure there is no ring. */
int anole_ring_create(struct anole_ring *ring, const struct anole_plugin *plugin,
                      struct anole_session *session, struct anole_build *build,
                      const struct anole_binding *bindings, uint32_t sets, uint32_t runs,
                      struct anole_message *message);
void anole_ring_destroy(struct anole_ring *ring, const struct anole_plugin *plugin,
                        struct anole_session *session);

/* Runs chunks until at least *runs runs are made, but no more than `most`, if the first chunk
 * does not make more already: *runs, how many.  device_seconds[most + ANOLE_MAX_SETS], or
 * NULL; *host: seconds, of all.  The plugin's code. */
int anole_ring_run(struct anole_ring *ring, const struct anole_plugin *plugin,
                   struct anole_session *session, uint32_t *runs, uint32_t most,
                   double *device_seconds, double *host, struct anole_message *message);

#endif
