/* SPDX-License-Identifier: MIT
 * Flat tiles, over the vectors of vec512.h or vec256.h: one dword of a vector = 4 successive k of one row, so that a vector is ROWS rows
 * and meets a broadcast dword of activations. Weights are taken apart in lanes (codes_*.h: 16 bytes of one row per 128-bit lane);
 * a transposition of 4 x 4 dwords within the lanes of four vectors, rows j, j+4, ... in vector j, leads from there. */

LM_INLINE V bcast32(const void *p) {
    int32_t x;
    memcpy(&x, p, 4);
    return v_set1(x);
}

/* out[t] lane l = dword t of x[0..3] lane l: 4 k of rows 4l .. 4l+3 */
LM_INLINE void transpose4(const V x[4], V out[4]) {
    V a = v_unpacklo32(x[0], x[1]), b = v_unpackhi32(x[0], x[1]), c = v_unpacklo32(x[2], x[3]),
      d = v_unpackhi32(x[2], x[3]);
    out[0] = v_unpacklo64(a, c), out[1] = v_unpackhi64(a, c), out[2] = v_unpacklo64(b, d), out[3] = v_unpackhi64(b, d);
}

/* Transposing add: 4 partial sums per lane of s[0..3] to one sum per row. */
LM_INLINE V v_hsum(const V s[4]) {
    V t = v_add32(v_unpacklo32(s[0], s[1]), v_unpackhi32(s[0], s[1]));
    V u = v_add32(v_unpacklo32(s[2], s[3]), v_unpackhi32(s[2], s[3]));
    return v_add32(v_unpacklo64(t, u), v_unpackhi64(t, u));
}

/* 32 weights of group i of a simple type's block: steps 0..7. What byte-wise types load is transposed before it
 * is taken apart, which is half the work. */
#define FLAT_SIMPLE(name, at_once)                                                                                     \
    LM_INLINE void name##_flat(V w[8], const struct quads *q, const int i) {                                           \
        V raw[4][2], x[4][2], y[4];                                                                                    \
        LM_UNROLL(at_once) for (int j = 0; j < 4; j++) name##_load(raw[j], q->at[j], q->step, i);                      \
        LM_UNROLL(2) for (int r = 0; r < name##_RAWS; r++) {                                                           \
            V column[4] = {raw[0][r], raw[1][r], raw[2][r], raw[3][r]};                                                \
            transpose4(column, y);                                                                                     \
            LM_UNROLL(4) for (int j = 0; j < 4; j++) raw[j][r] = y[j];                                                 \
        }                                                                                                              \
        LM_UNROLL(at_once) for (int j = 0; j < 4; j++) name##_open(x[j], raw[j]);                                      \
        LM_UNROLL(2) for (int e = 0; e < 2; e++) {                                                                     \
            V column[4] = {x[0][e], x[1][e], x[2][e], x[3][e]};                                                        \
            if (name##_RAWS)                                                                                           \
                LM_UNROLL(4) for (int j = 0; j < 4; j++) w[4 * e + j] = column[j];                                     \
            else                                                                                                       \
                transpose4(column, w + 4 * e);                                                                         \
        }                                                                                                              \
    }
