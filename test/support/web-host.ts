/**
 * A host application on the web: its page loads the SDK's browser entry as it is published and reports with it; its
 * backend gives the page a token for whoever is logged in.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { resolve } from 'node:path';

const SDK = resolve(import.meta.dirname, '../../dist/libs/sdk/package/browser.js');

export interface WebHost {
  /** As browsers write it. */
  origin: string;
  /** With what the page makes its Foothold, beside the token. */
  options: Record<string, unknown>;
  /** What the backend gives the page as the person's token; null: the page asks for none. */
  token: (() => string) | null;
  close(): Promise<void>;
}

/** In the page: `foothold`, made with the host's options, and what it warned of. */
const pageOf = ({ options, token }: WebHost): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>A host</title>
<link rel="icon" href="data:,">
<script type="module">
  import { Foothold } from '/foothold.js';
  globalThis.warnings = [];
  globalThis.foothold = new Foothold({
    ...${JSON.stringify(options).replaceAll('<', '\\u003c')},
    ${token ? `personToken: async () => (await fetch('/person-token')).text(),` : ''}
    onWarning: (warning) => warnings.push(warning),
  });
</script>
</html>
`;

export async function startWebHost(): Promise<WebHost> {
  const sdk = readFileSync(SDK);
  const server = createServer((request, response) => {
    const give = (type: string, body: string | Buffer) => response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' }).end(body);
    if (request.url === '/') give('text/html', pageOf(host));
    else if (request.url === '/foothold.js') give('text/javascript', sdk);
    else if (request.url === '/person-token' && host.token) give('text/plain', host.token());
    else response.writeHead(404).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const host: WebHost = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    options: {},
    token: null,
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  return host;
}
