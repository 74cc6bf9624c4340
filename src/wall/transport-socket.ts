/** The wall over a Unix socket: one peer, both directions, every message checked against its schema on the way in and on the way out. */
import type { Socket } from 'node:net'
import type { z } from 'zod'
import { wallLimits } from '../lib/limits.ts'
import { FrameReader, writeFrame } from './frames.ts'

export type WallRefusal = 'oversized' | 'not-json' | 'unknown-message' | 'queue-full' | 'closed'

export interface WallOptions<In, Out> {
  readonly incoming: z.ZodType<In>
  readonly outgoing: z.ZodType<Out>
  /** The largest message of each direction, in octets; 64 KiB unless given. */
  readonly incomingOctetsMax?: number
  readonly outgoingOctetsMax?: number
  /** True for a message whose loss only delays a picture: it gives way when the queue is nearly full. */
  mayDrop?(message: Out): boolean
  onMessage(message: In): void
  /** A message was refused; it is only counted: its content is never shown. */
  onRefused(refusal: WallRefusal): void
  /** The other zone is gone. */
  onClosed(): void
}

export interface WallEnd<Out> {
  /** @returns false when the message was refused (schema, size, full queue, closed); nothing was sent */
  send(message: Out): boolean
  close(): void
}

/** Puts one end of the wall on a connected stream socket. */
export function openWall<In, Out>(socket: Socket, options: WallOptions<In, Out>): WallEnd<Out> {
  const reader = new FrameReader(options.incomingOctetsMax)
  let open = true
  let queued = 0

  socket.on('data', (octets: Buffer) => {
    for (const item of reader.push(octets)) {
      if ('problem' in item) {
        options.onRefused(item.problem)
        if (item.problem === 'oversized') socket.destroy()
        continue
      }
      const checked = options.incoming.safeParse(item.message)
      if (checked.success) options.onMessage(checked.data)
      else options.onRefused('unknown-message')
    }
  })
  // A reset of the stream is the same news as its end: the other process is gone.
  socket.on('error', () => {})
  socket.on('close', () => {
    open = false
    options.onClosed()
  })

  const refuse = (refusal: WallRefusal): false => {
    options.onRefused(refusal)
    return false
  }
  return {
    send(message) {
      if (!open) return refuse('closed')
      const placesMax = options.mayDrop?.(message) ? wallLimits.droppableQueuedMax : wallLimits.queuedMessagesMax
      if (queued >= placesMax) return refuse('queue-full')
      const checked = options.outgoing.safeParse(message)
      if (!checked.success) return refuse('unknown-message')
      const frame = writeFrame(checked.data, options.outgoingOctetsMax)
      if (frame === 'oversized') return refuse('oversized')
      queued++
      socket.write(frame, () => queued--)
      return true
    },
    close: () => socket.destroy(),
  }
}
