/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"
#include "frontend/npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static const float floats[] = {0, 1, 2, 3, 4, 5};

/* Of its exact size, so that a checker of addresses sees what reads beyond; the caller's to
 * free. */
static uint8_t *exact_copy(const void *data, size_t bytes)
{
    uint8_t *copy = malloc(bytes + (bytes == 0));
    assert_non_null(copy);
    memcpy(copy, data, bytes);
    return copy;
}

/* An .npy with this header, padded, and these elements. */
static struct anole_text make_npy(int version, const char *header, const void *data, size_t bytes)
{
    struct anole_text text = {0};
    size_t length = strlen(header);
    const unsigned char lengths[4] = {(unsigned char)length, (unsigned char)(length >> 8), 0, 0};
    anole_text_append(&text, "\x93NUMPY", 6);
    const unsigned char versions[2] = {(unsigned char)version, 0};
    anole_text_append(&text, (const char *)versions, 2);
    anole_text_append(&text, (const char *)lengths, version == 1 ? 2 : 4);
    anole_text_append(&text, header, length);
    anole_text_append(&text, data, bytes);
    assert_false(text.failed);
    return text;
}

static enum anole_status parse(struct anole_array *array, const char *header, const void *data,
                               size_t bytes, struct anole_error *error)
{
    error->status = ANOLE_DONE;
    struct anole_text text = make_npy(1, header, data, bytes);
    uint8_t *exact = exact_copy(text.data, text.length);
    enum anole_status status = anole_npy_parse(array, exact, text.length, "a.npy", error);
    free(exact);
    anole_text_fini(&text);
    return status;
}

static void test_parse_takes_what_numpy_writes(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        uint32_t rank;
        int64_t dims[3];
    } cases[] = {
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   \n", 2, {2, 3}},
        {"{\"shape\":(6L,),\"fortran_order\":True,\"descr\":\"<f4\"}", 1, {6}},
        {"{'shape': (1, 6, 1), 'descr': '=f4', 'fortran_order': False}", 3, {1, 6, 1}},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (6,)}", 1, {6}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct anole_error error;
        struct anole_array array;
        if (parse(&array, cases[i].header, floats, sizeof floats, &error) != ANOLE_DONE)
            fail_msg("%s", error.text);
        assert_int_equal(array.element, ANOLE_ARRAY_F32);
        assert_int_equal(array.rank, cases[i].rank);
        assert_memory_equal(array.dims, cases[i].dims, array.rank * sizeof *array.dims);
        assert_memory_equal(array.data, floats, sizeof floats);
        anole_array_fini(&array);
    }
}

static void test_parse_takes_later_formats(void **state)
{
    (void)state;
    for (int version = 2; version <= 4; version++) {
        struct anole_error error = {.status = ANOLE_DONE};
        struct anole_array array;
        struct anole_text text = make_npy(
            version, "{'descr': '<f4', 'fortran_order': False, 'shape': (6,)}", floats, 24);
        enum anole_status status = anole_npy_parse(&array, text.data, text.length, "a.npy", &error);
        assert_int_equal(status, version <= 3 ? ANOLE_DONE : ANOLE_ERR_INPUT);
        if (status == ANOLE_DONE)
            anole_array_fini(&array);
        anole_text_fini(&text);
    }
}

static void test_parse_transposes_fortran_order(void **state)
{
    (void)state;
    struct anole_error error;
    struct anole_array array;
    static const int64_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    assert_int_equal(parse(&array, "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3)}",
                           floats, sizeof floats, &error),
                     ANOLE_DONE);
    static const float expected[] = {0, 2, 4, 1, 3, 5};
    assert_memory_equal(array.data, expected, sizeof expected);
    anole_array_fini(&array);
    assert_int_equal(parse(&array, "{'descr': '<i8', 'fortran_order': True, 'shape': (2, 3, 2)}",
                           numbers, sizeof numbers, &error),
                     ANOLE_DONE);
    const int64_t *data = array.data;
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 3; k++)
            for (int m = 0; m < 2; m++)
                assert_int_equal(data[(i * 3 + k) * 2 + m], i + 2 * k + 6 * m);
    anole_array_fini(&array);
}

static void test_parse_refuses_the_rest(void **state)
{
    (void)state;
    static const struct {
        const char *header, *part;
    } cases[] = {
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (6,)}", "little-endian"},
        {"{'descr': '<U3', 'fortran_order': False, 'shape': (2,)}", "numbers"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (3,)}", "numbers"},
        {"{'descr': '', 'fortran_order': False, 'shape': (3,)}", "numbers"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,)}", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (7,)}", "expected 28"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': ()}", "expected 4 for float32[]"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-6,)}", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", "64 TiB"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,6)}", "header"},
        {"{'descr': '<f4', 'fortran_order': False}", "header"},
        {"{'descr': '<f4', 'fortran_order': Maybe, 'shape': (6,)}", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (6,)", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'x': 1}", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (6,)} 1", "header"},
        {"", "header"},
        {"{", "header"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct anole_error error;
        struct anole_array array;
        assert_int_equal(parse(&array, cases[i].header, floats, sizeof floats, &error),
                         ANOLE_ERR_INPUT);
        if (!strstr(error.text, cases[i].part) || strncmp(error.text, "a.npy: ", 7) != 0)
            fail_msg("\"%s\" is not in \"%s\"", cases[i].part, error.text);
    }
}

/* -- Archives -- */

static char folder[64];

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int setup(void **state)
{
    (void)state;
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.40s/anole-test-XXXXXX", tmp ? tmp : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return rmdir(folder);
}

static const struct anole_array examples[] = {
    {.name = "x",
     .element = ANOLE_ARRAY_F32,
     .rank = 2,
     .dims = {2, 3},
     .data = floats,
     .bytes = sizeof floats},
    {.name = "scalar", .element = ANOLE_ARRAY_I32, .data = floats, .bytes = 4},
    {.name = "/model/empty", .element = ANOLE_ARRAY_BOOL, .rank = 1, .dims = {0}, .data = ""},
};

#define EXAMPLES (sizeof examples / sizeof *examples)

/* The bytes of an archive of the examples; the caller's to free. */
static char *make_archive(size_t *bytes)
{
    struct anole_error error = {.status = ANOLE_DONE};
    char *data;
    if (anole_npz_save(path_of("a.npz"), examples, EXAMPLES, &error) != ANOLE_DONE ||
        anole_file_read(&data, bytes, path_of("a.npz"), 0, &error) != ANOLE_DONE)
        fail_msg("%s", error.text);
    unlink(path_of("a.npz"));
    return data;
}

static void check_examples(const struct anole_arrays *arrays)
{
    assert_int_equal(arrays->count, EXAMPLES);
    for (size_t i = 0; i < EXAMPLES; i++) {
        const struct anole_array *array = anole_arrays_find(arrays, examples[i].name);
        assert_non_null(array);
        assert_int_equal(array->element, examples[i].element);
        assert_int_equal(array->rank, examples[i].rank);
        assert_memory_equal(array->dims, examples[i].dims, array->rank * sizeof *array->dims);
        assert_int_equal(array->bytes, examples[i].bytes);
        assert_memory_equal(array->data, examples[i].data, array->bytes);
    }
    assert_null(anole_arrays_find(arrays, "none"));
}

static void test_save_and_load_agree(void **state)
{
    (void)state;
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_arrays arrays;
    struct anole_array array;
    assert_int_equal(anole_npz_save(path_of("a.npz"), examples, EXAMPLES, &error), ANOLE_DONE);
    if (anole_npz_load(&arrays, path_of("a.npz"), &error) != ANOLE_DONE)
        fail_msg("%s", error.text);
    check_examples(&arrays);
    anole_arrays_fini(&arrays);
    assert_int_equal(anole_npy_save(path_of("a.npz"), &examples[0], &error), ANOLE_DONE);
    assert_int_equal(anole_npy_load(&array, path_of("a.npz"), &error), ANOLE_DONE);
    assert_memory_equal(array.data, floats, sizeof floats);
    anole_array_fini(&array);
    unlink(path_of("a.npz"));
    assert_int_equal(anole_npy_load(&array, path_of("a.npz"), &error), ANOLE_ERR_INPUT);
}

static void test_save_refuses_what_would_be_lost(void **state)
{
    (void)state;
    struct anole_error error = {.status = ANOLE_DONE};
    const struct anole_array twice[] = {examples[0], examples[0]};
    assert_int_equal(anole_npz_save(path_of("a.npz"), twice, 2, &error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "there twice"));
    struct anole_array half = examples[0];
    half.element = ANOLE_ARRAY_BF16;
    error.status = ANOLE_DONE;
    assert_int_equal(anole_npy_save(path_of("a.npz"), &half, &error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "bfloat16"));
    assert_int_not_equal(access(path_of("a.npz"), F_OK), 0);
}

/* -- Archives of others -- */

static void put(struct anole_text *text, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        anole_text_append(text, (const char[]){(char)(value >> (8 * i))}, 1);
}

/* How an archive of one entry is put together. */
struct recipe {
    bool deflated, large; /* large: sizes are in extra fields */
    uint32_t flags, method, crc_change, size_change;
    size_t entries; /* that share the same bytes; 0: 1 */
    const char *name;
};

static void put_sizes(struct anole_text *out, const struct recipe *recipe, size_t packed,
                      size_t unpacked)
{
    put(out, recipe->large ? UINT32_MAX : packed, 4);
    put(out, recipe->large ? UINT32_MAX : unpacked + recipe->size_change, 4);
}

static void put_large(struct anole_text *out, const struct recipe *recipe, size_t packed,
                      size_t unpacked)
{
    if (!recipe->large)
        return;
    put(out, 1, 2);
    put(out, 16, 2);
    put(out, unpacked + recipe->size_change, 8);
    put(out, packed, 8);
}

static struct anole_text make_zip(const struct recipe *recipe)
{
    struct anole_text out = {0}, npy = {0};
    char packed[1000];
    z_stream stream = {.next_out = (Bytef *)packed, .avail_out = sizeof packed};
    struct anole_error error = {.status = ANOLE_DONE};
    const char *name = recipe->name ? recipe->name : "x.npy";
    assert_int_equal(anole_npy_append(&npy, &examples[0], &error), ANOLE_DONE);
    const char *data = npy.data;
    size_t length = npy.length;
    if (recipe->deflated) {
        deflateInit2(&stream, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY);
        stream.next_in = (Bytef *)npy.data;
        stream.avail_in = (uInt)npy.length;
        assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
        data = packed;
        length = stream.total_out;
        deflateEnd(&stream);
    }
    uint32_t method = recipe->method ? recipe->method : recipe->deflated ? 8 : 0;
    uint32_t crc = (uint32_t)crc32(0, (const Bytef *)npy.data, (uInt)npy.length);
    anole_text_append(&out, "PK\3\4\x14\0", 6);
    put(&out, recipe->flags, 2);
    put(&out, method, 2);
    put(&out, 0, 4);
    put(&out, crc + recipe->crc_change, 4);
    put_sizes(&out, recipe, length, npy.length);
    put(&out, strlen(name), 2);
    put(&out, recipe->large ? 20 : 0, 2);
    anole_text_append(&out, name, strlen(name));
    put_large(&out, recipe, length, npy.length);
    anole_text_append(&out, data, length);
    size_t directory = out.length, entries = recipe->entries ? recipe->entries : 1;
    for (size_t i = 0; i < entries; i++) {
        anole_text_append(&out, "PK\1\2\x14\0\x14\0", 8);
        put(&out, recipe->flags, 2);
        put(&out, method, 2);
        put(&out, 0, 4);
        put(&out, crc + recipe->crc_change, 4);
        put_sizes(&out, recipe, length, npy.length);
        put(&out, strlen(name) + (i > 0), 2);
        put(&out, recipe->large ? 20 : 0, 2);
        put(&out, 0, 6); /* comment, disk, kind */
        put(&out, 0, 8); /* attributes, offset */
        if (i > 0)
            put(&out, 'a' + i, 1);
        anole_text_append(&out, name, strlen(name));
        put_large(&out, recipe, length, npy.length);
    }
    size_t end = out.length;
    anole_text_append(&out, "PK\5\6\0\0\0\0", 8);
    put(&out, entries, 2);
    put(&out, entries, 2);
    put(&out, end - directory, 4);
    put(&out, directory, 4);
    put(&out, 2, 2);
    put(&out, 'c' | 'd' << 8, 2); /* a comment */
    anole_text_fini(&npy);
    assert_false(out.failed);
    return out;
}

static void test_load_takes_archives_of_others(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        const struct recipe recipe = {.deflated = i & 1, .large = i & 2};
        struct anole_error error = {.status = ANOLE_DONE};
        struct anole_arrays arrays;
        struct anole_text zip = make_zip(&recipe);
        if (anole_npz_parse(&arrays, zip.data, zip.length, "a.npz", &error) != ANOLE_DONE)
            fail_msg("%s", error.text);
        assert_int_equal(arrays.count, 1);
        assert_string_equal(arrays.items[0].name, "x");
        assert_memory_equal(arrays.items[0].data, floats, sizeof floats);
        anole_arrays_fini(&arrays);
        anole_text_fini(&zip);
    }
}

static void test_load_refuses_bad_archives(void **state)
{
    (void)state;
    static const struct {
        struct recipe recipe;
        const char *part;
    } cases[] = {
        {{.flags = 1}, "encrypted"},
        {{.method = 14}, "method 14"},
        {{.crc_change = 1}, "checksum"},
        {{.deflated = true, .crc_change = 1}, "checksum"},
        {{.size_change = 1}, "two sizes"},
        {{.deflated = true, .size_change = 1}, "damaged"},
        {{.deflated = true, .size_change = UINT32_MAX}, "damaged"},
        {{.deflated = true, .size_change = 1 << 30}, "larger than it can be"},
        {{.method = 8}, "damaged"},
        {{.entries = 2}, "out of place"},
        {{.large = true, .size_change = UINT32_MAX}, "two sizes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct anole_error error = {.status = ANOLE_DONE};
        struct anole_arrays arrays;
        struct anole_text zip = make_zip(&cases[i].recipe);
        assert_int_equal(anole_npz_parse(&arrays, zip.data, zip.length, "a.npz", &error),
                         ANOLE_ERR_INPUT);
        if (!strstr(error.text, cases[i].part) || !strstr(error.text, "x"))
            fail_msg("\"%s\" is not in \"%s\"", cases[i].part, error.text);
        anole_text_fini(&zip);
    }
    struct recipe other = {.name = "readme.txt", .method = 99};
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_arrays arrays;
    struct anole_text zip = make_zip(&other);
    assert_int_equal(anole_npz_parse(&arrays, zip.data, zip.length, "a.npz", &error), ANOLE_DONE);
    assert_int_equal(arrays.count, 0);
    anole_arrays_fini(&arrays);
    anole_text_fini(&zip);
}

static void try_archive(const void *data, size_t bytes, size_t *done)
{
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_arrays arrays = {0};
    uint8_t *exact = exact_copy(data, bytes);
    enum anole_status status = anole_npz_parse(&arrays, exact, bytes, "a.npz", &error);
    assert_true(status == ANOLE_DONE || status == ANOLE_ERR_INPUT);
    assert_int_equal(status, error.status);
    *done += status == ANOLE_DONE;
    anole_arrays_fini(&arrays);
    free(exact);
}

static void test_load_survives_cuts_and_flips(void **state)
{
    (void)state;
    size_t bytes, done = 0;
    char *data = make_archive(&bytes);
    for (size_t length = 0; length < bytes; length++)
        try_archive(data, length, &done);
    assert_int_equal(done, 0);
    for (size_t bit = 0; bit < 8 * bytes; bit++) {
        data[bit / 8] ^= (char)(1u << bit % 8);
        try_archive(data, bytes, &done);
        data[bit / 8] ^= (char)(1u << bit % 8);
    }
    assert_true(done < 4 * bytes); /* dates and the like do not matter */
    free(data);
}

/* NumPy itself, where it is. */
static void test_numpy_agrees(void **state)
{
    (void)state;
    char command[1000];
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_arrays arrays;
    if (system("python3 -c 'import numpy' 2>/dev/null") != 0)
        skip();
    assert_int_equal(anole_npz_save(path_of("a.npz"), examples, EXAMPLES, &error), ANOLE_DONE);
    snprintf(command, sizeof command,
             "python3 -c \"\n"
             "import numpy as np\n"
             "f = '%s/a.npz'\n"
             "z = dict(np.load(f))\n"
             "assert z['x'].tolist() == [[0, 1, 2], [3, 4, 5]] and z['x'].dtype == np.float32\n"
             "assert z['scalar'].shape == () and z['/model/empty'].shape == (0,)\n"
             "np.savez_compressed(f, **{k: np.array(v, order='F') "
             "for k, v in z.items()})\n\"",
             folder);
    assert_int_equal(system(command), 0);
    if (anole_npz_load(&arrays, path_of("a.npz"), &error) != ANOLE_DONE)
        fail_msg("%s", error.text);
    check_examples(&arrays);
    anole_arrays_fini(&arrays);
    unlink(path_of("a.npz"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_takes_what_numpy_writes),
        cmocka_unit_test(test_parse_takes_later_formats),
        cmocka_unit_test(test_parse_transposes_fortran_order),
        cmocka_unit_test(test_parse_refuses_the_rest),
        cmocka_unit_test(test_save_and_load_agree),
        cmocka_unit_test(test_save_refuses_what_would_be_lost),
        cmocka_unit_test(test_load_takes_archives_of_others),
        cmocka_unit_test(test_load_refuses_bad_archives),
        cmocka_unit_test(test_load_survives_cuts_and_flips),
        cmocka_unit_test(test_numpy_agrees),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
