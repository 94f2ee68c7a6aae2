/**
 * Pages for people: the document of the API, and an explorer in which it can be tried with a key that is typed in.
 * Everything comes from this process, and the page may load nothing else; the key stays in its memory.
 */
import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Unknown } from '@foothold/contract';
import { holds, tagOf } from './negotiation.js';
import { openApi } from './openapi.js';

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Foothold: explore the API</title>
<link rel="stylesheet" href="/explorer/swagger-ui.css">
<link rel="icon" type="image/png" href="/explorer/favicon-32x32.png">
<div id="explorer"></div>
<script src="/explorer/swagger-ui-bundle.js"></script>
<script src="/explorer/start.js"></script>
</html>
`;
const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#explorer', deepLinking: true, tryItOutEnabled: true, displayRequestDuration: true, docExpansion: 'list', validatorUrl: null });
`;
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES: Record<string, string> = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', png: 'image/png' };

interface File {
  content: Buffer;
  type: string;
  tag: string;
}

const fileOf = (content: string | Buffer, type: string): File => ({ content: Buffer.from(content), type, tag: tagOf(content) });

@Controller()
export class ExplorerController {
  private readonly page = fileOf(PAGE, 'text/html; charset=utf-8');
  private readonly document = fileOf(JSON.stringify(openApi()), 'application/json; charset=utf-8');
  private readonly files = new Map<string, File>([['start.js', fileOf(START, TYPES['js']!)]]);

  constructor() {
    const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
    for (const name of ['swagger-ui-bundle.js', 'swagger-ui.css', 'favicon-32x32.png']) this.files.set(name, fileOf(readFileSync(join(folder, name)), TYPES[name.split('.').at(-1)!]!));
  }

  @Get()
  home(@Res() reply: FastifyReply): void {
    void reply.redirect('/explorer', 302);
  }

  @Get('openapi.json')
  openApi(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    give(request, reply, this.document);
  }

  @Get('explorer')
  explorer(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    give(request, reply, this.page);
  }

  @Get('explorer/:file')
  file(@Param('file') name: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    const file = this.files.get(name);
    if (!file) throw new Unknown('path', 'the explorer has no such file', 'open /explorer');
    give(request, reply, file);
  }
}

function give(request: FastifyRequest, reply: FastifyReply, { content, type, tag }: File): void {
  void reply.headers({ etag: tag, 'cache-control': 'no-cache', 'content-security-policy': CSP, 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
  if (holds(request.headers['if-none-match'], tag)) void reply.code(304).send();
  else void reply.type(type).send(content);
}
