/* SPDX-License-Identifier: MIT
 *
 * Messages there and back, cut off anywhere, and made of noise.
 */
#include "measure_fixture.h"

#include "base/rng.h"
#include "worker/message.h"

#include <math.h>

/* Every kind of message, so that the tests below treat all alike. */
union any {
    struct anole_vet_request vet_request;
    struct anole_vet_reply vet_reply;
    struct anole_probe_request probe_request;
    struct anole_probe_reply probe_reply;
    struct anole_prepare_request prepare_request;
    struct anole_open_request open_request;
    struct anole_task_request task_request;
    struct anole_trial_request trial_request;
    struct anole_trial_reply trial_reply;
    struct anole_round_reply round_reply;
    struct anole_failed_reply failed_reply;
    struct anole_stage_event stage_event;
    struct anole_log_event log_event;
    struct anole_hello_event hello_event;
};

#define MESSAGE_MAP(X)                                                                             \
    X(vet_request)                                                                                 \
    X(vet_reply)                                                                                   \
    X(probe_request)                                                                               \
    X(probe_reply)                                                                                 \
    X(prepare_request)                                                                             \
    X(open_request)                                                                                \
    X(task_request)                                                                                \
    X(trial_request)                                                                               \
    X(trial_reply)                                                                                 \
    X(round_reply)                                                                                 \
    X(failed_reply)                                                                                \
    X(stage_event)                                                                                 \
    X(log_event)                                                                                   \
    X(hello_event)

enum kind {
#define X(name) KIND_##name,
    MESSAGE_MAP(X)
#undef X
        KIND_COUNT
};

static void wire_any(struct anole_wire *wire, enum kind kind, union any *message)
{
    switch (kind) {
#define X(name)                                                                                    \
    case KIND_##name:                                                                              \
        anole_wire_##name(wire, &message->name);                                                   \
        break;
        MESSAGE_MAP(X)
#undef X
    default:
        fail();
    }
}

static void fill_device(struct anole_device *device)
{
    *device = (struct anole_device){.size = sizeof *device,
                                    .index = 3,
                                    .type = ANOLE_DEVICE_GPU,
                                    .flags = ANOLE_DEVICE_EVENT_TIMER,
                                    .name = "A device",
                                    .vendor = "V",
                                    .driver = "D",
                                    .driver_version = "1.2",
                                    .compute_units = 80,
                                    .max_work_group = 1024,
                                    .max_work_items = {1024, 1024, 64},
                                    .global_memory = UINT64_C(1) << 37,
                                    .cache_line = 64,
                                    .property_count = 2,
                                    .properties = {{"warp", 32}, {"x", -0.5}}};
}

static void fill(enum kind kind, union any *message)
{
    static const char binary[] = "binary\0with a NUL";
    memset(message, 0, sizeof *message);
    switch (kind) {
    case KIND_vet_reply:
        message->vet_reply.driver_count = 2;
        strcpy(message->vet_reply.drivers[0], "/etc/one.icd");
        strcpy(message->vet_reply.name, "cpu");
        break;
    case KIND_probe_reply:
        message->probe_reply.device_count = 2;
        fill_device(&message->probe_reply.devices[0]);
        fill_device(&message->probe_reply.devices[1]);
        strcpy(message->probe_reply.problem, "half of them are missing");
        break;
    case KIND_open_request:
        strcpy(message->open_request.path, "/usr/lib/anole/cpu.so");
        message->open_request.sample_time = 0.25;
        fill_device(&message->open_request.device);
        break;
    case KIND_task_request:
        message->task_request.task = parse_task(SMALL_TASK);
        message->task_request.data = true;
        break;
    case KIND_prepare_request:
        message->prepare_request.task = parse_task(OTHER_TASK);
        message->prepare_request.seed = UINT64_MAX;
        break;
    case KIND_trial_request:
        message->trial_request.value_count = 3;
        message->trial_request.values[1] = INT64_MIN;
        message->trial_request.best = NAN;
        message->trial_request.binary = binary;
        message->trial_request.binary_bytes = sizeof binary;
        break;
    case KIND_trial_reply:
        message->trial_reply.result.outcome = ANOLE_OUTCOME_WRONG_ANSWER;
        message->trial_reply.result.seconds = NAN;
        message->trial_reply.result.cost.build = 0.5;
        strcpy(message->trial_reply.result.message, "wrong");
        message->trial_reply.usage.resident = 123456789;
        message->trial_reply.usage.tainted = true;
        message->trial_reply.binary = binary;
        message->trial_reply.binary_bytes = sizeof binary;
        break;
    case KIND_round_reply:
        message->round_reply.count = 2;
        message->round_reply.seconds[1] = 1e-3;
        message->round_reply.failed = UINT32_MAX;
        break;
    case KIND_failed_reply:
        message->failed_reply.status = 3;
        strcpy(message->failed_reply.text, "it cannot");
        break;
    default:
        break;
    }
}

/* A worker may say anything: no failure, one that there is none of, one that has no negative. */
static void test_refuse_statuses_that_there_are_not(void **state)
{
    (void)state;
    static const uint32_t statuses[] = {0, 16, 4711, 0x7fffffff, 0x80000000, UINT32_MAX};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        struct anole_failed_reply reply = {.status = statuses[i], .text = "it cannot"}, read;
        struct anole_wire writer, reader;
        anole_wire_writer_init(&writer);
        anole_wire_u32(&writer, &reply.status);
        anole_wire_text(&writer, reply.text, sizeof reply.text);
        anole_wire_reader_init(&reader, writer.data, writer.length);
        anole_wire_failed_reply(&reader, &read);
        assert_false(anole_wire_complete(&reader));
        anole_wire_fini(&writer);
    }
}

static void test_return_what_was_written(void **state)
{
    (void)state;
    union any *out = malloc(sizeof *out), *in = malloc(sizeof *in);
    assert_true(out && in);
    for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
        struct anole_wire writer, reader, again;
        fill(kind, out);
        anole_wire_writer_init(&writer);
        wire_any(&writer, kind, out);
        assert_false(writer.failed);
        memset(in, 0, sizeof *in);
        anole_wire_reader_init(&reader, writer.data, writer.length);
        wire_any(&reader, kind, in);
        assert_true(anole_wire_complete(&reader));
        /* What was read writes the same bytes. */
        anole_wire_writer_init(&again);
        wire_any(&again, kind, in);
        assert_int_equal(again.length, writer.length);
        assert_memory_equal(again.data, writer.data, writer.length);
        anole_wire_fini(&again);
        anole_wire_fini(&writer);
    }
    free(out);
    free(in);
}

/* What came later to a task is part of it: each word of the struct but its size, and the kernel. */
static void test_carry_all_of_a_task(void **state)
{
    (void)state;
    struct anole_task_request written = {.task = parse_task(SMALL_TASK)}, read = {.data = true};
    struct anole_task *task = &written.task;
    uint32_t *const later[] = {&task->output_pad_h, &task->output_pad_w, &task->in_pitch,
                               &task->out_pitch, &task->residual_pitch};
    for (uint32_t i = 0; i < sizeof later / sizeof *later; i++)
        *later[i] = 71 + i;
    task->alpha = 0.25f;
    task->beta = -1e-7f;
    struct anole_wire out, in;
    anole_wire_writer_init(&out);
    anole_wire_task_request(&out, &written);
    anole_wire_reader_init(&in, out.data, out.length);
    anole_wire_task_request(&in, &read);
    assert_true(anole_wire_complete(&in));
    assert_memory_equal(&read.task, task, sizeof *task);
    anole_wire_fini(&out);
}

static void test_fail_when_cut_anywhere(void **state)
{
    (void)state;
    union any *out = malloc(sizeof *out), *in = malloc(sizeof *in);
    assert_true(out && in);
    for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
        struct anole_wire writer, reader;
        fill(kind, out);
        anole_wire_writer_init(&writer);
        wire_any(&writer, kind, out);
        for (size_t length = 0; length < writer.length; length++) {
            /* Of exactly this size, so that reading on is noticed. */
            uint8_t *part = malloc(length + 1);
            assert_non_null(part);
            memcpy(part, writer.data, length);
            part = realloc(part, length ? length : 1);
            anole_wire_reader_init(&reader, part, length);
            wire_any(&reader, kind, in);
            assert_false(anole_wire_complete(&reader));
            free(part);
        }
        /* One byte too many is no better. */
        uint8_t *more = malloc(writer.length + 1);
        assert_non_null(more);
        memcpy(more, writer.data, writer.length);
        more[writer.length] = 0;
        anole_wire_reader_init(&reader, more, writer.length + 1);
        wire_any(&reader, kind, in);
        assert_false(anole_wire_complete(&reader));
        free(more);
        anole_wire_fini(&writer);
    }
    free(out);
    free(in);
}

static void test_survive_noise(void **state)
{
    (void)state;
    struct anole_rng rng;
    union any *in = malloc(sizeof *in);
    uint8_t noise[512];
    assert_non_null(in);
    anole_rng_init(&rng, 7);
    for (int round = 0; round < 20000; round++) {
        struct anole_wire reader;
        size_t length = anole_rng_below(&rng, sizeof noise);
        /* Mostly zeros: lengths that are small get further. */
        for (size_t i = 0; i < length; i++)
            noise[i] = anole_rng_below(&rng, 4) ? 0 : (uint8_t)anole_rng_u64(&rng);
        enum kind kind = (enum kind)anole_rng_below(&rng, KIND_COUNT);
        anole_wire_reader_init(&reader, noise, length);
        wire_any(&reader, kind, in);
        if (kind == KIND_trial_reply)
            assert_true(in->trial_reply.result.outcome < ANOLE_OUTCOME_COUNT);
        if (kind == KIND_probe_reply)
            assert_true(in->probe_reply.device_count <= ANOLE_MAX_DEVICES);
        if (kind == KIND_vet_reply)
            assert_true(strnlen(in->vet_reply.name, 64) < 64);
    }
    free(in);
}

static void test_refuse_bad_values(void **state)
{
    (void)state;
    struct anole_wire wire;
    uint8_t data[] = {2, 0, 0, 0, 'a', 0};
    char text[8] = "before";
    bool flag;
    uint32_t count;
    anole_wire_reader_init(&wire, data, 1);
    anole_wire_bool(&wire, &flag);
    assert_true(wire.failed); /* neither 0 nor 1 */
    anole_wire_reader_init(&wire, data, sizeof data);
    anole_wire_text(&wire, text, sizeof text);
    assert_true(wire.failed); /* a NUL inside */
    assert_string_equal(text, "");
    anole_wire_reader_init(&wire, data, sizeof data);
    anole_wire_text(&wire, text, 2);
    assert_true(wire.failed); /* too long */
    anole_wire_reader_init(&wire, data, sizeof data);
    anole_wire_count(&wire, &count, 1);
    assert_true(wire.failed);
    assert_int_equal(count, 0);
}

static void test_cut_text_that_is_too_long(void **state)
{
    (void)state;
    struct anole_wire writer, reader;
    char unterminated[4] = {'a', 'b', 'c', 'd'}, text[8];
    anole_wire_writer_init(&writer);
    anole_wire_text(&writer, unterminated, sizeof unterminated);
    anole_wire_reader_init(&reader, writer.data, writer.length);
    anole_wire_text(&reader, text, sizeof text);
    assert_true(anole_wire_complete(&reader));
    assert_string_equal(text, "abc");
    anole_wire_fini(&writer);
}

static void test_name_every_stage(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ANOLE_STAGE_COUNT; i++)
        assert_true(strlen(anole_stage_words(i)) > 0);
    assert_non_null(anole_stage_words(ANOLE_STAGE_COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_return_what_was_written),
        cmocka_unit_test(test_refuse_statuses_that_there_are_not),
        cmocka_unit_test(test_fail_when_cut_anywhere),
        cmocka_unit_test(test_survive_noise),
        cmocka_unit_test(test_carry_all_of_a_task),
        cmocka_unit_test(test_refuse_bad_values),
        cmocka_unit_test(test_cut_text_that_is_too_long),
        cmocka_unit_test(test_name_every_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
