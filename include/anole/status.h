/* SPDX-License-Identifier: MIT
 *
 * anole/status.h - how libanole reports failures; a part of anole.h, which includes it.
 *
 * There are two kinds of failure.  A *status* says that the library could not do what it
 * was asked for: it is what functions return.  An *outcome* says what became of a kernel
 * that was tried: it is data, and no function fails because of it.
 *
 * Each code is defined once, in the tables below.  Codes are never renumbered; later
 * versions add some at the end, so treat any negative value as a failure.
 */
#ifndef ANOLE_PUBLIC_STATUS_H
#define ANOLE_PUBLIC_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/* In front of every function that the library exports. */
#define ANOLE_API __attribute__((visibility("default")))

/* name, value, text, exit code of the program `anole` */
#define ANOLE_STATUS_MAP(X)                                                                        \
    X(DONE, 0, "done", 0)                                                                          \
    X(ERR_INTERNAL, -1, "internal error", 1)                                                       \
    X(ERR_MEMORY, -2, "out of memory", 1)                                                          \
    X(ERR_SYSTEM, -3, "the operating system refused", 1)                                           \
    X(ERR_USAGE, -4, "wrong usage", 2)                                                             \
    X(ERR_INPUT, -5, "bad input", 2)                                                               \
    X(ERR_IN_USE, -6, "in use by another process", 2)                                              \
    X(ERR_VERSION, -7, "made by another version", 2)                                               \
    X(ERR_NO_DEVICE, -8, "no such device", 3)                                                      \
    X(ERR_NO_BACKEND, -9, "no such backend", 3)                                                    \
    X(ERR_PLUGIN, -10, "plugin refused", 3)                                                        \
    X(ERR_WORKER, -11, "the worker process failed", 1)                                             \
    X(ERR_NOTHING_VALID, -12, "nothing valid found", 4)                                            \
    X(ERR_WRONG_RESULT, -13, "wrong result", 5)                                                    \
    X(ERR_SLOWER, -14, "slower than the baseline", 6)                                              \
    X(ERR_INTERRUPTED, -15, "interrupted", 130)

enum anole_status {
#define X(name, value, text, exit_code) ANOLE_##name = value,
    ANOLE_STATUS_MAP(X)
#undef X
};

/* The text of a status: a literal, never NULL. */
ANOLE_API const char *anole_status_text(enum anole_status status);

/* What failed, in words.  The caller owns it: initialise it with {0} or by
 * anole_error_clear(), and pass it as the last argument.  The first failure stays in it,
 * later ones do not replace it; what succeeds leaves it alone.  NULL may be passed where
 * the words are not wanted. */
#define ANOLE_ERROR_TEXT 1024
struct anole_error {
    enum anole_status status;
    char text[ANOLE_ERROR_TEXT]; /* one printable message, without a final newline */
};
ANOLE_API void anole_error_clear(struct anole_error *error);

/* name, text in files, words for people */
#define ANOLE_OUTCOME_MAP(X)                                                                       \
    X(OK, "ok", "ran, and is right")                                                               \
    X(INVALID, "invalid", "the generator refused the config")                                      \
    X(COMPILE, "compile", "the kernel did not compile")                                            \
    X(LAUNCH, "launch", "the device refused to run the kernel")                                    \
    X(WRONG_ANSWER, "wrong-answer", "the output was wrong")                                        \
    X(TIMEOUT, "timeout", "the build or the run took too long")                                    \
    X(CRASH, "crash", "the worker process died")                                                   \
    X(LOST, "lost", "something else kept it from being tried, again and again")

enum anole_outcome {
#define X(name, text, words) ANOLE_OUTCOME_##name,
    ANOLE_OUTCOME_MAP(X)
#undef X
        ANOLE_OUTCOME_COUNT /* of this version; may grow */
};

/* Literals; "unknown" for values out of range. */
ANOLE_API const char *anole_outcome_text(enum anole_outcome outcome);
ANOLE_API const char *anole_outcome_words(enum anole_outcome outcome);

/* How much a message of the log matters. */
enum anole_level { ANOLE_LEVEL_ERROR, ANOLE_LEVEL_WARNING, ANOLE_LEVEL_INFO, ANOLE_LEVEL_DEBUG };

#ifdef __cplusplus
}
#endif
#endif
