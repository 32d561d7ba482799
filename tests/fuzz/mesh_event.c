/* Events of other nodes: what is read can be written, and is read the same again. */
#include "mesh/mesh_event.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct lt_mesh_event_scratch scratch = { 0 }, again = { 0 };
	struct lt_mesh_event event, back;
	struct lt_err err = { 0 };
	struct lt_buf text = { 0 };

	if (lt_mesh_event_read(fuzz_text(bytes, n), &scratch, &event, &err)) {
		lt_mesh_event_write(&text, &event);
		assert(lt_mesh_event_read(lt_buf_str(&text), &again, &back, &err));
		assert(lt_str_eq(event.event.topic, back.event.topic) && event.seq == back.seq);
		assert(lt_str_eq(event.event.body.args, back.event.body.args));
	} else {
		assert(err.msg[0]);
	}
	lt_buf_finish(&text);
	lt_mesh_event_scratch_finish(&scratch);
	lt_mesh_event_scratch_finish(&again);
	return 0;
}
