/* SPDX-License-Identifier: MIT
 *
 * Text of a report: whatever comes from a file is data, and is escaped on its way out.
 * Numbers become words by functions that return them by value: anole_word_seconds(x).text is
 * good until the end of the expression.
 */
#ifndef ANOLE_REPORT_MARKUP_H
#define ANOLE_REPORT_MARKUP_H

#include "base/text.h"

/* Appends `text` so that it is text in HTML and in XML, within elements and within attributes in
 * double quotes.  What is not fit to print, or is no character of XML, is written as \xNN. */
void anole_markup_escape(struct anole_text *out, const char *text);

/* Appends `text` as code of Markdown, which is neither markup nor a link there, nor the end of
 * a table's cell.  "`" and "|" are written as \xNN. */
void anole_markup_code(struct anole_text *out, const char *text);

/* Appends `pattern`, each $ of it replaced by the next text, escaped.  The texts end with NULL. */
void anole_markup(struct anole_text *out, const char *pattern, ...) __attribute__((sentinel));

struct anole_word {
    char text[64];
};
struct anole_word anole_word_seconds(double seconds); /* "1.23 ms"; "-" */
/* "[1.20, 1.26] ms": an interval in the unit of its middle. "" if it is none. */
struct anole_word anole_word_interval(double middle, double low, double high);
struct anole_word anole_word_count(size_t count);                     /* "1,234" */
struct anole_word anole_word_percent(double share);                   /* 0.123 as "12.3 %"; "-" */
struct anole_word anole_word_times(double ratio);                     /* "1.52x"; "-" */
struct anole_word anole_word_ratio_interval(double low, double high); /* "[1.4, 1.6]"; "" */
struct anole_word anole_word_number(double value, int digits);        /* behind the point; "-" */
struct anole_word anole_word_short(double value); /* three significant digits; "-" */

#endif
