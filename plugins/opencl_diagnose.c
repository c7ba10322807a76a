/* SPDX-License-Identifier: MIT
 *
 * For `anole doctor`: what keeps a machine from having an OpenCL driver at all, whether
 * a device works, and how well one can tell time on it.
 */
#include "opencl_diagnose.h"
#include "opencl_device.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VENDORS "/etc/OpenCL/vendors"

/* ------------------------------------------------------------ installation */

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
    if (strchr(driver, '/'))
        snprintf(mend, sizeof mend, "sudo rm %.450s, or its library's package", driver);
    else
        snprintf(mend, sizeof mend, "unset OCL_ICD_VENDORS OCL_ICD_FILENAMES");
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

/* ------------------------------------------------------------------ device
 *
 * Runs one kernel, with local memory and a barrier, by the backend's own ops. */

#define ITEMS 1024u
#define GROUP 64u
#define LONG_ENOUGH 3e-3 /* seconds of a run: far above what a launch costs */
#define MOST_ROUNDS (1u << 20)
#define SAMPLES 41
#define NOISY 0.05 /* spread of the middle half, relative to the median */

/* Each work-group turns its part around, `rounds` times. */
static const char source[] =
    "kernel void turn(global const float *in, global float *out, local float *part, int rounds)\n"
    "{\n"
    "    const int i = get_local_id(0), n = get_local_size(0);\n"
    "    float value = in[get_global_id(0)];\n"
    "    for (int r = 0; r < rounds; r++) {\n"
    "        part[i] = value;\n"
    "        barrier(CLK_LOCAL_MEM_FENCE);\n"
    "        value = part[n - 1 - i];\n"
    "        barrier(CLK_LOCAL_MEM_FENCE);\n"
    "    }\n"
    "    out[get_global_id(0)] = value;\n"
    "}\n";

/* Of one device: a kernel goes there, and its results come back. */
struct examination {
    const struct opencl_diagnose_options *options;
    struct anole_buffer *in, *out;
    struct anole_build *build;
    struct anole_message message;
    char found[400];
};

static int report_finding(struct examination *c, const char *check, uint32_t verdict,
                          const char *mend)
{
    return report(c->options->diagnosis, check, verdict, c->found, mend);
}

static int report_failure(struct examination *c, const char *check, const char *what)
{
    /* A compiler's log may be long; its beginning says what matters. */
    snprintf(c->found, sizeof c->found, "%s: %.300s", what,
             c->message.text[0] ? c->message.text : "no reason given");
    return report_finding(c, check, ANOLE_VERDICT_FAULT,
                          "another version of the driver: it cannot run a simple kernel");
}

static void release(struct examination *c)
{
    if (c->build)
        opencl_release(c->options->session, c->build);
    c->build = NULL;
}

/* A build for so many rounds. */
static int make(struct examination *c, uint32_t rounds)
{
    const struct anole_task task = {.size = sizeof task,
                                    .kind = ANOLE_TASK_DEPTHWISE_CONV2D,
                                    .dtype = ANOLE_F32,
                                    .groups = ITEMS,
                                    .batch = 1,
                                    .in_h = 1,
                                    .in_w = 1,
                                    .in_c = ITEMS,
                                    .out_h = 1,
                                    .out_w = 1,
                                    .out_c = ITEMS,
                                    .kernel_h = 1,
                                    .kernel_w = 1,
                                    .stride_h = 1,
                                    .stride_w = 1,
                                    .dilation_h = 1,
                                    .dilation_w = 1};
    const struct anole_launch launch = {.size = sizeof launch,
                                        .dimensions = 1,
                                        .kernel = "turn",
                                        .global = {ITEMS, 1, 1},
                                        .local = {GROUP, 1, 1},
                                        .arg_count = 4,
                                        .args = {{ANOLE_ROLE_INPUT, 0, 0},
                                                 {ANOLE_ROLE_OUTPUT, 0, 0},
                                                 {ANOLE_ROLE_LOCAL, 0, GROUP * sizeof(float)},
                                                 {ANOLE_ROLE_INT, 0, rounds}}};
    const struct anole_kernel kernel = {.size = sizeof kernel,
                                        .launch_count = 1,
                                        .source = source,
                                        .source_length = sizeof source - 1,
                                        .options = "",
                                        .launches = &launch,
                                        .task = &task};
    release(c);
    return c->options->build(c->options->session, &kernel, NULL, 0, &c->build, &c->message);
}

static int run(struct examination *c, double *device, double *host)
{
    struct anole_binding bindings[ANOLE_ROLE_COUNT] = {0};
    bindings[ANOLE_ROLE_INPUT] =
        (struct anole_binding){.buffer = c->in, .bytes = ITEMS * sizeof(float)};
    bindings[ANOLE_ROLE_OUTPUT] =
        (struct anole_binding){.buffer = c->out, .bytes = ITEMS * sizeof(float)};
    return c->options->run(c->options->session, c->build, bindings, ANOLE_ROLE_COUNT, 1, device,
                           host, &c->message);
}

/* An odd number of rounds turns each part around. */
static bool is_turned(const float *in, const float *out)
{
    for (uint32_t i = 0; i < ITEMS; i++) {
        uint32_t group = i / GROUP;
        if (out[i] != in[group * GROUP + GROUP - 1 - i % GROUP])
            return false;
    }
    return true;
}

static int check_kernel(struct examination *c, bool *works)
{
    static const char check[] = "kernel with a barrier";
    float in[ITEMS], out[ITEMS];
    double device, host;
    struct anole_session *session = c->options->session;
    *works = false;
    for (uint32_t i = 0; i < ITEMS; i++) {
        in[i] = (float)i;
        out[i] = -1;
    }
    if (opencl_buffer_create(session, sizeof in, &c->in, &c->message) ||
        opencl_buffer_create(session, sizeof out, &c->out, &c->message) ||
        opencl_buffer_write(session, c->in, 0, in, sizeof in, &c->message) ||
        opencl_buffer_write(session, c->out, 0, out, sizeof out, &c->message))
        return report_failure(c, check, "memory of the device cannot be had");
    if (make(c, 3))
        return report_failure(c, check, "it does not build");
    if (run(c, &device, &host) ||
        opencl_buffer_read(session, c->out, 0, out, sizeof out, &c->message))
        return report_failure(c, check, "it does not run");
    if (!is_turned(in, out)) {
        c->message.text[0] = '\0';
        return report_failure(c, check, "it computes something wrong");
    }
    *works = true;
    snprintf(c->found, sizeof c->found, "builds, runs and is right, in %u groups of %u",
             ITEMS / GROUP, GROUP);
    return report_finding(c, check, ANOLE_VERDICT_FINE, NULL);
}

/* A kernel that runs long enough to be timed. */
static int lengthen(struct examination *c)
{
    double device, host, best = 0;
    int code = ANOLE_OK;
    for (uint32_t rounds = 1024; best < LONG_ENOUGH && rounds <= MOST_ROUNDS; rounds *= 2) {
        code = make(c, rounds + 1);
        best = INFINITY; /* of a few: the first may still be warming up */
        for (int i = 0; i < 4 && code == ANOLE_OK; i++) {
            code = run(c, &device, &host);
            best = fmin(best, host);
        }
        if (code)
            break;
    }
    return code;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int check_timer(struct examination *c, const double *device, const double *host)
{
    double shares[SAMPLES];
    for (int i = 0; i < SAMPLES; i++)
        shares[i] = device[i] / host[i];
    qsort(shares, SAMPLES, sizeof *shares, compare);
    if (!(device[0] >= 0)) {
        snprintf(c->found, sizeof c->found, "there is none; the host's clock is used instead");
        return report_finding(c, "event timer", ANOLE_VERDICT_SKIPPED, NULL);
    }
    double share = shares[SAMPLES / 2];
    bool agrees = share > 0.5 && share < 1.05;
    snprintf(c->found, sizeof c->found,
             "tells %.3g %% of the time by the host's clock, for runs of some ms%s", 100 * share,
             agrees ? "" : ": it cannot be trusted, and is not used");
    return report_finding(c, "event timer", agrees ? ANOLE_VERDICT_FINE : ANOLE_VERDICT_NOTE,
                          "another version of the driver; until then the host's clock is used");
}

static int check_noise(struct examination *c, double *host)
{
    qsort(host, SAMPLES, sizeof *host, compare);
    double median = host[SAMPLES / 2];
    double spread = (host[3 * SAMPLES / 4] - host[SAMPLES / 4]) / median;
    snprintf(c->found, sizeof c->found,
             "the middle half of %d runs of %.3g ms lies within %.2g %%, the slowest is %.2g %% "
             "above the median",
             SAMPLES, 1e3 * median, 100 * spread, 100 * (host[SAMPLES - 1] / median - 1));
    return report_finding(c, "noise floor",
                          spread <= NOISY ? ANOLE_VERDICT_FINE : ANOLE_VERDICT_NOTE,
                          "ending what else runs (see `uptime`, `top`), or a machine of your own");
}

static int check_time(struct examination *c)
{
    double device[SAMPLES], host[SAMPLES];
    int code = lengthen(c);
    for (int i = 0; i < SAMPLES && code == ANOLE_OK; i++) {
        device[i] = -1;
        code = run(c, &device[i], &host[i]);
    }
    if (code != ANOLE_OK)
        return report_failure(c, "timing", "a kernel that runs for milliseconds fails");
    code = check_timer(c, device, host);
    return code ? code : check_noise(c, host);
}

/* Threads of this process but the first; *pinned: those that keep to one core. */
static unsigned count_threads(unsigned *pinned)
{
    unsigned count = 0;
    *pinned = 0;
#ifdef __linux__
    DIR *threads = opendir("/proc/self/task");
    struct dirent *entry;
    while (threads && (entry = readdir(threads))) {
        cpu_set_t allowed;
        pid_t id = (pid_t)atol(entry->d_name);
        if (id <= 0 || id == gettid() || sched_getaffinity(id, sizeof allowed, &allowed))
            continue;
        count++;
        *pinned += CPU_COUNT(&allowed) == 1;
    }
    if (threads)
        closedir(threads);
#endif
    return count;
}

static int check_pinning(struct examination *c)
{
    unsigned pinned, count = count_threads(&pinned);
    if (count == 0) {
        snprintf(c->found, sizeof c->found, "kernels run in one thread");
        return report_finding(c, "pinning", ANOLE_VERDICT_SKIPPED, NULL);
    }
    snprintf(c->found, sizeof c->found, "%u of %u threads of the driver keep to one core", pinned,
             count);
    return report_finding(
        c, "pinning", pinned > 0 ? ANOLE_VERDICT_FINE : ANOLE_VERDICT_NOTE,
        "unset POCL_AFFINITY, and let the process use more than one core (taskset, "
        "cgroups)");
}

int opencl_diagnose_device(const struct opencl_diagnose_options *options)
{
    struct examination c = {.options = options, .message = {.size = sizeof c.message}};
    bool works;
    int code = check_kernel(&c, &works);
    if (code == ANOLE_OK && works)
        code = check_time(&c);
    if (code == ANOLE_OK && works && options->shares_host)
        code = check_pinning(&c);
    release(&c);
    opencl_buffer_destroy(options->session, c.in);
    opencl_buffer_destroy(options->session, c.out);
    return code;
}
