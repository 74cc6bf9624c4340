/** What control tells the CDE at its start; part of the wall's message list. Credentials are not in it: the CDE reads them from files itself. */
import { threadLimits } from '../lib/limits.ts'
import { z } from 'zod'

const name = z.string().regex(/^[a-z][a-zA-Z0-9-]{0,39}$/)
const port = z.number().int().min(1).max(65_535)
const timerMs = z.number().int().min(0).max(3_600_000)
const key = z.enum(['*', '#'])

/** The kinds of field; `number` is any other numeric field declared by configuration. */
export const fieldKinds = ['cardNumber', 'expiry', 'securityCode', 'number'] as const

export const fieldSettings = z.strictObject({
  name,
  kind: z.enum(fieldKinds),
  /** Lengths of a `number` field; ignored for the others, whose lengths follow the brand. */
  digitsMin: z.number().int().min(1).max(32).default(1),
  digitsMax: z.number().int().min(1).max(32).default(19),
})
export type FieldSettings = z.infer<typeof fieldSettings>

export const captureSettings = z.strictObject({
  fields: z.array(fieldSettings).min(1).max(32),
  endKey: key.default('#'),
  clearKey: key.default('*'),
  /** 0 means no limit (accessibility). */
  firstDigitMs: timerMs.default(20_000),
  betweenDigitsMs: timerMs.default(5_000),
  captureMs: timerMs.default(300_000),
})
export type CaptureSettings = z.infer<typeof captureSettings>

export const gatewaySettings = z.strictObject({
  account: name,
  kind: z.enum(['sandbox']),
  url: z.string().max(512),
  /** A file with the gateway's secret, read by the CDE only. */
  credentialFile: z.string().max(1_024),
  /** Shorter than `resolverLimits.answerMs`: an exchange is over before the gateway is asked again. */
  exchangeMs: z.number().int().min(1_000).max(25_000).default(20_000),
})
export type GatewaySettings = z.infer<typeof gatewaySettings>

/** How much of the caller's speech is given up for certainty (docs/decisions/2026-11-22-mask-policies.md). */
export const maskPolicies = ['adaptive', 'burst', 'full'] as const
export type MaskPolicy = (typeof maskPolicies)[number]

/** What the agent hears in place of a key. */
export const replacements = ['flat', 'silence', 'comfort'] as const
export type ReplacementKind = (typeof replacements)[number]

export const numberSettings = z.strictObject({
  id: name,
  /** The user part of the Request-URI that callers reach, for instance `+442071234567`. */
  called: z.string().max(64),
  /** A SIP URI, for instance `sip:sales@10.0.0.5:5060`. */
  destination: z.string().max(512),
  /**
   * SRTP towards the destination: not, offered (RTP is taken as well), SRTP only, or SRTP only and with keys by DTLS. The
   * caller's side does as the caller offers.
   */
  srtp: z.enum(['off', 'offered', 'required', 'dtls']).default('off'),
  /**
   * Sides whose phones are behind NAT and whose SDP names a private address. Their media source is learned, once, from the host
   * that their signalling comes from; with SRTP, and while a capture is open, nothing is learned.
   */
  nat: z.enum(['none', 'caller', 'agent', 'both']).default('none'),
  /** For captures that ask for nothing else. */
  maskPolicy: z.enum(maskPolicies).default('burst'),
})
export type NumberSettings = z.infer<typeof numberSettings>

/** Speech codecs that the masked line can carry. */
export const lineCodecs = ['PCMA', 'PCMU', 'G722', 'opus'] as const
/** Those that calls may agree on, the preferred one first; one that both legs have is not transcoded. */
export const mediaCodecs = z.array(z.enum(lineCodecs)).min(1).max(4).default(['PCMA', 'PCMU'])

/** What moves the packets; `auto` takes the first of these that runs: io_uring, epoll, Node's own sockets. */
export const mediaEngine = z.enum(['auto', 'uring', 'epoll', 'dgram']).default('auto')

/**
 * Whether calls that are not armed may cross without each packet being looked at: not, inside the media engine, in the Linux
 * kernel where that can be (nf_tables and CAP_NET_ADMIN) and else in the engine, or not without the kernel. Off by default: in
 * the kernel the host's firewall does not see these packets, and their streams keep the source's numbers; that is for the host's
 * keeper to decide.
 */
export const kernelForwarding = z.enum(['off', 'engine', 'auto', 'required']).default('off')

/** How many threads have the media; 0 for one less than the machine has processors, one at least. */
export const mediaThreads = z.number().int().min(0).max(threadLimits.threadsMax).default(0)

export const cdeSettings = z.strictObject({
  sip: z.strictObject({ host: z.string().max(64), port }),
  /** The even/odd pairs for RTP and RTCP come from this range. */
  media: z.strictObject({
    host: z.string().max(64),
    portMin: port,
    portMax: port,
    jitterMs: z.number().int().min(0).max(200).default(40),
    engine: mediaEngine,
    threads: mediaThreads,
    kernel: kernelForwarding,
    codecs: mediaCodecs,
  }),
  /** Source addresses and networks (CIDR) that may send us SIP, or empty for any. */
  trustedPeers: z.array(z.string().max(64)).max(256).default([]),
  /** Peers to and from which SRTP keys may travel in SIP without TLS; loopback always may. */
  allowClearKeys: z.array(z.string().max(64)).max(256).default([]),
  numbers: z.array(numberSettings).min(1).max(10_000),
  /** Names of headers that are copied between the legs; `X-*` names and User-to-User. */
  passHeaders: z
    .array(z.string().regex(/^[A-Za-z0-9-]{1,64}$/))
    .max(32)
    .default(['User-to-User']),
  replacement: z.enum(replacements).default('flat'),
  capture: captureSettings,
  gateways: z.array(gatewaySettings).max(256),
})
export type CdeSettings = z.infer<typeof cdeSettings>
