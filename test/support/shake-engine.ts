/** Ports of one engine opened, closed, flooded and closed from within, at random: what one port hears was sent to it, whole. */
import assert from 'node:assert/strict'
import type { PolledEngine } from '../../src/cde/media/relay/engine.ts'
import {
  type FrameListener,
  MediaOpenError,
  type MediaSocket,
  type PacketListener,
} from '../../src/cde/media/socket.ts'
import type { Address } from '../../src/lib/address.ts'
import { randomUnit, seededRandom } from '../../src/lib/random.ts'

export interface ShakeOptions {
  /** Datagrams may arrive shorter than they were sent. */
  readonly mayBeShort?: boolean
  /** So many datagrams must arrive. */
  readonly heardMin?: number
}

const any: Address = { host: '127.0.0.1', port: 0 }

/** Each packet says to which port it goes and is filled with one octet; whoever hears it checks both. */
export function shakeEngine(engine: PolledEngine, seed: number, options: ShakeOptions = {}): void {
  const { mayBeShort = false, heardMin = 500 } = options
  let nowMs = seed * 100_000
  const random = seededRandom(seed)
  const below = (count: number): number => Math.floor(randomUnit(random) * count)
  const open: MediaSocket[] = []
  const why = `seed ${seed}`
  let heard = 0
  const check = (octets: Uint8Array, socket: MediaSocket): void => {
    heard++
    const [high = 0, low = 0, fill] = octets
    if (mayBeShort && octets.length < 3) return
    assert.equal((high << 8) | low, socket.local.port, `${why}: heard by another port`)
    assert.ok(
      octets.subarray(2).every((octet) => octet === fill),
      `${why}: torn`,
    )
  }
  const packetFor = ({ local }: MediaSocket): Uint8Array => {
    const packet = new Uint8Array(3 + below(1_400)).fill(below(256))
    packet.set([local.port >> 8, local.port & 0xff])
    return packet
  }
  /** A port that the system refuses is no fault of the engine. */
  const openPort = (onPacket: PacketListener, onFrame: FrameListener): MediaSocket | undefined => {
    try {
      return engine.open(any, onPacket, onFrame)
    } catch (error) {
      assert.ok(error instanceof MediaOpenError, why)
      return undefined
    }
  }
  const openOne = (): void => {
    const socket = openPort(
      (packet) => {
        if (socket !== undefined) check(packet, socket)
        if (below(20) === 0) closeOne()
      },
      (frame) => {
        const target = open[below(Math.max(1, open.length))]
        if (socket === undefined || target === undefined || target === socket || below(3) > 0) return false
        check(frame.octets.subarray(frame.start, frame.start + frame.length), socket)
        frame.octets.set([target.local.port >> 8, target.local.port & 0xff], frame.start)
        socket.forward(frame, target.local)
        return true
      },
    )
    if (socket !== undefined) open.push(socket)
  }
  const closeOne = (): void => open.splice(below(open.length), 1)[0]?.close()
  for (let step = 0; step < 1_500; step++) {
    const action = below(10)
    const from = open[below(Math.max(1, open.length))]
    const to = open[below(Math.max(1, open.length))]
    if (open.length < 4 || (action === 0 && open.length < 40)) openOne()
    else if (action === 1) closeOne()
    else if (action === 2) engine.poll(nowMs++)
    else if (from !== undefined && to !== undefined) {
      const burst = action === 3 ? 100 : 1
      for (let i = 0; i < burst; i++) from.send(packetFor(to), to.local)
    }
  }
  for (let turn = 0; turn < 200; turn++) engine.poll(nowMs++)
  assert.ok(heard >= heardMin, `${why}: only ${heard} heard`)
  for (const socket of open) socket.close()
}
