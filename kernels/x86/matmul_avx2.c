/* SPDX-License-Identifier: MIT
 * Prefill at level avx2: the flat panels of matmul_body.h with 256-bit vectors, and the unpackers that other levels borrow. */
#include "matmul_form.h"

#if defined(LM_HAVE_X86)
#include "../blocks.h"

LM_TARGET_BEGIN("avx2,f16c,fma")
#define HAVE_VNNI 0
#include "vec256.h"
#include "codes_simple.h"
#include "codes_k.h"
#define MATVEC(name) lm_matvec_##name##_avx2
#define MATMUL_LEVEL lm_matmul_avx2
#define UNPACK(name) lm_unpack_##name##_avx2
#define UNPACK_LINKAGE
#include "matmul_body.h"

UNPACK_SIMPLE(q4_0, ONE_SCALE, 4)
UNPACK_SIMPLE(q4_1, SCALE_MINIMUM, 4)
UNPACK_SIMPLE(q5_0, ONE_SCALE, 1)
UNPACK_SIMPLE(q5_1, SCALE_MINIMUM, 1)
UNPACK_SIMPLE(q8_0, ONE_SCALE, 4)
UNPACK_SIMPLE(q1_0, ONE_SCALE, 1)
UNPACK_SIMPLE(q2_0, ONE_SCALE, 1)
UNPACK_SIMPLE(iq4nl, ONE_SCALE, 4)
UNPACK_SIMPLE(mxfp4, ONE_SCALE, 4)
UNPACK_SIMPLE(nvfp4, HALF_SCALES, 1)
UNPACK_K(q2k, 1)
UNPACK_K(q3k, 1)
UNPACK_K(q4k, 4)
UNPACK_K(q5k, 1)
UNPACK_K(q6k, 1)
UNPACK_K(tq1_0, 1)
UNPACK_K(tq2_0, 4)
UNPACK_K(iq4xs, 1)
#define lm_unpack_iq_avx2 unpack_expanded
static lm_unpack_fn unpack_expanded;
UNPACK_K(iq, 1)
static LM_APART void unpack_iq(lm_expand_fn *expand, size_t block_bytes, struct panel32 *to, const uint8_t *w,
                               size_t stride, int n_blocks, size_t pitch, int add) {
    struct lm_expanded rows[16];
    for (; n_blocks--; w += block_bytes, to += 8 * pitch) {
        for (int r = 0; r < 16; r++) expand(&rows[r], w + (size_t)r * stride);
        unpack_expanded(to, (const uint8_t *)rows, sizeof *rows, 1, pitch, add);
    }
}
#define UNPACK_IQ(type, name)                                                                                          \
    void LM_KERNEL lm_unpack_##name##_avx2(void *to, const uint8_t *w, size_t stride, int n_blocks, size_t pitch,      \
                                           int add) {                                                                  \
        unpack_iq(lm_expand_##name##_avx2, name##_BYTES, to, w, stride, n_blocks, pitch, add);                         \
    }
LM_X86_IQ(UNPACK_IQ)

#define UNPACKED OWN
#include "matmul_256_body.h"
LM_TARGET_END
#else
typedef int lm_nothing_here;
#endif
