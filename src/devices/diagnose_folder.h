/* SPDX-License-Identifier: MIT
 *
 * Whether folders will take what a run writes to them.
 */
#ifndef ANOLE_DIAGNOSE_FOLDER_H
#define ANOLE_DIAGNOSE_FOLDER_H

#include "devices/diagnose.h"

/* The scratch folder, and a folder that a history is to be in: written to, synced,
 * locked, with room. */
ANOLE_CHECKED enum anole_status anole_diagnose_scratch(struct anole_findings *findings,
                                                       struct anole_error *error);
ANOLE_CHECKED enum anole_status anole_diagnose_folder(struct anole_findings *findings,
                                                      const char *folder,
                                                      struct anole_error *error);

/* The cache that `anole run` starts from (base/disk_cache.h). */
ANOLE_CHECKED enum anole_status anole_diagnose_cache(struct anole_findings *findings,
                                                     struct anole_error *error);

#endif
