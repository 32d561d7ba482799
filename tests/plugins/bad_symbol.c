/* A shared object that is no plugin. */
#include <livetiming/plugin.h>

LT_PLUGIN_EXPORT int lt_plugin_entry_v2(void);

int lt_plugin_entry_v2(void)
{
	return 0;
}
