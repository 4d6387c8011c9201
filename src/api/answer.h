/* Turning problems into answers (RFC 9457); the one place where a code becomes HTTP. */
#ifndef SERVERY_API_ANSWER_H
#define SERVERY_API_ANSWER_H

#include "api/call.h"

/* Fills the response for what a handler returned; logs what is our fault. */
void answer_error(struct call *c, enum err err);

#endif
