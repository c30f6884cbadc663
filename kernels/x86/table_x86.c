/* SPDX-License-Identifier: MIT
 * The x86-64 levels of the matrix products: each overrides the slots it has something better for, lowest level first. */
#include "matmul_form.h"

#if defined(LM_HAVE_X86)
#include "../blocks.h"
#include "../cpu.h"

#define MATVEC(type, name, isa) kernels->weights[type].matvec = lm_matvec_##name##_##isa;
#define MATVEC_AVX512VNNI(type, name) MATVEC(type, name, avx512vnni)
#define MATVEC_STREAM(type, name) MATVEC(type, name, stream)

/* Types of which one column is faster in 256 bits where those of 512 are done in halves. */
#define ONE_IN_256(X) X(LM_BLOCK_Q4_1, q4_1) X(LM_BLOCK_NVFP4, nvfp4) X(LM_BLOCK_TQ2_0, tq2_0)
#define DEFINE_MATVEC_HALVES(type, name)                                                                               \
    static void LM_KERNEL lm_matvec_##name##_halves(const void *w, size_t row_bytes, int32_t n_rows,                   \
                                                    const lm_acts *acts, int32_t first, int32_t n, float *out,         \
                                                    size_t out_stride) {                                               \
        (n == 1 ? lm_matvec_##name##_avx2 : lm_matvec_##name##_avx512vnni)(w, row_bytes, n_rows, acts, first, n, out,  \
                                                                           out_stride);                                \
    }
ONE_IN_256(DEFINE_MATVEC_HALVES)
#define MATVEC_HALVES(type, name) MATVEC(type, name, halves)

static void use_forms(lm_kernels *kernels, const struct lm_matmul_level *level) {
    for (size_t i = 0; i < level->n_forms; i++) {
        const struct lm_form *form = &level->forms[i];
        lm_weight_kernels *slot = &kernels->weights[form->type];
        slot->matvec = form->matvec;
        slot->matmul = lm_matmul_run;
        slot->form = form;
        slot->pack = level->layouts[form->layout].pack;
        slot->pack_bytes = level->layouts[form->layout].bytes;
        slot->matmul_work_bytes = level->work_bytes;
        slot->row_tile = level->row_tile;
        slot->matmul_from = form->from;
    }
}

void lm_kernels_matmul_x86(lm_kernels *kernels, int32_t level) {
    if (level < LM_CPU_AVX2 || level > LM_CPU_AVX512_VNNI) return;
    kernels->quantize_q8_32 = lm_quantize_q8_32_avx2;
    kernels->quantize_q8_256 = lm_quantize_q8_256_avx2;
    use_forms(kernels, &lm_matmul_avx2);
    if (level < LM_CPU_AVX2_VNNI) return;
    use_forms(kernels, &lm_matmul_avx2vnni);
    if (level < LM_CPU_AVX512_VNNI) return;
    kernels->quantize_q8_32 = lm_quantize_q8_32_avx512;
    kernels->quantize_q8_256 = lm_quantize_q8_256_avx512;
    use_forms(kernels, &lm_matmul_avx512vnni);
    LM_X86_IQ(MATVEC_AVX512VNNI)
    if (lm_cpu_splits_512()) { ONE_IN_256(MATVEC_HALVES) }
    if (lm_cpu_follows_streams()) { LM_X86_LINES(MATVEC_STREAM) }
}
#else
typedef int lm_nothing_here;
#endif
