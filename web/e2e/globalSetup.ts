import { Server } from './server';

/** Starts the server that the stories share, and stops it after them. */
export default async function globalSetup(): Promise<() => Promise<void>> {
  const server = await Server.start();
  process.env.SECMON_E2E_URL = server.url;
  process.env.SECMON_E2E_PASSWORD = server.password;
  process.env.SECMON_E2E_TOKEN = await server.ingestToken();
  return () => server.stop();
}
