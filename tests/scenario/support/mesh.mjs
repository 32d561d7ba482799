// Daemons that are nodes of one mesh.
import path from 'node:path';
import { Daemon, build, eventually } from './daemon.mjs';

// A node: { name, nats: a server or several, role, env, dir }.
export async function startNode(t, { name, nats, role, env = {}, ...options }) {
  const node = new Daemon({
    env: {
      LIVETIMING_NODE: name,
      LIVETIMING_BACKPLANE: [nats].flat().map((server) => server.url).join(','),
      LIVETIMING_PLUGIN_PATH: `${path.join(build, 'plugins')}:${path.join(build, 'tests/plugins')}`,
      ...(role && { LIVETIMING_ROLE: role }),
      ...env,
    },
    ...options,
  });
  t.after(() => node.destroy());
  return node.start();
}

export const meshOf = async (node) => (await node.ctlJson(['status'])).mesh;

// Until each of these nodes has a link to each other one, and has read what is stored.
export async function linked(...nodes) {
  for (const node of nodes) {
    await eventually(async () => {
      const mesh = await meshOf(node);
      return mesh.connected && mesh.current && mesh.nodes.filter((other) => other.linked).length >= nodes.length - 1;
    }, `${node.env.LIVETIMING_NODE} to see the others:\n${node.log}`);
  }
}
