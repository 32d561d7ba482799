#include "base/timer_heap.h"

#include <assert.h>

#include "base/alloc.h"

#define MAX_DELAY_MS (INT64_C(1000) * 60 * 60 * 24 * 365 * 100)

static bool is_before(const struct lt_timer *a, const struct lt_timer *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->sequence < b->sequence;
}

static void place(struct lt_timer_heap *heap, size_t index, struct lt_timer *timer)
{
	heap->at[index] = timer;
	timer->heap_index = index + 1;
}

static void sift_up(struct lt_timer_heap *heap, size_t index, struct lt_timer *timer)
{
	while (index > 0) {
		size_t parent = (index - 1) / 2;

		if (!is_before(timer, heap->at[parent])) {
			break;
		}
		place(heap, index, heap->at[parent]);
		index = parent;
	}
	place(heap, index, timer);
}

static void sift_down(struct lt_timer_heap *heap, size_t index, struct lt_timer *timer)
{
	for (;;) {
		size_t child = 2 * index + 1;

		if (child >= heap->n) {
			break;
		}
		if (child + 1 < heap->n && is_before(heap->at[child + 1], heap->at[child])) {
			child++;
		}
		if (!is_before(heap->at[child], timer)) {
			break;
		}
		place(heap, index, heap->at[child]);
		index = child;
	}
	place(heap, index, timer);
}

void lt_timer_heap_finish(struct lt_timer_heap *heap)
{
	for (size_t i = 0; i < heap->n; i++) {
		heap->at[i]->heap_index = 0;
	}
	lt_free(heap->at);
	*heap = (struct lt_timer_heap){ 0 };
}

void lt_timer_heap_add(struct lt_timer_heap *heap, struct lt_timer *timer, int64_t due_us)
{
	assert(timer->heap_index == 0);
	if (heap->n == heap->cap) {
		heap->cap = heap->cap ? heap->cap * 2 : 16;
		heap->at = lt_reallocarray(heap->at, heap->cap, sizeof(*heap->at));
	}
	timer->due_us = due_us;
	timer->sequence = ++heap->armed;
	heap->n++;
	sift_up(heap, heap->n - 1, timer);
}

void lt_timer_heap_remove(struct lt_timer_heap *heap, struct lt_timer *timer)
{
	size_t index = timer->heap_index - 1;
	struct lt_timer *last;

	assert(timer->heap_index != 0 && index < heap->n && heap->at[index] == timer);
	last = heap->at[--heap->n];
	timer->heap_index = 0;
	if (last == timer) {
		return;
	}
	if (index > 0 && is_before(last, heap->at[(index - 1) / 2])) {
		sift_up(heap, index, last);
	} else {
		sift_down(heap, index, last);
	}
}

int64_t lt_timer_heap_next_us(const struct lt_timer_heap *heap)
{
	return heap->n ? heap->at[0]->due_us : INT64_MAX;
}

struct lt_timer *lt_timer_heap_take(
		struct lt_timer_heap *heap, int64_t now_us, uint64_t armed_before)
{
	struct lt_timer *timer = heap->n ? heap->at[0] : NULL;

	if (!timer || timer->due_us > now_us || timer->sequence > armed_before) {
		return NULL;
	}
	lt_timer_heap_remove(heap, timer);
	if (timer->period_us > 0) {
		int64_t missed = (now_us - timer->due_us) / timer->period_us;

		lt_timer_heap_add(heap, timer, timer->due_us + (missed + 1) * timer->period_us);
	}
	return timer;
}

int64_t lt_timer_delay_us(int64_t delay_ms)
{
	if (delay_ms < 0) {
		return 0;
	}
	return (delay_ms > MAX_DELAY_MS ? MAX_DELAY_MS : delay_ms) * LT_US_PER_MS;
}
