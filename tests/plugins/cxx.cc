// A plugin in C++11: the header compiles, and the host runs it.
#include <livetiming/plugin.h>

#include <new>
#include <string>

namespace
{

struct Service {
	std::string name = "C++ service";
};

int32_t create(const lt_host_api *api, lt_host *host, lt_str, void **ret_self)
{
	static const lt_column columns[] = { LT_COL_NUM, LT_COL_LAST_LAP };
	Service *self = new (std::nothrow) Service;
	lt_service_info info{};

	if (self == nullptr) {
		return -1;
	}
	info.size = sizeof(info);
	info.name = lt_text_n(self->name.data(), self->name.size());
	info.columns = columns;
	info.column_count = 2;
	*ret_self = self;
	return api->describe(host, &info);
}

int32_t start(void *)
{
	return 0;
}

void destroy(void *self)
{
	delete static_cast<Service *>(self);
}

const lt_plugin_ops ops = { sizeof(ops), 0, create, start, nullptr, destroy, nullptr, nullptr,
	nullptr };
const lt_plugin_desc desc = { sizeof(desc), LT_PLUGIN_ABI_MAJOR, LT_PLUGIN_ABI_MINOR, 0, "cxx",
	"1", "in C++", nullptr, nullptr, sizeof(lt_plugin_option), 0, &ops };

} // namespace

const lt_plugin_desc *lt_plugin_entry_v1(void)
{
	return &desc;
}
