// Passes over the bytes of a log, some dozens at once.
//
// They are in C for two reasons. Swift's vectors have no way to gather the bits of a comparison, which takes one
// instruction. And a function can be compiled twice, for any x86-64 and for those with vectors of 32 bytes; the one that
// suits the processor is chosen when the program starts.

#include "cbytes.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GLIBC__)
#define VERSIONS __attribute__((target_clones("default", "arch=x86-64-v3")))
#else
#define VERSIONS
#endif
// The warning is of vectors that are passed between functions, which are all inlined here.
#pragma clang diagnostic ignored "-Wpsabi"
#define INLINE static inline __attribute__((always_inline))

typedef uint8_t bytes __attribute__((ext_vector_type(32)));
typedef bool flags __attribute__((ext_vector_type(32)));

/// A bit for each byte of which a comparison is true.
#define BITS(comparison) bits(__builtin_convertvector(comparison, flags))

INLINE uint32_t bits(flags flags) {
    uint32_t bits;
    memcpy(&bits, &flags, sizeof bits);
    return bits;
}

INLINE bytes load(const uint8_t *start) {
    bytes block;
    memcpy(&block, start, sizeof block);
    return block;
}

// MARK: Lines

/// The upper half of a product depends on all bits of its factors.
INLINE uint64_t mixed(uint64_t hash, uint64_t first, uint64_t second) {
    unsigned __int128 product = (unsigned __int128)(first + 0xd6e8feb86659fd93) * (second ^ hash);
    return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

/// The shape's hash: of each 32 bytes the first half is mixed into one number, the second into another.
struct hash {
    uint64_t first, second;
};

INLINE void mix(struct hash *hash, bytes block) {
    uint64_t words[4];
    memcpy(words, &block, sizeof words);
    hash->first = mixed(hash->first, words[0], words[1]);
    hash->second = mixed(hash->second, words[2], words[3]);
}

static const bytes numbers = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                              16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

/// Reads 32 bytes of the line, and returns whether it ends in them.
INLINE bool read_block(bytes block, size_t index, uint8_t *shape, struct hash *hash, struct vp_line *line) {
    bytes kept = (block - '0') < 10 ? '0' : block;
    memcpy(shape + index, &kept, sizeof kept);
    if (BITS(kept < ' ')) {
        uint32_t ends = BITS((block == '\n') | (block == '\r')), escapes = BITS(block == 0x1B);
        if (ends) {
            unsigned rest = __builtin_ctz(ends);
            mix(hash, numbers < (uint8_t)rest ? kept : 0);
            line->length = index + rest;
            line->hash = mixed(hash->first, hash->second, line->length) | 1;
            line->has_escape |= (escapes & ((1u << rest) - 1)) != 0;
            return true;
        }
        line->has_escape |= escapes != 0;
    }
    mix(hash, kept);
    return false;
}

/// Reads the last bytes that can be read, less than 32: zeros are taken for the others.
static __attribute__((noinline)) bool read_rest(
    const uint8_t *start, size_t index, size_t count, uint8_t *shape, struct hash hash, struct vp_line *line) {
    bytes block = {};
    memcpy(&block, start + index, count - index);
    return read_block(block, index, shape, &hash, line);
}

INLINE bool read_line(const uint8_t *start, size_t count, uint8_t *shape, struct vp_line *line) {
    struct hash hash = {0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f};
    size_t index = 0;
    line->has_escape = false;
    for (; index + sizeof(bytes) <= count; index += sizeof(bytes)) {
        if (read_block(load(start + index), index, shape, &hash, line)) return true;
    }
    return read_rest(start, index, count, shape, hash, line);
}

// MARK: Words

/// A bit for each byte of both for which the comparison is true.
#define BITS_OF_BOTH(low, high, comparison) ((uint64_t)BITS(high comparison) << 32 | BITS(low comparison))

/// The number of each letter in the alphabet, from 0; above 25 for other bytes.
INLINE bytes numbered(bytes block) { return (block & 0xDF) - 'A'; }

/// For four bits that say which bytes are letters, a mask that keeps those before the first other byte, and turns small
/// letters into capitals.
static const uint32_t masks[16] = {0, 0xDF, 0, 0xDFDF, 0, 0xDF, 0, 0xDFDFDF,
                                   0, 0xDF, 0, 0xDFDF, 0, 0xDF, 0, 0xDFDFDFDF};

INLINE uint64_t known_words(
    const uint8_t *text, size_t index, size_t count, uint64_t letters, const uint8_t *table) {
    uint64_t known = 0;
    for (uint64_t starts = letters & ~(letters << 1); starts; starts &= starts - 1) {
        unsigned start = __builtin_ctzll(starts);
        uint64_t run = letters >> start;
        uint32_t four;
        memcpy(&four, text + index + start, sizeof four);
        uint8_t what = table[vp_place(four & masks[run & 15])];
        if (what == vp_unknown) continue;
        size_t place = index + start;
        if (what == vp_counted && !vp_is_counted(text, place, place + __builtin_ctzll(~run), count)) continue;
        known |= 1ull << start;
    }
    return known;
}

/// The end of the run of letters that goes on at `index`.
INLINE size_t end_of_run(const uint8_t *text, size_t index, size_t count) {
    while (index < count && (uint8_t)((text[index] & 0xDF) - 'A') < 26) index++;
    return index;
}

/// The last letter of each run of at least five.
INLINE uint64_t ends_of_five(uint64_t letters) {
    uint64_t two = letters & letters << 1;
    return two & two << 2 & letters << 4 & ~(letters >> 1);
}

INLINE bool find_words(const uint8_t *text, size_t count, const uint8_t *table, struct vp_words *words) {
    for (size_t index = words->next, next; index < count; index = next) {
        bytes low = load(text + index), high = load(text + index + 32);
        bytes first = numbered(low), second = numbered(high);
        uint64_t letters = BITS_OF_BOTH(first, second, < 26);
        uint64_t s = BITS_OF_BOTH(first, second, == 'S' - 'A');
        uint64_t c = BITS_OF_BOTH(first, second, == 'C' - 'A');
        uint64_t y = BITS_OF_BOTH(first, second, == 'Y' - 'A');
        uint64_t small = BITS_OF_BOTH(low, high, >= 'a');
        uint64_t measures = 0;
        next = index + 64;
        if (next > count) letters &= (1ull << (count - index)) - 1;
        if (letters >> 63 && next < count) {
            // The last run may go on in the next block, which begins with it.
            uint64_t others = ~letters;
            if (others) {
                next -= __builtin_clzll(others);
                letters &= (1ull << (next - index)) - 1;
            } else {
                // No word is so long, but it may end in a measure: the block of its last letters.
                next = end_of_run(text, next, count);
                uint8_t last = text[next - 1] & 0xDF, before = text[next - 2] & 0xDF;
                if ((last == 'S' && before == 'S') || (last == 'Y' && before == 'C')) measures = 1ull << 63;
                index = next - 64;
                letters = 0;
            }
        }
        words->measures = measures | (ends_of_five(letters) & ((s & s << 1) | (y & c << 1)));
        words->humps = letters & small & (letters & ~small) >> 1;
        words->known = known_words(text, index, count, letters, table);
        if (words->known | words->measures | words->humps) {
            words->letters = letters;
            words->index = index;
            words->next = next;
            return true;
        }
    }
    return false;
}

// MARK: Versions

VERSIONS bool vp_read_line(const uint8_t *start, size_t count, uint8_t *shape, struct vp_line *line) {
    return read_line(start, count, shape, line);
}

bool vp_read_line_plain(const uint8_t *start, size_t count, uint8_t *shape, struct vp_line *line) {
    return read_line(start, count, shape, line);
}

VERSIONS bool vp_find_words(
    const uint8_t *text, size_t count, const uint8_t *table, struct vp_words *words) {
    return find_words(text, count, table, words);
}

bool vp_find_words_plain(
    const uint8_t *text, size_t count, const uint8_t *table, struct vp_words *words) {
    return find_words(text, count, table, words);
}
