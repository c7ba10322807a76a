/* SPDX-License-Identifier: MIT */
#include "program/export.h"

#include "base/file.h"
#include "base/json.h"
#include "program/export_source.h"
#include "program/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WEIGHTS "weights.bin"
#define KERNELS "kernels"

/* What is in such a folder; the last ones are what building it adds. */
static const char *const members[] = {"manifest.json", WEIGHTS,    KERNELS,   "network.c",
                                      "network.h",     "Makefile", "network", "network.o"};

struct draft {
    const struct anole_program *program;
    char *folder;        /* the one that is written */
    size_t *kernels;     /* of each kernel: its number; ANOLE_NONE: unused */
    char **files;        /* of each kernel: its file within the folder; NULL: unused */
    size_t *starts;      /* of each buffer: where its content begins in the file of weights */
    size_t *outputs;     /* of each output: the same, where it is a constant */
    size_t weights_size; /* bytes of that file */
    size_t kernel_count;
    struct anole_error *error;
};

/* ----------------------------------------------------------------------- folders */

/* True for "." and "..". */
static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool is_member(const char *name)
{
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcmp(name, members[i]) == 0)
            return true;
    return false;
}

static bool is_kernel_file(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && strcmp(dot, ".cl") == 0;
}

/* A name in a folder that belongs() does not know, or NULL; the caller's to free.  *some: whether
 * there is anything.  A folder that cannot be read has none. */
static char *find_stranger(const char *folder, bool (*belongs)(const char *name), bool *some)
{
    char *stranger = NULL;
    DIR *dir = opendir(folder);
    *some = false;
    for (struct dirent *entry; dir && !stranger && (entry = readdir(dir));) {
        if (is_dots(entry->d_name))
            continue;
        *some = true;
        if (!belongs(entry->d_name))
            stranger = strdup(entry->d_name);
    }
    if (dir)
        closedir(dir);
    return stranger;
}

/* The files of kernels within an open folder. */
static void remove_kernels(int folder)
{
    int file = openat(folder, KERNELS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = file >= 0 ? fdopendir(file) : NULL;
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (is_kernel_file(entry->d_name))
            unlinkat(file, entry->d_name, 0);
    if (dir)
        closedir(dir);
    else if (file >= 0)
        close(file);
    unlinkat(folder, KERNELS, AT_REMOVEDIR);
}

/* Removes what an export consists of, and the folder where nothing else is in it.  Without
 * memory of ours: it cleans up where that has run out. */
static void remove_export(const char *path)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        remove_kernels(folder);
        for (size_t i = 0; i < sizeof members / sizeof *members; i++)
            unlinkat(folder, members[i], 0);
        close(folder);
    }
    rmdir(path);
}

static enum anole_status refuse_folder(const char *folder, const char *found, const char *stranger,
                                       struct anole_error *error)
{
    char shown[300], name[300];
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "'%s' %s%s%s; expected a new folder, an empty one or an earlier export",
                      anole_text_printable(shown, sizeof shown, folder), found, stranger ? " " : "",
                      stranger ? anole_text_printable(name, sizeof name, stranger) : "");
}

/* Whether a folder may be replaced.  *exists: whether there is one. */
static enum anole_status check_folder(bool *exists, const char *folder, struct anole_error *error)
{
    struct stat about;
    char *path = NULL;
    bool some, more;
    *exists = stat(folder, &about) == 0;
    if (!*exists)
        return ANOLE_DONE;
    if (!S_ISDIR(about.st_mode))
        return refuse_folder(folder, "is no folder", NULL, error);
    if (asprintf(&path, "%s/%s", folder, KERNELS) < 0)
        return anole_fail_memory(error);
    char *stranger = find_stranger(folder, is_member, &some);
    if (!stranger)
        stranger = find_stranger(path, is_kernel_file, &more);
    free(path);
    enum anole_status status = ANOLE_DONE;
    if (stranger)
        status = refuse_folder(folder, "holds", stranger, error);
    free(stranger);
    if (status || !some)
        return status;
    if (asprintf(&path, "%s/manifest.json", folder) < 0)
        return anole_fail_memory(error);
    if (access(path, F_OK) != 0)
        status = refuse_folder(folder, "has no manifest.json", NULL, error);
    free(path);
    return status;
}

/* Takes the place of the folder.  An earlier export is set aside first, and comes back where
 * that fails. */
static enum anole_status move_in(const char *from, const char *folder, bool exists,
                                 struct anole_error *error)
{
    char *aside = NULL;
    if (rename(from, folder) == 0) /* also over an empty one */
        return ANOLE_DONE;
    if (!exists || (errno != ENOTEMPTY && errno != EEXIST))
        return anole_fail_errno(error, "cannot make the folder '%s'", folder);
    if (asprintf(&aside, "%s.old", from) < 0)
        return anole_fail_memory(error);
    enum anole_status status = ANOLE_DONE;
    if (rename(folder, aside) != 0) {
        status = anole_fail_errno(error, "cannot replace the folder '%s'", folder);
    } else if (rename(from, folder) != 0) {
        status = anole_fail_errno(error, "cannot replace the folder '%s'", folder);
        if (rename(aside, folder) != 0)
            anole_error_prefix(error, "the earlier export is in %s now", aside);
    } else {
        remove_export(aside);
    }
    free(aside);
    return status;
}

/* --------------------------------------------------------------------- what to write */

/* Only kernels can be handed over. */
static enum anole_status check_steps(const struct anole_program *program, struct anole_error *error)
{
    for (size_t s = 0; s < program->step_count; s++) {
        const struct anole_step *step = &program->steps[s];
        if (step->kernel != ANOLE_NONE)
            continue;
        return anole_graph_fail(program->graph, &program->graph->nodes[step->node], error,
                                "the host computes it, as backend %s has no kernel for it%s%s, and "
                                "an export has kernels alone; cut the network before this node, or "
                                "run it by `anole run` or libanole",
                                program->backend->plugin.name,
                                step->problem ? " that builds: " : "",
                                step->problem ? step->problem : "");
    }
    return ANOLE_DONE;
}

/* Numbers and files of the kernels that steps use, in the order of the program. */
static enum anole_status name_kernels(struct draft *d)
{
    const struct anole_program *program = d->program;
    char name[ANOLE_MANIFEST_FILE];
    for (size_t k = 0; k < program->kernel_count; k++)
        d->kernels[k] = ANOLE_NONE;
    for (size_t s = 0; s < program->step_count; s++)
        d->kernels[program->steps[s].kernel] = 0;
    for (size_t k = 0; k < program->kernel_count; k++) {
        if (d->kernels[k] == ANOLE_NONE)
            continue;
        d->kernels[k] = d->kernel_count++;
        anole_manifest_file_name(name, d->kernel_count, &program->kernels[k].generated->kernel);
        if (asprintf(&d->files[k], "%s/%s", KERNELS, name) < 0) {
            d->files[k] = NULL;
            return anole_fail_memory(d->error);
        }
    }
    return ANOLE_DONE;
}

/* The file of weights: the buffers of constants, and then outputs that are constants. */
static void place_weights(struct draft *d)
{
    const struct anole_program *program = d->program;
    const struct anole_graph *graph = program->graph;
    for (size_t i = 1; i < program->buffer_count; i++) {
        d->starts[i] = d->weights_size;
        d->weights_size += program->buffer_bytes[i];
    }
    for (size_t i = 0; i < graph->output_count; i++)
        if (anole_program_constant_of(graph, graph->outputs[i]) != ANOLE_NONE) {
            d->outputs[i] = d->weights_size;
            d->weights_size += anole_program_tensor_bytes(graph, graph->outputs[i]);
        }
}

/* ---------------------------------------------------------------------------- files */

static enum anole_status write_text(const struct draft *d, const char *name, const char *text,
                                    size_t length)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", d->folder, name) < 0)
        return anole_fail_memory(d->error);
    enum anole_status status = anole_file_replace(path, text, length, d->error);
    free(path);
    return status;
}

static enum anole_status write_kernels(const struct draft *d)
{
    char *path = NULL;
    enum anole_status status = ANOLE_DONE;
    if (asprintf(&path, "%s/%s", d->folder, KERNELS) < 0)
        return anole_fail_memory(d->error);
    if (mkdir(path, 0777) != 0)
        status = anole_fail_errno(d->error, "cannot make the folder '%s'", path);
    free(path);
    for (size_t k = 0; k < d->program->kernel_count && status == ANOLE_DONE; k++)
        if (d->files[k]) {
            const struct anole_kernel *kernel = &d->program->kernels[k].generated->kernel;
            status = write_text(d, d->files[k], kernel->source, kernel->source_length);
        }
    return status;
}

static enum anole_status write_at(int file, const void *data, size_t bytes, size_t offset,
                                  struct anole_error *error)
{
    const char *from = data;
    while (bytes > 0) {
        ssize_t count = pwrite(file, from, bytes, (off_t)offset);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return anole_fail_errno(error, "cannot write the weights");
        from += count;
        offset += (size_t)count;
        bytes -= (size_t)count;
    }
    return ANOLE_DONE;
}

/* As its kernel reads it, or as it is. */
static enum anole_status write_constant(const struct draft *d, int file,
                                        const struct anole_program_constant *constant)
{
    const struct anole_place *place = &constant->place;
    void *packed = malloc(place->bytes + 1);
    if (!packed)
        return anole_fail_memory(d->error);
    enum anole_status status = anole_program_pack(d->program, constant, packed, d->error);
    if (status == ANOLE_DONE)
        status = write_at(file, packed, place->bytes, d->starts[place->buffer] + place->offset,
                          d->error);
    free(packed);
    return status;
}

/* One that does not change. */
static enum anole_status write_output(const struct draft *d, int file, size_t i)
{
    const struct anole_graph *graph = d->program->graph;
    const size_t tensor = anole_program_constant_of(graph, graph->outputs[i]);
    struct anole_constant elements;
    if (tensor == ANOLE_NONE)
        return ANOLE_DONE;
    enum anole_status status = anole_graph_open_constant(&elements, graph, tensor, d->error);
    if (status)
        return status;
    status = write_at(file, elements.data, anole_program_tensor_bytes(graph, tensor), d->outputs[i],
                      d->error);
    anole_constant_close(&elements);
    return status;
}

static enum anole_status write_weights(const struct draft *d)
{
    const struct anole_graph *graph = d->program->graph;
    char *path = NULL;
    if (asprintf(&path, "%s/%s", d->folder, WEIGHTS) < 0)
        return anole_fail_memory(d->error);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    free(path);
    if (file < 0 || ftruncate(file, (off_t)d->weights_size) != 0) {
        enum anole_status status = anole_fail_errno(d->error, "cannot make the file of weights");
        if (file >= 0)
            close(file);
        return status;
    }
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < d->program->constant_count && status == ANOLE_DONE; i++)
        status = write_constant(d, file, &d->program->constants[i]);
    for (size_t i = 0; i < graph->output_count && status == ANOLE_DONE; i++)
        status = write_output(d, file, i);
    if (status == ANOLE_DONE && fsync(file) != 0)
        status = anole_fail_errno(d->error, "cannot write the weights");
    if (close(file) != 0 && status == ANOLE_DONE)
        status = anole_fail_errno(d->error, "cannot write the weights");
    return status;
}

static enum anole_status write_source(const struct draft *d)
{
    struct anole_text source = {.data = NULL}, header = {.data = NULL}, makefile = {.data = NULL};
    const struct anole_export_layout layout = {.program = d->program,
                                               .kernels = d->kernels,
                                               .files = (const char *const *)d->files,
                                               .weights = WEIGHTS,
                                               .outputs = d->outputs};
    enum anole_status status = anole_export_source(&source, &header, &makefile, &layout, d->error);
    if (status == ANOLE_DONE)
        status = write_text(d, "network.c", source.data, source.length);
    if (status == ANOLE_DONE)
        status = write_text(d, "network.h", header.data, header.length);
    if (status == ANOLE_DONE)
        status = write_text(d, "Makefile", makefile.data, makefile.length);
    anole_text_fini(&source);
    anole_text_fini(&header);
    anole_text_fini(&makefile);
    return status;
}

static json_t *kernels_json(const struct draft *d)
{
    json_t *list = json_array();
    for (size_t k = 0; k < d->program->kernel_count && list; k++) {
        if (!d->files[k])
            continue;
        json_t *kernel =
            anole_manifest_kernel(&d->program->kernels[k].generated->kernel, d->files[k]);
        if (json_array_append_new(list, kernel) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static enum anole_status write_manifest(const struct draft *d)
{
    const struct anole_program *program = d->program;
    const struct anole_device *device = &program->device;
    json_t *root =
        json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:o}", "anole_kernels",
                  ANOLE_MANIFEST_VERSION, "network", program->graph->name, "device", device->name,
                  "driver", device->driver, "driver_version", device->driver_version, "backend",
                  program->backend->plugin.name, "weights_file", WEIGHTS, "weights_file_bytes",
                  (json_int_t)d->weights_size, "kernels", kernels_json(d));
    if (!root)
        return anole_fail_memory(d->error);
    enum anole_status status = anole_manifest_add_graph(root, program, d->kernels, d->error);
    if (status == ANOLE_DONE)
        status = anole_manifest_add_launches(root, program, d->kernels, d->starts, d->error);
    char *text = status == ANOLE_DONE ? anole_json_dump(root, JSON_INDENT(1)) : NULL;
    if (status == ANOLE_DONE && !text)
        status = anole_fail_memory(d->error);
    json_decref(root);
    if (status == ANOLE_DONE)
        status = write_text(d, "manifest.json", text, strlen(text));
    free(text);
    return status;
}

/* --------------------------------------------------------------------------- export */

static enum anole_status write_all(struct draft *d)
{
    const struct anole_program *program = d->program;
    d->kernels = calloc(program->kernel_count + 1, sizeof *d->kernels);
    d->files = calloc(program->kernel_count + 1, sizeof *d->files);
    d->starts = calloc(program->buffer_count + 1, sizeof *d->starts);
    d->outputs = calloc(program->graph->output_count + 1, sizeof *d->outputs);
    if (!d->kernels || !d->files || !d->starts || !d->outputs)
        return anole_fail_memory(d->error);
    place_weights(d);
    enum anole_status status = name_kernels(d);
    if (status == ANOLE_DONE)
        status = write_kernels(d);
    if (status == ANOLE_DONE)
        status = write_weights(d);
    if (status == ANOLE_DONE)
        status = write_source(d);
    return status ? status : write_manifest(d);
}

static void draft_fini(struct draft *d)
{
    for (size_t k = 0; d->files && k < d->program->kernel_count; k++)
        free(d->files[k]);
    free(d->files);
    free(d->kernels);
    free(d->starts);
    free(d->outputs);
    free(d->folder);
}

/* A new folder beside, of the mode that mkdir() would give it. */
static enum anole_status make_beside(struct draft *d, const char *folder)
{
    const mode_t mask = umask(0);
    umask(mask);
    if (asprintf(&d->folder, "%s.XXXXXX", folder) < 0) {
        d->folder = NULL;
        return anole_fail_memory(d->error);
    }
    if (!mkdtemp(d->folder)) {
        free(d->folder);
        d->folder = NULL;
        return anole_fail_errno(d->error, "cannot make a folder beside '%s'", folder);
    }
    return chmod(d->folder, 0777 & ~mask) == 0
               ? ANOLE_DONE
               : anole_fail_errno(d->error, "cannot make a folder beside '%s'", folder);
}

/* Without slashes at its end, and what a symbolic link leads to. */
static char *plain_path(const char *folder)
{
    char *path = realpath(folder, NULL);
    if (path)
        return path;
    path = strdup(folder);
    for (size_t length = path ? strlen(path) : 0; length > 1 && path[length - 1] == '/';)
        path[--length] = '\0';
    return path;
}

enum anole_status anole_program_export(const struct anole_program *program, const char *folder,
                                       size_t *kernels, struct anole_error *error)
{
    struct draft d = {.program = program, .error = error};
    bool exists = false;
    char *path = plain_path(folder);
    if (!path)
        return anole_fail_memory(error);
    enum anole_status status = check_steps(program, error);
    if (status == ANOLE_DONE)
        status = check_folder(&exists, path, error);
    if (status == ANOLE_DONE)
        status = make_beside(&d, path);
    if (status == ANOLE_DONE)
        status = write_all(&d);
    if (status == ANOLE_DONE)
        status = move_in(d.folder, path, exists, error);
    if (status && d.folder)
        remove_export(d.folder);
    if (status == ANOLE_DONE)
        *kernels = d.kernel_count;
    draft_fini(&d);
    free(path);
    return status;
}
