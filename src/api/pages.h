/* The web pages, their files, and the description of the API, served from the binary. */
#ifndef SERVERY_API_PAGES_H
#define SERVERY_API_PAGES_H

#include "net/http.h"

struct pages;

struct pages *pages_create(void);
void pages_destroy(struct pages *pages); /* NULL is fine */

/* The file of that name; NULL if there is none. A reference for the caller. */
struct http_content *pages_content(struct pages *pages, struct str name);

#endif
