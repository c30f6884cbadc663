/* SPDX-License-Identifier: MIT
 * Control groups: what a container or a service may use of the machine. A group's limit holds for all below it, so the least one of a
 * path counts. In a container the path may be the host's, of which the container sees only the top: groups that are not there are passed
 * over. */
#include "os_linux.h"

#if defined(__linux__)
#include <string.h>

#include "../base/format.h"

typedef uint64_t limit_reader(const char *folder);

static bool read_in(const char *folder, const char *name, const char **text, char *buffer, size_t size) {
    char path[1024];
    lm_format(path, sizeof path, "%s/%s", folder, name);
    *text = buffer;
    return lm_os_read_text(path, buffer, size);
}

static uint64_t number_in(const char *folder, const char *name) {
    char buffer[64];
    const char *at;
    uint64_t value;
    return read_in(folder, name, &at, buffer, sizeof buffer) && lm_os_take_number(&at, &value) ? value : UINT64_MAX;
}

static uint64_t memory_in(const char *folder) {
    uint64_t now = number_in(folder, "memory.max"), before = number_in(folder, "memory.limit_in_bytes");
    return now < before ? now : before;
}

static uint64_t processors_in(const char *folder) {
    char buffer[64];
    const char *at;
    uint64_t time = number_in(folder, "cpu.cfs_quota_us"), period = number_in(folder, "cpu.cfs_period_us");
    if (read_in(folder, "cpu.max", &at, buffer, sizeof buffer) &&
        (!lm_os_take_number(&at, &time) || *at++ != ' ' || !lm_os_take_number(&at, &period)))
        return UINT64_MAX;
    if (time == UINT64_MAX || period == UINT64_MAX || period == 0) return UINT64_MAX;
    time = (time + period / 2) / period;
    return time == 0 ? 1 : time;
}

/* The least limit of the folder and, while path is not empty, of those between. */
static uint64_t least_on_path(const char *root, const char *path, size_t n, limit_reader *read) {
    char folder[768];
    uint64_t least = UINT64_MAX;
    for (;;) {
        while (n && path[n - 1] == '/') n--;
        lm_format(folder, sizeof folder, "%s%.*s", root, (int)n, path);
        uint64_t limit = read(folder);
        if (limit < least) least = limit;
        if (n == 0) return least;
        while (n && path[n - 1] != '/') n--;
    }
}

/* Lines are "NUMBER:CONTROLLERS:PATH"; of version 2 there is one, without controllers. */
static uint64_t least_of(const char *root, const char *groups, const char *controller, limit_reader *read) {
    char folder[256];
    uint64_t least = UINT64_MAX;
    size_t n_controller = strlen(controller);
    for (const char *line = groups; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        const char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
        if (!path) break;
        bool is_of = path == names + 1;
        const char *below = is_of ? "" : controller;
        for (const char *name = names + 1; name < path && !is_of; name += strcspn(name, ",:") + 1)
            is_of = strcspn(name, ",:") == n_controller && memcmp(name, controller, n_controller) == 0;
        lm_format(folder, sizeof folder, "%s/%s", root, below);
        uint64_t limit = is_of ? least_on_path(folder, path + 1, strcspn(path + 1, "\n"), read) : UINT64_MAX;
        if (limit < least) least = limit;
    }
    return least;
}

uint64_t lm_os_group_memory(const char *root, const char *groups) {
    return least_of(root, groups, "memory", memory_in);
}

uint64_t lm_os_group_processors(const char *root, const char *groups) {
    return least_of(root, groups, "cpu", processors_in);
}
#endif
