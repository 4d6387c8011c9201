/* Money: an amount of minor units (kobo, cents), 0 to MONEY_MAX, in the shop's currency. */
#ifndef SERVERY_DOMAIN_MONEY_H
#define SERVERY_DOMAIN_MONEY_H

#include "base/buf.h"

/* False if the result would leave 0 … MONEY_MAX; *ret_sum is then untouched. */
bool money_add(int64_t a_minor, int64_t b_minor, int64_t *ret_sum);
bool money_multiply(int64_t unit_minor, int64_t quantity, int64_t *ret_product);

/* A sum of many amounts, which may be larger than any of them; what cannot be counted any more
 * stays the largest number. */
void money_add_to(int64_t *sum_minor, int64_t minor);

/* The amount in the currency's unit, "1500.00" with an exponent of 2; for spreadsheets and
 * letters. */
void money_put_decimal(struct buf *out, int64_t minor, int exponent);

/* The number of decimals of an active ISO 4217 currency ("NGN": 2, "JPY": 0); -1 if there is none
 * such, or it has no minor unit (gold and other "X" codes). Upper case only, as it is stored. */
int currency_exponent(struct str code);

#endif
