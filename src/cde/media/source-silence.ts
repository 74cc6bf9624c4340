import { mediaLimits } from '../../lib/limits.ts'

/**
 * sip.md 6.1 rule 3: while a caller is armed a changed source is not followed. That he is not heard for 2 s is told, once, and
 * so is that he is heard again: his phone may have moved, or somebody sends in his place from elsewhere. It may also be a
 * phone that sends nothing in pauses (MED-17), so it is for the agent to judge, and ends nothing.
 *
 * ```
 *            watched, 2 s without a packet
 *   heard ───────────────────────────────────► silent
 *     ▲                                           │
 *     └──── a packet, or not watched any more ────┘
 * ```
 */
export class SourceSilence {
  #watchedSinceMs: number | undefined
  #isSilent = false

  /** @param isWatched armed, and the source may send by its SDP */
  setWatched(isWatched: boolean, nowMs: number): void {
    if (!isWatched) this.#watchedSinceMs = undefined
    else this.#watchedSinceMs ??= nowMs
  }

  /**
   * To be asked every now and then.
   * @param heardAtMs when the source was last heard; undefined before its first packet
   * @returns what has changed, if anything
   */
  wake(heardAtMs: number | undefined, nowMs: number): 'silent' | 'heard' | undefined {
    const since = this.#watchedSinceMs
    const isSilent = since !== undefined && nowMs - Math.max(since, heardAtMs ?? since) >= mediaLimits.sourceSilentMs
    if (isSilent === this.#isSilent) return undefined
    this.#isSilent = isSilent
    return isSilent ? 'silent' : 'heard'
  }
}
