// A proxy before the real program that spoils one thing, for scripts/smoke-test.sh:
//   node faulty-proxy.mjs TARGET FAULT    prints its port
import http from 'node:http';

const [target, fault] = process.argv.slice(2);
const upstream = new URL(target);

/** What the request is about, and its answer in place of the program's; undefined lets it through. */
const faults = {
  unready: (req) => req.url === '/api/readyz' && [503, 'application/json', '{"status":"starting"}'],
  sick: (req) => req.url === '/api/healthz' && [200, 'application/json', '{"status":"bad"}'],
  'no-login': (req) => req.url === '/login' && [200, 'text/html', '<h1>It works!</h1>'],
  'no-script': (req) => req.url.endsWith('.js') && [200, 'text/html', '<div id="root"></div>'],
  open: (req) => req.url === '/api/graphql' && !req.headers.authorization && [200, 'application/json', '{"data":{"viewer":{"role":"ADMIN"}}}'],
  broken: (req) => req.url === '/api/graphql' && req.headers.authorization && [200, 'application/json', '{"data":null,"errors":[{"message":"internal"}]}'],
  'no-feed': (req) => req.headers.accept === 'text/event-stream' && [502, 'text/html', 'bad gateway'],
  'lost-events': (req) => req.url === '/api/ingest' && [200, 'application/json', '{"accepted":1,"rejected":0}'],
  rejects: (req) => req.url === '/api/ingest' && [200, 'application/json', '{"accepted":0,"rejected":1}'],
  // A proxy that gathers a stream shows its beginning and nothing more.
  'buffered-feed': undefined,
  'empty-lists': (req, body) => body.includes('query($filter') && [200, 'application/json', '{"data":{"events":{"nodes":[]}}}'],
};
if (!(fault in faults)) throw new Error(`no fault ${fault}`);

const server = http.createServer(async (req, res) => {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const instead = faults[fault]?.(req, body.toString());
  if (instead) {
    res.writeHead(instead[0], { 'content-type': instead[1] });
    res.end(instead[2]);
    return;
  }
  const forward = http.request({ host: upstream.hostname, port: upstream.port, path: req.url, method: req.method, headers: req.headers }, (answer) => {
    res.writeHead(answer.statusCode, answer.headers);
    if (fault === 'buffered-feed' && req.headers.accept === 'text/event-stream') answer.once('data', (first) => res.write(first));
    else answer.pipe(res);
  });
  forward.on('error', () => res.destroy());
  res.on('close', () => forward.destroy());
  forward.end(body);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
