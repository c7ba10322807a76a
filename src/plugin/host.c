/* SPDX-License-Identifier: MIT
 *
 * The table of what plugins may use of the host.
 */
#include "base/environment.h"
#include "base/log.h"
#include "base/text.h"
#include "plugin/host.h"
#include "plugin/scratch.h"
#include "plugin/topology.h"

#include <pthread.h>
#include <stdlib.h>

/* Plugins may keep the table for as long as the process lives: one for each
 * number of threads and flags that was ever asked for stays reachable from here. */
struct entry {
    struct anole_host host;
    struct entry *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry *entries;
static struct anole_topology topology;
static anole_host_log *receiver;

static void log_line(enum anole_log_level level, const char *text)
{
    char line[4096];
    anole_text_printable(line, sizeof line, text ? text : "");
    if (receiver)
        receiver(level, line);
    else if (level <= ANOLE_LOG_ERROR)
        anole_log_error("plugin: %s", line);
    else if (level == ANOLE_LOG_WARNING)
        anole_log_warning("plugin: %s", line);
    else
        anole_log_debug("plugin: %s", line);
}

void anole_host_set_log(anole_host_log *log)
{
    receiver = log;
}

const struct anole_host *anole_host_get_as(uint32_t threads, bool guest)
{
    const uint32_t flags = guest ? ANOLE_HOST_GUEST : 0;
    pthread_mutex_lock(&lock);
    if (topology.size == 0)
        anole_topology_read(&topology);
    struct entry *entry = entries;
    while (entry && (entry->host.threads != threads || entry->host.flags != flags))
        entry = entry->next;
    if (!entry) {
        entry = calloc(1, sizeof *entry);
        if (entry) {
            entry->host = (struct anole_host){.size = sizeof entry->host,
                                              .threads = threads,
                                              .topology = &topology,
                                              .log = log_line,
                                              .scratch = getenv(ANOLE_SCRATCH_VARIABLE),
                                              .flags = flags};
            entry->next = entries;
            entries = entry;
        }
    }
    pthread_mutex_unlock(&lock);
    return entry ? &entry->host : NULL;
}

const struct anole_host *anole_host_get(uint32_t threads)
{
    const struct anole_environment *environment = anole_environment();
    return anole_host_get_as(threads, environment && environment->guest);
}
