/* SPDX-License-Identifier: MIT
 * The byte alphabet of GPT-2: printable bytes stand for themselves, the 68 others for U+0100 and up in increasing order. */
#include "vocab_internal.h"

uint32_t lm_byte_letter(uint8_t byte) {
    if ((byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE) return byte;
    if (byte <= 0x20) return 0x100u + byte;
    if (byte == 0x7F) return 0x100 + 33;
    return byte == 0xAD ? 0x100 + 67 : 0x100u + 34 + (byte - 0x80u);
}

int lm_letter_byte(uint32_t letter) {
    if (letter < 0x100) return lm_byte_letter((uint8_t)letter) == letter ? (int)letter : -1;
    uint32_t i = letter - 0x100;
    if (i <= 32) return (int)i;
    if (i == 33) return 0x7F;
    if (i <= 66) return (int)(0x80 + (i - 34));
    return i == 67 ? 0xAD : -1;
}
