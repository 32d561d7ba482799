// Reads the timeline of a recording, or of what is recorded right now, from the
// daemon: docs/live-protocol.md, section 2. It is a source for a Player, and what
// a LiveSource has its past from.
//
//   const timeline = new Timeline('/timeline/recordings/ID/');
//   await timeline.open();            index and span; marks follow by themselves
//   timeline.flags, .moments, .laps   see timeline_marks.js; laps: [{ t, lap }]
//   await timeline.messages()         [{ t, message }], oldest first
//   await timeline.analysis(t)        { at, analysis }
//
// Of a private service it is there with the access code alone: `code`, or setCode
// later. The code goes with each request in a header, never in an address.
//
// Only the minutes that are looked at are fetched; a number of them is kept.
// States that it gives are never changed afterwards: each shares with the one
// before what is the same.
import { applyDiff } from './patch.js';
import { Emitter } from './player.js';
import { flagPeriods, momentsFrom } from './timeline_marks.js';

const CHUNKS_MAX = 48; // kept; one takes some 300 kB with sixty cars
const FETCHES_MAX = 2; // ahead of what is watched, at a time
const AHEAD_CHUNKS_MAX = 20;
const PROGRESS_MAX_MS = 1500; // between two questions for what is being made

export class TimelineError extends Error {
  constructor(message, { code, status }) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

// Last index with at(index) <= t among `length` ascending ones; -1: all are later.
export function lastBefore(length, at, t) {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(middle) <= t) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Timeline extends Emitter {
  constructor(base, { live = false, code = null, fetch: get = (...args) => fetch(...args) } = {}) {
    super();
    this.base = base.endsWith('/') ? base : `${base}/`;
    this.live = live;
    this.get = get;
    this.setCode(code);
    this.index = null;
    this.chunks = new Map(); // first second -> { start, frames, closed, end }; last used last
    this.pending = new Map(); // first second -> promise
    this.cursor = null; // { chunk, i, state }: the state that was made last
    this.checkedTo = -Infinity; // everything up to here was asked for
    this.flags = [];
    this.moments = [];
    this.laps = [];
    this.aborter = new AbortController();
  }

  destroy() {
    this.aborter.abort();
    this.clear();
    this.chunks.clear();
    this.cursor = null;
  }

  get span() {
    return this.index?.chunks ? { from: this.index.start, to: this.index.end } : null;
  }

  get manifest() {
    return this.index?.manifest ?? null;
  }

  now() {
    return this.index?.end ?? 0;
  }

  // --- documents ---

  setCode(code) {
    this.headers = code ? { 'X-Access-Code': code } : {};
  }

  async json(url, { onProgress } = {}) {
    for (let wait = 250; ; wait = Math.min(PROGRESS_MAX_MS, wait * 1.5)) {
      const response = await this.get(url, { signal: this.aborter.signal, headers: this.headers });
      const body = await response.json().catch(() => null);
      if (response.status === 200 && body !== null) return body;
      if (response.status !== 202 && !(response.status === 503 && body?.code === 'busy')) {
        throw new TimelineError(body?.error ?? `answer ${response.status}`, { code: body?.code, status: response.status });
      }
      onProgress?.(body?.progress ?? 0);
      await pause(wait);
      if (this.aborter.signal.aborted) throw new TimelineError('given up', { code: 'aborted' });
    }
  }

  async open() {
    await this.readIndex();
    this.readMoments().catch(() => {}); // the race can be watched without them
    return this;
  }

  // Of a recording in progress: what has been added.
  async refresh() {
    await this.readIndex();
    await this.readMoments();
  }

  async readIndex() {
    const index = await this.json(`${this.base}index.json`);
    if (!index.chunks) throw new TimelineError('nothing is being recorded', { code: 'not_recorded', status: 404 });
    if (this.index && this.index.recording !== index.recording) {
      this.chunks.clear();
      this.cursor = null;
      this.checkedTo = -Infinity;
    }
    this.index = index;
    this.emit('change', this);
  }

  async readMoments() {
    const found = await this.json(`${this.base}moments.json`);
    this.flags = flagPeriods(found.flags ?? [], this.live ? null : this.index.end);
    this.laps = (found.laps ?? []).map(([t, lap]) => ({ t, lap }));
    this.leaders = (found.leaders ?? []).map(([t, num]) => ({ t, num }));
    this.moments = momentsFrom(found.moments ?? [], this.flags);
    this.emit('change', this);
  }

  async messages(options) {
    const { messages } = await this.json(`${this.base}messages.json`, options);
    return messages.map(([t, message]) => ({ t, message }));
  }

  // As of a time, by default of the end.
  analysis(t, options) {
    const at = Math.floor(t ?? this.index?.end ?? 0);
    return this.json(`${this.base}analysis.json?at=${at}`, options);
  }

  // --- chunks ---

  startOf(i) {
    return this.index.start + this.index.chunks.starts[i];
  }

  // Number of the chunk for a time; before the first one it is the first.
  chunkAt(t) {
    const { starts } = this.index.chunks;
    return Math.max(0, lastBefore(starts.length, (i) => this.index.start + starts[i], t));
  }

  // Whether a chunk that is here has all there is up to t.
  hasUpTo(chunk, t) {
    return chunk.closed || t <= chunk.end || this.index.end <= chunk.end;
  }

  fetchChunk(i) {
    const start = this.startOf(i);
    const known = this.chunks.get(start);
    if (known?.closed) return Promise.resolve(known);
    if (this.pending.has(start)) return this.pending.get(start);
    const promise = this.json(`${this.index.chunks.url}${start}.json`)
      .then((found) => this.keep(start, found))
      .finally(() => this.pending.delete(start));
    this.pending.set(start, promise);
    return promise;
  }

  keep(start, { frames, closed }) {
    if (!Array.isArray(frames) || !frames[0]?.key) throw new TimelineError('a minute of it does not begin with a state', {});
    const chunk = { start, frames, closed: closed === true, end: frames[frames.length - 1].t };
    this.chunks.delete(start);
    this.chunks.set(start, chunk);
    for (const old of this.chunks.keys()) {
      if (this.chunks.size <= CHUNKS_MAX) break;
      if (old !== start) this.chunks.delete(old);
    }
    if (chunk.end > this.index.end) this.index.end = chunk.end;
    this.emit('change', this);
    return chunk;
  }

  get buffered() {
    const parts = [];
    for (const { start, end, closed } of [...this.chunks.values()].sort((a, b) => a.start - b.start)) {
      const i = this.chunkAt(start);
      const to = closed && i + 1 < this.index.chunks.starts.length ? this.startOf(i + 1) : end;
      const last = parts[parts.length - 1];
      if (last && start <= last.to) last.to = to;
      else parts.push({ from: start, to });
    }
    return parts;
  }

  // --- what a Player asks ---

  peek(t) {
    if (!this.span) return null;
    const start = this.startOf(this.chunkAt(t));
    const chunk = this.chunks.get(start);
    if (!chunk || !this.hasUpTo(chunk, t)) return null;
    if (this.live && t > this.index.end && t > this.checkedTo) return null;
    const i = Math.max(0, lastBefore(chunk.frames.length, (n) => chunk.frames[n].t, t));
    // used last, thrown away last
    this.chunks.delete(start);
    this.chunks.set(start, chunk);
    return { state: this.stateOf(chunk, i), at: chunk.frames[i].t };
  }

  stateOf(chunk, i) {
    let from = i;
    while (!chunk.frames[from].key) from--;
    let state = null;
    const { cursor } = this;
    if (cursor?.chunk === chunk && cursor.i <= i && cursor.i >= from) ({ i: from, state } = cursor);
    state ??= chunk.frames[from].key;
    for (let n = from + 1; n <= i; n++) state = applyDiff(state, chunk.frames[n].diff);
    this.cursor = { chunk, i, state };
    return state;
  }

  next(t) {
    if (!this.span) return Infinity;
    const at = this.chunkAt(t);
    const chunk = this.chunks.get(this.startOf(at));
    if (!chunk) return Infinity;
    const frame = chunk.frames.find((each) => each.t > t);
    if (frame) return frame.t;
    return at + 1 < this.index.chunks.starts.length ? this.startOf(at + 1) : Infinity;
  }

  async load(t) {
    if (!this.span) await this.open();
    if (this.live && t > this.index.end) {
      await this.readIndex();
      this.checkedTo = Math.max(this.checkedTo, t);
    }
    await this.fetchChunk(this.chunkAt(t));
    // the chunk may have ended, and another begun, while it was on its way
    const chunk = this.chunks.get(this.startOf(this.chunkAt(t)));
    if (!chunk || !this.hasUpTo(chunk, t)) await this.fetchChunk(this.chunkAt(t));
  }

  prefetch(t) {
    if (!this.span || this.aborter.signal.aborted) return;
    const last = Math.min(this.chunkAt(t), this.index.chunks.starts.length - 1);
    const first = this.cursor ? this.chunkAt(this.cursor.chunk.start) : last;
    for (let i = first; i <= Math.min(last, first + AHEAD_CHUNKS_MAX); i++) {
      if (this.pending.size >= FETCHES_MAX) return;
      const known = this.chunks.get(this.startOf(i));
      if (!known || (!known.closed && i + 1 < this.index.chunks.starts.length)) this.fetchChunk(i).catch(() => {});
    }
  }
}
