// Differences of states: the examples that the daemon's own code made, and what readers rely on besides.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { applyDiff, patch, PatchError } from '../../src/web/js/patch.js';

const folder = new URL('../fixtures/delta/', import.meta.url);

for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
  test(`every example of ${file} gives its result`, () => {
    const examples = JSON.parse(readFileSync(new URL(file, folder)));
    assert.ok(examples.length > 0);
    let before;
    for (const { name, state = before, diff, result, error } of examples) {
      if (error) {
        assert.throws(() => applyDiff(state, diff), name);
        continue;
      }
      before = applyDiff(state, diff);
      assert.deepEqual(before, result, name);
    }
  });
}

test('the state that a difference was applied to stays as it was, and shares what is the same', () => {
  const state = { cars: [['7', [90.5, '']], ['8', [91, '']]], session: { a: { b: 1 } }, messages: [], highlight: [] };
  const copy = structuredClone(state);
  const next = applyDiff(state, { cars: [['change', [0, 1, 1], [null, 'pb']]], session: [['change', 'a.b', [null, 2]]] });
  assert.deepEqual(state, copy);
  assert.deepEqual(next.cars[0], ['7', [90.5, 'pb']]);
  assert.equal(next.cars[1], state.cars[1]);
  assert.equal(next.session.a.b, 2);
});

test('a difference that does not fit is an error and leaves the state alone', () => {
  const state = { cars: [['7']], session: {} };
  for (const change of [['change', [5, 0], [null, 1]], ['change', 'x.y', [1, 2]], ['remove', '', [[3, null]]], ['add', '', [[9, 1]]], ['turn', '', []], 'x', ['change', '', [1]], ['change', [0, 0, 0], [1, 2]]]) {
    assert.throws(() => applyDiff(state, { cars: [change] }), PatchError, JSON.stringify(change));
  }
  assert.deepEqual(state, { cars: [['7']], session: {} });
});

test('a member named __proto__ is a member', () => {
  const next = patch({}, [['add', '', [['__proto__', { evil: 1 }]]]]);
  assert.equal(Object.getPrototypeOf(next), Object.prototype);
  assert.equal({}.evil, undefined);
  assert.equal(JSON.stringify(next), '{"__proto__":{"evil":1}}');
});

test('the list of messages is cut to a hundred, newest first', () => {
  const state = { cars: [], session: {}, messages: Array.from({ length: 100 }, (_, i) => [i]) };
  const next = applyDiff(state, { messages: [['new'], ['newer']] });
  assert.equal(next.messages.length, 100);
  assert.deepEqual(next.messages.slice(0, 3), [['new'], ['newer'], [0]]);
});
