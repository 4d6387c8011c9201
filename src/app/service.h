/* What a service manager is told: systemd's protocol for services of Type=notify, one datagram to
 * the socket that NOTIFY_SOCKET names. Spoken here in a few lines, for libsystemd would bring five
 * libraries with it. */
#ifndef SERVERY_APP_SERVICE_H
#define SERVERY_APP_SERVICE_H

/* "READY=1" once the server answers, "STOPPING=1" when it begins to end. Without a manager, or
 * should it not listen, nothing happens: the server serves all the same. */
void service_notify(const char *state);

#endif
