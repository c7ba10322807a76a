/* SPDX-License-Identifier: MIT
 *
 * What a worker gives up before it loads a plugin: kernels and histories may come
 * from someone else.  Against accidents and the careless, not against somebody who
 * means harm: see docs/faults.md.
 */
#ifndef ANOLE_CONFINE_H
#define ANOLE_CONFINE_H

/* Set to "keep", nothing of this is done: for drivers that have a helper set things
 * up at their first use, or reserve more memory than there is. */
#define ANOLE_PRIVILEGES_VARIABLE "ANOLE_WORKER_PRIVILEGES"

/* No new privileges, also for what is started; of root's capabilities only those
 * that drivers use for their memory and threads; limits on data (three quarters of
 * the machine's memory), processes and threads (2048 more than there are), and the
 * size of files (4 GiB).  What the system refuses stays as it is. */
void anole_confine(void);

#endif
