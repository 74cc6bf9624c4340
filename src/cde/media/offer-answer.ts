import type { Address } from '../../lib/address.ts'
import { type AudioCodec, type AudioFormat, defaultCodecs, isG711, isSpeech, rtpmapOf } from './audio-formats.ts'
import { audioIndex, type Direction, isDirectionLine, readAudio } from './audio-session.ts'
import { relayedOpusParameters } from './codecs/opus/fmtp.ts'
import { speechCodecs } from './codecs/speech-codecs.ts'
import { attributeName, type Sdp, type SdpLine, type SdpMedia } from './sdp.ts'

/** Our side of one leg's session. */
export interface LocalMedia {
  /** Where we receive RTP on this leg; the only address that the peer gets to see. */
  readonly address: Address
  /** The two numbers of our `o=` line: the first stays for the leg's life, the second grows by one with each change (SIP-08). */
  readonly sessionId: number
  readonly version: number
  /** What may be negotiated, our preferred one first; `defaultCodecs` when not given. */
  readonly codecs?: readonly AudioCodec[]
}

// What belongs to one hop only: transport addresses, keys, RTCP, header extensions, stream identities, bundling, and
// capability negotiation (RFC 5939), which could bring any of these back in.
const hopAttributes: ReadonlySet<string> = new Set(
  `candidate end-of-candidates remote-candidates ice-ufrag ice-pwd ice-options ice-lite ice-mismatch ice-pacing
  rtcp rtcp-mux rtcp-mux-only rtcp-rsize rtcp-fb rtcp-xr source-filter altc alt
  crypto key-mgmt fingerprint setup connection tls-id dtls-id zrtp-hash identity
  ssrc ssrc-group extmap extmap-allow-mixed group mid msid msid-semantic bundle-only rid simulcast
  csup creq acap tcap ccap mcap omcap rmcap mfcap mscap bcap icap cap acfg pcfg lcfg sescap secap`.split(/\s+/),
)

/**
 * Their offer on one leg becomes our offer on the other: our `o=` and address, the audio line with the formats we know
 * under the numbers they have (and G.711 after them where they have none, which we transcode), every other media line at port 0 in its place (SIP-31), hop attributes gone (SIP-25).
 * Give only offers that `readAudio` can read; any other comes out with all its lines at port 0.
 */
export function relayOffer(offer: Sdp, local: LocalMedia): Sdp {
  const audio = readAudio(offer, codecsOf(local))
  const index = audioIndex(offer)
  const media = offer.media.map((section, i) => {
    if (i !== index || typeof audio === 'string') return rejected(section)
    const added = fallbackFormats(audio.formats, codecsOf(local))
    const formats = [...audio.formats, ...added]
    const kept = audioLines(section, audio.formats)
    return {
      // RTP/AVPF without its feedback attributes is RTP/AVP.
      description: audioDescription(local, 'RTP/AVP', formats),
      lines: [...kept, ...added.map((format) => attribute(`rtpmap:${rtpmapOf(format)}`)), attribute(audio.direction)],
    }
  })
  return { session: sessionLines(offer.session, local), media }
}

/**
 * The other leg's answer becomes our answer to `offer`, with the payload type numbers of `offer` (RFC 3264 8.3.2) whatever
 * numbers the other leg chose. With our own `ownOffer(local, direction)` as `answer` it is an answer of our own.
 * Payload types that only one side has are left out; when the two sides share no codec, the offer's first stays and the
 * relay transcodes.
 */
export function relayAnswer(offer: Sdp, answer: Sdp, local: LocalMedia): Sdp | 'no-common-codec' {
  const offered = readAudio(offer, codecsOf(local))
  const answered = readAudio(answer, codecsOf(local))
  const answeredSection = answer.media[audioIndex(answer)]
  if (typeof offered === 'string' || typeof answered === 'string' || answeredSection === undefined) {
    return 'no-common-codec'
  }
  const index = audioIndex(offer)
  const pairs = commonFormats(offered.formats, answered.formats)
  const kept = audioLines(
    answeredSection,
    pairs.map(({ theirs }) => theirs),
  )
  const formats = pairs.map(({ ours }) => ours)
  const lines = withRtpmaps(
    kept.map((line) => renumbered(line, pairs)),
    formats,
  )
  const direction = allowedDirection(answered.direction, offered.direction)
  const media = offer.media.map((section, i) => {
    if (i !== index) return rejected(section)
    // RFC 3264 6: the transport of the answer is the offer's.
    const description = audioDescription(local, section.description.transport, formats)
    return { description, lines: [...lines, attribute(direction)] }
  })
  return { session: sessionLines(answer.session, local), media }
}

/** An offer of all that may be negotiated; by default PCMA, PCMU and telephone-event 101. 20 ms (SIP-05). */
export function ownOffer(local: LocalMedia, direction: Direction): Sdp {
  const formats = ownFormats(codecsOf(local))
  const lines = formats.flatMap((format) => {
    const rtpmap = `rtpmap:${rtpmapOf(format)}`
    if (format.codec === 'telephone-event') return [rtpmap, `fmtp:${format.payloadType} 0-15`]
    return format.codec === 'opus' ? [rtpmap, `fmtp:${format.payloadType} ${relayedOpusParameters('')}`] : [rtpmap]
  })
  const audio = {
    description: audioDescription(local, 'RTP/AVP', formats),
    lines: [...lines, 'ptime:20', direction].map(attribute),
  }
  return { session: sessionLines([], local), media: [audio] }
}

function codecsOf(local: LocalMedia): readonly AudioCodec[] {
  return local.codecs ?? defaultCodecs
}

// Our numbers for events by the clock of the audio they go with: RFC 4733 2.1 wants them to be the same.
const eventPayloadTypes = new Map([
  [8_000, 101],
  [48_000, 110],
])

function ownFormats(codecs: readonly AudioCodec[]): AudioFormat[] {
  const speech = codecs.flatMap((codec) => {
    if (codec === 'CN' || codec === 'telephone-event') return []
    const { payloadType, clockHz } = speechCodecs[codec]
    return [{ payloadType, codec, clockHz }]
  })
  const clocks = new Set(codecs.includes('telephone-event') ? speech.map(({ clockHz }) => clockHz) : [])
  const events = [...eventPayloadTypes].flatMap(([clockHz, payloadType]) =>
    clocks.has(clockHz) ? [{ payloadType, codec: 'telephone-event', clockHz } as const] : [],
  )
  // Comfort noise is offered only where the other side did: nobody else would send it.
  return [...speech, ...events]
}

/** What a side is offered besides, when the other one has no G.711: everybody has that. */
function fallbackFormats(formats: readonly AudioFormat[], codecs: readonly AudioCodec[]): AudioFormat[] {
  if (formats.some(isG711)) return []
  const taken = new Set(formats.map(({ payloadType }) => payloadType))
  const hasEvents = formats.some(({ codec, clockHz }) => codec === 'telephone-event' && clockHz === 8_000)
  return ownFormats(codecs).filter((format) => {
    const isEvent = format.codec === 'telephone-event' && format.clockHz === 8_000 && !hasEvents
    return (isG711(format) || isEvent) && !taken.has(format.payloadType)
  })
}

/** True when both say the same but for the `o=` line: then our version number must not grow (SIP-08). */
export function sameButOrigin(a: Sdp, b: Sdp): boolean {
  const withoutOrigin = (sdp: Sdp): Sdp => ({ ...sdp, session: sdp.session.filter(({ type }) => type !== 'o') })
  return JSON.stringify(withoutOrigin(a)) === JSON.stringify(withoutOrigin(b))
}

function attribute(value: string): SdpLine {
  return { type: 'a', value }
}

/** SIP-31: at port 0 nothing but the `m=` line has a meaning. */
function rejected({ description }: SdpMedia): SdpMedia {
  return { description: { ...description, port: 0, portCount: '' }, lines: [] }
}

function audioDescription(local: LocalMedia, transport: string, formats: readonly AudioFormat[]) {
  const formatTexts = formats.map(({ payloadType }) => `${payloadType}`)
  return { media: 'audio', port: local.address.port, portCount: '', transport, formats: formatTexts }
}

/** RFC 8866 5: the order is v o s i u e p c b t …; what is missing of the needed lines is put in at its place. */
function sessionLines(theirs: readonly SdpLine[], local: LocalMedia): SdpLine[] {
  const address = `IN ${local.address.host.includes(':') ? 'IP6' : 'IP4'} ${local.address.host}`
  const origin = { type: 'o', value: `- ${local.sessionId} ${local.version} ${address}` }
  const named = theirs.find(({ type }) => type === 's') ?? { type: 's', value: '-' }
  const kept = theirs.filter((line) => !['v', 'o', 's', 'c'].includes(line.type) && mayCross(line))
  const describing = kept.filter(({ type }) => ['i', 'u', 'e', 'p'].includes(type))
  const rest = kept.filter(({ type }) => !['i', 'u', 'e', 'p'].includes(type))
  if (!rest.some(({ type }) => type === 't')) {
    const afterBandwidth = rest.findLastIndex(({ type }) => type === 'b') + 1
    rest.splice(afterBandwidth, 0, { type: 't', value: '0 0' })
  }
  return [{ type: 'v', value: '0' }, origin, named, ...describing, { type: 'c', value: address }, ...rest]
}

/** The lines of an audio section that may cross: those of other formats, hop attributes, address and direction are left out. */
function audioLines(section: SdpMedia, formats: readonly AudioFormat[]): SdpLine[] {
  const opus = formats.filter(({ codec }) => codec === 'opus').map(({ payloadType }) => payloadType)
  const lines = section.lines.filter((line) => {
    if (line.type === 'c' || !mayCross(line)) return false
    const payloadType = mappedPayloadType(line)
    if (isParameters(line) && opus.includes(payloadType ?? -1)) return false
    return payloadType === undefined || formats.some((format) => format.payloadType === payloadType)
  })
  return [...lines, ...opus.map((payloadType) => opusParameters(section, payloadType))]
}

function isParameters({ type, value }: SdpLine): boolean {
  return type === 'a' && value.startsWith('fmtp:')
}

/** RFC 7587 7: said even where the other side said nothing, because the default allows what we do not want. */
function opusParameters({ lines }: SdpMedia, payloadType: number): SdpLine {
  const stated = lines.find((line) => isParameters(line) && mappedPayloadType(line) === payloadType)
  const parameters = stated?.value.replace(/^fmtp: *\d+ */, '') ?? ''
  return attribute(`fmtp:${payloadType} ${relayedOpusParameters(parameters)}`)
}

function mayCross(line: SdpLine): boolean {
  // RFC 8866 5.12: `k=` holds a key. RFC 3556: RS and RR are about RTCP, which ends at each leg.
  if (line.type === 'k' || (line.type === 'b' && /^R[SR]:/.test(line.value))) return false
  return !isDirectionLine(line) && !hopAttributes.has(attributeName(line) ?? '')
}

/** The payload type that an `a=rtpmap` or `a=fmtp` line is about. */
function mappedPayloadType(line: SdpLine): number | undefined {
  const [, digits] = line.type === 'a' ? (/^(?:rtpmap|fmtp): *(\d{1,3})(?: |$)/.exec(line.value) ?? []) : []
  return digits === undefined ? undefined : Number(digits)
}

interface FormatPair {
  readonly ours: AudioFormat
  readonly theirs: AudioFormat
}

/** In the answerer's order of preference (RFC 3264 6.1). Both sides have speech, so at least one pair is speech. */
function commonFormats(offered: readonly AudioFormat[], answered: readonly AudioFormat[]): FormatPair[] {
  const pairs = answered.flatMap((theirs) => {
    const ours = offered.find(({ codec, clockHz }) => codec === theirs.codec && clockHz === theirs.clockHz)
    return ours === undefined ? [] : [{ ours, theirs }]
  })
  const speech = pairs.find(({ ours }) => isSpeech(ours))
  const ours = speech?.ours ?? offered.find(isSpeech)
  const theirs = speech?.theirs ?? answered.find(isSpeech)
  if (ours === undefined || theirs === undefined) return pairs
  const transcoded = speech === undefined ? [{ ours, theirs }] : []
  return [...transcoded, ...pairs, ...convertedEvents(ours.clockHz, pairs, offered, answered)]
}

/** Where the clocks of the two sides' events differ (RFC 4733 2.1: those of their audio), both keep theirs: see event-clock. */
function convertedEvents(
  clockHz: number,
  pairs: readonly FormatPair[],
  offered: readonly AudioFormat[],
  answered: readonly AudioFormat[],
): FormatPair[] {
  const events = offered.filter(({ codec }) => codec === 'telephone-event')
  const ours = events.find((format) => format.clockHz === clockHz) ?? events[0]
  const theirs = answered.find(({ codec }) => codec === 'telephone-event')
  const hasOwn = pairs.some((pair) => pair.ours.codec === 'telephone-event' && pair.ours.clockHz === clockHz)
  const isPaired = hasOwn || pairs.some((pair) => pair.ours === ours)
  return ours === undefined || theirs === undefined || isPaired ? [] : [{ ours, theirs }]
}

function renumbered(line: SdpLine, pairs: readonly FormatPair[]): SdpLine {
  const payloadType = mappedPayloadType(line)
  const pair = pairs.find(({ theirs }) => theirs.payloadType === payloadType)
  if (pair === undefined) return line
  if (line.value.startsWith('rtpmap')) return attribute(`rtpmap:${rtpmapOf(pair.ours)}`)
  return attribute(line.value.replace(/^fmtp: *\d+/, `fmtp:${pair.ours.payloadType}`))
}

/** A dynamic type means nothing without its rtpmap, which the answerer leaves out where its own number is a static one. */
function withRtpmaps(lines: readonly SdpLine[], formats: readonly AudioFormat[]): SdpLine[] {
  const mapped = lines.filter(({ value }) => value.startsWith('rtpmap')).map(mappedPayloadType)
  const missing = formats.filter(({ payloadType }) => payloadType > 95 && !mapped.includes(payloadType))
  const added = missing.map((format) => attribute(`rtpmap:${rtpmapOf(format)}`))
  return [...added, ...lines]
}

/** RFC 3264 6.1: an answer may not send what the offer does not receive, nor receive what it does not send. */
function allowedDirection(wanted: Direction, offered: Direction): Direction {
  const sends = maySend(wanted) && mayReceive(offered)
  const receives = mayReceive(wanted) && maySend(offered)
  if (sends) return receives ? 'sendrecv' : 'sendonly'
  return receives ? 'recvonly' : 'inactive'
}

function maySend(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'sendonly'
}

function mayReceive(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'recvonly'
}
