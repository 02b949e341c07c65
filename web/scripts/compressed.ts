// Writes a .br and a .gz beside every text file of a build, for the server to
// send as they are.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Plugin } from 'vite';

const text = /\.(js|css|html|svg|json|ttf)$/;
const worthwhile = 1_024;

export function compressed(): Plugin {
  let out = '';
  return {
    name: 'compressed',
    apply: 'build',
    configResolved(config) {
      out = join(config.root, config.build.outDir);
    },
    async closeBundle() {
      const names = await readdir(out, { recursive: true });
      for (const name of names.filter((n) => text.test(n))) {
        const path = join(out, name);
        const body = await readFile(path);
        if (body.length < worthwhile) continue;
        const quality = body.length > 1_000_000 ? 9 : 11;
        await writeFile(
          `${path}.br`,
          await promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } }),
        );
        await writeFile(`${path}.gz`, await promisify(gzip)(body, { level: 9 }));
      }
    },
  };
}
