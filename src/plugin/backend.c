/* SPDX-License-Identifier: MIT
 *
 * Loads one plugin, or says why not.  Nothing of a plugin is called here: what
 * is checked is data.
 */
#include "base/text.h"
#include "plugin/backend.h"
#include "plugin/inside.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYMBOL "anole_plugin"

/* The struct as of the first plugin of this ABI: what every plugin has. */
#define LEAST_SIZE (offsetof(struct anole_plugin, run) + sizeof(void (*)(void)))

/* One file on its way to being a backend. */
struct candidate {
    const char *path; /* printable, for messages */
    const char *file; /* the last part of the path as given */
    char real[PATH_MAX];
    void *handle;
    const struct anole_plugin *symbol;
    size_t symbol_size;         /* as the file's symbol table has it; 0: not known */
    struct anole_plugin plugin; /* completed */
    enum anole_refusal refusal;
    struct anole_error *error;
};

static const char *const refusals[] = {
#define X(name, text) text,
    ANOLE_REFUSAL_MAP(X)
#undef X
};

const char *anole_refusal_text(enum anole_refusal refusal)
{
    return (unsigned)refusal < ANOLE_REFUSAL_COUNT ? refusals[refusal] : "refused";
}

/* Fills in refusal and error. */
#define REFUSE(candidate, why, format, ...)                                                        \
    ((candidate)->refusal = ANOLE_REFUSAL_##why,                                                   \
     anole_fail((candidate)->error, ANOLE_ERR_PLUGIN, "%s: " format, (candidate)->path,            \
                ##__VA_ARGS__))

static enum anole_status open_file(struct candidate *candidate, const char *path)
{
    struct stat about;
    if (!realpath(path, candidate->real) || stat(candidate->real, &about) != 0)
        return REFUSE(candidate, NOT_LOADABLE, "cannot be loaded: %s", strerror(errno));
    if (!S_ISREG(about.st_mode))
        return REFUSE(candidate, NOT_LOADABLE,
                      "cannot be loaded: expected a shared object, found something that is no "
                      "regular file");
    const char *slash = strrchr(path, '/');
    candidate->file = slash ? slash + 1 : path;
    candidate->handle = dlopen(candidate->real, RTLD_NOW | RTLD_LOCAL);
    if (!candidate->handle) {
        char reason[512];
        const char *text = dlerror();
        anole_text_printable(reason, sizeof reason, text ? text : "no reason given");
        return REFUSE(candidate, NOT_LOADABLE,
                      "cannot be loaded: %s; a plugin is a shared object of this machine's "
                      "architecture, and every library that it links to must be installed",
                      reason);
    }
    return ANOLE_DONE;
}

static enum anole_status find_symbol(struct candidate *candidate)
{
    candidate->symbol = dlsym(candidate->handle, SYMBOL);
    if (!candidate->symbol)
        return REFUSE(candidate, NO_SYMBOL,
                      "has no symbol " SYMBOL ": it is no plugin, or was built without "
                      "ANOLE_PLUGIN(...) of anole/plugin.h");
    Dl_info info;
    ElfW(Sym) *entry = NULL;
    struct stat ours, theirs;
    if (!dladdr1(candidate->symbol, &info, (void **)&entry, RTLD_DL_SYMENT) || !info.dli_fname ||
        stat(candidate->real, &ours) != 0 || stat(info.dli_fname, &theirs) != 0 ||
        ours.st_dev != theirs.st_dev || ours.st_ino != theirs.st_ino) {
        char found[256];
        anole_text_printable(found, sizeof found,
                             info.dli_fname ? info.dli_fname : "an unknown file");
        return REFUSE(candidate, FOREIGN_SYMBOL,
                      "the symbol " SYMBOL " must come from this file, but comes from %s, which "
                      "it links to; define it here with ANOLE_PLUGIN(...)",
                      found);
    }
    candidate->symbol_size = entry ? entry->st_size : 0;
    return ANOLE_DONE;
}

/* The fields up to `size` never move: they are read before anything is trusted. */
static enum anole_status check_head(struct candidate *candidate)
{
    const struct anole_plugin *symbol = candidate->symbol;
    size_t known = candidate->symbol_size;
    size_t head = offsetof(struct anole_plugin, size) + sizeof symbol->size;
    if ((known > 0 && known < head) || symbol->magic != ANOLE_PLUGIN_MAGIC) {
        uint64_t magic = known > 0 && known < sizeof magic ? 0 : symbol->magic;
        return REFUSE(candidate, BAD_MAGIC,
                      "has the wrong magic number: expected %016llx, found %016llx; "
                      "define " SYMBOL " with ANOLE_PLUGIN(...)",
                      (unsigned long long)ANOLE_PLUGIN_MAGIC, (unsigned long long)magic);
    }
    if (symbol->abi < ANOLE_PLUGIN_ABI)
        return REFUSE(candidate, ABI_TOO_OLD,
                      "is made for plugin ABI %u, expected %u: rebuild it with the plugin.h of "
                      "this anole",
                      symbol->abi, ANOLE_PLUGIN_ABI);
    if (symbol->abi > ANOLE_PLUGIN_ABI)
        return REFUSE(candidate, ABI_TOO_NEW,
                      "is made for plugin ABI %u, expected %u: it needs a newer anole, or a "
                      "rebuild with the plugin.h of this one",
                      symbol->abi, ANOLE_PLUGIN_ABI);
    if (symbol->size < LEAST_SIZE)
        return REFUSE(candidate, TOO_SMALL,
                      "its struct anole_plugin is too small: expected at least %zu bytes, found "
                      "%u; define it with ANOLE_PLUGIN(...)",
                      (size_t)LEAST_SIZE, symbol->size);
    if (known > 0 && known < symbol->size)
        return REFUSE(candidate, TOO_SMALL,
                      "its struct anole_plugin is smaller than it says: expected %u bytes, found "
                      "%zu; define it with ANOLE_PLUGIN(...)",
                      symbol->size, known);
    return ANOLE_DONE;
}

bool anole_backend_is_name(const char *name)
{
    size_t length = strnlen(name, ANOLE_BACKEND_NAME + 1);
    return length > 0 && length <= ANOLE_BACKEND_NAME &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length;
}

static enum anole_status check_name(struct candidate *candidate)
{
    const struct anole_plugin *plugin = &candidate->plugin;
    char name[ANOLE_BACKEND_NAME * 4 + 8], file[256];
    anole_text_printable(name, sizeof name, plugin->name ? plugin->name : "(none)");
    anole_text_printable(file, sizeof file, candidate->file);
    if (!plugin->name || !anole_backend_is_name(plugin->name))
        return REFUSE(candidate, BAD_NAME,
                      "its name is \"%s\": expected 1 to %d of a-z, 0-9, _ and -", name,
                      ANOLE_BACKEND_NAME);
    size_t length = strlen(plugin->name);
    if (strncmp(candidate->file, plugin->name, length) != 0 ||
        strcmp(candidate->file + length, ".so") != 0)
        return REFUSE(candidate, BAD_NAME,
                      "its name is \"%s\", so the file should be called %s.so, not %s; rename one",
                      name, name, file);
    if (!plugin->version)
        return REFUSE(candidate, BAD_NAME,
                      "it has a name but no version: ANOLE_PLUGIN(\"%s\", "
                      "\"1.0\", 1, ...)",
                      name);
    return ANOLE_DONE;
}

static enum anole_status check_ops(struct candidate *candidate)
{
    const struct anole_plugin *plugin = &candidate->plugin;
    const struct {
        const char *name;
        bool there;
    } required[] = {
#define X(op) {#op, plugin->op != NULL}
        X(probe), X(supports),      X(space),        X(generate),    X(open),
        X(close), X(buffer_create), X(buffer_write), X(buffer_read), X(buffer_destroy),
        X(build), X(release),       X(run),
#undef X
    };
    for (size_t i = 0; i < sizeof required / sizeof *required; i++)
        if (!required[i].there)
            return REFUSE(candidate, MISSING_OP,
                          "the required op \"%s\" is missing; plugin.h marks those that may be "
                          "left out as (optional)",
                          required[i].name);
    return ANOLE_DONE;
}

static enum anole_status check(struct candidate *candidate, const char *path)
{
    enum anole_status status = open_file(candidate, path);
    if (status == ANOLE_DONE)
        status = find_symbol(candidate);
    if (status == ANOLE_DONE)
        status = check_head(candidate);
    if (status != ANOLE_DONE)
        return status;
    size_t size = candidate->symbol->size;
    if (size > sizeof candidate->plugin)
        size = sizeof candidate->plugin;
    memcpy(&candidate->plugin, candidate->symbol, size);
    status = check_name(candidate);
    if (status == ANOLE_DONE)
        status = check_ops(candidate);
    return status;
}

struct mapping {
    uintptr_t symbol, start, end;
};

/* Where the file lies that the symbol is of. */
static int find_mapping(struct dl_phdr_info *info, size_t size, void *context)
{
    struct mapping *mapping = context;
    uintptr_t start = UINTPTR_MAX, end = 0;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t at = info->dlpi_addr + part->p_vaddr;
        if (part->p_type != PT_LOAD)
            continue;
        start = at < start ? at : start;
        end = at + part->p_memsz > end ? at + part->p_memsz : end;
    }
    if (mapping->symbol < start || mapping->symbol >= end)
        return 0;
    mapping->start = start;
    mapping->end = end;
    return 1;
}

enum anole_status anole_backend_load(struct anole_backend **backend, enum anole_refusal *refusal,
                                     const char *path, struct anole_error *error)
{
    char printable[ANOLE_ERROR_TEXT / 2];
    struct candidate candidate = {.path = anole_text_printable(printable, sizeof printable, path),
                                  .error = error};
    *refusal = ANOLE_REFUSAL_NONE;
    enum anole_status status = check(&candidate, path);
    if (status != ANOLE_DONE) {
        /* The handle stays open: what a refused file brought in may not survive
         * being unloaded any better than a driver does. */
        *refusal = candidate.refusal;
        return status;
    }
    struct anole_backend *new = calloc(1, sizeof *new);
    char *copy = strdup(candidate.real);
    if (!new || !copy) {
        free(new);
        free(copy);
        return anole_fail_memory(error);
    }
    struct mapping mapping = {.symbol = (uintptr_t)candidate.symbol};
    if (dl_iterate_phdr(find_mapping, &mapping))
        anole_inside_map(candidate.plugin.name, mapping.start, mapping.end);
    new->path = copy;
    strcpy(new->label, candidate.plugin.name);
    new->handle = candidate.handle;
    new->plugin = candidate.plugin;
    new->plugin.name = new->label; /* which outlives its file */
    *backend = new;
    return ANOLE_DONE;
}

void anole_backend_ask_here(struct anole_backend *backend)
{
    if (backend->elsewhere)
        backend->elsewhere->destroy(backend->elsewhere);
    backend->elsewhere = NULL;
}

void anole_backend_destroy(struct anole_backend *backend)
{
    if (!backend)
        return;
    anole_backend_ask_here(backend);
    /* The handle stays open: see struct anole_backend. */
    free(backend->path);
    free(backend);
}
