import { defineConfig } from 'vitest/config';

// The public clients on the real program: slow, and in Node.
export default defineConfig({
  test: { environment: 'node', include: ['clients/**/*.test.ts'], fileParallelism: false },
});
