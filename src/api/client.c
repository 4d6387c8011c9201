#include "api/client.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <string.h>

#include "base/log.h"

static int address_bits(const struct http_address *address)
{
    return address->is_ipv6 ? 128 : 32;
}

bool client_address_parse(struct str text, struct http_address *ret_address)
{
    char cstr[INET6_ADDRSTRLEN];
    struct http_address address = {0};

    text = str_trim(text);
    if (text.len == 0 || text.len >= sizeof cstr)
        return false;
    memcpy(cstr, text.ptr, text.len);
    cstr[text.len] = '\0';
    if (inet_pton(AF_INET, cstr, address.bytes) == 1) {
        *ret_address = address;
        return true;
    }
    if (inet_pton(AF_INET6, cstr, address.bytes) != 1)
        return false;
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (memcmp(address.bytes, mapped, sizeof mapped) == 0) {
        memcpy(ret_address->bytes, address.bytes + 12, 4);
        memset(ret_address->bytes + 4, 0, 12);
        ret_address->is_ipv6 = false;
        return true;
    }
    address.is_ipv6 = true;
    *ret_address = address;
    return true;
}

bool client_network_parse(struct str text, struct client_network *ret_network)
{
    struct client_network network;
    struct str rest = str_trim(text), host;

    if (!str_split(&rest, '/', &host) || !client_address_parse(host, &network.address))
        return false;
    network.prefix_bits = address_bits(&network.address);
    if (rest.ptr) {
        int64_t bits;
        if (!str_to_int64(rest, &bits) || bits < 0 || bits > network.prefix_bits)
            return false;
        network.prefix_bits = (int)bits;
    }
    *ret_network = network;
    return true;
}

bool client_in_network(const struct http_address *address, const struct client_network *network)
{
    if (address->is_ipv6 != network->address.is_ipv6)
        return false;
    size_t whole = (size_t)network->prefix_bits / 8;
    if (memcmp(address->bytes, network->address.bytes, whole) != 0)
        return false;
    int rest = network->prefix_bits % 8;
    if (rest == 0)
        return true;
    unsigned mask = 0xffu << (8 - rest) & 0xffu;
    return ((unsigned)address->bytes[whole] & mask) ==
           ((unsigned)network->address.bytes[whole] & mask);
}

static bool is_trusted(const struct http_address *address, const struct client_network *trusted,
                       size_t n_trusted)
{
    for (size_t i = 0; i < n_trusted; i++)
        if (client_in_network(address, &trusted[i]))
            return true;
    return false;
}

struct http_address client_from_forwarded(struct http_address peer, struct str forwarded,
                                          const struct client_network *trusted, size_t n_trusted)
{
    struct http_address client = peer;

    /* From the right: each trusted proxy appended the address it saw. */
    while (is_trusted(&client, trusted, n_trusted) && forwarded.len > 0) {
        size_t comma = forwarded.len;
        while (comma > 0 && forwarded.ptr[comma - 1] != ',')
            comma--;
        struct http_address next;
        if (!client_address_parse(str_slice(forwarded, comma, forwarded.len), &next))
            break;
        client = next;
        forwarded.len = comma > 0 ? comma - 1 : 0;
    }
    return client;
}

struct http_address client_of(const struct http_call *call, const struct client_network *trusted,
                              size_t n_trusted)
{
    static atomic_flag warned = ATOMIC_FLAG_INIT;

    struct str forwarded = http_header_get(call, "X-Forwarded-For");
    if (!forwarded.ptr)
        return call->peer;
    if (!is_trusted(&call->peer, trusted, n_trusted)) {
        if (!atomic_flag_test_and_set(&warned))
            log_line(LOG_WARN, "forwarded_header_ignored",
                     LOG_STR("peer", client_text(call->arena, &call->peer)),
                     LOG_CSTR("hint", "name the proxy in trusted_proxies to believe it"));
        return call->peer;
    }
    return client_from_forwarded(call->peer, forwarded, trusted, n_trusted);
}

bool client_is_loopback(const struct http_address *address)
{
    static const unsigned char loopback[16] = {[15] = 1};
    return address->is_ipv6 ? memcmp(address->bytes, loopback, sizeof loopback) == 0
                            : address->bytes[0] == 127;
}

bool client_name_is_loopback(struct str host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    size_t end = host.len;

    while (end > 0 && host.ptr[end - 1] >= '0' && host.ptr[end - 1] <= '9')
        end--;
    struct str bare = end > 0 && host.ptr[end - 1] == ':' ? str_slice(host, 0, end - 1) : host;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq_nocase(bare, str_from(names[i])))
            return true;
    return false;
}

bool client_host_is_loopback(const struct http_call *call)
{
    return client_name_is_loopback(http_header_get(call, "Host"));
}

bool client_is_local(const struct http_call *call, const struct client_network *trusted,
                     size_t n_trusted)
{
    struct str forwarded = http_header_get(call, "X-Forwarded-For"), part;
    struct http_address address;

    if (!client_is_loopback(&call->peer) || !client_host_is_loopback(call))
        return false;
    if (!forwarded.ptr)
        return !http_header_get(call, "Forwarded").ptr && !http_header_get(call, "Via").ptr &&
               !http_header_get(call, "X-Real-IP").ptr;
    if (!is_trusted(&call->peer, trusted, n_trusted))
        return false;
    while (str_split(&forwarded, ',', &part))
        if (!client_address_parse(part, &address) || !client_is_loopback(&address))
            return false;
    return true;
}

struct str client_text(struct arena *arena, const struct http_address *address)
{
    char text[INET6_ADDRSTRLEN];

    inet_ntop(address->is_ipv6 ? AF_INET6 : AF_INET, address->bytes, text, sizeof text);
    return arena_dup(arena, str_from(text));
}

struct str client_key(struct arena *arena, const struct http_address *address)
{
    size_t len = address->is_ipv6 ? 8 : 4;
    return arena_dup(arena, (struct str){(const char *)address->bytes, len});
}
