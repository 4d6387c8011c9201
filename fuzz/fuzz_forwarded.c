/* Who the client is, by X-Forwarded-For and the trusted proxies, beside a slow reading of the same
 * rule bit by bit. Nobody but a trusted proxy is believed, and what stands left of the client's
 * address is without effect, because the client may have sent it. Lines: peer, proxies, header. */
#include "fuzz.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "api/client.h"

enum { NETWORKS_MAX = 8, TOKENS_MAX = 64 };

struct networks {
    size_t n;
    struct client_network all[NETWORKS_MAX];
};

static bool is_same(const struct http_address *a, const struct http_address *b)
{
    return a->is_ipv6 == b->is_ipv6 && memcmp(a->bytes, b->bytes, a->is_ipv6 ? 16 : 4) == 0;
}

static bool bit(const struct http_address *address, int n)
{
    return address->bytes[n / 8] >> (7 - n % 8) & 1;
}

static bool is_trusted(const struct http_address *address, const struct networks *networks)
{
    for (size_t i = 0; i < networks->n; i++) {
        const struct client_network *network = &networks->all[i];
        bool inside = network->address.is_ipv6 == address->is_ipv6;
        for (int n = 0; n < network->prefix_bits; n++)
            inside = inside && bit(address, n) == bit(&network->address, n);
        CHECK(client_in_network(address, network) == inside);
        if (inside)
            return true;
    }
    return false;
}

static struct http_address reference(struct arena *arena, struct http_address peer,
                                     struct str forwarded, const struct networks *networks)
{
    struct str tokens[TOKENS_MAX];
    size_t n = 0;
    while (n < TOKENS_MAX && str_split(&forwarded, ',', &tokens[n]))
        n++;
    struct http_address client = peer;
    while (n-- > 0 && is_trusted(&client, networks)) {
        const char *text = arena_cstr(arena, str_trim(tokens[n]));
        struct http_address next = {0};
        struct in6_addr six;
        if (strlen(text) != str_trim(tokens[n]).len)
            break;
        if (inet_pton(AF_INET, text, next.bytes) != 1) {
            if (inet_pton(AF_INET6, text, &six) != 1)
                break;
            next.is_ipv6 = !IN6_IS_ADDR_V4MAPPED(&six);
            memcpy(next.bytes, six.s6_addr + (next.is_ipv6 ? 0 : 12), next.is_ipv6 ? 16 : 4);
        }
        client = next;
    }
    return client;
}

static void check_text(struct arena *arena, const struct http_address *address)
{
    struct http_address again;
    CHECK(client_address_parse(client_text(arena, address), &again));
    /* ::1.2.3.4 and the like may be written in another family's way, but stay what they are. */
    CHECK(is_same(&again, address));
    CHECK(client_key(arena, address).len == (address->is_ipv6 ? 8u : 4u));
}

static size_t count_commas(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += s.ptr[i] == ',';
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    struct str rest = {(const char *)data, size}, part;
    struct networks networks = {0};
    struct http_address peer;
    struct str peer_text = fuzz_line(arena, &rest), proxies = fuzz_line(arena, &rest);
    struct str forwarded = fuzz_rest(arena, rest);

    forwarded.len = strnlen(forwarded.ptr, forwarded.len); /* as every header is */
    while (networks.n < NETWORKS_MAX && str_split(&proxies, ',', &part))
        networks.n += client_network_parse(part, &networks.all[networks.n]);
    for (size_t i = 0; i < networks.n; i++) {
        const struct client_network *network = &networks.all[i];
        CHECK(network->prefix_bits >= 0 &&
              network->prefix_bits <= (network->address.is_ipv6 ? 128 : 32));
        CHECK(client_in_network(&network->address, network));
    }
    if (client_address_parse(peer_text, &peer) && count_commas(forwarded) < TOKENS_MAX) {
        struct http_address client =
            client_from_forwarded(peer, forwarded, networks.all, networks.n);
        struct http_address expected = reference(arena, peer, forwarded, &networks);
        CHECK(is_same(&client, &expected));
        CHECK(is_same(&client, &peer) || is_trusted(&peer, &networks));
        check_text(arena, &client);
        if (!is_trusted(&client, &networks)) {
            struct str more = arena_printf(arena, "6.6.6.6,::6," STR_FMT, STR_ARG(forwarded));
            expected = client_from_forwarded(peer, more, networks.all, networks.n);
            CHECK(is_same(&client, &expected) || is_same(&client, &peer));
        }
    }
    arena_destroy(arena);
    return 0;
}
