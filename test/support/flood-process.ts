/**
 * Floods UDP ports from a process of its own, at a steady pace: every other datagram is a good RTP packet of one stream, the rest
 * is rubbish. Prints how many it sent.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import process from 'node:process'
import { writeRtp } from '../../src/cde/media/rtp.ts'
import { seededRandom } from '../../src/lib/random.ts'

export interface FloodSettings {
  readonly from: { readonly host: string; readonly port: number }
  readonly toPorts: readonly number[]
  readonly packetsPerSecond: number
  readonly ms: number
}

const RUBBISH_OCTETS = 1_400

const { from, toPorts, packetsPerSecond, ms } = JSON.parse(process.argv[2] ?? '{}') as FloodSettings
const socket = createSocket('udp4')
socket.bind(from.port, from.host)
await once(socket, 'listening')
const rubbish = seededRandom(9)(RUBBISH_OCTETS)
const voice = new Uint8Array(160).fill(0xd5)
const startedAtMs = performance.now()
let sent = 0
const timer = setInterval(() => {
  const elapsedMs = performance.now() - startedAtMs
  for (const due = (Math.min(elapsedMs, ms) * packetsPerSecond) / 1_000; sent < due; sent++) {
    const rtp = { payloadType: 8, marker: false, sequence: (sent >> 1) & 0xffff, timestamp: sent * 80, ssrc: 7 }
    socket.send(sent % 2 === 0 ? writeRtp(rtp, voice) : rubbish, toPorts[sent % toPorts.length] ?? 0, from.host)
  }
  if (elapsedMs < ms) return
  clearInterval(timer)
  socket.close()
  console.log(sent)
}, 1)
