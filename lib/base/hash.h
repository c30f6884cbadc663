/* SPDX-License-Identifier: MIT
 * Two 64-bit functions of bytes, the same on every machine:
 * lm_hash for tables, SipHash-1-3 with a key made from the seed: collisions cannot be planned without knowing the seed;
 * lm_checksum for files, XXH64 as its specification defines it: detects damage, at memory speed; no defence against forgery. */
#ifndef LM_BASE_HASH_H
#define LM_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* seed 0 gives the key of 128 zero bits. */
uint64_t lm_hash(const void *bytes, size_t n, uint64_t seed);

uint64_t lm_checksum(const void *bytes, size_t n, uint64_t seed);

/* The same in pieces, whatever their sizes. */
typedef struct lm_checksum_stream {
    uint64_t lanes[4];
    uint64_t seed;
    uint64_t n;         /* bytes so far */
    uint8_t buffer[32]; /* the n % 32 bytes that do not fill a stripe yet */
} lm_checksum_stream;

void lm_checksum_begin(lm_checksum_stream *stream, uint64_t seed);
void lm_checksum_feed(lm_checksum_stream *stream, const void *bytes, size_t n);
/* The checksum of all bytes so far; more may follow. */
uint64_t lm_checksum_end(const lm_checksum_stream *stream);

#endif
