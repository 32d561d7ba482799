// Follows a delta topic as docs/live-protocol.md says; written from it, and from nothing else.
const asKey = (container, part) => (Array.isArray(container) ? Number(part) : part);

function walk(root, parts) {
  let value = root;
  for (const part of parts) {
    value = value?.[asKey(value, part)];
    if (value === undefined) throw new Error(`nothing at ${JSON.stringify(parts)}`);
  }
  return value;
}

function applyChanges(value, changes) {
  let root = value;
  for (const [action, path, what] of changes) {
    const parts = Array.isArray(path) ? path : path === '' ? [] : path.split('.');
    if (action === 'change' && parts.length === 0) {
      root = structuredClone(what[1]);
      continue;
    }
    if (action === 'change') {
      const container = walk(root, parts.slice(0, -1));
      container[asKey(container, parts.at(-1))] = structuredClone(what[1]);
      continue;
    }
    const container = walk(root, parts);
    for (const [key, item] of what) {
      if (action === 'add' && Array.isArray(container)) container.splice(key, 0, structuredClone(item));
      else if (action === 'add') container[key] = structuredClone(item);
      else if (Array.isArray(container)) container.splice(key, 1);
      else delete container[key];
    }
  }
  return root;
}

export function applyDiff(state, diff) {
  const next = structuredClone(state);
  next.cars = applyChanges(next.cars, diff.cars ?? []);
  next.session = applyChanges(next.session, diff.session ?? []);
  next.messages = [...(diff.messages ?? []), ...(next.messages ?? [])].slice(0, 100);
  next.highlight = diff.highlight ?? [];
  Object.assign(next, diff.set ?? {});
  for (const name of diff.unset ?? []) delete next[name];
  return next;
}

export class Follower {
  constructor({ keyframe, shown = () => {} }) {
    Object.assign(this, { askKeyframe: keyframe, onShown: shown, kept: [], gaps: 0, keyframes: 0, differences: 0 });
  }

  event(event) {
    if (event.state) this.take(event);
    else if (event.epoch === this.epoch && event.seq <= this.seq) return;
    else if (event.epoch === this.epoch && event.seq === this.seq + 1 && !this.asking) this.patch(event);
    else this.gap(event);
  }

  take(event) {
    if (event.epoch === this.epoch && event.seq <= this.seq) return;
    this.keyframes++;
    this.show(event, event.state);
  }

  patch(event) {
    this.differences++;
    this.show(event, applyDiff(this.state, event.diff));
  }

  show({ epoch, seq, date }, state) {
    Object.assign(this, { epoch, seq, date, state });
    this.onShown(this);
  }

  gap(event) {
    this.kept.push(event);
    if (this.asking) return;
    this.gaps++;
    this.asking = this.askKeyframe().then(
      (answer) => {
        const kept = this.kept.splice(0);
        this.asking = undefined;
        this.take(answer);
        for (const one of kept) this.event(one);
      },
      () => {
        this.asking = undefined; // the next event asks again
      },
    );
  }
}
