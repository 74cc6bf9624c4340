/**
 * Which frequency is drawn at which height. Nearly even below 1 kHz and narrower above, like hearing: this gives most
 * of the height to the part below 2 kHz.
 */
const TOP_HZ = 3_000
const BEND_HZ = 1_400

const mel = (hz: number): number => Math.log1p(hz / BEND_HZ)
const TOP_MEL = mel(TOP_HZ)

/** The frequencies of a keypad (ITU-T Q.23): every key is one of the four low ones and one of the high ones. */
export const dtmfHz = [697, 770, 852, 941, 1209, 1336, 1477] as const

/** @returns 0 at the bottom to 1 at the top */
export function heightOf(hz: number): number {
  return Math.min(1, mel(Math.max(0, hz)) / TOP_MEL)
}

/** The inverse of `heightOf` for heights 0 to 1. */
export function hzAt(height: number): number {
  return BEND_HZ * Math.expm1(height * TOP_MEL)
}
