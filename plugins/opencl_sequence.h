/* SPDX-License-Identifier: MIT
 *
 * Runs of several builds, bound once and submitted as a whole.
 */
#ifndef ANOLE_OPENCL_SEQUENCE_H
#define ANOLE_OPENCL_SEQUENCE_H

#include <anole/plugin.h>

/* As the ops of the same name in anole_plugin. */
int opencl_sequence_create(struct anole_session *session, const struct anole_sequence_step *steps,
                           uint32_t count, struct anole_sequence **sequence,
                           struct anole_message *message) __attribute__((warn_unused_result));
int opencl_sequence_run(struct anole_session *session, struct anole_sequence *sequence,
                        double *device_seconds, double *host_seconds, struct anole_message *message)
    __attribute__((warn_unused_result));
void opencl_sequence_destroy(struct anole_session *session, struct anole_sequence *sequence);

#endif
