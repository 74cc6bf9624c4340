/**
 * Reader of `text/event-stream` (WHATWG HTML 9.2.6), fed with octets as they arrive.
 * The browser's own EventSource cannot send an Authorization header, so the widget reads the stream with fetch and
 * this.
 */
import { widgetLimits } from '../../src/lib/limits.ts'

export interface ServerEvent {
  readonly event: string
  readonly data: string
}

/**
 * Feed it chunks cut anywhere; it returns the events completed by each. It never throws and holds at most one event.
 */
export class EventStreamReader {
  readonly #decoder = new TextDecoder()
  #line = ''
  #afterCarriageReturn = false
  #lastId: string | undefined
  #event = ''
  #data: string[] = []
  #dataLength = 0
  #tooLong = false

  /** The id to resume after; the server may move it without sending an event. */
  get lastEventId(): string | undefined {
    return this.#lastId
  }

  push(octets: Uint8Array): ServerEvent[] {
    const events: ServerEvent[] = []
    for (const part of splitAtLineEnds(this.#decoder.decode(octets, { stream: true }))) {
      // CR LF is one line end, also when the chunk was cut between the two.
      if (part === '\n' && this.#afterCarriageReturn) {
        this.#afterCarriageReturn = false
        continue
      }
      this.#afterCarriageReturn = part === '\r'
      if (part === '\r' || part === '\n') this.#endLine(events)
      else this.#append(part)
    }
    return events
  }

  #append(text: string): void {
    if (this.#line.length + text.length > widgetLimits.eventCharactersMax) this.#tooLong = true
    else this.#line += text
  }

  #endLine(events: ServerEvent[]): void {
    const line = this.#line
    this.#line = ''
    if (line === '') this.#dispatch(events)
    else if (!line.startsWith(':')) this.#field(line)
  }

  #field(line: string): void {
    const colon = line.indexOf(':')
    const name = colon === -1 ? line : line.slice(0, colon)
    const rest = colon === -1 ? '' : line.slice(colon + 1)
    const value = rest.startsWith(' ') ? rest.slice(1) : rest
    if (name === 'event') this.#event = value
    else if (name === 'id' && !value.includes('\0')) this.#lastId = value
    else if (name === 'data') this.#addData(value)
  }

  #addData(value: string): void {
    this.#dataLength += value.length + 1
    if (this.#dataLength > widgetLimits.eventCharactersMax) this.#tooLong = true
    else this.#data.push(value)
  }

  #dispatch(events: ServerEvent[]): void {
    const complete = this.#data.length > 0 && !this.#tooLong
    if (complete) events.push({ event: this.#event || 'message', data: this.#data.join('\n') })
    this.#event = ''
    this.#data = []
    this.#dataLength = 0
    this.#tooLong = false
  }
}

function splitAtLineEnds(text: string): string[] {
  return text.split(/(\r|\n)/).filter((part) => part !== '')
}
