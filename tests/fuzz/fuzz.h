/* SPDX-License-Identifier: MIT
 *
 * Fuzzing.  Each fuzz_NAME.c is a target: one function that takes any bytes at
 * all and must neither crash, nor hang, nor leak, nor break a promise of the
 * module that it calls.  run_fuzzers links each to libFuzzer; test_fuzz.c links
 * them all, and gives them what is kept below tests/data, for everybody.
 */
#ifndef ANOLE_FUZZ_H
#define ANOLE_FUZZ_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#ifdef FUZZ_REPLAY
#define FUZZ_TARGET(name) int fuzz_##name(const uint8_t *data, size_t size)
#else
#define FUZZ_TARGET(name) int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
#endif

/* The targets, and their files. */
#define FUZZ_MAP(X)                                                                                \
    X(network)    /* the reader of networks */                                                     \
    X(lockfile)   /* the reader of lock files */                                                   \
    X(history)    /* the reader of histories, which also mends their ends */                       \
    X(recording)  /* the readers of recorded spaces: T4, caches, gzip */                           \
    X(t1)         /* the reader of T1 files */                                                     \
    X(kernel)     /* the same, of whole kernels */                                                 \
    X(onnx)       /* the reader of ONNX models, and of single tensors */                           \
    X(npy)        /* the readers of NumPy's files */                                               \
    X(expression) /* constraints: what is certain of them holds */                                 \
    X(t4)         /* recorded results, written as T4 and read again */                             \
    X(custom)     /* kernels of users, as workers are sent them */                                 \
    X(words)      /* task keys, durations, constraints, and what goes to a terminal */             \
    X(answers)    /* the tuner's side of the protocol: what a worker may send */                   \
    X(worker)     /* the worker's side: what it may be asked */

#define X(name) int fuzz_##name(const uint8_t *data, size_t size);
FUZZ_MAP(X)
#undef X

/* A promise was broken: ends the process, which is what a fuzzer looks for. */
#define FUZZ_REQUIRE(condition)                                                                    \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fuzz_broken(#condition, __FILE__, __LINE__);                                           \
    } while (0)
void fuzz_broken(const char *condition, const char *file, int line) __attribute__((noreturn));

/* Errors are expected here: warnings would drown what matters. */
void fuzz_quiet(void);

/* -- Frames: the input as a series of messages (frames.c) -- */

#define FUZZ_MOST_BYTES ((size_t)48 << 10) /* so much always fits a socket's buffer */

/* Writes to a socket what the input stands for.  Its first byte, odd: the rest as
 * it is; even: frames that are right but for what they say, each from one byte of
 * type, one of flags (1: it answers request 1; 2: `prefix` goes before the
 * payload), two of length, and that many of payload. */
void fuzz_send(int socket, const uint8_t *data, size_t size, const void *prefix,
               size_t prefix_size);

/* Writes inputs worth beginning with into FOLDER/NAME/seed_*, which it makes. */
int fuzz_write_seeds(const char *folder);

#endif
