/* Money: an amount of minor units (kobo, cents), 0 to MONEY_MAX, in the shop's currency. */
#ifndef SERVERY_DOMAIN_MONEY_H
#define SERVERY_DOMAIN_MONEY_H

#include "base/str.h"

/* False if the result would leave 0 … MONEY_MAX; *ret_sum is then untouched. */
bool money_add(int64_t a_minor, int64_t b_minor, int64_t *ret_sum);
bool money_multiply(int64_t unit_minor, int64_t quantity, int64_t *ret_product);

/* The number of decimals of an active ISO 4217 currency ("NGN": 2, "JPY": 0); -1 if there is none
 * such, or it has no minor unit (gold and other "X" codes). Upper case only, as it is stored. */
int currency_exponent(struct str code);

#endif
