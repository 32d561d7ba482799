/*
 * SIGTERM and SIGINT end the process within a bound, whatever hangs: the signal
 * starts the kernel's alarm before the loop hears of it, and an alarm that
 * rings ends the process at once, with status 1. What is lost then is little:
 * journals of recordings and saved states are whole at every moment.
 */
#ifndef LT_DAEMON_STOP_GUARD_H
#define LT_DAEMON_STOP_GUARD_H

struct lt_loop;

#define LT_STOP_GUARD_S 9

/* fn is called on the loop for each of the two signals. */
void lt_stop_guard_install(struct lt_loop *loop, void (*fn)(void *arg, int signum), void *arg);

#endif
