// One WAMP connection for the page, kept up for ever. Subscriptions are made
// again on each new connection, with the retained event, so that whoever
// subscribed sees the newest value at once.
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

export class Connection {
  constructor(url, onStatus) {
    this.url = url;
    this.onStatus = onStatus; // 'connecting' | 'connected' | 'disconnected'
    this.subscriptions = new Map(); // topic -> Set of callbacks
    this.retryMs = RETRY_FIRST_MS;
    this.open();
  }

  async open() {
    this.onStatus('connecting');
    const client = new Client(this.url, {
      realm: 'timing',
      autoReconnect: false,
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
    this.onStatus('connected');
    for (const topic of this.subscriptions.keys()) this.subscribeNow(topic);
  }

  lost(client) {
    if (this.client !== client) return;
    this.client = null;
    this.onStatus('disconnected');
    // Spread out: everybody watching notices a restart at the same moment.
    setTimeout(() => this.open(), this.retryMs * (0.5 + Math.random()));
    this.retryMs = Math.min(this.retryMs * 2, RETRY_MAX_MS);
  }

  get isConnected() {
    return this.client?.getSessionId() != null;
  }

  async subscribeNow(topic) {
    const client = this.client;
    try {
      const { subscriptionId } = await client.subscribe(
        topic,
        ({ argsList }) => {
          for (const callback of this.subscriptions.get(topic) ?? []) callback(argsList[0]);
        },
        { get_retained: true },
      );
      if (this.client !== client) return;
      const callbacks = this.subscriptions.get(topic);
      if (callbacks) callbacks.id = subscriptionId;
      else client.unsubscribe(subscriptionId).catch(() => {}); // the last listener left meanwhile
    } catch {
      // Connection lost meanwhile: made again with the next one.
    }
  }

  // Calls back with each envelope published on the topic. Returns a function that ends it.
  subscribe(topic, callback) {
    let callbacks = this.subscriptions.get(topic);
    if (!callbacks) {
      callbacks = new Set();
      this.subscriptions.set(topic, callbacks);
      if (this.isConnected) this.subscribeNow(topic);
    }
    callbacks.add(callback);
    return () => {
      callbacks.delete(callback);
      if (callbacks.size > 0 || this.subscriptions.get(topic) !== callbacks) return;
      this.subscriptions.delete(topic);
      if (this.isConnected && callbacks.id !== undefined) this.client.unsubscribe(callbacks.id).catch(() => {});
    };
  }
}
