/* Who the client is: the peer's address, or what a trusted proxy says of it. */
#ifndef SERVERY_API_CLIENT_H
#define SERVERY_API_CLIENT_H

#include "net/http.h"

/* An address or a network in CIDR notation: "10.0.0.0/8", "::1". */
struct client_network {
    struct http_address address;
    int prefix_bits;
};

MUST_CHECK bool client_network_parse(struct str text, struct client_network *ret_network);
MUST_CHECK bool client_address_parse(struct str text, struct http_address *ret_address);
bool client_in_network(const struct http_address *address, const struct client_network *network);

/* The peer, or, if the peer is one of the trusted, the last address of X-Forwarded-For that is not.
 * A forwarding header from anybody else is ignored, and warned of once a process. */
struct http_address client_of(const struct http_call *call, const struct client_network *trusted,
                              size_t n_trusted);

/* The same rule on texts alone; for tests and fuzzing. */
struct http_address client_from_forwarded(struct http_address peer, struct str forwarded,
                                          const struct client_network *trusted, size_t n_trusted);

/* 127.0.0.0/8 or ::1. */
bool client_is_loopback(const struct http_address *address);

/* Whether this host, with a port or without, is a name of this machine's own. */
bool client_name_is_loopback(struct str host);

/* Whether the Host header names this machine: a page elsewhere whose name was made to point here
 * (DNS rebinding) does not. */
bool client_host_is_loopback(const struct http_call *call);

/* Whether the call was made on this machine, for what needs no other proof. One that came through a
 * proxy counts only if the proxy is trusted and names nobody but this machine. */
bool client_is_local(const struct http_call *call, const struct client_network *trusted,
                     size_t n_trusted);

struct str client_text(struct arena *arena, const struct http_address *address);

/* What limits count by: the IPv4 address, or an IPv6 address's /64. */
struct str client_key(struct arena *arena, const struct http_address *address);

#endif
