/* Compiled as C99 and as C++11: the header needs nothing before it, and its macros work. */
#include <livetiming/plugin.h>

int lt_abi_header_use(const struct lt_host_api *api);

int lt_abi_header_use(const struct lt_host_api *api)
{
	static const struct lt_column columns[] = { LT_COL_NUM, LT_COL_LAST_LAP, LT_COL_STATE };
	struct lt_str text = LT_LITERAL("text");

	return (int)text.n + (LT_HAS(api, extension) ? 1 : 0) + (columns[0].title != NULL);
}
