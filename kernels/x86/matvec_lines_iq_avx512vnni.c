/* SPDX-License-Identifier: MIT
 * Codebook types read line by line (matvec_lines.h): a codebook of 256 or 512 entries of 16 bits lies in 8 or 16 registers, and
 * permutations look 32 entries up at once. Those of 1024 and 2048 entries are faster looked up one by one (product_iq_avx2.c). Signs are
 * masks, applied to the activations. */
#include "matvec_lines.h"

#if defined(LM_HAVE_X86)
#include "../blocks.h"

LM_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,f16c,fma")

#include "vec512.h"
#include "codes_iq.h"
#include "codes_k.h"
#include "tiles.h"

#include "matvec_lines_body.h"

/* entry[index] of 32 indices, n entries */
LM_INLINE V look_up(V index, const uint16_t *entry, const int n) {
    V found[8];
    LM_UNROLL(8)
    for (int i = 0; i < n / 64; i++)
        found[i] = _mm512_permutex2var_epi16(v_load(entry + 64 * i), index, v_load(entry + 64 * i + 32));
    LM_UNROLL(3) for (int half = 1; half < n / 64; half *= 2) {
        __mmask32 is_second = _mm512_test_epi16_mask(index, _mm512_set1_epi16((short)(64 * half)));
        LM_UNROLL(4)
        for (int i = 0; i < n / 64; i += 2 * half)
            found[i] = _mm512_mask_mov_epi16(found[i], is_second, found[i + half]);
    }
    return found[0];
}

/* Magnitudes of 64 weights from the entries first.. of 32: 8 entries of 8 numbers of 2 bits, or 16 of 4 numbers of 4. */
LM_INLINE V magnitudes(V entries, const int first, const int per_entry, V levels) {
    static const uint16_t of_word[2][32] = {
        {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7},
        {0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15}};
    const int bits = 16 / per_entry;
    V index = v_add16(v_load(of_word[per_entry == 4]), _mm512_set1_epi16((short)first));
    V x = _mm512_permutexvar_epi16(index, entries);
    x = _mm512_srlv_epi16(x, per_entry == 8 ? _mm512_set1_epi64(0x000c000800040000)
                                            : _mm512_set1_epi64(0x0008000000080000));
    V number = v_set1(bits == 2 ? 0x00030003 : 0x000f000f);
    x = v_and(v_select(number, x, v_sll16(x, 8 - bits)), v_set1(bits == 2 ? 0x03030303 : 0x0f0f0f0f));
    return v_shuf8(levels, x);
}

/* Sum of 256 weights: entries [1] of 8 or [2] of 4, a sign bit each, 16 scales. */
LM_INLINE V sum_entries(const V *entries, const int per_entry, const uint8_t *signs, __m256i scales, const uint8_t *a,
                        V levels) {
    static const int lanes[4] = {0, 1, 2, 3};
    V acc = v_zero(), wide = _mm512_castsi256_si512(scales);
    LM_UNROLL(2) for (int i = 0; i < 4; i += 2) {
        V s[2];
        LM_UNROLL(2) for (int e = 0; e < 2; e++) {
            const int at = i + e;
            uint64_t is_negative;
            memcpy(&is_negative, signs + 8 * at, 8);
            V x = v_load(a + 64 * at);
            x = _mm512_mask_sub_epi8(x, is_negative, v_zero(), x);
            s[e] = dp(v_zero(),
                      per_entry == 8 ? magnitudes(entries[0], 8 * at, 8, levels)
                                     : magnitudes(entries[at / 2], 16 * (at % 2), 4, levels),
                      x);
        }
        acc = v_dot16(acc, v_packs32(s[0], s[1]), spread16(wide, 0, 4 * i, 4 * i + 4, lanes));
    }
    return acc;
}

static LM_APART V sum_eights(V entries, const uint8_t *signs, __m256i scales, const uint8_t *a) {
    return sum_entries(&entries, 8, signs, scales, a, v_lane(lm_iq2_levels));
}
static LM_APART V sum_fours(const V entries[2], const uint8_t *signs, __m256i scales, const uint8_t *a, V levels) {
    return sum_entries(entries, 4, signs, scales, a, levels);
}

LM_INLINE __m256i load32(const uint8_t *p) { return _mm256_loadu_si256((const __m256i *)(const void *)p); }

LM_INLINE V iq2xxs_block(const uint8_t *p, const uint8_t *a) {
    const V records = v_load(p + 2);
    V index = _mm512_cvtepu8_epi16(_mm512_cvtepi64_epi32(records));
    V entries = look_up(index, lm_iq2xxs_grid, 256);
    uint8_t signs[32];
    __m256i w = _mm512_cvtepi64_epi32(_mm512_srli_epi64(records, 32));
    _mm256_storeu_si256((__m256i *)(void *)signs, xxs_signs(w));
    return sum_eights(entries, signs, xxs_scales(w), a);
}
LM_INLINE V iq2xs_block(const uint8_t *p, const uint8_t *a) {
    const V q = v_load(p + 2);
    V entries = look_up(v_and(q, _mm512_set1_epi16(511)), lm_iq2xs_grid, 512);
    uint8_t signs[32];
    _mm256_storeu_si256((__m256i *)(void *)signs, even_signs(_mm512_cvtepi16_epi8(v_srl16(q, 9))));
    return sum_eights(entries, signs, nibble_scales(_mm_loadl_epi64((const __m128i *)(const void *)(p + 66))), a);
}
LM_INLINE V iq3xxs_block(const uint8_t *p, const uint8_t *a) {
    const V levels = v_lane(lm_iq3xxs_levels);
    V entries[2];
    uint8_t signs[32];
    LM_UNROLL(2)
    for (int i = 0; i < 2; i++) entries[i] = look_up(_mm512_cvtepu8_epi16(load32(p + 2 + 32 * i)), lm_iq3xxs_grid, 256);
    __m256i w = load32(p + 66);
    _mm256_storeu_si256((__m256i *)(void *)signs, xxs_signs(w));
    return sum_fours(entries, signs, xxs_scales(w), a, levels);
}
LM_INLINE V iq3s_block(const uint8_t *p, const uint8_t *a) {
    const V levels = v_lane(lm_iq3s_levels);
    V entries[2];
    LM_UNROLL(2) for (int i = 0; i < 2; i++) {
        uint32_t high;
        memcpy(&high, p + 66 + 4 * i, 4);
        V index = _mm512_cvtepu8_epi16(load32(p + 2 + 32 * i));
        entries[i] = look_up(v_or(index, _mm512_maskz_set1_epi16(high, 256)), lm_iq3s_grid, 512);
    }
    return sum_fours(entries, p + 74, nibble_scales(iq3s_nibbles(p + 106)), a, levels);
}

/* Their blocks take long: one loop serves all. */
static LM_APART void codebook_lines(const struct lm_line_type *type, quad_fn *quad, struct lm_line_table *t,
                                    const uint8_t *w, size_t stride, int n_rows, const struct lm_line *line,
                                    int prefetches) {
    fill_lines(type, quad, t, w, stride, n_rows, line, prefetches);
}
#define LINE_IQ(name, factor)                                                                                          \
    static LM_APART void name##_quad(const uint8_t *p, const uint8_t *a, V *part, V *minima) {                         \
        V s[4];                                                                                                        \
        (void)minima;                                                                                                  \
        LM_UNROLL(1) for (int b = 0; b < 4; b++) s[b] = name##_block(p + b * name##_BYTES, a + 256 * b);               \
        *part = v_hsum(s);                                                                                             \
    }                                                                                                                  \
    static const struct lm_line_type name##_line = {name##_BYTES, LINE_PLAIN, 0, 0, 0, 0, factor};                     \
    static void LM_KERNEL name##_lines(const struct lm_line_type *type, struct lm_line_table *t, const uint8_t *w,     \
                                       size_t stride, int n_rows, const struct lm_line *line, int prefetches) {        \
        codebook_lines(type, name##_quad, t, w, stride, n_rows, line, prefetches);                                     \
    }                                                                                                                  \
    LINE_ENTRIES(name, name##_lines, lm_matvec_##name##_avx2)                                                          \
    void LM_KERNEL lm_matvec_##name##_avx512vnni(const void *w, size_t row_bytes, int32_t n_rows, const lm_acts *acts, \
                                                 int32_t first, int32_t n, float *out, size_t out_stride) {            \
        if (n == 1)                                                                                                    \
            lm_matvec_##name##_line(w, row_bytes, n_rows, acts, first, 1, out);                                        \
        else                                                                                                           \
            lm_matvec_##name##_avx2(w, row_bytes, n_rows, acts, first, n, out, out_stride);                            \
    }
LINE_IQ(iq2xxs, 0.125f)
LINE_IQ(iq2xs, 0.125f)
LINE_IQ(iq3xxs, 0.25f)
LINE_IQ(iq3s, 1)

LM_TARGET_END
#else
typedef int lm_nothing_here;
#endif
