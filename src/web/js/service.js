// Page of one service: flag banner with clocks, track data, table, messages.
import { decompressFromUTF16 } from '/vendor/lz-string.js';
import { element, setText, setClass } from './dom.js';
import { clock, flag, timeOfDay } from './format.js';
import { TimingTable } from './table.js';

const MSG_STATE = 4;
const MSG_STATE_COMPRESSED = 8;
const MSG_DIRECTORY = 5;
const STALE_MS = 75000; // a living service publishes at least once a minute

// What a service publishes before its feed said anything; "green" means nothing then.
function isBlank({ cars, messages, session }) {
  return !cars?.length && !messages?.length && !session?.timeElapsed && session?.flagState === 'green';
}

export class ServicePage {
  constructor(connection, uuid) {
    this.uuid = uuid;
    this.table = new TimingTable();
    this.build();
    this.stops = [
      connection.subscribe('livetiming.directory', (envelope) => this.onDirectory(envelope)),
      connection.subscribe(`livetiming.service.${uuid}`, (envelope) => this.onState(envelope)),
    ];
    const timer = setInterval(() => this.tick(), 250);
    this.stops.push(() => clearInterval(timer));
  }

  destroy() {
    for (const stop of this.stops) stop();
  }

  build() {
    this.title = element('h1', {}, 'Loading…');
    this.description = element('p', { class: 'description' });
    this.flag = element('strong', { class: 'flag-name' });
    this.elapsed = element('span', { class: 'clock' });
    this.remaining = element('span', { class: 'clock' });
    this.stale = element('span', { class: 'stale', hidden: true }, 'No new data');
    this.banner = element('div', { class: 'banner flag-none', role: 'status' }, this.elapsed, this.flag, this.stale, this.remaining);
    this.track = element('dl', { class: 'track' });
    this.allColumns = element('button', { type: 'button', class: 'all-columns', 'aria-pressed': 'false' }, 'All columns');
    this.scroller = element('div', { class: 'scroller', tabindex: '0', role: 'region', 'aria-label': 'Timing table' }, this.table.node);
    this.allColumns.addEventListener('click', () => {
      const all = this.scroller.classList.toggle('all');
      this.allColumns.setAttribute('aria-pressed', String(all));
    });
    this.messages = element('ol', { class: 'messages', 'aria-live': 'off' });
    this.source = element('p', { class: 'source' });
    this.empty = element('p', { class: 'empty' }, 'Waiting for the service…');
    this.node = element('article', { class: 'service waiting' },
      element('div', { class: 'heading' }, element('div', {}, this.title, this.description), this.allColumns),
      this.banner, this.track, this.empty,
      element('div', { class: 'columns' }, this.scroller,
        element('section', { class: 'log' }, element('h2', {}, 'Messages'), this.messages)),
      this.source);
  }

  onDirectory({ msgClass, payload }) {
    if (msgClass !== MSG_DIRECTORY || !Array.isArray(payload)) return;
    const manifest = payload.find(({ uuid }) => uuid === this.uuid);
    if (!manifest) {
      if (!this.manifest) this.title.textContent = 'Service not running';
      setText(this.empty, 'This service is not running at the moment. The page goes on by itself when it comes back.');
      this.gone = true;
      this.tick();
      return;
    }
    this.gone = false;
    this.manifest = manifest;
    setText(this.title, manifest.name ?? '');
    setText(this.description, manifest.description ?? '');
    document.title = `${manifest.name} – ${manifest.description}`;
    if (Array.isArray(manifest.source)) {
      const [name, url] = manifest.source;
      this.source.replaceChildren('Timing data: ', /^https?:/.test(url ?? '') ? element('a', { href: url, rel: 'noopener' }, name) : name);
    }
    this.show();
  }

  onState({ msgClass, payload }) {
    let state = payload;
    if (msgClass === MSG_STATE_COMPRESSED) state = JSON.parse(decompressFromUTF16(payload));
    else if (msgClass !== MSG_STATE) return;
    // Only what is new makes the clocks start again: the same state is repeated once a minute.
    const mark = JSON.stringify(state.session);
    if (mark !== this.sessionMark) {
      this.sessionMark = mark;
      this.sessionAt = performance.now();
    }
    this.receivedAt = performance.now();
    this.state = state;
    this.show();
  }

  // Both parts are needed; they arrive in any order.
  show() {
    if (!this.manifest || !this.state) return;
    const blank = isBlank(this.state);
    if (blank) setText(this.empty, 'Waiting for the first data…');
    this.empty.hidden = !blank;
    this.node.classList.toggle('waiting', blank);
    this.table.setColumns(this.manifest.colSpec);
    this.table.update(this.state.cars, this.state.highlight);
    this.showTrack();
    this.showMessages();
    this.tick();
  }

  showTrack() {
    const values = this.state.session?.trackData ?? [];
    const headings = this.manifest.trackDataSpec ?? [];
    const text = JSON.stringify([headings, values]);
    if (text === this.trackText) return;
    this.trackText = text;
    this.track.replaceChildren(...headings.flatMap((heading, i) =>
      [element('div', {}, element('dt', {}, heading), element('dd', {}, String(values[i] ?? '–')))]));
  }

  showMessages() {
    const text = JSON.stringify(this.state.messages ?? []);
    if (text === this.messageText) return;
    this.messageText = text;
    this.messages.replaceChildren(...(this.state.messages ?? []).map(([time, category, message, type]) =>
      element('li', { class: `message type-${String(type || 'plain').replace(/[^A-Za-z0-9]/g, '')}` },
        element('time', {}, timeOfDay(time)), element('span', { class: 'category' }, String(category ?? '')),
        element('span', { class: 'text' }, String(message ?? '')))));
  }

  // The clocks count between updates.
  tick() {
    const session = this.state?.session;
    if (!session) return;
    const now = performance.now();
    const stale = this.gone || session.stale === true || now - this.receivedAt > STALE_MS;
    const since = stale ? 0 : Math.min((now - this.sessionAt) / 1000, 60);
    const { text, style } = flag(session.flagState);
    setText(this.flag, text);
    setClass(this.banner, `banner flag-${style}`);
    this.stale.hidden = !stale;
    setText(this.elapsed, typeof session.timeElapsed === 'number' ? clock(session.timeElapsed + since) : '');
    const laps = typeof session.lapsRemain === 'number' ? `${session.lapsRemain} lap${session.lapsRemain === 1 ? '' : 's'}` : '';
    const time = typeof session.timeRemain === 'number' ? clock(session.timeRemain - since) : '';
    setText(this.remaining, [laps, time].filter(Boolean).join(' · ') + (laps || time ? ' to go' : ''));
  }
}
