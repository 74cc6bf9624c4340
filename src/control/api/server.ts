/** The only file of control that listens, and the one that reads the widget's file. */
import { readFile } from 'node:fs/promises'
import type { Address } from '../../lib/address.ts'
import { buildApp } from './app.ts'
import type { ApiParts } from './parts.ts'

export interface ApiServer {
  /** With the port that was really taken. */
  readonly address: Address
  close(): Promise<void>
}

/**
 * Serves the API on one address; port 0 takes a free one.
 * @throws when the address cannot be bound, with the system's code (EADDRINUSE, …)
 */
export async function serveApi(
  parts: Omit<ApiParts, 'readWidget'>,
  listen: Address,
  widgetFile: string,
): Promise<ApiServer> {
  // Read each time: the file is small, a page is loaded once per agent, and a new build is served without a restart.
  const readWidget = (): Promise<Uint8Array | undefined> => readFile(widgetFile).catch(() => undefined)
  const app = await buildApp({ ...parts, readWidget })
  await app.listen({ host: listen.host, port: listen.port })
  const bound = app.server.address()
  const port = bound === null || typeof bound === 'string' ? listen.port : bound.port
  return {
    address: { host: listen.host, port },
    async close() {
      parts.streams.close()
      await app.close()
    },
  }
}
