#include "cli/assist/report.h"

#include "base/alloc.h"
#include "cli/schedule_text.h"
#include "cli/text.h"

void lt_assist_report_failure(struct lt_assist_report *report, const struct lt_cli *cli,
		const char *name, const struct lt_err *err)
{
	LT_AUTO(lt_free) char *clean = lt_cli_clean(lt_str_from(name));

	fprintf(cli->err, "%s: %s: %s\n", cli->program, clean, err->msg);
	report->failed++;
}

static cJSON *action_json(const struct lt_assist_action *action)
{
	static const char *const steps[] = { [LT_ASSIST_ADD] = "add",
		[LT_ASSIST_CHANGE] = "change",
		[LT_ASSIST_REMOVE] = "remove",
		[LT_ASSIST_KEEP] = "keep",
		[LT_ASSIST_EDITED] = "edited" };
	const struct lt_assist_entry *entry = action->wanted ? action->wanted : action->old;
	cJSON *json = cJSON_CreateObject();

	lt_json_add_c(json, "step", steps[action->step]);
	lt_json_add_c(json, "title", entry->title);
	lt_json_add_int(json, "start", entry->start_s * 1000);
	lt_json_add_int(json, "end", entry->end_s * 1000);
	return json;
}

/* "change  Sun 17 May 2026 09:00  Sprint [rmonitor]" and what it was before. */
static void print_action(const struct lt_cli *cli, const struct lt_assist_action *action)
{
	LT_AUTO(cJSON_Delete) cJSON *json = action_json(action);
	const struct lt_assist_entry *entry = action->wanted ? action->wanted : action->old;
	LT_AUTO(lt_buf_finish) struct lt_buf line = { 0 };
	LT_AUTO(lt_free) char *clean = NULL;

	lt_buf_printf(&line, "%-7s ", lt_cli_member(json, "step").p);
	lt_cli_add_time(&line, entry->start_s);
	lt_buf_printf(&line, "  %s", entry->title);
	if (action->step == LT_ASSIST_CHANGE) {
		lt_buf_add_c(&line, "  (was ");
		lt_cli_add_time(&line, action->old->start_s);
		lt_buf_printf(&line, "  %s)", action->old->title);
	} else if (action->step == LT_ASSIST_EDITED) {
		lt_buf_add_c(&line,
				action->wanted ? "  (edited by hand: left as it is)"
					       : "  (gone, but edited by hand: left as it is)");
	}
	clean = lt_cli_clean(lt_buf_str(&line));
	fprintf(cli->out, "%s\n", clean);
}

static void print_json(const struct lt_assist_report *report, struct lt_cli *cli,
		const struct lt_assist_plan *plan, int kept)
{
	LT_AUTO(cJSON_Delete) cJSON *json = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(json, "actions");

	for (size_t i = 0; i < plan->n; i++) {
		if (plan->at[i].step != LT_ASSIST_KEEP) {
			cJSON_AddItemToArray(list, action_json(&plan->at[i]));
		}
	}
	lt_json_add_int(json, "kept", kept);
	lt_json_add_int(json, "withoutRule", report->without_rule);
	lt_json_add_int(json, "leftOut", report->left_out);
	lt_json_add_int(json, "unanswered", report->unanswered);
	lt_json_add_int(json, "failed", report->failed);
	lt_json_add_bool(json, "dryRun", report->is_dry);
	lt_json_add_c(json, "target", report->target);
	lt_cli_print_json(cli, json);
}

void lt_assist_report_print(const struct lt_assist_report *report, struct lt_cli *cli,
		const struct lt_assist_plan *plan)
{
	int counts[LT_ASSIST_EDITED + 1] = { 0 };

	for (size_t i = 0; i < plan->n; i++) {
		counts[plan->at[i].step]++;
		if (plan->at[i].step != LT_ASSIST_KEEP && !cli->is_json) {
			print_action(cli, &plan->at[i]);
		}
	}
	if (cli->is_json) {
		print_json(report, cli, plan, counts[LT_ASSIST_KEEP]);
		return;
	}
	LT_AUTO(lt_free) char *target = lt_cli_clean(lt_str_from(report->target));

	fprintf(cli->out, "%s: %d added, %d changed, %d removed, %d as they were", target,
			counts[LT_ASSIST_ADD], counts[LT_ASSIST_CHANGE], counts[LT_ASSIST_REMOVE],
			counts[LT_ASSIST_KEEP]);
	if (report->failed > 0) {
		fprintf(cli->out, "; %d of them FAILED", report->failed);
	}
	fprintf(cli->out, "; %d without a rule, %d left out, %d not answered%s\n",
			report->without_rule, report->left_out, report->unanswered,
			report->is_dry ? "; dry run: nothing was written" : "");
}
