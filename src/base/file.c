/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_LIMIT ((size_t)64 << 20)

void anole_file_hold_standard(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
            int opened = open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
            if (opened >= 0 && opened != fd) /* fd is the lowest that is free */
                close(opened);
        }
}

/* ------------------------------------------------------------------- reading */

static const char *mode_text(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "a folder";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    case S_IFCHR:
    case S_IFBLK:
        return "a device";
    default:
        return "of an unknown kind";
    }
}

static enum anole_status fail_large(const char *file, size_t limit, struct anole_error *error)
{
    char most[32];
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "%s: the file is too large; expected at most %s: is it the right file?", file,
                      anole_text_bytes(most, sizeof most, limit));
}

/* Opens without waiting for the other end of a FIFO. */
static enum anole_status open_regular(int *fd, const char *path, const char *file,
                                      struct anole_error *error)
{
    struct stat info;
    int opened = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (opened < 0 && errno == ENOENT)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: there is no such file; expected a file that can be read: check the "
                          "name",
                          file);
    if (opened < 0)
        return anole_fail_errno(error, "%s: the file cannot be opened for reading", file);
    if (fstat(opened, &info) != 0) {
        anole_fail_errno(error, "%s: the file cannot be examined", file);
        close(opened);
        return ANOLE_ERR_SYSTEM;
    }
    if (!S_ISREG(info.st_mode)) {
        close(opened);
        return anole_fail(error, ANOLE_ERR_INPUT, "%s: this is %s; expected a regular file", file,
                          mode_text(info.st_mode));
    }
    *fd = opened;
    return ANOLE_DONE;
}

/* Reads to the end: a file's size may change, and is 0 under /proc. */
static enum anole_status read_all(struct anole_text *content, int fd, const char *file,
                                  size_t limit, struct anole_error *error)
{
    char block[16384];
    for (;;) {
        ssize_t n = read(fd, block, sizeof block);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return anole_fail_errno(error, "%s: the file cannot be read", file);
        if (n == 0)
            return ANOLE_DONE;
        if ((size_t)n > limit - content->length)
            return fail_large(file, limit, error);
        anole_text_append(content, block, (size_t)n);
        if (content->failed)
            return anole_fail_memory(error);
    }
}

enum anole_status anole_file_read(char **text, size_t *length, const char *path, size_t limit,
                                  struct anole_error *error)
{
    char file[256];
    int fd = -1;
    struct anole_text content = {0};
    anole_text_printable(file, sizeof file, path);
    if (limit == 0)
        limit = DEFAULT_LIMIT;
    enum anole_status status = open_regular(&fd, path, file, error);
    if (status)
        return status;
    status = read_all(&content, fd, file, limit, error);
    close(fd);
    if (!status)
        anole_text_append(&content, "", 0); /* an empty file is a text, too */
    if (!status && content.failed)
        status = anole_fail_memory(error);
    if (status) {
        anole_text_fini(&content);
        return status;
    }
    *text = content.data;
    *length = content.length;
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------ replacing */

/* The path to write to, behind symbolic links, and the mode of what is there
 * (0: nothing).  *target is the caller's to free. */
static enum anole_status find_target(char **target, mode_t *mode, const char *path,
                                     const char *file, struct anole_error *error)
{
    struct stat info;
    if (stat(path, &info) == 0) {
        if (!S_ISREG(info.st_mode))
            return anole_fail(error, ANOLE_ERR_INPUT,
                              "%s: this is %s; expected the name of a file to write: name another",
                              file, mode_text(info.st_mode));
        char *real = realpath(path, NULL);
        if (!real)
            return anole_fail_errno(error, "%s: the file's own name cannot be found", file);
        *target = real;
        *mode = info.st_mode & 07777;
        return ANOLE_DONE;
    }
    if (errno != ENOENT)
        return anole_fail_errno(error, "%s: the file cannot be written", file);
    char *copy = strdup(path);
    if (!copy)
        return anole_fail_memory(error);
    *target = copy;
    *mode = 0;
    return ANOLE_DONE;
}

/* The same, where a link is refused. */
static enum anole_status find_place(char **target, mode_t *mode, const char *path, const char *file,
                                    struct anole_error *error)
{
    struct stat info;
    bool there = lstat(path, &info) == 0;
    if (there && S_ISLNK(info.st_mode))
        return anole_fail(
            error, ANOLE_ERR_INPUT,
            "%s: a symbolic link stands there by now; expected a file, or nothing: it "
            "was left alone",
            file);
    if (there && !S_ISREG(info.st_mode))
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: this is %s; expected the name of a file to write: name another",
                          file, mode_text(info.st_mode));
    if (!there && errno != ENOENT)
        return anole_fail_errno(error, "%s: the file cannot be written", file);
    *target = strdup(path);
    *mode = there ? info.st_mode & 07777 : 0;
    return *target ? ANOLE_DONE : anole_fail_memory(error);
}

/* Opens a new file beside the target, for nobody else if another's mode is yet to come; *temporary
 * is the caller's to free. */
static enum anole_status open_temporary(int *fd, char **temporary, const char *target, mode_t mode,
                                        const char *file, struct anole_error *error)
{
    for (unsigned attempt = 0; attempt < 1000; attempt++) {
        char *name;
        if (asprintf(&name, "%s.tmp%ld-%u", target, (long)getpid(), attempt) < 0)
            return anole_fail_memory(error);
        int opened =
            open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode ? 0600 : 0666);
        if (opened >= 0) {
            *fd = opened;
            *temporary = name;
            return ANOLE_DONE;
        }
        free(name);
        if (errno != EEXIST)
            return anole_fail_errno(
                error, "%s: the file cannot be written: a new file beside it is refused", file);
    }
    return anole_fail(error, ANOLE_ERR_SYSTEM,
                      "%s: the file cannot be written: a thousand temporary files (%s.tmp*) are in "
                      "the way; remove them",
                      file, file);
}

static int write_all(int fd, const char *text, size_t length)
{
    while (length) {
        ssize_t n = write(fd, text, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        text += n;
        length -= (size_t)n;
    }
    return 0;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == path ? strdup("/")
           : slash       ? strndup(path, (size_t)(slash - path))
                         : strdup(".");
}

static int open_folder_of(const char *path)
{
    char *folder = folder_of(path);
    int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    free(folder);
    return fd;
}

/* Makes the new name last.  Where a folder cannot be opened or synced (some file
 * systems do not), the file is whole all the same. */
static void sync_folder(const char *target)
{
    int fd = open_folder_of(target);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

/* A file that is yet to take its place. */
struct anole_file_draft {
    char file[256]; /* the path, for messages */
    char *target, *temporary;
    int fd;
    mode_t mode; /* of what is there; 0: nothing */
};

void anole_file_draft_discard(struct anole_file_draft *draft)
{
    if (!draft)
        return;
    if (draft->fd >= 0)
        close(draft->fd);
    if (draft->temporary)
        unlink(draft->temporary);
    free(draft->temporary);
    free(draft->target);
    free(draft);
}

static enum anole_status create_draft(struct anole_file_draft **draft, const char *path,
                                      bool follow, struct anole_error *error)
{
    struct anole_file_draft *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    new->fd = -1;
    anole_text_printable(new->file, sizeof new->file, path);
    enum anole_status status =
        (follow ? find_target : find_place)(&new->target, &new->mode, path, new->file, error);
    if (!status)
        status =
            open_temporary(&new->fd, &new->temporary, new->target, new->mode, new->file, error);
    if (status) {
        anole_file_draft_discard(new);
        return status;
    }
    *draft = new;
    return ANOLE_DONE;
}

enum anole_status anole_file_draft_create(struct anole_file_draft **draft, const char *path,
                                          struct anole_error *error)
{
    return create_draft(draft, path, true, error);
}

enum anole_status anole_file_draft_append(struct anole_file_draft *draft, const char *text,
                                          size_t length, struct anole_error *error)
{
    return write_all(draft->fd, text, length) == 0
               ? ANOLE_DONE
               : anole_fail_errno(error, "%s: the file cannot be written", draft->file);
}

enum anole_status anole_file_draft_commit(struct anole_file_draft *draft, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    int fd = draft->fd;
    draft->fd = -1;
    if ((draft->mode && fchmod(fd, draft->mode) != 0) || fsync(fd) != 0)
        status = anole_fail_errno(error, "%s: the file cannot be written", draft->file);
    if (close(fd) != 0 && !status)
        status = anole_fail_errno(error, "%s: the file cannot be written", draft->file);
    if (!status && rename(draft->temporary, draft->target) != 0)
        status = anole_fail_errno(error, "%s: the file cannot be put in its place", draft->file);
    if (!status) {
        sync_folder(draft->target);
        free(draft->temporary); /* the name is gone */
        draft->temporary = NULL;
    }
    anole_file_draft_discard(draft);
    return status;
}

static enum anole_status replace(const char *path, bool follow, const char *text, size_t length,
                                 struct anole_error *error)
{
    struct anole_file_draft *draft;
    enum anole_status status = create_draft(&draft, path, follow, error);
    if (status)
        return status;
    status = anole_file_draft_append(draft, text, length, error);
    if (!status)
        return anole_file_draft_commit(draft, error);
    anole_file_draft_discard(draft);
    return status;
}

enum anole_status anole_file_replace(const char *path, const char *text, size_t length,
                                     struct anole_error *error)
{
    return replace(path, true, text, length, error);
}

enum anole_status anole_file_replace_here(const char *path, const char *text, size_t length,
                                          struct anole_error *error)
{
    return replace(path, false, text, length, error);
}

enum anole_status anole_file_check_replace(const char *path, struct anole_error *error)
{
    char file[256], *target = NULL, *temporary = NULL;
    int fd = -1;
    mode_t mode = 0;
    anole_text_printable(file, sizeof file, path);
    enum anole_status status = find_target(&target, &mode, path, file, error);
    if (!status)
        status = open_temporary(&fd, &temporary, target, mode, file, error);
    if (!status) {
        close(fd);
        unlink(temporary);
    }
    free(temporary);
    free(target);
    return status;
}

int anole_file_hold_folder(const char *path)
{
    int fd = open_folder_of(path);
    if (fd >= 0 && flock(fd, LOCK_EX) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* The name's last part, in a folder without links. */
static char *plain_name(const char *path)
{
    char *real = realpath(path, NULL), *name = NULL;
    if (real)
        return real;
    char *folder = folder_of(path);
    real = folder ? realpath(folder, NULL) : NULL;
    const char *slash = strrchr(path, '/');
    if (!real || asprintf(&name, "%s/%s", real, slash ? slash + 1 : path) < 0)
        name = NULL;
    free(folder);
    free(real);
    return name;
}

bool anole_file_same(const char *a, const char *b)
{
    struct stat one, other;
    if (stat(a, &one) == 0 && stat(b, &other) == 0)
        return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
    char *x = plain_name(a), *y = plain_name(b);
    bool same = x && y && strcmp(x, y) == 0;
    free(x);
    free(y);
    return same;
}

char *anole_file_folder(const char *path)
{
    char *real = realpath(path, NULL);
    char *slash = real ? strrchr(real, '/') : NULL;
    if (slash)
        slash[slash == real] = '\0';
    return real;
}

bool anole_file_is_below(const char *path, const char *folder)
{
    char *real = realpath(path, NULL);
    size_t length = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
    bool below = real && strncmp(real, folder, length) == 0 && real[length] == '/';
    free(real);
    return below;
}
