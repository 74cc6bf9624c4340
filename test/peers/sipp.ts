/** SIPp as caller and callee, with the scenarios in `sipp/`. */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { encodeG711 } from '../../src/lib/g711.ts'
import { SAMPLES_PER_MS } from '../support/audio.ts'
import type { CallAudio } from '../support/call-audio.ts'
import { freePorts } from '../support/free-ports.ts'
import { type EventStyle, type PcapPacket, readPcap, rtpPackets, writePcap } from '../support/pcap.ts'
import { type StartedProgram, startProgram } from '../support/processes.ts'
import type { TemporaryFolder } from '../support/temp-folder.ts'

type Scenario = 'caller' | 'caller-refused' | 'callee' | 'callee-busy'

export interface Sipp extends AsyncDisposable {
  readonly sipPort: number
  /** Resolves when its call went exactly by the scenario; rejects with what SIPp has to say otherwise. */
  succeeded(): Promise<void>
}

export interface SippCall {
  /** `user@127.0.0.1:port` of the callee. */
  readonly user: string
  readonly port: number
  readonly folder: TemporaryFolder
}

/** Calls and sends the audio as A-law, in-band tones included; hangs up when it is over. */
export async function callWithAudioFile(to: SippCall, audio: CallAudio): Promise<Sipp> {
  await writeFile(to.folder.file('caller.alaw'), encodeG711('PCMA', audio.samples))
  return await startSipp('caller', to, {
    // In this SIPp rtp_stream sends from a port of its own, named by this keyword.
    MEDIA_PORT: '[rtpstream_audio_port]',
    PLAY: `rtp_stream="${to.folder.file('caller.alaw')},1,8"`,
    lengthMs: lengthMs(audio),
  })
}

/** Calls and sends the audio with RFC 4733 events (RFC 2833 to SIPp), from a pcap file made for this call. */
export async function callWithEvents(to: SippCall, audio: CallAudio, style: EventStyle): Promise<Sipp> {
  await writeFile(to.folder.file('caller.pcap'), writePcap(rtpPackets(audio, style)))
  return await startSipp('caller', to, {
    MEDIA_PORT: '[media_port]',
    PLAY: `play_pcap_audio="${to.folder.file('caller.pcap')}"`,
    lengthMs: lengthMs(audio),
  })
}

/** Calls and must be refused with 486. */
export async function callAndBeRefused(to: SippCall): Promise<Sipp> {
  return await startSipp('caller-refused', to, { MEDIA_PORT: '[media_port]', PLAY: '', lengthMs: 0 })
}

/** A callee for one call, on a port of its own. */
export async function startSippCallee(scenario: 'callee' | 'callee-busy', folder: TemporaryFolder): Promise<Sipp> {
  return await startSipp(scenario, { folder }, { MEDIA_PORT: '[media_port]', PLAY: '', lengthMs: 60_000 })
}

async function startSipp(
  scenario: Scenario,
  to: { folder: TemporaryFolder; user?: string; port?: number },
  options: { MEDIA_PORT: string; PLAY: string; lengthMs: number },
): Promise<Sipp> {
  const template = await readFile(new URL(`./sipp/${scenario}.xml`, import.meta.url), 'utf8')
  const file = to.folder.file(`${scenario}.xml`)
  await writeFile(file, template.replaceAll('@MEDIA_PORT@', options.MEDIA_PORT).replaceAll('@PLAY@', options.PLAY))
  const errors = to.folder.file(`${scenario}-errors.log`)
  // SIPp takes the RTP port and the one two above it, and a control port.
  const sipPort = await freePorts(8)
  const lifeSeconds = Math.ceil(options.lengthMs / 1_000) + 30
  const args = ['-sf', file, '-m', '1', '-i', '127.0.0.1', '-p', String(sipPort), '-cp', String(sipPort + 1)]
  args.push('-mi', '127.0.0.1', '-mp', String(sipPort + 2), '-d', String(options.lengthMs), '-nostdin')
  args.push('-trace_err', '-error_file', errors, '-timeout', String(lifeSeconds), '-timeout_error')
  if (to.port !== undefined) args.push('-s', to.user ?? '', `127.0.0.1:${to.port}`)
  const program = startProgram('sipp', args, { cwd: to.folder.path, lifeMs: (lifeSeconds + 5) * 1_000 })
  return {
    sipPort,
    succeeded: () => mustSucceed(program, scenario, errors),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  }
}

async function mustSucceed(program: StartedProgram, scenario: Scenario, errors: string): Promise<void> {
  const { code } = await program.ended
  if (code === 0) return
  const words = existsSync(errors) ? await readFile(errors, 'utf8') : program.output().slice(-2_000)
  throw new Error(`SIPp as ${scenario} ended with ${String(code)}: ${words.slice(0, 4_000)}`)
}

function lengthMs(audio: CallAudio): number {
  return Math.ceil(audio.samples.length / SAMPLES_PER_MS)
}

const DEBIAN_FOLDER = '/usr/share/sip-tester'

/**
 * The recorded presses that Debian ships with SIPp, by event number. They begin with duration 0, count 320 units in 20 ms, and
 * their three end packets share one sequence number.
 */
export async function debianPresses(): Promise<ReadonlyMap<number, readonly PcapPacket[]>> {
  const names = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'star', 'pound']
  const presses = names.map(async (name): Promise<[number, PcapPacket[]]> => {
    return [names.indexOf(name), readPcap(await readFile(`${DEBIAN_FOLDER}/dtmf_2833_${name}.pcap`))]
  })
  return new Map(await Promise.all(presses))
}
