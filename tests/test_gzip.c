/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "formats/gzip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define CONTENT "{\"results\": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]}"

/* The caller's to free. */
static unsigned char *compress_text(const char *text, size_t length, size_t *bytes)
{
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    size_t room = deflateBound(&stream, length);
    unsigned char *out = malloc(room);
    stream.next_in = (unsigned char *)text;
    stream.avail_in = (unsigned)length;
    stream.next_out = out;
    stream.avail_out = (unsigned)room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    *bytes = stream.total_out;
    deflateEnd(&stream);
    return out;
}

static void test_read_takes_plain_and_compressed_files(void **state)
{
    (void)state;
    const char *tmp = getenv("TMPDIR");
    char folder[64], path[96], *text;
    size_t bytes, length;
    unsigned char *packed = compress_text(CONTENT, strlen(CONTENT), &bytes);
    snprintf(folder, sizeof folder, "%.40s/anole-test-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/results", folder);
    for (int compressed = 0; compressed < 2; compressed++) {
        struct anole_error error = {0};
        const void *data = compressed ? (const void *)packed : CONTENT;
        size_t size = compressed ? bytes : strlen(CONTENT);
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(data, 1, size, file), size);
        fclose(file);
        if (anole_gzip_read(&text, &length, path, &error) != ANOLE_DONE)
            fail_msg("%s", error.text);
        assert_string_equal(text, CONTENT);
        assert_int_equal(length, strlen(CONTENT));
        free(text);
        unlink(path);
    }
    rmdir(folder);
    free(packed);
}

static void test_inflate_joins_members(void **state)
{
    (void)state;
    char *text;
    size_t one, length;
    unsigned char *packed = compress_text("hello ", 6, &one);
    packed = realloc(packed, 2 * one);
    memcpy(packed + one, packed, one);
    assert_int_equal(anole_gzip_inflate(&text, &length, packed, 2 * one, "f", NULL), ANOLE_DONE);
    assert_string_equal(text, "hello hello ");
    assert_int_equal(length, 12);
    free(text);
    free(packed);
}

static void test_inflate_refuses_every_cut_and_damaged_file(void **state)
{
    (void)state;
    char *text;
    size_t bytes, length;
    unsigned char *packed = compress_text(CONTENT, strlen(CONTENT), &bytes);
    for (size_t cut = 0; cut < bytes; cut++) {
        struct anole_error error = {0};
        assert_int_equal(anole_gzip_inflate(&text, &length, packed, cut, "f.gz", &error),
                         ANOLE_ERR_INPUT);
        assert_non_null(strstr(error.text, "f.gz"));
    }
    /* The last eight bytes are a checksum and the length. */
    packed[bytes - 5] ^= 1;
    struct anole_error error = {0};
    assert_int_equal(anole_gzip_inflate(&text, &length, packed, bytes, "f.gz", &error),
                     ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "damaged"));
    free(packed);
}

static void test_inflate_refuses_a_bomb(void **state)
{
    (void)state;
    size_t zeros = (size_t)80 << 20, bytes, length;
    char *text = calloc(zeros, 1);
    unsigned char *bomb = compress_text(text, zeros, &bytes);
    free(text);
    struct anole_error error = {0};
    assert_int_equal(anole_gzip_inflate(&text, &length, bomb, bytes, "bomb.gz", &error),
                     ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "larger than 64 MiB"));
    free(bomb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_takes_plain_and_compressed_files),
        cmocka_unit_test(test_inflate_joins_members),
        cmocka_unit_test(test_inflate_refuses_every_cut_and_damaged_file),
        cmocka_unit_test(test_inflate_refuses_a_bomb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
