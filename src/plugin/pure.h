/* SPDX-License-Identifier: MIT
 *
 * A backend's pure ops, called elsewhere than in this process.  A plugin is code of somebody
 * else: where it crashes, hangs, calls exit() or prints, that is not to happen to whoever
 * tunes.  What is in here is filled in by worker/asked.c; a backend without it has its ops
 * called where it is.
 */
#ifndef ANOLE_PURE_H
#define ANOLE_PURE_H

#include "base/status.h"

#include <anole/plugin.h>

struct anole_space;
struct anole_backend;

/* A device and a task that many configs are asked about.  Both must outlive it. */
struct anole_pure_task {
    const struct anole_device *device;
    const struct anole_task *task;
    uint64_t number;   /* 0: not known elsewhere yet; kept by what is behind anole_pure */
    uint32_t features; /* as many as were announced: kept by it, too */
    bool lost;         /* an answer could not be had: those given since mean nothing */
    /* Nothing went wrong when many configs were asked about, nor was anything printed: the rest
     * may be asked where it costs a thousandth, in this process. */
    bool trusted;
    bool starved;  /* lost for want of memory in this process: nobody is to blame */
    char why[600]; /* "op valid: the process ... was killed by SIGSEGV ..." */
};

/* All are thread-safe.  ERR_PLUGIN: the plugin failed, or took the process with it that asked
 * it, and the error says how. */
struct anole_pure {
    enum anole_status (*supports)(struct anole_pure *pure, const struct anole_device *device,
                                  const struct anole_task *task, bool *supported,
                                  struct anole_error *error);
    /* What the op hands to its builder, found to be right, is handed on to `builder`. */
    enum anole_status (*space)(struct anole_pure *pure, const struct anole_device *device,
                               const struct anole_task *task, struct anole_space_builder *builder,
                               struct anole_error *error);
    enum anole_status (*generate)(struct anole_pure *pure, const struct anole_device *device,
                                  const struct anole_task *task, const int64_t *values,
                                  size_t count, struct anole_kernel_builder *builder,
                                  struct anole_error *error);
    /* As the ops are, until the task is trusted.  What cannot be answered is "no", or nothing, and
     * noted in `task`. */
    bool (*valid)(struct anole_pure *pure, struct anole_pure_task *task, const int64_t *values,
                  size_t count);
    uint32_t (*features)(struct anole_pure *pure, struct anole_pure_task *task,
                         const int64_t *values, size_t count, double *out);
    /* Enough has been asked: is the task to be trusted?  It is not if the plugin printed. */
    void (*judge)(struct anole_pure *pure, struct anole_pure_task *task);
    /* No more will be asked about it. */
    void (*forget)(struct anole_pure *pure, struct anole_pure_task *task);
    void (*destroy)(struct anole_pure *pure);
};

#endif
