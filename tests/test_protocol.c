/* SPDX-License-Identifier: MIT
 *
 * Frames over a socket: whole, in pieces, damaged, and made of noise.
 */
#include "measure_fixture.h"

#include "base/rng.h"
#include "worker/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

/* A pair of channels, neither of which blocks. */
struct pair {
    int sockets[2];
    struct anole_channel a, b;
};

static void open_pair(struct pair *pair)
{
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair->sockets), 0);
    anole_channel_init(&pair->a, pair->sockets[0]);
    anole_channel_init(&pair->b, pair->sockets[1]);
}

static void close_pair(struct pair *pair)
{
    anole_channel_fini(&pair->a);
    anole_channel_fini(&pair->b);
    close(pair->sockets[0]);
    close(pair->sockets[1]);
}

static void queue(struct anole_channel *channel, enum anole_frame_type type, const void *payload,
                  size_t length, int along)
{
    struct anole_error error = {.status = ANOLE_DONE};
    assert_done(anole_channel_queue(channel, NULL, type, 0, payload, length, along, &error));
}

/* Moves what can be moved; true once a frame has come. */
static bool pump(struct pair *pair, struct anole_frame *frame)
{
    struct anole_error error = {.status = ANOLE_DONE};
    bool got = false;
    for (int i = 0; i < 1000 && !got; i++) {
        assert_done(anole_channel_flush(&pair->a, &error));
        assert_done(anole_channel_fill(&pair->b, &error));
        assert_done(anole_channel_take(&pair->b, frame, &got, &error));
        if (!got && !anole_channel_unsent(&pair->a) && i > 3)
            break;
    }
    return got;
}

static void test_carry_frames_in_order(void **state)
{
    (void)state;
    struct pair pair;
    struct anole_frame frame;
    open_pair(&pair);
    queue(&pair.a, ANOLE_FRAME_VET, "one", 3, -1);
    queue(&pair.a, ANOLE_FRAME_UNLOAD, NULL, 0, -1);
    queue(&pair.a, ANOLE_FRAME_LOG, "three", 5, -1);
    assert_true(pump(&pair, &frame));
    assert_int_equal(frame.type, ANOLE_FRAME_VET);
    assert_int_equal(frame.sequence, 1);
    assert_int_equal(frame.length, 3);
    assert_memory_equal(frame.payload, "one", 3);
    assert_int_equal(frame.descriptor, -1);
    assert_true(pump(&pair, &frame));
    assert_int_equal(frame.type, ANOLE_FRAME_UNLOAD);
    assert_int_equal(frame.length, 0);
    assert_true(pump(&pair, &frame));
    assert_int_equal(frame.sequence, 3);
    assert_false(pump(&pair, &frame));
    close_pair(&pair);
}

static void test_carry_large_frame_without_blocking(void **state)
{
    (void)state;
    struct pair pair;
    struct anole_frame frame;
    size_t length = (size_t)5 << 20;
    uint8_t *payload = malloc(length);
    assert_non_null(payload);
    for (size_t i = 0; i < length; i++)
        payload[i] = (uint8_t)(i * 31);
    open_pair(&pair);
    queue(&pair.a, ANOLE_FRAME_BUILT, payload, length, -1);
    assert_true(pump(&pair, &frame));
    assert_int_equal(frame.length, length);
    assert_memory_equal(frame.payload, payload, length);
    close_pair(&pair);
    free(payload);
}

static void test_carry_descriptor_with_its_frame(void **state)
{
    (void)state;
    struct pair pair;
    struct anole_frame frame;
    struct anole_error error = {.status = ANOLE_DONE};
    int pipes[2];
    char letter = 0;
    assert_int_equal(pipe(pipes), 0);
    open_pair(&pair);
    queue(&pair.a, ANOLE_FRAME_OPEN, "before", 6, -1);
    queue(&pair.a, ANOLE_FRAME_TASK, "with", 4, pipes[1]);
    queue(&pair.a, ANOLE_FRAME_TRIAL, "behind", 6, -1);
    assert_int_equal(
        anole_channel_queue(&pair.a, NULL, ANOLE_FRAME_TASK, 0, "", 0, pipes[1], &error),
        ANOLE_ERR_INTERNAL); /* one at a time */
    assert_true(pump(&pair, &frame));
    assert_int_equal(frame.descriptor, -1);
    assert_true(pump(&pair, &frame));
    assert_int_equal(frame.type, ANOLE_FRAME_TASK);
    assert_true(frame.descriptor >= 0);
    assert_true(fcntl(frame.descriptor, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(write(frame.descriptor, "x", 1), 1);
    assert_int_equal(read(pipes[0], &letter, 1), 1);
    assert_int_equal(letter, 'x');
    close(frame.descriptor);
    assert_true(pump(&pair, &frame));
    assert_int_equal(frame.type, ANOLE_FRAME_TRIAL);
    assert_int_equal(frame.descriptor, -1);
    close_pair(&pair);
    close(pipes[0]);
    close(pipes[1]);
}

static void test_refuse_to_send_more_than_a_type_allows(void **state)
{
    (void)state;
    struct pair pair;
    struct anole_error error = {.status = ANOLE_DONE};
    char payload[65] = "";
    open_pair(&pair);
    assert_int_equal(anole_channel_queue(&pair.a, NULL, ANOLE_FRAME_ROUND, 0, payload,
                                         sizeof payload, -1, &error),
                     ANOLE_ERR_INTERNAL);
    assert_false(anole_channel_unsent(&pair.a));
    close_pair(&pair);
}

static void test_notice_end_of_other_side(void **state)
{
    (void)state;
    struct pair pair;
    struct anole_frame frame;
    struct anole_error error = {.status = ANOLE_DONE};
    bool got;
    open_pair(&pair);
    queue(&pair.a, ANOLE_FRAME_LOG, "last", 4, -1);
    assert_done(anole_channel_flush(&pair.a, &error));
    shutdown(pair.sockets[0], SHUT_RDWR);
    assert_true(pump(&pair, &frame)); /* what was said before still counts */
    assert_done(anole_channel_fill(&pair.b, &error));
    assert_done(anole_channel_take(&pair.b, &frame, &got, &error));
    assert_false(got);
    assert_true(pair.b.ended);
    queue(&pair.b, ANOLE_FRAME_LOG, "to nobody", 9, -1);
    assert_done(anole_channel_flush(&pair.b, &error));
    assert_false(anole_channel_unsent(&pair.b));
    close_pair(&pair);
}

/* The bytes of a frame, as they go over the socket. */
static size_t frame_bytes(uint8_t *out, size_t size)
{
    struct pair pair;
    struct anole_error error = {.status = ANOLE_DONE};
    open_pair(&pair);
    queue(&pair.a, ANOLE_FRAME_VET, "a payload of some bytes", 23, -1);
    assert_done(anole_channel_flush(&pair.a, &error));
    ssize_t length = read(pair.sockets[1], out, size);
    assert_int_equal(length, ANOLE_FRAME_HEADER + 23);
    close_pair(&pair);
    return (size_t)length;
}

/* What a fresh channel makes of these bytes. */
static enum anole_status receive(const uint8_t *bytes, size_t length, bool *got,
                                 struct anole_error *error)
{
    struct pair pair;
    struct anole_frame frame = {.descriptor = -1};
    *got = false;
    open_pair(&pair);
    assert_int_equal(write(pair.sockets[0], bytes, length), length);
    enum anole_status status = anole_channel_fill(&pair.b, error);
    if (status == ANOLE_DONE)
        status = anole_channel_take(&pair.b, &frame, got, error);
    if (status != ANOLE_DONE) { /* broken for good */
        struct anole_error second = {.status = ANOLE_DONE};
        assert_int_not_equal(anole_channel_take(&pair.b, &frame, got, &second), ANOLE_DONE);
    }
    close_pair(&pair);
    return status;
}

static void test_wait_for_rest_of_cut_frame(void **state)
{
    (void)state;
    uint8_t bytes[256];
    bool got;
    struct anole_error error = {.status = ANOLE_DONE};
    size_t length = frame_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < length; i++) {
        assert_done(receive(bytes, i, &got, &error));
        assert_false(got);
    }
    assert_done(receive(bytes, length, &got, &error));
    assert_true(got);
}

static void test_notice_every_flipped_bit(void **state)
{
    (void)state;
    uint8_t bytes[256];
    bool got;
    size_t length = frame_bytes(bytes, sizeof bytes);
    for (size_t bit = 0; bit < 8 * length; bit++) {
        struct anole_error error = {.status = ANOLE_DONE};
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        receive(bytes, length, &got, &error);
        assert_false(got); /* an error, or a longer frame to wait for */
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void test_tell_other_version_from_noise(void **state)
{
    (void)state;
    uint8_t bytes[256];
    bool got;
    struct anole_error error = {.status = ANOLE_DONE};
    size_t length = frame_bytes(bytes, sizeof bytes);
    bytes[4]++;
    assert_int_equal(receive(bytes, length, &got, &error), ANOLE_ERR_VERSION);
    assert_contains(error.text, "install both from one version");
    anole_error_clear(&error);
    memset(bytes, 'x', sizeof bytes);
    assert_int_equal(receive(bytes, sizeof bytes, &got, &error), ANOLE_ERR_WORKER);
    assert_contains(error.text, "no message");
}

static void test_survive_noise(void **state)
{
    (void)state;
    struct anole_rng rng;
    uint8_t valid[256], bytes[256];
    size_t length = frame_bytes(valid, sizeof valid);
    anole_rng_init(&rng, 3);
    for (int round = 0; round < 3000; round++) {
        struct anole_error error = {.status = ANOLE_DONE};
        bool got;
        memcpy(bytes, valid, sizeof bytes);
        /* Some bytes of a real frame, changed: gets further than pure noise. */
        for (int i = 0; i < 3; i++)
            bytes[anole_rng_below(&rng, length)] = (uint8_t)anole_rng_u64(&rng);
        receive(bytes, length, &got, &error);
        if (got)
            assert_memory_equal(bytes, valid, length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_carry_frames_in_order),
        cmocka_unit_test(test_carry_large_frame_without_blocking),
        cmocka_unit_test(test_carry_descriptor_with_its_frame),
        cmocka_unit_test(test_refuse_to_send_more_than_a_type_allows),
        cmocka_unit_test(test_notice_end_of_other_side),
        cmocka_unit_test(test_wait_for_rest_of_cut_frame),
        cmocka_unit_test(test_notice_every_flipped_bit),
        cmocka_unit_test(test_tell_other_version_from_noise),
        cmocka_unit_test(test_survive_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
