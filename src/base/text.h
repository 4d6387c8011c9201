/* Texts that people type: UTF-8 by the rules of libunistring. */
#ifndef SERVERY_BASE_TEXT_H
#define SERVERY_BASE_TEXT_H

#include "base/arena.h"

bool text_is_utf8(struct str s);
size_t text_count(struct str s); /* Unicode code points; s must be UTF-8 */

/* True if s holds a control character (C0, DEL, C1); with allow_newline LF is none, CR LF
 * neither. */
bool text_has_control(struct str s, bool allow_newline);

/* True if s holds one of the invisible characters that embed, override or isolate a direction of
 * writing (U+202A to U+202E, U+2066 to U+2069): left open, one turns round what stands behind s in
 * another program's line. The marks that only sit between letters (U+200E, U+200F, U+061C) are
 * none. */
bool text_has_turning(struct str s);

/* Case-folded and NFKC-normalized, for comparing and searching; in the arena. Bytes that are no
 * UTF-8 become U+FFFD. */
struct str text_fold(struct arena *arena, struct str s);

/* Without white space (Unicode's) at both ends; a view. */
struct str text_trim(struct str s);

/* The length in bytes of the space (no tab, no new line) or dash of any kind that s begins with; 0:
 * it begins with none. */
size_t text_gap(struct str s);

#endif
