// Colour and symbol of a class of cars. A class has the same one on every page:
// well-known names have theirs by name, others by a hash of the name, and only
// when two of one race meet does the later one take the next free slot.
export const CLASS_SLOTS = 8;

const KNOWN = {
  hypercar: 0, lmh: 0, lmdh: 0, gtp: 0, lmp1: 0, dpi: 0, pro: 0, a: 0,
  lmp2: 1, gtdpro: 1, am: 1, b: 1, sp9: 1,
  lmp3: 4, tcr: 4, c: 2,
  gt3: 2, lmgt3: 2, gtd: 2, lmgte: 2, gte: 2, lmgtepro: 2,
  gt4: 3, lmgteam: 3, gtc: 3, d: 3, sp10: 3,
};

function hash(text) {
  let value = 2166136261;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 16777619);
  return (value >>> 0) % CLASS_SLOTS;
}

export class ClassPalette {
  slots = new Map();

  // All at once and in alphabetical order, so that the order of the cars does not matter.
  learn(names) {
    const fresh = [...new Set(names)].filter((name) => !this.slots.has(name)).sort();
    for (const name of fresh) this.slotOf(name);
  }

  // 0 to 7, or -1 for no class.
  slotOf(name) {
    if (name === undefined || name === null || name === '') return -1;
    const key = String(name);
    const known = this.slots.get(key);
    if (known !== undefined) return known;
    const plain = key.toLowerCase().replace(/[^a-z0-9]/g, '');
    const wanted = Object.hasOwn(KNOWN, plain) ? KNOWN[plain] : hash(key);
    const taken = new Set(this.slots.values());
    let slot = wanted;
    for (let i = 0; i < CLASS_SLOTS && taken.has(slot); i++) slot = (wanted + i) % CLASS_SLOTS;
    if (taken.has(slot)) slot = wanted;
    this.slots.set(key, slot);
    return slot;
  }
}

export function className(slot) {
  return slot < 0 ? '' : `class-${slot}`;
}
