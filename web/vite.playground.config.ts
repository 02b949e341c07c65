// The playground is a build of its own: in one build GraphiQL pulls code of
// graphql and react into chunks that the dashboard loads first.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { compressed } from './scripts/compressed.ts';

export default defineConfig({
  root: 'playground',
  base: '/playground/',
  publicDir: false,
  plugins: [react(), compressed()],
  worker: { format: 'es' },
  build: {
    outDir: '../dist/playground',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 8_000,
    rolldownOptions: {
      // "use no memo" speaks to React's compiler, which does not run here.
      onLog: (level, log, log_) => log.code !== 'MODULE_LEVEL_DIRECTIVE' && log_(level, log),
    },
  },
});
