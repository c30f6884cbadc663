/* SPDX-License-Identifier: MIT
 * Files and mappings of POSIX systems. */
#if !defined(_WIN32)
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#define _FILE_OFFSET_BITS 64
#endif

#include "os.h"

#if !defined(_WIN32)
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/checked.h"
#include "../base/format.h"

/* The most bytes one call asks for; Apple and Linux refuse or cut larger ones. */
#define PIECE ((size_t)1 << 30)

static lm_status fail(lm_error *error, const char *what, const char *name, int code) {
    const char *why = code == ENOENT    ? "no such file"
                      : code == EACCES  ? "permission denied"
                      : code == EPERM   ? "not permitted"
                      : code == EISDIR  ? "it is a directory"
                      : code == ENOTDIR ? "a part of the path is not a directory"
                      : code == ENOSPC  ? "no space left on the device"
                      : code == EMFILE  ? "too many open files"
                      : code == EROFS   ? "the file system is read-only"
                      : code == ENOMEM  ? "out of memory or address space"
                      : code == EBADF   ? "not an open file"
                                        : NULL;
    lm_status status = code == ENOENT ? LM_ERR_NOT_FOUND : LM_ERR_IO;
    if (why) return lm_error_set(error, status, "cannot %s %s: %s", what, name, why);
    return lm_error_set(error, status, "cannot %s %s: system error %d", what, name, code);
}

static lm_status examine(int fd, const char *name, struct stat *out, lm_error *error) {
    if (fstat(fd, out) != 0) return fail(error, "examine", name, errno);
    if (S_ISDIR(out->st_mode)) return fail(error, "read", name, EISDIR);
    return LM_OK;
}

lm_status lm_os_file_open(const char *path, lm_os_file *out, lm_error *error) {
    struct stat facts;
    int fd;
    do fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    if (fd < 0) return fail(error, "open", path, errno);
    lm_status status = examine(fd, path, &facts, error);
    if (status != LM_OK) {
        close(fd);
        return status;
    }
    *out = (lm_os_file){fd, true};
    return LM_OK;
}

lm_os_file lm_os_file_borrow(intptr_t handle) { return (lm_os_file){handle, false}; }

void lm_os_file_close(lm_os_file *file) {
    if (file->is_owned) close((int)file->handle);
    *file = (lm_os_file){-1, false};
}

lm_status lm_os_file_identify(const lm_os_file *file, lm_os_file_id *out, lm_error *error) {
    struct stat facts;
    lm_status status = examine((int)file->handle, "the file", &facts, error);
    if (status != LM_OK) return status;
#if defined(__APPLE__)
    struct timespec modified = facts.st_mtimespec;
#else
    struct timespec modified = facts.st_mtim;
#endif
    *out = (lm_os_file_id){
        .device = (uint64_t)facts.st_dev,
        .inode = (uint64_t)facts.st_ino,
        .size = S_ISREG(facts.st_mode) && facts.st_size > 0 ? (uint64_t)facts.st_size : 0,
        .modified_ns = (uint64_t)modified.tv_sec * UINT64_C(1000000000) + (uint64_t)modified.tv_nsec,
    };
    return LM_OK;
}

lm_status lm_os_file_read(const lm_os_file *file, uint64_t offset, void *out, size_t n, lm_error *error) {
    uint64_t end;
    if (!lm_u64_add(offset, n, &end) || end > INT64_MAX)
        return lm_error_set(error, LM_ERR_IO, "read beyond the end of the file");
    for (size_t done = 0; done < n;) {
        ssize_t got =
            pread((int)file->handle, (char *)out + done, lm_size_min(n - done, PIECE), (off_t)(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(error, "read", "the file", errno);
        if (got == 0)
            return lm_error_set(error, LM_ERR_IO, "the file ends before offset %llu", (unsigned long long)end);
        done += (size_t)got;
    }
    return LM_OK;
}

/* ---- writing ---- */

#define SUFFIX_SIZE 24 /* ".tmp-", 16 hexadecimal digits, NUL, and two to spare */

lm_status lm_os_writer_open(const lm_env *env, const char *path, lm_os_writer *out, lm_error *error) {
    size_t n = strlen(path);
    lm_os_writer w = {.env = env, .handle = -1, .path_size = n + 1, .temporary_size = n + SUFFIX_SIZE};
    memset(out, 0, sizeof *out);
    w.path = lm_alloc(env, w.path_size);
    w.temporary = lm_alloc(env, w.temporary_size);
    if (!w.path || !w.temporary) {
        lm_free(env, w.path, w.path_size);
        lm_free(env, w.temporary, w.temporary_size);
        return lm_error_memory(error);
    }
    memcpy(w.path, path, n + 1);
    memcpy(w.temporary, path, n);
    /* O_EXCL: a name that exists, a link planted there included, is never followed; the clock makes the next try differ. */
    for (int tries = 0; w.handle < 0 && tries < 100; tries++) {
        unsigned long long unique = (unsigned long long)lm_os_now_ns() ^ (unsigned long long)getpid() << 40;
        lm_format(w.temporary + n, SUFFIX_SIZE, ".tmp-%llx", unique);
        w.handle = open(w.temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (w.handle < 0 && errno != EEXIST && errno != EINTR) break;
    }
    if (w.handle < 0) {
        bool no_folder = errno == ENOENT || errno == ENOTDIR;
        lm_status status = no_folder ? lm_error_set(error, LM_ERR_NOT_FOUND, "cannot create %s: no such folder", path)
                                     : fail(error, "create", path, errno);
        lm_free(env, w.path, w.path_size);
        lm_free(env, w.temporary, w.temporary_size);
        return status;
    }
    *out = w;
    return LM_OK;
}

lm_status lm_os_writer_append(lm_os_writer *writer, const void *bytes, size_t n, lm_error *error) {
    for (size_t done = 0; done < n;) {
        ssize_t put = write((int)writer->handle, (const char *)bytes + done, lm_size_min(n - done, PIECE));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return fail(error, "write", writer->path, errno);
        done += (size_t)put;
    }
    return LM_OK;
}

/* Close what is open, remove the temporary file unless it was renamed, free the names. */
static void finish(lm_os_writer *writer, bool renamed) {
    if (!writer->temporary) return;
    if (writer->handle >= 0) close((int)writer->handle);
    if (!renamed) unlink(writer->temporary);
    lm_free(writer->env, writer->path, writer->path_size);
    lm_free(writer->env, writer->temporary, writer->temporary_size);
    memset(writer, 0, sizeof *writer);
}

/* The rename itself is durable only once the folder is; a file system that cannot say so is not an error. */
static void sync_folder(lm_os_writer *writer) {
    char *slash = strrchr(writer->path, '/');
    if (slash) slash[slash == writer->path] = '\0';
    int fd = open(slash ? writer->path : ".", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    (void)fsync(fd);
    close(fd);
}

lm_status lm_os_writer_commit(lm_os_writer *writer, lm_error *error) {
    lm_status status = LM_OK;
    bool renamed = false;
    int handle = (int)writer->handle;
    if (fsync(handle) != 0 && errno != EINVAL && errno != ENOTSUP) status = fail(error, "write", writer->path, errno);
    writer->handle = -1;
    if (close(handle) != 0 && status == LM_OK && errno != EINTR) status = fail(error, "write", writer->path, errno);
    if (status == LM_OK) {
        renamed = rename(writer->temporary, writer->path) == 0;
        if (renamed)
            sync_folder(writer);
        else
            status = fail(error, "replace", writer->path, errno);
    }
    finish(writer, renamed);
    return status;
}

void lm_os_writer_abandon(lm_os_writer *writer) { finish(writer, false); }

/* ---- mappings ---- */

lm_status lm_os_file_map(const lm_os_file *file, uint64_t offset, uint64_t size, lm_os_mapping *out, lm_error *error) {
    struct stat facts;
    lm_status status = examine((int)file->handle, "the file", &facts, error);
    if (status != LM_OK) return status;
    if (!S_ISREG(facts.st_mode)) return lm_error_set(error, LM_ERR_IO, "cannot map: not a regular file");
    uint64_t file_size = facts.st_size > 0 ? (uint64_t)facts.st_size : 0;
    if (size == LM_OS_TO_END && offset <= file_size) size = file_size - offset;
    if (offset > file_size || size > file_size - offset)
        return lm_error_set(error, LM_ERR_RANGE, "cannot map %llu bytes at offset %llu: the file has %llu",
                            (unsigned long long)size, (unsigned long long)offset, (unsigned long long)file_size);
    if (size == 0) {
        *out = (lm_os_mapping){(const uint8_t *)"", 0, NULL, 0};
        return LM_OK;
    }
    uint64_t before = offset % lm_os_page_size();
    if (size > SIZE_MAX - before) return fail(error, "map", "the file", ENOMEM);
    size_t base_size = (size_t)(size + before);
    void *base = mmap(NULL, base_size, PROT_READ, MAP_SHARED, (int)file->handle, (off_t)(offset - before));
    if (base == MAP_FAILED) return fail(error, "map", "the file", errno);
    *out = (lm_os_mapping){(const uint8_t *)base + before, (size_t)size, base, base_size};
    return LM_OK;
}

void lm_os_unmap(lm_os_mapping *mapping) {
    if (mapping->base) munmap(mapping->base, mapping->base_size);
    memset(mapping, 0, sizeof *mapping);
}

void lm_os_advise(const void *bytes, size_t n, lm_os_advice advice) {
    static const int words[] = {POSIX_MADV_RANDOM, POSIX_MADV_WILLNEED};
    size_t before = (uintptr_t)bytes % lm_os_page_size();
    if (n > 0) (void)posix_madvise((void *)((uintptr_t)bytes - before), n + before, words[advice]);
}

lm_status lm_os_lock(const lm_os_mapping *mapping) {
    return !mapping->base || mlock(mapping->base, mapping->base_size) == 0 ? LM_OK : LM_ERR_IO;
}

size_t lm_os_page_size(void) {
    long size = sysconf(_SC_PAGESIZE);
    return size > 0 ? (size_t)size : 4096;
}
#endif
