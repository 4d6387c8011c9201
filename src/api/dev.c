/* The mails that `demo` sent, for whoever tries the shop without a mail account. */
#include "api/handlers.h"
#include "api/pages.h"
#include "base/clock.h"
#include "net/mailbox.h"

enum err dev_mail_json_get(struct call *c)
{
    size_t n;
    const struct mailbox_mail *mails = mailbox_list(c->api->mailbox, c->arena, &n);

    struct json_writer *w = call_json(c, 200);
    json_begin_object(w, NULL);
    json_begin_array(w, "items");
    for (size_t i = 0; i < n; i++) {
        json_begin_object(w, NULL);
        json_int(w, "id", mails[i].id);
        json_str(w, "to", mails[i].to);
        json_str(w, "subject", mails[i].subject);
        json_str(w, "text", mails[i].text);
        json_time(w, "sent_at", mails[i].sent_at_ms);
        json_end_object(w);
    }
    json_end_array(w);
    json_end_object(w);
    return ERR_OK;
}

enum err dev_mail_get(struct call *c)
{
    size_t n;
    const struct mailbox_mail *mails = mailbox_list(c->api->mailbox, c->arena, &n);
    struct buf *html = &c->http->response.body;
    char time[CLOCK_TEXT_SIZE];

    c->http->response.status = 200;
    c->http->response.content_type = STR("text/html; charset=utf-8");
    pages_begin(c->api->pages, html, "Mails sent");
    if (n == 0)
        buf_put_cstr(html, "<p>None yet. Sign up, and the code arrives here.</p>\n");
    for (size_t i = 0; i < n; i++) {
        buf_put_cstr(html, "<article>\n<h2>");
        buf_put_html(html, mails[i].subject);
        buf_put_cstr(html, "</h2>\n<p>To ");
        buf_put_html(html, mails[i].to);
        buf_put_cstr(html, ", ");
        buf_put_str(html, clock_format(mails[i].sent_at_ms, time));
        buf_put_cstr(html, "</p>\n<pre>");
        buf_put_html(html, mails[i].text);
        buf_put_cstr(html, "</pre>\n</article>\n");
    }
    pages_end(html);
    return ERR_OK;
}
