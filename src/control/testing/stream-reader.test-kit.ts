/** Reads server-sent events as a browser does, enough for tests. */
export interface SeenEvent {
  readonly id: string
  readonly type: string
  readonly data: Record<string, unknown>
}

export class StreamReader implements AsyncDisposable {
  readonly response: Response
  readonly events: SeenEvent[] = []
  text = ''
  /** The last `id:` line, also of frames without data. */
  lastId = ''
  ended = false
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #decoder = new TextDecoder()
  #rest = ''

  private constructor(response: Response) {
    this.response = response
    this.#reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader()
  }

  static async open(url: string, headers: Record<string, string>): Promise<StreamReader> {
    return new StreamReader(await fetch(url, { headers }))
  }

  /** Reads on until the condition holds or the stream ends. @returns whether it holds */
  async until(holds: (reader: StreamReader) => boolean): Promise<boolean> {
    while (!holds(this) && !this.ended) {
      const chunk = await this.#reader.read().catch(() => ({ done: true, value: undefined }))
      if (chunk.value === undefined) this.ended = true
      else this.#take(this.#decoder.decode(chunk.value, { stream: true }))
    }
    return holds(this)
  }

  /** Reads on until an event of this type has come. */
  async untilType(type: string): Promise<boolean> {
    return this.until(({ events }) => events.some((event) => event.type === type))
  }

  #take(text: string): void {
    this.text += text
    const frames = (this.#rest + text).split('\n\n')
    this.#rest = frames.pop() ?? ''
    for (const frame of frames) {
      const lines = frame.split('\n')
      const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
      this.lastId = field('id') ?? this.lastId
      const data = field('data')
      if (data === undefined) continue
      const parsed = JSON.parse(data) as Record<string, unknown>
      this.events.push({ id: this.lastId, type: field('event') ?? 'message', data: parsed })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel().catch(() => undefined)
  }
}
