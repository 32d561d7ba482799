// Hosts of a test in network namespaces of its own, each behind a cable to this one:
// what crosses a network can be cut and slowed. Needs root and iproute2.
import { execFileSync } from 'node:child_process';

const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
const ip = (...args) => execFileSync('ip', args, { env: { PATH }, stdio: ['ignore', 'ignore', 'pipe'] });
let count = 0;

export const hasNetns = (() => {
  try {
    ip('netns', 'add', `ltprobe${process.pid}`);
    ip('netns', 'del', `ltprobe${process.pid}`);
    return true;
  } catch {
    return false;
  }
})();

// Where the other end of all cables is. Not this machine itself: a browser that another
// test drives here drops what it is loading whenever a device comes or goes.
export class Hub {
  constructor() {
    this.name = `lt${process.pid % 10000}h${count++}`;
    ip('netns', 'add', this.name);
    ip('-n', this.name, 'link', 'set', 'lo', 'up');
  }

  get prefix() {
    return ['ip', 'netns', 'exec', this.name];
  }

  destroy() {
    ip('netns', 'del', this.name);
  }
}

export class Host {
  constructor(hub) {
    this.hub = hub;
    this.name = `lt${process.pid % 10000}x${count}`;
    this.device = `v${count}`;
    const net = `10.${100 + (process.pid % 100)}.${count++}`;
    this.outside = `${net}.1`; // the hub, as the host sees it
    this.address = `${net}.2`;
    ip('netns', 'add', this.name);
    ip('-n', hub.name, 'link', 'add', this.device, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.name);
    ip('-n', hub.name, 'addr', 'add', `${this.outside}/24`, 'dev', this.device);
    ip('-n', hub.name, 'link', 'set', this.device, 'up');
    ip('-n', this.name, 'addr', 'add', `${this.address}/24`, 'dev', 'eth0');
    ip('-n', this.name, 'link', 'set', 'eth0', 'up');
    ip('-n', this.name, 'link', 'set', 'lo', 'up');
  }

  get prefix() {
    return ['ip', 'netns', 'exec', this.name];
  }

  cut() {
    ip('-n', this.hub.name, 'link', 'set', this.device, 'down');
  }

  mend() {
    ip('-n', this.hub.name, 'link', 'set', this.device, 'up');
  }

  // What leaves the hub for the host, at most so many bits a second; false: the kernel cannot.
  slow(rate) {
    try {
      execFileSync('tc', ['-n', this.hub.name, 'qdisc', 'replace', 'dev', this.device, 'root', 'tbf', 'rate', rate, 'burst', '16kb', 'limit', '64kb'], { env: { PATH }, stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  }

  destroy() {
    ip('netns', 'del', this.name);
  }
}
