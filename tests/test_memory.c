/* SPDX-License-Identifier: MIT
 *
 * Memory runs out, at every point where it can: each constructor and each reader
 * is called again and again, and another one of its allocations fails each time.
 * It must say ERR_MEMORY (or do without, where that is as good), leave nothing
 * behind, and work the next time.
 */
#include "allocator.h"
#include "measure_fixture.h"
#include "onnx_fixture.h"

#include <anole/anole.h>

#include "base/file.h"
#include "base/json.h"
#include "record/comparison.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "formats/recording.h"
#include "formats/t4_write.h"
#include "frontend/npy.h"
#include "frontend/onnx_model.h"
#include "frontend/onnx_tensor.h"
#include "kernel/t1.h"
#include "kernel/t1_kernel_private.h"
#include "worker/custom_wire.h"
#include "measure/measure.h"
#include "plugin/paths.h"
#include "exec/runner.h"
#include "plugin/scratch.h"
#include "program/export.h"
#include "program/program.h"
#include "program/weights.h"
#include "exec/task_file.h"
#include "measure/task_store.h"
#include "frontend/network.h"
#include "record/history.h"
#include "record/history_merge.h"
#include "record/lockfolder.h"
#include "search/search.h"
#include "space/expression.h"
#include "tune/schedule.h"
#include "tune/tuner.h"
#include "tune/tuner_lock.h"

#include <dirent.h>
#include <math.h>
#include <sys/stat.h>
#include <zlib.h>

enum { GOOD, SIMULATED }; /* entries and devices, by name */

#define MOST 20000 /* allocations of a scenario: more is a fault of the test */

/* What the scenarios work on. */
static char *folder;
static struct anole_space *space;
static struct anole_features *features;
static struct anole_registry *registry;
static struct anole_workload *network;
static const struct anole_history_key key = {.task = "dense n2 i12 o5 f32 bias",
                                             .backend = "cpu",
                                             .backend_version = "1",
                                             .generator = 1,
                                             .device = "d",
                                             .driver = "p",
                                             .driver_version = "1",
                                             .threads = 1};

static uint64_t tried; /* allocations that were made to fail */

typedef enum anole_status scenario(struct anole_error *error);

/* Runs it until no allocation fails any more: the n-th alone, and, `from`, the n-th
 * and all after it.  `step` > 1 leaves some of many alike out. */
static void exhaust(scenario *run, bool from, uint64_t step)
{
    for (uint64_t n = 1; n < MOST; n += n < 64 ? 1 : step) {
        struct anole_error error = {.status = ANOLE_DONE};
        size_t before = allocator_held();
        allocator_arm(n, from);
        enum anole_status status = run(&error);
        bool failed = allocator_disarm();
        if (allocator_held() != before)
            fail_msg("allocation %ju of those that fail: %zu were left, %zu before", (uintmax_t)n,
                     allocator_held(), before);
        if (!failed) {
            if (status != ANOLE_DONE)
                fail_msg("without a failure: %s", error.text);
            if (n < 2)
                fail_msg("nothing was ever allocated");
            return;
        }
        tried++;
        if (status != ANOLE_DONE && status != ANOLE_ERR_MEMORY)
            fail_msg("allocation %ju fails: %s: %s", (uintmax_t)n, anole_status_text(status),
                     error.text);
        if (status != ANOLE_DONE && error.text[0] == '\0')
            fail_msg("allocation %ju fails: no message", (uintmax_t)n);
    }
    fail_msg("more than %d allocations", MOST);
}

#define TEST_SCENARIO(name, step)                                                                  \
    static void test_##name##_survives(void **state)                                               \
    {                                                                                              \
        (void)state;                                                                               \
        exhaust(name, false, step);                                                                \
        exhaust(name, true, step);                                                                 \
    }

/* -- Files -- */

static const char *path_of(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_text(const char *name, const char *text)
{
    struct anole_error error = {.status = ANOLE_DONE};
    assert_done(anole_file_replace(path_of(name), text, strlen(text), &error));
}

static void write_compressed(const char *name, const char *text)
{
    gzFile file = gzopen(path_of(name), "wb");
    assert_non_null(file);
    assert_int_equal(gzputs(file, text), strlen(text));
    assert_int_equal(gzclose(file), Z_OK);
}

#define NETWORK                                                                                    \
    "{\"name\": \"test\", \"layers\": ["                                                           \
    "{\"name\": \"in\", \"kind\": \"input\", \"shape\": [1, 6, 6, 4]},"                            \
    "{\"name\": \"a\", \"kind\": \"conv2d\", \"channels\": 4, \"kernel\": 3, \"padding\": 1},"     \
    "{\"name\": \"b\", \"kind\": \"conv2d\", \"channels\": 4, \"kernel\": 3, \"padding\": 1},"     \
    "{\"name\": \"s\", \"kind\": \"add\", \"inputs\": [\"a\", \"b\"], \"activation\": \"relu\"},"  \
    "{\"name\": \"c\", \"kind\": \"concat\", \"inputs\": [\"s\", \"in\"]},"                        \
    "{\"name\": \"p\", \"kind\": \"global_average_pool\"},"                                        \
    "{\"name\": \"f\", \"kind\": \"flatten\"}, {\"name\": \"d\", \"kind\": \"dense\", "            \
    "\"channels\": 3}]}"

static enum anole_status read_network(struct anole_error *error)
{
    struct anole_workload *read = NULL;
    enum anole_status status = anole_network_load_workload(&read, path_of("net.json"), error);
    anole_workload_destroy(read);
    return status;
}
TEST_SCENARIO(read_network, 1)

/* Messages take memory, too: a reader that refuses must not be lost without. */
static enum anole_status refuse_network(struct anole_error *error)
{
    struct anole_workload *read = NULL;
    enum anole_status status = anole_network_load_workload(&read, path_of("bad.json"), error);
    if (status == ANOLE_ERR_INPUT) {
        anole_error_clear(error);
        status = ANOLE_DONE;
    }
    return status;
}
TEST_SCENARIO(refuse_network, 1)

/* A model that is read or, cut or with other elements, refused. */
static enum anole_status read_onnx(struct anole_error *error)
{
    struct anole_onnx_model *read = NULL;
    struct anole_array array = {0};
    enum anole_status status = anole_onnx_model_load(&read, path_of("m.onnx"), error);
    anole_onnx_model_destroy(read);
    if (status == ANOLE_DONE)
        status = anole_onnx_tensor_load(&array, path_of("t.pb"), error);
    anole_array_fini(&array);
    return status;
}
TEST_SCENARIO(read_onnx, 1)

static enum anole_status use_arrays(struct anole_error *error)
{
    struct anole_arrays arrays = {0};
    enum anole_status status = anole_npz_load(&arrays, path_of("a.npz"), error);
    if (status == ANOLE_DONE)
        status = anole_npz_save(path_of("b.npz"), arrays.items, arrays.count, error);
    if (status == ANOLE_DONE)
        status = anole_npy_save(path_of("b.npy"), &arrays.items[0], error);
    anole_arrays_fini(&arrays);
    return status;
}
TEST_SCENARIO(use_arrays, 1)

/* Small ones of every kind that is read in another way. */
static void write_arrays(void)
{
    static const float data[] = {1, 2, 3, 4};
    const struct anole_array arrays[] = {{.name = "a",
                                          .element = ANOLE_ARRAY_F32,
                                          .rank = 1,
                                          .dims = {4},
                                          .data = data,
                                          .bytes = sizeof data},
                                         {.name = "b",
                                          .element = ANOLE_ARRAY_I64,
                                          .rank = 1,
                                          .dims = {2},
                                          .data = data,
                                          .bytes = sizeof data}};
    struct anole_error error = {.status = ANOLE_DONE};
    struct proto model = proto_small_model(), tensor = proto_tensor("t", ANOLE_ARRAY_I8, 2);
    proto_data(&tensor, 5, "\x01\x02", 2);
    assert_done(anole_file_replace(path_of("m.onnx"), (char *)model.data, model.length, &error));
    assert_done(anole_file_replace(path_of("t.pb"), (char *)tensor.data, tensor.length, &error));
    assert_done(anole_npz_save(path_of("a.npz"), arrays, 2, &error));
    free(model.data);
    free(tensor.data);
}

static struct anole_lock_device lock_device(void)
{
    static struct anole_lock_knob knob = {"tile", 4, "four"};
    static struct anole_lock_task task = {.task = "dense n2 i12 o5 f32 bias",
                                          .multiplicity = 1,
                                          .knobs = &knob,
                                          .knob_count = 1,
                                          .value = 1e-3,
                                          .low = 1e-3,
                                          .high = 2e-3,
                                          .default_value = 1e-3,
                                          .speedup = 1,
                                          .speedup_low = 1,
                                          .speedup_high = 1,
                                          .tie = true};
    return (struct anole_lock_device){.id = "cpu:0",
                                      .backend = "cpu",
                                      .backend_version = "1",
                                      .device = "d",
                                      .driver = "p",
                                      .driver_version = "1",
                                      .dtype = ANOLE_F32,
                                      .tasks = &task,
                                      .task_count = 1};
}

/* Into a device that has no task of its own yet. */
static enum anole_status carry_task(const struct anole_lockfile *lockfile,
                                    struct anole_error *error)
{
    struct anole_lock_device device = lock_device();
    bool carried;
    const char *task = device.tasks->task;
    device.tasks = NULL;
    device.task_count = 0;
    enum anole_status status = anole_lockfile_carry(&device, &carried, lockfile, task, error);
    const struct anole_lock_device own = {.tasks = device.tasks, .task_count = device.task_count};
    device = own; /* its texts are literals */
    anole_lock_device_fini(&device);
    return status;
}

static enum anole_status use_lockfile(struct anole_error *error)
{
    struct anole_lockfile *lockfile = NULL;
    struct anole_lock_device device = lock_device();
    device.threads = 3;
    enum anole_status status = anole_lockfile_load(&lockfile, path_of("net.lock.json"), error);
    if (status == ANOLE_DONE)
        status = carry_task(lockfile, error);
    if (status == ANOLE_DONE)
        status = anole_lockfile_put(lockfile, &device, error);
    if (status == ANOLE_DONE)
        status = anole_lockfile_save(lockfile, path_of("other.lock.json"), error);
    anole_lockfile_destroy(lockfile);
    return status;
}
TEST_SCENARIO(use_lockfile, 1)

#define TASK_TEXT(more)                                                                            \
    "{\"task\": \"dense n2 i12 o5 f32 bias\", \"multiplicity\": 1, \"knobs\": {\"tile\": 4}, "     \
    "\"seconds\": 0.5, \"low\": 0.5, \"high\": 0.5, \"default_seconds\": 0.5, \"speedup\": 1, "    \
    "\"speedup_low\": 1, \"speedup_high\": 1, \"tie\": true, "                                     \
    "\"source_hash\": \"0000000000000000\", \"trials\": 1" more "}"
#define LOCK_TEXT(more)                                                                            \
    "{\"anole_lock\": 2, \"network\": \"n\", \"network_path\": \"p\", \"x" more "\": 1, "          \
    "\"devices\": [{\"id\": \"cpu:0\", \"backend\": \"b\", \"backend_version\": \"1\", "           \
    "\"generator\": 1, \"device\": \"d\", \"driver\": \"d\", \"driver_version\": \"1\", "          \
    "\"threads\": 0, \"metric\": \"seconds\", \"y" more "\": [1], \"tasks\": ["                    \
    "{\"task\": \"attention" more "\"}, " TASK_TEXT(", \"z" more "\": 0.1") "]}]}"

/* Of a later version: what is not known is kept. */
static enum anole_status join_newer_lockfiles(struct anole_error *error)
{
    static const char *const texts[] = {LOCK_TEXT("0"), LOCK_TEXT("1")};
    struct anole_lockfile *files[2] = {NULL, NULL};
    enum anole_status status = ANOLE_DONE;
    for (int i = 0; status == ANOLE_DONE && i < 2; i++)
        status = anole_lockfile_parse(&files[i], texts[i], strlen(texts[i]), "newer", error);
    if (status == ANOLE_DONE)
        status = anole_lockfile_put(files[0], &files[1]->devices[0], error);
    if (status == ANOLE_DONE)
        status = anole_lockfile_save(files[0], path_of("joined.lock.json"), error);
    if (status == ANOLE_DONE) {
        char *text = NULL;
        size_t length;
        status = anole_file_read(&text, &length, path_of("joined.lock.json"), 0, error);
        if (status == ANOLE_DONE) {
            assert_true(strstr(text, "\"x0\"") && strstr(text, "\"y0\"") && strstr(text, "\"z0\""));
            assert_true(strstr(text, "\"y1\"") && strstr(text, "\"z1\""));
            assert_true(strstr(text, "attention0") && strstr(text, "attention1"));
        }
        free(text);
    }
    anole_lockfile_destroy(files[0]);
    anole_lockfile_destroy(files[1]);
    return status;
}
TEST_SCENARIO(join_newer_lockfiles, 1)

static enum anole_status use_json(struct anole_error *error)
{
    json_t *root = NULL;
    enum anole_status status = anole_json_load(&root, path_of("net.json"), 0, error);
    if (status == ANOLE_DONE)
        json_decref(root);
    if (status == ANOLE_DONE)
        status = anole_file_replace(path_of("text"), "text", 4, error);
    return status;
}
TEST_SCENARIO(use_json, 1)

static enum anole_status read_t1(struct anole_error *error)
{
    static const char text[] =
        "{\"General\": {\"FormatVersion\": 1, \"BenchmarkName\": \"x\"}, "
        "\"ConfigurationSpace\": {\"TuningParameters\": [{\"Name\": \"A\", \"Type\": \"int\", "
        "\"Values\": \"[1, 2, 4]\", \"Default\": 1}], \"Conditions\": []}, "
        "\"KernelSpecification\": {}}";
    struct anole_t1 *t1 = NULL;
    enum anole_status status = anole_t1_parse(&t1, text, sizeof text - 1, "t1.json", error);
    if (status == ANOLE_DONE)
        anole_t1_destroy(t1);
    if (status == ANOLE_ERR_INPUT) { /* of another shape: refused, which is as good a test */
        anole_error_clear(error);
        status = ANOLE_DONE;
    }
    return status;
}
TEST_SCENARIO(read_t1, 1)

#define KERNEL                                                                                     \
    "{\"General\": {\"BenchmarkName\": \"x\"}, \"ConfigurationSpace\": {\"TuningParameters\": ["   \
    "{\"Name\": \"A\", \"Values\": \"[i for i in range(3) if i > 0]\"}, "                          \
    "{\"Name\": \"B\", \"Values\": \"[0.5, 0.25]\"}, {\"Name\": \"C\", \"Values\": [\"p\", "       \
    "\"q\"]}], "                                                                                   \
    "\"Conditions\": [\"ceil(B) == 1 or C == 'p'\", \"A <= DEVICE_LOCAL_MEMORY\"]}, "              \
    "\"KernelSpecification\": {\"Language\": \"OpenCL\", \"KernelName\": \"k\", \"KernelFile\": "  \
    "\"k.cl\", \"CompilerOptions\": [\"-DX\"], \"ProblemSize\": [8], \"GridDivX\": [\"A\"], "      \
    "\"LocalSize\": {\"X\": \"A\"}, "                                                              \
    "\"Arguments\": [{\"Name\": \"a\", \"Type\": \"float2\", \"MemoryType\": \"Vector\", "         \
    "\"AccessType\": \"ReadWrite\", \"Size\": \"max(A)\", \"FillType\": \"BinaryRaw\", "           \
    "\"DataSource\": \"raw\"}, {\"Type\": \"float4\", \"MemoryType\": \"Local\", \"Size\": "       \
    "\"A\"}, "                                                                                     \
    "{\"Type\": \"int\", \"MemoryType\": \"Scalar\", \"FillValue\": \"A + ProblemSize[0]\"}], "    \
    "\"ReferenceKernel\": {\"KernelName\": \"r\", \"KernelFile\": [\"k.cl\"], \"GlobalSize\": "    \
    "{\"X\": 8}}}}"

static json_t *kernel_root;

/* A kernel of the user's own: read (but parsed before, for what Jansson does without
 * memory is its own affair), sent, and made for a device. */
static enum anole_status make_kernel(const struct anole_custom_kernel *custom,
                                     struct anole_error *error)
{
    static const struct anole_device device = {.size = sizeof device};
    static const struct anole_backend backend = {.plugin = {.name = "none"}};
    struct anole_space *made;
    struct anole_generated *generated;
    struct anole_task task;
    int64_t values[ANOLE_MAX_KNOBS];
    enum anole_status status = anole_custom_space(&made, custom, &device, error);
    if (status != ANOLE_DONE)
        return status;
    anole_custom_task(&task, custom);
    anole_space_values(made, anole_space_default(made), values);
    status = anole_backend_generate(&generated, &backend, &device, &task, values, 3, error);
    if (status == ANOLE_DONE)
        anole_generated_destroy(generated);
    anole_space_destroy(made);
    return status;
}

static enum anole_status use_kernel(struct anole_error *error)
{
    struct anole_custom_kernel *custom = NULL, *sent = NULL;
    struct anole_wire wire, reader;
    enum anole_status status =
        anole_t1_kernel_read(&custom, kernel_root, path_of("kernel.json"), true, error);
    if (status != ANOLE_DONE)
        return status;
    anole_wire_writer_init(&wire);
    anole_wire_custom(&wire, &custom);
    if (!wire.failed) {
        anole_wire_reader_init(&reader, wire.data, wire.length);
        anole_wire_custom(&reader, &sent);
    }
    status = sent ? make_kernel(sent, error) : anole_fail_memory(error);
    anole_wire_fini(&wire);
    anole_custom_destroy(sent);
    anole_custom_destroy(custom);
    return status;
}
TEST_SCENARIO(use_kernel, 1)

/* A network as steps, all of them the host's: no plugin is asked. */
static enum anole_status infer_same(struct anole_call *call, struct anole_error *error)
{
    (void)error;
    call->outputs[0] = *call->inputs[0];
    call->outputs[0].data = NULL;
    return ANOLE_DONE;
}

static enum anole_status make_program(struct anole_error *error)
{
    static const struct anole_device device = {.size = sizeof device};
    static const struct anole_backend backend = {.plugin = {.name = "none"}};
    static const struct anole_op op = {.name = "same",
                                       .fewest_inputs = 1,
                                       .most_inputs = 1,
                                       .fewest_outputs = 1,
                                       .most_outputs = 1,
                                       .infer = infer_same};
    const struct anole_operand type = {.dtype = ANOLE_F32, .rank = 1, .dims = {7}};
    struct anole_graph *graph = NULL;
    struct anole_program *program = NULL;
    size_t tensor;
    enum anole_status status = anole_graph_create(&graph, "g", "g", error);
    if (status == ANOLE_DONE)
        status = anole_graph_add_tensor(graph, &tensor, "in", &type, error);
    if (status == ANOLE_DONE)
        status = anole_graph_add_input(graph, tensor, error);
    for (int i = 0; i < 4 && status == ANOLE_DONE; i++)
        status = anole_graph_apply(graph, &tensor, NULL, &op, "n", &tensor, 1, error);
    if (status == ANOLE_DONE)
        status = anole_graph_add_output(graph, tensor, error);
    if (status == ANOLE_DONE)
        status = anole_graph_infer(graph, 0, error);
    if (status == ANOLE_DONE)
        status = anole_program_create(&program, graph, &backend, &device, NULL, error);
    anole_program_destroy(program);
    anole_graph_destroy(graph);
    return status;
}
TEST_SCENARIO(make_program, 1)

#define LAYER                                                                                      \
    "{\"name\": \"layer\", \"layers\": ["                                                          \
    "{\"name\": \"in\", \"kind\": \"input\", \"shape\": [1, 6, 6, 4]},"                            \
    "{\"name\": \"a\", \"kind\": \"conv2d\", \"channels\": 4, \"kernel\": 3, \"padding\": 1}]}"

/* Into a folder of its own; what is left when it failed is in there. */
static enum anole_status export_program(struct anole_error *error)
{
    struct anole_graph *graph = NULL;
    struct anole_program *program = NULL;
    size_t filled, kernels;
    const struct anole_backend *backend =
        registry->entries[registry->devices[GOOD].backend].backend;
    enum anole_status status = anole_network_parse(&graph, LAYER, strlen(LAYER), "net", error);
    if (status == ANOLE_DONE)
        status = anole_graph_infer(graph, 0, error);
    if (status == ANOLE_DONE)
        status = anole_weights_fill(graph, &filled, 1, error);
    if (status == ANOLE_DONE)
        status = anole_program_create(&program, graph, backend, &registry->devices[GOOD].device,
                                      NULL, error);
    if (status == ANOLE_DONE)
        status = anole_program_export(program, path_of("export/whole"), &kernels, error);
    anole_program_destroy(program);
    anole_graph_destroy(graph);
    return status;
}

/* How many names there are in a folder; "." and ".." are none. */
static int count_names(const char *path)
{
    int count = -2;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* Whole, or not there at all; an earlier one stays. */
static enum anole_status export_whole(struct anole_error *error)
{
    enum anole_status status = export_program(error);
    bool first = count_names(path_of("export")) == 0;
    if (status != ANOLE_DONE && first)
        return status;
    if (count_names(path_of("export")) != 1)
        fail_msg("%s: something is left beside the export", error->text);
    if (count_names(path_of("export/whole")) != 6 ||
        count_names(path_of("export/whole/kernels")) != 1)
        fail_msg("%s: the export is not whole", error->text);
    return status;
}

static void test_export_survives(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path_of("export"), 0777), 0);
    exhaust(export_whole, false, 1);
    exhaust(export_whole, true, 1);
}

/* Weights that are made of others when they are wanted, or at once, and reading them. */
static enum anole_status make_constants(struct anole_error *error)
{
    static float file[4 * 4096];
    static const struct anole_operand types[] = {
        {.dtype = ANOLE_F32, .rank = 2, .dims = {4, 4096}, .data = file},
        {.dtype = ANOLE_F32, .rank = 2, .dims = {4, 2}, .data = file}};
    struct anole_graph *graph = NULL;
    enum anole_status status = anole_graph_create(&graph, "g", "g", error);
    for (size_t i = 0; i < 2 && status == ANOLE_DONE; i++) {
        struct anole_constant constant;
        size_t tensor, made;
        status = anole_graph_add_unaligned(graph, &tensor, "w", &types[i], error);
        if (status == ANOLE_DONE)
            status = anole_graph_apply(graph, &made, NULL, anole_op_find("transpose"), "t", &tensor,
                                       1, error);
        if (status == ANOLE_DONE)
            status = anole_graph_add_output(graph, made, error);
        if (status == ANOLE_DONE)
            status = anole_graph_infer(graph, 0, error);
        if (status == ANOLE_DONE)
            status = anole_graph_open_constant(&constant, graph, made, error);
        if (status == ANOLE_DONE) {
            assert_true(((const float *)constant.data)[1] == 0);
            anole_constant_close(&constant);
        }
    }
    anole_graph_destroy(graph);
    return status;
}
TEST_SCENARIO(make_constants, 1)

/* Kernels that failed, noted and found again. */
static enum anole_status note_failures(struct anole_error *error)
{
    static const struct anole_task task = {.size = sizeof task, .kind = ANOLE_TASK_OPERATOR};
    struct anole_kernel_failures failures = {.count = 0};
    enum anole_status status = ANOLE_DONE;
    for (uint64_t i = 0; i < 3 && status == ANOLE_DONE; i++) {
        const struct anole_generated generated = {.kernel = {.task = &task}, .source_hash = i};
        status = anole_kernel_failures_add(&failures, &generated, "it is no good", error);
        if (status == ANOLE_DONE)
            assert_non_null(anole_kernel_failures_find(&failures, &generated));
    }
    anole_kernel_failures_fini(&failures);
    return status;
}
TEST_SCENARIO(note_failures, 1)

static const char t1_text[] = "{\"ConfigurationSpace\": {\"TuningParameters\": [{\"Name\": "
                              "\"x\", \"Values\": [1, 2, 4]}]}}";
static const char results[] = "{\"metadata\": {\"device\": \"d\"}, \"results\": ["
                              "{\"configuration\": {\"x\": 1}, \"invalidity\": \"correct\", "
                              "\"times\": {\"runtimes\": [1, 2]}, \"note\": NaN},"
                              "{\"configuration\": {\"x\": 2}, \"invalidity\": \"compile\"}]}";

/* Results of others, read and written again. */
static enum anole_status use_recording(struct anole_error *error)
{
    static const char names[][ANOLE_KNOB_NAME] = {"x"};
    const struct anole_result result = {.seconds = 1e-3};
    const int64_t four = 4;
    struct anole_t1 *t1 = NULL;
    struct anole_space *made = NULL;
    struct anole_recording *recording = NULL;
    struct anole_t4_writer writer = {.entries = 0};
    enum anole_status status = anole_t1_parse(&t1, t1_text, sizeof t1_text - 1, "t1", error);
    if (status == ANOLE_DONE)
        status = anole_t1_space(&made, t1, error);
    if (status == ANOLE_DONE)
        status =
            anole_recording_parse(&recording, t1, made, results, sizeof results - 1, "t4", error);
    if (status == ANOLE_DONE) {
        anole_t4_begin(&writer, &(struct anole_t4_source){.kernel = "k"}, t1);
        status = anole_t4_add(&writer, names, &four, 1, &result, error);
    }
    if (status == ANOLE_DONE)
        status = anole_t4_end(&writer, error);
    anole_t4_fini(&writer);
    anole_recording_destroy(recording);
    anole_space_destroy(made);
    anole_t1_destroy(t1);
    return status;
}
TEST_SCENARIO(use_recording, 1)

/* The same from files, of which one is compressed. */
static enum anole_status load_files(struct anole_error *error)
{
    struct anole_t1 *t1 = NULL;
    struct anole_space *made = NULL;
    struct anole_recording *recording = NULL;
    enum anole_status status = anole_t1_load(&t1, path_of("t1.json"), error);
    if (status == ANOLE_DONE)
        status = anole_t1_space(&made, t1, error);
    if (status == ANOLE_DONE)
        status = anole_recording_load(&recording, t1, made, path_of("t4.json.gz"), error);
    anole_recording_destroy(recording);
    anole_space_destroy(made);
    anole_t1_destroy(t1);
    return status;
}
TEST_SCENARIO(load_files, 1)

static enum anole_status make_expression(struct anole_error *error)
{
    static const char *const names[] = {"x", "y"};
    struct anole_expression *expression = NULL;
    enum anole_status status = anole_expression_create(
        &expression, "x * (y + 1) <= 4096 and (x % 2 == 0 or not y in [1, 2, 4]) or min(x, y) < 3",
        names, 2, error);
    anole_expression_destroy(expression);
    return status;
}
TEST_SCENARIO(make_expression, 1)

static enum anole_status make_scratch(struct anole_error *error)
{
    char *path = NULL;
    enum anole_status status = anole_scratch_create(&path, error);
    if (status == ANOLE_DONE)
        anole_scratch_remove(path);
    free(path);
    return status;
}
TEST_SCENARIO(make_scratch, 1)

static enum anole_status make_progress(struct anole_error *error)
{
    struct anole_progress *progress = NULL;
    enum anole_status status = anole_progress_create(&progress, false, error);
    anole_progress_destroy(progress);
    return status;
}
TEST_SCENARIO(make_progress, 1)

static enum anole_status compare_lockfiles(struct anole_error *error)
{
    struct anole_lockfile *files[2] = {NULL, NULL};
    const char *const paths[] = {"a", "b"};
    struct anole_comparison *comparison = NULL;
    enum anole_status status = anole_lockfile_load(&files[0], path_of("net.lock.json"), error);
    if (status == ANOLE_DONE)
        status = anole_lockfile_load(&files[1], path_of("net.lock.json"), error);
    if (status == ANOLE_DONE)
        status = anole_comparison_create(&comparison, files, paths, 2, error);
    if (status == ANOLE_DONE) {
        json_t *root = anole_comparison_json(comparison);
        json_decref(root);
    }
    anole_comparison_destroy(comparison);
    anole_lockfile_destroy(files[0]);
    anole_lockfile_destroy(files[1]);
    return status;
}
TEST_SCENARIO(compare_lockfiles, 1)

/* -- Histories -- */

static enum anole_status use_history(struct anole_error *error)
{
    struct anole_history *history = NULL;
    struct anole_trials *trials = NULL;
    struct anole_result result = {.seconds = 1, .low = 1, .high = 1, .error = 0.5};
    unlink(path_of("new.history"));
    enum anole_status status =
        anole_history_open(&history, path_of("new.history"), ANOLE_HISTORY_APPEND, error);
    if (status == ANOLE_DONE)
        status = anole_history_begin(history, &key, space, 1, error);
    if (status == ANOLE_DONE)
        status = anole_history_append(history, &key, space, 1, &result, error);
    anole_history_close(history);
    history = NULL;
    if (status == ANOLE_DONE)
        status = anole_history_open(&history, path_of("new.history"), ANOLE_HISTORY_READ, error);
    if (status == ANOLE_DONE)
        status = anole_trials_create(&trials, error);
    if (status == ANOLE_DONE)
        status = anole_history_collect(history, &key, space, trials, NULL, NULL, error);
    if (status == ANOLE_DONE && anole_trials_count(trials) != 1)
        status = anole_fail(error, ANOLE_ERR_INTERNAL, "a trial is lost");
    anole_trials_destroy(trials);
    anole_history_close(history);
    return status;
}
TEST_SCENARIO(use_history, 1)

/* Joined, read as a stream, and made smaller. */
static enum anole_status join_histories(struct anole_error *error)
{
    struct anole_history_stream *stream = NULL;
    struct anole_history_merged merged;
    struct anole_history_swept swept;
    char from[512], to[512];
    char *others[] = {from};
    snprintf(from, sizeof from, "%s", path_of("new.history"));
    snprintf(to, sizeof to, "%s", path_of("joined.history"));
    unlink(to);
    enum anole_status status = anole_history_merge(&merged, to, others, 1, error);
    if (status == ANOLE_DONE)
        status = anole_history_stream_create(&stream, NULL, error);
    if (status == ANOLE_DONE)
        status = anole_history_stream_read(stream, to, NULL, NULL, error);
    anole_history_stream_destroy(stream);
    if (status == ANOLE_DONE)
        status = anole_history_sweep(&swept, to, NULL, false, error);
    return status;
}
TEST_SCENARIO(join_histories, 1)

static enum anole_status read_lockfolder(struct anole_error *error)
{
    struct anole_lockfile *read = NULL;
    enum anole_status status = anole_lockfolder_load(&read, path_of("."), error);
    anole_lockfile_destroy(read);
    return status;
}
TEST_SCENARIO(read_lockfolder, 1)

/* That memory runs out must not cost a line that is there. */
static void test_failed_append_keeps_the_file(void **state)
{
    (void)state;
    struct anole_result result = {.seconds = 1, .low = 1, .high = 1, .error = 0.5};
    struct anole_error error = {.status = ANOLE_DONE};
    size_t expected = 0, matched;
    struct anole_history *history;
    struct anole_trials *trials;
    unlink(path_of("new.history"));
    assert_done(anole_history_open(&history, path_of("new.history"), ANOLE_HISTORY_APPEND, &error));
    for (uint64_t n = 1; n < 60; n++) {
        anole_error_clear(&error);
        allocator_arm(1 + n % 30, false);
        expected +=
            anole_history_append(history, &key, space, n % 4, &result, &error) == ANOLE_DONE;
        allocator_disarm();
    }
    anole_history_close(history);
    anole_error_clear(&error);
    assert_done(anole_history_open(&history, path_of("new.history"), ANOLE_HISTORY_READ, &error));
    assert_done(anole_trials_create(&trials, &error));
    assert_done(anole_history_collect(history, &key, space, trials, &matched, NULL, &error));
    assert_int_equal(matched, expected);
    assert_int_equal(anole_history_damaged(history), 0);
    anole_trials_destroy(trials);
    anole_history_close(history);
}

/* -- Spaces and the search -- */

static enum anole_status make_space(struct anole_error *error)
{
    static const int64_t values[] = {1, 2, 4, 8, 16, 32};
    static const char *const names[] = {"a", "b", "c", "d"};
    struct anole_space *made = NULL;
    struct anole_features *columns = NULL;
    struct anole_rng rng;
    uint64_t *configs = NULL, config;
    size_t count;
    bool exact;
    enum anole_status status = anole_space_create(&made, error);
    for (size_t i = 0; status == ANOLE_DONE && i < 4; i++)
        status = anole_space_add_knob(made, names[i], i == 3, values, NULL, 6, 0, error);
    if (status == ANOLE_DONE)
        status = anole_space_add_constraint(made, "a * b <= 64 and max(c, d) < 32", "why", error);
    if (status == ANOLE_DONE)
        status = anole_space_add_constraint(made, "a + b + c + d != 7", NULL, error);
    if (status == ANOLE_DONE)
        status = anole_space_finish(made, error);
    if (status == ANOLE_DONE)
        status = anole_space_enumerate(made, 10000, &configs, &count, error);
    if (status == ANOLE_DONE) {
        anole_rng_init(&rng, 1);
        anole_space_sample(made, &rng, &config);
        anole_space_count(made, 100000, &exact);
        status = anole_features_create(&columns, made, NULL, 0, NULL, NULL, 0, error);
    }
    free(configs);
    anole_features_destroy(columns);
    anole_space_destroy(made);
    return status;
}
TEST_SCENARIO(make_space, 1)

static void measure_some(struct anole_trials *trials, const uint64_t *configs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double seconds = 1e-3 * (double)(1 + configs[i] % 97);
        struct anole_result result = {.seconds = seconds, .low = seconds, .high = seconds};
        if (!anole_trials_visited(trials, configs[i]))
            anole_trials_add(trials, configs[i], &result, NULL);
    }
}

static const struct anole_explorer_ops *explorer; /* whose turn it is */

static enum anole_status use_search(struct anole_error *error)
{
    const struct anole_search_options options = {.explorer = explorer, .initial = 4, .seed = 1};
    struct anole_search *search = NULL;
    struct anole_trials *trials = NULL;
    uint64_t configs[8];
    size_t count = 0;
    enum anole_status status = anole_trials_create(&trials, error);
    if (status == ANOLE_DONE)
        status = anole_search_create(&search, space, features, trials, &options, error);
    for (int i = 0; status == ANOLE_DONE && i < 3; i++) {
        status = anole_search_next(search, 4, configs, 8, &count, error);
        measure_some(trials, configs, status == ANOLE_DONE ? count : 0);
    }
    anole_search_destroy(search);
    anole_trials_destroy(trials);
    return status;
}

static void test_every_explorer_survives(void **state)
{
    (void)state;
    for (const struct anole_explorer_ops *const *ops = anole_explorers(); *ops; ops++) {
        explorer = *ops;
        exhaust(use_search, false, 23);
    }
}

/* What similar tasks teach; here, the same task's own space. */
static enum anole_status learn_from_others(struct anole_error *error)
{
    struct anole_prior *prior = NULL;
    struct anole_trials *trials = NULL;
    struct anole_rng rng;
    uint64_t configs[30];
    size_t count = 0;
    enum anole_status status = anole_trials_create(&trials, error);
    anole_rng_init(&rng, 1);
    while (count < 30 && anole_space_sample(space, &rng, &configs[count]))
        count++;
    measure_some(trials, configs, status == ANOLE_DONE ? count : 0);
    const struct anole_prior_source source = {.features = features, .trials = trials};
    if (status == ANOLE_DONE)
        status = anole_prior_create(&prior, features, &source, 1, 1, error);
    anole_prior_destroy(prior);
    anole_trials_destroy(trials);
    return status;
}

static void test_learning_from_others_survives(void **state)
{
    (void)state;
    exhaust(learn_from_others, false, 97);
}

static enum anole_status make_schedule(struct anole_error *error)
{
    struct anole_schedule *schedule = NULL;
    enum anole_status status = anole_schedule_create(&schedule, 3, error);
    anole_schedule_destroy(schedule);
    return status;
}
TEST_SCENARIO(make_schedule, 1)

/* -- The measuring half -- */

static enum anole_status make_data(struct anole_error *error)
{
    struct anole_task task = parse_task(SMALL_TASK);
    struct anole_task_store store;
    struct anole_stored_task *stored;
    anole_task_store_init(&store, 1 << 20);
    enum anole_status status = anole_task_store_get(&stored, &store, &task, true, error);
    if (status == ANOLE_DONE)
        status = anole_task_file_fill(stored->file, &task, 1, 1, error);
    anole_task_store_fini(&store);
    return status;
}
TEST_SCENARIO(make_data, 1)

static enum anole_status use_backend(struct anole_error *error)
{
    char path[1024];
    struct anole_task task = parse_task(SMALL_TASK);
    struct anole_backend *backend = NULL;
    struct anole_generator *generator = NULL;
    struct anole_generated *generated = NULL;
    enum anole_refusal refusal;
    enum anole_status status =
        anole_backend_load(&backend, &refusal, plugin_path(path, sizeof path, "simulated"), error);
    if (status == ANOLE_DONE)
        status = anole_generator_create(&generator, backend, &registry->devices[SIMULATED].device,
                                        &task, error);
    if (status == ANOLE_DONE)
        status = anole_generator_kernel(
            &generated, generator, anole_space_default(anole_generator_space(generator)), error);
    anole_generated_destroy(generated);
    anole_generator_destroy(generator);
    anole_backend_destroy(backend);
    return status;
}
TEST_SCENARIO(use_backend, 1)

static enum anole_status use_runner(struct anole_error *error)
{
    static const int64_t values[] = {2, 0};
    struct anole_backend *backend = registry->entries[GOOD].backend;
    struct anole_device device = registry->devices[GOOD].device;
    struct anole_task task = parse_task(SMALL_TASK);
    struct anole_task_data *data = NULL;
    struct anole_runner *runner = NULL;
    struct anole_result result;
    const struct anole_target_options options = {.sample_time = 1e-4};
    enum anole_status status = anole_task_data_create(&data, &task, 1, 1, error);
    if (status == ANOLE_DONE)
        status = anole_runner_create(&runner, backend, "", &device, &options, error);
    if (status == ANOLE_DONE) {
        anole_runner_set_task(runner, &task, data);
        status = anole_runner_trial(runner, values, 2, NULL, 0, NAN, &result, error);
    }
    anole_runner_destroy(runner);
    anole_task_data_destroy(data);
    return status;
}

/* The plugin's allocations are its own, but what it is told by the host may fail:
 * as a kernel's outcome, or as the worker's failure. */
static void test_use_runner_survives(void **state)
{
    (void)state;
    exhaust(use_runner, false, 1);
}

static enum anole_status make_measure(struct anole_error *error)
{
    struct anole_measure *measure = NULL;
    const struct anole_measure_options options = {.build_workers = 2};
    enum anole_status status =
        anole_measure_create(&measure, registry, &registry->devices[GOOD], &options, error);
    anole_measure_destroy(measure);
    return status;
}
TEST_SCENARIO(make_measure, 1)

static enum anole_status find_folders(struct anole_error *error)
{
    struct anole_folders folders;
    char *worker = NULL;
    enum anole_status status = anole_paths_plugins(&folders, error);
    if (status == ANOLE_DONE)
        anole_folders_fini(&folders);
    if (status == ANOLE_DONE)
        status = anole_paths_worker(&worker, error);
    free(worker);
    return status;
}
TEST_SCENARIO(find_folders, 1)

/* Starts workers, each of which takes its time: so every allocation alone. */
static enum anole_status make_registry(struct anole_error *error)
{
    struct anole_registry *made = NULL;
    enum anole_status status = anole_registry_create(&made, 1, error);
    anole_registry_destroy(made);
    return status;
}

static void test_make_registry_survives(void **state)
{
    (void)state;
    exhaust(make_registry, false, 1);
}

/* Of a backend whose pure ops are asked in a process of their own; that ends with its registry. */
static enum anole_status ask_elsewhere(struct anole_error *error)
{
    struct anole_task task = parse_task(SMALL_TASK);
    struct anole_registry *made = NULL;
    struct anole_generator *generator = NULL;
    enum anole_status status = anole_registry_create(&made, 1, error);
    if (status == ANOLE_DONE && made->device_count <= GOOD)
        status = anole_fail_memory(error); /* it was left out, and why was logged */
    if (status == ANOLE_DONE)
        status =
            anole_generator_create(&generator, made->entries[made->devices[GOOD].backend].backend,
                                   &made->devices[GOOD].device, &task, error);
    /* supports() has no way to say that memory ran out: that counts as no. */
    if (status == ANOLE_ERR_INPUT)
        status = anole_fail_memory(error);
    anole_generator_destroy(generator);
    anole_registry_destroy(made);
    return status;
}

static void test_ask_elsewhere_survives(void **state)
{
    (void)state;
    exhaust(ask_elsewhere, false, 11);
}

/* -- All together -- */

static enum anole_status make_table(struct anole_error *error)
{
    static const char *const titles[] = {"a", ">b", NULL};
    struct anole_table *table = NULL;
    FILE *out = fopen("/dev/null", "w");
    enum anole_status status = anole_table_create(&table, titles, error);
    for (int i = 0; status == ANOLE_DONE && i < 40; i++)
        anole_table_cell(table, "cell %d", i);
    if (status == ANOLE_DONE)
        status = anole_table_print(table, out, error);
    anole_table_destroy(table);
    fclose(out);
    return status;
}
TEST_SCENARIO(make_table, 1)

static enum anole_status make_tuner(struct anole_error *error)
{
    struct anole_tuner *tuner = NULL;
    const struct anole_tuner_options options = {.explorer = anole_explorers()[0],
                                                .seed = 1,
                                                .trial_limit = 4,
                                                .history_path = path_of("tuner.history")};
    struct anole_tuner_final finals[4] = {{.found = true, .value = 1}};
    struct anole_lock_device device;
    enum anole_status status = anole_tuner_create(&tuner, network, registry,
                                                  &registry->devices[SIMULATED], &options, error);
    if (status == ANOLE_DONE)
        status = anole_tuner_lock(tuner, finals, 0, &device, error);
    if (status == ANOLE_DONE)
        anole_lock_device_fini(&device);
    anole_tuner_destroy(tuner);
    return status;
}
TEST_SCENARIO(make_tuner, 1)

/* -- The library -- */

static void ignore_message(void *context, enum anole_level level, const char *text)
{
    (void)context;
    (void)level;
    (void)text;
}

static const struct anole_context_options context_options = {.size = sizeof context_options,
                                                             .log = ignore_message,
                                                             .plugin_path = "/nowhere",
                                                             .worker = "/nowhere"};

static enum anole_status use_library(struct anole_error *error)
{
    struct anole_context *context = NULL;
    struct anole_tasks *tasks = NULL;
    struct anole_tuned *tuned = NULL;
    enum anole_status status = anole_context_create(&context, &context_options, error);
    if (status == ANOLE_DONE)
        status = anole_tasks_parse(&tasks, context, NETWORK, strlen(NETWORK), "net", NULL, error);
    if (status == ANOLE_DONE)
        status = anole_tuned_load(&tuned, context, path_of("net.lock.json"), error);
    anole_tuned_destroy(tuned);
    anole_tasks_destroy(tasks);
    anole_context_destroy(context);
    return status;
}
TEST_SCENARIO(use_library, 1)

/* Starts workers for every allocation that fails. */
static enum anole_status tune_by_library(struct anole_error *error)
{
    struct anole_context *context = NULL;
    struct anole_tasks *tasks = NULL;
    struct anole_devices *devices = NULL;
    struct anole_results *found = NULL;
    const struct anole_device_info *device = NULL;
    const struct anole_tune_options options = {.size = sizeof options, .trial_limit = 2};
    enum anole_status status = anole_context_create(&context, NULL, error);
    if (status == ANOLE_DONE)
        status = anole_tasks_parse(&tasks, context, NETWORK, strlen(NETWORK), "net", NULL, error);
    if (status == ANOLE_DONE)
        status = anole_devices_list(&devices, context, 0, error);
    if (status == ANOLE_DONE)
        status = anole_devices_find(&device, devices, "simulated", error);
    if (status == ANOLE_DONE)
        status = anole_tune(&found, tasks, device, &options, error);
    anole_results_destroy(found);
    anole_devices_destroy(devices);
    anole_tasks_destroy(tasks);
    anole_context_destroy(context);
    return status;
}

/* On one device whose kernels are C, beside steps that the host does. */
static enum anole_status run_by_library(struct anole_error *error)
{
    struct anole_context *context = NULL;
    struct anole_devices *devices = NULL;
    struct anole_model *model = NULL;
    const struct anole_device_info *device = NULL;
    const struct anole_latency *latency;
    struct anole_model_options options = {.size = sizeof options, .random_weights = true};
    void *input;
    const void *output;
    enum anole_status status = anole_context_create(&context, NULL, error);
    if (status == ANOLE_DONE)
        status = anole_devices_list(&devices, context, 0, error);
    if (status == ANOLE_DONE)
        status = anole_devices_find(&device, devices, "good", error);
    if (status == ANOLE_DONE)
        status = anole_model_load(&model, context, path_of("net.json"), device, &options, error);
    if (status == ANOLE_DONE)
        status = anole_model_map_input(&input, NULL, model, 0, error);
    if (status == ANOLE_DONE)
        status = anole_model_measure(&latency, model, 2, error);
    if (status == ANOLE_DONE)
        status = anole_model_map_output(&output, NULL, model, 0, error);
    anole_model_destroy(model);
    anole_devices_destroy(devices);
    anole_context_destroy(context);
    return status;
}

static void test_run_by_library_survives(void **state)
{
    (void)state;
    exhaust(run_by_library, false, 11);
}

static void test_tune_by_library_survives(void **state)
{
    (void)state;
    exhaust(tune_by_library, false, 67);
}

static int setup(void **state)
{
    (void)state;
    static const int64_t values[] = {1, 2, 4, 8, 16, 32};
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_lockfile lockfile = {.network = "n", .network_path = "p"};
    struct anole_lock_device device = lock_device();
    anole_log_set_level(ANOLE_LEVEL_ERROR - 1); /* it is used with errors that are meant */
    folder = make_folder();
    add_plugins(folder, "simulated good");
    registry = registry_of(folder);
    /* The process that is asked stays from one scenario to the next: it has one of its own. */
    for (size_t i = 0; i < registry->entry_count; i++)
        if (registry->entries[i].backend)
            anole_backend_ask_here(registry->entries[i].backend);
    assert_non_null(anole_host_get(0)); /* once for good */
    assert_non_null(anole_host_get(1));
    assert_non_null(anole_host_get_as(0, true));
    assert_int_equal(registry->device_count, 2);
    lockfile.devices = &device;
    lockfile.device_count = 1;
    assert_done(anole_lockfile_save(&lockfile, path_of("net.lock.json"), &error));
    kernel_root = json_loads(KERNEL, 0, NULL);
    assert_non_null(kernel_root);
    write_text("k.cl", "kernel void k() {}");
    write_text("t1.json", t1_text);
    write_compressed("t4.json.gz", results);
    write_text("raw", "sixteen bytes ..");
    write_text("net.json", NETWORK);
    write_arrays();
    write_text("bad.json",
               "{\"name\": \"x\", \"layers\": [{\"name\": \"a\", \"kind\": \"conf2d\"}]}");
    assert_done(
        anole_network_parse_workload(&network, NETWORK, strlen(NETWORK), "net.json", &error));
    assert_done(anole_space_create(&space, &error));
    assert_done(anole_space_add_knob(space, "tile", false, values, NULL, 6, 0, &error));
    assert_done(anole_space_add_knob(space, "block", false, values, NULL, 6, 0, &error));
    assert_done(anole_space_add_knob(space, "order", true, values, NULL, 4, 0, &error));
    assert_done(anole_space_finish(space, &error));
    assert_done(anole_features_create(&features, space, NULL, 0, NULL, NULL, 0, &error));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    anole_features_destroy(features);
    anole_space_destroy(space);
    json_decref(kernel_root);
    anole_workload_destroy(network);
    anole_registry_destroy(registry);
    drop_folder(folder);
    print_message("%ju times an allocation failed\n", (uintmax_t)tried);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_network_survives),
        cmocka_unit_test(test_refuse_network_survives),
        cmocka_unit_test(test_read_onnx_survives),
        cmocka_unit_test(test_use_arrays_survives),
        cmocka_unit_test(test_use_lockfile_survives),
        cmocka_unit_test(test_join_newer_lockfiles_survives),
        cmocka_unit_test(test_use_json_survives),
        cmocka_unit_test(test_read_t1_survives),
        cmocka_unit_test(test_use_kernel_survives),
        cmocka_unit_test(test_make_constants_survives),
        cmocka_unit_test(test_use_recording_survives),
        cmocka_unit_test(test_load_files_survives),
        cmocka_unit_test(test_make_expression_survives),
        cmocka_unit_test(test_make_scratch_survives),
        cmocka_unit_test(test_make_progress_survives),
        cmocka_unit_test(test_compare_lockfiles_survives),
        cmocka_unit_test(test_use_history_survives),
        cmocka_unit_test(test_join_histories_survives),
        cmocka_unit_test(test_read_lockfolder_survives),
        cmocka_unit_test(test_failed_append_keeps_the_file),
        cmocka_unit_test(test_make_space_survives),
        cmocka_unit_test(test_every_explorer_survives),
        cmocka_unit_test(test_learning_from_others_survives),
        cmocka_unit_test(test_make_schedule_survives),
        cmocka_unit_test(test_make_data_survives),
        cmocka_unit_test(test_use_backend_survives),
        cmocka_unit_test(test_use_runner_survives),
        cmocka_unit_test(test_make_measure_survives),
        cmocka_unit_test(test_find_folders_survives),
        cmocka_unit_test(test_make_registry_survives),
        cmocka_unit_test(test_ask_elsewhere_survives),
        cmocka_unit_test(test_make_table_survives),
        cmocka_unit_test(test_make_tuner_survives),
        cmocka_unit_test(test_make_program_survives),
        cmocka_unit_test(test_export_survives),
        cmocka_unit_test(test_note_failures_survives),
        cmocka_unit_test(test_use_library_survives),
        cmocka_unit_test(test_run_by_library_survives),
        cmocka_unit_test(test_tune_by_library_survives),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
