/* SPDX-License-Identifier: MIT
 *
 * Which drivers there are, and how the ICD loader is made to take just one.
 *
 * Two loaders are common, and do not agree on names: ocl-icd takes a folder, an
 * .icd file or a library in OCL_ICD_VENDORS, and a folder in OPENCL_VENDOR_PATH;
 * the Khronos loader takes a folder in OCL_ICD_VENDORS and libraries, separated
 * by colons, in OCL_ICD_FILENAMES.  Each ignores what the other understands.
 */
#include "opencl.h"

#include <dirent.h>
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define VENDORS "/etc/OpenCL/vendors"

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && !strcmp(text + n - m, end);
}

static int is_icd(const struct dirent *entry)
{
    return ends_with(entry->d_name, ".icd");
}

static int list_folder(struct anole_driver_list *list, const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_icd, alphasort);
    int status = ANOLE_OK;
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX];
        int n = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (!status && n > 0 && (size_t)n < sizeof path)
            status = list->add(list, path);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return status;
}

/* Each of the names between colons. */
static int list_libraries(struct anole_driver_list *list, const char *names)
{
    int status = ANOLE_OK;
    while (*names && !status) {
        char name[PATH_MAX];
        size_t n = strcspn(names, ":");
        if (n && n < sizeof name) {
            memcpy(name, names, n);
            name[n] = 0;
            status = list->add(list, name);
        }
        names += n + (names[n] == ':');
    }
    return status;
}

int opencl_list_drivers(struct anole_driver_list *list, struct anole_message *message)
{
    const char *folder = getenv("OPENCL_VENDOR_PATH");
    const char *vendors = getenv("OCL_ICD_VENDORS");
    const char *libraries = getenv("OCL_ICD_FILENAMES");
    struct stat info;
    int status;

    if (!folder || !*folder)
        folder = VENDORS;
    if (vendors && *vendors)
        folder = vendors;
    if (libraries && *libraries && !(vendors && *vendors))
        status = list_libraries(list, libraries);
    else if (!stat(folder, &info) && !S_ISDIR(info.st_mode))
        status = list->add(list, folder);
    else
        status = list_folder(list, folder);
    if (status)
        opencl_say(message, status, "The list of OpenCL drivers could not be passed on.");
    return status;
}

/* The library that an .icd file names in its first line. */
static bool read_icd(const char *path, char *library, size_t size)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool found = fgets(library, (int)size, file) != NULL;
    fclose(file);
    if (found)
        library[strcspn(library, "\r\n")] = 0;
    return found && *library;
}

/* The loader's state belongs to the process, and so must what it was told. */
static char selected[PATH_MAX], library[PATH_MAX];

int opencl_select_driver(const char *driver, struct anole_message *message)
{
    static bool done;

    if (done && strcmp(selected, driver))
        return opencl_say(message, ANOLE_BAD_REQUEST,
                          "This process already uses the OpenCL driver '%s' and cannot change to "
                          "'%s': use one process for each driver.",
                          selected, driver);
    if (done)
        return ANOLE_OK;
    if (strlen(driver) >= sizeof selected)
        return opencl_say(message, ANOLE_BAD_REQUEST, "The name of the driver is too long.");
    if (*driver) {
        if (!ends_with(driver, ".icd"))
            snprintf(library, sizeof library, "%s", driver);
        else if (!read_icd(driver, library, sizeof library))
            return opencl_say(message, ANOLE_NO_DEVICE,
                              "'%s' cannot be read, or names no library: an OpenCL driver's .icd "
                              "file holds the name of its library.",
                              driver);
        if (setenv("OCL_ICD_VENDORS", driver, 1) || setenv("OCL_ICD_FILENAMES", library, 1))
            return opencl_say(message, ANOLE_NO_MEMORY, "The environment cannot be changed.");
        unsetenv("OPENCL_VENDOR_PATH");
    }
    strcpy(selected, driver);
    done = true;
    return ANOLE_OK;
}

int opencl_check_library(struct anole_message *message)
{
    void *handle = *library ? dlopen(library, RTLD_LAZY | RTLD_LOCAL) : NULL;
    if (*library && !handle)
        return opencl_say(message, ANOLE_UNSUPPORTED,
                          "The driver's library %s cannot be loaded: %s.", library, dlerror());
    if (handle)
        dlclose(handle);
    return ANOLE_OK;
}
