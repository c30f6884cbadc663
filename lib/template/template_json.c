/* SPDX-License-Identifier: MIT
 * The caller's JSON as values of a template, marked with their origin. */
#include "../base/json.h"
#include "template_interp.h"

bool lm_variant_from_json(lm_interp *interp, const lm_json *json, lm_origin origin, lm_variant *out) {
    if (!lm_interp_charge(interp, 1)) return false;
    switch ((lm_json_type)json->type) {
    case LM_JSON_NULL: *out = lm_variant_none(); return true;
    case LM_JSON_BOOL: *out = lm_variant_bool(json->boolean); return true;
    case LM_JSON_NUMBER: {
        int64_t integer;
        double number = 0;
        if (json->is_integer && lm_json_int64(json, &integer)) {
            *out = lm_variant_int(integer);
        } else {
            lm_json_double(json, &number);
            *out = lm_variant_float(number);
        }
        return true;
    }
    case LM_JSON_STRING: {
        const lm_text *text = lm_text_copy(interp, json->text, json->count, origin);
        if (!text) return false;
        *out = lm_variant_text(text);
        return true;
    }
    case LM_JSON_ARRAY: {
        lm_sequence *list = lm_sequence_new(interp, json->count);
        if (!list || !lm_interp_enter(interp)) return false;
        for (size_t i = 0; i < json->count; i++)
            if (!lm_variant_from_json(interp, &json->items[i], origin, &list->items[list->count++])) return false;
        interp->depth--;
        *out = lm_variant_sequence(LM_VARIANT_LIST, list);
        return true;
    }
    case LM_JSON_OBJECT: break;
    }
    lm_dict *dict = lm_dict_new(interp);
    if (!dict || !lm_interp_enter(interp)) return false;
    for (size_t i = 0; i < json->count; i++) {
        const lm_json_member *member = &json->members[i];
        const lm_text *name = lm_text_copy(interp, member->name, member->name_size, origin);
        lm_variant value;
        if (!name || !lm_variant_from_json(interp, &member->value, origin, &value) ||
            !lm_dict_set_text(interp, dict, name, &value))
            return false;
    }
    interp->depth--;
    *out = lm_variant_dict(dict);
    return true;
}
