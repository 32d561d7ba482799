/*
 * livetimingd --check-plugin: the conformance test of a plugin, which
 * `livetimingctl plugin check` becomes. Prints a line a check, or JSON.
 */
#ifndef LT_DAEMON_MAIN_CHECK_H
#define LT_DAEMON_MAIN_CHECK_H

/*
 * command: the program's own argv, with which it may begin again. argv: [--json] [--fixture FILE]
 * FILE.so [OPTION of the plugin...]. Returns the exit status: 0 all passed, 1 some failed, 2 usage.
 */
int lt_main_check(char **command, int argc, char **argv);

#endif
