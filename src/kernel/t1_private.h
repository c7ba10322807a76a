/* SPDX-License-Identifier: MIT
 *
 * What the parts of the T1 reader share.
 */
#ifndef ANOLE_T1_PRIVATE_H
#define ANOLE_T1_PRIVATE_H

#include "base/json.h"
#include "kernel/t1.h"

/* A value as a file has it: a number, or a text. */
struct anole_t1_value {
    double number;
    char *text; /* NULL: it is a number */
};

struct anole_t1_list {
    struct anole_t1_value *items;
    size_t count, capacity;
};

void anole_t1_list_fini(struct anole_t1_list *list);
/* Takes over `text`, also on failure. */
enum anole_status anole_t1_list_add(struct anole_t1_list *list, double number, char *text,
                                    struct anole_error *error);
/* Appends what a text in Python's notation lists.  Messages begin with the text. */
enum anole_status anole_t1_list_read(struct anole_t1_list *list, const char *text,
                                     struct anole_error *error);
/* A number written as an expression without names. */
enum anole_status anole_t1_number(double *number, const char *text, struct anole_error *error);

/* The space's part of a parsed file. */
enum anole_status anole_t1_read(struct anole_t1 **t1, const json_t *root, const char *path,
                                struct anole_error *error);
/* A parameter's values, sorted and numbered, from what the file lists. */
enum anole_status anole_t1_settle(struct anole_t1 *t1, struct anole_t1_parameter *parameter,
                                  const struct anole_t1_list *list, struct anole_error *error);
/* The number of a text, given now if it has none; -1 without memory. */
int64_t anole_t1_text_number(struct anole_t1 *t1, const char *text);
/* An expression of the file in terms of the knobs: texts become numbers, and
 * fractions are divided by their scale.  The caller's to free. */
enum anole_status anole_t1_translate(char **expression, struct anole_t1 *t1, const char *text,
                                     struct anole_error *error);
/* ERR_INPUT, with the column, if a text in an expression of the file stands where it has no
 * meaning: beside a number, or anywhere but at ==, != and in. */
enum anole_status anole_t1_check_texts(const struct anole_t1 *t1, const char *text,
                                       struct anole_error *error);

#endif
