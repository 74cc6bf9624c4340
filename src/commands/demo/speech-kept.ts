/**
 * How much of the caller's speech reached the agent: the share of speech frames (20 ms, louder than −45 dBFS, away from
 * keys) that are found in the agent's recording with the same shape and within 1 dB.
 *
 * The delay between the two recordings changes when the call is armed (a constant delay line), so it is searched for anew in
 * every block.
 */
const RATE_HZ = 8_000
const FRAME = 160
const BLOCK = 1_600
const LAG_MAX = 2_400
const SPEECH_RMS_MIN = 32_768 * 10 ** (-45 / 20)
const SHAPE_MIN = 0.9
const LEVEL_DIFFERENCE_DB_MAX = 1

export interface Span {
  readonly startMs: number
  readonly endMs: number
}

/** @param keyed when the caller's keys sounded, in ms from the start of `caller` @returns 0–100, or 100 when nobody spoke */
export function speechKeptPercent(caller: Int16Array, agent: Int16Array, keyed: readonly Span[]): number {
  let frames = 0
  let kept = 0
  for (let block = 0; block + BLOCK <= caller.length; block += BLOCK) {
    const speech = speechFrames(caller, block, keyed)
    if (speech.length === 0) continue
    const lag = bestLag(caller, agent, block)
    frames += speech.length
    kept += speech.filter((at) => isKept(caller, agent, at, lag)).length
  }
  return frames === 0 ? 100 : (100 * kept) / frames
}

function speechFrames(caller: Int16Array, block: number, keyed: readonly Span[]): number[] {
  const found: number[] = []
  for (let at = block; at + FRAME <= block + BLOCK; at += FRAME) {
    const startMs = (at * 1_000) / RATE_HZ
    // A mask reaches 30 ms before and 40 ms after a key, and lasts as long as the replacement tone: those frames are given up.
    const nearKey = keyed.some((span) => startMs + 20 > span.startMs - 60 && startMs < span.endMs + 160)
    if (!nearKey && rms(caller, at) > SPEECH_RMS_MIN) found.push(at)
  }
  return found
}

/** The lag of best likeness. Normalised: a louder stretch a pitch period away must not win over the right one. */
function bestLag(caller: Int16Array, agent: Int16Array, block: number): number {
  let best = 0
  let bestLikeness = 0
  for (let lag = -400; lag <= LAG_MAX; lag++) {
    let product = 0
    let heard = 1
    for (let n = block; n < block + BLOCK; n++) {
      const b = agent[n + lag] ?? 0
      product += (caller[n] ?? 0) * b
      heard += b * b
    }
    const likeness = product / Math.sqrt(heard)
    if (likeness > bestLikeness) {
      best = lag
      bestLikeness = likeness
    }
  }
  return best
}

function isKept(caller: Int16Array, agent: Int16Array, at: number, lag: number): boolean {
  let product = 0
  let sent = 0
  let heard = 0
  for (let n = at; n < at + FRAME; n++) {
    const a = caller[n] ?? 0
    const b = agent[n + lag] ?? 0
    product += a * b
    sent += a * a
    heard += b * b
  }
  if (heard === 0) return false
  const shape = product / Math.sqrt(sent * heard)
  return shape > SHAPE_MIN && Math.abs(10 * Math.log10(heard / sent)) <= LEVEL_DIFFERENCE_DB_MAX
}

function rms(samples: Int16Array, at: number): number {
  let sum = 0
  for (let n = at; n < at + FRAME; n++) sum += (samples[n] ?? 0) ** 2
  return Math.sqrt(sum / FRAME)
}
