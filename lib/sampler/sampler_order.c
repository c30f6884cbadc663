/* SPDX-License-Identifier: MIT
 * The order list: names of members, or one letter for each. */
#include "sampler_internal.h"

#include <string.h>

#include "../base/format.h"

typedef struct member_name {
    const char *name; /* lower case, without '_' */
    char letter;
    lm_sampler_create_fn *create; /* NULL: adaptive_p, which replaces the final draw */
} member_name;

static const member_name names[] = {
    {"penalties", 'e', lm_sampler_penalties_create},
    {"dry", 'd', lm_sampler_dry_create},
    {"topnsigma", 's', lm_sampler_top_n_sigma_create},
    {"topk", 'k', lm_sampler_top_k_create},
    {"typp", 'y', lm_sampler_typical_create},
    {"topp", 'p', lm_sampler_top_p_create},
    {"minp", 'm', lm_sampler_min_p_create},
    {"xtc", 'x', lm_sampler_xtc_create},
    {"temperature", 't', lm_sampler_temperature_create},
    {"infill", 'i', lm_sampler_infill_create},
    {"adaptivep", 'a', NULL},
    {"typ", 'y', lm_sampler_typical_create},
    {"nucleus", 'p', lm_sampler_top_p_create},
    {"temp", 't', lm_sampler_temperature_create},
};
#define N_NAMES (sizeof names / sizeof *names)

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static const member_name *find_name(const char *text, size_t n) {
    for (size_t i = 0; i < N_NAMES; i++) {
        const char *name = names[i].name;
        size_t at = 0;
        for (; at < n; at++) {
            if (text[at] == '_' || text[at] == '-') continue;
            if (*name == '\0' || lower(text[at]) != *name) break;
            name++;
        }
        if (at == n && *name == '\0') return &names[i];
    }
    return NULL;
}

static const member_name *find_letter(char letter) {
    for (size_t i = 0; i < N_NAMES; i++)
        if (lower(letter) == names[i].letter) return &names[i];
    return NULL;
}

typedef struct order_list {
    lm_sampler_create_fn **members;
    size_t n_members;
    bool is_adaptive;
} order_list;

static lm_status add(order_list *list, const member_name *name, const char *text, size_t n, lm_error *error) {
    if (!name) return lm_error_set(error, LM_ERR_ARGUMENT, "order: there is no sampler named %q", n, text);
    if (!name->create) {
        list->is_adaptive = true;
        return LM_OK;
    }
    if (list->n_members == LM_SAMPLER_MAX_MEMBERS)
        return lm_error_set(error, LM_ERR_RANGE, "order: more than %d samplers", LM_SAMPLER_MAX_MEMBERS);
    list->members[list->n_members++] = name->create;
    return LM_OK;
}

static bool is_separator(char c) { return c == ';' || c == ',' || c == ' '; }

lm_status lm_sampler_order_parse(const char *order, lm_sampler_create_fn **members, size_t *n_members,
                                 bool *is_adaptive, lm_error *error) {
    order_list list = {members, 0, false};
    lm_status status = LM_OK;
    if (!order) order = "penalties;dry;top_n_sigma;top_k;typ_p;top_p;min_p;xtc;temperature";
    size_t length = strlen(order), n_words = 0;
    for (size_t i = 0; i < length; i++) n_words += !is_separator(order[i]) && (i == 0 || is_separator(order[i - 1]));
    for (size_t at = 0; at < length && status == LM_OK;) {
        size_t end = at;
        while (end < length && !is_separator(order[end])) end++;
        const member_name *name = find_name(order + at, end - at);
        if (!name && end - at == 1) name = find_letter(order[at]);
        if (name || n_words > 1) {
            if (end > at) status = add(&list, name, order + at, end - at, error);
        } else {
            for (size_t i = at; i < end && status == LM_OK; i++) {
                name = find_letter(order[i]);
                status = name ? add(&list, name, order + i, 1, error) : add(&list, NULL, order + at, end - at, error);
            }
        }
        at = end + 1;
    }
    if (status != LM_OK) return status;
    *n_members = list.n_members;
    *is_adaptive = list.is_adaptive;
    return LM_OK;
}
