/* SPDX-License-Identifier: MIT
 * Facts about the machine: from /proc and /sys on Linux, from sysctl on Apple's systems, from sysconf elsewhere. */
#if !defined(_WIN32)
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#endif

#include "os.h"

#if !defined(_WIN32)
#include <unistd.h>

#if defined(__linux__)
#include <fcntl.h>
#include <sched.h>
#include <string.h>

#include "../base/format.h"
#include "os_linux.h"

#define CPUS_MAX 1024 /* the size of cpu_set_t */

bool lm_os_read_text(const char *path, char *out, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = read(fd, out, size - 1);
    close(fd);
    if (n <= 0) return false;
    out[n] = '\0';
    return true;
}

bool lm_os_take_number(const char **text, uint64_t *out) {
    const char *c = *text;
    uint64_t value = 0;
    if (*c < '0' || *c > '9') return false;
    for (; *c >= '0' && *c <= '9'; c++) value = value < UINT64_MAX / 16 ? value * 10 + (uint64_t)(*c - '0') : value;
    *text = c;
    *out = value;
    return true;
}

static uint64_t read_number(const char *path, uint64_t fallback) {
    char text[64];
    const char *at = text;
    uint64_t value;
    return lm_os_read_text(path, text, sizeof text) && lm_os_take_number(&at, &value) ? value : fallback;
}

/* A list such as "0-3,8": sets the processors it names. */
static bool read_list(const char *path, cpu_set_t *out) {
    char text[4096];
    const char *at = text;
    CPU_ZERO(out);
    if (!lm_os_read_text(path, text, sizeof text)) return false;
    for (uint64_t first, last; lm_os_take_number(&at, &first); at += *at == ',') {
        last = first;
        if (*at == '-') {
            at++;
            if (!lm_os_take_number(&at, &last)) return false;
        }
        for (uint64_t i = first; i <= last && i < CPUS_MAX; i++) CPU_SET((size_t)i, out);
    }
    return true;
}

static uint64_t meminfo(const char *name) {
    char text[4096];
    if (!lm_os_read_text("/proc/meminfo", text, sizeof text)) return 0;
    const char *at = strstr(text, name);
    uint64_t kilobytes;
    if (!at) return 0;
    for (at += strlen(name); *at == ' '; at++) {}
    return lm_os_take_number(&at, &kilobytes) ? kilobytes * 1024 : 0;
}

/* What the control groups of this process allow. */
static uint64_t group_limit(uint64_t (*limit)(const char *root, const char *groups)) {
    char groups[4096];
    if (!lm_os_read_text("/proc/self/cgroup", groups, sizeof groups)) return UINT64_MAX;
    return limit("/sys/fs/cgroup", groups);
}

uint64_t lm_os_memory_total(void) {
    uint64_t total = meminfo("MemTotal:"), limit = group_limit(lm_os_group_memory);
    return limit < total ? limit : total;
}

uint64_t lm_os_memory_available(void) {
    uint64_t available = meminfo("MemAvailable:"), total = lm_os_memory_total();
    return available < total ? available : total;
}

static uint64_t capacity(int cpu) {
    char path[96];
    lm_format(path, sizeof path, "/sys/devices/system/cpu/cpu%d/cpu_capacity", cpu);
    return read_number(path, 0);
}

/* Whether an allowed processor with a lower number is a hardware thread of the same core. */
static bool is_sibling(int cpu, const cpu_set_t *allowed) {
    char path[96];
    cpu_set_t siblings;
    lm_format(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
    if (!read_list(path, &siblings)) return false;
    for (int i = 0; i < cpu; i++)
        if (CPU_ISSET((size_t)i, &siblings) && CPU_ISSET((size_t)i, allowed)) return true;
    return false;
}

int32_t lm_os_performance_cores(void) {
    cpu_set_t allowed, fast;
    uint64_t capacities[CPUS_MAX], largest = 0;
    int32_t cores = 0;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
        long online = sysconf(_SC_NPROCESSORS_ONLN);
        return online > 0 ? (int32_t)online : 1;
    }
    /* Hybrid x86 lists its fast processors; Arm and newer kernels give each a capacity. */
    if (read_list("/sys/devices/cpu_core/cpus", &fast)) {
        cpu_set_t both;
        CPU_AND(&both, &allowed, &fast);
        if (CPU_COUNT(&both) > 0) allowed = both;
    }
    for (int cpu = 0; cpu < CPUS_MAX; cpu++) {
        capacities[cpu] = CPU_ISSET((size_t)cpu, &allowed) ? capacity(cpu) : 0;
        if (capacities[cpu] > largest) largest = capacities[cpu];
    }
    for (int cpu = 0; cpu < CPUS_MAX; cpu++) {
        if (!CPU_ISSET((size_t)cpu, &allowed) || is_sibling(cpu, &allowed)) continue;
        /* Little cores have a third of the largest capacity or less, middle ones two thirds or more. */
        if (capacities[cpu] * 2 >= largest) cores++;
    }
    uint64_t limit = group_limit(lm_os_group_processors);
    if ((uint64_t)cores > limit) cores = (int32_t)limit;
    return cores > 0 ? cores : 1;
}

#elif defined(__APPLE__)
#include <mach/mach.h>
#include <sys/sysctl.h>

static uint64_t fact(const char *name) {
    union {
        uint32_t narrow;
        uint64_t wide;
    } value = {.wide = 0};
    size_t size = sizeof value;
    if (sysctlbyname(name, &value, &size, NULL, 0) != 0) return 0;
    return size == sizeof value.narrow ? value.narrow : value.wide;
}

uint64_t lm_os_memory_total(void) { return fact("hw.memsize"); }

uint64_t lm_os_memory_available(void) {
    vm_statistics64_data_t facts;
    mach_msg_type_number_t n = HOST_VM_INFO64_COUNT;
    mach_port_t host = mach_host_self();
    kern_return_t result = host_statistics64(host, HOST_VM_INFO64, (host_info64_t)&facts, &n);
    mach_port_deallocate(mach_task_self(), host);
    if (result != KERN_SUCCESS) return 0;
    return ((uint64_t)facts.free_count + facts.inactive_count + facts.purgeable_count) * lm_os_page_size();
}

int32_t lm_os_performance_cores(void) {
    uint64_t cores = fact("hw.perflevel0.physicalcpu");
    if (cores == 0) cores = fact("hw.physicalcpu");
    return cores > 0 && cores < 4096 ? (int32_t)cores : 1;
}

#else

uint64_t lm_os_memory_total(void) {
    long pages = sysconf(_SC_PHYS_PAGES);
    return pages > 0 ? (uint64_t)pages * lm_os_page_size() : 0;
}

uint64_t lm_os_memory_available(void) { return 0; }

int32_t lm_os_performance_cores(void) {
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int32_t)online : 1;
}

#endif
#endif
