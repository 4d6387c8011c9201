/* The route table: every path the server answers. Start reading here. */
#ifndef SERVERY_API_ROUTES_H
#define SERVERY_API_ROUTES_H

#include "api/call.h"

extern const struct route ROUTES[];
extern const size_t ROUTES_N;

#endif
