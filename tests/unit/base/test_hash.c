/* SPDX-License-Identifier: MIT
 * The hash and the checksum against independent implementations: CPython's hash of bytes objects under PYTHONHASHSEED=0
 * (SipHash-1-3, zero key) and the xxhash package (XXH64). Input: byte i is (7 * i + 3) mod 256. */
#include "check.h"

#include "base/hash.h"

static const struct {
    size_t n;
    uint64_t checksum, seeded_checksum, hash;
} vectors[] = {
    {1, UINT64_C(0x1f25c8d0bc1f4bb6), UINT64_C(0x20f9f4e3fba1be06), UINT64_C(0x486b06067755d7c9)},
    {3, UINT64_C(0x31d2363f52e564c9), UINT64_C(0x076b77199119d7dd), UINT64_C(0x711b47561b9b33e2)},
    {4, UINT64_C(0x9bb64b7d66ee9fda), UINT64_C(0x27a7e5587a8a5c2e), UINT64_C(0x22090e1d03fbbf1c)},
    {7, UINT64_C(0x9a7b149959ce60d8), UINT64_C(0xcff13e1a810bec27), UINT64_C(0x8a715eaaf55549aa)},
    {8, UINT64_C(0xdab99d95c6f90092), UINT64_C(0x841e06da64a07ce8), UINT64_C(0x36c186f0aa4cdbeb)},
    {9, UINT64_C(0x170bb6bf975b4c02), UINT64_C(0x3a022da88809d1df), UINT64_C(0x5176191e3d24cbff)},
    {15, UINT64_C(0x1b47cb8243cc8e32), UINT64_C(0xa74cea546aef6b18), UINT64_C(0x19ed3f1b38f7e4e2)},
    {31, UINT64_C(0xa2aa5f33cc4a6119), UINT64_C(0x6ba872e910fbce5c), UINT64_C(0xf8d992129081807b)},
    {32, UINT64_C(0x23c3c17ef790fd97), UINT64_C(0x25cc07da699894a9), UINT64_C(0x1d94f92ad87f271d)},
    {33, UINT64_C(0x50a7cfc7ba588784), UINT64_C(0xbf84912d4dea9670), UINT64_C(0x71e3dcba331c4dd7)},
    {63, UINT64_C(0x5e3e54b431c7493c), UINT64_C(0x737629700e723da5), UINT64_C(0x42ed5c087e0bfe5d)},
    {64, UINT64_C(0x0eb64b3ef6eeb01f), UINT64_C(0xfded24eb11992703), UINT64_C(0x65134a36595a21fb)},
    {100, UINT64_C(0xa61f8d4c170fe531), UINT64_C(0xfe1fce732c97c212), UINT64_C(0xde2a45bb2a709f2a)},
    {200, UINT64_C(0xa6cb3c09bc829b24), UINT64_C(0xac807cb85af4bf45), UINT64_C(0x63c7d95ac2efcfda)},
};

#define SEED UINT64_C(0x0123456789ABCDEF)

static unsigned char bytes[200];

static int fill(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(i * 7 + 3);
    return 0;
}

static void values_match_other_implementations(void **state) {
    (void)state;
    assert_true(lm_checksum("", 0, 0) == UINT64_C(0xef46db3751d8e999));
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        assert_true(lm_checksum(bytes, vectors[i].n, 0) == vectors[i].checksum);
        assert_true(lm_checksum(bytes, vectors[i].n, SEED) == vectors[i].seeded_checksum);
        assert_true(lm_hash(bytes, vectors[i].n, 0) == vectors[i].hash);
    }
}

static void pieces_do_not_matter(void **state) {
    (void)state;
    for (size_t step = 1; step <= 70; step++) {
        lm_checksum_stream stream;
        lm_checksum_begin(&stream, SEED);
        for (size_t at = 0; at < sizeof bytes; at += step) {
            size_t n = sizeof bytes - at < step ? sizeof bytes - at : step;
            assert_true(lm_checksum_end(&stream) == lm_checksum(bytes, at, SEED));
            lm_checksum_feed(&stream, bytes + at, n);
        }
        lm_checksum_feed(&stream, NULL, 0);
        assert_true(lm_checksum_end(&stream) == lm_checksum(bytes, sizeof bytes, SEED));
    }
}

static void every_bit_and_the_seed_matter(void **state) {
    (void)state;
    unsigned char text[24];
    memcpy(text, bytes, sizeof text);
    uint64_t base = lm_hash(text, sizeof text, SEED), sum = lm_checksum(text, sizeof text, SEED);
    assert_true(base != lm_hash(text, sizeof text, SEED + 1));
    assert_true(base != lm_hash(text, sizeof text - 1, SEED));
    for (size_t bit = 0; bit < 8 * sizeof text; bit++) {
        text[bit / 8] ^= (unsigned char)(1u << bit % 8);
        uint64_t changed = lm_hash(text, sizeof text, SEED) ^ base;
        int flipped = 0;
        for (; changed; changed &= changed - 1) flipped++;
        assert_in_range(flipped, 10, 54);
        assert_true(lm_checksum(text, sizeof text, SEED) != sum);
        text[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_match_other_implementations),
        cmocka_unit_test(pieces_do_not_matter),
        cmocka_unit_test(every_bit_and_the_seed_matter),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
