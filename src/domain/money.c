/* Checked arithmetic on amounts, and the currencies that a shop can have.
 *
 * The exponents are those of ISO 4217 (list one, active codes, with amendments up to January 2026),
 * not those of a locale database: a provider counts in ISO's minor unit even where nobody uses the
 * coin. */
#include "domain/money.h"

#include "domain/limits.h"

#include <string.h>

static bool amount_is_valid(int64_t minor)
{
    return minor >= 0 && minor <= MONEY_MAX;
}

bool money_add(int64_t a_minor, int64_t b_minor, int64_t *ret_sum)
{
    if (!amount_is_valid(a_minor) || !amount_is_valid(b_minor) || a_minor > MONEY_MAX - b_minor)
        return false;
    *ret_sum = a_minor + b_minor;
    return true;
}

void money_add_to(int64_t *sum_minor, int64_t minor)
{
    if (__builtin_add_overflow(*sum_minor, minor, sum_minor))
        *sum_minor = INT64_MAX;
}

bool money_multiply(int64_t unit_minor, int64_t quantity, int64_t *ret_product)
{
    if (!amount_is_valid(unit_minor) || quantity < 0)
        return false;
    if (unit_minor > 0 && quantity > MONEY_MAX / unit_minor)
        return false;
    *ret_product = unit_minor * quantity;
    return true;
}

void money_put_decimal(struct buf *out, int64_t minor, int exponent)
{
    int64_t unit = 1;
    for (int i = 0; i < exponent; i++)
        unit *= 10;
    buf_put_int(out, minor / unit);
    if (exponent > 0)
        buf_printf(out, ".%0*lld", exponent, (long long)(minor % unit));
}

enum { CODE_CHARS = 3, CODE_STRIDE = 4 };

/* Three letters and a space each. */
static const struct {
    int exponent;
    const char *codes;
} currencies[] = {
    {0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF "},
    {2, "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD "
        "CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP "
        "GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK "
        "LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO "
        "NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS "
        "SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST "
        "XAD XCD XCG YER ZAR ZMW ZWG "},
    {3, "BHD IQD JOD KWD LYD OMR TND "},
    {4, "CLF UYW "},
};

int currency_exponent(struct str code)
{
    if (code.len != CODE_CHARS)
        return -1;
    for (size_t i = 0; i < sizeof currencies / sizeof currencies[0]; i++) {
        for (const char *at = currencies[i].codes; *at; at += CODE_STRIDE) {
            if (memcmp(at, code.ptr, CODE_CHARS) == 0)
                return currencies[i].exponent;
        }
    }
    return -1;
}
