// Private services (docs/private-services.md): opened with a code, which the
// address has behind '#', or which is asked for. The code stays in this page.
import { element, setText } from './dom.js';

export function codeOf(hash) {
  return new URLSearchParams(String(hash).replace(/^#/, '')).get('code') || null;
}

const REASONS = {
  'livetiming.error.wrong_code': 'This code does not open the service.',
  'livetiming.error.too_many_tries': 'Too many tries; wait a minute.',
};

export class Access {
  // onOpen({ manifest }): this session is admitted; manifest null: the service is not running.
  constructor({ connection, uuid, onOpen }) {
    Object.assign(this, { connection, uuid, onOpen });
    this.input = element('input', { type: 'password', autocomplete: 'off', 'aria-label': 'Access code', placeholder: 'Access code' });
    this.note = element('p', { class: 'muted', role: 'status' });
    this.node = element('form', { class: 'access', hidden: true },
      element('p', {}, 'Is it private? Then it opens with its code.'),
      element('div', {}, this.input, element('button', { type: 'submit', class: 'button primary' }, 'Open')), this.note);
    this.node.addEventListener('submit', (event) => {
      event.preventDefault();
      this.use(this.input.value.trim());
    });
  }

  destroy() {
    this.stop?.();
  }

  // Opens on this connection and, once it has been right, on every later one.
  use(code) {
    if (!code) return;
    this.stop?.();
    setText(this.note, 'Opening…');
    const opener = this.connection.addOpener((client) => this.open(client, code));
    this.stop = opener.stop;
    opener.first.catch(() => {});
  }

  async open(client, code) {
    try {
      const result = await this.connection.call('livetiming.private.open', [this.uuid, code], client);
      this.code = code;
      this.node.hidden = true;
      // The subscriptions of this page come after this: their retained events are ours then.
      this.onOpen({ manifest: result?.manifest ?? null, code });
    } catch (error) {
      setText(this.note, REASONS[error.uri] ?? 'This daemon has no private services.');
      this.stop?.();
      throw error;
    }
  }
}
