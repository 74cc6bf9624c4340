/**
 * One media thread, seen from the main thread.
 *
 *   starting ──`ready`──► up ──stop──► stopping ──`stopped`, or not in time──► gone
 *       └──`not-ready`──► gone      └──dies, or is silent for too long──► lost
 */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { threadLimits } from '../../lib/limits.ts'
import type { FromThread, ThreadSettings, ToThread } from './messages.ts'

export type ThreadAnswer = Extract<FromThread, { type: 'ready' | 'not-ready' }>
export type CallMessage = Extract<FromThread, { readonly call: number }>

export interface MediaThreadOptions {
  readonly settings: ThreadSettings
  readonly nowMs: () => number
  onMessage(message: CallMessage): void
  /** It died, or hangs: its calls have no media any more. */
  onLost(): void
}

export class MediaThread {
  /** Its calls. */
  readonly calls = new Set<number>()
  readonly answer: Promise<ThreadAnswer>
  readonly #options: MediaThreadOptions
  readonly #worker: Worker
  #state: 'starting' | 'up' | 'stopping' | 'gone' = 'starting'
  #heardAtMs: number
  #wasSilent = false
  #wake: () => void = () => {}
  #counters: Readonly<Record<string, number>> = {}
  #stopped: () => void = () => {}

  constructor(options: MediaThreadOptions) {
    this.#options = options
    this.#heardAtMs = options.nowMs()
    const { promise, resolve } = Promise.withResolvers<ThreadAnswer>()
    this.answer = promise
    const file = new URL(`./main${extname(import.meta.filename)}`, import.meta.url)
    const { identity } = options.settings
    const transferList = identity === undefined ? [] : [identity.privateKey.buffer]
    this.#worker = new Worker(file, { workerData: options.settings, env: {}, transferList })
    this.#worker.on('message', (message: FromThread) => this.#heard(message, resolve))
    // What was thrown there may hold input: only that it happened is told.
    this.#worker.on('error', () => {})
    this.#worker.on('exit', () => {
      resolve({ type: 'not-ready', problem: 'media-engine-unavailable' })
      this.#exited()
    })
  }

  /** @param transfer buffers that are handed over, not copied */
  post(message: ToThread, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer)
    this.#wake()
  }

  /** As of its last report; a thread that does not report is lost. */
  counters(): Readonly<Record<string, number>> {
    const isSilent = this.#state === 'up' && this.#options.nowMs() > this.#heardAtMs + threadLimits.silenceMs
    // Twice in a row: after a pause of the whole machine its reports wait to be read.
    if (isSilent && this.#wasSilent) this.#options.onLost()
    this.#wasSilent = isSilent
    return this.#counters
  }

  /** Ends its calls' media and the thread. */
  async stop(): Promise<void> {
    if (this.#state === 'gone') return
    this.#state = 'stopping'
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#stopped = resolve
    const timer = setTimeout(resolve, threadLimits.stopMs)
    this.post({ type: 'stop' })
    await promise
    clearTimeout(timer)
    await this.#worker.terminate()
  }

  #heard(message: FromThread, answer: (answer: ThreadAnswer) => void): void {
    this.#heardAtMs = this.#options.nowMs()
    switch (message.type) {
      case 'ready':
        this.#state = 'up'
        return void this.#ready(message).then(() => answer(message))
      case 'not-ready':
        return answer(message)
      case 'counters':
        this.#counters = message.counters
        return
      case 'stopped':
        return this.#stopped()
      case 'opened':
      case 'not-opened':
      case 'event':
      case 'key':
      case 'closed':
        return this.#options.onMessage(message)
    }
  }

  /** Where the thread waits for packets, a message alone would not end its wait. */
  async #ready({ wakeFd }: Extract<ThreadAnswer, { type: 'ready' }>): Promise<void> {
    if (wakeFd === undefined) return
    const { wakeUp } = await import('../media/relay/wake-up.ts')
    this.#wake = () => wakeUp(wakeFd)
  }

  #exited(): void {
    const wasUp = this.#state === 'up'
    this.#state = 'gone'
    this.#stopped()
    if (wasUp) this.#options.onLost()
  }
}
