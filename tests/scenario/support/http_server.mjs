// A real HTTP server for one test: keeps every request, and answers with what
// the handler returns: { status, headers, body }, or a promise of it; null cuts
// the connection without an answer.
import { createServer } from 'node:http';

export async function startServer(t, handler) {
  const requests = [];
  const server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('error', () => {});
    request.on('end', async () => {
      const kept = { method: request.method, path: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() };
      requests.push(kept);
      const answer = await handler(kept, requests.length - 1);
      if (answer === null) {
        request.socket.destroy();
        return;
      }
      const { status = 200, headers = {}, body = '' } = answer ?? {};
      response.writeHead(status, headers);
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections?.();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, requests };
}
