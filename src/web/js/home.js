// Start page: the services that run now, from the retained directory listing.
import { element } from './dom.js';

const MSG_DIRECTORY = 5;

export class HomePage {
  constructor(connection) {
    this.list = element('ul', { class: 'services' });
    this.note = element('p', { class: 'empty' }, 'Looking for services…');
    this.node = element('section', { class: 'home' }, element('h1', {}, 'Live now'), this.list, this.note);
    document.title = 'Live timing';
    this.stop = connection.subscribe('livetiming.directory', ({ msgClass, payload }) => {
      if (msgClass === MSG_DIRECTORY && Array.isArray(payload)) this.show(payload);
    });
  }

  destroy() {
    this.stop();
  }

  show(manifests) {
    const visible = manifests.filter(({ hidden }) => !hidden);
    this.note.hidden = visible.length > 0;
    this.note.textContent = 'Nothing is running at the moment. This page fills by itself when a service starts.';
    this.list.replaceChildren(...visible.map(({ uuid, name, description, serviceClass, source }) =>
      element('li', {},
        element('a', { class: 'card', href: `/service/${encodeURIComponent(uuid)}`, 'data-link': true },
          element('strong', {}, String(name ?? uuid)),
          element('span', {}, String(description ?? '')),
          element('small', {}, [serviceClass, source?.[0]].filter(Boolean).join(' · '))))));
  }
}
