/* What a mail looks like on the wire: its headers (RFC 5322, encoded by RFC 2047, which libcurl
 * leaves to its caller) and its body (libcurl's MIME parts). Only mail.c and tests need it. */
#ifndef SERVERY_NET_MIME_H
#define SERVERY_NET_MIME_H

#include "net/mail.h"

#include <curl/curl.h>

enum {
    MIME_HEADERS = 7,
    MIME_LINE_MAX = 76, /* of a line that holds an encoded word */
    MIME_DATE_SIZE = 40,
};

/* All headers of the message except MIME-Version, which libcurl adds: each NUL-terminated, folded
 * with CRLF, without its last CRLF, in the arena. The message must be without fault. */
void mime_headers(struct arena *arena, const struct mail_message *message,
                  struct str ret_headers[static MIME_HEADERS]);

/* "Name: value" for a text of any UTF-8: as it is where that is safe, else in encoded words of
 * whole characters, folded. */
struct str mime_header(struct arena *arena, const char *name, struct str value);
struct str mime_header_address(struct arena *arena, const char *name,
                               const struct mail_address *address);

/* Sun, 22 Nov 2026 18:40:00 +0000 */
struct str mime_date(int64_t time_ms, char text[static MIME_DATE_SIZE]);

/* text/plain and, if there is one, text/html as quoted-printable parts; NULL: out of memory. Freed
 * with curl_mime_free before the handle. */
curl_mime *mime_body(CURL *curl, struct arena *arena, const struct mail_message *message);

#endif
