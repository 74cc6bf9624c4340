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
