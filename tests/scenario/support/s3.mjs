// A store that speaks enough of S3 to be uploaded to, listed and read, and that
// checks every signature (AWS Signature Version 4) from the secret, as a real one
// does. It can be told to fail.
import { createHash, createHmac } from 'node:crypto';
import { createServer } from 'node:http';

const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const hmac = (key, data) => createHmac('sha256', key).update(data).digest();
const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
const md5 = (data) => createHash('md5').update(data).digest('hex');
const xml = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');

export class S3 {
  constructor({ bucket = 'races', accessKey = 'AKTEST', secretKey = 'very/secret+key', region = 'eu-test-1' } = {}) {
    Object.assign(this, { bucket, accessKey, secretKey, region, objects: new Map(), uploads: new Map(), requests: [], refused: [], fail: null, pageSize: 1000 });
    this.nextUpload = 1;
  }

  static async open(t, options) {
    const store = new S3(options);
    store.server = createServer((request, response) => store.#receive(request, response));
    await new Promise((resolve) => store.server.listen(0, '127.0.0.1', resolve));
    store.url = `http://127.0.0.1:${store.server.address().port}/${store.bucket}`;
    t.after(() => { store.server.closeAllConnections?.(); store.server.close(); });
    return store;
  }

  get env() {
    return { LIVETIMING_S3_URL: this.url, LIVETIMING_S3_REGION: this.region, LIVETIMING_S3_ACCESS_KEY: this.accessKey, LIVETIMING_S3_SECRET_KEY: this.secretKey };
  }

  #receive(request, response) {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('error', () => {});
    request.on('end', async () => {
      const body = Buffer.concat(chunks);
      const url = new URL(request.url, 'http://x');
      const what = { method: request.method, key: decodeURIComponent(url.pathname.slice(this.bucket.length + 2)), query: url.searchParams, bytes: body.length };
      this.requests.push(what);
      const failure = await this.fail?.(what);
      if (failure === 'cut') return request.socket.destroy();
      if (failure?.answer !== undefined) return response.writeHead(200, failure.headers).end(failure.answer);
      if (failure) return this.#error(response, failure, 'InternalError');
      const problem = this.#check(request, url, body);
      if (problem) {
        this.refused.push(problem);
        return this.#error(response, 403, 'SignatureDoesNotMatch');
      }
      return this.#serve(what, request, body, response);
    });
  }

  // What is wrong with the signature; undefined: nothing.
  #check(request, url, body) {
    const parts = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(request.headers.authorization ?? '');
    if (!parts) return `no signature: ${request.headers.authorization}`;
    const [, key, day, region, signed, signature] = parts;
    const names = signed.split(';');
    const hash = request.headers['x-amz-content-sha256'];
    if (key !== this.accessKey || region !== this.region) return `credential ${key} ${region}`;
    if (!names.includes('host') || !names.includes('x-amz-date') || !names.includes('x-amz-content-sha256')) return `signed headers ${signed}`;
    if (hash !== sha256(body)) return `payload hash ${hash}`;
    const query = [...url.searchParams].map(([name, value]) => `${encode(name)}=${encode(value)}`).sort().join('&');
    const path = url.pathname.split('/').map((part) => encode(decodeURIComponent(part))).join('/');
    const canonical = [request.method, path, query, ...names.map((name) => `${name}:${String(request.headers[name]).trim()}`), '', signed, hash].join('\n');
    const date = request.headers['x-amz-date'];
    const toSign = ['AWS4-HMAC-SHA256', date, `${day}/${region}/s3/aws4_request`, sha256(canonical)].join('\n');
    const signing = ['s3', 'aws4_request'].reduce(hmac, hmac(hmac(`AWS4${this.secretKey}`, day), region));
    return hmac(signing, toSign).toString('hex') === signature ? undefined : `signature of\n${canonical}`;
  }

  #error(response, status, code) {
    response.writeHead(status, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?><Error><Code>${code}</Code></Error>`);
  }

  #serve({ method, key, query }, request, body, response) {
    const upload = this.uploads.get(query.get('uploadId'));
    if (method === 'GET' && key === '') return this.#list(query, response);
    if (method === 'HEAD') return this.#head(key, response);
    if (method === 'GET') return this.#get(key, request.headers.range, response);
    if (method === 'POST' && query.has('uploads')) {
      const id = `up&load-${this.nextUpload++}`;
      this.uploads.set(id, { key, parts: new Map() });
      return response.end(`<InitiateMultipartUploadResult><UploadId>${xml(id)}</UploadId></InitiateMultipartUploadResult>`);
    }
    if (query.has('uploadId') && !upload) return this.#error(response, 404, 'NoSuchUpload');
    if (method === 'PUT' && upload) {
      upload.parts.set(Number(query.get('partNumber')), body);
      return response.writeHead(200, { etag: `"${md5(body)}"` }).end();
    }
    if (method === 'POST' && upload) return this.#complete(upload, query.get('uploadId'), String(body), response);
    if (method === 'DELETE' && upload) {
      this.uploads.delete(query.get('uploadId'));
      return response.writeHead(204).end();
    }
    if (method === 'PUT') {
      this.objects.set(key, { body, etag: `"${md5(body)}"` });
      return response.writeHead(200, { etag: `"${md5(body)}"` }).end();
    }
    return this.#error(response, 405, 'MethodNotAllowed');
  }

  #complete(upload, id, body, response) {
    const listed = [...body.matchAll(/<Part><PartNumber>(\d+)<\/PartNumber><ETag>([^<]+)<\/ETag><\/Part>/g)];
    const parts = listed.map(([, number, etag]) => {
      const part = upload.parts.get(Number(number));
      return part && etag.replace(/&quot;/g, '"') === `"${md5(part)}"` ? part : null;
    });
    if (parts.length === 0 || parts.includes(null) || parts.slice(0, -1).some((part) => part.length < 5 * 1024 * 1024)) return this.#error(response, 400, 'InvalidPart');
    const whole = Buffer.concat(parts);
    this.objects.set(upload.key, { body: whole, etag: `"${md5(whole)}-${parts.length}"` });
    this.uploads.delete(id);
    const { etag } = this.objects.get(upload.key);
    return response.end(`<CompleteMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Key>${xml(upload.key)}</Key><ETag>${etag.replace(/"/g, '&quot;')}</ETag></CompleteMultipartUploadResult>`);
  }

  #head(key, response) {
    const object = this.objects.get(key);
    if (!object) return response.writeHead(404).end();
    return response.writeHead(200, { etag: object.etag, 'content-length': object.body.length }).end();
  }

  #get(key, range, response) {
    const object = this.objects.get(key);
    if (!object) return this.#error(response, 404, 'NoSuchKey');
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
    if (from === undefined) return response.writeHead(200, { etag: object.etag, 'content-length': object.body.length }).end(object.body);
    const part = object.body.subarray(Number(from), Number(to) + 1);
    if (part.length === 0) return this.#error(response, 416, 'InvalidRange');
    return response.writeHead(206, { etag: object.etag, 'content-range': `bytes ${from}-${Number(from) + part.length - 1}/${object.body.length}` }).end(part);
  }

  #list(query, response) {
    const prefix = query.get('prefix') ?? '';
    const after = query.get('continuation-token') ?? '';
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const page = keys.slice(0, this.pageSize);
    const more = keys.length > page.length;
    const contents = page.map((key) => {
      const { body, etag } = this.objects.get(key);
      return `<Contents><Key>${xml(key)}</Key><ETag>${etag.replace(/"/g, '&quot;')}</ETag><Size>${body.length}</Size></Contents>`;
    });
    response.end(`<?xml version="1.0"?><ListBucketResult><IsTruncated>${more}</IsTruncated>${more ? `<NextContinuationToken>${xml(page.at(-1))}</NextContinuationToken>` : ''}${contents.join('')}</ListBucketResult>`);
  }
}
