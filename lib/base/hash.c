/* SPDX-License-Identifier: MIT
 * SipHash with one compression and three finalisation rounds, and XXH64. Bytes are taken as little-endian words on every
 * machine. */
#include "hash.h"

#include <string.h>

static uint64_t rotate(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

/* Written so that compilers make one load of it. */
static uint64_t load64(const uint8_t *p) {
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
           (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

static uint32_t load32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void sip_round(uint64_t v[4]) {
    v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
    v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
}

uint64_t lm_hash(const void *bytes, size_t n, uint64_t seed) {
    const uint8_t *p = bytes;
    uint64_t key0 = seed, key1 = seed * UINT64_C(0x9E3779B97F4A7C15);
    uint64_t v[4] = {key0 ^ UINT64_C(0x736f6d6570736575), key1 ^ UINT64_C(0x646f72616e646f6d),
                     key0 ^ UINT64_C(0x6c7967656e657261), key1 ^ UINT64_C(0x7465646279746573)};
    size_t left = n;
    for (; left >= 8; left -= 8, p += 8) {
        uint64_t word = load64(p);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)n << 56;
    for (size_t i = 0; i < left; i++) last |= (uint64_t)p[i] << (8 * i);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xFF;
    for (int i = 0; i < 3; i++) sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

#define PRIME1 UINT64_C(0x9E3779B185EBCA87)
#define PRIME2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define PRIME3 UINT64_C(0x165667B19E3779F9)
#define PRIME4 UINT64_C(0x85EBCA77C2B2AE63)
#define PRIME5 UINT64_C(0x27D4EB2F165667C5)

static uint64_t mix_lane(uint64_t lane, uint64_t word) { return rotate(lane + word * PRIME2, 31) * PRIME1; }

static void take_stripe(uint64_t lanes[4], const uint8_t *p) {
    for (int i = 0; i < 4; i++) lanes[i] = mix_lane(lanes[i], load64(p + 8 * i));
}

void lm_checksum_begin(lm_checksum_stream *stream, uint64_t seed) {
    memset(stream, 0, sizeof *stream);
    stream->seed = seed;
    stream->lanes[0] = seed + PRIME1 + PRIME2;
    stream->lanes[1] = seed + PRIME2;
    stream->lanes[2] = seed;
    stream->lanes[3] = seed - PRIME1;
}

void lm_checksum_feed(lm_checksum_stream *stream, const void *bytes, size_t n) {
    const uint8_t *p = bytes;
    size_t waiting = stream->n % 32;
    stream->n += n;
    if (waiting + n < 32) {
        if (n) memcpy(stream->buffer + waiting, p, n);
        return;
    }
    if (waiting) {
        size_t missing = 32 - waiting;
        memcpy(stream->buffer + waiting, p, missing);
        take_stripe(stream->lanes, stream->buffer);
        p += missing;
        n -= missing;
    }
    for (; n >= 32; n -= 32, p += 32) take_stripe(stream->lanes, p);
    if (n) memcpy(stream->buffer, p, n);
}

uint64_t lm_checksum_end(const lm_checksum_stream *stream) {
    const uint64_t *lanes = stream->lanes;
    const uint8_t *p = stream->buffer, *end = p + stream->n % 32;
    uint64_t h = stream->seed + PRIME5;
    if (stream->n >= 32) {
        h = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
        for (int i = 0; i < 4; i++) h = (h ^ mix_lane(0, lanes[i])) * PRIME1 + PRIME4;
    }
    h += stream->n;
    for (; end - p >= 8; p += 8) h = rotate(h ^ mix_lane(0, load64(p)), 27) * PRIME1 + PRIME4;
    if (end - p >= 4) {
        h = rotate(h ^ load32(p) * PRIME1, 23) * PRIME2 + PRIME3;
        p += 4;
    }
    for (; p < end; p++) h = rotate(h ^ *p * PRIME5, 11) * PRIME1;
    h = (h ^ h >> 33) * PRIME2;
    h = (h ^ h >> 29) * PRIME3;
    return h ^ h >> 32;
}

uint64_t lm_checksum(const void *bytes, size_t n, uint64_t seed) {
    lm_checksum_stream stream;
    lm_checksum_begin(&stream, seed);
    lm_checksum_feed(&stream, bytes, n);
    return lm_checksum_end(&stream);
}
