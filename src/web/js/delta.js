// Follows a service by differences (docs/live-protocol.md section 1), or by its
// full topic when nobody makes differences of it.
import { applyDiff } from './patch.js';

const KEPT_MAX = 200;
const FIRST_WAIT_MS = 500; // at most; chosen at random
const AGAIN_MS = 1000;
const AGAIN_MAX_MS = 30000;
const CALM_MS = 10000; // without a gap: the next call is a first one again
const ASK_AFTER_MS = 300; // no retained event: is there a procedure?
const MSG_STATE = 4;
const MSG_STATE_COMPRESSED = 8;

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

// What has come so far, and what to make of the next event. Pure.
export class DeltaState {
  epoch = null;
  seq = 0;
  state = null;
  waiting = false; // for a keyframe
  kept = [];

  // 'state': this.state is new; 'old': nothing new; 'gap': a keyframe is needed.
  accept(event) {
    if (!isObject(event) || !Number.isInteger(event.seq)) return 'old';
    if (isObject(event.state)) return this.keyframe(event);
    if (!isObject(event.diff)) return 'old';
    if (!this.waiting) {
      const result = this.difference(event);
      if (result !== 'gap') return result;
    }
    this.waiting = true;
    this.kept.push(event);
    if (this.kept.length > KEPT_MAX) this.kept.shift();
    return 'gap';
  }

  keyframe({ epoch, seq, date, state }) {
    const isOld = epoch === this.epoch && seq <= this.seq;
    // One that is not newer still ends a gap when what is shown is whole.
    if (isOld && !this.waiting) return 'old';
    if (!isOld) Object.assign(this, { epoch, seq, date, state });
    const { kept } = this;
    this.waiting = false;
    this.kept = [];
    for (const [i, event] of kept.entries()) {
      if (event.epoch !== this.epoch || this.difference(event) !== 'gap') continue;
      this.waiting = true;
      this.kept = kept.slice(i);
      break;
    }
    return 'state';
  }

  difference({ epoch, seq, date, diff }) {
    if (epoch === this.epoch && seq <= this.seq) return 'old';
    if (epoch !== this.epoch || seq !== this.seq + 1) return 'gap';
    try {
      this.state = applyDiff(this.state, diff);
    } catch {
      this.epoch = null; // what is shown cannot be built upon
      return 'gap';
    }
    this.seq = seq;
    this.date = date;
    return 'state';
  }
}

// connection: see connection.js. onState(state, date): date in milliseconds, of
// the daemon's clock. clock and random are for tests.
export class DeltaFollower {
  constructor(connection, uuid, onState, { timers = globalThis, now = () => performance.now(), random = Math.random } = {}) {
    Object.assign(this, { connection, uuid, onState, timers, now, random });
    this.delta = new DeltaState();
    this.waitMs = AGAIN_MS;
    this.gaps = 0;
    this.keyframes = 0;
    this.stops = [
      connection.subscribe(`livetiming.delta.${uuid}`, (event) => this.onDelta(event), { isSequence: true, onSubscribed: () => this.probe() }),
    ];
  }

  destroy() {
    this.destroyed = true;
    for (const stop of this.stops) stop();
    this.stopFull?.();
    this.timers.clearTimeout(this.timer);
    this.timers.clearTimeout(this.probeTimer);
  }

  onDelta(event) {
    this.heard = true;
    this.take(event);
  }

  take(event) {
    const result = this.delta.accept(event);
    if (result === 'state') {
      this.stopFull?.();
      this.stopFull = null;
      this.onState(this.delta.state, this.delta.date);
    }
    if (this.delta.waiting) this.onGap();
    return result;
  }

  // No retained event with the subscription: either nothing runs, or nobody makes differences.
  probe() {
    this.heard = false;
    this.timers.clearTimeout(this.probeTimer);
    this.probeTimer = this.timers.setTimeout(() => !this.heard && !this.destroyed && this.fetch(), ASK_AFTER_MS);
  }

  onGap() {
    if (this.asking || this.timer) return;
    const now = this.now();
    this.gaps += 1;
    const isFirst = this.gapAt === undefined || now - this.gapAt > CALM_MS;
    if (isFirst) this.waitMs = AGAIN_MS;
    const wait = isFirst ? this.random() * FIRST_WAIT_MS : this.waitMs;
    if (!isFirst) this.waitMs = Math.min(this.waitMs * 2, AGAIN_MAX_MS);
    this.gapAt = now;
    this.later(wait);
  }

  later(ms) {
    this.timer = this.timers.setTimeout(() => {
      this.timer = null;
      if (this.delta.waiting) this.fetch();
    }, ms);
  }

  async fetch() {
    if (this.asking) return;
    this.asking = true;
    let failure = null;
    let event;
    try {
      event = await this.connection.call(`livetiming.delta.keyframe.${this.uuid}`);
      this.keyframes += 1;
    } catch (error) {
      failure = error;
    }
    this.asking = false;
    if (this.destroyed) return;
    if (!failure) {
      this.take(event);
      return;
    }
    if (failure.uri === 'wamp.error.no_such_procedure') {
      this.useFull();
    } else if (this.delta.waiting && !this.timer) {
      this.gapAt = this.now();
      this.later(this.waitMs);
      this.waitMs = Math.min(this.waitMs * 2, AGAIN_MAX_MS);
    }
  }

  // Until a keyframe comes on the delta topic.
  async useFull() {
    if (this.stopFull || this.isLoading) return;
    this.isLoading = true;
    this.decompress ??= await this.loadDecompressor();
    this.isLoading = false;
    if (this.destroyed || this.stopFull) return;
    this.stopFull = this.connection.subscribe(`livetiming.service.${this.uuid}`, ({ msgClass, payload, date }) => {
      let state = payload;
      if (msgClass === MSG_STATE_COMPRESSED) state = JSON.parse(this.decompress(payload));
      else if (msgClass !== MSG_STATE) return;
      if (isObject(state)) this.onState(state, Number.isFinite(date) ? date : Date.now());
    });
  }

  // Not needed where there are differences.
  async loadDecompressor() {
    return (await import('/vendor/lz-string.js')).decompressFromUTF16;
  }
}
