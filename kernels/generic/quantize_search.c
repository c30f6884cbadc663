/* SPDX-License-Identifier: MIT
 * The four scale searches. "sum wxc" and "sum wcc" are the two sums of least squares: the best scale for given codes is their
 * quotient, and (sum wxc)^2 / sum wcc is by how much it lowers the error; the searches keep the codes where that is largest. */
#include "quantize_search.h"

#include <math.h>

#include "../cpu.h"

LM_EXACT_FLOATS

/* The element of largest magnitude, the first of equals. */
static float largest(int n, const float *x) {
    float top = 0, top_abs = 0;
    for (int i = 0; i < n; i++)
        if (fabsf(x[i]) > top_abs) top_abs = fabsf(x[i]), top = x[i];
    return top;
}

static void zero_codes(int n, uint8_t *codes) { memset(codes, 0, (size_t)n); }

float lm_search_symmetric(int n, int top, const float *x, uint8_t *codes, const float *w) {
    float most = largest(n, x), scale = 0, best = 0;
    if (fabsf(most) < LM_SEARCH_TINY) {
        zero_codes(n, codes);
        return 0;
    }
    for (int step = 0; step <= 18; step++) {
        int t = step == 0 ? 0 : step <= 9 ? step - 10 : step - 9; /* 0 first, then -9 .. -1, 1 .. 9 */
        float inverse = t == 0 ? (float)-top / most : -((float)top + 0.1f * (float)t) / most;
        float wxc = 0, wcc = 0;
        for (int i = 0; i < n; i++) {
            float c = (float)lm_clamp(lm_round_even(inverse * x[i]), -top, top - 1), wi = w ? w[i] : x[i] * x[i];
            wxc += wi * x[i] * c;
            wcc += wi * c * c;
        }
        if (t != 0 && !(wcc > 0 && wxc * wxc > best * wcc)) continue;
        for (int i = 0; i < n; i++) codes[i] = (uint8_t)(top + lm_clamp(lm_round_even(inverse * x[i]), -top, top - 1));
        scale = wcc != 0 ? wxc / wcc : 0;
        best = scale * wxc;
    }
    return scale;
}

float lm_search_symmetric_steps(int n, int top, const float *x, uint8_t *codes) {
    float most = largest(n, x), wxc = 0, wcc = 0;
    if (fabsf(most) < LM_SEARCH_TINY) {
        zero_codes(n, codes);
        return 0;
    }
    float inverse = (float)-top / most;
    for (int i = 0; i < n; i++) {
        int c = lm_clamp(lm_round_even(inverse * x[i]), -top, top - 1);
        float w = x[i] * x[i];
        codes[i] = (uint8_t)(c + top);
        wxc += w * x[i] * (float)c;
        wcc += w * (float)c * (float)c;
    }
    for (int pass = 0, changes = 1; pass < 5 && changes > 0; pass++) {
        changes = 0;
        for (int i = 0; i < n; i++) {
            float w = x[i] * x[i], old = (float)(codes[i] - top);
            float rest_wxc = wxc - w * x[i] * old;
            if (!(rest_wxc > 0)) continue;
            float rest_wcc = wcc - w * old * old;
            int c = lm_clamp(lm_round_even(x[i] * rest_wcc / rest_wxc), -top, top - 1);
            if (c + top == codes[i]) continue;
            rest_wxc += w * x[i] * (float)c;
            rest_wcc += w * (float)c * (float)c;
            if (!(rest_wcc > 0 && rest_wxc * rest_wxc * wcc > wxc * wxc * rest_wcc)) continue;
            codes[i] = (uint8_t)(c + top);
            wxc = rest_wxc;
            wcc = rest_wcc;
            changes++;
        }
    }
    return wcc > 0 ? wxc / wcc : 0;
}

static float affine_error(int n, const float *x, const float *w, const uint8_t *codes, float scale, float low,
                          int is_absolute) {
    float error = 0;
    for (int i = 0; i < n; i++) {
        float e = scale * (float)codes[i] + low - x[i];
        error += w[i] * (is_absolute ? fabsf(e) : e * e);
    }
    return error;
}

float lm_search_affine(int n, int top, const float *x, const float *w, uint8_t *codes, float *minimum,
                       const lm_search_grid *grid) {
    float low = x[0], high = x[0], sw = w[0], sx = w[0] * x[0];
    for (int i = 1; i < n; i++) {
        if (x[i] < low) low = x[i];
        if (x[i] > high) high = x[i];
        sw += w[i];
        sx += w[i] * x[i];
    }
    if (low > 0) low = 0;
    if (!(high > low)) {
        zero_codes(n, codes);
        *minimum = -low;
        return 0;
    }
    float inverse = (float)top / (high - low), scale = 1 / inverse;
    for (int i = 0; i < n; i++) codes[i] = (uint8_t)lm_clamp(lm_round_even(inverse * (x[i] - low)), 0, top);
    float best = affine_error(n, x, w, codes, scale, low, grid->is_absolute);
    for (int t = 0; t <= grid->steps; t++) {
        uint8_t tried[32];
        float sc = 0, scc = 0, sxc = 0;
        inverse = (grid->first + grid->step * (float)t + (float)top) / (high - low);
        for (int i = 0; i < n; i++) {
            int c = lm_clamp(lm_round_even(inverse * (x[i] - low)), 0, top);
            tried[i] = (uint8_t)c;
            sc += w[i] * (float)c;
            scc += w[i] * (float)c * (float)c;
            sxc += w[i] * (float)c * x[i];
        }
        float determinant = sw * scc - sc * sc;
        if (!(determinant > 0)) continue;
        float new_scale = (sw * sxc - sx * sc) / determinant, new_low = (scc * sx - sc * sxc) / determinant;
        if (new_low > 0) {
            new_low = 0;
            new_scale = sxc / scc;
        }
        float error = affine_error(n, x, w, tried, new_scale, new_low, grid->is_absolute);
        if (!(error < best)) continue;
        memcpy(codes, tried, (size_t)n);
        best = error;
        scale = new_scale;
        low = new_low;
    }
    *minimum = -low;
    return scale;
}

static float positive_error(int n, int top, const float *x, const float *w, float inverse) {
    float error = 0, scale = 1 / inverse;
    for (int i = 0; i < n; i++) {
        float e = x[i] - scale * (float)lm_clamp(lm_round_even(inverse * x[i]), 0, top);
        error += w[i] * e * e;
    }
    return error;
}

float lm_search_positive(int n, int top, const float *x, uint8_t *codes, const float *w) {
    float most = 0, wxc = 0, wcc = 0;
    for (int i = 0; i < n; i++)
        if (x[i] > most) most = x[i];
    if (most < LM_SEARCH_TINY) {
        zero_codes(n, codes);
        return 0;
    }
    float inverse = (float)top / most, best = positive_error(n, top, x, w, inverse);
    for (int t = -4; t <= 4; t++) {
        if (t == 0) continue;
        float tried = (0.1f * (float)t + (float)top) / most, error = positive_error(n, top, x, w, tried);
        if (error < best) best = error, inverse = tried;
    }
    for (int i = 0; i < n; i++) {
        int c = lm_clamp(lm_round_even(inverse * x[i]), 0, top);
        codes[i] = (uint8_t)c;
        wxc += w[i] * x[i] * (float)c;
        wcc += w[i] * (float)c * (float)c;
    }
    for (int pass = 0, changes = 1; pass < 5 && changes > 0; pass++) {
        changes = 0;
        for (int i = 0; i < n; i++) {
            float old = (float)codes[i], rest_wxc = wxc - w[i] * x[i] * old, rest_wcc = wcc - w[i] * old * old;
            if (!(rest_wxc > 0 && rest_wcc > 0)) continue;
            int c = lm_clamp(lm_round_even(x[i] * rest_wcc / rest_wxc), 0, top);
            if (c == codes[i]) continue;
            rest_wxc += w[i] * x[i] * (float)c;
            rest_wcc += w[i] * (float)c * (float)c;
            if (!(rest_wxc * rest_wxc * wcc > wxc * wxc * rest_wcc)) continue;
            codes[i] = (uint8_t)c;
            wxc = rest_wxc;
            wcc = rest_wcc;
            changes++;
        }
    }
    return wcc > 0 ? wxc / wcc : 0;
}
