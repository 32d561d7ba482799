// Start page: what runs now, what comes next, what was recorded. And /s/CLASS,
// the address that announcements give.
import { element, setText } from './dom.js';
import { clock, duration, flag, until } from './format.js';
import { serviceOfClass } from './router.js';

export const MSG_DIRECTORY = 5;
const MSG_SCHEDULE = 6;
const NEXT_MAX = 12;
const RECENT_MAX = 6;
const GLANCE_MS = 10000;
const GLANCES_MAX = 12;

// Calls fn with the list of manifests whenever it changes.
export function followDirectory(connection, fn) {
  return connection.subscribe('livetiming.directory', ({ msgClass, payload }) => {
    if (msgClass === MSG_DIRECTORY && Array.isArray(payload)) fn(payload.filter((manifest) => typeof manifest?.uuid === 'string'));
  });
}

export function recordingId({ filename, uuid }) {
  return String(filename ?? uuid ?? '').replace(/\.zip$/, '');
}

// Entries of the catalogue as links: to the replay, its analysis, the file.
export function recordingItem(recording) {
  const id = encodeURIComponent(recordingId(recording));
  const date = new Date((recording.startTime ?? 0) * 1000);
  const day = date.toLocaleDateString([], { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });
  const time = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hour12: false });
  return element('li', { class: 'recording' },
    element('a', { class: 'recording-main', href: `/replay/${id}`, 'data-link': true },
      element('strong', {}, String(recording.name ?? id)),
      element('span', {}, String(recording.description ?? '')),
      element('small', {}, `${day}, ${time} · ${duration(recording.duration)}`)),
    element('span', { class: 'recording-links' },
      recording.hasAnalysis ? element('a', { href: `/replay/${id}/analysis`, 'data-link': true }, 'Analysis') : '',
      element('a', { href: `/recordings/${encodeURIComponent(recording.filename ?? `${recordingId(recording)}.zip`)}`, download: true, 'aria-label': `Download ${recording.name ?? id}` }, 'Download')));
}

export class HomePage {
  constructor({ connection }) {
    this.connection = connection;
    this.title = '';
    this.cards = new Map(); // uuid -> nodes; kept while the service runs, so that a click is never lost
    this.list = element('ul', { class: 'services' });
    this.note = element('p', { class: 'empty' }, 'Looking for services…');
    this.next = element('ol', { class: 'schedule' });
    this.nextPart = element('section', { hidden: true, 'aria-labelledby': 'next-title' }, element('h2', { id: 'next-title' }, 'Next up'), this.next);
    this.recent = element('ul', { class: 'recordings' });
    this.recentPart = element('section', { hidden: true, 'aria-labelledby': 'recent-title' },
      element('div', { class: 'part-head' }, element('h2', { id: 'recent-title' }, 'Recent recordings'), element('a', { href: '/recordings', 'data-link': true }, 'All recordings')), this.recent);
    this.node = element('div', { class: 'home' },
      element('section', { 'aria-labelledby': 'live-title' }, element('h1', { id: 'live-title' }, 'Live now'), this.list, this.note),
      this.nextPart, this.recentPart);
    this.stops = [
      followDirectory(connection, (manifests) => this.showServices(manifests)),
      connection.subscribe('livetiming.scheduler', ({ msgClass, payload }) => msgClass === MSG_SCHEDULE && Array.isArray(payload) && this.showSchedule(payload)),
    ];
    const seconds = setInterval(() => this.tick(), 1000);
    const glances = setInterval(() => this.glance(), GLANCE_MS);
    this.stops.push(() => clearInterval(seconds), () => clearInterval(glances));
    const opener = connection.addOpener((client) => this.loadRecent(client));
    this.stops.push(opener.stop);
    opener.first.catch(() => {});
  }

  destroy() {
    this.destroyed = true;
    for (const stop of this.stops) stop();
  }

  showServices(manifests) {
    const visible = manifests.filter(({ hidden }) => !hidden);
    this.note.hidden = visible.length > 0;
    setText(this.note, 'Nothing is running at the moment. This page fills by itself when a service starts.');
    const shown = new Set();
    let before = null;
    for (const manifest of visible) {
      shown.add(manifest.uuid);
      let card = this.cards.get(manifest.uuid);
      if (!card) this.cards.set(manifest.uuid, (card = this.makeCard(manifest.uuid)));
      setText(card.name, String(manifest.name ?? manifest.uuid));
      setText(card.description, String(manifest.description ?? ''));
      setText(card.source, [manifest.serviceClass, manifest.source?.[0]].filter(Boolean).join(' · '));
      const next = before ? before.nextSibling : this.list.firstChild;
      if (next !== card.node) this.list.insertBefore(card.node, next);
      before = card.node;
    }
    const isNew = [...shown].some((uuid) => !this.cards.get(uuid).glanced);
    for (const [uuid, { node }] of this.cards) {
      if (shown.has(uuid)) continue;
      node.remove();
      this.cards.delete(uuid);
    }
    if (isNew) this.glance();
  }

  makeCard(uuid) {
    const card = { name: element('strong'), description: element('span'), source: element('small'), flag: element('span', { class: 'card-flag', hidden: true }), lead: element('span', { class: 'card-lead', hidden: true }) };
    card.link = element('a', { class: 'card', href: `/service/${encodeURIComponent(uuid)}`, 'data-link': true }, card.name, card.description, card.flag, card.lead, card.source);
    card.node = element('li', {}, card.link);
    return card;
  }

  // Flag, clock and leader, from the same document as everybody: a proxy may answer it.
  glance() {
    if (document.hidden) return;
    for (const [uuid, card] of [...this.cards].slice(0, GLANCES_MAX)) {
      card.glanced = true;
      fetch(`/state/${encodeURIComponent(uuid)}.json`)
        .then((response) => (response.ok ? response.json() : null))
        .then((state) => state && !this.destroyed && this.showGlance(card, state))
        .catch(() => {});
    }
  }

  showGlance(card, { session, cars }) {
    const { text, style } = flag(session?.flagState);
    const blank = !cars?.length;
    card.flag.hidden = blank || !text;
    card.flag.className = `card-flag flag-${style}`;
    const time = typeof session?.timeRemain === 'number' ? `${clock(session.timeRemain)} to go` : typeof session?.lapsRemain === 'number' ? `${session.lapsRemain} laps to go` : '';
    setText(card.flag, [text, time].filter(Boolean).join(' · '));
    card.lead.hidden = blank;
    setText(card.lead, blank ? '' : `${cars.length} cars`);
  }

  showSchedule(events) {
    const coming = events.filter((event) => typeof event === 'object' && event && !event.hidden && Number.isFinite(event.startTime))
      .sort((a, b) => a.startTime - b.startTime).slice(0, NEXT_MAX);
    this.nextPart.hidden = coming.length === 0;
    this.countdowns = [];
    this.next.replaceChildren(...coming.map((event) => {
      const date = new Date(event.startTime * 1000);
      const count = element('span', { class: 'countdown' });
      this.countdowns.push({ node: count, at: event.startTime });
      return element('li', {},
        element('time', { datetime: date.toISOString() },
          element('span', { class: 'day' }, date.toLocaleDateString([], { weekday: 'short', day: 'numeric', month: 'short' })),
          element('span', { class: 'hour' }, date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hour12: false }))),
        element('div', {}, element('strong', {}, String(event.name ?? '')), element('small', {}, String(event.service ?? ''))), count);
    }));
    this.tick();
  }

  tick() {
    const now = Date.now() / 1000;
    for (const { node, at } of this.countdowns ?? []) setText(node, until(at - now));
  }

  // Runs before topics are subscribed to: it must not be waited for.
  async loadRecent(client) {
    this.connection.call('livetiming.recordings.page', [1], client).then((result) => {
      const recordings = (result?.recordings ?? []).slice(0, RECENT_MAX);
      this.recentPart.hidden = recordings.length === 0;
      this.recent.replaceChildren(...recordings.map(recordingItem));
    }).catch(() => {});
  }
}

// To the live service of a class; announcements link here.
export class ClassPage {
  constructor({ connection, params, app }) {
    this.title = params.class;
    this.text = element('p', {}, 'Looking for the service…');
    this.node = element('section', { class: 'home' }, element('h1', {}, params.class), this.text,
      element('p', {}, element('a', { href: '/', 'data-link': true }, 'What runs now, and what comes next')));
    this.destroy = followDirectory(connection, (manifests) => {
      const manifest = serviceOfClass(manifests, params.class);
      if (manifest) app.navigate(`/service/${encodeURIComponent(manifest.uuid)}`, { replace: true });
      else setText(this.text, 'No service of this name is running at the moment. This page goes there by itself when it starts.');
    });
  }
}
