// One WAMP connection for the page, kept up for ever. A topic is subscribed to
// once, however many listen, and again on each new connection, always with the
// retained event, so that whoever subscribes sees the newest value at once.
//
// Asking for and giving up a topic are done one after the other, each when the
// answer to the one before is there: a page that leaves and a page that comes
// want the same topic at the same moment.
import { Wampy } from '/vendor/wampy.js';

// wampy files a subscription under topic and options, but looks for it under the
// topic alone when it ends: with options it would never end. Our options are
// always the same, so the topic is enough.
class Client extends Wampy {
  _getSubscriptionKey(topic) {
    return topic;
  }
}

const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 5000;
const LINGER_MS = 10000; // that a topic is kept after its last listener
const SILENCE_MS = 150000; // the directory alone speaks every 60 s
const CALL_TIMEOUT_MS = 20000;

// What a call failed with: uri is "wamp.error.no_such_procedure" and the like.
export class CallFailed extends Error {
  constructor(uri, message) {
    super(message || uri);
    this.uri = uri;
  }
}

class Topic {
  constructor(name, isSequence) {
    this.name = name;
    this.isSequence = isSequence; // each event adds to the one before: the last alone is worth nothing
    this.callbacks = new Set();
    this.last = undefined; // newest envelope of this subscription
    this.session = null; // client that is subscribed
    this.id = undefined;
    this.wanted = 0; // counts up when a new subscription is needed
    this.have = 0;
    this.busy = false;
    this.linger = null;
  }
}

export class Connection {
  constructor(url, onStatus) {
    this.url = url;
    this.onStatus = onStatus; // 'connecting' | 'connected' | 'disconnected'
    this.topics = new Map();
    this.openers = new Set(); // async functions, run on each new session before anything is subscribed
    this.ready = null; // client whose session may be used
    this.retryMs = RETRY_FIRST_MS;
    this.heardAt = performance.now();
    addEventListener('online', () => this.wake());
    document.addEventListener('visibilitychange', () => document.hidden || this.wake());
    setInterval(() => this.watch(), 5000);
    this.open();
  }

  async open() {
    clearTimeout(this.retry);
    this.onStatus('connecting');
    const client = new Client(this.url, {
      realm: 'timing',
      autoReconnect: false,
      uriValidation: 'loose',
      onClose: () => this.lost(client),
      onError: () => {},
    });
    this.client = client;
    try {
      await client.connect();
    } catch {
      this.lost(client);
      return;
    }
    if (this.client !== client) return;
    this.retryMs = RETRY_FIRST_MS;
    this.heardAt = performance.now();
    for (const opener of this.openers) await opener(client).catch(() => {});
    if (this.client !== client) return;
    this.ready = client;
    this.onStatus('connected');
    for (const topic of this.topics.values()) this.settle(topic);
  }

  lost(client) {
    if (this.client !== client) return;
    this.client = null;
    this.ready = null;
    this.onStatus('disconnected');
    // Spread out: everybody watching notices a restart at the same moment.
    this.retry = setTimeout(() => this.open(), this.retryMs * (0.5 + Math.random()));
    this.retryMs = Math.min(this.retryMs * 2, RETRY_MAX_MS);
  }

  // A page that was asleep, or a network that has come back, does not wait for the next try.
  wake() {
    if (!this.client) this.open();
    else this.watch();
  }

  // A connection that died without a word is given up.
  watch() {
    const { client } = this;
    if (!this.ready || this.topics.size === 0 || performance.now() - this.heardAt < SILENCE_MS) return;
    this.lost(client);
    client.disconnect().catch(() => {});
  }

  get isConnected() {
    return this.ready !== null;
  }

  // First result of a procedure. Rejects with CallFailed.
  async call(procedure, args = [], client = this.ready) {
    if (!client) throw new CallFailed('livetiming.error.not_connected', 'not connected');
    let timer;
    const late = new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(new CallFailed('livetiming.error.timeout', 'no answer')), CALL_TIMEOUT_MS);
    });
    try {
      const { argsList } = await Promise.race([client.call(procedure, args), late]);
      return argsList?.[0];
    } catch (error) {
      if (error instanceof CallFailed) throw error;
      throw new CallFailed(error?.errorUri ?? 'livetiming.error.failed', error?.argsList?.[0] ?? error?.message);
    } finally {
      clearTimeout(timer);
    }
  }

  // Run fn(client) on this session and every later one, before topics are subscribed to.
  // Returns a promise of the first run, and keeps fn until stop() is called.
  addOpener(fn) {
    this.openers.add(fn);
    const first = this.ready ? fn(this.ready) : Promise.resolve();
    return { first, stop: () => this.openers.delete(fn) };
  }

  // Calls back with each envelope published on the topic, the newest one first.
  // isSequence: a new listener needs the retained event, not the last one.
  // onSubscribed: called when the router has confirmed. Returns a function that ends it.
  subscribe(name, callback, { isSequence = false, onSubscribed } = {}) {
    let topic = this.topics.get(name);
    if (!topic) this.topics.set(name, (topic = new Topic(name, isSequence)));
    clearTimeout(topic.linger);
    const listener = { callback, onSubscribed };
    topic.callbacks.add(listener);
    if (topic.wanted === 0 || isSequence) {
      topic.wanted = topic.serial = (topic.serial ?? 0) + 1;
    } else if (topic.last !== undefined) {
      queueMicrotask(() => topic.callbacks.has(listener) && this.deliver(listener, topic.last));
    }
    this.settle(topic);
    return () => this.leave(topic, listener);
  }

  leave(topic, listener) {
    if (!topic.callbacks.delete(listener) || topic.callbacks.size > 0) return;
    const end = () => {
      topic.wanted = 0;
      this.settle(topic);
    };
    if (topic.isSequence) end();
    else topic.linger = setTimeout(end, LINGER_MS);
  }

  deliver(listener, envelope) {
    try {
      listener.callback(envelope);
    } catch (error) {
      console.error(error); // one bad event, or one bad listener, must not stop the others
    }
  }

  onEvent(topic, client, envelope) {
    this.heardAt = performance.now();
    if (client !== this.client || typeof envelope !== 'object' || envelope === null) return;
    topic.last = envelope;
    for (const listener of [...topic.callbacks]) this.deliver(listener, envelope);
  }

  // Bring the session in line with what is wanted, one step at a time.
  async settle(topic) {
    if (topic.busy) return;
    topic.busy = true;
    try {
      while (this.ready) {
        const client = this.ready;
        const have = topic.session === client ? topic.have : 0;
        if (have === topic.wanted) break;
        if (have !== 0) {
          topic.session = null;
          topic.last = undefined;
          await client.unsubscribe(topic.id);
          continue;
        }
        const { wanted } = topic;
        const { subscriptionId } = await client.subscribe(topic.name, ({ argsList }) => this.onEvent(topic, client, argsList?.[0]), { get_retained: true });
        topic.id = subscriptionId;
        topic.session = client;
        topic.have = wanted;
        for (const { onSubscribed } of topic.callbacks) onSubscribed?.();
      }
    } catch {
      // Refused, or the connection was lost: tried again with the next one.
    } finally {
      topic.busy = false;
    }
    if (topic.wanted === 0 && this.topics.get(topic.name) === topic) this.topics.delete(topic.name);
  }
}
