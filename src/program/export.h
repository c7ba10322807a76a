/* SPDX-License-Identifier: MIT
 *
 * A program as a folder that runs without Anole: its kernels as OpenCL C files, its weights as
 * they are read by them, manifest.json, and C code for any OpenCL 1.2 (network.c, network.h,
 * Makefile).  docs/export.md describes it.
 */
#ifndef ANOLE_EXPORT_H
#define ANOLE_EXPORT_H

#include "program/program.h"

/* Makes `folder` whole, or leaves what is there alone: it is written beside, and renamed.
 * One that is there must be empty or an earlier export, whose place the new one takes.
 * *kernels: how many files of kernels it has.  ERR_INPUT: a step that the host does, with its
 * node's name; a folder that holds something else. */
enum anole_status anole_program_export(const struct anole_program *program, const char *folder,
                                       size_t *kernels, struct anole_error *error)
    __attribute__((warn_unused_result));

#endif
