// Page of a recording: any moment of it, played at the speed one likes.
//
//   /replay/ID?t=SECONDS     starts there; what the share button gives
//   /replay/ID?spoiler=0     nothing of the end is shown before it is played
import { codeOf } from './access.js';
import { openDialog } from './dialogs.js';
import { element, setText } from './dom.js';
import { clock } from './format.js';
import { Player } from './player.js';
import { Scrubber } from './scrubber.js';
import { Timeline } from './timeline.js';
import { isKeyMessage } from './timeline_marks.js';
import { TimingView } from './timing_view.js';

const TICK_MS = 250;
const ADDRESS_MS = 1000;
const REVOKE_MS = 10000;
const LIST_BEFORE = 10; // messages before the moment shown
const LIST_MAX = 300; // of messages to jump to; the search finds the others

export class ReplayPage {
  constructor({ params, query, app }) {
    this.app = app;
    this.id = params.id;
    this.title = 'Replay';
    const t = query.has('t') ? Number(query.get('t')) : NaN;
    this.startAt = Number.isFinite(t) ? Math.max(0, t) : null;
    this.spoilerFree = query.has('spoiler') ? query.get('spoiler') === '0' : app.settings.get('spoilerFree', false);
    this.timeline = new Timeline(`/timeline/recordings/${encodeURIComponent(this.id)}/`, { code: codeOf(location.hash) });
    this.view = new TimingView({ settings: app.settings, hasPlayer: true });
    this.build();
    this.view.setEmptyText('Opening the recording…');
    this.stops = [];
    this.open();
  }

  destroy() {
    this.destroyed = true;
    for (const stop of this.stops) stop();
    this.dialog?.close();
    this.scrubber?.destroy();
    this.player?.destroy();
    this.timeline.destroy();
    this.view.destroy();
  }

  tool(label, title, act) {
    const node = element('button', { type: 'button', class: 'button', title }, label);
    node.addEventListener('click', act);
    return node;
  }

  build() {
    const address = encodeURIComponent(this.id);
    this.heading = element('h1', {}, 'Loading…');
    this.description = element('p', { class: 'description' });
    this.spoilerButton = this.tool('Spoiler-free', 'Hide the length of the race and what is still to come', () => this.setSpoilerFree(!this.spoilerFree));
    this.analysis = element('a', { class: 'button', href: `/replay/${address}/analysis`, 'data-link': true }, 'Analysis');
    this.analysis.addEventListener('click', () => this.aimAnalysis(), { capture: true });
    this.tools = element('div', { class: 'replay-tools', hidden: true },
      this.tool('Jump to…', 'A lap, a key moment or a message (G)', () => this.openJump()),
      this.tool('Share', 'A link to this moment', () => this.openShare()),
      this.tool('Download', 'Recording and analysis', () => this.openDownloads()),
      this.spoilerButton, this.analysis);
    this.playback = element('footer', { class: 'playback', hidden: true });
    this.node = element('article', { class: 'service replay' },
      element('div', { class: 'heading' }, element('div', { class: 'heading-text' }, this.heading, this.description), this.tools),
      this.view.node, this.playback);
  }

  async open() {
    try {
      await this.timeline.open();
    } catch (error) {
      if (this.destroyed) return;
      setText(this.heading, error.code === 'no_such_recording' ? 'No such recording' : 'This recording cannot be played');
      this.app.setTitle(this.heading.textContent);
      this.view.setEmptyText(`${error.message[0]?.toUpperCase() ?? ''}${error.message.slice(1)}.`);
      return;
    }
    if (!this.destroyed) this.show();
  }

  show() {
    const { manifest, span } = this.timeline;
    setText(this.heading, String(manifest.name ?? this.id));
    const day = new Date(span.from * 1000).toLocaleDateString([], { dateStyle: 'medium' });
    setText(this.description, [manifest.description, day].filter(Boolean).join(' · '));
    this.app.setTitle([manifest.name, manifest.description].filter(Boolean).join(' – ') || 'Replay');
    this.view.setManifest(manifest);
    this.player = new Player(this.timeline, { start: Math.min(span.to, span.from + (this.startAt ?? 0)), playing: this.startAt === null });
    this.scrubber = new Scrubber(this.player, { hideFuture: this.spoilerFree });
    this.playback.append(this.scrubber.node);
    this.playback.hidden = false;
    this.tools.hidden = false;
    this.showSpoilerFree();
    this.stops.push(
      this.player.on('state', ({ state, at, jumped }) => this.view.setState(state, { at: at * 1000, jumped })),
      this.player.on('mode', () => this.rememberMoment()),
    );
    const timer = setInterval(() => this.view.tick((this.player.time ?? span.from) * 1000), TICK_MS);
    const onKey = (event) => this.key(event);
    document.addEventListener('keydown', onKey);
    this.stops.push(() => clearInterval(timer), () => clearTimeout(this.addressTimer), () => document.removeEventListener('keydown', onKey));
  }

  get seconds() {
    return Math.max(0, Math.floor((this.player?.time ?? 0) - (this.timeline.span?.from ?? 0)));
  }

  address(seconds) {
    const query = new URLSearchParams();
    if (seconds > 0) query.set('t', String(seconds));
    if (this.spoilerFree) query.set('spoiler', '0');
    const text = query.toString();
    return `/replay/${encodeURIComponent(this.id)}${text ? `?${text}` : ''}`;
  }

  // Paused or moved: coming back, or reloading, leads here again.
  rememberMoment() {
    clearTimeout(this.addressTimer);
    this.addressTimer = setTimeout(() => this.app.setAddress(this.address(this.seconds)), ADDRESS_MS);
  }

  setSpoilerFree(on) {
    this.spoilerFree = on;
    this.app.settings.set('spoilerFree', on);
    this.scrubber.setHideFuture(on);
    this.showSpoilerFree();
    this.rememberMoment();
  }

  showSpoilerFree() {
    this.spoilerButton.setAttribute('aria-pressed', String(this.spoilerFree));
  }

  // Spoiler-free, the analysis is of the moment shown.
  aimAnalysis() {
    const at = this.spoilerFree ? `?t=${this.seconds}` : '';
    this.analysis.setAttribute('href', `/replay/${encodeURIComponent(this.id)}/analysis${at}`);
  }

  key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.key.toLowerCase() !== 'g') return;
    if (event.target.closest?.('input, textarea, select, dialog')) return;
    event.preventDefault();
    this.openJump();
  }

  // --- dialogs ---

  openShare() {
    const link = new URL(this.address(this.seconds), location.href).href;
    const field = element('input', { class: 'share-link', type: 'text', readonly: true, value: link, 'aria-label': 'Link to this moment' });
    const note = element('p', { class: 'muted', role: 'status' }, `Opens at ${clock(this.seconds)}.`);
    const copy = this.tool('Copy', 'Copy the link', async () => {
      field.select();
      try {
        await navigator.clipboard.writeText(link);
        setText(note, 'Copied.');
      } catch {
        setText(note, 'Copy it from the field above.');
      }
    });
    copy.classList.add('primary');
    this.dialog = openDialog('Share this moment', 'share-dialog', field, note, element('div', {}, copy));
    field.select();
  }

  openDownloads() {
    const file = encodeURIComponent(this.id);
    const note = element('p', { class: 'muted', role: 'status' });
    const at = this.spoilerFree ? Math.floor(this.player.time) : this.timeline.span.to;
    const save = this.tool(this.spoilerFree ? 'Analysis up to this moment (JSON)' : 'Analysis (JSON): laps, stints, drivers, messages', 'Save the analysis', () => this.saveAnalysis(at, note));
    this.dialog = openDialog('Download', 'download-dialog', element('ul', { class: 'download-list' },
      element('li', {}, element('a', { class: 'button', href: `/recordings/${file}.zip`, download: `${this.id}.zip` }, 'Recording (zip): every state, for this viewer and other tools')),
      element('li', {}, save)), note);
  }

  // The daemon may have to make it first.
  async saveAnalysis(at, note) {
    setText(note, 'Reading…');
    try {
      const found = await this.timeline.analysis(at, { onProgress: (share) => setText(note, `Analysing the recording: ${Math.round(share * 100)} %`) });
      const href = URL.createObjectURL(new Blob([JSON.stringify(found)], { type: 'application/json' }));
      element('a', { href, download: `${this.id}-analysis.json` }).click();
      setTimeout(() => URL.revokeObjectURL(href), REVOKE_MS);
      setText(note, 'Saved.');
    } catch (error) {
      setText(note, `The analysis cannot be read: ${error.message}`);
    }
  }

  go(t) {
    this.dialog?.close();
    this.player.seek(t);
  }

  openJump() {
    if (this.dialog?.open) return;
    const limit = this.scrubber.limit();
    const lap = element('input', { type: 'number', min: '1', step: '1', 'aria-label': 'Lap', inputmode: 'numeric' });
    const note = element('span', { class: 'muted', role: 'status' });
    const goLap = () => {
      const wanted = Number(lap.value);
      const found = this.timeline.laps.find((each) => each.lap >= wanted);
      if (!lap.value || !found || found.t > limit) setText(note, this.timeline.laps.length === 0 ? 'Laps are not known yet' : 'Not a lap of this race so far');
      else this.go(found.t);
    };
    lap.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return;
      event.preventDefault(); // else it presses the button that has the focus afterwards
      goLap();
    });
    const find = element('input', { type: 'search', placeholder: 'Find a message', 'aria-label': 'Find a message' });
    const list = element('ol', { class: 'jump-list' }, element('li', { class: 'muted' }, 'Loading the messages…'));
    let all = this.timeline.moments.map(({ t, text, kind }) => ({ t, text, isKey: true, isFlag: kind !== 'leader' }));
    const here = this.player.time;
    let earlier = false;
    const draw = () => {
      const words = find.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
      const found = all.filter(({ t, text }) => t <= limit && words.every((word) => text.toLowerCase().includes(word)));
      // without a word to find: what is around the moment shown
      const at = words.length > 0 || earlier ? 0 : Math.max(0, found.findLastIndex(({ t }) => t <= here) - LIST_BEFORE);
      const shown = found.slice(at, at + LIST_MAX);
      list.replaceChildren(...shown.map(({ t, text, isKey }) => {
        const button = element('button', { type: 'button' }, element('span', { class: 'when' }, clock(t - this.timeline.span.from)), element('span', { class: isKey ? 'is-key' : '' }, text));
        button.addEventListener('click', () => this.go(t));
        return element('li', {}, button);
      }));
      if (at > 0) {
        list.prepend(element('li', {}, this.tool('Earlier ones', 'From the start of the recording', () => {
          earlier = true;
          draw();
        })));
      }
      if (at + shown.length < found.length) list.append(element('li', { class: 'muted' }, `and ${found.length - at - shown.length} more: find them by a word`));
      if (found.length === 0) list.append(element('li', { class: 'muted' }, 'Nothing found'));
    };
    find.addEventListener('input', draw);
    this.dialog = openDialog('Jump to', 'jump-dialog',
      element('div', { class: 'jump-row' }, element('label', { class: 'jump-lap' }, 'Lap', lap), this.tool('Go', 'To the start of this lap', goLap), note),
      element('div', { class: 'search-row' }, find), list);
    lap.focus();
    draw();
    this.timeline.messages().then((messages) => {
      // a change of flag is told once, by its message
      const flags = new Set(messages.filter(({ message }) => message[1] === 'Track').map(({ t }) => t));
      all = [...all.filter(({ t, isFlag }) => !isFlag || !flags.has(t)),
        ...messages.map(({ t, message }) => ({ t, text: String(message[2] ?? ''), isKey: isKeyMessage(message) })).filter(({ text }) => text)].sort((a, b) => a.t - b.t);
      draw();
    }, (error) => list.append(element('li', { class: 'muted' }, `The messages cannot be read: ${error.message}`)));
  }
}
