// Differences of states (docs/live-protocol.md, docs/recordings.md). Pure: what
// is changed is copied, everything else is shared with the old value, so states
// that were handed out before stay as they are.

const MESSAGES_MAX = 100;

export class PatchError extends Error {}

function fail(text) {
  throw new PatchError(text);
}

const isContainer = (value) => typeof value === 'object' && value !== null;

// "__proto__" is a name like any other in JSON.
function put(object, key, value) {
  if (key === '__proto__') Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  else object[key] = value;
}

function indexOf(list, key, limit) {
  const index = typeof key === 'string' && /^(0|[1-9][0-9]*)$/.test(key) ? Number(key) : key;
  if (!Number.isInteger(index) || index < 0 || index >= limit) fail(`no element ${JSON.stringify(key)}`);
  return index;
}

class Patcher {
  constructor(root) {
    this.root = { value: root };
    this.own = new Set(); // containers made here, which may be changed in place
  }

  copied(holder, key) {
    const value = holder[key];
    if (!isContainer(value)) fail('not a container');
    if (this.own.has(value)) return value;
    const copy = Array.isArray(value) ? value.slice() : { ...value };
    this.own.add(copy);
    put(holder, key, copy);
    return copy;
  }

  step(container, key) {
    if (Array.isArray(container)) return indexOf(container, key, container.length);
    if (typeof key !== 'string' || !Object.hasOwn(container, key)) fail(`no member ${JSON.stringify(key)}`);
    return key;
  }

  // { holder, key } of the value at the path, all containers on the way made our own.
  find(parts) {
    let holder = this.root;
    let key = 'value';
    for (const part of parts) {
      const container = this.copied(holder, key);
      key = this.step(container, part);
      holder = container;
    }
    return { holder, key };
  }

  parts(path, action) {
    if (Array.isArray(path)) return path;
    if (typeof path !== 'string') fail('path is neither a text nor a list');
    if (path !== '') return path.split('.');
    const { value } = this.root;
    // The empty text is the root, or its member with the empty name, which alone can be "changed" in it.
    return action === 'change' && isContainer(value) && !Array.isArray(value) && Object.hasOwn(value, '') ? [''] : [];
  }

  apply(entry) {
    if (!Array.isArray(entry)) fail('not a change');
    const [action, path, what] = entry;
    if (!Array.isArray(what)) fail('a change without values');
    const { holder, key } = this.find(this.parts(path, action));
    if (action === 'change') {
      if (what.length !== 2) fail('a change has two values');
      put(holder, key, what[1]);
      return;
    }
    const container = this.copied(holder, key);
    if (action === 'add') for (const pair of what) this.add(container, pair);
    else if (action === 'remove') for (const pair of what) this.remove(container, pair);
    else fail(`unknown action ${JSON.stringify(action)}`);
  }

  add(container, pair) {
    if (!Array.isArray(pair) || pair.length !== 2) fail('not a key and a value');
    const [key, value] = pair;
    if (Array.isArray(container)) container.splice(indexOf(container, key, container.length + 1), 0, value);
    else if (typeof key === 'string') put(container, key, value);
    else fail(`no member ${JSON.stringify(key)}`);
  }

  remove(container, pair) {
    if (!Array.isArray(pair)) fail('not a key and a value');
    const key = this.step(container, pair[0]);
    if (Array.isArray(container)) container.splice(key, 1);
    else delete container[key];
  }
}

// The value after a list of changes. Throws PatchError when they do not fit.
export function patch(value, changes) {
  if (!Array.isArray(changes)) fail('not a list of changes');
  const patcher = new Patcher(value);
  for (const entry of changes) patcher.apply(entry);
  return patcher.root.value;
}

const OWN_PARTS = new Set(['cars', 'session', 'messages', 'highlight']);

function otherMembers(value, what) {
  if (value === undefined || value === null) return [];
  const names = what === 'set' && isContainer(value) && !Array.isArray(value) ? Object.keys(value) : value;
  if (!Array.isArray(names) || names.some((name) => typeof name !== 'string' || OWN_PARTS.has(name))) fail(`${what} is not of other members`);
  return names;
}

// The state after a difference { cars, session, messages, highlight, set, unset }.
export function applyDiff(state, diff) {
  if (!isContainer(state) || !isContainer(diff) || Array.isArray(diff)) fail('not a state and a difference');
  const next = { ...state };
  for (const part of ['cars', 'session']) {
    if (diff[part] !== undefined && diff[part] !== null) next[part] = patch(state[part], diff[part]);
  }
  if (!Array.isArray(next.cars) || !isContainer(next.session) || Array.isArray(next.session)) fail('cars are no list, or the session is no object');
  if (next.cars !== state.cars && !next.cars.every(Array.isArray)) fail('a row is no list');
  const messages = diff.messages ?? [];
  if (!Array.isArray(messages)) fail('messages are not a list');
  if (messages.length > 0) next.messages = [...messages, ...(state.messages ?? [])].slice(0, MESSAGES_MAX);
  next.highlight = diff.highlight ?? [];
  if (!Array.isArray(next.highlight)) fail('highlight is not a list');
  for (const name of otherMembers(diff.unset, 'unset')) delete next[name];
  for (const name of otherMembers(diff.set, 'set')) put(next, name, diff.set[name]);
  return next;
}
