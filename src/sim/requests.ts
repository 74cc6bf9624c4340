/** The bodies of the simulators' POST endpoints, and who may send them. */
import { z } from 'zod'
import { simLimits } from '../lib/limits.ts'

const carriages = ['in-band', 'event', 'info'] as const
const KEYS = '0123456789*#'

// The descriptions are what a refused request is answered with.
export const callBody = z
  .strictObject({
    number: z
      .string()
      .regex(/^\+?[0-9]{1,15}$/)
      .optional(),
  })
  .describe('application/json {"number": digits, with or without a leading plus; may be left out}')

export const keyBody = z
  .strictObject({
    // One character becomes the key's number at once; the text goes no further.
    key: z
      .string()
      .length(1)
      .transform((text) => KEYS.indexOf(text))
      .refine((key) => key >= 0),
    carriage: z.enum(carriages).optional(),
    holdMs: z.number().int().min(simLimits.pressMsMin).max(simLimits.pressMsMax).optional(),
  })
  .describe(
    'application/json {"key": one character of 0-9, * and #, "carriage": in-band, event or info; may be left out, ' +
      `"holdMs": ${simLimits.pressMsMin} to ${simLimits.pressMsMax}; may be left out}`,
  )

export const emptyBody = z.strictObject({}).describe('no body, or application/json {}')

const loopbackHosts = ['localhost', '127.0.0.1', '[::1]']

/**
 * Only this machine's own page may ask. The Host check keeps a foreign page from reaching us under its own name (DNS
 * rebinding), the Origin check keeps it from reaching us under ours.
 * @param ownHost the address we listen on
 */
export function isOwnPage(
  headers: { readonly host?: string | undefined; readonly origin?: string | undefined },
  ownHost: string,
  allowedHosts: readonly string[],
): boolean {
  const hostAndPort = (headers.host ?? '').toLowerCase()
  const host = hostAndPort.replace(/:\d{1,5}$/, '')
  const own = ownHost.includes(':') ? `[${ownHost}]` : ownHost
  if (![...loopbackHosts, own, ...allowedHosts].includes(host)) return false
  // A tool such as curl sends no Origin; every browser does with POST and WebSocket.
  return headers.origin === undefined || headers.origin.toLowerCase() === `http://${hostAndPort}`
}
