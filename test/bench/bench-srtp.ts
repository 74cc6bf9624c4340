/**
 * What SRTP costs: µs of CPU for a packet of 20 ms G.711 that comes in on one leg and leaves on the other when both are
 * encrypted, as one core does it (`LegSrtp`: authenticate and decrypt, then encrypt and tag). Prints a table; with `--json` one
 * object on the last line. Figures, never tests.
 */
import os from 'node:os'
import process from 'node:process'
import { writeRtp } from '../../src/cde/media/rtp.ts'
import { LegSrtp } from '../../src/cde/media/srtp/leg-srtp.ts'
import { MasterKey } from '../../src/cde/media/srtp/master-key.ts'
import { type Suite, suites } from '../../src/cde/media/srtp/suites.ts'
import { seededRandom } from '../../src/lib/random.ts'

const SEED = 41
const PACKETS = 20_000
const ROUNDS = 9
const PAYLOAD_OCTETS = 160
const AIM_MICROSECONDS = 5

interface Figure {
  readonly suite: string
  readonly unprotectMicroseconds: number
  readonly protectMicroseconds: number
  readonly bothLegsMicroseconds: number
  /** Of the quietest round: other work on the machine only ever adds. */
  readonly bestBothLegsMicroseconds: number
  readonly aimMet: boolean
}

/** Two legs that hear each other. */
function legs(suite: Suite): { sends: LegSrtp; hears: LegSrtp } {
  const random = seededRandom(SEED)
  const [a, b] = [MasterKey.random(suite, random), MasterKey.random(suite, random)]
  const peer = (master: MasterKey) => [{ master, mki: new Uint8Array(), lifetimePackets: 2 ** 48 }]
  const [sends, hears] = [new LegSrtp(), new LegSrtp()]
  sends.agree({ suite, own: a, peer: peer(b) }, 0)
  hears.agree({ suite, own: b, peer: peer(a) }, 0)
  return { sends, hears }
}

/** CPU of `work`, in µs per packet. */
function cpuOf(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / PACKETS
}

function measure(suite: Suite): Figure {
  const payload = seededRandom(SEED)(PAYLOAD_OCTETS)
  const { sends, hears } = legs(suite)
  const rounds = Array.from({ length: ROUNDS }, (_, round) => {
    const plain = Array.from({ length: PACKETS }, (_none, i) => {
      const sequence = (round * PACKETS + i) & 0xffff
      return writeRtp({ payloadType: 8, marker: false, sequence, timestamp: i * 160, ssrc: 1 }, payload)
    })
    const sealed: Uint8Array[] = []
    const protect = cpuOf(() => {
      for (const packet of plain) {
        const out = sends.sealRtp(packet)
        if (typeof out !== 'string') sealed.push(out)
      }
    })
    let opened = 0
    const unprotect = cpuOf(() => {
      for (const packet of sealed) if (typeof hears.openRtp(packet, 0) !== 'string') opened++
    })
    if (opened !== PACKETS) throw new Error(`${suite.name}: ${opened} of ${PACKETS} packets came through`)
    return { protect, unprotect, both: protect + unprotect }
  })
  const sorted = rounds.toSorted((a, b) => a.both - b.both)
  const [best, median] = [sorted[0], sorted[Math.floor(ROUNDS / 2)]]
  if (best === undefined || median === undefined) throw new Error('no rounds')
  return {
    suite: suite.name,
    unprotectMicroseconds: round2(median.unprotect),
    protectMicroseconds: round2(median.protect),
    bothLegsMicroseconds: round2(median.both),
    bestBothLegsMicroseconds: round2(best.both),
    aimMet: median.both <= AIM_MICROSECONDS,
  }
}

const round2 = (value: number): number => Math.round(value * 100) / 100

const figures = suites.map(measure)
console.log(`SRTP, ${PAYLOAD_OCTETS} octets of payload, µs of CPU per packet, median of ${ROUNDS} × ${PACKETS} packets`)
console.log(`Node ${process.version}, ${os.cpus()[0]?.model ?? 'unknown CPU'}\n`)
console.log(`${'suite'.padEnd(26)} unprotect  protect  both legs  quietest   aim ≤ ${AIM_MICROSECONDS}`)
for (const { suite, aimMet, ...figure } of figures) {
  const { unprotectMicroseconds, protectMicroseconds, bothLegsMicroseconds, bestBothLegsMicroseconds } = figure
  const values = [unprotectMicroseconds, protectMicroseconds, bothLegsMicroseconds, bestBothLegsMicroseconds]
  const columns = values.map((us) => us.toFixed(2).padStart(9))
  console.log(`${suite.padEnd(26)}${columns.join('')}     ${aimMet ? 'met' : 'missed'}`)
}
if (process.argv.includes('--json')) {
  console.log(JSON.stringify({ benchmark: 'srtp', node: process.version, payloadOctets: PAYLOAD_OCTETS, figures }))
}
