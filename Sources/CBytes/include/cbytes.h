#ifndef VP_CBYTES_H
#define VP_CBYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// The most bytes that are read behind those that count.
#define VP_BLOCK 64

/// A line's end, and its shape: the text with all digits alike.
struct vp_line {
    size_t length;
    /// The hash of the shape.
    uint64_t hash;
    bool has_escape;
};

/// Finds the end of the line that begins at `start`, and writes its shape, with up to VP_BLOCK bytes after it.
/// Returns false if the line does not end within `count` bytes.
bool vp_read_line(const uint8_t *start, size_t count, uint8_t *shape, struct vp_line *line);

/// What stands in at most 64 bytes of a line, with a bit for each byte.
struct vp_words {
    /// Where they begin, and where those after them begin. A run of letters is not divided.
    size_t index, next;
    uint64_t letters;
    /// The first letter of each run whose first four are in the table.
    uint64_t known;
    /// The last letter of each run of at least five that ends in `ss` or `cy`, as `loss` and `accuracy` do.
    uint64_t measures;
    /// Each small letter before a capital: `valLoss`.
    uint64_t humps;
};

/// The bits of a place in the table of `vp_find_words`, and what it says of words that begin so: some are known, or
/// only such as count where `vp_is_counted`.
#define VP_PLACE_BITS 13
enum { vp_unknown, vp_known, vp_counted };

/// The place of the first four letters of a word, in capitals. The first letter is in the lowest bits; zeros
/// stand for letters that a shorter word does not have.
static inline uint32_t vp_place(uint32_t letters) { return (letters * 0x9e3779b1u) >> (32 - VP_PLACE_BITS); }

/// Returns whether the word from `start` to `stop` may be a unit: `tokens/s`, `tokens_per_second`,
/// `tokens per second`, `it/sec`.
static inline bool vp_is_counted(const uint8_t *text, size_t start, size_t stop, size_t count) {
    if (start > 0 && (text[start - 1] == '/' || text[start - 1] == '_')) return true;
    if (stop >= count) return false;
    uint8_t next = text[stop];
    if (next == ' ') return stop + 2 < count && (text[stop + 1] | 0x20) == 'p' && (text[stop + 2] | 0x20) == 'e';
    return next == '/' || next == '_' || next == ':' || next == '=';
}

/// Finds the next bytes of a line, from `words->next` on, that have a known word, a measure or a hump. Returns
/// false if there are none. VP_BLOCK bytes after the line are read.
bool vp_find_words(const uint8_t *text, size_t count, const uint8_t *table, struct vp_words *words);

// The same for every processor: for the tests, which compare them with those above.
bool vp_read_line_plain(const uint8_t *start, size_t count, uint8_t *shape, struct vp_line *line);
bool vp_find_words_plain(const uint8_t *text, size_t count, const uint8_t *table, struct vp_words *words);

#endif
