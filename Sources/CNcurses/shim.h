#ifndef VP_CNCURSES_SHIM_H
#define VP_CNCURSES_SHIM_H

#ifndef _XOPEN_SOURCE_EXTENDED
#define _XOPEN_SOURCE_EXTENDED 1
#endif
#ifndef NCURSES_WIDECHAR
#define NCURSES_WIDECHAR 1
#endif
#include <ncurses.h>
#include <stdio.h>
#include <term.h>
#include <wchar.h>

// Swift refuses C globals that anybody may write, and does not import macros that are more than a number.
// These functions give Swift the globals and macros that it needs.

// NULL takes the type that the environment names.
static inline SCREEN *vp_newterm(const char *type) {
    // The size is the terminal's, whatever LINES and COLUMNS say: they may be those of another window.
    use_env(FALSE);
    use_tioctl(TRUE);
    SCREEN *screen = newterm(type, stdout, stdin);
    if (screen == NULL) return NULL;
    // Until a screen has been left once, ncurses 6.4 takes the program for one that only moves the cursor, and writes each
    // movement by itself: a hundred writes a frame. Here, because with colours on, coming back would also undo those that
    // users have defined.
    endwin();
    refresh();
    return screen;
}

// Whether the terminal's description exists: 1 yes, 0 unknown or too poor for a screen, -1 no database.
static inline int vp_terminal_is_known(void) {
    int status = 0;
    if (setupterm(NULL, 1, &status) == ERR) return status;
    return cursor_address != NULL ? 1 : 0;
}

// Columns of one character in the C library's table; negative for what it does not print.
int wcwidth(wchar_t character);

static inline WINDOW *vp_screen(void) { return stdscr; }
static inline int vp_colors(void) { return has_colors() ? COLORS : 0; }
static inline int vp_color_pairs(void) { return COLOR_PAIRS; }

static inline int vp_attributes(int bold, int dim, int underlined, int reversed, int italic) {
    attr_t attributes = WA_NORMAL;
    if (bold) attributes |= WA_BOLD;
    if (dim) attributes |= WA_DIM;
    if (underlined) attributes |= WA_UNDERLINE;
    if (reversed) attributes |= WA_REVERSE;
#ifdef WA_ITALIC
    if (italic) attributes |= WA_ITALIC;
#endif
    return (int)attributes;
}

// A string of the terminal's description; NULL where it has none of that name.
static inline const char *vp_capability(const char *name) {
    const char *value = tigetstr((char *)name);
    return value == (const char *)-1 ? NULL : value;
}

// Writes `count` wide characters at a place, in one style.
static inline void vp_put(int y, int x, const wchar_t *text, int count, int attributes, short pair) {
    wattr_set(stdscr, (attr_t)attributes, pair, NULL);
    mvwaddnwstr(stdscr, y, x, text, count);
}

#endif
