/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/in_place.h"
#include "cli/lock_device.h"
#include "cli/table.h"
#include "op/task.h"
#include "record/lockfolder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct arguments {
    const char *file, *kernel;
    struct anole_lock_wish wish;
    uint64_t tolerance; /* percent; UINT64_MAX: not asked for */
    uint64_t batch;     /* 0: not given */
    const char *shapes[ANOLE_COMMAND_SHAPES];
    size_t shape_count;
    double build_limit, run_limit; /* seconds; 0: as the device says */
    bool no_in_place, adopt, json;
    const char *output;
};

enum {
    DEVICE,
    THREADS,
    PRECISION,
    BATCH,
    SHAPE,
    KERNEL,
    TOLERANCE,
    BUILD_LIMIT,
    RUN_LIMIT,
    NO_IN_PLACE,
    ADOPT,
    OUTPUT,
    JSON
};

static const struct anole_option options[] = {
    [DEVICE] = {"device", "D", "the device, where FILE holds several that are here"},
    [THREADS] = {"threads", "N", "those that were tuned with, where FILE holds several"},
    [PRECISION] = {"precision", "P",
                   "fp32, fp16 or tf32, where FILE holds several (default: the first)"},
    [BATCH] = {"batch", "N", "the batch size, where FILE holds several (default: all, in turn)"},
    [SHAPE] = {"shape", "NAME=SIZES", "likewise, the shape of an input; once for each"},
    [KERNEL] = {"kernel", "FILE", "the T1 file of a kernel, if it is elsewhere now"},
    [TOLERANCE] = {"tolerance", "P", "exit code 6 also if P percent slower than in FILE"},
    [BUILD_LIMIT] = {"build-limit", "T",
                     "how long a build may take (default: as the device says, or 30s)"},
    [RUN_LIMIT] = {"run-limit", "T",
                   "how long a run may take (default: as the device says, or 10s)"},
    [NO_IN_PLACE] = {"no-in-place", NULL, "only task by task: do not run the network as a whole"},
    [ADOPT] = {"adopt", NULL,
               "take up what other machines found: what is right here, and not slow, is written\n"
               "as this device's, with the times of this machine"},
    [OUTPUT] = {"output", "FILE", "... to this lock file (default LOCKFILE, if that is a file)"},
    [JSON] = {"json", NULL, "print JSON to stdout instead of a table"},
    {0},
};

static enum anole_status take(void *context, size_t index, const char *value,
                              struct anole_error *error)
{
    struct arguments *arguments = context;
    switch (index) {
    case DEVICE:
        arguments->wish.device = value;
        break;
    case THREADS:
        return anole_text_parse_u64(&arguments->wish.threads, value, "--threads", 1, 4096, error);
    case PRECISION:
        return anole_command_precision(&arguments->wish.precision, value, error);
    case BATCH:
        return anole_text_parse_u64(&arguments->batch, value, "--batch", 1, INT32_MAX, error);
    case SHAPE:
        return anole_command_shape(arguments->shapes, &arguments->shape_count, value, error);
    case KERNEL:
        arguments->kernel = value;
        break;
    case TOLERANCE:
        return anole_text_parse_u64(&arguments->tolerance, value, "--tolerance", 0, 100000, error);
    case BUILD_LIMIT:
        return anole_text_parse_duration(&arguments->build_limit, value, error);
    case RUN_LIMIT:
        return anole_text_parse_duration(&arguments->run_limit, value, error);
    case NO_IN_PLACE:
        arguments->no_in_place = true;
        break;
    case ADOPT:
        arguments->adopt = true;
        break;
    case OUTPUT:
        arguments->output = value;
        break;
    case JSON:
        arguments->json = true;
        break;
    }
    return ANOLE_DONE;
}

struct session {
    struct arguments arguments;
    struct anole_context *context;
    struct anole_tuned *tuned;
    struct anole_devices *devices;
    const struct anole_device_info *device;
    struct anole_verification *verification;
    const char *size; /* the one in hand, of several */
    json_t *several;  /* what there is to print of each of several sizes; NULL: there is one */
};

static void session_fini(struct session *session)
{
    json_decref(session->several);
    anole_verification_destroy(session->verification);
    anole_devices_destroy(session->devices);
    anole_tuned_destroy(session->tuned);
    anole_context_destroy(session->context);
}

/* ---------------------------------------------------------------- outputs */

static const char *verdict(const struct anole_verified *check)
{
    if (check->outcome == ANOLE_OUTCOME_OK && check->differs[0])
        return check->adopted ? "right, adopted" : "right, but slower than the default";
    if (check->outcome != ANOLE_OUTCOME_OK)
        return anole_outcome_text(check->outcome);
    if (check->simulated)
        return "not checked: simulated";
    return check->same_source ? "right" : "right, but another kernel than was tuned";
}

static void print_check(struct anole_table *table, const struct anole_verified *check)
{
    char text[32];
    bool ok = check->outcome == ANOLE_OUTCOME_OK;
    anole_table_cell(table, "%s", check->label);
    anole_table_cell(table, "%s", verdict(check));
    if (isnan(check->error))
        anole_table_cell(table, "-");
    else
        anole_table_cell(table, "%.2g", check->error);
    anole_table_cell(table, "%s", anole_text_seconds(text, sizeof text, check->tuned->seconds));
    anole_table_cell(table, "%s", ok ? anole_text_seconds(text, sizeof text, check->seconds) : "-");
    if (ok && !isnan(check->speedup))
        anole_table_cell(table, "%.2fx [%.2f, %.2f]", check->speedup, check->speedup_low,
                         check->speedup_high);
    else
        anole_table_cell(table, "-");
}

static void print_whole(const struct session *session)
{
    const struct anole_in_place *then = anole_verification_in_place_then(session->verification);
    char text[32];
    anole_in_place_print(anole_verification_in_place(session->verification));
    if (then->ran)
        printf("when it was tuned: %s, %.2fx\n",
               anole_text_seconds(text, sizeof text, then->seconds), then->speedup);
}

/* Of each task, the entry that was adopted, or the last that was tried. */
static enum anole_status print_adopted(const struct session *session, struct anole_error *error)
{
    static const char *const titles[] = {
        "task", "result", "tuned with", ">then", ">now", ">over the default [95 %]", NULL};
    const size_t count = anole_verification_count(session->verification);
    struct anole_table *table = NULL;
    size_t adopted = 0;
    char text[32];
    enum anole_status status = anole_table_create(&table, titles, error);
    if (status != ANOLE_DONE)
        return status;
    for (size_t i = 0; i < count; i++) {
        const struct anole_verified *check = anole_verification_get(session->verification, i);
        anole_table_cell(table, "%s", check->label);
        anole_table_cell(table, "%s", verdict(check));
        anole_table_cell(table, "%s", check->differs);
        anole_table_cell(table, "%s", anole_text_seconds(text, sizeof text, check->tuned->seconds));
        anole_table_cell(table, "%s", anole_text_seconds(text, sizeof text, check->seconds));
        if (isnan(check->speedup))
            anole_table_cell(table, "-");
        else
            anole_table_cell(table, "%.2fx [%.2f, %.2f]", check->speedup, check->speedup_low,
                             check->speedup_high);
        adopted += check->adopted;
    }
    status = anole_table_print(table, stdout, error);
    anole_table_destroy(table);
    if (status == ANOLE_DONE)
        printf("adopted %zu of %zu tasks%s%s\n", adopted, count, adopted ? ", in " : "",
               adopted ? anole_command_shown(session->arguments.output) : "");
    return status;
}

static enum anole_status print_table(const struct session *session, struct anole_error *error)
{
    if (session->arguments.adopt)
        return print_adopted(session, error);
    static const char *const titles[] = {
        "task", "result", ">error/tolerance", ">then", ">now", ">over the default [95 %]", NULL};
    struct anole_table *table = NULL;
    enum anole_status status = anole_table_create(&table, titles, error);
    if (status != ANOLE_DONE)
        return status;
    for (size_t i = 0; i < anole_verification_count(session->verification); i++)
        print_check(table, anole_verification_get(session->verification, i));
    status = anole_table_print(table, stdout, error);
    anole_table_destroy(table);
    if (status == ANOLE_DONE)
        print_whole(session);
    return status;
}

static enum anole_status print_json(const struct session *session, struct anole_error *error)
{
    json_t *tasks = json_array();
    double sum = 0.0;
    for (size_t i = 0; i < anole_verification_count(session->verification); i++) {
        const struct anole_verified *check = anole_verification_get(session->verification, i);
        sum += check->tuned->multiplicity * check->seconds;
        json_array_append_new(
            tasks,
            json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "task",
                      check->tuned->key, "outcome", anole_outcome_text(check->outcome), "message",
                      check->message, "tuned_with", check->differs, "adopted", (int)check->adopted,
                      "same_source", (int)check->same_source, "simulated", (int)check->simulated,
                      "error", anole_json_real(check->error), "seconds_then",
                      anole_json_real(check->tuned->seconds), "seconds",
                      anole_json_real(check->seconds), "speedup", anole_json_real(check->speedup),
                      "speedup_low", anole_json_real(check->speedup_low), "speedup_high",
                      anole_json_real(check->speedup_high)));
    }
    json_t *root = json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o}", "file", session->arguments.file, "device",
        session->device->id, "network_seconds", anole_json_real(sum), "in_place",
        anole_in_place_json(anole_verification_in_place(session->verification)), "in_place_then",
        anole_in_place_json(anole_verification_in_place_then(session->verification)), "tasks",
        tasks);
    if (!session->several)
        return anole_command_print_json(root, error);
    if (root)
        json_object_set_new(root, "size", json_string(session->size));
    return json_array_append_new(session->several, root) ? anole_fail_memory(error) : ANOLE_DONE;
}

/* -------------------------------------------------------------------- run */

/* The only device that the file has an entry of, where none is named. */
static enum anole_status choose_device(struct session *session,
                                       const struct anole_lockfile *lockfile,
                                       struct anole_error *error)
{
    const struct anole_lock_wish *wish = &session->arguments.wish;
    const struct anole_devices *devices = session->devices;
    size_t count = anole_devices_count(devices), index = 0;
    if (wish->device || count < 2)
        return anole_devices_find(&session->device, devices, wish->device, error);
    struct anole_entry_place *places = calloc(count, sizeof *places);
    if (!places)
        return anole_fail_memory(error);
    for (size_t i = 0; i < count; i++) {
        const struct anole_device_info *here = anole_devices_get(devices, i);
        places[i] = (struct anole_entry_place){
            .id = here->id, .backend = here->backend, .device = here->name, .driver = here->driver};
    }
    enum anole_status status =
        anole_lockfile_place(&index, lockfile, session->arguments.file, places, count,
                             wish->precision, anole_lock_wish_threads(wish), error);
    free(places);
    if (status == ANOLE_DONE)
        session->device = anole_devices_get(devices, index);
    return status;
}

/* Devices are listed with the threads that were tuned with: with others they may be driven in
 * another way. */
static enum anole_status find_device(struct session *session, struct anole_error *error)
{
    const struct arguments *arguments = &session->arguments;
    struct anole_lockfile *lockfile = NULL;
    uint32_t threads = 0;
    enum anole_status status = anole_lockfolder_load(&lockfile, arguments->file, error);
    if (status == ANOLE_DONE)
        status = anole_lockfile_threads(&threads, lockfile, arguments->file, arguments->wish.device,
                                        arguments->wish.precision,
                                        anole_lock_wish_threads(&arguments->wish), error);
    if (status == ANOLE_DONE)
        status = anole_devices_list(&session->devices, session->context, threads, error);
    if (status == ANOLE_DONE)
        status = choose_device(session, lockfile, error);
    anole_lockfile_destroy(lockfile);
    return status;
}

/* The device that adopts is one of this machine, whatever the files were tuned on. */
static enum anole_status find_adopter(struct session *session, struct anole_error *error)
{
    const struct anole_lock_wish *wish = &session->arguments.wish;
    enum anole_status status =
        anole_devices_list(&session->devices, session->context, (uint32_t)wish->threads, error);
    return status == ANOLE_DONE
               ? anole_devices_find(&session->device, session->devices, wish->device, error)
               : status;
}

static enum anole_status open_all(struct session *session, struct anole_error *error)
{
    const struct arguments *arguments = &session->arguments;
    enum anole_status status = anole_command_context(&session->context, error);
    if (status == ANOLE_DONE)
        status = anole_tuned_load(&session->tuned, session->context, arguments->file, error);
    if (status == ANOLE_DONE && arguments->kernel)
        status = anole_tuned_set_kernel(session->tuned, arguments->kernel, error);
    if (status == ANOLE_DONE)
        status = arguments->adopt ? find_adopter(session, error) : find_device(session, error);
    return status;
}

static enum anole_status check_output(struct arguments *arguments, struct anole_error *error)
{
    struct stat info;
    if (!arguments->adopt)
        return arguments->output ? anole_fail(error, ANOLE_ERR_USAGE,
                                              "--output: expected --adopt beside it, found none")
                                 : ANOLE_DONE;
    if (arguments->batch > 0 || arguments->shape_count > 0)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "--batch and --shape: expected no --adopt beside them, which looks "
                          "through all sizes");
    if (arguments->output)
        return ANOLE_DONE;
    if (stat(arguments->file, &info) == 0 && S_ISDIR(info.st_mode))
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "--adopt: %s is a folder; expected --output FILE, the lock file to write",
                          anole_command_shown(arguments->file));
    arguments->output = arguments->file;
    return ANOLE_DONE;
}

/* `sizes` NULL: whatever is there. */
static enum anole_status verify(struct session *session, const struct anole_load_size *sizes,
                                struct anole_error *error)
{
    const struct arguments *arguments = &session->arguments;
    const double tolerance =
        arguments->tolerance == UINT64_MAX ? -1.0 : (double)arguments->tolerance;
    struct anole_verify_options wanted = {.size = sizeof wanted,
                                          .no_in_place = arguments->no_in_place,
                                          .build_limit = arguments->build_limit,
                                          .run_limit = arguments->run_limit,
                                          .sizes = sizes};
    if (arguments->adopt)
        wanted.adopt_path = arguments->output;
    if (arguments->wish.precision)
        wanted.precision = anole_precision_text(arguments->wish.precision);
    anole_verification_destroy(session->verification);
    session->verification = NULL;
    enum anole_status status =
        anole_verify(&session->verification, session->tuned, session->device, &wanted, error);
    if (status == ANOLE_DONE)
        status = arguments->json ? print_json(session, error) : print_table(session, error);
    if (status == ANOLE_DONE)
        status = anole_verification_check(session->verification, tolerance, error);
    return status;
}

/* The entries of the device, in the precision that is asked for or the first that is there, and
 * with the threads that are asked for, that are each of another size: places[] of
 * anole_tuned_device(). */
static size_t list_sizes(size_t *places, const struct session *session)
{
    const struct anole_lock_wish *wish = &session->arguments.wish;
    const uint32_t wanted = wish->precision;
    const char *precision = wanted ? anole_precision_text(wanted) : NULL;
    size_t count = 0;
    for (size_t d = 0; d < anole_tuned_device_count(session->tuned); d++) {
        const struct anole_tuned_device *device = anole_tuned_device(session->tuned, d);
        if (strcmp(device->device, session->device->name) != 0 ||
            strcmp(device->backend, session->device->backend) != 0 ||
            strcmp(device->driver, session->device->driver) != 0 ||
            (precision && strcmp(device->precision, precision) != 0) ||
            (wish->threads > 0 && device->threads != wish->threads))
            continue;
        precision = device->precision;
        bool known = false;
        for (size_t i = 0; i < count && !known; i++)
            known =
                strcmp(anole_tuned_device(session->tuned, places[i])->sizes, device->sizes) == 0;
        if (!known)
            places[count++] = d;
    }
    return count;
}

/* Verifies one of several sizes; what fails says which it is. */
static enum anole_status verify_size(struct session *session, size_t place, bool first,
                                     struct anole_error *error)
{
    const struct anole_tuned_device *device = anole_tuned_device(session->tuned, place);
    const struct anole_load_size size = {
        .batch = device->batch, .shapes = device->shapes, .shape_count = device->shape_count};
    const char *name = *device->sizes ? device->sizes : "batch 1";
    if (!session->arguments.json)
        printf("%s%s:\n", first ? "" : "\n", name);
    session->size = name;
    enum anole_status status = verify(session, &size, error);
    fflush(stdout);
    if (status != ANOLE_DONE)
        anole_error_prefix(error, "%s", name);
    return status;
}

/* The sizes that the file holds, one after the other.  The first failure is that of all. */
static enum anole_status verify_sizes(struct session *session, struct anole_error *error)
{
    struct anole_error failure = {.status = ANOLE_DONE};
    size_t *places = calloc(anole_tuned_device_count(session->tuned) + 1, sizeof *places);
    if (!places)
        return anole_fail_memory(error);
    const size_t count = list_sizes(places, session);
    if (count < 2) {
        free(places);
        return verify(session, NULL, error);
    }
    session->several = json_array();
    for (size_t i = 0; i < count && failure.status != ANOLE_ERR_INTERRUPTED; i++) {
        struct anole_error own = {.status = ANOLE_DONE};
        enum anole_status status = verify_size(session, places[i], i == 0, &own);
        if (status != ANOLE_DONE && failure.status != ANOLE_DONE && status != ANOLE_ERR_INTERRUPTED)
            anole_log_error("%s", own.text);
        else if (status != ANOLE_DONE)
            failure = own;
    }
    free(places);
    if (session->arguments.json && failure.status != ANOLE_ERR_INTERRUPTED) {
        enum anole_status status = anole_command_print_json(json_incref(session->several), error);
        if (status != ANOLE_DONE)
            return status;
    }
    if (failure.status != ANOLE_DONE)
        *error = failure;
    return failure.status;
}

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct session session = {.arguments = {.tolerance = UINT64_MAX}};
    const struct arguments *arguments = &session.arguments;
    char **positional;
    size_t count;
    bool help;
    enum anole_status status = anole_options_parse(
        &anole_cmd_verify, argc, argv, take, &session.arguments, &positional, &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    session.arguments.file = positional[0];
    status = check_output(&session.arguments, error);
    if (status != ANOLE_DONE)
        return status;
    const struct anole_load_size size = {.batch = (int64_t)arguments->batch,
                                         .shapes = arguments->shapes,
                                         .shape_count = arguments->shape_count};
    status = open_all(&session, error);
    if (status == ANOLE_DONE && (arguments->batch > 0 || arguments->shape_count > 0))
        status = verify(&session, &size, error);
    else if (status == ANOLE_DONE && arguments->adopt)
        status = verify(&session, NULL, error);
    else if (status == ANOLE_DONE)
        status = verify_sizes(&session, error);
    session_fini(&session);
    return status;
}

const struct anole_command anole_cmd_verify = {
    .name = "verify",
    .arguments = "LOCKFILE|FOLDER",
    .summary = "Build and run what was found again: is it still right, still fast?",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
