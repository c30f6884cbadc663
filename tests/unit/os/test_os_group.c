/* SPDX-License-Identifier: MIT
 * Limits of control groups, read from a folder that looks like /sys/fs/cgroup. */
#define _GNU_SOURCE
#include "counting.h"

#include <sys/stat.h>
#include <unistd.h>

#include "os/os_linux.h"

static char root[32];

static void put(const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *slash = path + strlen(root); (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int begin(void **state) {
    (void)state;
    strcpy(root, "lm-test-group-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int end(void **state) {
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command);
}

static void the_least_limit_of_a_path_counts(void **state) {
    (void)state;
    put("app.slice/memory.max", "3000000\n");
    put("app.slice/one.service/memory.max", "max\n");
    put("app.slice/one.service/cpu.max", "150000 100000\n");
    put("app.slice/cpu.max", "max 100000\n");
    assert_int_equal(lm_os_group_memory(root, "0::/app.slice/one.service\n"), 3000000);
    assert_int_equal(lm_os_group_processors(root, "0::/app.slice/one.service\n"), 2);
    put("app.slice/one.service/memory.max", "2000000\n");
    assert_int_equal(lm_os_group_memory(root, "0::/app.slice/one.service\n"), 2000000);
    assert_int_equal(lm_os_group_memory(root, "0::/app.slice\n"), 3000000);
    put("memory.max", "1000000\n"); /* what a container sees of its own group */
    assert_int_equal(lm_os_group_memory(root, "0::/not/here"), 1000000);
    assert_int_equal(lm_os_group_memory(root, "0::/app.slice/one.service\n"), 1000000);
}

static void version_1_has_a_folder_for_each_controller(void **state) {
    (void)state;
    static const char groups[] = "9:name=systemd:/x\n4:memory:/a/b\n3:cpuset:/\n2:cpu,cpuacct:/a\n";
    put("memory/memory.limit_in_bytes", "9223372036854771712\n");
    put("memory/a/b/memory.limit_in_bytes", "5000000\n");
    put("cpu/a/cpu.cfs_quota_us", "10000\n");
    put("cpu/a/cpu.cfs_period_us", "100000\n");
    assert_int_equal(lm_os_group_memory(root, groups), 5000000);
    assert_int_equal(lm_os_group_processors(root, groups), 1); /* a tenth of one is one thread */
    put("cpu/a/cpu.cfs_quota_us", "-1\n");
    assert_true(lm_os_group_processors(root, groups) == UINT64_MAX);
}

static void what_cannot_be_read_limits_nothing(void **state) {
    (void)state;
    char longest[1200] = "0::/";
    memset(longest + 4, 'x', sizeof longest - 5);
    const char *const texts[] = {"", "0", "0:", "0::", "5:memoryx,xmemory:/", "0::///\n\n", longest};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_true(lm_os_group_processors("lm-no-such-folder", texts[i]) == UINT64_MAX);
        assert_true(lm_os_group_memory("lm-no-such-folder", texts[i]) == UINT64_MAX);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(version_1_has_a_folder_for_each_controller, begin, end),
        cmocka_unit_test_setup_teardown(the_least_limit_of_a_path_counts, begin, end),
        cmocka_unit_test(what_cannot_be_read_limits_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
