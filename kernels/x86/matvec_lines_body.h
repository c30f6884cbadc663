/* SPDX-License-Identifier: MIT
 * The vector parts of matvec_lines.h, over vec512.h and tiles.h. */

#define v_lanes(a, b, n) _mm512_shuffle_i32x4(a, b, n)
#define v_pair(low, high) _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1)
LM_INLINE V v_twice(const uint8_t *p) {
    return _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)(const void *)p));
}
/* Loaded once: most of these loads cross a line of the cache, and two operations would both load. */
LM_INLINE V v_load_once(const uint8_t *p) {
    V x = v_load(p);
    __asm__("" : "+v"(x));
    return x;
}
/* acc + u8 . the 64 int8 at p */
LM_INLINE V dp_at(V acc, V u8, const uint8_t *p) {
    __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(u8), "m"(*(const uint8_t(*)[64])p));
    return acc;
}

/* Words, in lane l: the scale of sub-block first + l * step of block b four times, then of second + l * step. */
LM_INLINE V spread16(V scales, const int b, const int first, const int second, const int lanes[4]) {
    int at[16];
    LM_UNROLL(16) for (int i = 0; i < 16; i++) at[i] = (16 * b + (i % 4 < 2 ? first : second) + lanes[i / 4]) * 0x10001;
    return _mm512_permutexvar_epi16(_mm512_setr_epi32(at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7], at[8],
                                                      at[9], at[10], at[11], at[12], at[13], at[14], at[15]),
                                    scales);
}
/* lane v = the sum of the lanes of h[v], dword by dword */
LM_INLINE V lane_sums(const V h[4]) {
    V a = v_add32(v_lanes(h[0], h[1], 0x44), v_lanes(h[0], h[1], 0xEE)),
      b = v_add32(v_lanes(h[2], h[3], 0x44), v_lanes(h[2], h[3], 0xEE));
    return v_add32(v_lanes(a, b, 0x88), v_lanes(a, b, 0xDD));
}
/* One vector a quad, one block a lane: sums in the order of the blocks. */
LM_INLINE V block_sums(const V part[4]) {
    return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
                                    v_hsum(part));
}

/* As far ahead as memory needs, and as the second cache does. */
LM_INLINE void line_prefetch(const uint8_t *p) {
    _mm_prefetch((const char *)p + 8192, _MM_HINT_T1), _mm_prefetch((const char *)p + 2048, _MM_HINT_T0);
}

/* Partial sums of the quad at p with its record, and of its minima, one block a lane. */
typedef void LM_KERNEL quad_fn(const uint8_t *p, const uint8_t *record, const void *book, V *part, V *minima);

/* Of IQ1_M blocks (at < 0) a nibble of d is at the top of each of four words. */
LM_INLINE uint16_t line_scale(const uint8_t *block, int at) {
    uint16_t d;
    if (at >= 0)
        memcpy(&d, block + at, 2);
    else
        d = (uint16_t)(block[49] >> 4 | (block[51] & 0xf0) | block[53] >> 4 << 8 | (block[55] & 0xf0) << 8);
    return d;
}

/* The integer steps of up to 16 rows over one segment. Inlined with a constant type for each, or with any type at run time. */
LM_INLINE void fill_lines(const struct lm_line_type *type, quad_fn *quad, struct lm_line_table *t, const uint8_t *w,
                          size_t stride, int n_rows, const struct lm_line *line, int prefetches) {
    uint8_t tail[4 * sizeof(lm_block_q6k)];
    const int quads = (line->n_blocks + 3) / 4, total = n_rows * quads, bytes = type->block_bytes;
    for (int at = 0, q = 0; at < total; at += 4) {
        V part[4], minima[4];
        LM_UNROLL(1) for (int j = 0; j < 4; j++) {
            const uint8_t *p = w + 4 * (size_t)bytes * (size_t)q;
            if (__builtin_expect(4 * q + 4 > line->n_blocks, 0)) {
                memset(tail, 0, sizeof tail);
                memcpy(tail, p, (size_t)(line->n_blocks - 4 * q) * (size_t)bytes), p = tail;
            }
            if (prefetches) LM_UNROLL(1) for (int i = 0; i < 4 * bytes; i += 64) line_prefetch(p + i);
            quad(p, line->records + (size_t)q * RECORD, line->book, part + j, minima + j);
            LM_UNROLL(4) for (int i = 0; i < 4; i++) {
                t->d[4 * (at + j) + i] = line_scale(p + i * bytes, type->d);
                if (type->has_minima) memcpy(&t->dmin[4 * (at + j) + i], p + i * bytes + type->dmin, 2);
            }
            if (at + j + 1 < total && ++q == quads) q = 0, w += stride;
        }
        V sums = lane_sums(part);
        if (type->shift) sums = v_sub32(sums, v_sll32(block_sums(minima), type->shift));
        v_store(t->isum + 4 * at, sums);
        if (type->has_minima) v_store(t->imin + 4 * at, block_sums(minima));
    }
}
