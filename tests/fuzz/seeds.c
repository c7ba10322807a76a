/* SPDX-License-Identifier: MIT
 *
 * Inputs to begin with, made by the code that writes such things in earnest: they
 * stay right when a format changes.
 */
#include "fuzz.h"
#include "onnx_fixture.h"

#include "frontend/npy.h"
#include "kernel/t1_kernel.h"
#include "worker/custom_wire.h"
#include "worker/message.h"
#include "record/history.h"
#include "op/task.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A series of frames as fuzz_send() takes them. */
struct series {
    uint8_t bytes[FUZZ_MOST_BYTES];
    size_t length;
};

static void begin(struct series *series, uint8_t first)
{
    series->bytes[0] = first;
    series->length = 1;
}

/* Takes the wire's content, and empties it. */
static void add(struct series *series, enum anole_frame_type type, uint8_t flags,
                struct anole_wire *wire)
{
    uint8_t *place = series->bytes + series->length;
    FUZZ_REQUIRE(!wire->failed && wire->length < UINT16_MAX &&
                 series->length + wire->length + 4 < sizeof series->bytes);
    place[0] = (uint8_t)(type - 1);
    place[1] = flags;
    place[2] = (uint8_t)wire->length;
    place[3] = (uint8_t)(wire->length >> 8);
    if (wire->length > 0)
        memcpy(place + 4, wire->data, wire->length);
    series->length += 4 + wire->length;
    anole_wire_clear(wire);
}

static int write_seed(const char *folder, const char *target, const char *name, const void *data,
                      size_t length)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, target);
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return -1;
    snprintf(path, sizeof path, "%s/%s/seed_%s", folder, target, name);
    FILE *file = fopen(path, "wb");
    if (!file)
        return -1;
    size_t written = fwrite(data, 1, length, file);
    return fclose(file) == 0 && written == length ? 0 : -1;
}

/* -- What a worker says -- */

static struct anole_device example_device(void)
{
    struct anole_device device = {.size = sizeof device,
                                  .type = ANOLE_DEVICE_CPU,
                                  .flags = ANOLE_DEVICE_SHARES_HOST,
                                  .compute_units = 2,
                                  .max_work_group = 256,
                                  .local_memory = 32768,
                                  .property_count = 1};
    snprintf(device.name, sizeof device.name, "Test Device");
    snprintf(device.properties[0].name, sizeof device.properties[0].name, "answer");
    device.properties[0].value = 42;
    return device;
}

static int seed_answer(const char *folder, const char *name, uint8_t expected,
                       enum anole_frame_type type, struct anole_wire *answer)
{
    static struct series series;
    struct anole_wire wire;
    struct anole_hello_event hello = {.version = "0"};
    struct anole_stage_event stage = {.stage = ANOLE_STAGE_TIME, .slot = 3};
    struct anole_log_event log = {.level = ANOLE_LOG_WARNING, .text = "a word"};
    anole_wire_writer_init(&wire);
    begin(&series, (uint8_t)(2 * expected));
    anole_wire_hello_event(&wire, &hello);
    add(&series, ANOLE_FRAME_HELLO, 0, &wire);
    anole_wire_stage_event(&wire, &stage);
    add(&series, ANOLE_FRAME_STAGE, 0, &wire);
    anole_wire_log_event(&wire, &log);
    add(&series, ANOLE_FRAME_LOG, 0, &wire);
    add(&series, type, 1, answer);
    anole_wire_fini(&wire);
    return write_seed(folder, "answers", name, series.bytes, series.length);
}

static int seed_answers(const char *folder)
{
    static struct anole_vet_reply vetted = {
        .name = "good", .driver_count = 2, .drivers = {"", "b"}};
    static struct anole_probe_reply probed = {.device_count = 1};
    struct anole_trial_reply trial = {.usage = {.builds = 3}, .binary = "abc", .binary_bytes = 3};
    struct anole_round_reply round = {.count = 2, .seconds = {1e-3, 2e-3}, .failed = UINT32_MAX};
    struct anole_failed_reply failed = {.status = 3, .text = "it cannot"};
    struct anole_wire wire;
    int bad = 0;
    trial.result = (struct anole_result){.seconds = 1e-3, .low = 1e-3, .high = 1e-3, .samples = 5};
    probed.devices[0] = example_device();
    anole_wire_writer_init(&wire);
    anole_wire_trial_reply(&wire, &trial);
    bad |= seed_answer(folder, "built", 0, ANOLE_FRAME_BUILT, &wire);
    anole_wire_trial_reply(&wire, &trial);
    bad |= seed_answer(folder, "result", 1, ANOLE_FRAME_RESULT, &wire);
    anole_wire_round_reply(&wire, &round);
    bad |= seed_answer(folder, "samples", 2, ANOLE_FRAME_SAMPLES, &wire);
    anole_wire_vet_reply(&wire, &vetted);
    bad |= seed_answer(folder, "vetted", 3, ANOLE_FRAME_VETTED, &wire);
    anole_wire_probe_reply(&wire, &probed);
    bad |= seed_answer(folder, "probed", 4, ANOLE_FRAME_PROBED, &wire);
    anole_wire_failed_reply(&wire, &failed);
    bad |= seed_answer(folder, "failed", 5, ANOLE_FRAME_FAILED, &wire);
    anole_wire_fini(&wire);
    return bad;
}

/* -- What it is asked -- */

static void add_open(struct series *series, struct anole_wire *wire)
{
    struct anole_device device = example_device();
    uint32_t threads = 1;
    double sample_time = 1e-4;
    uint64_t constants = 1 << 20;
    char driver[ANOLE_DRIVER] = "";
    anole_wire_text(wire, driver, sizeof driver);
    anole_wire_u32(wire, &threads);
    anole_wire_f64(wire, &sample_time);
    anole_wire_u64(wire, &constants);
    anole_wire_device(wire, &device);
    add(series, ANOLE_FRAME_OPEN, 2, wire);
}

static void add_task(struct series *series, struct anole_wire *wire)
{
    struct anole_task_request request = {.data = false};
    FUZZ_REQUIRE(anole_task_parse_key(&request.task, "dense n2 i12 o5 f32 bias", NULL) ==
                 ANOLE_DONE);
    anole_wire_task_request(wire, &request);
    add(series, ANOLE_FRAME_TASK, 0, wire);
}

static void add_trials(struct series *series, struct anole_wire *wire)
{
    struct anole_trial_request request = {.value_count = 2, .values = {1, 0}, .best = NAN};
    static const enum anole_frame_type types[] = {ANOLE_FRAME_BUILD, ANOLE_FRAME_TRIAL,
                                                  ANOLE_FRAME_LOAD};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        anole_wire_trial_request(wire, &request);
        add(series, types[i], 0, wire);
    }
    add(series, ANOLE_FRAME_ROUND, 0, wire);
    add(series, ANOLE_FRAME_UNLOAD, 0, wire);
}

static int seed_worker(const char *folder)
{
    static struct series series;
    struct anole_wire wire;
    uint32_t threads = 1;
    char driver[ANOLE_DRIVER] = "";
    int bad = 0;
    anole_wire_writer_init(&wire);
    begin(&series, 0);
    anole_wire_u32(&wire, &threads);
    add(&series, ANOLE_FRAME_VET, 2, &wire);
    bad |= write_seed(folder, "worker", "vet", series.bytes, series.length);
    begin(&series, 0);
    anole_wire_text(&wire, driver, sizeof driver);
    anole_wire_u32(&wire, &threads);
    add(&series, ANOLE_FRAME_PROBE, 2, &wire);
    bad |= write_seed(folder, "worker", "probe", series.bytes, series.length);
    begin(&series, 0);
    add_open(&series, &wire);
    add_task(&series, &wire);
    add_trials(&series, &wire);
    bad |= write_seed(folder, "worker", "trial", series.bytes, series.length);
    anole_wire_fini(&wire);
    return bad;
}

/* -- A history -- */

static int seed_history(const char *folder)
{
    static const int64_t tiles[] = {1, 2, 4, 8};
    const struct anole_history_key key = {.task = "dense n2 i12 o5 f32 bias",
                                          .backend = "cpu",
                                          .backend_version = "1",
                                          .generator = 1,
                                          .device = "d",
                                          .driver = "p",
                                          .driver_version = "1",
                                          .threads = 1};
    struct anole_result ok = {.seconds = 1e-3, .low = 1e-3, .high = 2e-3, .samples = 5};
    struct anole_result lost = {.outcome = ANOLE_OUTCOME_CRASH,
                                .seconds = NAN,
                                .low = NAN,
                                .high = NAN,
                                .error = NAN,
                                .message = "it said \"no\"\n\x1b[31m"};
    struct anole_space *space;
    struct anole_history *history;
    char path[4096], bytes[8192];
    snprintf(path, sizeof path, "%s/history.tmp", folder);
    int bad = anole_space_create(&space, NULL) != ANOLE_DONE;
    bad |= anole_space_add_knob(space, "tile", false, tiles, NULL, 4, 0, NULL) != ANOLE_DONE;
    bad |= anole_space_finish(space, NULL) != ANOLE_DONE;
    bad |= anole_history_open(&history, path, ANOLE_HISTORY_APPEND, NULL) != ANOLE_DONE;
    FUZZ_REQUIRE(!bad);
    bad |= anole_history_append(history, &key, space, 1, &ok, NULL) != ANOLE_DONE;
    bad |= anole_history_begin(history, &key, space, 3, NULL) != ANOLE_DONE;
    bad |= anole_history_append(history, &key, space, 3, &lost, NULL) != ANOLE_DONE;
    bad |= anole_history_append(history, &key, space, 3, &lost, NULL) != ANOLE_DONE;
    anole_history_close(history);
    anole_space_destroy(space);
    FILE *file = fopen(path, "rb");
    FUZZ_REQUIRE(file != NULL);
    bytes[0] = 0; /* checksums shall be made right */
    size_t length = 1 + fread(bytes + 1, 1, sizeof bytes - 1, file);
    fclose(file);
    unlink(path);
    return bad | write_seed(folder, "history", "whole", bytes, length);
}

/* -- Networks and arrays of others -- */

/* The models of an archive of cases (tests/data/onnx), if it is there. */
static int seed_models(const char *folder, const char *name)
{
    char path[4096];
    const char *data = getenv("ANOLE_TEST_DATA");
    struct anole_arrays file, cases;
    int bad = 0;
    snprintf(path, sizeof path, "%s/onnx/%s.npz", data ? data : "tests/data", name);
    if (anole_npz_load(&file, path, NULL) != ANOLE_DONE)
        return 0;
    const struct anole_array *whole = anole_arrays_find(&file, "cases");
    if (!whole || anole_npz_parse(&cases, whole->data, whole->bytes, path, NULL) != ANOLE_DONE) {
        anole_arrays_fini(&file);
        return -1;
    }
    for (size_t i = 0; i < cases.count; i++) {
        const char *slash = strchr(cases.items[i].name, '/');
        char seed[128];
        if (!slash || strcmp(slash, "/model") != 0)
            continue;
        snprintf(seed, sizeof seed, "%s_%.*s", name, (int)(slash - cases.items[i].name),
                 cases.items[i].name);
        bad |= write_seed(folder, "onnx", seed, cases.items[i].data, cases.items[i].bytes);
    }
    anole_arrays_fini(&cases);
    anole_arrays_fini(&file);
    return bad;
}

static int seed_onnx(const char *folder)
{
    struct proto model = proto_small_model(), tensor = proto_tensor("t", 1, 2);
    proto_float(&tensor, 4, 1);
    proto_float(&tensor, 4, 2);
    int bad = write_seed(folder, "onnx", "model", model.data, model.length);
    bad |= write_seed(folder, "onnx", "tensor", tensor.data, tensor.length);
    bad |= seed_models(folder, "opsets") | seed_models(folder, "graphs");
    free(model.data);
    free(tensor.data);
    return bad;
}

static int seed_npy(const char *folder)
{
    static const float data[] = {1, 2, 3, 4, 5, 6};
    const struct anole_array arrays[] = {
        {.name = "a",
         .element = ANOLE_ARRAY_F32,
         .rank = 2,
         .dims = {2, 3},
         .data = data,
         .bytes = sizeof data},
        {.name = "b", .element = ANOLE_ARRAY_I64, .data = data, .bytes = 8}};
    char path[4096];
    snprintf(path, sizeof path, "%s/npy", folder);
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return -1;
    snprintf(path, sizeof path, "%s/npy/seed_array", folder);
    int bad = anole_npy_save(path, &arrays[0], NULL) != ANOLE_DONE;
    snprintf(path, sizeof path, "%s/npy/seed_archive", folder);
    return bad | (anole_npz_save(path, arrays, 2, NULL) != ANOLE_DONE);
}

/* -- Kernels of users -- */

static int seed_custom(const char *folder)
{
    static const char text[] =
        "{\"General\": {\"BenchmarkName\": \"seed\"}, \"ConfigurationSpace\": "
        "{\"TuningParameters\": ["
        "{\"Name\": \"WG\", \"Type\": \"int\", \"Values\": \"[1, 2]\"},"
        "{\"Name\": \"WAY\", \"Type\": \"string\", \"Values\": \"['row', 'column']\"}],"
        "\"Conditions\": [{\"Expression\": \"WG > 1 or WAY == 'row'\"}]},"
        "\"KernelSpecification\": {\"Language\": \"OpenCL\", \"KernelName\": \"f\","
        "\"KernelFile\": \"/proc/version\", \"GlobalSize\": {\"X\": \"64\"},"
        "\"LocalSize\": {\"X\": \"WG\"}, \"Arguments\": ["
        "{\"Name\": \"a\", \"Type\": \"float\", \"MemoryType\": \"Vector\", \"AccessType\": "
        "\"ReadOnly\", \"Size\": 5},"
        "{\"Name\": \"n\", \"Type\": \"int\", \"MemoryType\": \"Scalar\", \"FillValue\": \"WG\"},"
        "{\"Name\": \"l\", \"Type\": \"float\", \"MemoryType\": \"Local\", \"Size\": \"WG\"},"
        "{\"Name\": \"b\", \"Type\": \"half\", \"MemoryType\": \"Vector\", \"AccessType\": "
        "\"WriteOnly\", \"Size\": 3}],"
        "\"ReferenceArguments\": [{\"Name\": \"r\", \"TargetName\": \"b\", \"FillType\": "
        "\"Constant\","
        "\"FillValue\": 2, \"ValidationMethod\": \"AbsoluteDifference\"}]}}";
    struct anole_custom_kernel *custom = NULL;
    struct anole_wire wire;
    FUZZ_REQUIRE(anole_t1_kernel_parse(&custom, text, sizeof text - 1, "seed.json", true, NULL) ==
                 ANOLE_DONE);
    anole_wire_writer_init(&wire);
    anole_wire_custom(&wire, &custom);
    int bad = write_seed(folder, "custom", "kernel", wire.data, wire.length);
    anole_wire_fini(&wire);
    anole_custom_destroy(custom);
    return bad;
}

int fuzz_write_seeds(const char *folder)
{
    static const char *const words[] = {"dense n2 i12 o5 f32 bias",
                                        "conv2d n1 6x6x4 k3x3 s1x1 p1,1,1,1 d1x1 g1 o8 f32 relu",
                                        "1h30m", "a * b <= 8 and (c == 2 or not a > 1)",
                                        "min(a, 2) ** 2 // 3 % b != ceil_div(c, a) - -1"};
    int bad = seed_history(folder) | seed_answers(folder) | seed_worker(folder) |
              seed_onnx(folder) | seed_npy(folder) | seed_custom(folder);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char name[8];
        snprintf(name, sizeof name, "%zu", i);
        bad |= write_seed(folder, "words", name, words[i], strlen(words[i]));
        if (i > 2)
            bad |= write_seed(folder, "expression", name, words[i], strlen(words[i]));
    }
    return bad;
}
