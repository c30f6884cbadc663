/* SPDX-License-Identifier: MIT
 * The size-prefix rule for parameter structs: older and newer callers than the library. */
#include "check.h"

#include "base/params.h"

typedef struct old_params {
    uint32_t struct_size;
    int32_t first;
} old_params;

typedef struct own_params {
    uint32_t struct_size;
    int32_t first;
    int64_t second;
} own_params;

typedef struct new_params {
    own_params known;
    int64_t third;
} new_params;

#define OWN_INIT                                                                                                       \
    { sizeof(own_params), 1, 2 }

static void null_keeps_the_defaults(void **state) {
    (void)state;
    own_params own = OWN_INIT;
    assert_int_equal(lm_params_read(&own, sizeof own, NULL, "own_params", NULL), LM_OK);
    assert_int_equal(own.first, 1);
    assert_int_equal(own.second, 2);
}

static void same_size_is_copied_whole(void **state) {
    (void)state;
    own_params own = OWN_INIT, given = {sizeof given, 10, 20};
    assert_int_equal(lm_params_read(&own, sizeof own, &given, "own_params", NULL), LM_OK);
    assert_memory_equal(&own, &given, sizeof own);
}

static void smaller_struct_leaves_new_fields_at_their_defaults(void **state) {
    (void)state;
    own_params own = OWN_INIT;
    old_params given = {sizeof given, 10};
    assert_int_equal(lm_params_read(&own, sizeof own, &given, "own_params", NULL), LM_OK);
    assert_int_equal(own.struct_size, sizeof own);
    assert_int_equal(own.first, 10);
    assert_int_equal(own.second, 2);
}

static void larger_struct_is_taken_when_its_tail_is_zero(void **state) {
    (void)state;
    own_params own = OWN_INIT;
    new_params given = {{sizeof given, 10, 20}, 0};
    assert_int_equal(lm_params_read(&own, sizeof own, &given, "own_params", NULL), LM_OK);
    assert_int_equal(own.struct_size, sizeof own);
    assert_int_equal(own.second, 20);
}

static void larger_struct_with_a_set_tail_is_refused(void **state) {
    (void)state;
    own_params own = OWN_INIT, before = own;
    new_params given = {{sizeof given, 10, 20}, 0};
    for (size_t i = 0; i < sizeof given.third; i++) {
        lm_error error = {0};
        unsigned char one = 1;
        given.third = 0;
        memcpy((unsigned char *)&given.third + i, &one, 1);
        assert_int_equal(lm_params_read(&own, sizeof own, &given, "own_params", &error), LM_ERR_ARGUMENT);
        assert_int_equal(error.status, LM_ERR_ARGUMENT);
        assert_non_null(strstr(error.message, "own_params"));
        assert_memory_equal(&own, &before, sizeof own);
    }
}

static void size_too_small_for_itself_is_refused(void **state) {
    (void)state;
    for (uint32_t size = 0; size < 4; size++) {
        own_params own = OWN_INIT, before = own, given = {size, 10, 20};
        assert_int_equal(lm_params_read(&own, sizeof own, &given, "own_params", NULL), LM_ERR_ARGUMENT);
        assert_memory_equal(&own, &before, sizeof own);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_keeps_the_defaults),
        cmocka_unit_test(same_size_is_copied_whole),
        cmocka_unit_test(smaller_struct_leaves_new_fields_at_their_defaults),
        cmocka_unit_test(larger_struct_is_taken_when_its_tail_is_zero),
        cmocka_unit_test(larger_struct_with_a_set_tail_is_refused),
        cmocka_unit_test(size_too_small_for_itself_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
