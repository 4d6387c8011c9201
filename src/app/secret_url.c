#include "app/secret_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "store/store.h"

struct secret_url {
    const char *text;
    bool *hides; /* byte by byte */
};

static void hide(struct secret_url *url, const char *from, const char *to)
{
    for (const char *p = from; p < to; p++)
        url->hides[p - url->text] = true;
}

/* Up to the last @, should the password hold one raw. */
static void hide_user_password(struct secret_url *url)
{
    const char *scheme = strstr(url->text, "://"), *at = strrchr(url->text, '@');

    if (!scheme || !at || at < scheme + 3)
        return;
    const char *colon = memchr(scheme + 3, ':', (size_t)(at - scheme) - 3);
    if (colon)
        hide(url, colon + 1, at);
}

static void hide_parameters(struct secret_url *url)
{
    const char *name = strpbrk(url->text, "?&");

    while (name) {
        size_t len = strcspn(++name, "=?&");
        const char *value = name + len + 1;
        if (name[len] == '=' && store_is_password((struct str){name, len}))
            hide(url, value, value + strcspn(value, "&"));
        name = strpbrk(name, "?&");
    }
}

void secret_url_print(const char *text)
{
    size_t len = strlen(text);
    struct secret_url url = {text, mem_zalloc(len + 1)};

    hide_user_password(&url);
    hide_parameters(&url);
    for (size_t i = 0; i < len; i++) {
        if (!url.hides[i])
            putchar(text[i]);
        else if (i == 0 || !url.hides[i - 1])
            fputs("***", stdout);
    }
    free(url.hides);
}
