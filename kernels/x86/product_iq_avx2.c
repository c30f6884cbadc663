/* SPDX-License-Identifier: MIT
 * Decode (1..4 columns) of the codebook types, for all levels from avx2 on. A plan takes one block of a row apart with vector
 * instructions: codebook indices, sign bits, scales. A sum then looks up 32 weights at a time and multiplies them with every column.
 * The look-ups, two loads each, are what limits decode: 64 per block for IQ3, 32 for IQ2 and IQ1. */
#include "x86.h"

#if defined(LM_HAVE_X86)
#include <math.h>

#include "../blocks.h"
#include "../half.h"

LM_TARGET_BEGIN("avx2,f16c,fma")

#include "codes_iq.h"

struct plan {
    uint16_t index[64]; /* of 8 weights, or of 4 (IQ3) */
    uint32_t
        signs[8]; /* bit e of n: weight 32n + e is negative; IQ1: bits 3, 7, 11, 15 of n lower the shift of 8 weights */
    int16_t scale[16]; /* of 16 weights */
    float d;
};
typedef void LM_KERNEL plan_fn(struct plan *plan, const void *block);

LM_INLINE __m256i load(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }
LM_INLINE void store(void *p, __m256i x) { _mm256_storeu_si256((__m256i *)p, x); }
LM_INLINE __m128i load16(const void *p) { return _mm_loadu_si128((const __m128i *)p); }
LM_INLINE __m128i load8(const void *p) { return _mm_loadl_epi64((const __m128i *)p); }
LM_INLINE __m256i words(const void *p) { return _mm256_cvtepu8_epi16(load16(p)); } /* 16 bytes widened */

LM_INLINE void plan_xxs(struct plan *plan, __m256i w) {
    store(plan->signs, xxs_signs(w)), store(plan->scale, xxs_scales(w));
}
LM_INLINE void plan_nibbles(struct plan *plan, __m128i bytes) { store(plan->scale, nibble_scales(bytes)); }
/* Words i of 16: the bytes (u16) of source that spread names, times factor, of which high keeps the bits above 8. */
LM_INLINE void plan_index(struct plan *plan, int i, const void *low, __m256i high_bits, __m256i factor, int mask) {
    __m256i high = _mm256_and_si256(_mm256_mullo_epi16(high_bits, factor), _mm256_set1_epi16((short)mask));
    store(plan->index + 16 * i, _mm256_or_si256(words(low), high));
}
LM_INLINE __m256i spread_words(const void *p, int64_t step0, int64_t step1, int64_t step2, int64_t step3) {
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(load8(p)), _mm256_setr_epi64x(step0, step1, step2, step3));
}
#define BYTE_4(i) (((int64_t)0x8000800080008000u) | (i)*0x0001000100010001)
#define WORD_4(i) ((i)*0x0202020202020202 + 0x0100010001000100)

static void LM_KERNEL plan_iq2xxs(struct plan *plan, const void *block) {
    const lm_block_iq2xxs *b = block;
    __m256 low = _mm256_castsi256_ps(load(b->qs)), high = _mm256_castsi256_ps(load(b->qs + 32));
    __m256i index = _mm256_castps_si256(_mm256_shuffle_ps(low, high, 0x88)),
            w = _mm256_castps_si256(_mm256_shuffle_ps(low, high, 0xdd)); /* records 0 1 4 5, 2 3 6 7 */
    index = _mm256_permute4x64_epi64(index, 0xd8), w = _mm256_permute4x64_epi64(w, 0xd8);
    store(plan->index, _mm256_cvtepu8_epi16(_mm256_castsi256_si128(index)));
    store(plan->index + 16, _mm256_cvtepu8_epi16(_mm256_extracti128_si256(index, 1)));
    plan_xxs(plan, w);
    plan->d = lm_load_f16(b->d) * 0.125f;
}

static void LM_KERNEL plan_iq2xs(struct plan *plan, const void *block) {
    const lm_block_iq2xs *b = block;
    __m256i q0 = load(b->qs), q1 = load(b->qs + 32), mask = _mm256_set1_epi16(511);
    store(plan->index, _mm256_and_si256(q0, mask)), store(plan->index + 16, _mm256_and_si256(q1, mask));
    __m256i signs = _mm256_packus_epi16(_mm256_srli_epi16(q0, 9), _mm256_srli_epi16(q1, 9));
    store(plan->signs, even_signs(_mm256_permute4x64_epi64(signs, 0xd8)));
    plan_nibbles(plan, load8(b->scales));
    plan->d = lm_load_f16(b->d) * 0.125f;
}

static void LM_KERNEL plan_iq2s(struct plan *plan, const void *block) {
    const lm_block_iq2s *b = block;
    const __m256i factor = _mm256_set1_epi64x(0x0004001000400100);
    plan_index(plan, 0, b->qs, spread_words(b->qh, BYTE_4(0), BYTE_4(1), BYTE_4(2), BYTE_4(3)), factor, 0x300);
    plan_index(plan, 1, b->qs + 16, spread_words(b->qh, BYTE_4(4), BYTE_4(5), BYTE_4(6), BYTE_4(7)), factor, 0x300);
    memcpy(plan->signs, b->signs, 32);
    plan_nibbles(plan, load8(b->scales));
    plan->d = lm_load_f16(b->d) * 0.125f;
}

static void LM_KERNEL plan_iq3xxs(struct plan *plan, const void *block) {
    const lm_block_iq3xxs *b = block;
    for (int i = 0; i < 4; i++) store(plan->index + 16 * i, words(b->qs + 16 * i));
    plan_xxs(plan, load(b->gas));
    plan->d = lm_load_f16(b->d) * 0.25f;
}

static void LM_KERNEL plan_iq3s(struct plan *plan, const void *block) {
    const lm_block_iq3s *b = block;
    const __m256i factor =
        _mm256_set_epi64x(0x0002000400080010, 0x0020004000800100, 0x0002000400080010, 0x0020004000800100);
    for (int i = 0; i < 4; i++)
        plan_index(plan, i, b->qs + 16 * i, spread_words(b->qh + 2 * i, BYTE_4(0), BYTE_4(0), BYTE_4(1), BYTE_4(1)),
                   factor, 0x100);
    memcpy(plan->signs, b->signs, 32);
    plan_nibbles(plan, iq3s_nibbles(b->scales));
    plan->d = lm_load_f16(b->d);
}

static void LM_KERNEL plan_iq1s(struct plan *plan, const void *block) {
    const lm_block_iq1s *b = block;
    __m128i h = load16(b->qh);
    for (int i = 0; i < 2; i++) { /* 3 bits each: h << 8, h << 5, h << 2, h >> 1 */
        __m256i four = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(i ? _mm_unpackhi_epi64(h, h) : h),
                                           _mm256_setr_epi64x(WORD_4(0), WORD_4(1), WORD_4(2), WORD_4(3)));
        __m256i factor = _mm256_set1_epi64x(0x0001000400200100);
        four = _mm256_blend_epi16(four, _mm256_srli_epi16(four, 1), 0x88);
        plan_index(plan, i, b->qs + 16 * i, four, factor, 0x700);
    }
    __m256i wide = _mm256_cvtepu16_epi32(h),
            scale = _mm256_and_si256(_mm256_srli_epi32(wide, 12), _mm256_set1_epi32(7));
    scale = _mm256_or_si256(_mm256_add_epi32(scale, scale), _mm256_set1_epi32(1));
    store(plan->scale, _mm256_or_si256(scale, _mm256_slli_epi32(scale, 16)));
    /* bit 15 stands for all four */
    store(plan->signs, _mm256_srai_epi32(_mm256_slli_epi32(wide, 16), 31));
    plan->d = lm_load_f16(b->d) * 0.125f;
}

static void LM_KERNEL plan_iq1m(struct plan *plan, const void *block) {
    const lm_block_iq1m *b = block;
    const __m256i factor = _mm256_set1_epi32(0x00100100);
    for (int i = 0; i < 2; i++)
        plan_index(plan, i, b->qs + 16 * i,
                   spread_words(b->qh + 8 * i, (int64_t)0x8001800180008000u, (int64_t)0x8003800380028002u,
                                (int64_t)0x8005800580048004u, (int64_t)0x8007800780068006u),
                   factor, 0x700);
    store(plan->signs, _mm256_cvtepu16_epi32(load16(b->qh)));
    __m256i s = spread_words(b->scales, WORD_4(0), WORD_4(1), WORD_4(2), WORD_4(3));
    s = _mm256_srli_epi16(_mm256_mullo_epi16(s, _mm256_set1_epi64x(0x0001000800400200)), 9);
    s = _mm256_and_si256(s, _mm256_set1_epi16(7));
    store(plan->scale, _mm256_or_si256(_mm256_add_epi16(s, s), _mm256_set1_epi16(1)));
    uint8_t d[2] = {(uint8_t)(b->scales[1] >> 4 | (b->scales[3] & 0xf0)),
                    (uint8_t)(b->scales[5] >> 4 | (b->scales[7] & 0xf0))};
    plan->d = lm_load_f16(d) * 0.125f;
}

enum { EIGHTS, FOURS, SHIFTED, ROWS = 4 };

const uint8_t lm_iq3xxs_levels[16] = {4, 12, 20, 28, 36, 44, 52, 62}, lm_iq3s_levels[16] = {1, 3, 5, 7, 9, 11, 13, 15};
/* Of 8 elements, number n is met as n or as 4 * n. */
static const uint8_t levels_iq2[16] = {8, 25, 43, 0, 25, 0, 0, 0, 43}, levels_iq1[16] = {0, 8, 16, 0, 8, 0, 0, 0, 16};

/* Bytes of entries of 8 weights, each four times: the numbers are spread and become levels. */
LM_INLINE __m256i spread_eights(__m256i x, __m256i levels) {
    x = _mm256_and_si256(x, _mm256_set1_epi32((int)0xc0300c03u)); /* element j of 4 in byte j */
    x = _mm256_or_si256(x, _mm256_srli_epi16(x, 4));
    return _mm256_shuffle_epi8(levels, _mm256_and_si256(x, _mm256_set1_epi8(15)));
}
/* Words with a byte of an entry of 4 weights: the same. */
LM_INLINE __m256i spread_fours(__m256i x, __m256i levels) {
    x = _mm256_or_si256(x, _mm256_slli_epi16(x, 4));
    return _mm256_shuffle_epi8(levels, _mm256_and_si256(x, _mm256_set1_epi8(15)));
}

struct form {
    plan_fn *plan;
    const uint16_t *grid;
    const uint8_t *levels;
    size_t block_bytes;
    int n_entries;
};

/* The codebook as bytes: a call opens it once, which takes a hundredth of its time, and then a look-up is one load. */
union book {
    uint64_t eights[2048];
    uint32_t fours[512];
};
LM_INLINE void open_book(union book *book, const struct form *f, const int kind) {
    const __m256i levels = _mm256_broadcastsi128_si256(load16(f->levels)),
                  each4 = _mm256_broadcastsi128_si256(_mm_set_epi64x(0x0909090908080808, 0x0101010100000000));
    for (int i = 0; i < f->n_entries; i += kind == FOURS ? 8 : 4) {
        if (kind == FOURS)
            store(book->fours + i, spread_fours(_mm256_cvtepu8_epi16(load16(f->grid + i)), levels));
        else
            store(book->eights + i,
                  spread_eights(_mm256_shuffle_epi8(_mm256_cvtepu16_epi64(load8(f->grid + i)), each4), levels));
    }
}

/* Signs of 32 weights n: -1, or 1. Of SHIFTED what is added to 8 * level - 9: 2 where the shift is not the lower one. */
LM_INLINE __m256i signs_of(const struct plan *plan, int n, const int kind) {
    const __m256i bits = _mm256_set1_epi64x((long long)0x8040201008040201u),
                  at = _mm256_setr_epi64x(0x0008000800080008, 0x0080008000800080, 0x0800080008000800,
                                          (long long)0x8000800080008000u);
    __m256i word = _mm256_set1_epi32((int)plan->signs[n]);
    if (kind == SHIFTED) {
        word = _mm256_cmpeq_epi16(_mm256_and_si256(_mm256_shuffle_epi8(word, _mm256_set1_epi16(0x0100)), at), at);
        return _mm256_andnot_si256(word, _mm256_set1_epi8(2));
    }
    word = _mm256_shuffle_epi8(word, _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303));
    return _mm256_or_si256(_mm256_cmpeq_epi8(_mm256_and_si256(word, bits), bits), _mm256_set1_epi8(1));
}

/* 32 weights n as magnitudes (SHIFTED: 8 * level). */
LM_INLINE __m256i look_up(const struct plan *plan, int n, const union book *book, const int kind) {
    const uint16_t *index = plan->index + (kind == FOURS ? 8 : 4) * n;
    if (kind == FOURS) {
        int32_t x[8];
        LM_UNROLL(8) for (int i = 0; i < 8; i++) x[i] = (int32_t)book->fours[index[i]];
        return _mm256_setr_epi32(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]);
    }
    __m128 half[2];
    LM_UNROLL(2) for (int i = 0; i < 2; i++) {
        half[i] = _mm_castsi128_ps(load8(book->eights + index[2 * i]));
        half[i] = _mm_loadh_pi(half[i], (const __m64 *)(const void *)(book->eights + index[2 * i + 1]));
    }
    return _mm256_castps_si256(_mm256_set_m128(half[1], half[0]));
}

/* sum[r][c] = integer sums of a block of each row with the columns at a, k apart. Pair sums are at most 2 * 62 * 127 = 15748. */
LM_INLINE void sum_blocks(const struct plan plan[ROWS], const union book *book, const int kind, const int8_t *a,
                          size_t k, const int16_t *sum16, __m256i sum[ROWS][4], const int columns) {
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < columns; c++) {
            sum[r][c] = _mm256_setzero_si256();
            if (kind == SHIFTED)
                sum[r][c] = _mm256_mullo_epi32(
                    _mm256_madd_epi16(load(plan[r].scale), load(sum16 + (size_t)c * (k / 16))), _mm256_set1_epi32(-9));
        }
    for (int n = 0; n < 8; n++) LM_UNROLL(4) for (int r = 0; r < ROWS; r++) {
            __m256i signs = signs_of(&plan[r], n, kind), q = look_up(&plan[r], n, book, kind);
            if (kind == SHIFTED) q = _mm256_or_si256(q, signs);
            int32_t pair;
            memcpy(&pair, plan[r].scale + 2 * n, 4);
            __m256i scale = _mm256_shuffle_epi8(
                _mm256_set1_epi32(pair),
                _mm256_setr_epi64x(0x0100010001000100, 0x0100010001000100, 0x0302030203020302, 0x0302030203020302));
            for (int c = 0; c < columns; c++) {
                __m256i x = load(a + (size_t)c * k + 32 * n);
                if (kind != SHIFTED) x = _mm256_sign_epi8(x, signs);
                sum[r][c] = _mm256_add_epi32(sum[r][c], _mm256_madd_epi16(_mm256_maddubs_epi16(q, x), scale));
            }
        }
}

/* Sums of the lanes of four vectors. */
LM_INLINE __m128i add_lanes(__m256i a, __m256i b, __m256i c, __m256i d) {
    __m256i s = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    return _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
}

/* 1 to 4 columns, ROWS rows at a time: while one waits for its look-ups another adds. The last rows are repeated to fill a group. */
#define DEFINE_PRODUCT(kind, KIND, which, columns)                                                                     \
    static void LM_KERNEL kind##_##which(const struct form *f, const void *w, size_t row_bytes, int32_t n_rows,        \
                                         const lm_acts *acts, int32_t first, int32_t n, float *out,                    \
                                         size_t out_stride) {                                                          \
        const size_t k = (size_t)acts->k, n_blocks = k / 256;                                                          \
        const int8_t *a = acts->q + (size_t)first * k;                                                                 \
        const int16_t *sum16 = acts->sum16 + (size_t)first * (k / 16);                                                 \
        const float *s = acts->scale + (size_t)first * n_blocks;                                                       \
        union book book;                                                                                               \
        (void)n;                                                                                                       \
        open_book(&book, f, KIND);                                                                                     \
        for (int32_t r0 = 0; r0 < n_rows; r0 += ROWS) {                                                                \
            const uint8_t *b[ROWS];                                                                                    \
            __m128 acc[4] = {_mm_setzero_ps(), _mm_setzero_ps(), _mm_setzero_ps(), _mm_setzero_ps()};                  \
            for (int r = 0; r < ROWS; r++)                                                                             \
                b[r] = (const uint8_t *)w + (size_t)(r0 + r < n_rows ? r0 + r : n_rows - 1) * row_bytes;               \
            for (size_t kb = 0; kb < n_blocks; kb++) {                                                                 \
                struct plan plan[ROWS];                                                                                \
                __m256i sum[ROWS][4];                                                                                  \
                for (int r = 0; r < ROWS; r++) {                                                                       \
                    const uint8_t *block = b[r] + kb * f->block_bytes, *next = block + ROWS * row_bytes;               \
                    f->plan(&plan[r], block);                                                                          \
                    _mm_prefetch((const char *)next, _MM_HINT_T0);                                                     \
                    _mm_prefetch((const char *)next + 64, _MM_HINT_T0);                                                \
                }                                                                                                      \
                sum_blocks(plan, &book, KIND, a + 256 * kb, k, sum16 + 16 * kb, sum, columns);                         \
                __m128 d = _mm_setr_ps(plan[0].d, plan[1].d, plan[2].d, plan[3].d);                                    \
                for (int c = 0; c < columns; c++)                                                                      \
                    acc[c] =                                                                                           \
                        _mm_fmadd_ps(_mm_mul_ps(d, _mm_set1_ps(s[(size_t)c * n_blocks + kb])),                         \
                                     _mm_cvtepi32_ps(add_lanes(sum[0][c], sum[1][c], sum[2][c], sum[3][c])), acc[c]);  \
            }                                                                                                          \
            for (int c = 0; c < columns; c++) {                                                                        \
                float row[ROWS];                                                                                       \
                _mm_storeu_ps(row, acc[c]);                                                                            \
                for (int r = 0; r < ROWS && r0 + r < n_rows; r++)                                                      \
                    out[(size_t)c * out_stride + (size_t)(r0 + r)] = row[r];                                           \
            }                                                                                                          \
        }                                                                                                              \
    }
DEFINE_PRODUCT(eights, EIGHTS, one, 1)
DEFINE_PRODUCT(eights, EIGHTS, some, n)
DEFINE_PRODUCT(fours, FOURS, one, 1)
DEFINE_PRODUCT(fours, FOURS, some, n)
DEFINE_PRODUCT(shifted, SHIFTED, some, n) /* serves one column as well */
#define shifted_one shifted_some

/* For the panels of a batch: not worth a book. */
LM_INLINE void expand(const struct form *f, const int kind, struct lm_expanded *e, const void *block) {
    const __m256i levels = _mm256_broadcastsi128_si256(load16(f->levels)),
                  each4 = _mm256_setr_epi64x(0x0101010100000000, 0x0303030302020202, 0x0505050504040404,
                                             0x0707070706060606);
    struct plan plan;
    f->plan(&plan, block);
    for (int n = 0; n < 8; n++) {
        const uint16_t *index = plan.index + (kind == FOURS ? 8 : 4) * n;
        __m256i q, signs = signs_of(&plan, n, kind);
#define ENTRY(i) (short)f->grid[index[i]]
        if (kind == FOURS)
            q = spread_fours(_mm256_cvtepu8_epi16(_mm_setr_epi16(ENTRY(0), ENTRY(1), ENTRY(2), ENTRY(3), ENTRY(4),
                                                                 ENTRY(5), ENTRY(6), ENTRY(7))),
                             levels);
        else
            q = spread_eights(
                _mm256_shuffle_epi8(
                    _mm256_broadcastq_epi64(_mm_setr_epi16(ENTRY(0), ENTRY(1), ENTRY(2), ENTRY(3), 0, 0, 0, 0)), each4),
                levels);
#undef ENTRY
        if (kind == SHIFTED)
            q = _mm256_sub_epi8(_mm256_or_si256(q, signs), _mm256_set1_epi8(9));
        else
            q = _mm256_sign_epi8(q, signs);
        store(e->q + 32 * n, q);
    }
    store(e->scale, load(plan.scale));
    e->d = plan.d;
}

#define DEFINE_TYPE(name, kind, KIND, codebook, levels)                                                                \
    static const struct form form_##name = {plan_##name, codebook, levels, sizeof(lm_block_##name),                    \
                                            sizeof codebook / sizeof *codebook};                                       \
    void LM_KERNEL lm_matvec_##name##_avx2(const void *w, size_t row_bytes, int32_t n_rows, const lm_acts *acts,       \
                                           int32_t first, int32_t n, float *out, size_t out_stride) {                  \
        (n == 1 ? kind##_one : kind##_some)(&form_##name, w, row_bytes, n_rows, acts, first, n, out, out_stride);      \
    }                                                                                                                  \
    void LM_KERNEL lm_expand_##name##_avx2(struct lm_expanded *e, const void *block) {                                 \
        expand(&form_##name, KIND, e, block);                                                                          \
    }
DEFINE_TYPE(iq2xxs, eights, EIGHTS, lm_iq2xxs_grid, levels_iq2)
DEFINE_TYPE(iq2xs, eights, EIGHTS, lm_iq2xs_grid, levels_iq2)
DEFINE_TYPE(iq2s, eights, EIGHTS, lm_iq2s_grid, levels_iq2)
DEFINE_TYPE(iq3xxs, fours, FOURS, lm_iq3xxs_grid, lm_iq3xxs_levels)
DEFINE_TYPE(iq3s, fours, FOURS, lm_iq3s_grid, lm_iq3s_levels)
DEFINE_TYPE(iq1s, shifted, SHIFTED, lm_iq1s_grid, levels_iq1)
DEFINE_TYPE(iq1m, shifted, SHIFTED, lm_iq1s_grid, levels_iq1)
LM_TARGET_END
#else
typedef int lm_nothing_here;
#endif
