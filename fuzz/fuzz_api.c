/* Calls of every route through the real decoders, handlers and store. An input is a few calls, one
 * after the other, apart from one another by a line "---"; a line "after N" lets N ms pass. What
 * the answers say can be used in later calls: $payment, $otp and the like (api_call.c). */
#include "api_call.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "api/routes.h"
#include "base/buf.h"
#include "base/clock.h"

enum { CALLS_MAX = 12, MEMBERS_MAX = 5 };

static struct api_shop *shop;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    shop = api_shop_open();
    return 0;
}

/* Takes the text before the next line "---". */
static bool take_call(struct str *rest, struct str *ret_call)
{
    static const char mark[] = "\n---\n";
    if (!rest->ptr)
        return false;
    const char *end = memmem(rest->ptr, rest->len, mark, sizeof mark - 1);
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    *ret_call = str_slice(*rest, 0, len);
    *rest = end ? str_slice(*rest, len + sizeof mark - 1, rest->len) : STR_NONE;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size}, call;
    int64_t ms;

    api_shop_reset(shop);
    for (int i = 0; i < CALLS_MAX && take_call(&rest, &call); i++) {
        if (str_starts(call, STR("after ")) && str_to_int64(str_slice(call, 6, call.len), &ms) &&
            ms >= 0 && ms < 400 * DAY_MS)
            api_shop_pass(ms);
        else
            api_call_run(shop, call);
        api_shop_pass(7);
    }
    api_shop_check(shop);
    api_call_end();
    return 0;
}

/* ---- Mutation: mostly libFuzzer's own, now and then another call of some route ---- */

static const char *const MEMBERS[] = {
    "\"food_id\":1",
    "\"food_id\":3",
    "\"food_id\":$food",
    "\"quantity\":1",
    "\"quantity\":0",
    "\"quantity\":99",
    "\"fulfilment\":\"pickup\"",
    "\"fulfilment\":\"delivery\"",
    "\"address\":\"12 Allen Avenue\"",
    "\"note\":\"no onions\\n\"",
    "\"expected_total\":250000",
    "\"payment_id\":$payment",
    "\"outcome\":\"paid\"",
    "\"outcome\":\"failed\"",
    "\"status\":\"confirmed\"",
    "\"status\":\"preparing\"",
    "\"status\":\"ready\"",
    "\"status\":\"completed\"",
    "\"status\":\"cancelled\"",
    "\"status\":\"out_for_delivery\"",
    "\"version\":1",
    "\"version\":2",
    "\"name\":\"Suya\"",
    "\"name\":null",
    "\"price\":0",
    "\"price\":1000000000000",
    "\"price\":120000",
    "\"description\":\"hot\"",
    "\"category\":\"Grill\"",
    "\"available\":true",
    "\"available\":false",
    "\"stock\":5",
    "\"stock\":null",
    "\"add\":3",
    "\"add\":-1",
    "\"email\":\"new@example.com\"",
    "\"email\":\"ada@example.com\"",
    "\"password\":\"correct horse\"",
    "\"password\":\"short\"",
    "\"identifier\":\"ada@example.com\"",
    "\"identifier\":\"0803 123 4567\"",
    "\"identifier\":\"new@example.com\"",
    "\"phone\":\"+2348031230000\"",
    "\"phone\":null",
    "\"referral_code\":\"ABCD2345\"",
    "\"referral_code\":\"$referral\"",
    "\"signup_token\":\"$signup\"",
    "\"otp\":\"$otp\"",
    "\"otp\":\"000000\"",
    "\"token\":\"$reset\"",
    "\"new_password\":\"another horse\"",
    "\"current_password\":\"correct horse\"",
    "\"role\":\"admin\"",
    "\"role\":\"user\"",
    "\"disabled\":true",
    "\"currency\":\"KWD\"",
    "\"country_code\":\"39\"",
    "\"timezone\":\"Africa/Lagos\"",
    "\"payment_instructions\":\"Pay at the counter\"",
    "\"resolved\":true",
    "\"price\":-1",
    "\"quantity\":1.5",
    "\"unknown\":{}",
};

static const char *const HEADERS[] = {
    "Authorization: Bearer $user\n",
    "Authorization: Bearer $user\n",
    "Authorization: Bearer $admin\n",
    "Authorization: Bearer $admin\n",
    "Authorization: Bearer $other\n",
    "Authorization: Bearer $new\n",
    "Authorization: Bearer $paytoken\n",
    "Cookie: servery_session=$user\n",
    "",
};

static const char *const QUERIES[] = {
    "limit=1",
    "limit=1&cursor=$cursor",
    "cursor=$cursor",
    "q=a",
    "status=pending",
    "category=Grill",
    "available=true",
    "from=2026-01-01",
    "to=2027-02-01T00:00:00Z",
    "needs_attention=true",
    "refund_due=true",
    "x=1",
};

static const char *const IDS[] = {"1", "2", "3", "8", "$payment", "$order", "$food", "99"};

#define PICK(array, random) (array)[(random) % (sizeof(array) / sizeof *(array))]

static unsigned draw(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(*state >> 33);
}

static void put_path(struct buf *out, const char *pattern, uint64_t *random)
{
    for (const char *p = pattern; *p;) {
        if (strncmp(p, "{id}", 4) == 0) {
            buf_put_cstr(out, PICK(IDS, draw(random)));
            p += 4;
        } else if (strncmp(p, "{name}", 6) == 0) {
            buf_put_cstr(out, "$asset");
            p += 6;
        } else {
            buf_put_char(out, *p++);
        }
    }
}

static void put_call(struct buf *out, uint64_t *random)
{
    static const char *const methods[] = {
        [HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",     [HTTP_POST] = "POST",
        [HTTP_PUT] = "PUT", [HTTP_DELETE] = "DELETE", [HTTP_OTHER] = "PATCH"};
    const struct route *route = &ROUTES[draw(random) % ROUTES_N];
    buf_printf(out, "%s ", methods[route->http.method]);
    put_path(out, route->http.pattern, random);
    if (route->flags & ROUTE_QUERY && draw(random) % 4 > 0)
        buf_printf(out, "?%s", PICK(QUERIES, draw(random)));
    buf_put_char(out, '\n');
    buf_put_cstr(out, route->access == ACCESS_ADMIN && draw(random) % 4 > 0
                          ? "Authorization: Bearer $admin\n"
                          : PICK(HEADERS, draw(random)));
    if (draw(random) % 8 == 0)
        buf_put_cstr(out, "Idempotency-Key: k\n");
    if (route->http.body_max_bytes == 0)
        return;
    buf_put_cstr(out, "Content-Type: application/json\n\n{");
    for (unsigned i = 0, n = draw(random) % MEMBERS_MAX; i < n; i++)
        buf_printf(out, "%s%s", i > 0 ? "," : "", PICK(MEMBERS, draw(random)));
    buf_put_char(out, '}');
}

/* Puts a call, a pause or a member in front of, into or behind what is there. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    unsigned kind = draw(&random) % 8;
    if (kind > 3)
        return LLVMFuzzerMutate(data, size, max_size);
    struct str old = {(const char *)data, size}, before = STR_NONE, rest = old;
    struct buf out;
    buf_init(&out, NULL);
    for (unsigned i = draw(&random) % 4; i > 0 && take_call(&rest, &before); i--) {
        buf_put_str(&out, before);
        buf_put_cstr(&out, "\n---\n");
    }
    if (kind == 3 && rest.ptr && memchr(rest.ptr, '{', rest.len)) {
        size_t at = (size_t)((const char *)memchr(rest.ptr, '{', rest.len) - rest.ptr) + 1;
        buf_put_str(&out, str_slice(rest, 0, at));
        buf_put_cstr(&out, PICK(MEMBERS, draw(&random)));
        buf_put_cstr(&out, at < rest.len && rest.ptr[at] == '"' ? "," : "");
        rest = str_slice(rest, at, rest.len);
    } else {
        if (draw(&random) % 8 == 0)
            buf_printf(&out, "after %u\n---\n", 1u << draw(&random) % 32);
        put_call(&out, &random);
        buf_put_cstr(&out, rest.ptr ? "\n---\n" : "");
        if (kind == 0)
            (void)take_call(&rest, &before); /* instead of this one */
    }
    buf_put_str(&out, rest.ptr ? rest : STR(""));
    size_t len = out.len < max_size ? out.len : max_size;
    memcpy(data, out.ptr, len);
    buf_finish(&out);
    return len;
}
