/* SPDX-License-Identifier: MIT */
#include "base/disk_cache.h"

#include "base/environment.h"
#include "base/log.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FORMAT 1u
#define ALIGNMENT 64u
#define MOST_KEY ((size_t)64 << 20)
#define SEED_FILE "seed"
#define SEED_WORDS 8
#define PART ".part-"             /* begins the name of a file that is being written */
#define PART_AGE 3600             /* seconds after which nobody is writing to it any more */
#define NAME 24                   /* bytes of a file's name */
#define PIECE ((size_t)128 << 10) /* bytes that are read before they are hashed */

/* In the order of bytes of this machine: others find no entry. */
struct header {
    char magic[8];
    uint32_t format;
    uint32_t key_bytes;
    uint64_t data_bytes;
    uint64_t data_hash;
    uint64_t hash; /* of what is above, and of the key */
};

static const char magic[8] = {'A', 'N', 'O', 'L', 'E', 'K', 'E', 'P'};

struct anole_disk_cache {
    int folder;
    char *path; /* for messages */
    uint64_t limit;
    uint64_t seed[SEED_WORDS];
    uint64_t bytes; /* of all entries, as far as is known */
    bool counted;   /* `bytes` is */
    bool failed;    /* to write: is not tried again */
    struct timespec opened;
    unsigned parts; /* files that were begun */
};

/* --------------------------------------------------------------------- hash */

static inline uint64_t load(const unsigned char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* Both halves of the product of two words: each bit of either has its part in it. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
    __extension__ typedef unsigned __int128 wide;
    const wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    const uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    const uint64_t middle = a1 * b0 + (a0 * b0 >> 32), other = a0 * b1 + (uint32_t)middle;
    return a * b ^ (a1 * b1 + (middle >> 32) + (other >> 32));
#endif
}

/* Four lanes, as one would wait for its own multiplications. */
struct hashing {
    const uint64_t *seed; /* [SEED_WORDS] */
    uint64_t lanes[4];
    uint64_t bytes;
};

static void hash_begin(struct hashing *h, const uint64_t seed[SEED_WORDS])
{
    *h = (struct hashing){.seed = seed, .lanes = {seed[4], seed[5], seed[6], seed[7]}};
}

static inline void hash_block(uint64_t lanes[4], const uint64_t *seed, const unsigned char *p)
{
    for (int i = 0; i < 4; i++)
        lanes[i] = fold(load(p + 16 * i) ^ seed[i], load(p + 16 * i + 8) ^ lanes[i]);
}

/* Whole blocks of 64 bytes. */
static void hash_add(struct hashing *h, const void *data, size_t bytes)
{
    const unsigned char *p = data;
    uint64_t lanes[4] = {h->lanes[0], h->lanes[1], h->lanes[2], h->lanes[3]};
    for (size_t left = bytes; left >= 64; left -= 64, p += 64)
        hash_block(lanes, h->seed, p);
    memcpy(h->lanes, lanes, sizeof lanes);
    h->bytes += bytes;
}

/* And what is left, fewer than 64. */
static uint64_t hash_end(struct hashing *h, const void *data, size_t bytes)
{
    const uint64_t *seed = h->seed;
    unsigned char rest[64] = {0};
    if (bytes)
        memcpy(rest, data, bytes);
    hash_block(h->lanes, seed, rest);
    uint64_t hash = (h->bytes + bytes) ^ seed[0];
    for (int i = 0; i < 4; i++)
        hash = fold(hash ^ h->lanes[i], seed[i] ^ seed[4 + i]);
    return fold(hash ^ seed[1], seed[6] ^ hash);
}

static uint64_t hash_bytes(const uint64_t seed[SEED_WORDS], const void *data, size_t bytes)
{
    struct hashing h;
    const size_t whole = bytes / 64 * 64;
    hash_begin(&h, seed);
    hash_add(&h, data, whole);
    return hash_end(&h, (const char *)data + whole, bytes - whole);
}

uint64_t anole_disk_cache_hash(const struct anole_disk_cache *cache, const void *data, size_t bytes)
{
    return hash_bytes(cache->seed, data, bytes);
}

/* Of a header's first members and its key. */
static uint64_t hash_header(const struct anole_disk_cache *cache, const struct header *header,
                            const void *key)
{
    const uint64_t parts[2] = {hash_bytes(cache->seed, header, offsetof(struct header, hash)),
                               hash_bytes(cache->seed, key, header->key_bytes)};
    return hash_bytes(cache->seed, parts, sizeof parts);
}

/* -------------------------------------------------------------------- where */

static enum anole_status join(char **path, const char *a, const char *b, struct anole_error *error)
{
    if (asprintf(path, "%s%s", a, b) >= 0)
        return ANOLE_DONE;
    *path = NULL;
    return anole_fail_memory(error);
}

enum anole_status anole_disk_cache_path(char **path, struct anole_error *error)
{
    const struct anole_environment *environment = anole_environment();
    const char *own =
        environment && environment->cache ? environment->cache : getenv("ANOLE_CACHE_DIR");
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    *path = NULL;
    if (own)
        return own[0] ? join(path, own, "", error) : ANOLE_DONE;
    if (base && base[0] == '/')
        return join(path, base, "/anole", error);
    return home && home[0] == '/' ? join(path, home, "/.cache/anole", error) : ANOLE_DONE;
}

enum anole_status anole_disk_cache_limit(uint64_t *bytes, struct anole_error *error)
{
    static const char units[] = "KMGT";
    const char *text = getenv("ANOLE_CACHE_LIMIT");
    char *end, safe[64];
    *bytes = ANOLE_DISK_CACHE_LIMIT;
    if (!text || !text[0])
        return ANOLE_DONE;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    const char *unit = *end ? strchr(units, *end) : NULL;
    const int shift = unit ? 10 * (int)(unit - units + 1) : 0;
    if (text[0] < '0' || text[0] > '9' || errno || end[unit != NULL] ||
        number > UINT64_MAX >> shift)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "ANOLE_CACHE_LIMIT is \"%s\"; expected bytes, such as 500M or 2G",
                          anole_text_printable(safe, sizeof safe, text));
    *bytes = (uint64_t)number << shift;
    return ANOLE_DONE;
}

/* --------------------------------------------------------------------- open */

/* The folder and what it lies in. */
static int make_folders(const char *path)
{
    char *copy = strdup(path);
    int failed = copy ? 0 : -1;
    for (char *at = copy ? strchr(copy + 1, '/') : NULL; at; at = strchr(at + 1, '/')) {
        *at = '\0';
        mkdir(copy, 0700); /* the last one tells */
        *at = '/';
    }
    free(copy);
    return failed ? failed : mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -1;
}

static enum anole_status open_folder(struct anole_disk_cache *cache, struct anole_error *error)
{
    char safe[512];
    struct stat about;
    anole_text_printable(safe, sizeof safe, cache->path);
    if (make_folders(cache->path) != 0)
        return anole_fail_errno(error, "cannot make the folder %s", safe);
    cache->folder = open(cache->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (cache->folder < 0 && (errno == ELOOP || errno == ENOTDIR))
        return anole_fail(error, ANOLE_ERR_INPUT, "%s is a symbolic link, or no folder", safe);
    if (cache->folder < 0 || fstat(cache->folder, &about) != 0)
        return anole_fail_errno(error, "cannot open the folder %s", safe);
    if (about.st_uid != geteuid())
        return anole_fail(error, ANOLE_ERR_INPUT, "%s belongs to user %ld, not to this one (%ld)",
                          safe, (long)about.st_uid, (long)geteuid());
    if (about.st_mode & (S_IWGRP | S_IWOTH))
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "others may write to %s (its mode is %03o): chmod 700 it", safe,
                          (unsigned)about.st_mode & 0777u);
    return ANOLE_DONE;
}

/* A file of ours, which nobody else can have written.  -1: there is none. */
static int open_file(const struct anole_disk_cache *cache, const char *name, struct stat *about)
{
    int file = openat(cache->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0)
        return -1;
    if (fstat(file, about) == 0 && S_ISREG(about->st_mode) && about->st_uid == geteuid() &&
        !(about->st_mode & (S_IWGRP | S_IWOTH)))
        return file;
    close(file);
    return -1;
}

static bool read_seed(struct anole_disk_cache *cache)
{
    struct stat about;
    int file = open_file(cache, SEED_FILE, &about);
    if (file < 0)
        return false;
    bool good = about.st_size == sizeof cache->seed && !(about.st_mode & 077) &&
                read(file, cache->seed, sizeof cache->seed) == (ssize_t)sizeof cache->seed;
    close(file);
    return good;
}

/* An empty file under a name of its own. */
static int begin_part(struct anole_disk_cache *cache, char name[64])
{
    snprintf(name, 64, PART "%ld-%lx-%u", (long)getpid(), (unsigned long)(uintptr_t)cache,
             cache->parts++);
    return openat(cache->folder, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* The first process makes it, of several that do at a time too. */
static enum anole_status find_seed(struct anole_disk_cache *cache, struct anole_error *error)
{
    uint64_t seed[SEED_WORDS];
    char name[64], safe[512];
    if (read_seed(cache))
        return ANOLE_DONE;
    unlinkat(cache->folder, SEED_FILE, 0); /* what is there is no seed */
    int file = getrandom(seed, sizeof seed, 0) == sizeof seed ? begin_part(cache, name) : -1;
    bool written = file >= 0 && write(file, seed, sizeof seed) == (ssize_t)sizeof seed;
    int why = errno;
    if (file >= 0 && close(file) != 0)
        written = false;
    if (written && linkat(cache->folder, name, cache->folder, SEED_FILE, 0) != 0 &&
        errno != EEXIST) {
        why = errno;
        written = false;
    }
    if (file >= 0)
        unlinkat(cache->folder, name, 0);
    if (written && read_seed(cache))
        return ANOLE_DONE;
    errno = why;
    return anole_fail_errno(error, "cannot write to the folder %s",
                            anole_text_printable(safe, sizeof safe, cache->path));
}

enum anole_status anole_disk_cache_open(struct anole_disk_cache **cache, const char *path,
                                        uint64_t limit, struct anole_error *error)
{
    struct anole_disk_cache *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    *new = (struct anole_disk_cache){.folder = -1, .limit = limit, .path = strdup(path)};
    clock_gettime(CLOCK_REALTIME_COARSE, &new->opened); /* what files are stamped with */
    for (size_t end = new->path ? strlen(new->path) : 0; end > 1 && new->path[end - 1] == '/';)
        new->path[--end] = '\0'; /* behind one, links would be followed */
    enum anole_status status = new->path ? open_folder(new, error) : anole_fail_memory(error);
    if (status == ANOLE_DONE)
        status = find_seed(new, error);
    if (status) {
        anole_disk_cache_close(new);
        return status;
    }
    *cache = new;
    return ANOLE_DONE;
}

enum anole_status anole_disk_cache_open_default(struct anole_disk_cache **cache,
                                                struct anole_error *error)
{
    struct anole_error problem = {.status = ANOLE_DONE};
    char *path = NULL;
    uint64_t limit = 0;
    *cache = NULL;
    enum anole_status status = anole_disk_cache_path(&path, &problem);
    if (status == ANOLE_DONE && path)
        status = anole_disk_cache_limit(&limit, &problem);
    if (status == ANOLE_DONE && path && limit > 0)
        status = anole_disk_cache_open(cache, path, limit, &problem);
    free(path);
    if (status == ANOLE_ERR_MEMORY)
        return anole_fail_memory(error);
    if (status != ANOLE_DONE)
        anole_log_warning("nothing is cached, so that starting takes longer: %s", problem.text);
    return ANOLE_DONE;
}

void anole_disk_cache_close(struct anole_disk_cache *cache)
{
    if (!cache)
        return;
    if (cache->folder >= 0)
        close(cache->folder);
    free(cache->path);
    free(cache);
}

/* --------------------------------------------------------------------- read */

static void name_entry(char name[NAME], const struct anole_disk_cache *cache, const void *key,
                       size_t key_bytes)
{
    snprintf(name, NAME, "%016llx", (unsigned long long)hash_bytes(cache->seed, key, key_bytes));
}

static size_t data_offset(size_t key_bytes)
{
    return (sizeof(struct header) + key_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Whether a file of so many bytes begins as the entry of a key does. */
static bool begins_entry(const struct anole_disk_cache *cache, const struct header *header,
                         const void *found, size_t bytes, const void *key, size_t key_bytes)
{
    return memcmp(header->magic, magic, sizeof magic) == 0 && header->format == FORMAT &&
           header->key_bytes == key_bytes && header->data_bytes == bytes - data_offset(key_bytes) &&
           memcmp(found, key, key_bytes) == 0 && header->hash == hash_header(cache, header, key);
}

/* Whether a whole file is the entry of a key. */
static bool is_entry(const struct anole_disk_cache *cache, const void *file, size_t bytes,
                     const void *key, size_t key_bytes)
{
    struct header header;
    const unsigned char *at = file;
    const size_t offset = data_offset(key_bytes);
    if (bytes < offset)
        return false;
    memcpy(&header, file, sizeof header);
    return begins_entry(cache, &header, at + sizeof header, bytes, key, key_bytes) &&
           header.data_hash == hash_bytes(cache->seed, at + offset, bytes - offset);
}

bool anole_disk_cache_find(struct anole_disk_entry *entry, struct anole_disk_cache *cache,
                           const void *key, size_t key_bytes)
{
    char name[NAME];
    struct stat about;
    if (!cache || key_bytes > MOST_KEY)
        return false;
    name_entry(name, cache, key, key_bytes);
    int file = open_file(cache, name, &about);
    if (file < 0)
        return false;
    const size_t bytes = (size_t)about.st_size;
    void *map = about.st_size > 0 && (uintmax_t)about.st_size <= SIZE_MAX / 2
                    ? mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0)
                    : MAP_FAILED;
    const bool good = map != MAP_FAILED && is_entry(cache, map, bytes, key, key_bytes);
    if (good) /* used last: now */
        (void)!futimens(file, NULL);
    close(file);
    if (!good) {
        if (map != MAP_FAILED)
            munmap(map, bytes);
        return false;
    }
    const size_t offset = data_offset(key_bytes);
    *entry = (struct anole_disk_entry){.data = (const char *)map + offset,
                                       .bytes = bytes - offset,
                                       .map = map,
                                       .map_bytes = bytes};
    return true;
}

void anole_disk_entry_fini(struct anole_disk_entry *entry)
{
    if (entry->map)
        munmap(entry->map, entry->map_bytes);
    *entry = (struct anole_disk_entry){.data = NULL};
}

static bool read_at(int file, void *data, size_t bytes, size_t offset)
{
    char *at = data;
    while (bytes > 0) {
        ssize_t n = pread(file, at, bytes, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        offset += (size_t)n;
        bytes -= (size_t)n;
    }
    return true;
}

static bool read_header(int file, struct header *header, const struct anole_disk_cache *cache,
                        size_t bytes, const void *key, size_t key_bytes)
{
    char *found = malloc(key_bytes + 1);
    const bool good = found && read_at(file, header, sizeof *header, 0) &&
                      read_at(file, found, key_bytes, sizeof *header) &&
                      begins_entry(cache, header, found, bytes, key, key_bytes);
    free(found);
    return good;
}

/* Reads and hashes in turn, while the bytes are in the processor's cache. */
static bool read_data(int file, const struct anole_disk_cache *cache, uint64_t hash, size_t offset,
                      char *out, size_t bytes)
{
    struct hashing h;
    size_t at = 0;
    hash_begin(&h, cache->seed);
    while (bytes - at >= 64) {
        const size_t whole = (bytes - at) / 64 * 64, count = whole < PIECE ? whole : PIECE;
        if (!read_at(file, out + at, count, offset + at))
            return false;
        hash_add(&h, out + at, count);
        at += count;
    }
    return read_at(file, out + at, bytes - at, offset + at) &&
           hash == hash_end(&h, out + at, bytes - at);
}

bool anole_disk_cache_read(struct anole_disk_cache *cache, const void *key, size_t key_bytes,
                           void *out, size_t bytes)
{
    char name[NAME];
    struct stat about;
    struct header header;
    if (!cache || key_bytes > MOST_KEY)
        return false;
    name_entry(name, cache, key, key_bytes);
    int file = open_file(cache, name, &about);
    if (file < 0)
        return false;
    const size_t offset = data_offset(key_bytes);
    const bool good = about.st_size > 0 && (uintmax_t)about.st_size == (uintmax_t)offset + bytes &&
                      read_header(file, &header, cache, offset + bytes, key, key_bytes) &&
                      read_data(file, cache, header.data_hash, offset, out, bytes);
    if (good)
        (void)!futimens(file, NULL);
    close(file);
    return good;
}

/* -------------------------------------------------------------------- limit */

struct file {
    char name[NAME];
    struct timespec used;
    uint64_t bytes;
};

static bool is_before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

static int compare_use(const void *a, const void *b)
{
    const struct file *x = a, *y = b;
    return is_before(&x->used, &y->used) ? -1 : is_before(&y->used, &x->used);
}

/* The name of an entry: 16 hexadecimal digits. */
static bool is_name(const char *name)
{
    return strlen(name) == 16 && strspn(name, "0123456789abcdef") == 16;
}

/* All entries, and their sum; removes what others have left half-written.  False: no memory. */
static bool list_files(struct anole_disk_cache *cache, struct file **files, size_t *count)
{
    int copy = openat(cache->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy < 0 ? NULL : fdopendir(copy);
    const time_t old = time(NULL) - PART_AGE;
    struct dirent *entry;
    bool good = true;
    *files = NULL;
    *count = 0;
    cache->bytes = 0;
    if (!list && copy >= 0)
        close(copy);
    while (list && good && (entry = readdir(list))) {
        struct stat about;
        const bool part = strncmp(entry->d_name, PART, strlen(PART)) == 0;
        if ((!part && !is_name(entry->d_name)) ||
            fstatat(cache->folder, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (part && about.st_mtime < old)
            unlinkat(cache->folder, entry->d_name, 0);
        if (part)
            continue;
        if (*count % 64 == 0) {
            struct file *more = realloc(*files, (*count + 64) * sizeof *more);
            good = more != NULL;
            *files = good ? more : *files;
        }
        if (!good)
            break;
        struct file *file = &(*files)[(*count)++];
        *file = (struct file){.used = about.st_mtim, .bytes = (uint64_t)about.st_size};
        memcpy(file->name, entry->d_name, 17);
        cache->bytes += file->bytes;
    }
    if (list)
        closedir(list);
    return good;
}

/* Makes room for so many bytes more.  False: what this process has used leaves none. */
static bool make_room(struct anole_disk_cache *cache, uint64_t needed)
{
    struct file *files = NULL;
    size_t count = 0;
    if (needed > cache->limit)
        return false;
    if (cache->counted && cache->bytes <= cache->limit - needed)
        return true;
    bool good = list_files(cache, &files, &count);
    cache->counted = good;
    if (good && count > 0)
        qsort(files, count, sizeof *files, compare_use);
    for (size_t i = 0; i < count && good && cache->bytes > cache->limit - needed; i++) {
        good = is_before(&files[i].used, &cache->opened);
        if (good && (unlinkat(cache->folder, files[i].name, 0) == 0 || errno == ENOENT))
            cache->bytes -= files[i].bytes;
    }
    free(files);
    return good && cache->bytes <= cache->limit - needed;
}

/* -------------------------------------------------------------------- write */

static bool write_all(int file, const void *data, size_t bytes)
{
    const char *at = data;
    while (bytes > 0) {
        ssize_t written = write(file, at, bytes < (size_t)1 << 30 ? bytes : (size_t)1 << 30);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        at += written;
        bytes -= (size_t)written;
    }
    return true;
}

static bool write_entry(const struct anole_disk_cache *cache, int file, const void *key,
                        size_t key_bytes, const void *data, size_t bytes)
{
    static const char padding[ALIGNMENT];
    struct header header = {.format = FORMAT,
                            .key_bytes = (uint32_t)key_bytes,
                            .data_bytes = bytes,
                            .data_hash = hash_bytes(cache->seed, data, bytes)};
    memcpy(header.magic, magic, sizeof magic);
    header.hash = hash_header(cache, &header, key);
    return write_all(file, &header, sizeof header) && write_all(file, key, key_bytes) &&
           write_all(file, padding, data_offset(key_bytes) - sizeof header - key_bytes) &&
           write_all(file, data, bytes);
}

static void warn_once(struct anole_disk_cache *cache, int why)
{
    char safe[512];
    if (!cache->failed)
        anole_log_warning("cannot write to the cache, so that the next start takes longer: %s: %s",
                          anole_text_printable(safe, sizeof safe, cache->path), strerror(why));
    cache->failed = true;
}

bool anole_disk_cache_store(struct anole_disk_cache *cache, const void *key, size_t key_bytes,
                            const void *data, size_t bytes)
{
    char name[NAME], part[64];
    if (!cache || cache->failed || key_bytes > MOST_KEY || bytes > SIZE_MAX / 4)
        return false;
    const uint64_t whole = data_offset(key_bytes) + bytes;
    if (!make_room(cache, whole))
        return false;
    int file = begin_part(cache, part);
    if (file < 0) {
        warn_once(cache, errno);
        return false;
    }
    bool good = write_entry(cache, file, key, key_bytes, data, bytes);
    int why = errno;
    if (close(file) != 0 && good) { /* where files are a server's, this may be where it fails */
        good = false;
        why = errno;
    }
    name_entry(name, cache, key, key_bytes);
    if (good && renameat(cache->folder, part, cache->folder, name) != 0) {
        good = false;
        why = errno;
    }
    if (good) {
        cache->bytes += whole;
        return true;
    }
    unlinkat(cache->folder, part, 0);
    warn_once(cache, why);
    return false;
}
