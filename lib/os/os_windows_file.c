/* SPDX-License-Identifier: MIT
 * Files and mappings of Windows. Names become UTF-16 in fixed buffers of 4096 units, the length POSIX systems offer too. */
#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#define _WIN32_WINNT 0x0602
#endif

#include "os.h"

#if defined(_WIN32)
#include <string.h>
#include <windows.h>

#include "../base/checked.h"
#include "../base/format.h"

#define PATH_UNITS 4096
#define PIECE ((size_t)1 << 30) /* the most bytes one call asks for: their count is 32 bits */

static lm_status fail(lm_error *error, const char *what, const char *name, DWORD code) {
    const char *why = code == ERROR_FILE_NOT_FOUND      ? "no such file"
                      : code == ERROR_PATH_NOT_FOUND    ? "no such folder"
                      : code == ERROR_ACCESS_DENIED     ? "access denied, or a directory"
                      : code == ERROR_SHARING_VIOLATION ? "another program has it open"
                      : code == ERROR_DISK_FULL         ? "the disk is full"
                      : code == ERROR_INVALID_HANDLE    ? "not an open file"
                      : code == ERROR_NOT_ENOUGH_MEMORY || code == ERROR_COMMITMENT_LIMIT
                          ? "out of memory or address space"
                          : NULL;
    bool missing = code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND;
    lm_status status = missing ? LM_ERR_NOT_FOUND : LM_ERR_IO;
    if (why) return lm_error_set(error, status, "cannot %s %s: %s", what, name, why);
    return lm_error_set(error, status, "cannot %s %s: system error %lu", what, name, (unsigned long)code);
}

static bool widen(const char *path, wchar_t out[PATH_UNITS]) {
    return MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, out, PATH_UNITS) > 0;
}

static HANDLE handle_of(intptr_t handle) { return (HANDLE)handle; }

lm_status lm_os_file_open(const char *path, lm_os_file *out, lm_error *error) {
    wchar_t wide[PATH_UNITS];
    if (!widen(path, wide)) return fail(error, "open", path, GetLastError());
    HANDLE handle = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    if (handle == INVALID_HANDLE_VALUE) return fail(error, "open", path, GetLastError());
    *out = (lm_os_file){(intptr_t)handle, true};
    return LM_OK;
}

lm_os_file lm_os_file_borrow(intptr_t handle) { return (lm_os_file){handle, false}; }

void lm_os_file_close(lm_os_file *file) {
    if (file->is_owned) CloseHandle(handle_of(file->handle));
    *file = (lm_os_file){-1, false};
}

static uint64_t join(DWORD high, DWORD low) { return (uint64_t)high << 32 | low; }

lm_status lm_os_file_identify(const lm_os_file *file, lm_os_file_id *out, lm_error *error) {
    BY_HANDLE_FILE_INFORMATION facts;
    HANDLE handle = handle_of(file->handle);
    if (GetFileType(handle) == FILE_TYPE_PIPE) {
        *out = (lm_os_file_id){0, 0, 0, 0};
        return LM_OK;
    }
    if (!GetFileInformationByHandle(handle, &facts)) return fail(error, "examine", "the file", GetLastError());
    *out = (lm_os_file_id){
        .device = facts.dwVolumeSerialNumber,
        .inode = join(facts.nFileIndexHigh, facts.nFileIndexLow),
        .size = join(facts.nFileSizeHigh, facts.nFileSizeLow),
        .modified_ns = join(facts.ftLastWriteTime.dwHighDateTime, facts.ftLastWriteTime.dwLowDateTime) * 100,
    };
    return LM_OK;
}

lm_status lm_os_file_read(const lm_os_file *file, uint64_t offset, void *out, size_t n, lm_error *error) {
    uint64_t end;
    if (!lm_u64_add(offset, n, &end) || end > INT64_MAX)
        return lm_error_set(error, LM_ERR_IO, "read beyond the end of the file");
    for (size_t done = 0; done < n;) {
        uint64_t at = offset + done;
        OVERLAPPED where = {.Offset = (DWORD)at, .OffsetHigh = (DWORD)(at >> 32)};
        DWORD got = 0;
        if (!ReadFile(handle_of(file->handle), (char *)out + done, (DWORD)lm_size_min(n - done, PIECE), &got, &where) &&
            GetLastError() != ERROR_HANDLE_EOF)
            return fail(error, "read", "the file", GetLastError());
        if (got == 0)
            return lm_error_set(error, LM_ERR_IO, "the file ends before offset %llu", (unsigned long long)end);
        done += got;
    }
    return LM_OK;
}

/* ---- writing ---- */

#define SUFFIX_SIZE 24 /* ".tmp-", 16 hexadecimal digits, NUL, and two to spare */

lm_status lm_os_writer_open(const lm_env *env, const char *path, lm_os_writer *out, lm_error *error) {
    wchar_t wide[PATH_UNITS];
    size_t n = strlen(path);
    HANDLE handle = INVALID_HANDLE_VALUE;
    lm_os_writer w = {.env = env, .path_size = n + 1, .temporary_size = n + SUFFIX_SIZE};
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
    for (int tries = 0; handle == INVALID_HANDLE_VALUE && tries < 100; tries++) {
        unsigned long long unique = (unsigned long long)lm_os_now_ns() ^ (unsigned long long)GetCurrentProcessId()
                                                                             << 40;
        lm_format(w.temporary + n, SUFFIX_SIZE, ".tmp-%llx", unique);
        if (!widen(w.temporary, wide)) break;
        handle = CreateFileW(wide, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
        if (handle == INVALID_HANDLE_VALUE && GetLastError() != ERROR_FILE_EXISTS) break;
    }
    if (handle == INVALID_HANDLE_VALUE) {
        lm_status status = fail(error, "create", path, GetLastError());
        lm_free(env, w.path, w.path_size);
        lm_free(env, w.temporary, w.temporary_size);
        return status;
    }
    w.handle = (intptr_t)handle;
    *out = w;
    return LM_OK;
}

lm_status lm_os_writer_append(lm_os_writer *writer, const void *bytes, size_t n, lm_error *error) {
    for (size_t done = 0; done < n;) {
        DWORD put = 0;
        if (!WriteFile(handle_of(writer->handle), (const char *)bytes + done, (DWORD)lm_size_min(n - done, PIECE), &put,
                       NULL))
            return fail(error, "write", writer->path, GetLastError());
        done += put;
    }
    return LM_OK;
}

/* Close what is open, remove the temporary file unless it was renamed, free the names. */
static void finish(lm_os_writer *writer, bool renamed) {
    wchar_t wide[PATH_UNITS];
    if (!writer->temporary) return;
    if (writer->handle) CloseHandle(handle_of(writer->handle));
    if (!renamed && widen(writer->temporary, wide)) DeleteFileW(wide);
    lm_free(writer->env, writer->path, writer->path_size);
    lm_free(writer->env, writer->temporary, writer->temporary_size);
    memset(writer, 0, sizeof *writer);
}

lm_status lm_os_writer_commit(lm_os_writer *writer, lm_error *error) {
    wchar_t from[PATH_UNITS], to[PATH_UNITS];
    bool renamed = false;
    lm_status status = LM_OK;
    if (!FlushFileBuffers(handle_of(writer->handle))) status = fail(error, "write", writer->path, GetLastError());
    CloseHandle(handle_of(writer->handle));
    writer->handle = 0;
    if (status == LM_OK) {
        renamed = widen(writer->temporary, from) && widen(writer->path, to) &&
                  MoveFileExW(from, to, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH);
        if (!renamed) status = fail(error, "replace", writer->path, GetLastError());
    }
    finish(writer, renamed);
    return status;
}

void lm_os_writer_abandon(lm_os_writer *writer) { finish(writer, false); }

/* ---- mappings ---- */

lm_status lm_os_file_map(const lm_os_file *file, uint64_t offset, uint64_t size, lm_os_mapping *out, lm_error *error) {
    LARGE_INTEGER facts;
    SYSTEM_INFO system;
    HANDLE handle = handle_of(file->handle);
    if (GetFileType(handle) != FILE_TYPE_DISK) return lm_error_set(error, LM_ERR_IO, "cannot map: not a regular file");
    if (!GetFileSizeEx(handle, &facts)) return fail(error, "examine", "the file", GetLastError());
    uint64_t file_size = (uint64_t)facts.QuadPart;
    if (size == LM_OS_TO_END && offset <= file_size) size = file_size - offset;
    if (offset > file_size || size > file_size - offset)
        return lm_error_set(error, LM_ERR_RANGE, "cannot map %llu bytes at offset %llu: the file has %llu",
                            (unsigned long long)size, (unsigned long long)offset, (unsigned long long)file_size);
    if (size == 0) {
        *out = (lm_os_mapping){(const uint8_t *)"", 0, NULL, 0};
        return LM_OK;
    }
    GetSystemInfo(&system);
    uint64_t before = offset % system.dwAllocationGranularity, start = offset - before;
    if (size > SIZE_MAX - before) return fail(error, "map", "the file", ERROR_NOT_ENOUGH_MEMORY);
    size_t base_size = (size_t)(size + before);
    HANDLE section = CreateFileMappingW(handle, NULL, PAGE_READONLY, 0, 0, NULL);
    if (!section) return fail(error, "map", "the file", GetLastError());
    void *base = MapViewOfFile(section, FILE_MAP_READ, (DWORD)(start >> 32), (DWORD)start, base_size);
    DWORD code = GetLastError();
    CloseHandle(section); /* the view keeps it */
    if (!base) return fail(error, "map", "the file", code);
    *out = (lm_os_mapping){(const uint8_t *)base + before, (size_t)size, base, base_size};
    return LM_OK;
}

void lm_os_unmap(lm_os_mapping *mapping) {
    if (mapping->base) UnmapViewOfFile(mapping->base);
    memset(mapping, 0, sizeof *mapping);
}

void lm_os_advise(const void *bytes, size_t n, lm_os_advice advice) {
    WIN32_MEMORY_RANGE_ENTRY entry;
    if (advice != LM_OS_ADVICE_WILL_NEED || n == 0) return;
    entry.VirtualAddress = (void *)(uintptr_t)bytes;
    entry.NumberOfBytes = n;
    (void)PrefetchVirtualMemory(GetCurrentProcess(), 1, &entry, 0);
}

lm_status lm_os_lock(const lm_os_mapping *mapping) {
    return !mapping->base || VirtualLock(mapping->base, mapping->base_size) ? LM_OK : LM_ERR_IO;
}

size_t lm_os_page_size(void) {
    SYSTEM_INFO system;
    GetSystemInfo(&system);
    return system.dwPageSize;
}
#endif
