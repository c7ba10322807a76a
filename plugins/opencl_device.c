/* SPDX-License-Identifier: MIT
 *
 * Which drivers there are, how the ICD loader is made to take just one, and what any
 * of its devices says of itself.
 *
 * Two loaders are common, and do not agree on names: ocl-icd takes a folder, an
 * .icd file or a library in OCL_ICD_VENDORS, by path or by name, and a folder in
 * OPENCL_VENDOR_PATH; the Khronos loader takes a folder in OCL_ICD_VENDORS and libraries, separated
 * by colons, in OCL_ICD_FILENAMES.  Each ignores what the other understands.
 */
#include "opencl_device.h"
#include "opencl_compiler.h"
#include "opencl_error.h"

#include <dirent.h>
#include <dlfcn.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VENDORS "/etc/OpenCL/vendors"
#define MAX_PLATFORMS 16
#define MAX_DEVICES 64

/* ----------------------------------------------------------------- drivers */

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

/* A bare name, as ocl-icd takes it: of an .icd file in the usual folder, or of a
 * library that the dynamic linker finds.  Files of that name in the working folder
 * are not meant. */
static int list_bare_name(struct anole_driver_list *list, const char *name)
{
    char path[PATH_MAX];
    if (!ends_with(name, ".icd"))
        return strstr(name, ".so") ? list->add(list, name) : ANOLE_OK;
    int n = snprintf(path, sizeof path, VENDORS "/%s", name);
    if (n < 0 || (size_t)n >= sizeof path || access(path, F_OK))
        return ANOLE_OK;
    return list->add(list, path);
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
    else if (!stat(folder, &info) && S_ISDIR(info.st_mode))
        status = list_folder(list, folder);
    else if (folder == vendors && !strchr(folder, '/'))
        status = list_bare_name(list, folder);
    else if (!access(folder, F_OK))
        status = list->add(list, folder);
    else
        status = ANOLE_OK;
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

bool opencl_has_scratch(const struct anole_host *host)
{
    return host->size >= offsetof(struct anole_host, scratch) + sizeof host->scratch &&
           host->scratch;
}

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

const char *opencl_driver_library(void)
{
    return library;
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

/* ----------------------------------------------------------------- devices */

/* Adds the devices of some platforms to devices[room]; *found counts them all. */
static void add_devices(const cl_platform_id *platforms, cl_uint platform_count,
                        cl_device_type type, cl_device_id *devices, uint32_t room, uint32_t *found)
{
    if (platform_count > MAX_PLATFORMS)
        platform_count = MAX_PLATFORMS;
    for (cl_uint p = 0; p < platform_count; p++) {
        cl_device_id ids[MAX_DEVICES];
        cl_uint n = 0;
        if (clGetDeviceIDs(platforms[p], type, MAX_DEVICES, ids, &n))
            continue;
        for (cl_uint i = 0; i < n && i < MAX_DEVICES; i++, ++*found)
            if (*found < room)
                devices[*found] = ids[i];
    }
}

struct platforms {
    cl_platform_id ids[MAX_PLATFORMS];
    cl_uint count;
    cl_int error;
};

/* The first time the ICD loader loads all drivers. */
static void get_all_platforms(void *context)
{
    struct platforms *all = context;
    all->error = clGetPlatformIDs(MAX_PLATFORMS, all->ids, &all->count);
}

int opencl_find_devices(cl_device_type type, cl_device_id *devices, uint32_t *count,
                        struct anole_message *message)
{
    struct platforms all = {.count = 0};
    uint32_t found = 0;
    int code = ANOLE_OK;

    opencl_compiler_load(get_all_platforms, &all);
    /* With no driver at all the loader says so with an error of an extension. */
    if (all.error == CL_OUT_OF_HOST_MEMORY)
        return opencl_fail(message, ANOLE_NO_MEMORY, all.error, "clGetPlatformIDs");
    if (all.error)
        all.count = 0;
    if (all.count == 0)
        code = opencl_check_library(message);
    add_devices(all.ids, all.count, type, devices, *count, &found);
    *count = found;
    return code;
}

/* ------------------------------------------------------ beside the ICD loader */

bool opencl_is_guest(const struct anole_host *host)
{
    return host->size >= offsetof(struct anole_host, flags) + sizeof host->flags &&
           host->flags & ANOLE_HOST_GUEST;
}

typedef cl_int get_platforms(cl_uint room, cl_platform_id *platforms, cl_uint *count);

/* The extension cl_khr_icd: what a driver gives to the loader, and where it is found. */
static get_platforms *find_get_platforms(void *handle)
{
    static const char name[] = "clIcdGetPlatformIDsKHR";
    void *(*ask)(const char *) = NULL;
    get_platforms *found = NULL;
    void *symbol = dlsym(handle, "clGetExtensionFunctionAddress");
    memcpy(&ask, &symbol, sizeof ask);
    symbol = ask ? ask(name) : NULL;
    if (!symbol)
        symbol = dlsym(handle, name);
    memcpy(&found, &symbol, sizeof found);
    return found;
}

/* The objects of a driver lead to its functions by themselves: those of the loader work with
 * platforms that it has never seen. */
int opencl_find_devices_of(const char *driver, cl_device_type type, cl_device_id *devices,
                           uint32_t *count, struct anole_message *message)
{
    cl_platform_id platforms[MAX_PLATFORMS];
    cl_uint platform_count = 0;
    uint32_t found = 0;
    char path[PATH_MAX];
    if (!*driver)
        return opencl_find_devices(type, devices, count, message);
    if (!ends_with(driver, ".icd"))
        snprintf(path, sizeof path, "%s", driver);
    else if (!read_icd(driver, path, sizeof path))
        return opencl_say(message, ANOLE_NO_DEVICE, "'%s' cannot be read, or names no library.",
                          driver);
    /* Never closed: drivers do not survive that. */
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return opencl_say(message, ANOLE_UNSUPPORTED,
                          "The driver's library %s cannot be loaded: %s.", path, dlerror());
    get_platforms *get = find_get_platforms(handle);
    if (!get)
        return opencl_say(message, ANOLE_UNSUPPORTED,
                          "The driver's library %s has no clIcdGetPlatformIDsKHR.", path);
    cl_int error = get(MAX_PLATFORMS, platforms, &platform_count);
    if (error == CL_OUT_OF_HOST_MEMORY)
        return opencl_fail(message, ANOLE_NO_MEMORY, error, "clIcdGetPlatformIDsKHR");
    if (!error)
        add_devices(platforms, platform_count, type, devices, *count, &found);
    *count = found;
    return ANOLE_OK;
}

uint64_t opencl_device_number(cl_device_id id, cl_device_info what, uint64_t otherwise)
{
    union {
        cl_uint small;
        cl_ulong large;
    } answer = {.large = 0};
    size_t size = 0;
    if (clGetDeviceInfo(id, what, sizeof answer, &answer, &size))
        return otherwise;
    if (size == sizeof answer.small)
        return answer.small;
    return size == sizeof answer.large ? answer.large : otherwise;
}

/* A text as the device gives it, without blanks around it; "" if it gives none
 * or a longer one. */
static void device_text(cl_device_id id, cl_device_info what, char *out, size_t size)
{
    out[0] = 0;
    if (clGetDeviceInfo(id, what, size, out, NULL))
        out[0] = 0;
    out[size - 1] = 0;
    size_t blanks = strspn(out, " ");
    memmove(out, out + blanks, strlen(out + blanks) + 1);
    for (size_t n = strlen(out); n && out[n - 1] == ' '; n--)
        out[n - 1] = 0;
}

void opencl_describe(cl_device_id id, uint32_t index, struct anole_device *device)
{
    cl_platform_id platform;
    size_t items[8] = {0};
    cl_device_type type = opencl_device_number(id, CL_DEVICE_TYPE, 0);

    memset(device, 0, sizeof *device);
    device->size = sizeof *device;
    device->index = index;
    device->type = type & CL_DEVICE_TYPE_CPU   ? ANOLE_DEVICE_CPU
                   : type & CL_DEVICE_TYPE_GPU ? ANOLE_DEVICE_GPU
                                               : ANOLE_DEVICE_ACCELERATOR;
    if (opencl_device_number(id, CL_DEVICE_QUEUE_PROPERTIES, 0) & CL_QUEUE_PROFILING_ENABLE)
        device->flags |= ANOLE_DEVICE_EVENT_TIMER;
    device->flags |= ANOLE_DEVICE_SHARES_PROGRAMS; /* opencl_build() does */
    device_text(id, CL_DEVICE_NAME, device->name, sizeof device->name);
    device_text(id, CL_DEVICE_VENDOR, device->vendor, sizeof device->vendor);
    device_text(id, CL_DRIVER_VERSION, device->driver_version, sizeof device->driver_version);
    if (!clGetDeviceInfo(id, CL_DEVICE_PLATFORM, sizeof platform, &platform, NULL) &&
        clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof device->driver, device->driver, NULL))
        device->driver[0] = 0;
    device->compute_units = (uint32_t)opencl_device_number(id, CL_DEVICE_MAX_COMPUTE_UNITS, 0);
    device->clock_mhz = (uint32_t)opencl_device_number(id, CL_DEVICE_MAX_CLOCK_FREQUENCY, 0);
    device->max_work_group = opencl_device_number(id, CL_DEVICE_MAX_WORK_GROUP_SIZE, 0);
    if (!clGetDeviceInfo(id, CL_DEVICE_MAX_WORK_ITEM_SIZES, sizeof items, items, NULL))
        for (int i = 0; i < 3; i++)
            device->max_work_items[i] = items[i];
    device->local_memory = opencl_device_number(id, CL_DEVICE_LOCAL_MEM_SIZE, 0);
    device->global_memory = opencl_device_number(id, CL_DEVICE_GLOBAL_MEM_SIZE, 0);
    device->max_allocation = opencl_device_number(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, 0);
    device->cache_line = opencl_device_number(id, CL_DEVICE_GLOBAL_MEM_CACHELINE_SIZE, 0);
}
