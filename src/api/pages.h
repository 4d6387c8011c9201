/* The web pages, their files, and the description of the API, served from the binary. */
#ifndef SERVERY_API_PAGES_H
#define SERVERY_API_PAGES_H

#include "net/http.h"

struct pages;

struct pages *pages_create(void);
void pages_destroy(struct pages *pages); /* NULL is fine */

/* The name under /assets/ of what web/ holds as `source`: a style or an icon that is there. */
struct str pages_name(const struct pages *pages, struct str source);

/* A page that is made here, in the style of the others: what stands before its content (the title
 * is HTML, and its heading too), and what after. */
void pages_begin(const struct pages *pages, struct buf *html, const char *title);
void pages_end(struct buf *html);

/* Answers 404 to a browser that asks for a page which is not there, with the page that says so.
 * False: to a program, or where no pages are. */
bool pages_answer_unknown(const struct pages *pages, struct http_call *http);

#endif
