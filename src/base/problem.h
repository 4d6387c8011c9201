/* What the client must hear when a call is refused (RFC 9457), filled where it is detected, in the
 * rules, the store or the handler, and turned into an answer in one place (api/answer.c). */
#ifndef SERVERY_BASE_PROBLEM_H
#define SERVERY_BASE_PROBLEM_H

#include "base/arena.h"
#include "base/err.h"

/* code, HTTP status, title. The code is the lower-case name on the wire and in
 * docs/openapi.yaml. */
#define PROBLEM_CODES(X)                                                                           \
    X(MALFORMED_JSON, malformed_json, 400, "The body is not valid JSON")                           \
    X(MALFORMED_REQUEST, malformed_request, 400, "The request could not be understood")            \
    X(UNAUTHENTICATED, unauthenticated, 401, "Log in first")                                       \
    X(INVALID_CREDENTIALS, invalid_credentials, 401, "Wrong email, phone or password")             \
    X(PAYMENT_REQUIRED, payment_required, 402, "This order has to be paid first")                  \
    X(FORBIDDEN, forbidden, 403, "You are not allowed to do this")                                 \
    X(CROSS_SITE, cross_site, 403, "This request came from another site")                          \
    X(ACCOUNT_NOT_VERIFIED, account_not_verified, 403, "Verify your email address first")          \
    X(ACCOUNT_DISABLED, account_disabled, 403, "This account has been disabled")                   \
    X(NOT_FOUND, not_found, 404, "There is nothing here")                                          \
    X(FOOD_NOT_FOUND, food_not_found, 404, "There is no such food")                                \
    X(METHOD_NOT_ALLOWED, method_not_allowed, 405, "This method is not allowed here")              \
    X(EMAIL_TAKEN, email_taken, 409, "This email address already has an account")                  \
    X(PHONE_TAKEN, phone_taken, 409, "This phone number already has an account")                   \
    X(VERSION_CONFLICT, version_conflict, 409, "Somebody else changed this meanwhile")             \
    X(FOOD_UNAVAILABLE, food_unavailable, 409, "This food is not available at the moment")         \
    X(OUT_OF_STOCK, out_of_stock, 409, "There is not enough left of this food")                    \
    X(CART_FULL, cart_full, 409, "The cart is full")                                               \
    X(CART_EMPTY, cart_empty, 409, "The cart is empty")                                            \
    X(PRICE_CHANGED, price_changed, 409, "Prices changed meanwhile")                               \
    X(TOTAL_TOO_LARGE, total_too_large, 409, "The total is too large")                             \
    X(PAYMENT_FAILED, payment_failed, 409, "The payment failed")                                   \
    X(PAYMENT_CANCELLED, payment_cancelled, 409, "The payment was cancelled")                      \
    X(PAYMENT_NOT_OPEN, payment_not_open, 409, "This payment is no longer open")                   \
    X(PAYMENT_CONFLICT, payment_conflict, 409, "This payment already has another outcome")         \
    X(NOTHING_TO_RESOLVE, nothing_to_resolve, 409, "This payment needs nobody")                    \
    X(ILLEGAL_TRANSITION, illegal_transition, 409, "The order cannot go to this status")           \
    X(LAST_ADMIN, last_admin, 409, "This is the last admin")                                       \
    X(CURRENCY_IN_USE, currency_in_use, 409, "The currency cannot change any more")                \
    X(STOCK_NOT_COUNTED, stock_not_counted, 409, "The stock of this food is not counted")          \
    X(OTP_EXPIRED, otp_expired, 410, "This code has expired")                                      \
    X(TOKEN_EXPIRED, token_expired, 410, "This link has expired")                                  \
    X(PAYMENT_EXPIRED, payment_expired, 410, "The time for this payment is over")                  \
    X(BODY_TOO_LARGE, body_too_large, 413, "The body is too large")                                \
    X(UNSUPPORTED_MEDIA_TYPE, unsupported_media_type, 415, "This type of body is not taken here")  \
    X(UNKNOWN_FIELD, unknown_field, 422, "This field is not known here")                           \
    X(REQUIRED, required, 422, "This field is required")                                           \
    X(WRONG_TYPE, wrong_type, 422, "This field has the wrong type")                                \
    X(TOO_LONG, too_long, 422, "This text is too long")                                            \
    X(TOO_SHORT, too_short, 422, "This text is too short")                                         \
    X(OUT_OF_RANGE, out_of_range, 422, "This number is out of range")                              \
    X(CONTROL_CHARACTER, control_character, 422, "Control characters are not allowed here")        \
    X(INVALID_VALUE, invalid_value, 422, "This value is not allowed here")                         \
    X(EMAIL_INVALID, email_invalid, 422, "This is not an email address")                           \
    X(PHONE_INVALID, phone_invalid, 422, "This is not a phone number")                             \
    X(PASSWORD_TOO_SHORT, password_too_short, 422, "The password is too short")                    \
    X(PASSWORD_TOO_LONG, password_too_long, 422, "The password is too long")                       \
    X(PASSWORD_WRONG, password_wrong, 422, "The current password is wrong")                        \
    X(REFERRAL_CODE_INVALID, referral_code_invalid, 422, "There is no such referral code")         \
    X(OTP_INVALID, otp_invalid, 422, "This code is wrong")                                         \
    X(IMAGE_INVALID, image_invalid, 422, "This is not a whole picture")                            \
    X(IMAGE_TOO_LARGE, image_too_large, 422, "This picture has too many pixels")                   \
    X(IDEMPOTENCY_KEY_REUSED, idempotency_key_reused, 422,                                         \
      "This Idempotency-Key was used with another request")                                        \
    X(IDEMPOTENCY_KEY_INVALID, idempotency_key_invalid, 422, "This Idempotency-Key is not valid")  \
    X(OTP_COOLDOWN, otp_cooldown, 429, "A code was sent a moment ago")                             \
    X(OTP_LOCKED, otp_locked, 429, "Too many wrong codes")                                         \
    X(RATE_LIMITED, rate_limited, 429, "Too many requests")                                        \
    X(TOO_MANY_PAYMENTS, too_many_payments, 429, "Too many unpaid payments")                       \
    X(TOO_MANY_STREAMS, too_many_streams, 429, "Too many open streams")                            \
    X(INTERNAL, internal, 500, "Something went wrong on our side")                                 \
    X(UNAVAILABLE, unavailable, 503, "The server cannot do this right now")                        \
    X(PROVIDER_UNAVAILABLE, provider_unavailable, 503, "The payment provider gives no answer")

enum problem_code {
    PROBLEM_NONE = 0,
#define PROBLEM_ENUM(name, text, status, title) PROBLEM_##name,
    PROBLEM_CODES(PROBLEM_ENUM)
#undef PROBLEM_ENUM
        PROBLEM_COUNT,
};

/* One row of `errors`. field names the member ("quantity"), or is NULL; it is not copied, nor is
 * the key of an extra. */
struct problem_row {
    const char *field;
    enum problem_code code;
    struct str detail; /* STR_NONE: the code's title */
    int64_t food_id;   /* 0: none; otherwise an extra member of the row */
};

/* An extra member of the problem, such as attempts_left or payment. */
struct problem_extra {
    const char *key;
    struct str json;
};

enum { PROBLEM_ROWS_MAX = 64, PROBLEM_EXTRAS_MAX = 4 };

struct problem {
    struct arena *arena; /* what rows and extras point into; set by problem_init */
    enum problem_code code;
    struct str detail;      /* STR_NONE: none */
    int64_t retry_after_ms; /* 0: none; else the Retry-After header, rounded up to seconds */
    size_t n_rows, n_extras;
    struct problem_row rows[PROBLEM_ROWS_MAX];
    struct problem_extra extras[PROBLEM_EXTRAS_MAX];
};

void problem_init(struct problem *problem, struct arena *arena);
void problem_reset(struct problem *problem); /* as after init; for transactions that run again */

/* Sets code and detail (may be NULL; copied) and returns ERR_PROBLEM, to be returned at once. */
enum err problem_set(struct problem *problem, enum problem_code code, const char *detail);
enum err problem_printf(struct problem *problem, enum problem_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds a row; the first one also sets the problem's code. Rows past the limit are dropped. */
enum err problem_add(struct problem *problem, const char *field, enum problem_code code,
                     const char *detail);
enum err problem_add_food(struct problem *problem, int64_t food_id, enum problem_code code,
                          struct str detail);

void problem_extra_int(struct problem *problem, const char *key, int64_t value);
void problem_extra_json(struct problem *problem, const char *key, struct str json); /* copied */

const char *problem_code_text(enum problem_code code);
const char *problem_code_title(enum problem_code code);
int problem_code_status(enum problem_code code);

#endif
