import type { Address } from '../../lib/address.ts'
import { ipHost, isMulticast, isUnspecified } from './ip-host.ts'
import { attributeName, attributeValues, type Sdp, type SdpLine, type SdpMedia } from './sdp.ts'

/** Names as in `a=rtpmap`, letter case folded (RFC 8866 6.6: encoding names are case-insensitive). */
export type AudioCodec = 'PCMU' | 'PCMA' | 'telephone-event'

export interface AudioFormat {
  /** 0–127 */
  readonly payloadType: number
  readonly codec: AudioCodec
  readonly clockHz: number
}

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
const directions: readonly Direction[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive']

// RFC 3551 6, table 4: these two may come without rtpmap.
const staticEncodings: Readonly<Record<string, string>> = { '0': 'PCMU/8000', '8': 'PCMA/8000' }

/**
 * What the peer's SDP says about audio.
 * @returns `no-audio` without an audio line in plain RTP, `audio-rejected` when its port is 0, `no-common-codec` without
 * G.711, `no-address` when no unicast IP literal says where it is
 */
export function readAudio(sdp: Sdp): AudioSession | AudioProblem {
  const media = sdp.media[audioIndex(sdp)]
  if (media === undefined) return 'no-audio'
  const { port } = media.description
  if (port === 0) return 'audio-rejected'
  const formats = readFormats(media)
  if (!formats.some(({ codec }) => codec !== 'telephone-event')) return 'no-common-codec'
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
 * Which `m=` line is the call's audio: the first in plain RTP with a port, else the first in plain RTP (a rejected one).
 * @returns its index, -1 when there is none
 */
export function audioIndex(sdp: Sdp): number {
  const isAudio = ({ description: { media, transport } }: SdpMedia): boolean =>
    media === 'audio' && (transport === 'RTP/AVP' || transport === 'RTP/AVPF')
  const open = sdp.media.findIndex((media) => isAudio(media) && media.description.port !== 0)
  return open === -1 ? sdp.media.findIndex(isAudio) : open
}

/** True for `a=sendrecv` and its three siblings. */
export function isDirectionLine(line: SdpLine): boolean {
  return line.type === 'a' && directions.some((direction) => direction === attributeName(line))
}

function readFormats(media: SdpMedia): AudioFormat[] {
  const encodings = new Map<string, string>()
  for (const value of attributeValues(media.lines, 'rtpmap')) {
    const [payloadType = '', encoding = ''] = value.split(/ +/)
    // Duplicate attributes (SIP-36): the first one counts, as for formats named twice.
    if (!encodings.has(payloadType)) encodings.set(payloadType, encoding)
  }
  const formats: AudioFormat[] = []
  for (const format of new Set(media.description.formats)) {
    const known = readFormat(format, encodings.get(format) ?? staticEncodings[format] ?? '')
    if (known !== undefined) formats.push(known)
  }
  return formats
}

/** @param encoding `name/clock` or `name/clock/channels` (RFC 8866 6.6) */
function readFormat(payloadTypeText: string, encoding: string): AudioFormat | undefined {
  if (!/^\d{1,3}$/.test(payloadTypeText)) return undefined
  const payloadType = Number(payloadTypeText)
  const [, name = '', clock = ''] = /^([^/]+)\/(\d{1,6})(?:\/1)?$/.exec(encoding) ?? []
  // RFC 5761 4: types 64–95 cannot be told from RTCP.
  if (payloadType > 127 || (payloadType >= 64 && payloadType <= 95)) return undefined
  const clockHz = Number(clock)
  const upperName = name.toUpperCase()
  if ((upperName === 'PCMU' || upperName === 'PCMA') && clockHz === 8_000) {
    return { payloadType, codec: upperName, clockHz }
  }
  // RFC 4733 7.1.1: without fmtp the events are 0–15, all that we need, so fmtp is not looked at.
  if (upperName === 'TELEPHONE-EVENT' && clockHz > 0) return { payloadType, codec: 'telephone-event', clockHz }
  return undefined
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
