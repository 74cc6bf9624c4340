/** Prints what happens, as it happens. */
export class Timeline {
  readonly #print: (line: string) => void
  readonly #startedAtMs = performance.now()

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  say(who: string, what: string): void {
    const seconds = ((performance.now() - this.#startedAtMs) / 1_000).toFixed(2).padStart(6)
    this.#print(`${seconds} s  ${who.padEnd(8)} ${what}`)
  }
}
