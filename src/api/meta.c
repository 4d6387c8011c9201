/* Health: /healthz says that the process serves, /readyz that the database does too. */
#include "api/handlers.h"
#include "api/health.h"

enum err healthz_get(struct call *c)
{
    struct json_writer *w = call_json(c, 200);
    json_begin_object(w, NULL);
    json_cstr(w, "status", "ok");
    json_end_object(w);
    return ERR_OK;
}

enum err readyz_get(struct call *c)
{
    if (c->api->leaving)
        return problem_set(&c->problem, PROBLEM_UNAVAILABLE, "This server is about to stop.");
    enum health_found found = health_look(c->api->health, c->http->started_us);
    if (found != HEALTH_READY)
        return problem_set(&c->problem, PROBLEM_UNAVAILABLE,
                           found == HEALTH_SILENT
                               ? "The database has been silent for too long."
                               : "The database does not answer, or is not migrated.");
    struct json_writer *w = call_json(c, 200);
    json_begin_object(w, NULL);
    json_cstr(w, "status", "ready");
    json_end_object(w);
    return ERR_OK;
}
