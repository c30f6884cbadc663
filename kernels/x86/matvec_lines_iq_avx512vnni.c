/* SPDX-License-Identifier: MIT
 * Codebook types read line by line (matvec_lines.h), a quad of blocks step by step: one block alone would mostly wait for itself.
 *
 * A codebook of up to 512 entries of 16 bits lies in registers or beside them, and permutations look 32 entries up at once. A byte of
 * an entry stands for four weights (two of IQ3): shuffles take the same one out of all bytes, and the activations are laid out to
 * match, so that four successive bytes are weights of one scale.
 *
 * Of the 1024 and 2048 entries of IQ2_S and IQ1 a call makes a book of bytes, which takes a hundredth of its time: then a look-up is
 * one load. Signs are masks, applied to the activations. */
#include "matvec_lines.h"

#if defined(LM_HAVE_X86)
#include "../blocks.h"

LM_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,f16c,fma")

#include "vec512.h"
#include "codes_iq.h"
#include "codes_k.h"
#include "tiles.h"

#include "matvec_lines_body.h"

LM_INLINE __m256i load32(const uint8_t *p) { return _mm256_loadu_si256((const __m256i *)(const void *)p); }
LM_INLINE __m128i load16(const uint8_t *p) { return _mm_loadu_si128((const __m128i *)(const void *)p); }
LM_INLINE __m128i load8(const uint8_t *p) { return _mm_loadl_epi64((const __m128i *)(const void *)p); }

/* What the numbers of 2 bits stand for: 8, 25, 43; and 0, 8, 16, eight times the levels and eight more. */
enum { IQ2_LEVELS = 0x002b1908, IQ1_LEVELS = 0x00100800 };

/* ---- IQ2_XXS, IQ2_XS, IQ3: permutations ---- */

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

/* acc + magnitudes . activations at a, negative where the bits of signs that bit names are */
LM_INLINE V add_plane(V acc, V magnitudes, const uint8_t *a, V signs, const int bit) {
    V x = v_load(a);
    return dp(acc, magnitudes, _mm512_mask_sub_epi8(x, _mm512_test_epi8_mask(signs, v_set1_8(bit)), v_zero(), x));
}

/* 32 entries of 8 weights, numbers of 2 bits, and their sign bytes as words; a scale of 16 weights. */
LM_INLINE V sum_eights(const V *block, __m256i sign_bytes, __m256i scales, const uint8_t *a) {
    const V nibble = v_set1_8(15), of_low = v_set1(IQ2_LEVELS),
            of_high = _mm512_broadcast_i32x4(_mm_setr_epi32(0x08080808, 0x19191919, 0x2b2b2b2b, 0));
    V entries = *block, signs = _mm512_cvtepu8_epi16(sign_bytes), acc[2] = {v_zero(), v_zero()};
    V first = v_and(entries, nibble), second = v_and(v_srl16(entries, 4), nibble);
    signs = v_or(signs, v_sll16(signs, 4)); /* bits 0..3 of each byte */
    acc[0] = add_plane(acc[0], v_shuf8(of_low, first), a, signs, 1);
    acc[1] = add_plane(acc[1], v_shuf8(of_high, first), a + 64, signs, 2);
    acc[0] = add_plane(acc[0], v_shuf8(of_low, second), a + 128, signs, 4);
    acc[1] = add_plane(acc[1], v_shuf8(of_high, second), a + 192, signs, 8);
    return v_mullo32(v_add32(acc[0], acc[1]), _mm512_cvtepi16_epi32(scales));
}
/* Twice 32 entries of 4 weights, numbers of 4 bits. */
LM_INLINE V sum_fours(const V *entries, __m256i sign_bytes, __m256i scales, const uint8_t *a, const uint8_t *level) {
    const V nibble = v_set1_8(15);
    V acc[2], wide = _mm512_cvtepi16_epi32(scales), levels = v_lane(level);
    LM_UNROLL(2) for (int i = 0; i < 2; i++) {
        V signs =
            _mm512_cvtepu8_epi32(i ? _mm256_extracti128_si256(sign_bytes, 1) : _mm256_castsi256_si128(sign_bytes));
        signs = v_or(signs, v_sll32(signs, 12));
        signs = v_or(signs, v_sll16(signs, 6)); /* bits 0, 1 of each byte */
        V sum = add_plane(v_zero(), v_shuf8(levels, v_and(entries[i], nibble)), a + 128 * i, signs, 1);
        sum = add_plane(sum, v_shuf8(levels, v_and(v_srl16(entries[i], 4), nibble)), a + 128 * i + 64, signs, 2);
        V each = _mm512_permutexvar_epi32(
            _mm512_add_epi32(_mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7), v_set1(8 * i)), wide);
        acc[i] = v_mullo32(sum, each);
    }
    return v_add32(acc[0], acc[1]);
}

/* Of each type the entries, the sign bytes and the scales of a block. */
LM_INLINE void iq2xxs_entries(const uint8_t *p, V *to) {
    *to = look_up(_mm512_cvtepu8_epi16(_mm512_cvtepi64_epi32(v_load(p + 2))), lm_iq2xxs_grid, 256);
}
LM_INLINE __m256i iq2xxs_words(const uint8_t *p) { return _mm512_cvtepi64_epi32(_mm512_srli_epi64(v_load(p + 2), 32)); }
LM_INLINE __m256i iq2xxs_signs(const uint8_t *p) { return xxs_signs(iq2xxs_words(p)); }
LM_INLINE __m256i iq2xxs_scales(const uint8_t *p) { return xxs_scales(iq2xxs_words(p)); }

LM_INLINE void iq2xs_entries(const uint8_t *p, V *to) { *to = look_up(v_load(p + 2), lm_iq2xs_grid, 512); }
LM_INLINE __m256i iq2xs_signs(const uint8_t *p) { return even_signs(_mm512_cvtepi16_epi8(v_srl16(v_load(p + 2), 9))); }
LM_INLINE __m256i iq2xs_scales(const uint8_t *p) { return nibble_scales(load8(p + 66)); }

LM_INLINE void iq3xxs_entries(const uint8_t *p, V *to) {
    LM_UNROLL(2)
    for (int i = 0; i < 2; i++) to[i] = look_up(_mm512_cvtepu8_epi16(load32(p + 2 + 32 * i)), lm_iq3xxs_grid, 256);
}
LM_INLINE __m256i iq3xxs_signs(const uint8_t *p) { return xxs_signs(load32(p + 66)); }
LM_INLINE __m256i iq3xxs_scales(const uint8_t *p) { return xxs_scales(load32(p + 66)); }

LM_INLINE void iq3s_entries(const uint8_t *p, V *to) {
    LM_UNROLL(2) for (int i = 0; i < 2; i++) {
        uint32_t high;
        memcpy(&high, p + 66 + 4 * i, 4);
        V index = _mm512_cvtepu8_epi16(load32(p + 2 + 32 * i));
        to[i] = look_up(v_or(index, _mm512_maskz_set1_epi16(high, 256)), lm_iq3s_grid, 512);
    }
}
LM_INLINE __m256i iq3s_signs(const uint8_t *p) { return load32(p + 74); }
LM_INLINE __m256i iq3s_scales(const uint8_t *p) { return nibble_scales(iq3s_nibbles(p + 106)); }

/* ---- IQ2_S, IQ1: a book ---- */

/* A block: indices of 8 weights, scales of 16; bits of negative weights, or (IQ1) of each 8 whether their shift is the lower one. */
struct apart {
    _Alignas(64) uint16_t index[32];
    int16_t scales[16];
    uint8_t bits[32];
};
LM_INLINE void put32(void *to, __m256i x) { _mm256_storeu_si256((__m256i *)to, x); }

LM_INLINE void iq2s_apart(struct apart *to, const uint8_t *p) {
    static const uint8_t of_word[64] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2,
                                        2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5,
                                        5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7, 7, 7, 7, 7, 7, 7, 7};
    V high = v_shuf8(_mm512_broadcast_i32x4(load8(p + 66)), v_load(of_word));
    high = _mm512_srlv_epi16(high, _mm512_set1_epi64(0x0006000400020000)); /* bits 2k and up of each byte */
    high = v_sll16(v_and(high, _mm512_set1_epi16(3)), 8);
    v_store(to->index, v_or(_mm512_cvtepu8_epi16(load32(p + 2)), high));
    put32(to->scales, nibble_scales(load8(p + 74))), put32(to->bits, load32(p + 34));
}
LM_INLINE void iq1s_apart(struct apart *to, const uint8_t *p) {
    static const uint16_t of_word[32] = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3,
                                         4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7};
    __m128i h = load16(p + 34);
    V each = _mm512_permutexvar_epi16(v_load(of_word), _mm512_castsi128_si512(h));
    V high = v_and(_mm512_srlv_epi16(each, _mm512_set1_epi64(0x0009000600030000)), _mm512_set1_epi16(7));
    uint32_t lowers = _mm512_movepi16_mask(each);
    __m256i scale = _mm256_and_si256(_mm256_srli_epi32(_mm256_cvtepu16_epi32(h), 11), _mm256_set1_epi32(14));
    scale = _mm256_or_si256(scale, _mm256_set1_epi32(1));
    v_store(to->index, v_or(_mm512_cvtepu8_epi16(load32(p + 2)), v_sll16(high, 8)));
    put32(to->scales, _mm256_or_si256(scale, _mm256_slli_epi32(scale, 16)));
    memcpy(to->bits, &lowers, 4);
}
LM_INLINE void iq1m_apart(struct apart *to, const uint8_t *p) {
    V each = _mm512_cvtepu8_epi32(load16(p + 32));
    each = v_or(each, v_sll32(each, 12)); /* a nibble at the bottom of each word */
    uint32_t lowers = _mm512_test_epi16_mask(each, _mm512_set1_epi16(8));
    __m256i scale =
        _mm256_permutevar8x32_epi32(_mm256_castsi128_si256(load8(p + 48)), _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1));
    scale = _mm256_shufflehi_epi16(_mm256_shufflelo_epi16(scale, 0), 0x55);
    scale = _mm256_and_si256(_mm256_srlv_epi16(scale, _mm256_set1_epi64x(0x0009000600030000)), _mm256_set1_epi16(7));
    scale = _mm256_or_si256(_mm256_add_epi16(scale, scale), _mm256_set1_epi16(1));
    v_store(to->index, v_or(_mm512_cvtepu8_epi16(load32(p)), v_sll16(v_and(each, _mm512_set1_epi16(7)), 8)));
    put32(to->scales, scale);
    memcpy(to->bits, &lowers, 4);
}

/* The bytes of n entries of 8 numbers of 2 bits, which stand for levels. */
static LM_APART void open_book(uint64_t *book, const uint16_t *entry, int n, uint32_t levels) {
    const V words = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0908090809080908, 0x0100010001000100));
    for (int i = 0; i < n; i += 8) {
        V x = _mm512_cvtepu16_epi64(load16((const uint8_t *)(entry + i)));
        x = _mm512_srlv_epi16(v_shuf8(x, words), _mm512_set1_epi64(0x000c000800040000));
        x = v_and(v_or(v_and(x, v_set1(0x00030003)), v_sll16(x, 6)), v_set1(0x03030303));
        v_store(book + i, v_shuf8(v_set1((int)levels), x));
    }
}
/* 64 weights. Indices come out of integer registers: as loads they would be too many, from vectors too slow. */
LM_INLINE V look_eights_up(const uint64_t *book, const uint16_t *index) {
    __m128 x[4];
    LM_UNROLL(2) for (int i = 0; i < 2; i++) {
        uint64_t four;
        memcpy(&four, index + 4 * i, 8);
        __asm__("" : "+r"(four));
        LM_UNROLL(2) for (int j = 2 * i; j < 2 * i + 2; j++, four >>= 32) {
            x[j] = _mm_castsi128_ps(load8((const uint8_t *)(book + (uint16_t)four)));
            x[j] = _mm_loadh_pi(x[j], (const __m64 *)(const void *)(book + (uint16_t)(four >> 16)));
        }
    }
    return v_pair(_mm256_castps_si256(_mm256_set_m128(x[1], x[0])), _mm256_castps_si256(_mm256_set_m128(x[3], x[2])));
}
/* The products of 64 weights. One of IQ1 is its entry plus 2 where the shift is not the lower one, and 9 less (below). */
LM_INLINE V dot_eights(const struct apart *b, const int i, const uint64_t *book, const uint8_t *a, const int is_iq1) {
    V x = look_eights_up(book, b->index + 8 * i);
    if (is_iq1) return dp_at(v_zero(), _mm512_mask_or_epi64(x, (__mmask8)~b->bits[i], x, v_set1(0x02020202)), a);
    uint64_t is_negative;
    memcpy(&is_negative, b->bits + 8 * i, 8);
    V act = v_load(a);
    return dp(v_zero(), x, _mm512_mask_sub_epi8(act, is_negative, v_zero(), act));
}
LM_INLINE V sum_book(const struct apart *b, const void *book, const uint8_t *a, const uint8_t *sums, const int is_iq1) {
    static const int lanes[4] = {0, 1, 2, 3};
    __m256i scales = load32((const uint8_t *)b->scales);
    V acc = v_zero();
    if (is_iq1)
        acc =
            _mm512_zextsi256_si512(_mm256_madd_epi16(_mm256_mullo_epi16(scales, _mm256_set1_epi16(-9)), load32(sums)));
    LM_UNROLL(2) for (int i = 0; i < 4; i += 2) {
        V s[2];
        LM_UNROLL(2) for (int e = 0; e < 2; e++) s[e] = dot_eights(b, i + e, book, a + 64 * (i + e), is_iq1);
        acc = v_dot16(acc, v_packs32(s[0], s[1]), spread16(_mm512_castsi256_si512(scales), 0, 4 * i, 4 * i + 4, lanes));
    }
    return acc;
}

/* ---- entry points ---- */

/* Four blocks: entries (IQ3: twice), signs, scales. */
struct quad {
    V entries[4][2];
    __m256i signs[4], scales[4];
};
static LM_APART void sum_quad_eights(const struct quad *q, const uint8_t *a, V *part) {
    V s[4];
    LM_UNROLL(1)
    for (int b = 0; b < 4; b++) s[b] = sum_eights(q->entries[b], q->signs[b], q->scales[b], a + 256 * b);
    *part = v_hsum(s);
}
static LM_APART void sum_quad_fours(const struct quad *q, const uint8_t *a, const uint8_t *levels, V *part) {
    V s[4];
    LM_UNROLL(1)
    for (int b = 0; b < 4; b++) s[b] = sum_fours(q->entries[b], q->signs[b], q->scales[b], a + 256 * b, levels);
    *part = v_hsum(s);
}
LM_INLINE void sum_quad_book(const struct apart *q, const uint8_t *a, const void *book, V *part, const int is_iq1) {
    V s[4];
    __asm__("" : : : "memory"); /* what was taken apart goes through memory (look_eights_up) */
    LM_UNROLL(1)
    for (int b = 0; b < 4; b++) s[b] = sum_book(q + b, book, a + 256 * b, a + 1024 + 32 * b, is_iq1);
    *part = v_hsum(s);
}
static LM_APART void sum_quad_iq1(const struct apart *q, const uint8_t *a, const void *book, V *part) {
    sum_quad_book(q, a, book, part, 1);
}
#define QUAD(name, sum, ...)                                                                                           \
    static LM_APART void name##_quad(const uint8_t *p, const uint8_t *a, const void *book, V *part, V *minima) {       \
        struct quad q;                                                                                                 \
        (void)book, (void)minima;                                                                                      \
        LM_UNROLL(1) for (int b = 0; b < 4; b++) name##_entries(p + b * name##_BYTES, q.entries[b]);                   \
        LM_UNROLL(1)                                                                                                   \
        for (int b = 0; b < 4; b++, p += name##_BYTES) q.signs[b] = name##_signs(p), q.scales[b] = name##_scales(p);   \
        sum(&q, a, __VA_ARGS__);                                                                                       \
    }
#define QUAD_BOOK(name, sum, ...)                                                                                      \
    static LM_APART void name##_quad(const uint8_t *p, const uint8_t *a, const void *book, V *part, V *minima) {       \
        struct apart q[4];                                                                                             \
        (void)minima;                                                                                                  \
        LM_UNROLL(1) for (int b = 0; b < 4; b++) name##_apart(q + b, p + b * name##_BYTES);                            \
        sum(q, a, book, __VA_ARGS__);                                                                                  \
    }
/* A type, and the codebook of which it needs a book. */
struct codebook_type {
    struct lm_line_type line;
    quad_fn *quad;
    const uint16_t *entry;
    int n_entries;
    uint32_t levels;
};
/* Their blocks take long: one loop serves all, and prefetches cost little. */
static void LM_KERNEL codebook_lines(const struct lm_line_type *type, struct lm_line_table *t, const uint8_t *w,
                                     size_t stride, int n_rows, const struct lm_line *line, int prefetches) {
    fill_lines(type, ((const struct codebook_type *)(const void *)type)->quad, t, w, stride, n_rows, line, prefetches);
}
/* One column; more are faster with 256 bits, where a look-up serves them all. */
static LM_APART void codebook_column(const struct codebook_type *type, const void *w, size_t row_bytes, int32_t n_rows,
                                     const lm_acts *acts, int32_t c, float *out) {
    _Alignas(64) uint64_t book[2048];
    open_book(book, type->entry, type->n_entries, type->levels);
    lm_run_lines(codebook_lines, &type->line, w, row_bytes, n_rows, acts, c, 1, book, out);
}
#define LINE_IQ(name, order, d, factor, ...)                                                                           \
    void LM_KERNEL lm_matvec_##name##_avx512vnni(const void *w, size_t row_bytes, int32_t n_rows, const lm_acts *acts, \
                                                 int32_t first, int32_t n, float *out, size_t out_stride) {            \
        static const struct codebook_type type = {                                                                     \
            {name##_BYTES, order, 0, 0, d, 0, factor}, name##_quad, __VA_ARGS__};                                      \
        if (n == 1)                                                                                                    \
            codebook_column(&type, w, row_bytes, n_rows, acts, first, out);                                            \
        else                                                                                                           \
            lm_matvec_##name##_avx2(w, row_bytes, n_rows, acts, first, n, out, out_stride);                            \
    }
QUAD(iq2xxs, sum_quad_eights, part)
QUAD(iq2xs, sum_quad_eights, part)
QUAD(iq3xxs, sum_quad_fours, lm_iq3xxs_levels, part)
QUAD(iq3s, sum_quad_fours, lm_iq3s_levels, part)
QUAD_BOOK(iq2s, sum_quad_book, part, 0)
QUAD_BOOK(iq1s, sum_quad_iq1, part)
QUAD_BOOK(iq1m, sum_quad_iq1, part)
LINE_IQ(iq2xxs, LINE_FOURTHS, 0, 0.125f, NULL, 0, 0)
LINE_IQ(iq2xs, LINE_FOURTHS, 0, 0.125f, NULL, 0, 0)
LINE_IQ(iq3xxs, LINE_HALVES, 0, 0.25f, NULL, 0, 0)
LINE_IQ(iq3s, LINE_HALVES, 0, 1, NULL, 0, 0)
LINE_IQ(iq2s, LINE_PLAIN, 0, 0.125f, lm_iq2s_grid, 1024, IQ2_LEVELS)
LINE_IQ(iq1s, LINE_PLAIN, 0, 0.125f, lm_iq1s_grid, 2048, IQ1_LEVELS)
LINE_IQ(iq1m, LINE_PLAIN, -1, 0.125f, lm_iq1s_grid, 2048, IQ1_LEVELS)

LM_TARGET_END
#else
typedef int lm_nothing_here;
#endif
