/* SPDX-License-Identifier: MIT
 *
 * Inside expressions: text to tokens, and the messages that point into it.  For
 * expression_token.c and expression_parse.c only.
 */
#ifndef ANOLE_EXPRESSION_TOKEN_H
#define ANOLE_EXPRESSION_TOKEN_H

#include "base/status.h"

#include <stddef.h>

enum anole_token {
    TOKEN_END,
    TOKEN_NUMBER,
    TOKEN_NAME,
    TOKEN_OTHER, /* something that begins no token */
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_NOT,
    TOKEN_IN,
    TOKEN_AND_C,
    TOKEN_OR_C,
    TOKEN_NOT_C,
    TOKEN_EQ,
    TOKEN_NE,
    TOKEN_LE,
    TOKEN_GE,
    TOKEN_LT,
    TOKEN_GT,
    TOKEN_POWER,
    TOKEN_FLOOR_DIVIDE,
    TOKEN_PLUS,
    TOKEN_MINUS,
    TOKEN_TIMES,
    TOKEN_DIVIDE,
    TOKEN_MODULO,
    TOKEN_COMMA,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_OPEN_LIST,
    TOKEN_CLOSE_LIST,
};

/* Zero but for text and error, then advanced once. */
struct anole_scanner {
    const char *text;
    struct anole_error *error;
    enum anole_status status; /* of the first failure */
    enum anole_token token;   /* the next one */
    size_t start, length;     /* where it is */
    double number;            /* of a TOKEN_NUMBER */
};

/* Goes on to the next token.  This and the others are false on failure. */
bool anole_scanner_advance(struct anole_scanner *scanner);
/* Over this token; fails with a message if it is another. */
bool anole_scanner_expect(struct anole_scanner *scanner, enum anole_token token,
                          const char *expected);

/* Set status and error; always false.  "Expected ..., found the next token". */
bool anole_scanner_fail(struct anole_scanner *scanner, const char *expected);
/* The next token is an unknown name. */
bool anole_scanner_fail_name(struct anole_scanner *scanner, const char *const *names,
                             size_t name_count);
bool anole_scanner_fail_depth(struct anole_scanner *scanner, int depth);
bool anole_scanner_fail_memory(struct anole_scanner *scanner);

#endif
