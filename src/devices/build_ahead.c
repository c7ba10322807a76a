/* SPDX-License-Identifier: MIT */
#include "devices/build_ahead.h"

#include "base/log.h"
#include "plugin/host.h"
#include "worker/compile.h"
#include "worker/oneshot.h"

#include <stdlib.h>
#include <string.h>

#define MOST_WORKERS 16         /* each has the whole of a compiler in its memory */
#define LIMIT 60.0              /* seconds for a worker, and */
#define LIMIT_OF_A_KERNEL 120.0 /* for each of its kernels */

/* What one worker builds: item i goes to worker i % count, as neighbours are alike. */
struct share {
    struct anole_built **items;
    size_t count;
};

static size_t count_workers(size_t items, uint32_t threads)
{
    const struct anole_host *host = anole_host_get(threads);
    /* Where there is a folder of what other workers have compiled, nearly all is in there. */
    if (host && host->scratch)
        return 1;
    size_t most = host && host->topology ? host->topology->threads : 1;
    if (most > MOST_WORKERS)
        most = MOST_WORKERS;
    return items < most ? items : most;
}

static enum anole_status fill_share(struct share *share, struct anole_wire *request,
                                    struct anole_built *items, size_t count, size_t first,
                                    size_t step, struct anole_error *error)
{
    share->items = calloc(count / step + 1, sizeof(struct anole_built *));
    if (!share->items)
        return anole_fail_memory(error);
    for (size_t i = first; i < count; i += step)
        if (anole_compile_add(request, items[i].kernels, items[i].count))
            share->items[share->count++] = &items[i];
    return ANOLE_DONE;
}

static enum anole_status take_share(struct share *share, const struct anole_oneshot *oneshot,
                                    struct anole_error *error)
{
    struct anole_wire wire;
    if (!oneshot->answer) {
        anole_log_debug("building kernels ahead: the worker %s", oneshot->problem);
        return ANOLE_DONE;
    }
    anole_wire_reader_init(&wire, oneshot->answer, oneshot->answer_length);
    for (size_t i = 0; i < share->count; i++) {
        const void *binary;
        size_t bytes;
        anole_compile_take(&wire, &binary, &bytes);
        if (!binary)
            continue;
        share->items[i]->binary = malloc(bytes);
        if (!share->items[i]->binary)
            return anole_fail_memory(error);
        memcpy(share->items[i]->binary, binary, bytes);
        share->items[i]->bytes = bytes;
    }
    return ANOLE_DONE;
}

enum anole_status anole_build_ahead(struct anole_built *items, size_t count,
                                    const struct anole_backend *backend, const char *driver,
                                    uint32_t index, uint32_t threads, struct anole_error *error)
{
    const size_t width = count_workers(count, threads);
    if (width < 2) /* this process does as well */
        return ANOLE_DONE;
    struct share *shares = calloc(width + 1, sizeof *shares);
    struct anole_oneshot *oneshots = calloc(width + 1, sizeof *oneshots);
    enum anole_status status = shares && oneshots ? ANOLE_DONE : anole_fail_memory(error);
    struct anole_error problem = {.status = ANOLE_DONE};
    for (size_t i = 0; i < width && status == ANOLE_DONE; i++) {
        oneshots[i].request = ANOLE_FRAME_COMPILE;
        oneshots[i].expected = ANOLE_FRAME_COMPILED;
        anole_compile_begin(&oneshots[i].payload, backend->path, driver, index, threads);
        status = fill_share(&shares[i], &oneshots[i].payload, items, count, i, width, error);
    }
    if (status == ANOLE_DONE &&
        anole_oneshots_run(oneshots, width, LIMIT + LIMIT_OF_A_KERNEL * (double)(count / width),
                           &problem) != ANOLE_DONE)
        anole_log_debug("building kernels ahead: %s", problem.text);
    for (size_t i = 0; i < width && shares && oneshots; i++) {
        if (status == ANOLE_DONE)
            status = take_share(&shares[i], &oneshots[i], error);
        anole_oneshot_fini(&oneshots[i]);
        free(shares[i].items);
    }
    free(oneshots);
    free(shares);
    return status;
}
