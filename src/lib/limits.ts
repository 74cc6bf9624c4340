/**
 * Every bound in Tonewall, in one place (DESIGN invariant 7). Units are in the names.
 * A bound that is reached is counted and answered with a clear refusal; nothing grows past it.
 */

/** The wall between the zones. */
export const wallLimits = {
  messageOctetsMax: 64 * 1024,
  queuedMessagesMax: 10_000,
} as const

/** Calls and captures that one CDE holds. */
export const callLimits = {
  callsMax: 1_000,
  ringMs: 120_000,
  callMs: 4 * 3_600_000,
  copiedHeadersMax: 64,
  copiedHeaderOctetsMax: 4_096,
  copiedHeadersOctetsMax: 16_384,
} as const

/** RTP, RTCP and SDP. */
export const mediaLimits = {
  packetOctetsMax: 1_500,
  sdpOctetsMax: 65_536,
  sdpLinesMax: 2_000,
  sdpMediaMax: 32,
  sdpFormatsMax: 64,
  /** A freed port pair stays bound until it was quiet for this long (MED-11). */
  portQuietMs: 30_000,
  portDrainMs: 600_000,
} as const

/** Recordings read by the tools. */
export const wavLimits = {
  octetsMax: 1_024 * 1_024 * 1_024,
  chunksMax: 1_000,
  channelsMax: 8,
  rateHzMax: 192_000,
} as const

/** The agent's widget, in a browser. */
export const widgetLimits = {
  eventCharactersMax: 256 * 1_024,
  /** Control sends a heartbeat every 15 s; a stream quiet for longer than this is taken for dead. */
  streamQuietMs: 40_000,
  reconnectFirstMs: 500,
  reconnectLongestMs: 10_000,
  requestMs: 15_000,
  amountMinorMax: 99_999_999_999,
} as const
