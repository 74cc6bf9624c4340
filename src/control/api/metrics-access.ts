/** Who may read the metrics: they name trunks by their addresses, and tell how much business there is. */
import type { FastifyRequest } from 'fastify'
import { hashOf, sameHash } from '../access/secrets.ts'
import { bearerOf } from './auth.ts'

/** Headers with which a proxy says that it speaks for somebody else (RFC 7239, and those that came before it). */
const proxyHeaders = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const

/**
 * With a key, whoever has it (RFC 6750 section 2.1). Without one, only programs of this machine, and not what a proxy on it
 * passes on from outside.
 * @param keyHash as letters, of `hashOf`
 */
export function mayReadMetrics(request: FastifyRequest, keyHash: string | undefined): boolean {
  if (keyHash !== undefined) {
    const given = bearerOf(request)
    return given !== undefined && sameHash(hashOf(given), keyHash)
  }
  const isPassedOn = proxyHeaders.some((name) => request.headers[name] !== undefined)
  return !isPassedOn && isLoopback(request.socket.remoteAddress ?? '')
}

/** An IPv4 client of a socket that takes both is `::ffff:127.0.0.1`. */
function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address)
}
