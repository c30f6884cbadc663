/* SPDX-License-Identifier: MIT
 * Prefill at level avx512vnni: the flat panels of matmul_body.h, and for K-quants paired ones, which scale in int16.
 *
 * Paired: a group of 32 weights is split in two halves of 16 (Q6_K: 16 in two of 8) so short that a half's dot product fits int16
 * (16 * 16 * 127, 8 * 32 * 127); the halves of one row are neighbouring dwords, activations are broadcast pairs of dwords:
 *
 *     vector A, lane l:  row 4l first half | row 4l second half | row 4l+1 first | row 4l+1 second
 *     vector B, lane l:  row 4l+2 ...      |                    | row 4l+3 ...   |
 *     vpackssdw(A, B) = 16 rows x (first, second) int16;  vpdpwssd with (scale, scale') = exact int32 sum, 2 instructions
 *     per 2 vectors of sums instead of a multiplication and an addition for each
 *
 *     tile: 4 vectors (32 rows) x PAIR_COLS columns of half sums, 2 x PAIR_COLS vectors of int32 sums, in registers
 *
 * Q5_K's codes count as -16..15, and 16 * scale * sum of the activations is added: vpdpwssd again. */
#include "matmul_form.h"

#if defined(LM_HAVE_X86)
#include "../blocks.h"

LM_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,f16c,fma")
#include "vec512.h"
#include "codes_simple.h"
#include "codes_k.h"
#define MATVEC(name) lm_matvec_##name##_avx512vnni
#define UNPACK(name) unpack_##name
#define UNPACK_LINKAGE static
#include "matmul_body.h"

enum { PAIR_COLS = 4 };

struct pair_acts {                  /* 256 k x PAIR_COLS columns */
    int8_t q[8][PAIR_COLS][32];     /* halves interleaved: 4 k of the first, 4 k of the second, ... */
    int32_t bias[16][PAIR_COLS][2]; /* -128 * sum of each half */
    int16_t sum32[4][PAIR_COLS][2], sum16[8][PAIR_COLS][2];
    float scale[PAIR_COLS];
    float pad[12];
};
struct pair_panel { /* 256 k x 32 rows */
    uint8_t q[32][4][64];
    int16_t scale[16][2][32]; /* (s, s') per row and pair of halves */
    int16_t min[8][2][32];    /* (m, m') of neighbouring sub-blocks, for sum32 or sum16 */
    int16_t fold[4][2][32];   /* 16 * (s, s') of neighbouring sub-blocks */
    float d[2][16], dmin[2][16];
};

LM_INLINE V bcast64(const void *p) {
    int64_t x;
    memcpy(&x, p, 8);
    return _mm512_set1_epi64(x);
}

/* x[j], y[j]: first and second half of a sub-block (16 bytes) of rows 4l+j. out[t][0] = A, out[t][1] = B of step t. */
LM_INLINE void pair_halves(V x[4][2], V out[4][2]) {
    LM_UNROLL(2) for (int e = 0; e < 2; e++) {
        V a = v_unpacklo32(x[2 * e][0], x[2 * e][1]), b = v_unpacklo32(x[2 * e + 1][0], x[2 * e + 1][1]);
        V c = v_unpackhi32(x[2 * e][0], x[2 * e][1]), d = v_unpackhi32(x[2 * e + 1][0], x[2 * e + 1][1]);
        out[0][e] = v_unpacklo64(a, b), out[1][e] = v_unpackhi64(a, b), out[2][e] = v_unpacklo64(c, d),
        out[3][e] = v_unpackhi64(c, d);
    }
}
/* The same for two sub-blocks of 16, each in halves of 8: steps 0, 1 of the first, then of the second. */
LM_INLINE void pair_quarters(V x[4][2], V out[4][2]) {
    LM_UNROLL(2) for (int h = 0; h < 2; h++) LM_UNROLL(2) for (int e = 0; e < 2; e++) {
        V a = v_shuf32(x[2 * e][h], 0xD8), b = v_shuf32(x[2 * e + 1][h], 0xD8);
        out[2 * h][e] = v_unpacklo64(a, b), out[2 * h + 1][e] = v_unpackhi64(a, b);
    }
}

LM_INLINE V twice_low(V t) { return v_shuf8(t, v_row4(0x01000100, 0x05040504, 0x09080908, 0x0d0c0d0c)); }
LM_INLINE V twice_high(V t) { return v_shuf8(t, v_row4(0x03020302, 0x07060706, 0x0b0a0b0a, 0x0f0e0f0e)); }

/* shift: codes become signed and small by this; fold: it was 16 too much. quarters: the form of Q6_K. */
#define UNPACK_PAIR(name, shift, folded, quarters, at_once)                                                            \
    static void LM_KERNEL unpack_##name(void *to, const uint8_t *w, size_t stride, int n_blocks, size_t pitch,         \
                                        int add) {                                                                     \
        (void)pitch, (void)add;                                                                                        \
        for (struct pair_panel *p = to; n_blocks--; w += name##_BYTES, p++)                                            \
            for (int v = 0; v < 2; v++) {                                                                              \
                const uint8_t *b = w + (size_t)(16 * v) * stride;                                                      \
                const struct quads quads = quads_of(b, stride);                                                        \
                V raw[RAW], x[name##_STEPS][4][2], sc[4][2], mn[4][2], t[4][2];                                        \
                for (int h = 0; h < 8 / name##_STEPS; h++) {                                                           \
                    LM_UNROLL(at_once) for (int j = 0; j < 4; j++) {                                                   \
                        name##_load(raw, quads.at[j], quads.step, h);                                                  \
                        LM_UNROLL(8) for (int e = 0; e < name##_STEPS; e++) name##_codes(x[e][j], raw, e);             \
                    }                                                                                                  \
                    LM_UNROLL(at_once) for (int e = 0; e < name##_STEPS; e++) {                                        \
                        const int i = h * name##_STEPS + e;                                                            \
                        if (quarters)                                                                                  \
                            pair_quarters(x[e], t);                                                                    \
                        else                                                                                           \
                            pair_halves(x[e], t);                                                                      \
                        LM_UNROLL(4)                                                                                   \
                        for (int s = 0; s < 4; s++) LM_UNROLL(2)                                                       \
                        for (int e = 0; e < 2; e++)                                                                    \
                            v_store(p->q[4 * i + s][2 * v + e], v_add8(t[s][e], v_set1_8(128 - (shift))));             \
                    }                                                                                                  \
                }                                                                                                      \
                LM_UNROLL(at_once)                                                                                     \
                for (int j = 0; j < 4; j++) name##_scales(sc[j], mn[j], quads.at[j], quads.step);                      \
                LM_UNROLL(2) for (int e = 0; e < 2 - name##_WIDE; e++) {                                               \
                    V y[4] = {sc[0][e], sc[1][e], sc[2][e], sc[3][e]}, z[4];                                           \
                    transpose4(y, z);                                                                                  \
                    LM_UNROLL(4) for (int d = 0; d < 4; d++) {                                                         \
                        if (name##_WIDE || quarters) {                                                                 \
                            v_store(p->scale[8 * e + 2 * d][v], twice_low(z[d]));                                      \
                            v_store(p->scale[8 * e + 2 * d + 1][v], twice_high(z[d]));                                 \
                        } else                                                                                         \
                            v_store(p->scale[4 * e + d][v], z[d]);                                                     \
                        if (folded) v_store(p->fold[d][v], v_sll16(z[d], 4));                                          \
                    }                                                                                                  \
                    if (!name##_MINIMA) continue;                                                                      \
                    V m[4] = {mn[0][e], mn[1][e], mn[2][e], mn[3][e]};                                                 \
                    transpose4(m, z);                                                                                  \
                    LM_UNROLL(4) for (int d = 0; d < 4; d++) v_store(p->min[4 * e + d][v], z[d]);                      \
                }                                                                                                      \
                f_store(p->d[v], name##_d(&quads));                                                                    \
                if (name##_MINIMA) f_store(p->dmin[v], name##_dmin(&quads));                                           \
            }                                                                                                          \
    }
UNPACK_PAIR(q2k, 0, 0, 0, 1)
UNPACK_PAIR(q3k, 4, 0, 0, 1)
UNPACK_PAIR(q4k, 0, 0, 0, 4)
UNPACK_PAIR(q5k, 16, 1, 0, 4)
UNPACK_PAIR(q6k, 32, 0, 1, 1)

/* steps: dwords per half (4: halves of 16, 2: halves of 8). minima: 0, or as many pairs of them. */
LM_INLINE void pair_kernel(const struct pair_panel *p, const struct pair_acts *a, int n_blocks, tile_row *c,
                           const int steps, const int minima, const int folded) {
    for (; n_blocks--; p++, a++) {
        V isum[PAIR_COLS][2];
        LM_UNROLL(4) for (int j = 0; j < PAIR_COLS; j++) isum[j][0] = isum[j][1] = v_zero();
        for (int b = 0; b < 32 / steps; b++) {
            const int8_t *q = (const int8_t *)a->q + (b * steps / 4) * PAIR_COLS * 32 + 8 * (b * steps % 4);
            V s[PAIR_COLS][4], w[4];
            LM_UNROLL(4)
            for (int j = 0; j < PAIR_COLS; j++)
                LM_UNROLL(4) for (int v = 0; v < 4; v++) s[j][v] = bcast64(a->bias[b][j]);
            LM_UNROLL(4) for (int t = 0; t < steps - 1; t++) {
                LM_UNROLL(4) for (int v = 0; v < 4; v++) w[v] = v_load(p->q[b * steps + t][v]);
                LM_UNROLL(4) for (int j = 0; j < PAIR_COLS; j++) {
                    V x = bcast64(q + 32 * j + 8 * t);
                    LM_UNROLL(4) for (int v = 0; v < 4; v++) s[j][v] = dp(s[j][v], w[v], x);
                }
            }
            /* The last step finishes each column at once: its packing overlaps dot products of the next. */
            LM_UNROLL(4) for (int v = 0; v < 4; v++) w[v] = v_load(p->q[b * steps + steps - 1][v]);
            LM_UNROLL(4) for (int j = 0; j < PAIR_COLS; j++) {
                V x = bcast64(q + 32 * j + 8 * (steps - 1));
                LM_UNROLL(4) for (int v = 0; v < 4; v++) s[j][v] = dp(s[j][v], w[v], x);
                LM_UNROLL(2)
                for (int v = 0; v < 2; v++)
                    isum[j][v] = v_dot16(isum[j][v], v_packs32(s[j][2 * v], s[j][2 * v + 1]), v_load(p->scale[b][v]));
                KEEP_ORDER;
            }
        }
        /* A loop over sums in memory: once in 256 k, the float work is not worth its code for every column. */
        V sums[PAIR_COLS][2];
        LM_UNROLL(4)
        for (int j = 0; j < PAIR_COLS; j++) v_store(&sums[j][0], isum[j][0]), v_store(&sums[j][1], isum[j][1]);
        LM_UNROLL(1) for (int j = 0; j < PAIR_COLS; j++) LM_UNROLL(2) for (int v = 0; v < 2; v++) {
            V sum = v_load(&sums[j][v]), imin = v_zero();
            LM_UNROLL(4)
            for (int i = 0; i < 4 * folded; i++) sum = v_dot16(sum, v_load(p->fold[i][v]), bcast32(a->sum32[i][j]));
            F s = f_set1(a->scale[j]), acc = f_fma(f_mul(f_load(p->d[v]), s), f_from_int(sum), f_load(c[j][v]));
            LM_UNROLL(8)
            for (int i = 0; i < minima; i++)
                imin = v_dot16(imin, v_load(p->min[i][v]), bcast32(minima == 4 ? a->sum32[i][j] : a->sum16[i][j]));
            if (minima) acc = f_fnma(f_mul(f_load(p->dmin[v]), s), f_from_int(imin), acc);
            f_store(c[j][v], acc);
        }
    }
}
#define PAIR_KERNEL(name, steps, minima, folded)                                                                       \
    static void LM_KERNEL kernel_##name(const void *p, const void *a, int n, float *c, int offset) {                   \
        (void)offset;                                                                                                  \
        pair_kernel(p, a, n, (tile_row *)c, steps, minima, folded);                                                    \
    }
PAIR_KERNEL(pair16, 4, 0, 0)
PAIR_KERNEL(pair16_min4, 4, 4, 0)
PAIR_KERNEL(pair16_min8, 4, 8, 0)
PAIR_KERNEL(pair16_fold, 4, 4, 1)
PAIR_KERNEL(pair8, 2, 0, 0)

static size_t pack_bytes_pair(int32_t n, int32_t k) {
    return ((size_t)(padded(n) / PAIR_COLS) * (size_t)(k / 256) * sizeof(struct pair_acts) + 63) / 64 * 64;
}
static LM_APART void pack_pair(void *panel, const lm_acts *acts, int32_t first, int32_t n, int quarters) {
    const int n_units = acts->k / 256, end = (first + n + PAIR_COLS - 1) / PAIR_COLS * PAIR_COLS;
    const __m256i order =
        quarters ? _mm256_setr_epi32(0, 2, 1, 3, 4, 6, 5, 7) : _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    for (int col = first; col < end; col++)
        for (int u = 0; u < n_units; u++) {
            struct pair_acts *to =
                (struct pair_acts *)panel + acts_at(acts->n, PAIR_COLS, n_units, KC / 256, col / PAIR_COLS, u);
            const int j = col % PAIR_COLS, real = col < first + n;
            size_t at = ((size_t)col * (size_t)n_units + (size_t)u) * 8;
            to->scale[j] = real ? acts->scale[at / 8] : 0;
            for (int i = 0; i < 8; i++, at++) {
                __m256i q = real ? _mm256_loadu_si256((const __m256i *)(const void *)(acts->q + 32 * at))
                                 : _mm256_setzero_si256();
                q = _mm256_permutevar8x32_epi32(q, order);
                _mm256_storeu_si256((__m256i *)(void *)to->q[i][j], q);
                /* Sums of 4, then of pairs of dwords: quarters (0,1 | 2,3), halves (0..3). */
                __m256i sum = _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_set1_epi8(1), q), _mm256_set1_epi16(-128));
                sum = _mm256_add_epi32(sum, _mm256_shuffle_epi32(sum, 0x4e)); /* + the next pair of the lane */
                __m128i low = _mm256_castsi256_si128(sum), high = _mm256_extracti128_si256(sum, 1);
                if (quarters) {
                    _mm_storel_epi64((__m128i *)(void *)to->bias[2 * i][j], low);
                    _mm_storel_epi64((__m128i *)(void *)to->bias[2 * i + 1][j], high);
                } else {
                    _mm_storel_epi64((__m128i *)(void *)to->bias[i][j], _mm_add_epi32(low, high));
                }
                to->sum32[i / 2][j][i % 2] = real ? acts->sum32[at] : 0;
                to->sum16[i][j][0] = real ? acts->sum16[2 * at] : 0,
                to->sum16[i][j][1] = real ? acts->sum16[2 * at + 1] : 0;
            }
        }
}

KERNEL(simple, simple_kernel, 1, 0, 0)
KERNEL(minimum, simple_kernel, 1, 1, 0)
KERNEL(half, simple_kernel, 2, 0, 0)
KERNEL(scaled, scaled_kernel, 1, 0, 0)
KERNEL(scaled16, scaled_kernel, 2, 0, 0)

UNPACK_SIMPLE(q4_0, ONE_SCALE, 4)
UNPACK_SIMPLE(q8_0, ONE_SCALE, 4)
UNPACK_SIMPLE(iq4nl, ONE_SCALE, 4)
UNPACK_SIMPLE(mxfp4, ONE_SCALE, 4)
UNPACK_K(iq4xs, 1)

#define FLAT_FORM(type, name, k, which, unpacked)                                                                      \
    FLAT_FORM_OF(type, name, k, which, name##_OFFSET, unpacked(name), .few = LM_FLAT_COLUMNS, .from = 5)
#define PAIR_FORM(number, name, which, halves)                                                                         \
    {.type = number,                                                                                                   \
     .layout = halves,                                                                                                 \
     .from = 5,                                                                                                        \
     .few = LM_FLAT_COLUMNS,                                                                                           \
     .tile_rows = TILE_ROWS,                                                                                           \
     .block_k = 256,                                                                                                   \
     .block_bytes = name##_BYTES,                                                                                      \
     .unit_k = 256,                                                                                                    \
     .cols = PAIR_COLS,                                                                                                \
     .acts_bytes = sizeof(struct pair_acts),                                                                           \
     .unpack_rows = TILE_ROWS,                                                                                         \
     .unpack = unpack_##name,                                                                                          \
     .kernel = kernel_##which,                                                                                         \
     .matvec = MATVEC(name)},
/* Types whose decode is of 256 bits. */
#define DECODED_FORM(type, name, which, from_n)                                                                        \
    FLAT_FORM_OF(type, name, 256, which, name##_OFFSET, BORROWED(name), .from = from_n)
#define IQ_FORM(type, name) DECODED_FORM(type, name, scaled16, 5)
static const struct lm_form forms[] = {
    FLAT_FORM(LM_BLOCK_Q4_0, q4_0, 32, simple, OWN) FLAT_FORM(LM_BLOCK_Q4_1, q4_1, 32, minimum, BORROWED) FLAT_FORM(
        LM_BLOCK_Q5_0, q5_0, 32, simple, BORROWED) FLAT_FORM(LM_BLOCK_Q5_1, q5_1, 32, minimum, BORROWED)
        FLAT_FORM(LM_BLOCK_Q8_0, q8_0, 32, simple, OWN) FLAT_FORM(LM_BLOCK_Q1_0, q1_0, 128, simple, BORROWED) FLAT_FORM(
            LM_BLOCK_Q2_0, q2_0, 64, simple, BORROWED) FLAT_FORM(LM_BLOCK_IQ4NL, iq4nl, 32, simple,
                                                                 OWN) FLAT_FORM(LM_BLOCK_MXFP4, mxfp4, 32, simple, OWN)
            FLAT_FORM(LM_BLOCK_NVFP4, nvfp4, 64, half, BORROWED) FLAT_FORM(LM_BLOCK_TQ2_0, tq2_0, 256, scaled, BORROWED)
                FLAT_FORM(LM_BLOCK_IQ4XS, iq4xs, 256, scaled, OWN) PAIR_FORM(LM_BLOCK_Q2K, q2k, pair16_min8, LM_PAIR16)
                    PAIR_FORM(LM_BLOCK_Q3K, q3k, pair16, LM_PAIR16) PAIR_FORM(LM_BLOCK_Q4K, q4k, pair16_min4, LM_PAIR16)
                        PAIR_FORM(LM_BLOCK_Q5K, q5k, pair16_fold, LM_PAIR16)
                            PAIR_FORM(LM_BLOCK_Q6K, q6k, pair8, LM_PAIR8)
#undef MATVEC
#define MATVEC(name) lm_matvec_##name##_avx2
                                DECODED_FORM(LM_BLOCK_TQ1_0, tq1_0, scaled, 2) LM_X86_IQ(IQ_FORM)};

static void LM_KERNEL pack_pair16(void *panel, const lm_acts *acts, int32_t first, int32_t n) {
    pack_pair(panel, acts, first, n, 0);
}
static void LM_KERNEL pack_pair8(void *panel, const lm_acts *acts, int32_t first, int32_t n) {
    pack_pair(panel, acts, first, n, 1);
}
static size_t level_work_bytes(int32_t n, int32_t k) {
    const size_t flat = KC / 32 * PANELS * sizeof(struct panel32), pair = KC / 256 * sizeof(struct pair_panel);
    return work_bytes(n, k, flat > pair ? flat : pair);
}
const struct lm_matmul_level lm_matmul_avx512vnni = {forms,
                                                     sizeof forms / sizeof *forms,
                                                     32,
                                                     level_work_bytes,
                                                     {[LM_FLAT] = {pack_bytes_flat, pack_flat},
                                                      [LM_PAIR16] = {pack_bytes_pair, pack_pair16},
                                                      [LM_PAIR8] = {pack_bytes_pair, pack_pair8}}};
LM_TARGET_END
#else
typedef int lm_nothing_here;
#endif
