/* SPDX-License-Identifier: MIT
 * The shortest text that completes a text. The bytes from each state to the end of its rule are found once; from an item on,
 * they are those of its state, of what its counted rule must still repeat, and of the cheapest place its frame returns to. */
#ifndef LM_GRAMMAR_COMPLETION_H
#define LM_GRAMMAR_COMPLETION_H

#include "chart.h"

#define LM_COMPLETION_NONE ((uint32_t)1 << 30) /* no text of bytes does: whole tokens are needed, or too much work */

typedef struct lm_completion {
    uint32_t *states; /* [n_states] bytes to the end of the rule; NULL until made */
    LM_ARRAY(uint32_t) frames, stamps, stack;
    uint32_t stamp;
} lm_completion;

void lm_completion_free(lm_completion *completion, const lm_grammar *grammar);
/* Bytes of a shortest completion, of which up to cap go to out; the chart stays as it is. LM_OK or LM_ERR_MEMORY. */
lm_status lm_completion_find(lm_completion *completion, lm_chart *chart, uint8_t *out, size_t cap, uint32_t *n);

#endif
