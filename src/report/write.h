/* SPDX-License-Identifier: MIT
 *
 * A report as text, in each of its formats: the same content, and each complete in itself.
 * Whatever comes from a file is escaped for the format.
 */
#ifndef ANOLE_REPORT_WRITE_H
#define ANOLE_REPORT_WRITE_H

#include "report/model.h"

/* `out` is appended to.  The only failure is ERR_MEMORY. */
typedef enum anole_status anole_report_writer(struct anole_text *out,
                                              const struct anole_report *report,
                                              struct anole_error *error);

anole_report_writer anole_report_write_html;
anole_report_writer anole_report_write_markdown;
anole_report_writer anole_report_write_json;
anole_report_writer anole_report_write_svg; /* the results on one picture */

#endif
