// WAMP conformance: publish and subscribe.
import assert from 'node:assert/strict';
import { suite } from './support/wamp.mjs';

const { check, anonymous, services } = suite('publish and subscribe');
const unknown = 9007199254740992;

check('Subscribing and Unsubscribing', 'subscribing again gives the same id and still one EVENT', async (t) => {
  const publisher = await services(t);
  const subscriber = await anonymous(t);
  const id = await subscriber.subscribe('twice');
  assert.equal(await subscriber.subscribe('twice'), id);
  const publication = await publisher.publish('twice', [1]);
  await subscriber.expect(36, id, publication, {}, [1]);
  await subscriber.silence();
});
check('Subscribing and Unsubscribing', 'after UNSUBSCRIBED no EVENT comes', async (t) => {
  const publisher = await services(t);
  const subscriber = await anonymous(t);
  const id = await subscriber.subscribe('left');
  subscriber.send(34, 9, id);
  await subscriber.expect(35, 9);
  await publisher.publish('left');
  await subscriber.silence();
});
check('Subscribing and Unsubscribing', 'UNSUBSCRIBE of what one does not hold is no_such_subscription', async (t) => {
  const other = await services(t);
  const peer = await anonymous(t);
  const theirs = await other.subscribe('theirs');
  peer.send(34, 1, unknown).send(34, 2, theirs);
  await peer.error(34, 1, 'wamp.error.no_such_subscription');
  await peer.error(34, 2, 'wamp.error.no_such_subscription');
});
check('Publishing and Events', 'without acknowledge there is no reply, not even ERROR', async (t) => {
  const peer = await services(t);
  peer.send(16, 1, {}, 't').send(16, 2, { acknowledge: false }, 'a..b').send(16, 3, { exclude: 5 }, 't').send(16, 4, {}, 'wamp.x');
  await peer.silence();
});
check('Publishing and Events', 'the id of PUBLISHED is that of the EVENT', async (t) => {
  const publisher = await services(t);
  const subscriber = await anonymous(t);
  const id = await subscriber.subscribe('same.id');
  const publication = await publisher.publish('same.id', [1], {}, { a: 2 });
  await subscriber.expect(36, id, publication, {}, [1], { a: 2 });
});
check('Ordering Guarantees', 'events of one publisher arrive in order, none missing', async (t) => {
  const publisher = await services(t);
  const subscriber = await anonymous(t);
  await subscriber.subscribe('ordered.a');
  await subscriber.subscribe('ordered.b');
  for (let i = 0; i < 1000; i++) publisher.send(16, i + 1, {}, i % 3 ? 'ordered.a' : 'ordered.b', [i, 'x'.repeat(4096)]);
  for (let i = 0; i < 1000; i++) assert.equal((await subscriber.next())[4][0], i);
});

// --- exclusion, lists, identification ---

check('Publisher Exclusion', 'on by default, off with exclude_me: false', async (t) => {
  const peer = await services(t);
  const id = await peer.subscribe('mine');
  await peer.publish('mine', [1]);
  await peer.silence();
  peer.send(16, 1, { exclude_me: false }, 'mine', [2]);
  assert.deepEqual((await peer.next()).slice(0, 2), [36, id]);
});
check('Publisher Exclusion', 'concerns the publishing session alone', async (t) => {
  const publisher = await services(t);
  const twin = await services(t);
  await twin.subscribe('mine.twin');
  await publisher.publish('mine.twin', [1]);
  assert.equal((await twin.next())[0], 36);
});
for (const [name, options, reached] of [
  ['exclude', (a) => ({ exclude: [a.id] }), [false, true]],
  ['eligible', (a) => ({ eligible: [a.id] }), [true, false]],
  ['eligible: []', () => ({ eligible: [] }), [false, false]],
  ['exclude: []', () => ({ exclude: [] }), [true, true]],
  ['exclude_authid', (a) => ({ exclude_authid: [a.welcome.authid] }), [false, true]],
  ['eligible_authid', (a) => ({ eligible_authid: [a.welcome.authid] }), [true, false]],
  ['exclude_authrole', () => ({ exclude_authrole: ['anonymous'] }), [false, true]],
  ['eligible_authrole', () => ({ eligible_authrole: ['anonymous'] }), [true, false]],
  ['two lists that agree', (a) => ({ eligible: [a.id], eligible_authrole: ['anonymous'] }), [true, false]],
  ['two lists that do not', (a) => ({ eligible: [a.id], exclude_authrole: ['anonymous'] }), [false, false]],
  ['a list that is null', () => ({ eligible: null }), [true, true]],
]) {
  check('Subscriber Black- and Whitelisting', `${name}: live and retained events reach whom they should`, async (t) => {
    const topic = `lists.${name.replace(/[^a-z]/g, '_')}`;
    const publisher = await services(t);
    const receivers = [await anonymous(t), await services(t)]; // by role, authid and id
    for (const receiver of receivers) await receiver.subscribe(topic);
    await publisher.publish(topic, [1], { retain: true, ...options(receivers[0]) });
    for (const [i, receiver] of receivers.entries()) {
      if (reached[i]) assert.equal((await receiver.next())[0], 36);
      await receiver.silence();
      await receiver.subscribe(topic, { get_retained: true });
      if (reached[i]) assert.deepEqual((await receiver.next()).slice(3), [{ retained: true }, [1]]);
      await receiver.silence();
    }
  });
}
for (const options of [{ exclude: 5 }, { eligible: ['x'] }, { exclude_authid: [1] }, { exclude_me: 'no' }, { acknowledge: true, retain: 1 }]) {
  check('No Polymorphism', `PUBLISH with ${JSON.stringify(options)} reaches nobody`, async (t) => {
    const publisher = await services(t);
    const subscriber = await anonymous(t);
    await subscriber.subscribe('wrong.options');
    publisher.send(16, 1, { ...options, acknowledge: true }, 'wrong.options', [1]);
    await publisher.error(16, 1, 'wamp.error.invalid_argument');
    await subscriber.silence();
  });
}
check('Publisher Identification', 'disclose_me tells id, authid and authrole, and nothing is told without', async (t) => {
  const publisher = await services(t);
  const subscriber = await anonymous(t);
  await subscriber.subscribe('who');
  await publisher.publish('who', [1], { disclose_me: true });
  assert.deepEqual((await subscriber.next())[3], { publisher: publisher.id, publisher_authid: 'services', publisher_authrole: 'services' });
  await publisher.publish('who', [2]);
  assert.deepEqual((await subscriber.next())[3], {});
});
check('Publisher Identification', 'a role can be made to disclose always', async (t) => {
  const publisher = await services(t);
  const subscriber = await anonymous(t);
  await subscriber.subscribe('livetiming.control');
  await publisher.publish('livetiming.control', [{}]);
  let event;
  do event = await subscriber.next(); while (event[3].publisher !== publisher.id);
  assert.equal(event[3].publisher_authrole, 'services');
});
check('Publishing and Events', 'options of the publisher do not leak', async (t) => {
  const publisher = await services(t);
  const subscriber = await anonymous(t);
  await subscriber.subscribe('leak');
  await publisher.publish('leak', [1], { exclude: [1], eligible_authrole: ['anonymous'], retain: true, own: 'x' });
  assert.deepEqual((await subscriber.next())[3], {});
});
check('Payload Passthru Mode', 'ppt keys are copied, also to retained events', async (t) => {
  const ppt = { ppt_scheme: 'wamp', ppt_serializer: 'cbor', ppt_cipher: 'aes256gcm', ppt_keyid: 'k' };
  const publisher = await services(t);
  const subscriber = await anonymous(t);
  await subscriber.subscribe('ppt');
  await publisher.publish('ppt', ['x'], { ...ppt, retain: true });
  assert.deepEqual((await subscriber.next())[3], ppt);
  await subscriber.subscribe('ppt', { get_retained: true });
  assert.deepEqual((await subscriber.next())[3], { retained: true, ...ppt });
});

// --- patterns ---

for (const [match, pattern, hits, misses] of [
  ['exact', 'pat.a', ['pat.a'], ['pat.a.b', 'pat', 'pat.b']],
  ['prefix', 'pat.a', ['pat.a', 'pat.ab', 'pat.a.b'], ['pat', 'pa', 'pat.b']],
  ['prefix', 'pat.', ['pat.x', 'pat.x.y'], ['pat', 'patx']],
  ['wildcard', 'pat..c', ['pat.b.c', 'pat.x.c'], ['pat.c', 'pat.b.c.d', 'pat.b.d']],
  ['wildcard', 'pat.', ['pat.x'], ['pat', 'pat.x.y']],
  ['wildcard', '..c', ['a.b.c'], ['a.c', 'a.b.d', 'a.b.c.d']],
]) {
  check('Pattern-based Subscription', `${match} "${pattern}" gets ${hits.join(' ')} and not ${misses.join(' ')}`, async (t) => {
    const publisher = await services(t);
    const subscriber = await anonymous(t);
    const id = await subscriber.subscribe(pattern, { match });
    for (const topic of misses) await publisher.publish(topic, [topic]);
    for (const topic of hits) {
      const publication = await publisher.publish(topic, [topic]);
      await subscriber.expect(36, id, publication, match === 'exact' ? {} : { topic }, [topic]);
    }
    await subscriber.silence();
  });
}
check('Pattern-based Subscription', 'one EVENT per matching subscription, with one publication id', async (t) => {
  const publisher = await services(t);
  const subscriber = await anonymous(t);
  const ids = [await subscriber.subscribe('multi.a'), await subscriber.subscribe('multi.', { match: 'prefix' }), await subscriber.subscribe('multi.', { match: 'wildcard' })];
  const publication = await publisher.publish('multi.a', [1]);
  const events = [await subscriber.next(), await subscriber.next(), await subscriber.next()];
  assert.deepEqual(events.map((event) => event[1]).sort(), [...ids].sort());
  assert.ok(events.every((event) => event[2] === publication));
  await subscriber.silence();
});
check('Pattern-based Subscription', 'a catch-all hears no meta events', async (t) => {
  const subscriber = await services(t);
  await subscriber.subscribe('', { match: 'prefix' });
  await subscriber.subscribe('...', { match: 'wildcard' });
  await anonymous(t);
  let event;
  for (const text of subscriber.inbox) {
    event = JSON.parse(text);
    assert.ok(!String(event[3]?.topic).startsWith('wamp.'), text);
  }
});

// --- retention ---

check('Event Retention', 'stored without subscribers, outlives the publisher, delivered after SUBSCRIBED with retained: true', async (t) => {
  const publisher = await services(t);
  const publication = await publisher.publish('kept', [1], { retain: true, disclose_me: true }, { k: 'v' });
  publisher.send(6, {}, 'wamp.close.close_realm');
  await publisher.next();
  const subscriber = await anonymous(t);
  const id = await subscriber.subscribe('kept', { get_retained: true });
  await subscriber.expect(36, id, publication,
    { retained: true, publisher: publisher.id, publisher_authid: 'services', publisher_authrole: 'services' }, [1], { k: 'v' });
  await subscriber.silence();
});
check('Event Retention', 'only when get_retained is true, also on a repeated SUBSCRIBE', async (t) => {
  const publisher = await services(t);
  await publisher.publish('kept.asked', [1], { retain: true });
  const subscriber = await anonymous(t);
  await subscriber.subscribe('kept.asked');
  await subscriber.silence();
  await subscriber.subscribe('kept.asked', { get_retained: true });
  assert.equal((await subscriber.next())[3].retained, true);
  await subscriber.subscribe('kept.asked', { get_retained: true });
  assert.equal((await subscriber.next())[3].retained, true);
});
check('Event Retention', 'the latest wins; a publish without retain leaves it', async (t) => {
  const publisher = await services(t);
  await publisher.publish('kept.latest', [1], { retain: true });
  await publisher.publish('kept.latest', [2], { retain: true });
  await publisher.publish('kept.latest', [3]);
  const subscriber = await anonymous(t);
  await subscriber.subscribe('kept.latest', { get_retained: true });
  assert.deepEqual((await subscriber.next())[4], [2]);
  await subscriber.silence();
});
check('Event Retention', 'live delivery has no retained key', async (t) => {
  const publisher = await services(t);
  const subscriber = await anonymous(t);
  await subscriber.subscribe('kept.live', { get_retained: true });
  await publisher.publish('kept.live', [1], { retain: true });
  assert.deepEqual((await subscriber.next())[3], {});
});
for (const [match, pattern] of [['prefix', 'kept.many.'], ['wildcard', 'kept.many.']]) {
  check('Event Retention', `a ${match} subscription gets one event per matching topic, with topic`, async (t) => {
    const publisher = await services(t);
    for (const name of ['a', 'b', 'c']) await publisher.publish(`kept.many.${name}`, [name], { retain: true });
    const subscriber = await anonymous(t);
    await subscriber.subscribe(pattern, { match, get_retained: true });
    const topics = [];
    for (let i = 0; i < 3; i++) {
      const event = await subscriber.next();
      assert.equal(event[3].retained, true);
      topics.push(event[3].topic);
    }
    assert.deepEqual(topics.sort(), ['kept.many.a', 'kept.many.b', 'kept.many.c']);
    await subscriber.silence();
  });
}
check('Event Retention', 'no gap and no overtaking between the retained event and the live stream', async (t) => {
  const publisher = await services(t);
  const subscriber = await anonymous(t);
  for (let i = 0; i < 300; i++) {
    publisher.send(16, i + 1, { retain: true }, 'kept.stream', [i]);
    if (i === 150) await publisher.publish('kept.stream.sync');
  }
  subscriber.send(32, 1, { get_retained: true }, 'kept.stream');
  assert.equal((await subscriber.next())[0], 33);
  const first = await subscriber.next();
  assert.equal(first[3].retained, true);
  for (let i = first[4][0] + 1; i < 300; i++) assert.deepEqual((await subscriber.next()).slice(3), [{}, [i]]);
});
check('Event Retention', 'a topic of which nothing is retained gives nothing', async (t) => {
  const subscriber = await anonymous(t);
  await subscriber.subscribe('kept.nothing', { get_retained: true });
  await subscriber.silence();
});
