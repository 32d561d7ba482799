// All recordings: search, one series, page by page. The address has all of it.
import { element, setText } from './dom.js';
import { recordingItem } from './home.js';

const PER_PAGE = 30;
const TYPING_MS = 250;

export class RecordingsPage {
  constructor({ connection, query, app }) {
    this.connection = connection;
    this.app = app;
    this.title = 'Recordings';
    this.text = query.get('q') ?? '';
    this.series = query.get('series') ?? '';
    this.page = Math.max(1, Number.parseInt(query.get('page') ?? '1', 10) || 1);
    this.serial = 0;
    this.build();
    const opener = connection.addOpener(async (client) => {
      this.load(client);
      this.loadSeries(client);
    });
    this.stop = opener.stop;
  }

  destroy() {
    this.stop();
    clearTimeout(this.timer);
  }

  build() {
    this.search = element('input', { type: 'search', placeholder: 'Search recordings', 'aria-label': 'Search recordings', value: this.text });
    this.search.addEventListener('input', () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.change({ text: this.search.value.trim() }), TYPING_MS);
    });
    this.select = element('select', { 'aria-label': 'Series' }, element('option', { value: '' }, 'All series'));
    this.select.addEventListener('change', () => this.change({ series: this.select.value }));
    this.count = element('p', { class: 'muted', role: 'status' }, 'Loading…');
    this.list = element('ul', { class: 'recordings' });
    this.pages = element('nav', { class: 'pages', 'aria-label': 'Pages', hidden: true });
    this.node = element('div', { class: 'home' }, element('h1', {}, 'Recordings'),
      element('form', { class: 'search-row', role: 'search' }, this.search, this.select), this.count, this.list, this.pages);
    this.node.querySelector('form').addEventListener('submit', (event) => event.preventDefault());
  }

  address(page) {
    const query = new URLSearchParams();
    if (this.text) query.set('q', this.text);
    if (this.series) query.set('series', this.series);
    if (page > 1) query.set('page', String(page));
    const text = query.toString();
    return `/recordings${text ? `?${text}` : ''}`;
  }

  change(changes) {
    Object.assign(this, changes);
    this.page = 1;
    this.app.setAddress(this.address(1));
    this.load();
  }

  async loadSeries(client) {
    try {
      const names = await this.connection.call('livetiming.recordings.names', [], client);
      const all = [...new Set([...(Array.isArray(names) ? names.map(String) : []), this.series])].filter(Boolean).sort((a, b) => a.localeCompare(b));
      this.select.replaceChildren(element('option', { value: '' }, 'All series'), ...all.map((name) => element('option', { value: name }, name)));
      this.select.value = this.series;
    } catch {
      // the search works without
    }
  }

  async load(client = this.connection.ready) {
    const mine = ++this.serial;
    try {
      const result = await this.connection.call('livetiming.recordings.search', [this.text || null, this.series || null, null, null, 'startTime', false, this.page, PER_PAGE], client);
      if (mine === this.serial) this.show(result ?? {});
    } catch (error) {
      if (mine === this.serial) setText(this.count, error.uri === 'wamp.error.no_such_procedure' ? 'This daemon keeps no recordings.' : 'The recordings could not be loaded.');
    }
  }

  show({ recordings = [], pages = 1, total = 0 }) {
    setText(this.count, total === 0 ? (this.text || this.series ? 'Nothing found.' : 'There are no recordings yet.') : `${total} recording${total === 1 ? '' : 's'}`);
    this.list.replaceChildren(...recordings.map(recordingItem));
    this.pages.hidden = pages <= 1;
    const link = (page, label, rel) => (page >= 1 && page <= pages ? element('a', { class: 'button', href: this.address(page), rel, 'data-link': true }, label) : element('span', { class: 'button', 'aria-disabled': 'true' }, label));
    this.pages.replaceChildren(link(this.page - 1, 'Newer', 'prev'), element('span', {}, `Page ${this.page} of ${pages}`), link(this.page + 1, 'Older', 'next'));
  }
}
