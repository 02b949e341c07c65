// A small OpenID Connect provider for a story: it knows one person and says yes.
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Provider {
  /** Its issuer, on another site than the program's. */
  url: string;
  stop(): Promise<void>;
}

const b64 = (data: object | Buffer) =>
  (Buffer.isBuffer(data) ? data : Buffer.from(JSON.stringify(data))).toString('base64url');

export async function startProvider(client: string, person: object): Promise<Provider> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const codes = new Map<string, { nonce: string; challenge: string }>();
  let url = '';
  const server: Server = createServer((request, response) => {
    const asked = new URL(request.url ?? '/', url);
    const json = (body: object) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    switch (asked.pathname) {
      case '/.well-known/openid-configuration':
        json({
          issuer: url,
          authorization_endpoint: `${url}/authorize`,
          token_endpoint: `${url}/token`,
          jwks_uri: `${url}/jwks`,
          id_token_signing_alg_values_supported: ['RS256'],
        });
        return;
      case '/jwks':
        json({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: '1', alg: 'RS256', use: 'sig' }] });
        return;
      case '/authorize': {
        const q = asked.searchParams;
        const code = randomBytes(8).toString('hex');
        codes.set(code, { nonce: q.get('nonce') ?? '', challenge: q.get('code_challenge') ?? '' });
        const back = `${q.get('redirect_uri')}?${new URLSearchParams({ code, state: q.get('state') ?? '' })}`;
        response
          .setHeader('content-type', 'text/html')
          .end(`<a href="${back.replace('&', '&amp;')}">Yes, it is me</a>`);
        return;
      }
      default: {
        let body = '';
        request.on('data', (part) => {
          body += part;
        });
        request.on('end', () => {
          const form = new URLSearchParams(body);
          const granted = codes.get(form.get('code') ?? '');
          const proof = createHash('sha256')
            .update(form.get('code_verifier') ?? '')
            .digest('base64url');
          if (!granted || proof !== granted.challenge) {
            response.writeHead(400).end('{"error":"invalid_grant"}');
            return;
          }
          const now = Math.floor(Date.now() / 1000);
          const claims = { ...person, iss: url, aud: client, nonce: granted.nonce, iat: now, exp: now + 60 };
          const signed = `${b64({ alg: 'RS256', kid: '1' })}.${b64(claims)}`;
          const idToken = `${signed}.${b64(sign('sha256', Buffer.from(signed), privateKey))}`;
          json({ access_token: 'x', token_type: 'Bearer', expires_in: 60, id_token: idToken });
        });
      }
    }
  });
  await new Promise<void>((ready) => server.listen(0, 'localhost', ready));
  url = `http://localhost:${(server.address() as AddressInfo).port}`;
  return {
    url,
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
