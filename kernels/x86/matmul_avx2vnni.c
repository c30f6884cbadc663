/* SPDX-License-Identifier: MIT
 * Prefill at level avx2vnni: the flat panels of matmul_body.h with 256-bit vectors, unpacked by level avx2. */
#include "matmul_form.h"

#if defined(LM_HAVE_X86)
#include "../blocks.h"

LM_TARGET_BEGIN("avx2,avxvnni,f16c,fma")
#define HAVE_VNNI 1
#include "vec256.h"
#include "codes_simple.h"
#include "codes_k.h"
#define MATVEC(name) lm_matvec_##name##_avx2 /* every type has one */
#define MATMUL(name) lm_matmul_##name##_avx2vnni
#include "matmul_body.h"
#define UNPACKED BORROWED
#include "matmul_256_body.h"

size_t lm_pack_bytes_flat_avx2vnni(int32_t n, int32_t k) { return pack_bytes_flat(n, k); }
void lm_pack_flat_avx2vnni(void *panel, const lm_acts *acts, int32_t first, int32_t n) {
    pack_flat(panel, acts, first, n);
}
size_t lm_matmul_work_bytes_avx2vnni(int32_t n, int32_t k) {
    return work_bytes(n, k, KC / 32 * sizeof(struct panel32));
}
LM_TARGET_END
#else
typedef int lm_nothing_here;
#endif
