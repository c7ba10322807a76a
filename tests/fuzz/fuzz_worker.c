/* SPDX-License-Identifier: MIT
 *
 * The worker's end of the protocol: a tuner that asks for whatever it likes, of
 * the plugin "simulated" of tests/plugins (in $ANOLE_TEST_PLUGINS) if it is there.
 */
#include "fuzz.h"

#include "worker/wire.h"
#include "worker/worker.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATH 4096

/* What requests that name a plugin begin with. */
static void write_path(struct anole_wire *wire)
{
    char path[PATH];
    const char *folder = getenv("ANOLE_TEST_PLUGINS");
    snprintf(path, sizeof path, "%s/simulated.so", folder ? folder : "tests/plugins/built");
    anole_wire_writer_init(wire);
    anole_wire_text(wire, path, sizeof path);
}

FUZZ_TARGET(worker)
{
    int pair[2];
    struct anole_wire path;
    fuzz_quiet();
    write_path(&path);
    FUZZ_REQUIRE(!path.failed);
    FUZZ_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    fuzz_send(pair[1], data, size, path.data, path.length);
    /* Nobody reads the answers: they must not be waited for.  Requests are all
     * there, or have ended. */
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    anole_worker_serve(pair[0], false, NULL, 0);
    close(pair[0]);
    close(pair[1]);
    anole_wire_fini(&path);
    return 0;
}
