/* SPDX-License-Identifier: MIT
 *
 * The parts of the page: whether there is one, and what stands below its heading.  Where there
 * are several devices, their parts stand side by side.
 */
#ifndef ANOLE_REPORT_PAGE_H
#define ANOLE_REPORT_PAGE_H

#include "report/markup.h"
#include "report/model.h"

typedef bool anole_page_condition(const struct anole_report *report);
anole_page_condition anole_page_always, anole_page_has_result, anole_page_has_side,
    anole_page_has_trials, anole_page_has_roofline, anole_page_has_run, anole_page_has_notes;

typedef void anole_page_part(struct anole_text *out, const struct anole_report *report);
/* Tables of what was found. */
anole_page_part anole_page_result, anole_page_side, anole_page_layers, anole_page_disturbance,
    anole_page_environment, anole_page_notes, anole_page_run;
/* What trials and kernels look like. */
anole_page_part anole_page_search, anole_page_time, anole_page_outcomes, anole_page_roofline,
    anole_page_knobs;

/* Around what stands side by side; a heading with the device's name where there are several. */
void anole_page_begin_side(struct anole_text *out, const struct anole_report *report);
void anole_page_begin_device(struct anole_text *out, const struct anole_report *report,
                             const struct anole_report_column *column);
void anole_page_end_device(struct anole_text *out);
void anole_page_end_side(struct anole_text *out);

#endif
