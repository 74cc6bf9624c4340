import type { Address } from '../../lib/address.ts'
import type { RandomBytes } from '../../lib/random.ts'
import type { AudioSession } from '../media/audio-session.ts'
import { LegDtls } from '../media/dtls/leg-dtls.ts'
import type { Associate } from '../media/dtls/open.ts'
import { isDtls } from '../media/dtls/records.ts'
import { RtcpSession } from '../media/rtcp-session.ts'
import { SourceLock } from '../media/source-lock.ts'
import { LegSrtp } from '../media/srtp/leg-srtp.ts'
import type { PortPair } from './media-ports.ts'
import type { Side } from './negotiation.ts'

/** One leg: its ports, whom it listens to, its keys and where they come from, and its RTCP. */
export interface Leg {
  readonly side: Side
  readonly pair: PortPair
  readonly srtp: LegSrtp
  readonly dtls: LegDtls
  readonly rtpLock: SourceLock
  readonly rtcpLock: SourceLock
  readonly rtcp: RtcpSession
  session: AudioSession | undefined
}

/** @param associate begins a DTLS handshake; undefined where there is none */
export function openLeg(side: Side, pair: PortPair, random: RandomBytes, associate?: Associate): Leg {
  const srtp = new LegSrtp()
  const rtpLock = new SourceLock()
  const dtls = new LegDtls({
    associate,
    send: (datagram) => {
      if (rtpLock.destination !== undefined) pair.sendRtp(datagram, rtpLock.destination)
    },
    onKeys: (agreement, nowMs) => srtp.agree(agreement, nowMs),
  })
  return {
    side,
    pair,
    srtp,
    dtls,
    rtpLock,
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
  if (leg.session === undefined && isDtls(datagram)) {
    leg.dtls.cameEarly(datagram, from)
    return undefined
  }
  if (!leg.srtp.secure) return leg.rtpLock.accepts(from, nowMs, datagram) ? datagram : undefined
  if (!leg.rtpLock.accepts(from, nowMs) || isTakenBeside(leg, datagram, nowMs)) return undefined
  const packet = leg.srtp.openRtp(datagram, nowMs)
  return typeof packet === 'string' ? undefined : packet
}

/** On a leg with DTLS other things than RTP come to RTP's port; they are told apart before anything else is made of them. */
function isTakenBeside(leg: Leg, datagram: Uint8Array, nowMs: number): boolean {
  const { terms } = leg.dtls
  if (terms === undefined) return false
  // RFC 5761 4: the second octet of an RTCP packet is one that no RTP packet has here.
  const [, second = 0] = datagram
  const isRtcp = terms.isMuxed && second >= 192 && second <= 223
  if (isRtcp) rtcpCame(leg, datagram, nowMs)
  else if (isDtls(datagram)) leg.dtls.receive(datagram, nowMs)
  else return false
  return true
}

/** A datagram at the port of RTCP. */
export function takeRtcp(leg: Leg, datagram: Uint8Array, from: Address, nowMs: number): void {
  // RFC 5764 4.1: this port would want a handshake of its own.
  if (leg.dtls.terms === undefined && leg.rtcpLock.accepts(from, nowMs)) rtcpCame(leg, datagram, nowMs)
}

function rtcpCame({ srtp, rtcp }: Leg, datagram: Uint8Array, nowMs: number): void {
  const packet = srtp.openRtcp(datagram, nowMs)
  if (typeof packet !== 'string') rtcp.receive(packet, nowMs)
}

/** What is due by the clock: RTCP, to its own port or to RTP's where the two share it, and what a handshake has lost. */
export function wakeLeg({ pair, srtp, dtls, rtcp, rtpLock, rtcpLock }: Leg, nowMs: number): void {
  dtls.wake(nowMs)
  const isMuxed = dtls.terms?.isMuxed
  const destination = (isMuxed === true ? rtpLock : rtcpLock).destination
  const reportPacket = rtcp.wake(nowMs)
  if (reportPacket === undefined || destination === undefined || isMuxed === false) return
  const sealed = srtp.sealRtcp(reportPacket)
  if (typeof sealed === 'string') return
  if (isMuxed === true) pair.sendRtp(sealed, destination)
  else pair.sendRtcp(sealed, destination)
}

export function legCounters({ rtpLock, rtcpLock, rtcp, srtp, dtls }: Leg): readonly Readonly<Record<string, number>>[] {
  return [rtpLock.counters(), rtcpLock.counters(), rtcp.counters(), srtp.counters(), dtls.counters()]
}

/** Gives the ports back and wipes the keys. */
export function closeLeg({ pair, srtp, dtls }: Leg, nowMs: number): void {
  pair.release(nowMs)
  srtp.close()
  dtls.close()
}

/** RFC 3264 section 5.1: a side that only sends, or is inactive, gets no media. */
export function destinationOf({ session, rtpLock }: Leg): Address | undefined {
  const isDeaf = session?.direction === 'sendonly' || session?.direction === 'inactive'
  return isDeaf ? undefined : rtpLock.destination
}
