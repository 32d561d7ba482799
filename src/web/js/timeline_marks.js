// Flag periods and key moments, as a Scrubber draws them, from states one after
// the other. Pure.
//
//   flags     [{ from, to, flag }]: unix seconds, to null for the current one
//   moments   [{ t, kind, text }] ascending

import { flag } from './format.js';

const KEY_TYPES = new Set(['green', 'yellow', 'red', 'white', 'code60', 'track', 'sb']);
const SEEN_MAX = 400;

// Messages have seconds, or milliseconds from other writers.
export function messageTime(time) {
  return time > 1e11 ? time / 1000 : time;
}

// Whether people would want to jump there: flags, overall bests, retirements, race control.
export function isKeyMessage([, category, text, type]) {
  if (KEY_TYPES.has(type)) return true;
  if (type === 'raceControl') return true;
  return category !== 'Pits' && /has retired$/.test(String(text ?? ''));
}

export function momentOf([time, , text, type]) {
  return { t: messageTime(time), kind: type ?? '', text: String(text ?? '') };
}

// [[t, name], ...] -> periods; end: of the last one, null while it goes on.
export function flagPeriods(changes, end) {
  return changes.map(([from, name], i) => ({ from, to: changes[i + 1]?.[0] ?? end, flag: String(name).toLowerCase() }));
}

// Moments of the daemon, with the kind of a message: a flag's colour, or what it is.
export function momentsFrom(list, flags) {
  return list.filter(({ type, text }) => type !== 'flag' || text !== 'none').map(({ t, type, text }) => {
    const shown = type === 'leader' ? null : flags.find(({ from, to }) => from <= t && t < (to ?? Infinity));
    return { t, kind: shown ? flag(shown.flag).style : type, text: type === 'flag' ? flag(text).text : String(text ?? '') };
  });
}

export class Marks {
  constructor() {
    this.flags = [];
    this.moments = [];
    this.seen = new Set();
  }

  // Take in the state of a moment after the last one. Returns whether there is something new.
  add(state, at) {
    const before = this.flags.length + this.moments.length;
    const flag = String(state.session?.flagState ?? 'none').toLowerCase();
    const last = this.flags[this.flags.length - 1];
    if (!last || last.flag !== flag) {
      if (last) last.to = at;
      this.flags.push({ from: at, to: null, flag });
    }
    for (const message of [...(state.messages ?? [])].reverse()) {
      if (!Array.isArray(message) || !isKeyMessage(message)) continue;
      const mark = JSON.stringify(message);
      if (this.seen.has(mark)) continue;
      this.seen.add(mark);
      if (this.seen.size > SEEN_MAX) this.seen.delete(this.seen.values().next().value);
      this.moments.push(momentOf(message));
    }
    const changed = this.flags.length + this.moments.length !== before;
    if (changed) this.moments.sort((a, b) => a.t - b.t);
    return changed;
  }

  // Those of a list of the past, and ours after its end.
  flagsAfter(past) {
    if (!past?.length) return this.flags;
    const last = past[past.length - 1];
    const newer = this.flags.filter(({ from }) => from > last.from);
    if (newer.length === 0) return past;
    if (newer[0].flag === last.flag) newer.shift();
    if (newer.length === 0) return past;
    return [...past.slice(0, -1), { ...last, to: last.to ?? newer[0].from }, ...newer];
  }

  momentsAfter(past) {
    if (!past?.length) return this.moments;
    const known = new Set(past.map(({ t, text }) => `${t} ${text}`));
    const newer = this.moments.filter(({ t, text }) => !known.has(`${t} ${text}`));
    return newer.length === 0 ? past : [...past, ...newer].sort((a, b) => a.t - b.t);
  }
}
