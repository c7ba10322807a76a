/* SPDX-License-Identifier: MIT
 *
 * What keeps a machine from having an OpenCL driver at all: for `anole doctor`.
 */
#include "opencl_checkup.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define VENDORS "/etc/OpenCL/vendors"

/* Libraries that are drivers: how their names begin, and the .icd file for them.
 * In a container, the library is often mounted from outside, and nothing names it. */
static const struct {
    const char *library, *icd;
} known[] = {
    {"libpocl.so", "pocl.icd"},
    {"libnvidia-opencl.so", "nvidia.icd"},
    {"libamdocl64.so", "amdocl64.icd"},
    {"libMesaOpenCL.so", "mesa.icd"},
    {"libRusticlOpenCL.so", "rusticl.icd"},
    {"libigdrcl.so", "intel.icd"},
    {"libintelocl.so", "intel-cpu.icd"},
    {"libmali.so", "mali.icd"},
};

static const char *const folders[] = {
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib",
    "/usr/local/nvidia/lib64",
    "/usr/lib/x86_64-linux-gnu/intel-opencl",
    "/opt/rocm/lib",
    "/opt/amdgpu-pro/lib/x86_64-linux-gnu",
};

static int report(struct anole_diagnosis *diagnosis, const char *check, uint32_t verdict,
                  const char *found, const char *mend)
{
    return diagnosis->report(diagnosis, check, verdict, found, mend);
}

/* A driver's library that lies in one of the folders; and the .icd file for it. */
static bool find_library(char *path, size_t size, const char **icd)
{
    for (size_t f = 0; f < sizeof folders / sizeof *folders; f++) {
        DIR *list = opendir(folders[f]);
        struct dirent *entry;
        bool found = false;
        while (list && !found && (entry = readdir(list))) {
            for (size_t i = 0; i < sizeof known / sizeof *known && !found; i++) {
                found = strncmp(entry->d_name, known[i].library, strlen(known[i].library)) == 0;
                if (found) {
                    *icd = known[i].icd;
                    snprintf(path, size, "%s/%s", folders[f], entry->d_name);
                }
            }
        }
        if (list)
            closedir(list);
        if (found)
            return true;
    }
    return false;
}

/* The command that gives the loader a driver. */
static void write_remedy(char *out, size_t size, const char *advice)
{
    char library[PATH_MAX];
    const char *icd;
    static const char *const variables[] = {"OCL_ICD_VENDORS", "OCL_ICD_FILENAMES",
                                            "OPENCL_VENDOR_PATH"};
    struct stat about;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = getenv(variables[i]);
        if (value && *value && strcmp(value, VENDORS) != 0) {
            snprintf(out, size, "unset %s (it points the loader away from " VENDORS ")",
                     variables[i]);
            return;
        }
    }
    if (find_library(library, sizeof library, &icd))
        snprintf(out, size, "%secho %.300s | sudo tee " VENDORS "/%s (that library is a driver)",
                 stat(VENDORS, &about) == 0 ? "" : "sudo mkdir -p " VENDORS " && ", library, icd);
    else
        snprintf(out, size, "%s", advice);
}

struct count {
    struct anole_driver_list list; /* first */
    unsigned drivers;
};

static int count_one(struct anole_driver_list *list, const char *driver)
{
    (void)driver;
    ((struct count *)list)->drivers++;
    return ANOLE_OK;
}

int opencl_diagnose_installation(struct anole_diagnosis *diagnosis, const char *advice)
{
    struct count count = {.list = {.size = sizeof count.list, .add = count_one}};
    char found[PATH_MAX + 64], mend[500];
    const char *vendors = getenv("OCL_ICD_VENDORS");
    int code = report(diagnosis, "ICD loader", ANOLE_VERDICT_FINE,
                      "linked to this backend, which loads", NULL);
    if (code == ANOLE_OK)
        code = opencl_list_drivers(&count.list, NULL);
    if (code != ANOLE_OK)
        return code;
    snprintf(found, sizeof found, "%u driver%s named in %s", count.drivers,
             count.drivers == 1 ? "" : "s", vendors && *vendors ? vendors : VENDORS);
    if (count.drivers > 0)
        return report(diagnosis, "ICD files", ANOLE_VERDICT_FINE, found, NULL);
    write_remedy(mend, sizeof mend, advice);
    return report(diagnosis, "ICD files", ANOLE_VERDICT_FAULT,
                  "the loader is told of no driver: there is no .icd file for it", mend);
}

/* The library that a driver's name means. */
static bool library_of(const char *driver, char *library, size_t size)
{
    size_t length = strlen(driver);
    if (length < 4 || strcmp(driver + length - 4, ".icd") != 0) {
        snprintf(library, size, "%s", driver);
        return true;
    }
    FILE *file = fopen(driver, "re");
    bool read = file && fgets(library, (int)size, file);
    if (file)
        fclose(file);
    if (read)
        library[strcspn(library, "\r\n")] = '\0';
    return read && library[0];
}

/* A driver that gives this backend no device: whether it is one at all. */
int opencl_diagnose_driver(struct anole_diagnosis *diagnosis, const char *driver)
{
    char library[PATH_MAX] = "", found[PATH_MAX + 300], mend[500];
    snprintf(mend, sizeof mend, "sudo rm %.450s, or its library's package", driver);
    if (!library_of(driver, library, sizeof library)) {
        snprintf(found, sizeof found, "%.300s cannot be read, or names no library", driver);
        return report(diagnosis, "library", ANOLE_VERDICT_FAULT, found, mend);
    }
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char *why = dlerror();
        snprintf(found, sizeof found, "%.200s cannot be loaded: %.250s", library,
                 why ? why : "no reason given");
        return report(diagnosis, "library", ANOLE_VERDICT_FAULT, found, mend);
    }
    /* Never closed: drivers do not survive that, and this process ends anyway. */
    snprintf(found, sizeof found, "%.300s loads; it has no device of this kind", library);
    return report(diagnosis, "library", ANOLE_VERDICT_FINE, found, NULL);
}
