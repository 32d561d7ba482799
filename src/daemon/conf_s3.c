/* Settings of the bucket for recordings. */
#include "base/base.h"
#include "daemon/conf_priv.h"

#define MIB UINT64_C(1048576)

/* "" or "races/2026/": it stands in front of every name. */
bool lt_daemon_conf_check_prefix(struct lt_str value, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];

	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] <= ' ' || value.p[i] >= 0x7f) {
			return lt_err_set(err, LT_E_INVALID, "%s: expected printable ASCII",
					lt_str_quote(value, quoted));
		}
	}
	return value.n == 0 || (value.p[0] != '/' && value.p[value.n - 1] == '/') ||
			lt_err_set(err, LT_E_INVALID,
					"%s: it ends in a slash, and does not begin with one",
					lt_str_quote(value, quoted));
}

bool lt_daemon_conf_check_region(struct lt_str value, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];

	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
			return lt_err_set(err, LT_E_INVALID, "%s: expected a region, as us-east-1",
					lt_str_quote(value, quoted));
		}
	}
	return value.n > 0 || lt_err_set(err, LT_E_INVALID, "expected a region, as us-east-1");
}

bool lt_daemon_conf_read_s3(const struct lt_conf *conf, struct lt_daemon_conf *ret,
		lt_conf_report_fn report, void *arg)
{
	struct lt_offload_conf *s3 = &ret->s3;
	uint64_t keep_mib = 0, refresh_s = 60;
	struct lt_err err = { 0 };

	lt_parse_u64(lt_str_from(lt_conf_get(conf, "LIVETIMING_S3_KEEP_MIB")), 1000000000,
			&keep_mib, NULL);
	lt_parse_u64(lt_str_from(lt_conf_get(conf, "LIVETIMING_S3_REFRESH_S")), 86400, &refresh_s,
			NULL);
	*s3 = (struct lt_offload_conf){
		.url = lt_daemon_conf_value(conf, "LIVETIMING_S3_URL"),
		.region = lt_conf_get(conf, "LIVETIMING_S3_REGION"),
		.access_key = lt_daemon_conf_value(conf, "LIVETIMING_S3_ACCESS_KEY"),
		.secret_key = lt_daemon_conf_value(conf, "LIVETIMING_S3_SECRET_KEY"),
		.prefix = lt_daemon_conf_value(conf, "LIVETIMING_S3_PREFIX"),
		.keep_bytes = keep_mib * MIB,
		.refresh_s = (int64_t)refresh_s,
	};
	if (s3->url && (!s3->access_key || !s3->secret_key)) {
		lt_err_set(&err, LT_E_INVALID,
				"%s: LIVETIMING_S3_URL: set LIVETIMING_S3_ACCESS_KEY and LIVETIMING_S3_SECRET_KEY",
				lt_conf_origin(conf, "LIVETIMING_S3_URL"));
		report(arg, true, err.msg);
		return false;
	}
	return true;
}
