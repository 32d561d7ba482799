// What a Player plays of a service that runs: the newest states, which the page
// hands over as they come, and everything before them from the daemon's
// recording in progress (timeline.js). Without such a recording the past is what
// has come since the page was opened.
//
//   const source = new LiveSource({ uuid });
//   source.push(state, at);      each state of the live topic; at: unix seconds of it
//   source.open();               look for the past; again after a reconnect
//   source.setCode(code);        of a private service, before open
//   const player = new Player(source, { delay });
//
// States are never changed once handed over.
import { Emitter } from './player.js';
import { Marks } from './timeline_marks.js';
import { Timeline } from './timeline.js';

const RECENT_MAX = 180; // states; a state of sixty cars takes some 100 kB
const RECENT_MAX_ALONE = 600; // when nobody else has the past
const GAP_S = 75; // a living service publishes at least once a minute
const REFRESH_S = 30; // of the index of the past, while it is looked at
const SAME_MOMENT_S = 0.1;
const TICK_S = 0.0001;
const CLOCK_STEP_S = 0.05; // the daemon's clock is not believed to be slower than this at once

export class LiveSource extends Emitter {
  constructor({ uuid, timeline = new Timeline(`/timeline/live/${encodeURIComponent(uuid)}/`, { live: true }), clock = () => Date.now() / 1000 }) {
    super();
    this.live = true;
    this.timeline = timeline;
    this.clock = clock;
    this.offset = null; // daemon's clock less ours
    this.recent = []; // { state, at }, ascending
    this.marks = new Marks();
    this.hasPast = false;
    this.stopTimeline = timeline.on('change', () => this.emit('change', this));
  }

  destroy() {
    this.stopTimeline();
    this.timeline.destroy();
    this.clear();
  }

  setCode(code) {
    this.timeline.setCode(code);
  }

  // Resolves when it is known whether there is a past; never rejects.
  async open() {
    try {
      await this.timeline.open();
      this.hasPast = this.timeline.span !== null;
    } catch {
      this.hasPast = false;
    }
    this.openedAt = this.clock();
    this.emit('change', this);
  }

  push(state, at) {
    const offset = at - this.clock();
    // The state that took the shortest way says most about the clock; the estimate
    // decays, so that a clock that is set right is followed.
    this.offset = this.offset === null || offset > this.offset ? offset : Math.max(offset, this.offset - CLOCK_STEP_S);
    const last = this.recent[this.recent.length - 1];
    if (last && at - last.at > GAP_S && this.hasPast) this.recent = [];
    if (last && at <= last.at) {
      while (this.recent.length > 0 && this.recent[this.recent.length - 1].at >= at) this.recent.pop();
    }
    // Of the same millisecond, but another one: players know states by their time.
    const isSameMoment = last && last.at >= at && last.at - at < SAME_MOMENT_S;
    this.recent.push({ state, at: isSameMoment ? last.at + TICK_S : at });
    const most = this.hasPast ? RECENT_MAX : RECENT_MAX_ALONE;
    if (this.recent.length > most) this.recent.splice(0, this.recent.length - most);
    if (this.marks.add(state, at)) this.emit('change', this);
    this.emit('state', this);
  }

  now() {
    return this.clock() + (this.offset ?? 0);
  }

  get span() {
    const first = this.recent[0]?.at;
    const from = this.timeline.span ? Math.min(this.timeline.span.from, first ?? Infinity) : first;
    return from === undefined ? null : { from, to: Math.max(from, this.now()) };
  }

  get flags() {
    return this.marks.flagsAfter(this.timeline.flags);
  }

  get moments() {
    return this.marks.momentsAfter(this.timeline.moments);
  }

  get laps() {
    return this.timeline.laps;
  }

  get buffered() {
    const first = this.recent[0]?.at;
    return first === undefined ? this.timeline.buffered : [...this.timeline.buffered, { from: first, to: this.now() }];
  }

  // Index of the last recent state at or before t; -1 when all are later.
  recentBefore(t) {
    let low = 0;
    let high = this.recent.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.recent[middle].at <= t) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  peek(t) {
    const i = this.recentBefore(t);
    if (i >= 0) return this.recent[i];
    if (this.hasPast) return this.timeline.peek(t);
    return this.recent[0] ?? null;
  }

  next(t) {
    const i = this.recentBefore(t);
    if (i >= 0) return this.recent[i + 1]?.at ?? Infinity;
    return Math.min(this.hasPast ? this.timeline.next(t) : Infinity, this.recent[0]?.at ?? Infinity);
  }

  async load(t) {
    if (this.recentBefore(t) >= 0 || !this.hasPast) return;
    if (this.clock() - (this.openedAt ?? 0) > REFRESH_S) await this.refresh();
    await this.timeline.load(t);
  }

  prefetch(t) {
    if (!this.hasPast) return;
    if (this.clock() - (this.openedAt ?? 0) > REFRESH_S) this.refresh();
    if (this.recentBefore(t) < 0) this.timeline.prefetch(t);
  }

  // What the recording in progress has got meanwhile.
  async refresh() {
    this.openedAt = this.clock();
    await this.timeline.refresh().catch(() => {});
  }
}
