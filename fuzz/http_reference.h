/* Reads the bytes of a connection as strictly as RFC 9112 lets one, in the plainest way: what a
 * careful proxy in front of the server takes to be its requests. */
#ifndef SERVERY_FUZZ_HTTP_REFERENCE_H
#define SERVERY_FUZZ_HTTP_REFERENCE_H

#include "base/buf.h"

enum reference_result {
    REFERENCE_REQUEST,
    REFERENCE_MORE, /* it is not whole */
    REFERENCE_BAD,  /* no request; what follows is none either */
};

struct reference_request {
    struct str method, target;
    struct buf body;
    bool body_unread; /* of a method that no one knows: whoever answers must close */
    bool last;        /* its framing is doubtful: nothing behind it is a request */
    bool sure;        /* so plain that the server must handle it */
};

/* Takes the next one off *rest. */
enum reference_result reference_read(struct arena *arena, struct str *rest,
                                     struct reference_request *ret_request);

#endif
