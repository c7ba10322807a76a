/* SPDX-License-Identifier: MIT */
#include "frontend/file_view.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads what the file has; *bytes becomes less if it has been cut meanwhile. */
static enum anole_status read_whole(struct anole_file_view *view, int fd, size_t bytes,
                                    const char *file, struct anole_error *error)
{
    char *data = malloc(bytes + 1);
    size_t length = 0;
    if (!data)
        return anole_fail_memory(error);
    while (length < bytes) {
        ssize_t n = pread(fd, data + length, bytes - length, (off_t)length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            free(data);
            return anole_fail_errno(error, "%s: the file cannot be read", file);
        }
        if (n == 0)
            break;
        length += (size_t)n;
    }
    *view = (struct anole_file_view){.data = (uint8_t *)data, .bytes = length, .read = data};
    return ANOLE_DONE;
}

enum anole_status anole_file_view_take(struct anole_file_view *view, int fd, const char *path,
                                       struct anole_error *error)
{
    char file[256];
    struct stat about;
    anole_text_printable(file, sizeof file, path);
    if (fstat(fd, &about) != 0)
        return anole_fail_errno(error, "%s: the file cannot be examined", file);
    if (!S_ISREG(about.st_mode))
        return anole_fail(error, ANOLE_ERR_INPUT, "%s: this is no regular file; expected one",
                          file);
    if (about.st_size < 0 || (uintmax_t)about.st_size > SIZE_MAX / 4)
        return anole_fail(error, ANOLE_ERR_INPUT, "%s: the file is too large", file);
    size_t bytes = (size_t)about.st_size;
    if (bytes <= ANOLE_FILE_VIEW_READ)
        return read_whole(view, fd, bytes, file, error);
    void *map = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return anole_fail_errno(error, "%s: the file cannot be mapped", file);
    *view = (struct anole_file_view){.data = map, .bytes = bytes, .map = map};
    return ANOLE_DONE;
}

enum anole_status anole_file_view_open(struct anole_file_view *view, const char *path,
                                       struct anole_error *error)
{
    char file[256];
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    anole_text_printable(file, sizeof file, path);
    if (fd < 0 && errno == ENOENT)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: there is no such file; expected a file that can be read: check the "
                          "name",
                          file);
    if (fd < 0)
        return anole_fail_errno(error, "%s: the file cannot be opened for reading", file);
    enum anole_status status = anole_file_view_take(view, fd, path, error);
    close(fd);
    return status;
}

void anole_file_view_forget(const struct anole_file_view *view, const void *data, size_t bytes)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), map = (uintptr_t)view->map;
    const uintptr_t begin = (uintptr_t)data, end = begin + bytes;
    if (!view->map || begin < map || end > map + view->bytes)
        return;
    /* Whole pages: what lies at their edges may be in use. */
    const uintptr_t first = (begin + page - 1) / page * page, last = end / page * page;
    if (first < last)
        madvise((char *)view->map + (first - map), last - first, MADV_DONTNEED);
}

void anole_file_view_fini(struct anole_file_view *view)
{
    if (view->map)
        munmap(view->map, view->bytes);
    free(view->read);
    *view = (struct anole_file_view){0};
}
