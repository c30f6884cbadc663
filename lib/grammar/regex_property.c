/* SPDX-License-Identifier: MIT
 * Classes by general category, as \p{Lu} and \p{Uppercase_Letter} name them (ECMA-262, section 22.2.1.9; names and categories of
 * the Unicode Character Database). */
#include "regex.h"

#include <string.h>

#include "../vocab/unicode.h"

/* In the order of the bits of lm_unicode_mask. */
static const char categories[] = "CnLuLlLtLmLoMnMcMeNdNlNoPcPdPsPePiPfPoSmScSkSoZsZlZpCcCfCsCo";

/* A name and the category it stands for, one after another. */
static const char long_names[] = "Letter\0L\0"
                                 "Cased_Letter\0LC\0"
                                 "Uppercase_Letter\0Lu\0"
                                 "Lowercase_Letter\0Ll\0"
                                 "Titlecase_Letter\0Lt\0"
                                 "Modifier_Letter\0Lm\0"
                                 "Other_Letter\0Lo\0"
                                 "Mark\0M\0"
                                 "Combining_Mark\0M\0"
                                 "Nonspacing_Mark\0Mn\0"
                                 "Spacing_Mark\0Mc\0"
                                 "Enclosing_Mark\0Me\0"
                                 "Number\0N\0"
                                 "Decimal_Number\0Nd\0"
                                 "digit\0Nd\0"
                                 "Letter_Number\0Nl\0"
                                 "Other_Number\0No\0"
                                 "Punctuation\0P\0"
                                 "punct\0P\0"
                                 "Connector_Punctuation\0Pc\0"
                                 "Dash_Punctuation\0Pd\0"
                                 "Open_Punctuation\0Ps\0"
                                 "Close_Punctuation\0Pe\0"
                                 "Initial_Punctuation\0Pi\0"
                                 "Final_Punctuation\0Pf\0"
                                 "Other_Punctuation\0Po\0"
                                 "Symbol\0S\0"
                                 "Math_Symbol\0Sm\0"
                                 "Currency_Symbol\0Sc\0"
                                 "Modifier_Symbol\0Sk\0"
                                 "Other_Symbol\0So\0"
                                 "Separator\0Z\0"
                                 "Space_Separator\0Zs\0"
                                 "Line_Separator\0Zl\0"
                                 "Paragraph_Separator\0Zp\0"
                                 "Other\0C\0"
                                 "Control\0Cc\0"
                                 "cntrl\0Cc\0"
                                 "Format\0Cf\0"
                                 "Surrogate\0Cs\0"
                                 "Private_Use\0Co\0"
                                 "Unassigned\0Cn\0";

static bool is_text(const char *name, size_t n, const char *text) {
    return strlen(text) == n && memcmp(name, text, n) == 0;
}

/* The bits of a category's name; 0 for any other name. */
static uint32_t find(const char *name, size_t n) {
    for (const char *at = long_names; *at;) {
        const char *stands_for = at + strlen(at) + 1;
        if (is_text(name, n, at)) {
            name = stands_for;
            n = strlen(name);
            break;
        }
        at = stands_for + strlen(stands_for) + 1;
    }
    if (is_text(name, n, "LC")) return LM_UC_LU | LM_UC_LL | LM_UC_LT;
    uint32_t bits = 0;
    for (uint32_t i = 0; categories[2 * i] && (n == 1 || n == 2); i++)
        if (categories[2 * i] == name[0] && (n == 1 || categories[2 * i + 1] == name[1])) bits |= 1u << i;
    return bits;
}

bool lm_regex_property(const char *name, size_t n, uint32_t *out) {
    static const char *const prefixes[] = {"General_Category=", "gc="};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t size = strlen(prefixes[i]);
        if (n > size && memcmp(name, prefixes[i], size) == 0) {
            name += size;
            n -= size;
        }
    }
    *out = find(name, n);
    return *out != 0;
}
