/* SPDX-License-Identifier: MIT */
#include "allocator.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM ((size_t)1 << 20) /* a power of two; at most half is used */
#define GONE ((void *)1)       /* a place whose pointer was freed */

/* The wrapped functions: the linker sends calls of f to __wrap_f, and those of
 * __real_f to f. */
#define WRAPPED(type, name, ...)                                                                   \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__);
WRAPPED(void *, malloc, size_t bytes)
WRAPPED(void *, calloc, size_t count, size_t bytes)
WRAPPED(void *, realloc, void *old, size_t bytes)
WRAPPED(void *, reallocarray, void *old, size_t count, size_t bytes)
WRAPPED(void, free, void *memory)
WRAPPED(char *, strdup, const char *text)
WRAPPED(char *, strndup, const char *text, size_t length)
int __wrap_asprintf(char **out, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap___asprintf_chk(char **out, int flag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *held[ROOM]; /* a hash set, open addressing */
static size_t held_count;
static uint64_t countdown; /* 0: not armed */
static bool persistent, failed;

static size_t place_of(const void *memory)
{
    return (size_t)((uintptr_t)memory >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 44;
}

static void *note(void *memory)
{
    if (!memory)
        return NULL;
    pthread_mutex_lock(&lock);
    size_t i = place_of(memory);
    while (held[i] && held[i] != GONE)
        i = (i + 1) & (ROOM - 1);
    held[i] = memory;
    held_count++;
    if (held_count > ROOM / 2)
        abort();
    pthread_mutex_unlock(&lock);
    return memory;
}

/* What was allocated elsewhere is not known here, and may be freed. */
static void forget(const void *memory)
{
    pthread_mutex_lock(&lock);
    for (size_t i = place_of(memory); memory && held[i]; i = (i + 1) & (ROOM - 1)) {
        if (held[i] == memory) {
            held[i] = GONE;
            held_count--;
            break;
        }
    }
    pthread_mutex_unlock(&lock);
}

static bool refuse(void)
{
    pthread_mutex_lock(&lock);
    bool now = countdown == 1;
    if (countdown > 1 || (now && !persistent))
        countdown--;
    failed |= now;
    pthread_mutex_unlock(&lock);
    if (now)
        errno = ENOMEM;
    return now;
}

void *__wrap_malloc(size_t bytes)
{
    return refuse() ? NULL : note(__real_malloc(bytes));
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return refuse() ? NULL : note(__real_calloc(count, bytes));
}

void *__wrap_realloc(void *old, size_t bytes)
{
    if (refuse())
        return NULL;
    forget(old);
    void *memory = __real_realloc(old, bytes);
    return note(memory ? memory : old) == old && !memory ? NULL : memory;
}

void *__wrap_reallocarray(void *old, size_t count, size_t bytes)
{
    size_t product;
    if (__builtin_mul_overflow(count, bytes, &product))
        return __real_reallocarray(old, count, bytes);
    return __wrap_realloc(old, product);
}

void __wrap_free(void *memory)
{
    forget(memory);
    __real_free(memory);
}

char *__wrap_strdup(const char *text)
{
    return refuse() ? NULL : note(__real_strdup(text));
}

char *__wrap_strndup(const char *text, size_t length)
{
    return refuse() ? NULL : note(__real_strndup(text, length));
}

static int print(char **out, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
static int print(char **out, const char *format, va_list args)
{
    if (refuse())
        return -1;
    int length = vasprintf(out, format, args);
    if (length >= 0)
        note(*out);
    return length;
}

int __wrap_asprintf(char **out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = print(out, format, args);
    va_end(args);
    return length;
}

int __wrap___asprintf_chk(char **out, int flag, const char *format, ...)
{
    va_list args;
    (void)flag;
    va_start(args, format);
    int length = print(out, format, args);
    va_end(args);
    return length;
}

void allocator_arm(uint64_t n, bool from)
{
    pthread_mutex_lock(&lock);
    countdown = n;
    persistent = from;
    failed = false;
    pthread_mutex_unlock(&lock);
}

bool allocator_disarm(void)
{
    pthread_mutex_lock(&lock);
    bool had = failed;
    countdown = 0;
    pthread_mutex_unlock(&lock);
    return had;
}

size_t allocator_held(void)
{
    return held_count;
}
