// An exception that leaves a callback.
#include <stdexcept>

#include <livetiming/plugin.h>

namespace
{

int32_t create(const lt_host_api *api, lt_host *host, lt_str, void **ret_self)
{
	static const lt_column columns[] = { LT_COL_NUM };
	lt_service_info info{};

	info.size = sizeof(info);
	info.columns = columns;
	info.column_count = 1;
	*ret_self = nullptr;
	return api->describe(host, &info);
}

int32_t start(void *)
{
	return 0;
}

void update(void *)
{
	throw std::runtime_error("no such car");
}

void destroy(void *)
{
}

const lt_plugin_ops ops = { sizeof(ops), 0, create, start, nullptr, destroy, update, nullptr,
	nullptr };
const lt_plugin_desc desc = { sizeof(desc), LT_PLUGIN_ABI_MAJOR, LT_PLUGIN_ABI_MINOR, 0, "throw",
	"1", "throws", nullptr, nullptr, sizeof(lt_plugin_option), 0, &ops };

} // namespace

const lt_plugin_desc *lt_plugin_entry_v1(void)
{
	return &desc;
}
