/* SPDX-License-Identifier: MIT
 * Which level this machine runs. A level counts only if the operating system saves its registers (xgetbv on x86). Nothing is
 * cached: detection costs a microsecond and is asked once per runtime. */
#include "cpu.h"

#include <string.h>

#if defined(LM_HAVE_X86)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#endif

static const struct {
    int32_t level;
    const char *name;
} names[] = {
    {LM_CPU_GENERIC, "generic"},    {LM_CPU_AVX2, "avx2"},
    {LM_CPU_AVX2_VNNI, "avx2vnni"}, {LM_CPU_AVX512_VNNI, "avx512vnni"},
    {LM_CPU_NEON, "neon"},          {LM_CPU_DOTPROD, "dotprod"},
    {LM_CPU_I8MM, "i8mm"},
};
enum { N_NAMES = sizeof names / sizeof names[0] };

#if defined(LM_HAVE_X86)
/* The register files the operating system saves: bits of XCR0. */
static uint32_t saved_registers(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

/* A bit per level. AVX-VNNI and AVX-512 do not contain each other: some processors have only the second. */
static uint32_t levels(void) {
    enum { YMM = 0x06, ZMM = 0xe6 };
    enum { FMA = 1 << 12, OSXSAVE = 1 << 27, F16C = 1 << 29 };                             /* leaf 1 ecx */
    const uint32_t avx2 = 1u << 5;                                                         /* leaf 7.0 ebx */
    const uint32_t avx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31, vnni512 = 1u << 11; /* F DQ BW VL; ecx VNNI */
    const uint32_t avx_vnni = 1u << 4;                                                     /* leaf 7.1 eax */
    uint32_t a, b, c, d, found = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & (FMA | OSXSAVE | F16C)) != (FMA | OSXSAVE | F16C)) return 0;
    uint32_t saved = saved_registers();
    if ((saved & YMM) != YMM || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & avx2)) return 0;
    found = 1u << LM_CPU_AVX2;
    if ((saved & ZMM) == ZMM && (b & avx512) == avx512 && (c & vnni512)) found |= 1u << LM_CPU_AVX512_VNNI;
    uint32_t subleaves = a;
    if (subleaves >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & avx_vnni)) found |= 1u << LM_CPU_AVX2_VNNI;
    return found;
}

int lm_cpu_follows_streams(void) {
    uint32_t a, b, c, d;
    return __get_cpuid(0, &a, &b, &c, &d) && b == 0x68747541 && d == 0x69746e65 && c == 0x444d4163; /* AuthenticAMD */
}
int lm_cpu_splits_512(void) {
    uint32_t a, b, c, d;
    return lm_cpu_follows_streams() && __get_cpuid(1, &a, &b, &c, &d) && (a >> 20 & 0xff) == 25 - 15; /* family 25 */
}
#elif defined(__aarch64__)
static uint32_t levels(void) {
    uint32_t found = 1u << LM_CPU_NEON;
    int dotprod = 0, half = 0, i8mm = 0;
#if defined(__linux__)
    unsigned long hwcap = getauxval(AT_HWCAP), hwcap2 = getauxval(AT_HWCAP2);
    dotprod = hwcap >> 20 & 1; /* HWCAP_ASIMDDP */
    half = hwcap >> 10 & 1;    /* HWCAP_ASIMDHP */
    i8mm = hwcap2 >> 13 & 1;   /* HWCAP2_I8MM */
#elif defined(__APPLE__)
    size_t size = sizeof(int);
    if (sysctlbyname("hw.optional.arm.FEAT_DotProd", &dotprod, &size, NULL, 0)) dotprod = 0;
    size = sizeof(int);
    if (sysctlbyname("hw.optional.arm.FEAT_FP16", &half, &size, NULL, 0)) half = 0;
    size = sizeof(int);
    if (sysctlbyname("hw.optional.arm.FEAT_I8MM", &i8mm, &size, NULL, 0)) i8mm = 0;
#else
#if defined(__ARM_FEATURE_DOTPROD) && defined(__ARM_FEATURE_FP16_VECTOR_ARITHMETIC)
    dotprod = half = 1;
#endif
#if defined(__ARM_FEATURE_MATMUL_INT8)
    i8mm = 1;
#endif
#endif
    if (dotprod && half) found |= 1u << LM_CPU_DOTPROD;
    if (dotprod && half && i8mm) found |= 1u << LM_CPU_I8MM;
    return found;
}
#else
static uint32_t levels(void) { return 0; }
#endif

int32_t lm_cpu_detect(void) {
    uint32_t found = levels();
    int32_t best = LM_CPU_GENERIC;
    for (int i = 0; i < N_NAMES; i++)
        if (found >> names[i].level & 1) best = names[i].level;
    return best;
}

int32_t lm_cpu_level_runs(int32_t level) {
    return level == LM_CPU_GENERIC || (level > 0 && level < 32 && (levels() >> level & 1));
}

const char *lm_cpu_level_name(int32_t level) {
    for (int i = 0; i < N_NAMES; i++)
        if (names[i].level == level) return names[i].name;
    return NULL;
}

int32_t lm_cpu_level_find(const char *name) {
    for (int i = 0; i < N_NAMES; i++)
        if (!strcmp(names[i].name, name)) return names[i].level;
    return -1;
}
