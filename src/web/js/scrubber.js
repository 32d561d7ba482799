// The controls of a Player: a track with flag periods, key moments and what is
// here already, buttons, speed, and keys. Of a source it reads, besides what
// player.js says:
//
//   flags     [{ from, to, flag }] unix seconds; to: null for the current one
//   moments   [{ t, kind, text }] ascending; kind as of a message's type
//   buffered  [{ from, to }]
//
// With hideFuture nothing of what comes after the latest moment that was seen is
// drawn or told, and the track does not say where the end is.
import { element, setText, setClass } from './dom.js';
import { clock, flag, timeOfDay } from './format.js';
import { SPEEDS } from './player.js';

const SKIP_S = 10;
const STEP_S = 5;
const LONG_STEP_S = 60;
const PAGE_S = 300;
const MOMENT_NEAR_S = 3; // "previous" right after a moment is the one before it
const REACH_PX = 7; // of the pointer for a moment's mark
const HIDDEN_RANGES_S = [900, 1800, 3600, 2 * 3600, 3 * 3600, 4 * 3600, 6 * 3600, 8 * 3600, 10 * 3600, 12 * 3600, 18 * 3600, 24 * 3600, 30 * 3600];
const APART_PX = 5; // of two marks
const REDRAW_MS = 1000; // of a track whose end moves

const ICONS = {
  play: 'M7 4.5v15l12-7.5z',
  pause: 'M6 4.5h4.2v15H6zm7.8 0H18v15h-4.2z',
  back: 'M12 5V1L6.5 6 12 11V7a6 6 0 1 1-6 6H4a8 8 0 1 0 8-8z',
  forward: 'M12 5V1l5.5 5L12 11V7a6 6 0 1 0 6 6h2a8 8 0 1 1-8-8z',
  previous: 'M5 5h2.5v14H5zm14 0v14L8.5 12z',
  next: 'M16.5 5H19v14h-2.5zM5 5l10.5 7L5 19z',
};

function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

function isTyping(target) {
  if (!(target instanceof Element)) return false;
  return target.closest('input, textarea, select, [contenteditable], dialog[open]') !== null;
}

export class Scrubber {
  // keys: where the keyboard is listened to; null for the track alone.
  constructor(player, { hideFuture = false, keys = document } = {}) {
    this.player = player;
    this.source = player.source;
    this.hideFuture = hideFuture;
    this.seen = player.time ?? -Infinity;
    this.build();
    this.onKey = (event) => this.key(event);
    this.keys = keys;
    keys?.addEventListener('keydown', this.onKey);
    this.stops = [
      player.on('time', (time) => this.showTime(time)),
      player.on('mode', () => this.showMode()),
      player.on('span', () => this.draw()),
    ];
    const timer = setInterval(() => this.source.live && this.draw(), REDRAW_MS);
    this.stops.push(() => clearInterval(timer));
    this.draw();
    this.showMode();
  }

  destroy() {
    for (const stop of this.stops) stop();
    this.keys?.removeEventListener('keydown', this.onKey);
    this.node.remove();
  }

  button(name, title, act, label = null) {
    const node = element('button', { type: 'button', class: `scrub-${name}`, title, 'aria-label': title }, label ?? icon(name));
    node.addEventListener('click', act);
    return node;
  }

  build() {
    const { player } = this;
    this.buffered = element('div', { class: 'scrub-buffered' });
    this.flags = element('div', { class: 'scrub-flags' });
    this.past = element('div', { class: 'scrub-past' });
    this.marks = element('div', { class: 'scrub-moments' });
    this.thumb = element('div', { class: 'scrub-thumb' });
    this.hint = element('div', { class: 'scrub-hint', hidden: true, 'aria-hidden': 'true' });
    this.track = element('div', { class: 'scrub-track', role: 'slider', tabindex: '0', 'aria-label': 'Moment of the race' },
      this.buffered, this.flags, this.past, this.marks, this.thumb, this.hint);
    this.track.addEventListener('pointerdown', (event) => this.grab(event));
    this.track.addEventListener('pointermove', (event) => this.hover(event));
    this.track.addEventListener('pointerleave', () => (this.hint.hidden = true));

    this.playButton = this.button('play', 'Play (space)', () => player.toggle());
    this.elapsed = element('span', { class: 'scrub-elapsed' }, '–');
    this.total = element('span', { class: 'scrub-total' });
    this.wall = element('time', { class: 'scrub-wall', title: 'Time of day' });
    this.speed = element('select', { class: 'scrub-speed', title: 'Speed (+ and -)', 'aria-label': 'Speed' },
      ...SPEEDS.map((speed) => element('option', { value: speed }, `${speed}×`)));
    this.speed.addEventListener('change', () => player.setSpeed(Number(this.speed.value)));
    this.liveButton = this.button('live', 'Go to the newest moment (End)', () => player.goLive(), 'Live');
    this.status = element('span', { class: 'scrub-status', role: 'status' });
    this.node = element('div', { class: 'scrubber', role: 'group', 'aria-label': 'Playback' },
      this.track,
      element('div', { class: 'scrub-row' },
        this.button('previous', 'Previous key moment (P)', () => this.toMoment(-1)),
        this.button('back', `Back ${SKIP_S} seconds (J)`, () => player.skip(-SKIP_S)),
        this.playButton,
        this.button('forward', `Forward ${SKIP_S} seconds (L)`, () => player.skip(SKIP_S)),
        this.button('next', 'Next key moment (N)', () => this.toMoment(1)),
        element('span', { class: 'scrub-times' }, this.elapsed, this.total),
        this.wall, this.status,
        element('span', { class: 'scrub-right' }, this.speed, this.liveButton)));
  }

  setHideFuture(hide) {
    this.hideFuture = hide;
    this.draw();
    this.showMode();
  }

  // { from, to } of the track.
  range() {
    const { span } = this.source;
    if (!span) return null;
    const end = this.source.live ? this.source.now() : span.to;
    if (!this.hideFuture) return { from: span.from, to: Math.max(end, span.from + 1) };
    const wanted = ((this.player.time ?? span.from) - span.from) * 1.25;
    const length = HIDDEN_RANGES_S.find((each) => each >= wanted) ?? wanted;
    return { from: span.from, to: span.from + length };
  }

  // The latest moment that may be told.
  limit() {
    return this.hideFuture ? Math.max(this.seen, this.player.time ?? -Infinity) : Infinity;
  }

  get moments() {
    const limit = this.limit();
    return (this.source.moments ?? []).filter(({ t }) => t <= limit);
  }

  place(node, from, to, range) {
    const length = range.to - range.from;
    const left = Math.min(1, Math.max(0, (from - range.from) / length));
    const right = Math.min(1, Math.max(0, (to - range.from) / length));
    node.style.left = `${left * 100}%`;
    if (to !== from) node.style.width = `${(right - left) * 100}%`;
  }

  draw() {
    const range = this.range();
    if (!range) return;
    this.drawn = range;
    const limit = Math.min(this.limit(), range.to);
    const spans = (list, className) => list.map(([from, to, style, title]) => {
      const node = element('span', { class: `${className} ${style}`, title });
      this.place(node, from, Math.min(to, limit), range);
      return node;
    });
    const flags = (this.source.flags ?? []).filter(({ from }) => from < limit);
    this.flags.replaceChildren(...spans(flags.map(({ from, to, flag: name }) =>
      [from, to ?? range.to, `flag-${flag(name).style}`, null]), 'scrub-flag'));
    this.buffered.replaceChildren(...spans((this.source.buffered ?? []).map(({ from, to }) => [from, to, '', null]), 'scrub-part'));
    this.marks.replaceChildren(...this.sparse(this.moments, range).map(({ t, kind }) => {
      const node = element('i', { class: `scrub-moment type-${String(kind ?? '').replace(/[^A-Za-z0-9]/g, '')}` });
      this.place(node, t, t, range);
      return node;
    }));
    if (this.player.time !== null) this.showTime(this.player.time);
  }

  // Marks that can be told from each other. Back to green is seen by the flags already.
  sparse(moments, range) {
    const apart = (APART_PX / Math.max(1, this.track.clientWidth)) * (range.to - range.from);
    let last = -Infinity;
    return moments.filter(({ t, kind }) => {
      const matters = kind === 'red' || kind === 'chequered' || kind === 'finish';
      if (kind === 'green' || (!matters && t - last < apart)) return false;
      last = t;
      return true;
    });
  }

  showTime(time) {
    this.seen = Math.max(this.seen, time);
    const range = this.range();
    if (!range) return;
    // a track that got longer, or a moment that may be told now, is drawn again
    const next = this.hideFuture ? this.source.moments?.find(({ t }) => t > (this.told ?? -Infinity))?.t : undefined;
    if (range.to !== this.drawn?.to && !this.source.live) {
      this.draw();
      return;
    }
    if (next !== undefined && next <= this.seen) {
      this.told = this.seen;
      this.draw();
      return;
    }
    const part = Math.min(1, Math.max(0, (time - range.from) / (range.to - range.from)));
    this.thumb.style.left = `${part * 100}%`;
    this.past.style.width = `${part * 100}%`;
    const at = Math.floor(time);
    if (at === this.shownSecond && range.to === this.shownEnd) return;
    this.shownSecond = at;
    this.shownEnd = range.to;
    setText(this.elapsed, clock(time - range.from));
    const behind = this.player.behind;
    setText(this.total, this.hideFuture ? '' : this.source.live ? (this.player.live && behind < 2 ? '' : ` −${clock(behind)}`) : ` / ${clock(range.to - range.from)}`);
    setText(this.wall, timeOfDay(time));
    this.track.setAttribute('aria-valuemin', '0');
    this.track.setAttribute('aria-valuemax', String(Math.round(range.to - range.from)));
    this.track.setAttribute('aria-valuenow', String(Math.round(time - range.from)));
    this.track.setAttribute('aria-valuetext', `${clock(time - range.from)}${this.source.live && behind >= 2 ? `, ${clock(behind)} behind` : ''}`);
  }

  showMode() {
    const { player } = this;
    const name = player.playing ? 'pause' : 'play';
    if (this.playButton.dataset.shows !== name) {
      this.playButton.dataset.shows = name;
      this.playButton.replaceChildren(icon(name));
      const title = player.playing ? 'Pause (space)' : 'Play (space)';
      this.playButton.title = title;
      this.playButton.setAttribute('aria-label', title);
    }
    const speed = String(player.speed);
    if (![...this.speed.options].some(({ value }) => value === speed)) this.speed.append(element('option', { value: speed }, `${speed}×`));
    if (this.speed.value !== speed) this.speed.value = speed;
    this.liveButton.hidden = !this.source.live;
    this.liveButton.setAttribute('aria-pressed', String(player.live));
    setClass(this.node, `scrubber${player.live ? ' is-live' : ''}${player.waiting ? ' is-waiting' : ''}`);
    setText(this.status, player.error ? `Cannot be read: ${player.error.message}` : player.waiting && player.time !== null ? 'Loading…' : '');
    if (player.time !== null) this.showTime(player.time);
  }

  // --- pointer ---

  timeAt(event) {
    const range = this.range();
    const box = this.track.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (event.clientX - box.left) / Math.max(1, box.width)));
    return range ? range.from + part * (range.to - range.from) : null;
  }

  // The moment under the pointer, if there is one.
  momentNear(event) {
    const range = this.range();
    const box = this.track.getBoundingClientRect();
    if (!range) return undefined;
    const reach = (REACH_PX / Math.max(1, box.width)) * (range.to - range.from);
    const time = this.timeAt(event);
    let best;
    for (const moment of this.moments) {
      const far = Math.abs(moment.t - time);
      if (far <= reach && (!best || far < Math.abs(best.t - time))) best = moment;
    }
    return best;
  }

  grab(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.track.focus();
    this.track.setPointerCapture(event.pointerId);
    const moment = this.momentNear(event);
    this.player.seek(moment ? moment.t : this.timeAt(event));
    const move = (each) => this.player.seek(this.timeAt(each));
    const release = () => {
      this.track.removeEventListener('pointermove', move);
      this.track.removeEventListener('pointerup', release);
      this.track.removeEventListener('pointercancel', release);
    };
    this.track.addEventListener('pointermove', move);
    this.track.addEventListener('pointerup', release);
    this.track.addEventListener('pointercancel', release);
  }

  hover(event) {
    const range = this.range();
    if (!range || event.pointerType === 'touch') return;
    const time = this.timeAt(event);
    const moment = this.momentNear(event);
    const period = time <= this.limit() ? (this.source.flags ?? []).find(({ from, to }) => from <= time && time < (to ?? Infinity)) : null;
    const notes = [clock((moment?.t ?? time) - range.from), moment?.text ?? (period ? flag(period.flag).text : '')];
    setText(this.hint, notes.filter(Boolean).join('  '));
    this.hint.hidden = false;
    const box = this.track.getBoundingClientRect();
    const half = this.hint.offsetWidth / 2;
    this.hint.style.left = `${Math.min(box.width - half, Math.max(half, event.clientX - box.left))}px`;
  }

  // --- moments and keys ---

  toMoment(direction) {
    const time = this.player.time ?? 0;
    const moments = this.moments;
    const target = direction > 0
      ? moments.find(({ t }) => t > time)
      : moments.findLast?.(({ t }) => t < time - MOMENT_NEAR_S * this.player.speed);
    if (target) this.player.seek(target.t);
    else if (direction < 0 && this.player.span) this.player.seek(this.player.span.from);
  }

  // Returns whether the key meant something.
  act(event) {
    const { player } = this;
    const { key } = event;
    const range = this.range();
    const step = event.shiftKey ? LONG_STEP_S : STEP_S;
    if (/^[0-9]$/.test(key) && range) {
      player.seek(range.from + ((range.to - range.from) * Number(key)) / 10);
      return true;
    }
    const actions = {
      ' ': () => player.toggle(),
      k: () => player.toggle(),
      j: () => player.skip(-SKIP_S),
      l: () => player.skip(SKIP_S),
      ArrowLeft: () => player.skip(-step),
      ArrowRight: () => player.skip(step),
      ArrowDown: () => player.skip(-step),
      ArrowUp: () => player.skip(step),
      PageDown: () => player.skip(-PAGE_S),
      PageUp: () => player.skip(PAGE_S),
      Home: () => player.span && player.seek(player.span.from),
      End: () => player.goLive(),
      ',': () => player.step(-1),
      '.': () => player.step(1),
      '+': () => player.stepSpeed(1),
      '-': () => player.stepSpeed(-1),
      n: () => this.toMoment(1),
      p: () => this.toMoment(-1),
    };
    const action = actions[key.length === 1 ? key.toLowerCase() : key];
    action?.();
    return action !== undefined;
  }

  key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const onTrack = this.track.contains(event.target);
    // A focused button has its space, and a scrolled box its arrows.
    if (event.key === ' ' && event.target.closest?.('button, a, summary, [role="tab"]')) return;
    if (/^(Arrow(Up|Down)|Page|Home|End)/.test(event.key) && !onTrack) {
      if (event.key.startsWith('Arrow') || event.key.startsWith('Page')) return;
      if (event.target.closest?.('[role="region"], [role="tablist"]')) return;
    }
    if (/^Arrow/.test(event.key) && !onTrack && event.target.closest?.('[role="region"], [role="tablist"], [role="application"]')) return;
    if (this.act(event)) event.preventDefault();
  }
}
