import type { Address } from '../../lib/address.ts'
import type { RandomBytes } from '../../lib/random.ts'
import type { AudioSession } from '../media/audio-session.ts'
import { RtcpSession } from '../media/rtcp-session.ts'
import { SourceLock } from '../media/source-lock.ts'
import { LegSrtp } from '../media/srtp/leg-srtp.ts'
import type { PortPair } from './media-ports.ts'
import type { Side } from './negotiation.ts'

/** One leg: its ports, whom it listens to, its keys, and its RTCP. */
export interface Leg {
  readonly side: Side
  readonly pair: PortPair
  readonly srtp: LegSrtp
  readonly rtpLock: SourceLock
  readonly rtcpLock: SourceLock
  readonly rtcp: RtcpSession
  session: AudioSession | undefined
}

export function openLeg(side: Side, pair: PortPair, random: RandomBytes): Leg {
  return {
    side,
    pair,
    srtp: new LegSrtp(),
    rtpLock: new SourceLock(),
    rtcpLock: new SourceLock(),
    rtcp: new RtcpSession({ random }),
    session: undefined,
  }
}

/**
 * The RTP packet in a datagram that counts. With SRTP the tag says whose it is: nothing is learned from a packet before its tag
 * is known to be right (sip.md 6.1 rule 6).
 */
export function accepted(leg: Leg, datagram: Uint8Array, from: Address, nowMs: number): Uint8Array | undefined {
  if (!leg.srtp.secure) return leg.rtpLock.accepts(from, nowMs, datagram) ? datagram : undefined
  if (!leg.rtpLock.accepts(from, nowMs)) return undefined
  const packet = leg.srtp.openRtp(datagram, nowMs)
  return typeof packet === 'string' ? undefined : packet
}

/** RFC 3264 section 5.1: a side that only sends, or is inactive, gets no media. */
export function destinationOf({ session, rtpLock }: Leg): Address | undefined {
  const isDeaf = session?.direction === 'sendonly' || session?.direction === 'inactive'
  return isDeaf ? undefined : rtpLock.destination
}
