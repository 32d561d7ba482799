/*
 * Private to conf_keys.c (the table of settings and their checks) and
 * conf.c (the values): texts that both take apart.
 */
#ifndef LT_DAEMON_CONF_PRIV_H
#define LT_DAEMON_CONF_PRIV_H

#include "daemon/conf.h"

#define LT_LISTEN_TLS ",tls" /* ends the address of a listener with TLS */

/* What is set; NULL: nothing is, or the empty text. */
const char *lt_daemon_conf_value(const struct lt_conf *conf, const char *name);

/* Words between blanks, from the front of *rest; false when there is none left. */
bool lt_daemon_conf_next_word(struct lt_str *rest, struct lt_str *ret_word);

/* "text" or "json". Errors: LT_E_INVALID. */
bool lt_daemon_conf_parse_format(struct lt_str value, enum lt_log_format *ret, struct lt_err *err);

/* "local", "all" or a boolean. Errors: LT_E_INVALID. */
bool lt_daemon_conf_parse_metrics(
		struct lt_str value, enum lt_metrics_for *ret, struct lt_err *err);

/* Checks of conf_announce.c. Errors: LT_E_INVALID, never with the value in it. */
bool lt_daemon_conf_check_url(struct lt_str value, struct lt_err *err);
bool lt_daemon_conf_check_text_template(struct lt_str value, struct lt_err *err);
bool lt_daemon_conf_check_link_template(struct lt_str value, struct lt_err *err);
bool lt_daemon_conf_check_visibility(struct lt_str value, struct lt_err *err);

/* Checks of conf_mesh.c. Errors: LT_E_INVALID. */
bool lt_daemon_conf_check_role(struct lt_str value, struct lt_err *err);
bool lt_daemon_conf_check_node(struct lt_str value, struct lt_err *err);

/* The backplane, and what this node is to others; false: it cannot be used, reported. */
bool lt_daemon_conf_read_mesh(const struct lt_conf *conf, struct lt_daemon_conf *ret,
		lt_conf_report_fn report, void *arg);

/* The bucket for recordings (conf_s3.c). Errors: LT_E_INVALID. */
bool lt_daemon_conf_check_prefix(struct lt_str value, struct lt_err *err);
bool lt_daemon_conf_check_region(struct lt_str value, struct lt_err *err);
bool lt_daemon_conf_read_s3(const struct lt_conf *conf, struct lt_daemon_conf *ret,
		lt_conf_report_fn report, void *arg);

/* Announcements and error reports; false: what belongs together is not all there, reported. */
bool lt_daemon_conf_read_reports(const struct lt_conf *conf, struct lt_daemon_conf *ret,
		lt_conf_report_fn report, void *arg);

#endif
