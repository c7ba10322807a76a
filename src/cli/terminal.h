/* SPDX-License-Identifier: MIT
 *
 * Terminals that are not UTF-8.
 */
#ifndef ANOLE_TERMINAL_H
#define ANOLE_TERMINAL_H

/* At the start of a program.  All that we say ourselves is ASCII; names in files are UTF-8, whose
 * bytes may be control characters to a terminal that is not.  Where stdout or stderr is such a one,
 * by the locale of the environment, each of these bytes is printed as \xNN from here on.  Files and
 * pipes get what is there. */
void anole_terminal_prepare(void);

#endif
