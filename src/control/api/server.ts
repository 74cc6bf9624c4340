/** The only file of control that listens. */
import type { Address } from '../../lib/address.ts'
import { buildApp } from './app.ts'
import type { ApiParts } from './parts.ts'

export interface ApiServer {
  readonly address: Address
  close(): Promise<void>
}

/**
 * Serves the API on one address. Port 0 takes a free one; the real one is in `address`.
 * @throws when the address cannot be bound
 */
export async function serveApi(parts: ApiParts, listen: Address): Promise<ApiServer> {
  const app = await buildApp(parts)
  await app.listen({ host: listen.host, port: listen.port })
  const bound = app.server.address()
  if (bound === null || typeof bound === 'string') throw new Error('api: no address after listening')
  return {
    address: { host: listen.host, port: bound.port },
    async close() {
      parts.streams.close()
      await app.close()
    },
  }
}
