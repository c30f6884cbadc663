/* SPDX-License-Identifier: MIT
 * Forbids the compiler to fuse a multiplication and an addition that the source writes apart. The build says so with
 * -ffp-contract=off; this says it again for people who just compile the files, on targets where fusing is possible.
 * Include before the first function definition of a file whose results must be the same everywhere. */
#ifndef LM_BASE_FP_CONTRACT_H
#define LM_BASE_FP_CONTRACT_H

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(_MSC_VER)
#pragma fp_contract(off)
#elif defined(__GNUC__) && defined(__FP_FAST_FMA)
#pragma GCC optimize("fp-contract=off")
#endif

#endif
