/* SPDX-License-Identifier: MIT
 *
 * Cells of a table of comma-separated values (RFC 4180) that spreadsheets may be given, whoever
 * wrote what is in them: a text that such a program would take for a formula is one no more.
 */
#ifndef ANOLE_CSV_WRITE_H
#define ANOLE_CSV_WRITE_H

#include "base/text.h"

/* Appends a cell, with a comma before it unless it is the first of its row.  Printable; one that
 * begins with = + - @ or a tab, a line's end, or a wide form of these, gets a ' before it. */
void anole_csv_text(struct anole_text *out, const char *text);
/* The shortest decimal that reads back as the same; nothing for what is not finite. */
void anole_csv_number(struct anole_text *out, double number);
void anole_csv_integer(struct anole_text *out, int64_t number);
void anole_csv_end_row(struct anole_text *out);

#endif
