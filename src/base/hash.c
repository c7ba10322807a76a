/* SPDX-License-Identifier: MIT */
#include "base/hash.h"

#include <string.h>

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

/* Four bytes at a time (Kounavis and Berry, 2005), for whole histories pass
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

static const uint32_t crc_table[4][256] = {
    {CRC_256(0x77073096u, 0xee0e612cu, 0x076dc419u, 0x0edb8832u, 0x1db71064u, 0x3b6e20c8u,
             0x76dc4190u, 0xedb88320u)},
    {CRC_256(0x191b3141u, 0x32366282u, 0x646cc504u, 0xc8d98a08u, 0x4ac21251u, 0x958424a2u,
             0xf0794f05u, 0x3b83984bu)},
    {CRC_256(0x01c26a37u, 0x0384d46eu, 0x0709a8dcu, 0x0e1351b8u, 0x1c26a370u, 0x384d46e0u,
             0x709a8dc0u, 0xe1351b80u)},
    {CRC_256(0xb8bc6765u, 0xaa09c88bu, 0x8f629757u, 0xc5b428efu, 0x5019579fu, 0xa032af3eu,
             0x9b14583du, 0xed59b63bu)},
};

uint32_t anole_crc32(const void *data, size_t bytes)
{
    const unsigned char *p = data;
    uint32_t crc = 0xffffffffu;
    for (; bytes >= 4; bytes -= 4, p += 4) {
        crc ^= p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        crc = crc_table[3][crc & 255] ^ crc_table[2][crc >> 8 & 255] ^
              crc_table[1][crc >> 16 & 255] ^ crc_table[0][crc >> 24];
    }
    for (; bytes; bytes--, p++)
        crc = crc >> 8 ^ crc_table[0][(crc ^ *p) & 255];
    return ~crc;
}
