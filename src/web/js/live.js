// Page of a service that runs: its newest states, or any moment since it began.
import { Access, codeOf } from './access.js';
import { DelayControl } from './delay.js';
import { DeltaFollower } from './delta.js';
import { element, setText } from './dom.js';
import { clock, timeOfDay } from './format.js';
import { followDirectory } from './home.js';
import { LapTracker } from './lap_tracker.js';
import { Player } from './player.js';
import { Scrubber } from './scrubber.js';
import { describeColumns } from './columns.js';
import { LiveSource } from './timeline_live.js';
import { TimingView } from './timing_view.js';

const STALE_MS = 75000; // a living service publishes at least once a minute
const TICK_MS = 250;
const BEHIND_S = 2;

export class LivePage {
  constructor({ connection, params, app }) {
    this.app = app;
    this.connection = connection;
    this.uuid = params.uuid;
    this.title = '';
    this.tracker = new LapTracker();
    this.view = new TimingView({ settings: app.settings, hasPlayer: true });
    this.source = new LiveSource({ uuid: params.uuid });
    this.delay = new DelayControl({
      settings: app.settings,
      tracker: this.tracker,
      now: () => this.source.now(),
      onDelay: (seconds) => this.player.setDelay(seconds),
    });
    this.player = new Player(this.source, { delay: this.delay.seconds });
    this.scrubber = new Scrubber(this.player);
    this.access = new Access({ connection, uuid: params.uuid, onOpen: (opened) => this.onOpened(opened) });
    this.build();
    this.player.on('state', ({ state, at, jumped }) => this.view.setState(state, { at: at * 1000, jumped }));
    this.player.on('mode', () => this.showMode());
    this.stops = [followDirectory(connection, (manifests) => this.onDirectory(manifests))];
    const timer = setInterval(() => this.tick(), TICK_MS);
    this.stops.push(() => clearInterval(timer));
    const onKey = (event) => this.key(event);
    document.addEventListener('keydown', onKey);
    this.stops.push(() => document.removeEventListener('keydown', onKey));
    const code = codeOf(location.hash);
    if (code) this.access.use(code);
    else this.follow();
    this.showMode();
  }

  destroy() {
    for (const stop of this.stops) stop();
    this.follower?.destroy();
    this.access.destroy();
    this.delay.destroy();
    this.scrubber.destroy();
    this.player.destroy();
    this.source.destroy();
    this.view.destroy();
  }

  build() {
    this.heading = element('h1', {}, 'Loading…');
    this.description = element('p', { class: 'description' });
    this.moment = element('button', { type: 'button', class: 'moment', hidden: true, title: 'Go to the newest moment' });
    this.moment.addEventListener('click', () => this.player.goLive());
    this.analysis = element('a', { class: 'button', href: `/service/${encodeURIComponent(this.uuid)}/analysis`, 'data-link': true, hidden: true }, 'Analysis');
    this.sourceNote = element('p', { class: 'source' });
    this.playback = element('footer', { class: 'playback', hidden: true }, this.scrubber.node, this.delay.node);
    this.node = element('article', { class: 'service' },
      element('div', { class: 'heading' }, element('div', { class: 'heading-text' }, this.heading, this.description), this.moment, this.analysis),
      this.access.node, this.view.node, this.sourceNote, this.playback);
  }

  // Also again when a private service was opened: what was subscribed to before got nothing.
  follow() {
    this.follower?.destroy();
    this.follower = new DeltaFollower(this.connection, this.uuid, (state, date) => this.onState(state, date));
  }

  onOpened({ manifest, code }) {
    this.source.setCode(code);
    if (this.receivedAt !== undefined && !this.source.hasPast) this.source.open();
    if (manifest) this.setManifest(manifest);
    else if (!this.manifest) this.view.setEmptyText('This service is not running at the moment. The page goes on by itself when it comes back.');
    this.isOpened = true;
    if (!this.follower || this.connection.isConnected) this.follow();
  }

  onDirectory(manifests) {
    const manifest = manifests.find(({ uuid }) => uuid === this.uuid);
    this.gone = !manifest && !this.isOpened;
    if (manifest) {
      this.access.node.hidden = true;
      this.setManifest(manifest);
    } else if (!this.isOpened) {
      if (!this.manifest) {
        setText(this.heading, 'Service not running');
        this.access.node.hidden = false;
        this.app.setTitle('Service not running');
      }
      this.view.setEmptyText('This service is not running at the moment. The page goes on by itself when it comes back.');
    }
    this.tick();
  }

  setManifest(manifest) {
    const isNew = JSON.stringify(manifest) !== JSON.stringify(this.manifest);
    if (!isNew) return;
    this.manifest = manifest;
    this.index = Object.fromEntries(describeColumns(manifest.colSpec).map(({ title, index }) => [title, index]));
    setText(this.heading, String(manifest.name ?? ''));
    setText(this.description, String(manifest.description ?? ''));
    this.app.setTitle([manifest.name, manifest.description].filter(Boolean).join(' – '));
    this.analysis.hidden = manifest.hasAnalysis === false;
    this.sourceNote.replaceChildren();
    if (Array.isArray(manifest.source)) {
      const [name, url] = manifest.source;
      this.sourceNote.replaceChildren('Timing data: ', /^https?:/.test(url ?? '') ? element('a', { href: url, rel: 'noopener noreferrer' }, String(name)) : String(name));
    }
    this.view.setManifest(manifest);
  }

  onState(state, date) {
    const isFirst = this.receivedAt === undefined;
    this.receivedAt = performance.now();
    this.isMarkedStale = state.session?.stale === true;
    if (this.index) this.tracker.observe(state, this.index, date / 1000);
    this.source.push(state, date / 1000);
    if (!isFirst) return;
    this.playback.hidden = false;
    this.source.open();
  }

  // Why nothing new comes, in a word or two.
  staleText() {
    if (!this.player.live) return null;
    if (this.app.status === 'disconnected') return 'Disconnected';
    if (this.gone) return 'Not running';
    if (this.isMarkedStale) return 'Feed interrupted';
    if (this.receivedAt !== undefined && performance.now() - this.receivedAt > STALE_MS) return 'No new data';
    return null;
  }

  showMode() {
    const { player } = this;
    const behind = player.behind;
    const isBehind = player.time !== null && (!player.live || this.delay.seconds > 0);
    if (this.moment.hidden === isBehind) this.moment.hidden = !isBehind;
    if (!isBehind) return;
    const what = player.playing ? (player.live ? 'TV delay' : 'Behind') : 'Paused';
    setText(this.moment, `${what} · ${timeOfDay(player.time)}${behind > BEHIND_S ? ` · −${clock(behind)}` : ''}`);
    this.moment.classList.toggle('paused', !player.playing);
  }

  tick() {
    this.view.setStale(this.staleText());
    this.view.tick((this.player.time ?? Date.now() / 1000) * 1000);
    this.delay.tick();
    this.showMode();
  }

  key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    if (event.target.closest?.('input, textarea, select')) return;
    if (event.key.toLowerCase() !== 'd') return;
    this.delay.toggle();
    event.preventDefault();
  }
}
