/**
 * Our SRTP against libsrtp, which Chromium and most softphones use: bit for bit, both ways, over a turn of the sequence number,
 * with loss and reorder, CSRC lists, extensions, MKI and RTCP.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { writeReport } from '../../src/cde/media/rtcp.ts'
import { writeRtp } from '../../src/cde/media/rtp.ts'
import { MasterKey } from '../../src/cde/media/srtp/master-key.ts'
import type { SrtpProblem } from '../../src/cde/media/srtp/packet.ts'
import { SrtpReceiver } from '../../src/cde/media/srtp/srtp-receiver.ts'
import { SrtpSender } from '../../src/cde/media/srtp/srtp-sender.ts'
import { type Suite, suites } from '../../src/cde/media/srtp/suites.ts'
import { seededRandom } from '../../src/lib/random.ts'
import { missing } from '../support/have.ts'
import { mustRun } from '../support/processes.ts'
import { temporaryFolder, type TemporaryFolder } from '../support/temp-folder.ts'

const SEED = 2_500
const SOURCE = fileURLToPath(new URL('./srtp-peer.c', import.meta.url))
const skip = missing('gcc', 'libc6-dev', 'libsrtp2-dev')
const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex')

type Order = 'p' | 'P' | 'u' | 'U'

/** Gives libsrtp all packets in a row. @returns its answers */
async function libsrtp(
  program: string,
  suite: Suite,
  master: MasterKey,
  packets: readonly (readonly [Order, Uint8Array])[],
  mki?: Uint8Array,
): Promise<string[]> {
  const input = Buffer.from(packets.map(([order, packet]) => `${order}${hex(packet)}\n`).join(''))
  const args = [suite.name, hex(master.concatenated), mki === undefined ? '-' : hex(mki)]
  const output = await mustRun(program, args, { input, timeoutMs: 30_000 })
  return output.toString('latin1').trimEnd().split('\n')
}

async function compiled(folder: TemporaryFolder): Promise<string> {
  const program = folder.file('srtp-peer')
  await mustRun('gcc', ['-O1', '-o', program, SOURCE, '-lsrtp2'], { timeoutMs: 60_000 })
  return program
}

/** RTP of all lengths over a turn, every fifth with CSRC and extension, now and then two in the wrong order; reports between. */
function traffic(random: (count: number) => Uint8Array): (readonly ['rtp' | 'rtcp', Uint8Array])[] {
  const packets: (readonly ['rtp' | 'rtcp', Uint8Array])[] = []
  for (let i = 0; i < 400; i++) {
    const sequence = (65_300 + i * 2) & 0xffff
    const plain = writeRtp({ payloadType: 8, marker: i === 0, sequence, timestamp: i * 160, ssrc: 77 }, random(i % 200))
    const extended = Uint8Array.from([
      0x91,
      ...plain.subarray(1, 12),
      ...[1, 2, 3, 4, 0xbe, 0xde, 0, 1, 5, 6, 7, 8],
      ...plain.subarray(12),
    ])
    packets.push(['rtp', i % 5 === 0 ? extended : plain])
    if (i % 20 === 7) packets.push(['rtcp', writeReport(77, `name-${i}`, undefined, [])])
    if (i % 50 === 49) packets.push(...packets.splice(-2).toReversed())
  }
  return packets
}

function protect(sender: SrtpSender, kind: 'rtp' | 'rtcp', plain: Uint8Array): Uint8Array {
  const packet = new Uint8Array(plain.length + Math.max(sender.rtpOverheadOctets, sender.rtcpOverheadOctets))
  packet.set(plain)
  const length = kind === 'rtp' ? sender.protectRtp(packet, plain.length) : sender.protectRtcp(packet, plain.length)
  assert.ok(typeof length === 'number', String(length))
  return packet.subarray(0, length)
}

function unprotect(receiver: SrtpReceiver, kind: 'rtp' | 'rtcp', packet: Uint8Array): Uint8Array | SrtpProblem {
  const length =
    kind === 'rtp' ? receiver.unprotectRtp(packet, packet.length) : receiver.unprotectRtcp(packet, packet.length)
  return typeof length === 'number' ? packet.subarray(0, length) : length
}

test('libsrtp protects to the same octets, reads ours, and we read its own, with and without MKI', {
  skip,
}, async () => {
  await using folder = await temporaryFolder('libsrtp')
  const program = await compiled(folder)
  const random = seededRandom(SEED)
  for (const suite of suites) {
    const master = MasterKey.random(suite, random)
    const sender = new SrtpSender(suite, master)
    const plain = traffic(random)
    const ours = plain.map(([kind, packet]) => hex(protect(sender, kind, packet)))
    const facts = (i: number): string => `seed ${SEED} ${suite.name} packet ${i}`

    const protecting = plain.map(([kind, packet]) => [kind === 'rtp' ? 'p' : 'P', packet] as const)
    const theirs = await libsrtp(program, suite, master, protecting)
    const read = await libsrtp(
      program,
      suite,
      master,
      plain.map(([kind], i) => [kind === 'rtp' ? 'u' : 'U', Buffer.from(ours[i] ?? '', 'hex')] as const),
    )
    const mki = Uint8Array.of(0, 0, 1, 9)
    const withMki = await libsrtp(program, suite, master, protecting, mki)
    const receiver = new SrtpReceiver(suite, [{ master, mki: new Uint8Array(), lifetimePackets: 2 ** 48 }])
    const mkiReceiver = new SrtpReceiver(suite, [{ master, mki, lifetimePackets: 2 ** 48 }])
    for (const [i, [kind, packet]] of plain.entries()) {
      assert.equal(theirs[i], ours[i], facts(i))
      assert.equal(read[i], hex(packet), facts(i))
      assert.deepEqual(
        unprotect(receiver, kind, Uint8Array.from(Buffer.from(theirs[i] ?? '', 'hex'))),
        packet,
        facts(i),
      )
      const marked = Uint8Array.from(Buffer.from(withMki[i] ?? '', 'hex'))
      assert.equal(marked.length, (ours[i]?.length ?? 0) / 2 + mki.length, facts(i))
      assert.deepEqual(unprotect(mkiReceiver, kind, marked), packet, facts(i))
    }
  }
})

test('libsrtp refuses our packets when one bit is changed or they come twice', { skip }, async () => {
  await using folder = await temporaryFolder('libsrtp')
  const program = await compiled(folder)
  const random = seededRandom(SEED + 1)
  for (const suite of suites) {
    const master = MasterKey.random(suite, random)
    const plain = writeRtp({ payloadType: 8, marker: false, sequence: 9, timestamp: 0, ssrc: 5 }, random(40))
    const packet = protect(new SrtpSender(suite, master), 'rtp', plain)
    const forged = packet.slice()
    forged[30] = (forged[30] ?? 0) ^ 1
    const answers = await libsrtp(program, suite, master, [
      ['u', forged],
      ['u', packet],
      ['u', packet],
    ])
    // srtp_err_status_auth_fail and srtp_err_status_replay_fail
    assert.deepEqual(answers, ['!7', hex(plain), '!9'], suite.name)
  }
})
