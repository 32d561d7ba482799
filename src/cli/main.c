/* livetimingctl: orders and questions to a running livetimingd. See cli.c. */
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/cmd.h"

int main(int argc, char **argv)
{
	lt_alloc_init();
	return lt_cli_main(&(struct lt_cli_streams){ stdout, stderr, environ }, argc, argv);
}
