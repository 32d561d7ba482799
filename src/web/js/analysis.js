// Pages with the analysis of a race that runs, and of a recording.
//
//   /service/UUID/analysis?view=gaps&class=GT3&cars=7,9
//   /replay/ID/analysis?t=SECONDS   as it was at that moment
import { Access, codeOf } from './access.js';
import { AnalysisModel } from './analysis_model.js';
import { AnalysisView } from './analysis_view.js';
import { element, setText } from './dom.js';
import { clock } from './format.js';
import { followDirectory } from './home.js';
import { Timeline } from './timeline.js';

const MSG_ANALYSIS = 7;
const DRAW_MS = 1000; // live data comes in many small parts
const RETRY_MS = 5000;
const AGAIN_MS = 10000; // an analysis of a moment is of whole ten seconds
const SHARED_KEYS = ['static', 'driver', 'session', 'messages'];

class AnalysisPage {
  constructor({ connection, params, query, app }) {
    Object.assign(this, { connection, params, query, app });
    this.title = 'Analysis';
    this.stops = [];
    this.model = new AnalysisModel();
    this.view = new AnalysisView({
      model: this.model,
      query,
      onAddress: (next) => this.setAddress(next),
      name: () => [this.heading?.textContent, this.description?.textContent].filter(Boolean).join(' ').replace(/[^\p{L}\p{N}]+/gu, '-').slice(0, 80) || 'analysis',
    });
    this.heading = element('h1', {}, 'Loading…');
    this.description = element('p', { class: 'description' });
    this.note = element('p', { class: 'empty', role: 'status' }, 'Reading the analysis…');
    this.back = element('a', { class: 'button', href: this.backHref, 'data-link': true }, this.backText);
    this.node = element('article', { class: 'analysis-page' },
      element('div', { class: 'heading' }, element('div', { class: 'heading-text' }, this.heading, this.description), this.back), this.note, this.view.node);
    this.view.node.hidden = true;
  }

  destroy() {
    this.destroyed = true;
    for (const stop of this.stops) stop();
    this.view.destroy();
  }

  setAddress(query) {
    const t = this.query.get('t');
    if (t) query.set('t', t);
    const text = query.toString();
    if (this.node) this.app.setAddress(`${location.pathname}${text ? `?${text}` : ''}${location.hash}`);
  }

  describe({ name, description }, more = '') {
    setText(this.heading, String(name ?? ''));
    setText(this.description, [description, more].filter(Boolean).join(' · '));
    this.app.setTitle(['Analysis', name, description].filter(Boolean).join(' – '));
  }

  show() {
    if (this.destroyed) return;
    this.note.hidden = !this.model.isEmpty;
    if (this.model.isEmpty) setText(this.note, 'There is no analysis yet: it begins with the first laps.');
    this.view.node.hidden = this.model.isEmpty;
    if (!this.model.isEmpty) this.view.update();
  }

  fail(text) {
    if (this.destroyed) return;
    this.note.hidden = false;
    setText(this.note, text);
  }
}

export class LiveAnalysisPage extends AnalysisPage {
  constructor(options) {
    super(options);
    this.uuid = this.params.uuid;
    this.topics = new Set();
    this.timeline = new Timeline(`/timeline/live/${encodeURIComponent(this.uuid)}/`, { live: true });
    this.access = new Access({ connection: this.connection, uuid: this.uuid, onOpen: ({ manifest, code }) => this.opened(manifest, code) });
    this.note.after(this.access.node);
    this.stops.push(followDirectory(this.connection, (manifests) => this.onDirectory(manifests)), () => this.timeline.destroy(), () => this.access.destroy(), () => clearTimeout(this.drawTimer), () => clearTimeout(this.retryTimer));
    const code = codeOf(location.hash);
    if (code) this.access.use(code);
    else this.load();
  }

  get backHref() {
    return `/service/${encodeURIComponent(this.params.uuid)}`;
  }

  get backText() {
    return 'Live timing';
  }

  // Seconds by which the page runs behind, as the live page does.
  get delay() {
    return this.app.settings.get('delay', 0);
  }

  opened(manifest, code) {
    if (manifest) this.describe(manifest);
    this.timeline.setCode(code);
    this.load();
  }

  onDirectory(manifests) {
    const manifest = manifests.find(({ uuid }) => uuid === this.uuid);
    if (manifest) this.describe(manifest, this.delay > 0 ? `${clock(this.delay)} behind` : '');
    else if (this.model.isEmpty && !this.access.code) {
      setText(this.heading, 'Service not running');
      this.access.node.hidden = false;
    }
  }

  // With a TV delay the analysis as it was then, also for those who came a moment ago.
  async whole() {
    if (this.delay > 0) return (await this.timeline.analysis(Date.now() / 1000 - this.delay)).analysis;
    return this.connection.call(`livetiming.service.requestAnalysisData.${this.uuid}`);
  }

  async load() {
    clearTimeout(this.retryTimer);
    try {
      const data = await this.whole();
      if (this.destroyed) return;
      this.model.replace(data);
      this.follow();
      // what changed before the topics were followed is in no event that is still to come
      this.followedAt ??= Date.now();
      if (Date.now() - this.followedAt < this.delay * 1000) this.retryTimer = setTimeout(() => this.load(), AGAIN_MS);
    } catch (error) {
      this.fail(error.uri === 'wamp.error.no_such_procedure' ? 'This service is not running at the moment.' : `The analysis cannot be read: ${error.message}`);
      this.retryTimer = setTimeout(() => this.load(), RETRY_MS);
      return;
    }
    this.show();
  }

  follow() {
    for (const key of SHARED_KEYS) this.followKey(key);
    for (const num of Object.keys(this.model.data.static ?? {})) {
      this.followKey(`lap/${num}`);
      this.followKey(`stint/${num}`);
    }
  }

  followKey(key) {
    if (this.topics.has(key)) return;
    this.topics.add(key);
    this.stops.push(this.connection.subscribe(`livetiming.analysis/${this.uuid}/${key}`, ({ msgClass, payload }) => {
      if (msgClass !== MSG_ANALYSIS) return;
      if (this.delay > 0) setTimeout(() => this.merge(key, payload), this.delay * 1000);
      else this.merge(key, payload);
    }));
  }

  merge(key, payload) {
    if (this.destroyed) return;
    this.model.merge(key, payload);
    if (key === 'static') this.follow();
    this.drawTimer ??= setTimeout(() => {
      this.drawTimer = null;
      this.show();
    }, DRAW_MS);
  }
}

export class ReplayAnalysisPage extends AnalysisPage {
  constructor(options) {
    super(options);
    this.timeline = new Timeline(`/timeline/recordings/${encodeURIComponent(this.params.id)}/`, { code: codeOf(location.hash) });
    this.stops.push(() => this.timeline.destroy());
    this.load();
  }

  get backHref() {
    const t = this.query.get('t');
    return `/replay/${encodeURIComponent(this.params.id)}${t ? `?t=${encodeURIComponent(t)}` : ''}`;
  }

  get backText() {
    return 'Replay';
  }

  async load() {
    try {
      await this.timeline.open();
      const { manifest, span } = this.timeline;
      const t = Number(this.query.get('t'));
      const at = this.query.has('t') && Number.isFinite(t) ? Math.min(span.to, span.from + Math.max(0, t)) : span.to;
      if (this.destroyed) return;
      this.describe(manifest, at < span.to ? `as of ${clock(at - span.from)}` : '');
      const { analysis } = await this.timeline.analysis(at, { onProgress: (share) => this.fail(`Analysing the recording: ${Math.round(share * 100)} %`) });
      this.model.replace(analysis);
    } catch (error) {
      setText(this.heading, error.code === 'no_such_recording' ? 'No such recording' : this.heading.textContent);
      this.fail(`The analysis cannot be read: ${error.message}`);
      return;
    }
    this.show();
  }
}
