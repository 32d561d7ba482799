/*
 * Layout of every struct of the plugin interface on 64-bit machines, as of 1.0.
 * Lines are only ever added: a plugin built years ago relies on the old ones.
 */
#include <livetiming/plugin.h>

#define AT(type, member, offset)                                                                   \
	_Static_assert(offsetof(struct type, member) == (offset), #type "." #member " has moved")
#define HOLDS(type, bytes)                                                                         \
	_Static_assert(sizeof(struct type) >= (bytes), #type " has become smaller")

_Static_assert(sizeof(void *) == 8, "the offsets are those of 64-bit machines");

/* clang-format off */
AT(lt_str, p, 0);
AT(lt_str, n, 8);
HOLDS(lt_str, 16);

AT(lt_plugin_option, name, 0);
AT(lt_plugin_option, type, 8);
AT(lt_plugin_option, required, 12);
AT(lt_plugin_option, default_value, 16);
AT(lt_plugin_option, help, 24);
AT(lt_plugin_option, choices, 32);
AT(lt_plugin_option, min, 40);
AT(lt_plugin_option, max, 48);
AT(lt_plugin_option, live, 56);
AT(lt_plugin_option, reserved, 60);
HOLDS(lt_plugin_option, 64);

AT(lt_column, title, 0);
AT(lt_column, type, 8);
AT(lt_column, description, 16);
HOLDS(lt_column, 24);

AT(lt_service_info, size, 0);
AT(lt_service_info, reserved, 4);
AT(lt_service_info, name, 8);
AT(lt_service_info, description, 24);
AT(lt_service_info, columns, 40);
AT(lt_service_info, column_count, 48);
AT(lt_service_info, track_data, 56);
AT(lt_service_info, track_data_count, 64);
AT(lt_service_info, poll_interval_s, 72);
AT(lt_service_info, source_name, 80);
AT(lt_service_info, source_url, 96);
HOLDS(lt_service_info, 112);

AT(lt_cell, kind, 0);
AT(lt_cell, flag, 4);
AT(lt_cell, i, 8);
AT(lt_cell, d, 16);
AT(lt_cell, s, 24);
HOLDS(lt_cell, 40);

AT(lt_session_info, size, 0);
AT(lt_session_info, flag, 4);
AT(lt_session_info, time_elapsed_s, 8);
AT(lt_session_info, time_remain_s, 16);
AT(lt_session_info, laps_remain, 24);
AT(lt_session_info, track_data, 32);
AT(lt_session_info, track_data_count, 40);
AT(lt_session_info, extra_json, 48);
HOLDS(lt_session_info, 64);

AT(lt_message_info, size, 0);
AT(lt_message_info, reserved, 4);
AT(lt_message_info, category, 8);
AT(lt_message_info, text, 24);
AT(lt_message_info, type, 40);
AT(lt_message_info, car, 56);
AT(lt_message_info, time_s, 72);
HOLDS(lt_message_info, 80);

AT(lt_host_api, size, 0);
AT(lt_host_api, abi_minor, 4);
AT(lt_host_api, log, 8);
AT(lt_host_api, mono_us, 16);
AT(lt_host_api, wall_us, 24);
AT(lt_host_api, option_has, 32);
AT(lt_host_api, option_text, 40);
AT(lt_host_api, option_int, 48);
AT(lt_host_api, option_number, 56);
AT(lt_host_api, option_flag, 64);
AT(lt_host_api, describe, 72);
AT(lt_host_api, set_generators, 80);
AT(lt_host_api, state_begin, 88);
AT(lt_host_api, state_row, 96);
AT(lt_host_api, state_session, 104);
AT(lt_host_api, publish_now, 112);
AT(lt_host_api, publish_due, 120);
AT(lt_host_api, message, 128);
AT(lt_host_api, race_control, 136);
AT(lt_host_api, new_session, 144);
AT(lt_host_api, set_stale, 152);
AT(lt_host_api, count, 160);
AT(lt_host_api, fail, 168);
AT(lt_host_api, timer, 176);
AT(lt_host_api, timer_cancel, 184);
AT(lt_host_api, extension, 192);
HOLDS(lt_host_api, 200);

AT(lt_lines_opts, size, 0);
AT(lt_lines_opts, port, 4);
AT(lt_lines_opts, host, 8);
AT(lt_lines_opts, connect_timeout_ms, 16);
AT(lt_lines_opts, stale_ms, 20);
AT(lt_lines_opts, dead_ms, 24);
AT(lt_lines_opts, line_max, 28);
AT(lt_lines_opts, line, 32);
AT(lt_lines_opts, connected, 40);
AT(lt_lines_opts, disconnected, 48);
AT(lt_lines_opts, arg, 56);
HOLDS(lt_lines_opts, 64);

AT(lt_lines_ext, size, 0);
AT(lt_lines_ext, reserved, 4);
AT(lt_lines_ext, open, 8);
AT(lt_lines_ext, close, 16);
HOLDS(lt_lines_ext, 24);

AT(lt_file_ext, size, 0);
AT(lt_file_ext, reserved, 4);
AT(lt_file_ext, open, 8);
AT(lt_file_ext, next_line, 16);
AT(lt_file_ext, close, 24);
HOLDS(lt_file_ext, 32);

AT(lt_tcp_opts, size, 0);
AT(lt_tcp_opts, port, 4);
AT(lt_tcp_opts, host, 8);
AT(lt_tcp_opts, connect_timeout_ms, 16);
AT(lt_tcp_opts, stale_ms, 20);
AT(lt_tcp_opts, dead_ms, 24);
AT(lt_tcp_opts, reserved, 28);
AT(lt_tcp_opts, bytes, 32);
AT(lt_tcp_opts, connected, 40);
AT(lt_tcp_opts, disconnected, 48);
AT(lt_tcp_opts, arg, 56);
HOLDS(lt_tcp_opts, 64);

AT(lt_tcp_ext, size, 0);
AT(lt_tcp_ext, reserved, 4);
AT(lt_tcp_ext, open, 8);
AT(lt_tcp_ext, send, 16);
AT(lt_tcp_ext, close, 24);
HOLDS(lt_tcp_ext, 32);

AT(lt_udp_opts, size, 0);
AT(lt_udp_opts, port, 4);
AT(lt_udp_opts, address, 8);
AT(lt_udp_opts, datagram, 16);
AT(lt_udp_opts, arg, 24);
HOLDS(lt_udp_opts, 32);

AT(lt_udp_ext, size, 0);
AT(lt_udp_ext, reserved, 4);
AT(lt_udp_ext, open, 8);
AT(lt_udp_ext, port, 16);
AT(lt_udp_ext, send, 24);
AT(lt_udp_ext, close, 32);
HOLDS(lt_udp_ext, 40);

AT(lt_http_result, size, 0);
AT(lt_http_result, status, 4);
AT(lt_http_result, body, 8);
AT(lt_http_result, error, 24);
AT(lt_http_result, retry_after_s, 40);
HOLDS(lt_http_result, 48);

AT(lt_http_opts, size, 0);
AT(lt_http_opts, interval_ms, 4);
AT(lt_http_opts, url, 8);
AT(lt_http_opts, method, 16);
AT(lt_http_opts, headers, 24);
AT(lt_http_opts, body, 32);
AT(lt_http_opts, timeout_ms, 48);
AT(lt_http_opts, body_max, 52);
AT(lt_http_opts, result, 56);
AT(lt_http_opts, arg, 64);
HOLDS(lt_http_opts, 72);

AT(lt_http_ext, size, 0);
AT(lt_http_ext, reserved, 4);
AT(lt_http_ext, fetch, 8);
AT(lt_http_ext, cancel, 16);
HOLDS(lt_http_ext, 24);

AT(lt_ws_opts, size, 0);
AT(lt_ws_opts, message_max, 4);
AT(lt_ws_opts, url, 8);
AT(lt_ws_opts, subprotocol, 16);
AT(lt_ws_opts, headers, 24);
AT(lt_ws_opts, stale_ms, 32);
AT(lt_ws_opts, dead_ms, 36);
AT(lt_ws_opts, message, 40);
AT(lt_ws_opts, connected, 48);
AT(lt_ws_opts, disconnected, 56);
AT(lt_ws_opts, arg, 64);
HOLDS(lt_ws_opts, 72);

AT(lt_ws_ext, size, 0);
AT(lt_ws_ext, reserved, 4);
AT(lt_ws_ext, open, 8);
AT(lt_ws_ext, send, 16);
AT(lt_ws_ext, close, 24);
HOLDS(lt_ws_ext, 32);

AT(lt_json_ext, size, 0);
AT(lt_json_ext, parse, 8);
AT(lt_json_ext, free, 16);
AT(lt_json_ext, kind, 24);
AT(lt_json_ext, member, 32);
AT(lt_json_ext, first, 40);
AT(lt_json_ext, next, 48);
AT(lt_json_ext, name, 56);
AT(lt_json_ext, text, 64);
AT(lt_json_ext, number, 72);
AT(lt_json_ext, is_true, 80);
HOLDS(lt_json_ext, 88);

AT(lt_inbox_opts, size, 0);
AT(lt_inbox_opts, per_second, 4);
AT(lt_inbox_opts, token_file, 8);
AT(lt_inbox_opts, message, 16);
AT(lt_inbox_opts, arg, 24);
HOLDS(lt_inbox_opts, 32);

AT(lt_inbox_ext, size, 0);
AT(lt_inbox_ext, open, 8);
AT(lt_inbox_ext, close, 16);
HOLDS(lt_inbox_ext, 24);

AT(lt_work_ext, size, 0);
AT(lt_work_ext, reserved, 4);
AT(lt_work_ext, run, 8);
HOLDS(lt_work_ext, 16);

AT(lt_recording_info, size, 0);
AT(lt_recording_info, frames, 4);
AT(lt_recording_info, manifest_json, 8);
AT(lt_recording_info, first_s, 24);
AT(lt_recording_info, last_s, 32);
HOLDS(lt_recording_info, 40);

AT(lt_recording_opts, size, 0);
AT(lt_recording_opts, reserved, 4);
AT(lt_recording_opts, path, 8);
AT(lt_recording_opts, opened, 16);
AT(lt_recording_opts, state, 24);
AT(lt_recording_opts, arg, 32);
HOLDS(lt_recording_opts, 40);

AT(lt_recording_ext, size, 0);
AT(lt_recording_ext, reserved, 4);
AT(lt_recording_ext, open, 8);
AT(lt_recording_ext, next_time, 16);
AT(lt_recording_ext, request, 24);
AT(lt_recording_ext, publish, 32);
AT(lt_recording_ext, close, 40);
AT(lt_recording_ext, describe, 48);
HOLDS(lt_recording_ext, 56);

AT(lt_field_opts, size, 0);
AT(lt_field_opts, kind, 4);
AT(lt_field_opts, sectors, 8);
AT(lt_field_opts, cars_max, 12);
AT(lt_field_opts, pit_settle_ms, 16);
AT(lt_field_opts, live_gaps, 20);
HOLDS(lt_field_opts, 24);

AT(lt_field_lap, size, 0);
AT(lt_field_lap, lap, 4);
AT(lt_field_lap, lap_ms, 8);
AT(lt_field_lap, total_ms, 16);
AT(lt_field_lap, is_void, 24);
AT(lt_field_lap, flag, 28);
HOLDS(lt_field_lap, 32);

AT(lt_field_gap, ms, 0);
AT(lt_field_gap, laps, 8);
AT(lt_field_gap, reserved, 12);
HOLDS(lt_field_gap, 16);

AT(lt_field_time, ms, 0);
AT(lt_field_time, mark, 8);
AT(lt_field_time, reserved, 12);
HOLDS(lt_field_time, 16);

AT(lt_field_row, size, 0);
AT(lt_field_row, car, 4);
AT(lt_field_row, position, 8);
AT(lt_field_row, position_in_class, 12);
AT(lt_field_row, laps, 16);
AT(lt_field_row, pits, 20);
AT(lt_field_row, best_lap, 24);
AT(lt_field_row, driver_changes, 28);
AT(lt_field_row, state, 32);
AT(lt_field_row, in_pits, 36);
AT(lt_field_row, total_ms, 40);
AT(lt_field_row, last, 48);
AT(lt_field_row, best, 64);
AT(lt_field_row, sector, 80);
AT(lt_field_row, best_sector, 208);
AT(lt_field_row, gap, 336);
AT(lt_field_row, interval, 352);
AT(lt_field_row, class_gap, 368);
AT(lt_field_row, class_interval, 384);
AT(lt_field_row, text, 400);
HOLDS(lt_field_row, 528);

AT(lt_field_ext, size, 0);
AT(lt_field_ext, reserved, 4);
AT(lt_field_ext, open, 8);
AT(lt_field_ext, close, 16);
AT(lt_field_ext, clear, 24);
AT(lt_field_ext, set_kind, 32);
AT(lt_field_ext, car, 40);
AT(lt_field_ext, find, 48);
AT(lt_field_ext, remove, 56);
AT(lt_field_ext, set_text, 64);
AT(lt_field_ext, lap, 72);
AT(lt_field_ext, cross, 80);
AT(lt_field_ext, set_lap, 88);
AT(lt_field_ext, void_lap, 96);
AT(lt_field_ext, sector, 104);
AT(lt_field_ext, seen, 112);
AT(lt_field_ext, pit, 120);
AT(lt_field_ext, set_best, 128);
AT(lt_field_ext, set_last, 136);
AT(lt_field_ext, set_position, 144);
AT(lt_field_ext, set_pits, 152);
AT(lt_field_ext, set_state, 160);
AT(lt_field_ext, set_gap, 168);
AT(lt_field_ext, set_flag, 176);
AT(lt_field_ext, set_over, 184);
AT(lt_field_ext, set_clock, 192);
AT(lt_field_ext, clock, 200);
AT(lt_field_ext, order, 208);
AT(lt_field_ext, row, 216);
AT(lt_field_ext, lap_of, 224);
AT(lt_field_ext, gap_cell, 232);
AT(lt_field_ext, set_count, 240);
HOLDS(lt_field_ext, 248);

AT(lt_control_text, size, 0);
AT(lt_control_text, kind, 4);
AT(lt_control_text, flag, 8);
AT(lt_control_text, seconds, 12);
AT(lt_control_text, sector, 16);
AT(lt_control_text, reserved, 20);
AT(lt_control_text, car, 24);
HOLDS(lt_control_text, 40);

AT(lt_text_ext, size, 0);
AT(lt_text_ext, reserved, 4);
AT(lt_text_ext, decode, 8);
AT(lt_text_ext, parse_control, 16);
HOLDS(lt_text_ext, 24);

AT(lt_plugin_ops, size, 0);
AT(lt_plugin_ops, reserved, 4);
AT(lt_plugin_ops, create, 8);
AT(lt_plugin_ops, start, 16);
AT(lt_plugin_ops, stop, 24);
AT(lt_plugin_ops, destroy, 32);
AT(lt_plugin_ops, update, 40);
AT(lt_plugin_ops, extension, 48);
AT(lt_plugin_ops, option_changed, 56);
HOLDS(lt_plugin_ops, 64);

AT(lt_plugin_desc, size, 0);
AT(lt_plugin_desc, abi_major, 4);
AT(lt_plugin_desc, abi_minor, 8);
AT(lt_plugin_desc, reserved, 12);
AT(lt_plugin_desc, name, 16);
AT(lt_plugin_desc, version, 24);
AT(lt_plugin_desc, summary, 32);
AT(lt_plugin_desc, attribution, 40);
AT(lt_plugin_desc, options, 48);
AT(lt_plugin_desc, option_size, 56);
AT(lt_plugin_desc, reserved2, 60);
AT(lt_plugin_desc, ops, 64);
HOLDS(lt_plugin_desc, 72);
/* clang-format on */
