/* SPDX-License-Identifier: MIT
 * What the files of Linux share that read /proc and /sys. */
#ifndef LM_OS_LINUX_H
#define LM_OS_LINUX_H

#include "os.h"

/* The first bytes of a small file as text; false when there is none. */
bool lm_os_read_text(const char *path, char *out, size_t size);
/* The number at *text, which moves past it; false when there is none. */
bool lm_os_take_number(const char **text, uint64_t *out);

/* What the control groups allow that the lines of `groups` (/proc/self/cgroup) name, and those above them, of either version, below the
 * folder `root` (/sys/fs/cgroup): bytes of memory, and whole processors, at least 1. UINT64_MAX: no limit. */
uint64_t lm_os_group_memory(const char *root, const char *groups);
uint64_t lm_os_group_processors(const char *root, const char *groups);

#endif
