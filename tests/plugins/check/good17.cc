// A whole plugin in C++17: lines from a TCP server into the host's field of cars.
#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <string_view>

#include <livetiming/plugin.h>

namespace
{

constexpr lt_column columns[] = { LT_COL_NUM, LT_COL_LAPS, LT_COL_LAST_LAP };
constexpr size_t column_count = std::size(columns);

constexpr lt_plugin_option options[] = {
	{ "host", LT_OPT_TEXT, 1, nullptr, "timing computer", nullptr, 0, 0, 0, 0 },
	{ nullptr, 0, 0, nullptr, nullptr, nullptr, 0, 0, 0, 0 },
};

lt_str text_of(std::string_view text)
{
	return lt_text_n(text.data(), text.size());
}

struct Lap {
	std::string_view num;
	int64_t ms;
};

// "71,83412": the number of a car, and milliseconds.
std::optional<Lap> parse(std::string_view line)
{
	const auto comma = line.find(',');
	int64_t ms = 0;

	if (comma == std::string_view::npos) {
		return std::nullopt;
	}
	const auto rest = line.substr(comma + 1);
	const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), ms);
	if (error != std::errc{} || end != rest.data() + rest.size() || ms <= 0 || ms > 3600000) {
		return std::nullopt;
	}
	return Lap{ line.substr(0, comma), ms };
}

class Feed
{
      public:
	Feed(const lt_host_api *api, lt_host *host)
	    : api(api), host(host),
	      fields(static_cast<const lt_field_ext *>(api->extension(host, LT_EXT_FIELD)))
	{
		lt_field_opts opts{};

		opts.size = sizeof(opts);
		field = { fields->open(&opts), fields->close };
	}

	bool open()
	{
		const auto *lines = static_cast<const lt_lines_ext *>(
				api->extension(host, LT_EXT_LINES));
		lt_lines_opts opts{};

		opts.size = sizeof(opts);
		opts.host = api->option_text(host, "host").p;
		opts.port = 9000;
		opts.line = [](void *self, lt_str line) { static_cast<Feed *>(self)->take(line); };
		opts.arg = this;
		return lines->open(host, &opts) != nullptr;
	}

      private:
	void take(lt_str line)
	{
		const auto lap = parse({ line.p, line.n });
		const auto car = lap ? fields->car(field.get(), text_of(lap->num)) : LT_NO_CAR;

		if (car == LT_NO_CAR) {
			api->count(host, "damaged", 1);
			return;
		}
		lt_field_lap done{};

		done.size = sizeof(done);
		done.lap_ms = lap->ms;
		done.total_ms = LT_NO_TIME;
		fields->set_text(field.get(), car, LT_TEXT_NUM, text_of(lap->num));
		fields->lap(field.get(), car, &done, now_ms());
		api->count(host, "records", 1);
		publish();
	}

	void publish()
	{
		lt_session_info session{};
		const size_t cars = fields->order(field.get(), now_ms());

		session.size = sizeof(session);
		session.flag = LT_FLAG_GREEN;
		session.time_elapsed_s = session.time_remain_s = -1;
		session.laps_remain = -1;
		api->state_begin(host);
		for (size_t i = 0; i < cars; i++) {
			lt_field_row row{};
			std::array<lt_cell, column_count> cells{};

			row.size = sizeof(row);
			fields->row(field.get(), i, &row);
			cells[0].kind = LT_CELL_TEXT;
			cells[0].s = row.text[LT_TEXT_NUM];
			cells[1].kind = LT_CELL_INT;
			cells[1].i = row.laps;
			cells[2].kind = LT_CELL_TIME;
			cells[2].d = row.last.ms == LT_NO_TIME
					? -1
					: static_cast<double>(row.last.ms) / 1000;
			cells[2].flag = row.last.mark;
			api->state_row(host, cells.data(), cells.size());
		}
		api->state_session(host, &session);
		api->publish_due(host);
	}

	int64_t now_ms() const
	{
		return api->mono_us(host) / 1000;
	}

	const lt_host_api *api;
	lt_host *host;
	const lt_field_ext *fields;
	std::unique_ptr<lt_field, void (*)(lt_field *)> field{ nullptr, nullptr };
};

int32_t create(const lt_host_api *api, lt_host *host, lt_str, void **ret_self)
{
	auto feed = std::make_unique<Feed>(api, host);
	lt_service_info info{};

	info.size = sizeof(info);
	info.name = LT_LITERAL("C++17");
	info.columns = columns;
	info.column_count = column_count;
	if (api->describe(host, &info) != 0) {
		return -1;
	}
	*ret_self = feed.release();
	return 0;
}

int32_t start(void *self)
{
	return static_cast<Feed *>(self)->open() ? 0 : -1;
}

void destroy(void *self)
{
	delete static_cast<Feed *>(self);
}

constexpr lt_plugin_ops ops = { sizeof(ops), 0, create, start, nullptr, destroy, nullptr, nullptr,
	nullptr };
constexpr lt_plugin_desc desc = { sizeof(desc), LT_PLUGIN_ABI_MAJOR, LT_PLUGIN_ABI_MINOR, 0,
	"good17", "1", "laps as lines of number,milliseconds", nullptr, options,
	sizeof(lt_plugin_option), 0, &ops };

} // namespace

const lt_plugin_desc *lt_plugin_entry_v1(void)
{
	return &desc;
}
