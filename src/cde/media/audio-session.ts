import type { Address } from '../../lib/address.ts'
import { type AudioCodec, type AudioFormat, defaultCodecs, isSpeech, readFormats } from './audio-formats.ts'
import { ipHost, isMulticast, isUnspecified } from './ip-host.ts'
import { attributeName, attributeValues, type Sdp, type SdpLine, type SdpMedia } from './sdp.ts'

export type { AudioCodec, AudioFormat } from './audio-formats.ts'

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

/** One side's audio as it states it in its SDP: where to send, in what, and how. */
export interface AudioSession {
  readonly remote: Address
  readonly remoteRtcp: Address
  /** In the peer's order of preference; only formats that we know. */
  readonly formats: readonly AudioFormat[]
  /** As the peer states it. A hold spelt `c=0.0.0.0` reads as `sendonly`, or `inactive` where it says so (SIP-06). */
  readonly direction: Direction
  /** 10–60 as stated; 20 where missing or unusable. */
  readonly ptimeMs: number
}

export type AudioProblem = 'no-audio' | 'audio-rejected' | 'no-common-codec' | 'no-address'

const DEFAULT_PTIME_MS = 20
// RFC 3551, RFC 3711 and their feedback profiles (RFC 4585, RFC 5124), and those keyed by DTLS (RFC 5764 8).
const transports: ReadonlySet<string> = new Set([
  ...['RTP/AVP', 'RTP/AVPF', 'RTP/SAVP', 'RTP/SAVPF'],
  ...['UDP/TLS/RTP/SAVP', 'UDP/TLS/RTP/SAVPF'],
])
const directions: readonly Direction[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive']

/**
 * What the peer's SDP says about audio.
 * @param supported which codecs to see
 * @returns `no-audio` without an audio line in RTP or SRTP, `audio-rejected` when its port is 0, `no-common-codec` without
 * a speech codec among them, `no-address` when no unicast IP literal says where it is
 */
export function readAudio(sdp: Sdp, supported: readonly AudioCodec[] = defaultCodecs): AudioSession | AudioProblem {
  const media = sdp.media[audioIndex(sdp)]
  if (media === undefined) return 'no-audio'
  const { port } = media.description
  if (port === 0) return 'audio-rejected'
  const formats = readFormats(media, supported)
  if (!formats.some(isSpeech)) return 'no-common-codec'
  const host = readHost(sdp, media)
  if (host === undefined) return 'no-address'
  const remote = { host, port }
  return {
    remote,
    remoteRtcp: readRtcp(media, remote),
    formats,
    direction: readDirection(sdp, media, host),
    ptimeMs: readPtime(media),
  }
}

/**
 * Which `m=` line is the call's audio: the first in RTP or SRTP with a port, else the first at port 0 (a rejected one).
 * Lines whose SRTP we cannot do are to be at port 0 before (see LegSecurity).
 * @returns its index, -1 when there is none
 */
export function audioIndex(sdp: Sdp): number {
  const isAudio = ({ description: { media, transport } }: SdpMedia): boolean =>
    media === 'audio' && transports.has(transport)
  const open = sdp.media.findIndex((media) => isAudio(media) && media.description.port !== 0)
  return open === -1 ? sdp.media.findIndex(isAudio) : open
}

/** True for `a=sendrecv` and its three siblings. */
export function isDirectionLine(line: SdpLine): boolean {
  return line.type === 'a' && directions.some((direction) => direction === attributeName(line))
}

/** RFC 8866 5.7: the media's own `c=` line goes before the session's. */
function readHost(sdp: Sdp, media: SdpMedia): string | undefined {
  const line = [...media.lines, ...sdp.session].find(({ type }) => type === 'c')
  const [network, , addressText = ''] = line?.value.trim().split(/ +/) ?? []
  if (network !== 'IN') return undefined
  // RFC 6157 and its predecessors: `.invalid` is to IPv6 what 0.0.0.0 is to IPv4.
  if (addressText.toLowerCase().endsWith('.invalid')) return '0.0.0.0'
  const host = ipHost(addressText)
  return host === undefined || isMulticast(host) ? undefined : host
}

/** RFC 3605 2.1: `a=rtcp:53020` or `a=rtcp:53020 IN IP4 192.0.2.4`; otherwise the next port (RFC 3550 11). */
function readRtcp(media: SdpMedia, remote: Address): Address {
  const [portText = '', , , addressText] = attributeValues(media.lines, 'rtcp')[0]?.split(/ +/) ?? []
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0
  if (port < 1 || port > 65_535) return { host: remote.host, port: Math.min(remote.port + 1, 65_535) }
  const host = addressText === undefined ? remote.host : (ipHost(addressText) ?? remote.host)
  return { host: isMulticast(host) ? remote.host : host, port }
}

function readDirection(sdp: Sdp, media: SdpMedia, host: string): Direction {
  const line = media.lines.find(isDirectionLine) ?? sdp.session.find(isDirectionLine)
  const name = line === undefined ? 'sendrecv' : attributeName(line)
  const stated = directions.find((direction) => direction === name) ?? 'sendrecv'
  if (!isUnspecified(host)) return stated
  // SIP-06: an address of zero takes the receiving half away from whatever is stated.
  return stated === 'sendrecv' || stated === 'sendonly' ? 'sendonly' : 'inactive'
}

function readPtime(media: SdpMedia): number {
  const ptimeMs = Number.parseInt(attributeValues(media.lines, 'ptime')[0] ?? '', 10)
  return ptimeMs >= 10 && ptimeMs <= 60 ? ptimeMs : DEFAULT_PTIME_MS
}
