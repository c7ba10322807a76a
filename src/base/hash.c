/* SPDX-License-Identifier: MIT */
#include "base/hash.h"

#include "base/clock.h"

#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

uint64_t anole_hash_bytes(const void *data, size_t bytes)
{
    const unsigned char *p = data;
    uint64_t hash = FNV_OFFSET;
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ p[i]) * FNV_PRIME;
    return hash;
}

uint64_t anole_hash_text(const char *text)
{
    return anole_hash_bytes(text, strlen(text));
}

uint64_t anole_hash_combine(uint64_t hash, uint64_t value)
{
    /* FNV alone mixes whole words poorly: finish with murmur3's avalanche. */
    hash = (hash ^ value) * FNV_PRIME;
    hash ^= hash >> 33;
    hash *= UINT64_C(0xff51afd7ed558ccd);
    hash ^= hash >> 33;
    return hash;
}

/* ---------------------------------------------------------------- SipHash-2-4 */

static inline uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static inline void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
}

/* Eight bytes, the first as the lowest: a compiler makes one load of it where it can. */
static uint64_t sip_load(const unsigned char *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

uint64_t anole_hash_keyed(const uint64_t key[2], const void *data, size_t bytes)
{
    const unsigned char *p = data;
    uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
                     key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};
    size_t left = bytes;
    for (; left >= 8; left -= 8, p += 8)
        sip_word(v, sip_load(p));
    unsigned char last[8] = {0};
    memcpy(last, p, left);
    sip_word(v, (uint64_t)bytes << 56 | sip_load(last));
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void anole_hash_draw_key(uint64_t key[2])
{
    if (getrandom(key, 2 * sizeof *key, GRND_NONBLOCK) == 2 * sizeof *key)
        return;
    /* A machine that has just been started: better than nothing. */
    key[0] = anole_hash_combine((uint64_t)getpid(), (uint64_t)(1e9 * anole_clock()));
    key[1] = anole_hash_combine(key[0], (uint64_t)(uintptr_t)key);
}

/* ---------------------------------------------------------------------- CRC-32 */

/* Eight bytes at a time (Kounavis and Berry, 2005), for whole histories pass
 * through here.  crc_table[k][i] is the CRC of byte i with k zero bytes behind
 * it; since a CRC is linear, that is the XOR of those of i's bits. */
#define CRC_1(i, b0, b1, b2, b3, b4, b5, b6, b7)                                                   \
    ((i)&1 ? b0 : 0u) ^ ((i)&2 ? b1 : 0u) ^ ((i)&4 ? b2 : 0u) ^ ((i)&8 ? b3 : 0u) ^                \
        ((i)&16 ? b4 : 0u) ^ ((i)&32 ? b5 : 0u) ^ ((i)&64 ? b6 : 0u) ^ ((i)&128 ? b7 : 0u)
#define CRC_4(i, ...)                                                                              \
    CRC_1(i, __VA_ARGS__), CRC_1(i + 1, __VA_ARGS__), CRC_1(i + 2, __VA_ARGS__),                   \
        CRC_1(i + 3, __VA_ARGS__)
#define CRC_16(i, ...)                                                                             \
    CRC_4(i, __VA_ARGS__), CRC_4(i + 4, __VA_ARGS__), CRC_4(i + 8, __VA_ARGS__),                   \
        CRC_4(i + 12, __VA_ARGS__)
#define CRC_64(i, ...)                                                                             \
    CRC_16(i, __VA_ARGS__), CRC_16(i + 16, __VA_ARGS__), CRC_16(i + 32, __VA_ARGS__),              \
        CRC_16(i + 48, __VA_ARGS__)
#define CRC_256(...)                                                                               \
    CRC_64(0, __VA_ARGS__), CRC_64(64, __VA_ARGS__), CRC_64(128, __VA_ARGS__),                     \
        CRC_64(192, __VA_ARGS__)

static const uint32_t crc_table[8][256] = {
    {CRC_256(0x77073096u, 0xee0e612cu, 0x076dc419u, 0x0edb8832u, 0x1db71064u, 0x3b6e20c8u,
             0x76dc4190u, 0xedb88320u)},
    {CRC_256(0x191b3141u, 0x32366282u, 0x646cc504u, 0xc8d98a08u, 0x4ac21251u, 0x958424a2u,
             0xf0794f05u, 0x3b83984bu)},
    {CRC_256(0x01c26a37u, 0x0384d46eu, 0x0709a8dcu, 0x0e1351b8u, 0x1c26a370u, 0x384d46e0u,
             0x709a8dc0u, 0xe1351b80u)},
    {CRC_256(0xb8bc6765u, 0xaa09c88bu, 0x8f629757u, 0xc5b428efu, 0x5019579fu, 0xa032af3eu,
             0x9b14583du, 0xed59b63bu)},
    {CRC_256(0x3d6029b0u, 0x7ac05360u, 0xf580a6c0u, 0x30704bc1u, 0x60e09782u, 0xc1c12f04u,
             0x58f35849u, 0xb1e6b092u)},
    {CRC_256(0xcb5cd3a5u, 0x4dc8a10bu, 0x9b914216u, 0xec53826du, 0x03d6029bu, 0x07ac0536u,
             0x0f580a6cu, 0x1eb014d8u)},
    {CRC_256(0xa6770bb4u, 0x979f1129u, 0xf44f2413u, 0x33ef4e67u, 0x67de9cceu, 0xcfbd399cu,
             0x440b7579u, 0x8816eaf2u)},
    {CRC_256(0xccaa009eu, 0x4225077du, 0x844a0efau, 0xd3e51bb5u, 0x7cbb312bu, 0xf9766256u,
             0x299dc2edu, 0x533b85dau)},
};

uint32_t anole_crc32(const void *data, size_t bytes)
{
    const unsigned char *p = data;
    uint32_t crc = 0xffffffffu;
    for (; bytes >= 8; bytes -= 8, p += 8) {
        crc ^= p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        crc = crc_table[7][crc & 255] ^ crc_table[6][crc >> 8 & 255] ^
              crc_table[5][crc >> 16 & 255] ^ crc_table[4][crc >> 24] ^ crc_table[3][p[4]] ^
              crc_table[2][p[5]] ^ crc_table[1][p[6]] ^ crc_table[0][p[7]];
    }
    for (; bytes; bytes--, p++)
        crc = crc >> 8 ^ crc_table[0][(crc ^ *p) & 255];
    return ~crc;
}
