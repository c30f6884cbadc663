/* SPDX-License-Identifier: MIT
 * The types of 256 weights with many bits to put together, read line by line (matvec_lines.h). */
#include "matvec_lines.h"

#if defined(LM_HAVE_X86)
#include "../blocks.h"

LM_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,f16c,fma")

#include "vec512.h"
#include "codes_k.h"
#include "tiles.h"

#include "matvec_lines_body.h"

#define LINE_TYPE(name, order, shift, d, dmin)                                                                         \
    static const struct lm_line_type name##_line = {name##_BYTES, order, shift, name##_MINIMA != 0, d, dmin, 1};       \
    static LM_APART void name##_lines(const struct lm_line_type *type, struct lm_line_table *t, const uint8_t *w,      \
                                      size_t stride, int n_rows, const struct lm_line *line, int prefetches) {         \
        (void)type;                                                                                                    \
        fill_lines(&name##_line, name##_quad, t, w, stride, n_rows, line, prefetches);                                 \
    }                                                                                                                  \
    LINE_ENTRIES(name, name##_lines, lm_matvec_##name##_avx512vnni)

/* Q5_K: the low nibbles of 64 bytes are sub-blocks 0 and 2 of a half, the high ones 1 and 3; their fifth bits are bits 4h + i of 32
 * bytes. */
/* Words out of four blocks' scales: block b's of sub-block 4h + i four times, then of 4h + i + 1; i = 0 in the lower lanes, 2 in the
 * upper. */
LM_INLINE V spread32(V scales, const int b, const int h) {
    const int at = (8 * b + 4 * h) * 0x10001, next = at + 0x10001;
    V index = v_pair(_mm256_setr_epi32(at, at, next, next, at, at, next, next),
                     _mm256_setr_epi32(at + 0x20002, at + 0x20002, next + 0x20002, next + 0x20002, at + 0x20002,
                                       at + 0x20002, next + 0x20002, next + 0x20002));
    return _mm512_permutexvar_epi16(index, scales);
}
LM_INLINE V q5k_block(const uint8_t *p, const uint8_t *a, V scales, const int block) {
    V acc = v_zero(), bits = v_twice(p + 16), ten = v_set1_8(16), nibble = v_set1_8(15);
    LM_UNROLL(2) for (int h = 0; h < 2; h++) {
        V w = v_load_once(p + 48 + 64 * h);
        V b = v_srlv32(bits, v_pair(_mm256_set1_epi32(4 * h), _mm256_set1_epi32(4 * h + 2)));
        V low = v_and(v_select(nibble, w, v_sll16(b, 4)), v_or(ten, nibble)),
          high = v_and(v_select(nibble, v_srl16(w, 4), v_sll16(b, 3)), v_or(ten, nibble));
        low = dp_at(v_zero(), low, a + 128 * h), high = dp_at(v_zero(), high, a + 128 * h + 64);
        acc = v_dot16(acc, v_packs32(low, high), spread32(scales, block, h));
    }
    return acc;
}
LM_INLINE void LM_KERNEL q5k_quad(const uint8_t *p, const uint8_t *a, const void *book, V *part, V *minima) {
    (void)book;
    V all = unpack_scales6(v_rows(p, q5k_BYTES)), scales = v_widen_low(all), s[4];
    LM_UNROLL(4) for (int b = 0; b < 4; b++) s[b] = q5k_block(p + b * q5k_BYTES, a + 256 * b, scales, b);
    *part = v_hsum(s);
    *minima = v_madd16(v_widen_high(all), v_load(a + 1024));
}
LINE_TYPE(q5k, LINE_SPLIT, 0, 0, 2)

/* Types with a scale for each 16: two blocks' scales, 16 words each. */
LM_INLINE V two_scales(const uint8_t *p, const uint8_t *next) {
    return _mm512_cvtepi8_epi16(_mm256_set_m128i(_mm_loadu_si128((const __m128i *)(const void *)next),
                                                 _mm_loadu_si128((const __m128i *)(const void *)p)));
}
/* Two pairs of blocks, two lanes a block: one lane a block. */
LM_INLINE V join_pairs(V first, V second) {
    return v_add32(v_lanes(first, second, 0x88), v_lanes(first, second, 0xDD));
}

/* Q6_K: 64 bytes of nibbles are 64 successive codes, and 64 more; lane l has sub-blocks 8h + l and 8h + 4 + l. */
LM_INLINE V q6k_block(const uint8_t *p, const uint8_t *a, V scales, const int block) {
    static const int lanes[4] = {0, 1, 2, 3};
    V acc = v_zero(), nibble = v_set1_8(15), all = v_set1_8(63);
    LM_UNROLL(2) for (int h = 0; h < 2; h++) {
        V w = v_load_once(p + 64 * h);
        V b = v_srlv32(v_twice(p + 128 + 32 * h), v_pair(_mm256_setzero_si256(), _mm256_set1_epi32(2)));
        V low = v_and(v_select(nibble, w, v_sll16(b, 4)), all), high = v_and(v_select(nibble, v_srl16(w, 4), b), all);
        low = dp_at(v_zero(), low, a + 128 * h), high = dp_at(v_zero(), high, a + 128 * h + 64);
        acc = v_dot16(acc, v_packs32(low, high), spread16(scales, block, 8 * h, 8 * h + 4, lanes));
    }
    return acc;
}
LM_INLINE void LM_KERNEL q6k_quad(const uint8_t *p, const uint8_t *a, const void *book, V *part, V *minima) {
    (void)book;
    V s[4], pair[2];
    LM_UNROLL(1) for (int b = 0; b < 4; b += 2) {
        const uint8_t *block = p + b * q6k_BYTES;
        V scales = two_scales(block + 192, block + 192 + q6k_BYTES);
        s[b] = q6k_block(block, a + 256 * b, scales, 0);
        s[b + 1] = q6k_block(block + q6k_BYTES, a + 256 * b + 256, scales, 1);
        pair[b / 2] = v_madd16(scales, v_load(a + 1024 + 32 * b));
    }
    *part = v_hsum(s), *minima = join_pairs(pair[0], pair[1]);
}
LINE_TYPE(q6k, LINE_PLAIN, 5, 208, 208)

/* Q2_K: bits 2g, 2g + 1 of 64 bytes are the codes of group g of both halves; lanes 0, 1 have sub-blocks 2g and 2g + 1, lanes 2, 3 those
 * 8 further on. */
static const int line_halves[4] = {0, 1, 8, 9};
/* Four vectors of 64 codes times their scales. */
LM_INLINE V four_groups(const V x[4], const uint8_t *a, V scales, const int block) {
    V acc = v_zero();
    LM_UNROLL(2) for (int g = 0; g < 4; g += 2) {
        V s = dp_at(v_zero(), x[g], a + 64 * g), t = dp_at(v_zero(), x[g + 1], a + 64 * g + 64);
        acc = v_dot16(acc, v_packs32(s, t), spread16(scales, block, 2 * g, 2 * g + 2, line_halves));
    }
    return acc;
}
LM_INLINE V q2k_block(const uint8_t *p, const uint8_t *a, V scales, const int block) {
    V w = v_load_once(p + 16), x[4];
    LM_UNROLL(4) for (int g = 0; g < 4; g++) x[g] = v_two_bits(w, g);
    return four_groups(x, a, scales, block);
}
LM_INLINE void LM_KERNEL q2k_quad(const uint8_t *p, const uint8_t *a, const void *book, V *part, V *minima) {
    (void)book;
    V s[4], pair[2];
    LM_UNROLL(1) for (int b = 0; b < 4; b += 2) {
        const uint8_t *block = p + b * q2k_BYTES;
        V both = two_scales(block, block + q2k_BYTES), scales = v_and(both, v_set1(0x000f000f)),
          low = v_and(v_srl16(both, 4), v_set1(0x000f000f));
        s[b] = q2k_block(block, a + 256 * b, scales, 0);
        s[b + 1] = q2k_block(block + q2k_BYTES, a + 256 * b + 256, scales, 1);
        pair[b / 2] = v_madd16(low, v_load(a + 1024 + 32 * b));
    }
    *part = v_hsum(s), *minima = join_pairs(pair[0], pair[1]);
}
LINE_TYPE(q2k, LINE_GROUPS, 0, 80, 82)

/* Q3_K: the same with a third bit, 4h + g of 32 bytes. */
LM_INLINE V q3k_block(const uint8_t *p, const uint8_t *a, V scales, const int block) {
    V w = v_load_once(p + 32), x[4];
    V bits = v_srlv32(v_twice(p), v_pair(_mm256_setzero_si256(), _mm256_set1_epi32(4)));
    LM_UNROLL(4) for (int g = 0; g < 4; g++) {
        V low = g ? v_srl16(w, 2 * g) : w, high = g < 2 ? v_sll16(bits, 2 - g) : g > 2 ? v_srl16(bits, g - 2) : bits;
        x[g] = v_and(v_select(v_set1_8(3), low, high), v_set1_8(7));
    }
    return four_groups(x, a, scales, block);
}
LM_INLINE void LM_KERNEL q3k_quad(const uint8_t *p, const uint8_t *a, const void *book, V *part, V *minima) {
    (void)book;
    V s[4], pair[2], all = q3k_scales8(v_rows(p + 94, q3k_BYTES));
    LM_UNROLL(1) for (int b = 0; b < 4; b += 2) {
        const uint8_t *block = p + b * q3k_BYTES;
        V scales = _mm512_cvtepi8_epi16(b ? _mm512_extracti64x4_epi64(all, 1) : _mm512_castsi512_si256(all));
        s[b] = q3k_block(block, a + 256 * b, scales, 0);
        s[b + 1] = q3k_block(block + q3k_BYTES, a + 256 * b + 256, scales, 1);
        pair[b / 2] = v_madd16(scales, v_load(a + 1024 + 32 * b));
    }
    *part = v_hsum(s), *minima = join_pairs(pair[0], pair[1]);
}
LINE_TYPE(q3k, LINE_GROUPS, 2, 108, 108)

LM_TARGET_END
#else
typedef int lm_nothing_here;
#endif
