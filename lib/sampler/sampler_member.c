/* SPDX-License-Identifier: MIT
 * Life of a chain member. Members of this room keep their state in one block without pointers into itself, so that a
 * clone is a copy of bytes and cannot forget a field. */
#include "sampler_internal.h"

#include <string.h>

lm_status lm_sampler_member_create(const lm_env *env, const lm_sampler_ops *ops, const void *state, size_t bytes,
                                   lm_sampler_member *out) {
    void *copy = lm_alloc(env, bytes);
    if (!copy) return LM_ERR_MEMORY;
    memcpy(copy, state, bytes);
    *out = (lm_sampler_member){ops, copy, bytes};
    return LM_OK;
}

void lm_sampler_member_destroy(lm_sampler_member *member, const lm_env *env) {
    if (member->ops && member->ops->destroy)
        member->ops->destroy(member->state, env);
    else if (member->ops)
        lm_free(env, member->state, member->state_bytes);
    *member = (lm_sampler_member){NULL, NULL, 0};
}

lm_status lm_sampler_member_clone(const lm_sampler_member *member, const lm_env *env, lm_sampler_member *out) {
    if (!member->ops) {
        *out = *member;
        return LM_OK;
    }
    if (!member->ops->clone) return lm_sampler_member_create(env, member->ops, member->state, member->state_bytes, out);
    void *state;
    lm_status status = member->ops->clone(member->state, env, &state);
    if (status == LM_OK) *out = (lm_sampler_member){member->ops, state, member->state_bytes};
    return status;
}
