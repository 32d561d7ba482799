// Entry: one connection, and the page that belongs to the address.
import { Connection } from './connection.js';
import { HomePage } from './home.js';
import { ServicePage } from './service.js';

const link = document.getElementById('link');
const STATUS = { connecting: 'Connecting…', connected: 'Live', disconnected: 'Disconnected – trying again' };

const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`;
const connection = new Connection(url, (status) => {
  // "Connecting" after a loss would only flicker: the loss is what matters.
  if (status === 'connecting' && link.dataset.status === 'disconnected') return;
  link.textContent = STATUS[status];
  link.dataset.status = status;
  document.body.classList.toggle('offline', status === 'disconnected');
});

let page = null;

function show() {
  page?.destroy();
  const match = location.pathname.match(/^\/service\/([^/]+)\/?$/);
  page = match ? new ServicePage(connection, decodeURIComponent(match[1])) : new HomePage(connection);
  document.getElementById('page').replaceChildren(page.node);
}

// Links inside the page change it without a reload; everything else is left to the browser.
document.addEventListener('click', (event) => {
  const anchor = event.target.closest('a[data-link]');
  if (!anchor || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  history.pushState(null, '', anchor.href);
  show();
  scrollTo(0, 0);
  document.getElementById('page').focus({ preventScroll: true });
});
addEventListener('popstate', show);
show();
