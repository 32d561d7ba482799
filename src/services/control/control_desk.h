/*
 * Verbs of the control socket about the control desk; docs/control-protocol.md.
 */
#ifndef LT_SERVICES_CONTROL_CONTROL_DESK_H
#define LT_SERVICES_CONTROL_CONTROL_DESK_H

#include "services/control/control.h"

/* desk.ORDER, whichever of them was asked for: {"uuid", "overrides", "code"?}, or the lines of
 * desk.log. */
void lt_control_run_desk(void *arg, struct lt_control_request *request, const cJSON *args);

extern const struct lt_control_arg lt_control_desk_name_args[];
extern const struct lt_control_arg lt_control_desk_text_args[];
extern const struct lt_control_arg lt_control_desk_attribute_args[];
extern const struct lt_control_arg lt_control_desk_penalty_args[];
extern const struct lt_control_arg lt_control_desk_car_args[];
extern const struct lt_control_arg lt_control_desk_flag_args[];
extern const struct lt_control_arg lt_control_desk_option_args[];
extern const struct lt_control_arg lt_control_desk_clear_args[];
extern const struct lt_control_arg lt_control_desk_log_args[];

#endif
