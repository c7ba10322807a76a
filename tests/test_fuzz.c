/* SPDX-License-Identifier: MIT
 *
 * The targets of tests/fuzz, without a fuzzer: on seeds, on what fuzzers have found
 * (tests/data/fuzz), on the other tests' data, and on simple variations of all.
 *
 * test_fuzz --seeds FOLDER writes the seeds, for fuzzers to begin with.
 */
#include "fuzz/fuzz.h"
#include "measure_fixture.h"

#include "base/rng.h"

#include <dirent.h>
#include <sys/stat.h>

#define MOST_BYTES ((size_t)1 << 20)
#define VARIATIONS 60 /* of each input */

typedef int target(const uint8_t *data, size_t size);

static uint8_t *read_input(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(MOST_BYTES);
    assert_non_null(file);
    assert_non_null(data);
    *size = fread(data, 1, MOST_BYTES, file);
    fclose(file);
    return data;
}

/* Changes a few bytes, or cuts the end off. */
static size_t vary(uint8_t *data, size_t size, struct anole_rng *rng)
{
    if (size == 0)
        return 0;
    if (anole_rng_below(rng, 4) == 0)
        return (size_t)anole_rng_below(rng, size);
    for (uint64_t changes = 1 + anole_rng_below(rng, 4); changes; changes--)
        data[anole_rng_below(rng, size)] = (uint8_t)anole_rng_u64(rng);
    return size;
}

static void replay_file(target *run, const char *path)
{
    struct anole_rng rng;
    size_t size;
    uint8_t *data = read_input(path, &size), *copy = malloc(size + 1);
    assert_non_null(copy);
    run(data, size);
    anole_rng_init(&rng, size);
    for (int i = 0; i < VARIATIONS; i++) {
        memcpy(copy, data, size);
        run(copy, vary(copy, size, &rng));
    }
    free(copy);
    free(data);
}

/* Every file of a folder; returns how many.  None if there is no such folder. */
static size_t replay_folder(target *run, const char *folder)
{
    char path[4096];
    struct dirent *entry;
    struct stat about;
    size_t count = 0;
    DIR *list = opendir(folder);
    while (list && (entry = readdir(list))) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (stat(path, &about) != 0 || !S_ISREG(about.st_mode))
            continue;
        replay_file(run, path);
        count++;
    }
    if (list)
        closedir(list);
    return count;
}

static size_t replay(target *run, const char *name, const char *others)
{
    char *seeds = make_folder(), folder[4096];
    const char *data = getenv("ANOLE_TEST_DATA");
    size_t count = 0;
    if (!data)
        data = "tests/data";
    assert_int_equal(fuzz_write_seeds(seeds), 0);
    snprintf(folder, sizeof folder, "%s/%s", seeds, name);
    count += replay_folder(run, folder);
    snprintf(folder, sizeof folder, "%s/fuzz/%s", data, name);
    count += replay_folder(run, folder);
    if (others) {
        snprintf(folder, sizeof folder, "%s/%s", data, others);
        count += replay_folder(run, folder);
    }
    drop_folder(seeds);
    run((const uint8_t *)"", 0);
    return count;
}

#define TEST_TARGET(name, others)                                                                  \
    static void test_##name##_takes_anything(void **state)                                         \
    {                                                                                              \
        (void)state;                                                                               \
        assert_true(replay(fuzz_##name, #name, others) > 0);                                       \
    }
TEST_TARGET(network, "networks/valid")
TEST_TARGET(lockfile, "lockfiles/valid")
TEST_TARGET(history, NULL)
TEST_TARGET(recording, NULL)
TEST_TARGET(t1, NULL)
TEST_TARGET(kernel, NULL)
TEST_TARGET(onnx, NULL)
TEST_TARGET(npy, NULL)
TEST_TARGET(expression, NULL)
TEST_TARGET(t4, "fuzz/recording")
TEST_TARGET(custom, NULL)
TEST_TARGET(words, NULL)
TEST_TARGET(answers, NULL)
TEST_TARGET(worker, NULL)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
#define X(name) cmocka_unit_test(test_##name##_takes_anything),
        FUZZ_MAP(X)
#undef X
    };
    if (argc == 3 && strcmp(argv[1], "--seeds") == 0)
        return fuzz_write_seeds(argv[2]) != 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
