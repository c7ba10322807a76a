/* SPDX-License-Identifier: MIT
 *
 * Plugins that must be refused, each for one reason: compiled once for every
 * BROKEN_*, with PLUGIN_NAME the name of its file.  BROKEN_LONG alone is fine.
 */
#include <anole/plugin.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(BROKEN_NO_SYMBOL)

int anole_something_else = 1;

#elif defined(BROKEN_FOREIGN)

/* Linked to another plugin, whose symbol is found in its place. */
extern const struct anole_plugin anole_plugin;
const struct anole_plugin *anole_borrowed(void);
__attribute__((visibility("default"))) const struct anole_plugin *anole_borrowed(void)
{
    return &anole_plugin;
}

#else

static int probe(const struct anole_host *host, const char *driver, struct anole_device *devices,
                 uint32_t *count, struct anole_message *message)
{
    (void)host;
    (void)driver;
    (void)devices;
    (void)message;
    *count = 0;
    return ANOLE_OK;
}

static void nothing(void)
{
}

#define NOTHING (void *)nothing

#if defined(BROKEN_ABORT)
__attribute__((constructor)) static void start(void)
{
    signal(SIGABRT, SIG_DFL);
    abort();
}
#elif defined(BROKEN_EXIT)
__attribute__((constructor)) static void start(void)
{
    _exit(0);
}
#endif

#ifdef BROKEN_NO_NAME
#undef PLUGIN_NAME
#define PLUGIN_NAME NULL
#endif

/* What a later header of the same ABI might have added: to be accepted. */
#ifdef BROKEN_LONG
struct longer {
    struct anole_plugin known;
    void (*later[8])(void);
};
#define TYPE struct longer
#define BEGIN .known = {
#define END                                                                                        \
    }                                                                                              \
    ,
#else
#define TYPE struct anole_plugin
#define BEGIN
#define END
#endif

__attribute__((visibility("default"))) extern const TYPE anole_plugin;
const TYPE anole_plugin = {BEGIN
#ifdef BROKEN_MAGIC
                               .magic = 1,
#else
                               .magic = ANOLE_PLUGIN_MAGIC,
#endif
#if defined(BROKEN_OLD)
                           .abi = ANOLE_PLUGIN_ABI - 1,
#elif defined(BROKEN_NEW)
                           .abi = ANOLE_PLUGIN_ABI + 1,
#else
                               .abi = ANOLE_PLUGIN_ABI,
#endif
#if defined(BROKEN_SMALL)
                           .size = 64,
#elif defined(BROKEN_CLAIM) /* more than there is */
                           .size = sizeof(struct anole_plugin) + 4096,
#else
                           .size = sizeof(TYPE),
#endif
                           .name = PLUGIN_NAME,
                           .version = "1.0",
                           .generator = 1,
                           .probe = probe,
                           .supports = NOTHING,
                           .space = NOTHING,
                           .generate = NOTHING,
                           .open = NOTHING,
                           .close = NOTHING,
                           .buffer_create = NOTHING,
                           .buffer_write = NOTHING,
                           .buffer_read = NOTHING,
                           .buffer_destroy = NOTHING,
                           .build = NOTHING,
#ifndef BROKEN_OP
                           .release = NOTHING,
#endif
                           .run = NOTHING,
                           END};

#endif
