import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock } from '../../lib/clock.ts'
import { TonewallError } from '../../lib/errors.ts'
import { type Principal, principalOf } from '../access/principal.ts'
import type { Db } from '../store/open.ts'

const principals = new WeakMap<FastifyRequest, Principal>()

/** Every route of this scope needs a key or a widget token: `Authorization: Bearer …` (RFC 6750 section 2.1). */
export function addAuth(scope: FastifyInstance, db: Db, clock: Clock): void {
  scope.addHook('onRequest', async (request) => {
    const match = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? '')
    const principal = match?.[1] === undefined ? undefined : await principalOf(db, match[1], clock.wallMs())
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
