/** The carrier's side of a call: the INVITE as a trunk would send it for a caller who dials a number. */
import type { OutgoingCall } from '../cde/sip/user-agent.ts'
import type { Address } from '../lib/address.ts'

export interface Dialling {
  readonly tonewall: { readonly host: string; readonly sipPort: number }
  readonly calledNumber: string
  readonly callerNumber: string
  /** The trunk's own address. */
  readonly carrier: Address
}

/** Everything of the INVITE but the session description. */
export function dial(to: Dialling): Omit<OutgoingCall, 'body' | 'contentType' | 'maxForwards'> {
  const { tonewall, calledNumber, callerNumber, carrier } = to
  const called = `sip:${calledNumber}@${uriHost(tonewall.host)}:${tonewall.sipPort};user=phone`
  const caller = `sip:${callerNumber}@${uriHost(carrier.host)};user=phone`
  return {
    target: called,
    destination: { host: tonewall.host, port: tonewall.sipPort },
    from: `"Sam Miller" <${caller}>`,
    to: `<${called}>`,
    headers: [
      // RFC 3325 9.1: who the network says is calling.
      { name: 'P-Asserted-Identity', value: `"Sam Miller" <${caller}>` },
      // RFC 7433: what the caller's side tells the called application; here "order:demo".
      { name: 'User-to-User', value: `${Buffer.from('order:demo').toString('hex')};encoding=hex` },
    ],
  }
}

/** RFC 3986 3.2.2: an IPv6 literal stands in brackets. */
function uriHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
