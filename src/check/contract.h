/* SPDX-License-Identifier: MIT
 *
 * The contract between the tuner and a backend, as a list.  A clause has a name,
 * the clause that must hold for it to make sense, and what it claims; its test is
 * the function anole_clause_<id>() in one of the files clause_*.c.
 */
#ifndef ANOLE_CONTRACT_H
#define ANOLE_CONTRACT_H

#include "check/check.h"

struct anole_check_context;

/* id, name, what it needs, claim */
#define ANOLE_CONTRACT(X)                                                                          \
    X(loads, "loads", loads, "it is a plugin of this ABI, and loading it does no harm")            \
    X(describes, "describes-devices", loads, "it describes its devices within their bounds")       \
    X(same_twice, "describes-the-same-twice", describes,                                           \
      "asked again, and in another process, it describes the same device")                         \
    X(supports, "says-what-it-supports", describes,                                                \
      "it supports some task, and says the same each time")                                        \
    X(unknown_tasks, "refuses-unknown-tasks", describes,                                           \
      "a kind of task, data type, activation or flag that there is not is refused")                \
    X(declares, "declares-a-space", supports, "a task has a design space within the limits")       \
    X(space, "space-is-deterministic", declares, "a task has one design space, always")            \
    X(default_valid, "default-is-valid", space, "the default config of each task is valid")        \
    X(features, "features-are-numbers", space,                                                     \
      "as many features as announced, all of them finite, the same each time")                     \
    X(source, "source-is-deterministic", space, "a config has one kernel, always")                 \
    X(threads, "pure-on-threads", source, "several threads at once get the same kernels")          \
    X(no_device, "pure-without-device", source,                                                    \
      "kernels are the same before a device was opened, and after")                                \
    X(knobs, "knobs-matter", source, "each knob changes the kernel somewhere")                     \
    X(bad_configs, "refuses-bad-configs", source,                                                  \
      "a config that the space does not have is refused")                                          \
    X(opens, "opens-and-closes", describes,                                                        \
      "a device is opened and closed a hundred times without a leak")                              \
    X(bad_devices, "refuses-unknown-devices", describes, "a device that is not there is refused")  \
    X(builds, "builds-or-refuses", source,                                                         \
      "every sampled config is built, or refused with a word")                                     \
    X(runs, "runs-what-it-builds", builds, "every kernel that was built runs")                     \
    X(outputs, "outputs-equal-the-reference", runs, "every kernel computes what it should")        \
    X(bounds, "stays-in-its-memory", runs, "no kernel writes outside its output and workspace")    \
    X(inputs, "leaves-its-inputs-alone", runs, "no kernel changes input, weights, bias, residual") \
    X(bad_bindings, "refuses-missing-memory", runs,                                                \
      "a run whose output, input or workspace is absent or too small is refused")                  \
    X(releases, "releases-what-it-makes", runs,                                                    \
      "buffers and kernels are made, run and released a hundred times without a leak")             \
    X(positive, "times-are-positive", runs, "every time that is reported is positive and finite")  \
    X(grow, "times-grow-with-work", positive, "more repeats take longer")                          \
    X(clocks, "times-agree-with-the-host", positive,                                               \
      "*host_seconds is what the host's clock says")                                               \
    X(device_clock, "device-times-are-true", positive,                                             \
      "device_seconds are what the runs take, each time, in every config")                         \
    X(binary, "binary-travels", runs, "what binary() gives builds the same kernel elsewhere")      \
    X(shared, "shares-builds-rightly", outputs,                                                    \
      "a build beside one with the same source is itself, and outlives it")                        \
    X(sequences, "sequences-run-each-step", outputs,                                               \
      "a sequence of runs does what the runs do, each step of it, each time")                      \
    X(maps, "maps-its-memory", opens,                                                              \
      "memory that is mapped is the buffer's: what either side writes, the other reads")           \
    X(abandon, "build-can-be-abandoned", runs,                                                     \
      "a process killed while it builds spoils nothing for the next")                              \
    X(stdout, "keeps-stdout-clean", loads, "nothing was written to stdout in all of this")         \
    X(stderr, "keeps-stderr-short", loads, "little was written to stderr in all of this")

enum anole_clause {
#define X(id, name, needs, claim) ANOLE_CLAUSE_##id,
    ANOLE_CONTRACT(X)
#undef X
        ANOLE_CLAUSE_COUNT
};

#define X(id, name, needs, claim)                                                                  \
    enum anole_check_verdict anole_clause_##id(struct anole_check_context *check);
ANOLE_CONTRACT(X)
#undef X

#endif
