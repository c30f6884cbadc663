/* SPDX-License-Identifier: MIT
 * The last step of compilation: the deterministic rules, each numbered from 0, joined into the table of the automaton. */
#ifndef LM_GRAMMAR_COMPILE_H
#define LM_GRAMMAR_COMPILE_H

#include "grammar.h"
#include "grammar_dfa.h"

/* dfas [n_rules] belong to the rules numbers[i] of the pool; a rule that was not compiled has none. index [rules of the
 * pool] gives the place of a rule in dfas, UINT32_MAX for none. */
lm_status lm_grammar_pack(const lm_nfa *nfa, const lm_dfa *dfas, const uint32_t *numbers, size_t n_rules,
                          const uint32_t *index, lm_grammar **out, lm_error *error);

#endif
