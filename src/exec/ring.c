/* SPDX-License-Identifier: MIT */
#include "exec/ring.h"

#include <math.h>
#include <stddef.h>

int anole_ring_create(struct anole_ring *ring, const struct anole_plugin *plugin,
                      struct anole_session *session, struct anole_build *build,
                      const struct anole_binding *bindings, uint32_t sets, uint32_t runs,
                      struct anole_message *message)
{
    struct anole_sequence_step steps[ANOLE_MAX_SETS];
    int code = ANOLE_OK;
    *ring = (struct anole_ring){.count = 0};
    for (uint32_t i = 0; i < sets; i++)
        steps[i] = (struct anole_sequence_step){.build = build,
                                                .bindings = bindings + i * ANOLE_ROLE_COUNT,
                                                .binding_count = ANOLE_ROLE_COUNT};
    for (uint32_t at = 0; at < sets && code == ANOLE_OK; at += runs) {
        uint32_t count = sets - at < runs ? sets - at : runs;
        struct anole_sequence *sequence = NULL;
        code = plugin->sequence_create(session, steps + at, count, &sequence, message);
        if (code != ANOLE_OK)
            break;
        ring->chunks[ring->count] = sequence;
        ring->runs[ring->count++] = count;
    }
    if (code != ANOLE_OK)
        anole_ring_destroy(ring, plugin, session);
    return code;
}

void anole_ring_destroy(struct anole_ring *ring, const struct anole_plugin *plugin,
                        struct anole_session *session)
{
    for (uint32_t i = 0; i < ring->count; i++)
        plugin->sequence_destroy(session, ring->chunks[i]);
    ring->count = ring->next = 0;
}

int anole_ring_run(struct anole_ring *ring, const struct anole_plugin *plugin,
                   struct anole_session *session, uint32_t *runs, uint32_t most,
                   double *device_seconds, double *host, struct anole_message *message)
{
    uint32_t made = 0;
    double sum = 0.0;
    while (made < *runs && (made == 0 || made + ring->runs[ring->next] <= most)) {
        double seconds = NAN;
        uint32_t chunk = ring->next;
        int code =
            plugin->sequence_run(session, ring->chunks[chunk],
                                 device_seconds ? device_seconds + made : NULL, &seconds, message);
        if (code != ANOLE_OK)
            return code;
        ring->next = (chunk + 1) % ring->count;
        made += ring->runs[chunk];
        sum += seconds;
    }
    *runs = made;
    *host = sum;
    return ANOLE_OK;
}
