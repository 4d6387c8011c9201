/* Every limit of the domain, by name, in one place. Texts are counted in Unicode code points. */
#ifndef SERVERY_DOMAIN_LIMITS_H
#define SERVERY_DOMAIN_LIMITS_H

#include "base/clock.h"

#define MONEY_MAX INT64_C(1000000000000) /* 10^12 minor units */
#define STOCK_MAX INT64_C(1000000000)
#define ID_MAX INT64_C(9007199254740991) /* 2^53 - 1 */

enum {
    NAME_MAX_CHARS = 100,
    CATEGORY_MAX_CHARS = 100,
    NOTE_MAX_CHARS = 500,
    ADDRESS_MAX_CHARS = 500,
    DESCRIPTION_MAX_CHARS = 2000,
    INSTRUCTIONS_MAX_CHARS = 2000,
    EMAIL_MAX_CHARS = 254,
    EMAIL_LOCAL_MAX_CHARS = 64,
    DOMAIN_LABEL_MAX_CHARS = 63,
    PHONE_MIN_DIGITS = 8,
    PHONE_MAX_DIGITS = 15,
    COUNTRY_CODE_MAX_DIGITS = 3,
    TIMEZONE_MAX_CHARS = 64,
    PASSWORD_MIN_CHARS = 8,
    PASSWORD_MAX_BYTES = 1024,
    QUANTITY_MAX = 99,
    CART_LINES_MAX = 50,
    OTP_DIGITS = 6,
    OTP_VALUES = 1000000,
    OTP_ATTEMPTS_MAX = 5,
    OTP_HOURLY_PER_EMAIL_AND_ADDRESS = 5,
    OTP_HOURLY_PER_EMAIL = 20,
    LOGIN_FAILURES_PER_MINUTE = 10,             /* of one identifier from one address */
    LOGIN_FAILURES_PER_HOUR = 100,              /* of one identifier */
    LOGIN_FAILURES_PER_ADDRESS_PER_MINUTE = 60, /* of whatever identifiers */
    REFERRAL_CODE_CHARS = 8,
    REFERRAL_ALPHABET_CHARS = 31,
    UNPAID_PAYMENTS_PER_HOUR = 20,
    STREAMS_PER_USER = 10,
    BOARD_REPLAY_MAX = 100,             /* events that the board's stream replays */
    BOARD_REPLAY_MAX_BYTES = 96 * 1024, /* and so long they may be together */
    EXPORTS_MAX = 10,                   /* CSV files that are being read at a time */
    EXPORT_PAGE_ROWS = 200,             /* of one read transaction */
    EXPORT_PAGE_MAX_BYTES = 256 * 1024, /* of their texts; the order that reaches it is the last */
    ORDERS_READ_MAX = EXPORT_PAGE_ROWS, /* whole orders in one read, whoever asks */
    PAGE_DEFAULT = 20,
    PAGE_MAX = 100,
    FOODS_PAGE_DEFAULT = 100,
    FOODS_PAGE_MAX = 500,
    SUMMARY_DAYS_DEFAULT = 30,
    SUMMARY_DAYS_MAX = 366,
    SUMMARY_FOODS = 10,
    IDEMPOTENCY_KEY_MAX_CHARS = 255,
    JSON_BODY_MAX_BYTES = 64 * 1024,
    IMAGE_MAX_BYTES = 1024 * 1024,
    IMAGE_SIDE_MAX = 4096, /* pixels */
    IMAGE_HASH_CHARS = 64,
};

#define OTP_LIFETIME_MS (5 * MINUTE_MS)
#define OTP_COOLDOWN_MS MINUTE_MS
#define SIGNUP_LIFETIME_MS DAY_MS
#define SESSION_LIFETIME_MS (30 * DAY_MS)
#define SESSION_TOUCH_MS DAY_MS
/* How often the sessions of open streams are looked at: a stream ends within a second of its
 * session, whoever has ended that. */
#define SESSION_LOOK_MS (SECOND_MS / 2)
#define HEALTH_WAIT_MS (2 * SECOND_MS) /* for the database; then /readyz says 503 */
#define RESET_LIFETIME_MS (30 * MINUTE_MS)
#define IDEMPOTENCY_LIFETIME_MS DAY_MS
#define PAYMENT_WINDOW_MS HOUR_MS /* of UNPAID_PAYMENTS_PER_HOUR */
/* Somebody who calls a remote provider about a payment has this long before another may: longer
 * than all the calls that one takes upon himself can last. */
#define PAYMENT_CLAIM_MS (30 * SECOND_MS)
#define PAYMENT_LOOK_MS (5 * SECOND_MS) /* between two calls about a payment that stays open */
#define PROVIDER_GONE_MS DAY_MS         /* past its expiry a payment waits for one that is gone */
#define IMAGE_KEPT_MS DAY_MS            /* of no food any more: pages that are open still show it */
#define MAIL_KEPT_MS (7 * DAY_MS)       /* without its body, once it is sent or given up */

#endif
