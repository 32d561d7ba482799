// Flag and clocks of the session, and the track data below. The clocks count
// between updates.
import { element, setText, setClass } from './dom.js';
import { clock, flag } from './format.js';

const COUNT_MAX_S = 60; // a state is at least repeated once a minute

export class SessionBar {
  constructor() {
    this.flag = element('strong', { class: 'flag-name', role: 'status' });
    this.stale = element('span', { class: 'stale', role: 'status', hidden: true });
    this.elapsed = element('span', { class: 'clock', role: 'timer' });
    this.remaining = element('span', { class: 'clock', role: 'timer' });
    this.elapsedBox = element('div', { class: 'clock-box' }, element('span', { class: 'clock-label' }, 'Elapsed'), this.elapsed);
    this.remainingBox = element('div', { class: 'clock-box remaining' }, element('span', { class: 'clock-label' }, 'To go'), this.remaining);
    this.banner = element('div', { class: 'banner flag-none' }, this.elapsedBox, element('div', { class: 'flag-box' }, this.flag, this.stale), this.remainingBox);
    this.track = element('dl', { class: 'track' });
    this.node = element('div', { class: 'session-bar' }, this.banner, this.track);
  }

  setHeadings(headings) {
    this.headings = Array.isArray(headings) ? headings : [];
    this.trackText = null;
  }

  // at: unix milliseconds of the state.
  setSession(session, at) {
    const value = typeof session === 'object' && session !== null ? session : {};
    // Only what is new makes the clocks start again: the same state is repeated once a minute.
    if (this.session?.timeElapsed !== value.timeElapsed || this.session?.timeRemain !== value.timeRemain || this.session?.flagState !== value.flagState || at < this.at) this.at = at;
    this.session = value;
    this.showTrack();
  }

  showTrack() {
    const values = Array.isArray(this.session?.trackData) ? this.session.trackData : [];
    const headings = this.headings ?? [];
    const text = JSON.stringify([headings, values]);
    if (text === this.trackText) return;
    this.trackText = text;
    this.track.replaceChildren(...headings.map((heading, i) =>
      element('div', {}, element('dt', {}, String(heading ?? '')), element('dd', {}, String(values[i] ?? '–')))));
  }

  // now: the moment shown; why it is stale, or null.
  tick(now, stale) {
    const { session } = this;
    if (!session) return;
    const since = stale ? 0 : Math.min(Math.max(0, (now - this.at) / 1000), COUNT_MAX_S);
    const { text, style } = flag(session.flagState);
    setText(this.flag, text);
    setClass(this.banner, `banner flag-${style}`);
    if (this.stale.hidden !== !stale) this.stale.hidden = !stale;
    if (stale) setText(this.stale, stale);
    const elapsed = typeof session.timeElapsed === 'number' ? clock(session.timeElapsed + since) : '';
    const laps = typeof session.lapsRemain === 'number' ? `${session.lapsRemain} lap${session.lapsRemain === 1 ? '' : 's'}` : '';
    const time = typeof session.timeRemain === 'number' ? clock(session.timeRemain - since) : '';
    const remaining = [laps, time].filter(Boolean).join(' · ');
    setText(this.elapsed, elapsed);
    setText(this.remaining, remaining);
    if (this.elapsedBox.hidden !== !elapsed) this.elapsedBox.hidden = !elapsed;
    if (this.remainingBox.hidden !== !remaining) this.remainingBox.hidden = !remaining;
  }
}
