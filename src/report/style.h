/* SPDX-License-Identifier: MIT
 *
 * How reports look: style sheets, literals.
 */
#ifndef ANOLE_REPORT_STYLE_H
#define ANOLE_REPORT_STYLE_H

extern const char anole_style_colours[]; /* light and dark, as variables of :root */
extern const char anole_style_chart[];   /* classes of charts */
extern const char anole_style_page[];    /* of the page, on a screen and on paper */

#endif
