import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock } from '../../lib/clock.ts'
import { TonewallError } from '../../lib/errors.ts'
import { type Principal, principalOf } from '../access/principal.ts'
import type { Db } from '../store/open.ts'

const principals = new WeakMap<FastifyRequest, Principal>()

/** What stands behind `Authorization: Bearer` (RFC 6750 section 2.1). */
export function bearerOf(request: FastifyRequest): string | undefined {
  return /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? '')?.[1]
}

/** Every route of this scope needs a key or a widget token. */
export function addAuth(scope: FastifyInstance, db: Db, clock: Clock): void {
  scope.addHook('onRequest', async (request) => {
    const secret = bearerOf(request)
    const principal = secret === undefined ? undefined : await principalOf(db, secret, clock.wallMs())
    if (principal === undefined) throw new TonewallError('UNAUTHORIZED')
    principals.set(request, principal)
  })
}

/** Who is asking; only on routes behind `addAuth`. */
export function principalFor(request: FastifyRequest): Principal {
  const principal = principals.get(request)
  if (principal === undefined) throw new TonewallError('UNAUTHORIZED')
  return principal
}
