/* SPDX-License-Identifier: MIT
 *
 * The cache on disk: what is stored is found, what is damaged is not, and the folder is this
 * user's and no larger than allowed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/disk_cache.h"
#include "base/environment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT (UINT64_C(1) << 20)

static char folder[100];
static char path[200]; /* of the cache */

static char said[1024]; /* the last warning */

static void hear(void *context, enum anole_level level, const char *text)
{
    (void)context;
    if (level <= ANOLE_LEVEL_WARNING)
        snprintf(said, sizeof said, "%s", text);
}

static int make_folder(void **state)
{
    (void)state;
    static const struct anole_environment listening = {.level = ANOLE_LEVEL_WARNING, .write = hear};
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.80s/anole-cache-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    snprintf(path, sizeof path, "%s/a/b", mkdtemp(folder) ? folder : "");
    said[0] = '\0';
    anole_environment_enter(&listening);
    return folder[0] == '/' && access(folder, W_OK) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[260];
    snprintf(command, sizeof command, "chmod -R u+w '%s'; rm -rf '%s'", folder, folder);
    anole_environment_enter(NULL);
    return system(command);
}

static struct anole_disk_cache *open_cache(uint64_t limit)
{
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_disk_cache *cache = NULL;
    if (anole_disk_cache_open(&cache, path, limit, &error) != ANOLE_DONE)
        fail_msg("%s", error.text);
    return cache;
}

static void expect_refusal(enum anole_status status, const char *words)
{
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_disk_cache *cache = NULL;
    assert_int_equal(anole_disk_cache_open(&cache, path, LIMIT, &error), status);
    if (!strstr(error.text, words))
        fail_msg("expected '%s' in: %s", words, error.text);
}

/* The data of an entry: bytes that depend on the key. */
static void fill(char *data, size_t bytes, const char *key)
{
    for (size_t i = 0; i < bytes; i++)
        data[i] = (char)(i * 7 + (size_t)key[i % strlen(key)]);
}

static bool store(struct anole_disk_cache *cache, const char *key, size_t bytes)
{
    char *data = malloc(bytes + 1);
    assert_non_null(data);
    fill(data, bytes, key);
    bool stored = anole_disk_cache_store(cache, key, strlen(key), data, bytes);
    free(data);
    return stored;
}

/* True if it is there, and then as it was stored, both for who maps it and for who reads it. */
static bool holds(struct anole_disk_cache *cache, const char *key, size_t bytes)
{
    struct anole_disk_entry entry = {.data = NULL};
    char *data = malloc(bytes + 1), *copy = malloc(bytes + 2);
    assert_non_null(data);
    assert_non_null(copy);
    fill(data, bytes, key);
    bool found = anole_disk_cache_find(&entry, cache, key, strlen(key));
    if (found) {
        assert_int_equal(entry.bytes, bytes);
        assert_memory_equal(entry.data, data, bytes);
        assert_int_equal((uintptr_t)entry.data % 64, 0);
    }
    anole_disk_entry_fini(&entry);
    copy[bytes] = 'x';
    assert_int_equal(anole_disk_cache_read(cache, key, strlen(key), copy, bytes), found);
    if (found)
        assert_memory_equal(copy, data, bytes);
    assert_int_equal(copy[bytes], 'x');
    assert_false(anole_disk_cache_read(cache, key, strlen(key), copy, bytes + 1));
    if (bytes > 0)
        assert_false(anole_disk_cache_read(cache, key, strlen(key), copy, bytes - 1));
    free(copy);
    free(data);
    return found;
}

/* The only entry, or all of them with their bytes in sum. */
static uint64_t look(char name[480], size_t *count)
{
    DIR *list = opendir(path);
    struct dirent *entry;
    struct stat about;
    uint64_t bytes = 0;
    char file[480];
    *count = 0;
    assert_non_null(list);
    while ((entry = readdir(list))) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "seed") == 0)
            continue;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        assert_int_equal(stat(file, &about), 0);
        assert_int_equal(about.st_mode & 0777, 0600);
        memcpy(name, file, sizeof file);
        bytes += (uint64_t)about.st_size;
        ++*count;
    }
    closedir(list);
    return bytes;
}

static void wait_a_moment(void)
{
    usleep(20000); /* files are stamped by a clock that ticks every few milliseconds */
}

static void test_find_returns_what_was_stored(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 63, 64, 65, 4096, 131072, 131073, 400001};
    struct anole_disk_cache *cache = open_cache(4 * LIMIT), *other;
    struct stat about;
    char key[32];
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0700);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        snprintf(key, sizeof key, "key of %zu", sizes[i]);
        assert_false(holds(cache, key, sizes[i]));
        assert_true(store(cache, key, sizes[i]));
        assert_true(store(cache, key, sizes[i])); /* replaced */
    }
    other = open_cache(4 * LIMIT);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        snprintf(key, sizeof key, "key of %zu", sizes[i]);
        assert_true(holds(cache, key, sizes[i]));
        assert_true(holds(other, key, sizes[i]));
    }
    assert_int_equal(anole_disk_cache_hash(cache, "abc", 3),
                     anole_disk_cache_hash(other, "abc", 3));
    assert_int_not_equal(anole_disk_cache_hash(cache, "abc", 3),
                         anole_disk_cache_hash(cache, "abd", 3));
    assert_int_not_equal(anole_disk_cache_hash(cache, "abc", 3),
                         anole_disk_cache_hash(cache, "abc\0", 4));
    anole_disk_cache_close(other);
    anole_disk_cache_close(cache);
    assert_false(holds(NULL, "key", 1));
    assert_false(store(NULL, "key", 1));
    assert_string_equal(said, "");
}

/* Every byte counts: header, key, padding or data. */
static void test_find_passes_over_damaged_entries(void **state)
{
    (void)state;
    enum { BYTES = 200 };
    struct anole_disk_cache *cache = open_cache(LIMIT);
    char name[480];
    size_t count;
    assert_true(store(cache, "a key", BYTES));
    const size_t all = (size_t)look(name, &count);
    assert_int_equal(count, 1);
    for (size_t at = 0; at < all; at++) {
        const bool padding = at >= 45 && at < 64; /* behind header and key: means nothing */
        unsigned char byte;
        int file = open(name, O_RDWR);
        assert_int_equal(pread(file, &byte, 1, (off_t)at), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(file, &byte, 1, (off_t)at), 1);
        close(file);
        if (holds(cache, "a key", BYTES) && !padding)
            fail_msg("byte %zu is damaged, but the entry was taken", at);
        assert_true(store(cache, "a key", BYTES));
    }
    for (size_t length = 0; length < all; length += 13) {
        assert_int_equal(truncate(name, (off_t)length), 0);
        assert_false(holds(cache, "a key", BYTES));
        assert_true(store(cache, "a key", BYTES));
    }
    assert_int_equal(truncate(name, (off_t)all + 1), 0);
    assert_false(holds(cache, "a key", BYTES));
    assert_true(store(cache, "a key", BYTES));
    assert_true(holds(cache, "a key", BYTES));
    assert_int_equal(look(name, &count), all);
    anole_disk_cache_close(cache);
}

/* What another user, or another cache, has made. */
static void test_find_passes_over_foreign_entries(void **state)
{
    (void)state;
    struct anole_disk_cache *cache = open_cache(LIMIT);
    char name[480], seed[240];
    size_t count;
    assert_true(store(cache, "a key", 10));
    look(name, &count);
    chmod(name, 0666);
    assert_false(holds(cache, "a key", 10));
    chmod(name, 0600);
    assert_true(holds(cache, "a key", 10));
    char moved[490];
    snprintf(moved, sizeof moved, "%s-", name);
    assert_int_equal(rename(name, moved), 0);
    assert_int_equal(symlink(moved, name), 0);
    assert_false(holds(cache, "a key", 10));
    assert_int_equal(rename(moved, name), 0);
    anole_disk_cache_close(cache);
    /* With another secret nothing has the hash that it should have. */
    snprintf(seed, sizeof seed, "%s/seed", path);
    assert_int_equal(truncate(seed, 7), 0);
    cache = open_cache(LIMIT);
    assert_false(holds(cache, "a key", 10));
    assert_true(store(cache, "a key", 10));
    assert_true(holds(cache, "a key", 10));
    anole_disk_cache_close(cache);
}

static void test_open_refuses_what_is_not_to_be_trusted(void **state)
{
    (void)state;
    char parent[120], other[120];
    anole_disk_cache_close(open_cache(LIMIT));
    chmod(path, 0777);
    expect_refusal(ANOLE_ERR_INPUT, "others may write");
    chmod(path, 0720);
    expect_refusal(ANOLE_ERR_INPUT, "others may write");
    chmod(path, 0700);
    snprintf(parent, sizeof parent, "%s/a", folder);
    snprintf(other, sizeof other, "%s/a/c", folder);
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(symlink(other, path), 0);
    expect_refusal(ANOLE_ERR_INPUT, "symbolic link");
    strcat(path, "/");
    expect_refusal(ANOLE_ERR_INPUT, "symbolic link");
    path[strlen(path) - 1] = '\0';
    unlink(path);
    fclose(fopen(path, "w"));
    expect_refusal(ANOLE_ERR_INPUT, "no folder");
    strcat(path, "/below");
    expect_refusal(ANOLE_ERR_SYSTEM, "cannot make the folder");
    snprintf(path, sizeof path, "/proc/anole");
    expect_refusal(ANOLE_ERR_SYSTEM, "cannot make the folder");
    if (geteuid() == 0 && chown(other, 1, (gid_t)-1) == 0) {
        snprintf(path, sizeof path, "%s", other);
        expect_refusal(ANOLE_ERR_INPUT, "belongs to user 1");
    }
}

static void test_store_keeps_to_the_limit(void **state)
{
    (void)state;
    enum { BYTES = 10000 };
    struct anole_disk_cache *cache;
    char key[16], name[480];
    size_t count, at;
    /* Each by a process of its own, as it were. */
    for (int i = 0; i < 8; i++) {
        cache = open_cache(5 * 11000);
        snprintf(key, sizeof key, "key %d", i);
        if (i > 0)
            assert_true(holds(cache, "key 0", BYTES)); /* in use all the time */
        assert_true(store(cache, key, BYTES));
        assert_true(look(name, &count) <= 5 * 11000);
        anole_disk_cache_close(cache);
        wait_a_moment();
    }
    cache = open_cache(5 * 11000);
    for (int i = 0, kept = 0; i < 8; i++) {
        snprintf(key, sizeof key, "key %d", i);
        kept = holds(cache, key, BYTES);
        assert_int_equal(kept, i == 0 || i >= 4);
    }
    /* What this one has used stays. */
    assert_false(store(cache, "another", BYTES));
    assert_false(store(cache, "too large", 60000));
    look(name, &at);
    assert_int_equal(at, 5);
    anole_disk_cache_close(cache);
    assert_string_equal(said, "");
}

/* A process that was killed while it wrote. */
static void test_store_removes_what_was_left(void **state)
{
    (void)state;
    struct anole_disk_cache *cache = open_cache(LIMIT);
    char old[240], new[240];
    const struct timespec then[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
    snprintf(old, sizeof old, "%s/.part-1-2-3", path);
    snprintf(new, sizeof new, "%s/.part-4-5-6", path);
    fclose(fopen(old, "w"));
    fclose(fopen(new, "w"));
    assert_int_equal(utimensat(AT_FDCWD, old, then, 0), 0);
    assert_true(store(cache, "a key", 10));
    assert_int_equal(access(old, F_OK), -1);
    assert_int_equal(access(new, F_OK), 0);
    anole_disk_cache_close(cache);
}

static void test_store_only_warns_of_a_full_disk(void **state)
{
    (void)state;
    struct anole_disk_cache *cache = open_cache(LIMIT);
    struct rlimit before, little;
    char name[480];
    size_t count;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    little = before;
    little.rlim_cur = 1000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    bool stored = store(cache, "large", 5000);
    bool again = store(cache, "small", 10);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_false(stored);
    assert_false(again); /* it is not tried again */
    assert_non_null(strstr(said, "cannot write to the cache"));
    look(name, &count);
    assert_int_equal(count, 0);
    anole_disk_cache_close(cache);
}

/* Several write the same entries, and others, while several read them. */
static void test_store_and_find_work_in_several_processes(void **state)
{
    (void)state;
    enum { PROCESSES = 4, ROUNDS = 60, KEYS = 6 };
    pid_t children[PROCESSES];
    char key[16];
    for (int p = 0; p < PROCESSES; p++) {
        children[p] = fork();
        assert_true(children[p] >= 0);
        if (children[p] > 0)
            continue;
        struct anole_disk_cache *cache = NULL;
        struct anole_error error = {.status = ANOLE_DONE};
        bool good = anole_disk_cache_open(&cache, path, LIMIT, &error) == ANOLE_DONE;
        for (int i = 0; i < ROUNDS && good; i++) {
            snprintf(key, sizeof key, "key %d", (i + p) % KEYS);
            holds(cache, key, 3000); /* or not; never another's */
            good = store(cache, key, 3000) && holds(cache, key, 3000);
        }
        anole_disk_cache_close(cache);
        _exit(good ? 0 : 1);
    }
    for (int p = 0; p < PROCESSES; p++) {
        int status;
        assert_int_equal(waitpid(children[p], &status, 0), children[p]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    struct anole_disk_cache *cache = open_cache(LIMIT);
    for (int i = 0; i < KEYS; i++) {
        snprintf(key, sizeof key, "key %d", i);
        assert_true(holds(cache, key, 3000));
    }
    anole_disk_cache_close(cache);
}

static void expect_path(const char *expected)
{
    struct anole_error error = {.status = ANOLE_DONE};
    char *found = NULL;
    assert_int_equal(anole_disk_cache_path(&found, &error), ANOLE_DONE);
    if (expected)
        assert_string_equal(found, expected);
    else
        assert_null(found);
    free(found);
}

static void expect_limit(const char *text, uint64_t expected)
{
    struct anole_error error = {.status = ANOLE_DONE};
    uint64_t found = 1;
    setenv("ANOLE_CACHE_LIMIT", text, 1);
    assert_int_equal(anole_disk_cache_limit(&found, &error),
                     expected == 1 ? ANOLE_ERR_INPUT : ANOLE_DONE);
    if (expected != 1)
        assert_int_equal(found, expected);
}

static void test_path_and_limit_are_the_users(void **state)
{
    (void)state;
    setenv("ANOLE_CACHE_DIR", "/x/y", 1);
    setenv("XDG_CACHE_HOME", "/xdg", 1);
    setenv("HOME", "/home/me", 1);
    expect_path("/x/y");
    setenv("ANOLE_CACHE_DIR", "", 1);
    expect_path(NULL);
    unsetenv("ANOLE_CACHE_DIR");
    expect_path("/xdg/anole");
    setenv("XDG_CACHE_HOME", "relative", 1);
    expect_path("/home/me/.cache/anole");
    unsetenv("HOME");
    expect_path(NULL);
    expect_limit("", ANOLE_DISK_CACHE_LIMIT);
    expect_limit("0", 0);
    expect_limit("4096", 4096);
    expect_limit("500M", UINT64_C(500) << 20);
    expect_limit("2G", UINT64_C(2) << 30);
    expect_limit("much", 1);
    expect_limit("-1", 1);
    expect_limit("2GB", 1);
    expect_limit("99999999T", 1);
    /* It cannot be had: that is said, and no failure. */
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_disk_cache *cache = NULL;
    setenv("ANOLE_CACHE_DIR", "/proc/anole", 1);
    setenv("ANOLE_CACHE_LIMIT", "2G", 1);
    assert_int_equal(anole_disk_cache_open_default(&cache, &error), ANOLE_DONE);
    assert_null(cache);
    assert_non_null(strstr(said, "nothing is cached"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_find_returns_what_was_stored),
        TEST(test_find_passes_over_damaged_entries),
        TEST(test_find_passes_over_foreign_entries),
        TEST(test_open_refuses_what_is_not_to_be_trusted),
        TEST(test_store_keeps_to_the_limit),
        TEST(test_store_removes_what_was_left),
        TEST(test_store_only_warns_of_a_full_disk),
        TEST(test_store_and_find_work_in_several_processes),
        TEST(test_path_and_limit_are_the_users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
