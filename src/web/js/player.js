// Playing a timeline: a moment that moves, and the state of that moment.
//
// A source is what is played (timeline.js: a recording; timeline_live.js: a
// service that runs, with its past):
//
//   span          { from, to } unix seconds; null until something is known
//   live          true while the end moves with the clock
//   now()         unix seconds of the newest moment, by the clock of the daemon
//   peek(t)       { state, at } of the last frame at or before t, when it is here; else null
//   next(t)       time of the first frame after t that is here, else Infinity
//   load(t)       promise: peek(t) has an answer
//   prefetch(t)   hint: t will be wanted soon
//   on(name, fn)  'change' (span, flags, moments, laps, buffered), 'state' (a live state has come)
//   destroy()
//
// The player:
//
//   on('state', ({ state, at, jumped }))   a state to show; jumped: not the next one of the last
//   on('time', (t))                  the moment, at most once a display frame
//   on('mode', (player))             playing, speed, live, waiting, delay or error changed
//   on('span', (source))             the source has grown or told more
//
// All of them return a function that ends them. Times are unix seconds; speeds
// are factors. Nothing here touches the document, and the clock comes from outside.

export class Emitter {
  #listeners = new Map();

  on(name, fn) {
    if (!this.#listeners.has(name)) this.#listeners.set(name, new Set());
    this.#listeners.get(name).add(fn);
    return () => this.#listeners.get(name)?.delete(fn);
  }

  emit(name, ...values) {
    for (const fn of [...(this.#listeners.get(name) ?? [])]) fn(...values);
  }

  clear() {
    this.#listeners.clear();
  }
}

export const SPEEDS = [0.5, 1, 2, 4, 8, 15, 30, 60];
const SPEED_MIN = 0.5;
const SPEED_MAX = 60;
const AHEAD_S = 10; // of watching, whatever the speed
const TURN_MAX_MS = 1000; // a page that was hidden does not jump when it is seen again
const RETRY_MS = 3000;
const SHOW_MS = 100; // at least, between two states that follow each other

const browserClock = {
  now: () => performance.now(),
  // Hidden pages get no display frames, but a race goes on.
  each(fn) {
    let frame = null;
    let timer = null;
    const turn = () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      if (fn() === false) return;
      // Twelve times a second is what an eye follows on a track; more costs a phone its battery.
      timer = setTimeout(() => {
        timer = setTimeout(turn, 250);
        frame = requestAnimationFrame(turn);
      }, 80);
    };
    turn();
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
  },
};

export class Player extends Emitter {
  constructor(source, { clock = browserClock, delay = 0, start = null, playing = true } = {}) {
    super();
    this.source = source;
    this.clock = clock;
    this.time = start;
    this.playing = playing;
    this.speed = 1;
    this.following = source.live && start === null; // the end, less the delay
    this.waiting = true;
    this.loading = false;
    this.error = null;
    this.shown = null; // time of the frame that was told last
    this.shownAt = -Infinity;
    this.jumped = true;
    this.delaySeconds = Math.max(0, delay);
    this.retryAt = 0;
    this.lastTurn = clock.now();
    this.stops = [source.on('change', () => this.grown()), source.on('state', () => this.turn())];
    this.stops.push(clock.each(() => this.turn()));
  }

  destroy() {
    this.destroyed = true;
    for (const stop of this.stops) stop();
    this.clear();
  }

  get span() {
    return this.source.span;
  }

  // At the end of something that goes on.
  get live() {
    return this.source.live && this.following && this.playing;
  }

  get delay() {
    return this.delaySeconds;
  }

  // Behind the newest moment, for a display "2:05 behind".
  get behind() {
    return this.time === null ? 0 : Math.max(0, this.source.now() - this.time);
  }

  setDelay(seconds) {
    if (!Number.isFinite(seconds)) return;
    this.delaySeconds = Math.max(0, seconds);
    if (this.source.live) {
      this.following = true;
      this.jumped = true;
    }
    this.emit('mode', this);
    this.turn();
  }

  play() {
    if (this.playing) return;
    if (!this.source.live && this.span && this.time >= this.span.to) this.seek(this.span.from);
    this.playing = true;
    this.lastTurn = this.clock.now();
    this.emit('mode', this);
    this.turn();
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.following = false;
    this.emit('mode', this);
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  setSpeed(factor) {
    if (!Number.isFinite(factor)) return;
    this.speed = Math.min(SPEED_MAX, Math.max(SPEED_MIN, factor));
    if (this.speed < 1) this.following = false;
    this.emit('mode', this);
  }

  // The next faster or slower one of the usual speeds.
  stepSpeed(direction) {
    const at = SPEEDS.findIndex((speed) => speed >= this.speed);
    const here = at < 0 ? SPEEDS.length - 1 : at;
    const next = direction < 0 || SPEEDS[here] === this.speed ? here + direction : here;
    this.setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, next))]);
  }

  seek(time) {
    if (!Number.isFinite(time) || !this.span) return;
    const end = this.edge();
    this.time = Math.min(end, Math.max(this.span.from, time));
    this.following = this.source.live && this.playing && this.time >= end;
    this.jumped = true;
    this.error = null;
    this.retryAt = 0;
    this.emit('time', this.time);
    this.emit('mode', this);
    this.turn();
  }

  skip(seconds) {
    if (this.time !== null) this.seek(this.time + seconds);
  }

  // Frame by frame, for what is paused.
  step(direction) {
    if (this.time === null) return;
    this.pause();
    const from = this.time;
    const here = this.source.peek(from);
    if (!here) {
      // what is around is not known yet
      this.source.load(from).then(() => this.time === from && !this.destroyed && this.source.peek(from) && this.step(direction), () => {});
      return;
    }
    if (direction < 0) {
      this.seek(here.at - 1);
      return;
    }
    const next = this.source.next(this.time);
    this.seek(Number.isFinite(next) ? next : this.time + 1);
  }

  goLive() {
    if (!this.source.live) {
      if (this.span) this.seek(this.span.to);
      return;
    }
    this.following = true;
    this.playing = true;
    this.speed = 1;
    this.jumped = true;
    this.lastTurn = this.clock.now();
    this.emit('mode', this);
    this.turn();
  }

  // The last moment that may be shown.
  edge() {
    if (!this.source.live) return this.span?.to ?? 0;
    return this.source.now() - this.delaySeconds;
  }

  grown() {
    this.emit('span', this.source);
    this.turn();
  }

  advance(elapsedMs) {
    const end = this.edge();
    if (this.following && this.source.live) {
      this.time = Math.max(this.span.from, end);
      return;
    }
    if (this.time === null) this.time = this.source.live ? Math.max(this.span.from, end) : this.span.from;
    if (!this.playing || this.waiting) return;
    this.time += (elapsedMs / 1000) * this.speed;
    if (this.time < end) return;
    this.time = Math.max(this.span.from, end);
    if (this.source.live) {
      this.following = true;
      this.speed = 1;
    } else {
      this.playing = false;
    }
    this.emit('mode', this);
  }

  turn() {
    if (this.destroyed) return false;
    const now = this.clock.now();
    const elapsed = Math.min(TURN_MAX_MS, Math.max(0, now - this.lastTurn));
    this.lastTurn = now;
    if (!this.span) return true;
    const before = this.time;
    this.advance(elapsed);
    if (this.time !== before) this.emit('time', this.time);
    this.show(now);
    return true;
  }

  show(now) {
    const found = this.source.peek(this.time);
    if (!found) {
      this.fetch(now);
      return;
    }
    this.setWaiting(false);
    if (this.playing) this.source.prefetch(this.time + AHEAD_S * this.speed);
    if (found.at === this.shown && !this.jumped) return;
    // A state on its way at the moment of a pause belongs before it, but what is paused stands still.
    if (!this.jumped && (!this.playing || now - this.shownAt < SHOW_MS)) return;
    const { jumped } = this;
    this.shown = found.at;
    this.shownAt = now;
    this.jumped = false;
    this.emit('state', { ...found, jumped });
  }

  setWaiting(waiting) {
    if (this.waiting === waiting) return;
    this.waiting = waiting;
    if (!waiting) this.error = null;
    this.lastTurn = this.clock.now();
    this.emit('mode', this);
  }

  // One request at a time: while somebody drags, only the newest moment counts.
  fetch(now) {
    this.setWaiting(true);
    if (this.loading || now < this.retryAt) return;
    this.loading = true;
    this.source.load(this.time).then(
      () => {
        this.loading = false;
        this.turn();
      },
      (error) => {
        this.loading = false;
        this.error = error;
        this.retryAt = this.clock.now() + RETRY_MS;
        this.emit('mode', this);
      },
    );
  }
}
