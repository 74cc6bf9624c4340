/** SIP URIs of the agent side: what to write and where to send. */
import type { Address } from '../../lib/address.ts'
import { parseNameAddr } from '../sip/name-addr.ts'

const DEFAULT_SIP_PORT = 5060 // RFC 3261 19.1.2

/** Host and port of a SIP URI (already checked by the configuration); the host may still be a name. */
export function hostAndPort(uri: string): Address | undefined {
  const match = /^sips?:(?:[^@]*@)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(?::(\d{1,5}))?/i.exec(uri)
  if (match?.[1] === undefined) return undefined
  return { host: match[1].replace(/^\[|\]$/g, ''), port: match[2] === undefined ? DEFAULT_SIP_PORT : Number(match[2]) }
}

/**
 * Our own From for the agent leg: the caller's display name and user, our host in place of theirs (SIP-25, topology hiding).
 * A From we cannot read becomes anonymous (RFC 3323 4.1.1.3).
 */
export function ownFrom(received: string, ourHost: string): string {
  const parsed = parseNameAddr(received)
  const user = typeof parsed === 'string' ? undefined : /^(?:sips?|tel):([^@;>\s]{1,64})/i.exec(parsed.uri)?.[1]
  if (typeof parsed === 'string' || user === undefined) return '"Anonymous" <sip:anonymous@anonymous.invalid>'
  const host = ourHost.includes(':') ? `[${ourHost}]` : ourHost
  return `${parsed.display === '' ? '' : `${parsed.display} `}<sip:${user}@${host}>`
}
