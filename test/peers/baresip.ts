/**
 * baresip as agent and as caller, headless. It records what it hears: `module sndfile.so` writes both directions of a call
 * as WAV files at the codec's rate (`-dec.wav`: heard, `-enc.wav`: said).
 */
import { existsSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSocket } from 'node:dgram'
import { fromBaseRate } from '../../src/cde/media/resample.ts'
import { writeWav } from '../../src/lib/wav.ts'
import { readMono } from '../support/call-audio.ts'
import { freePorts } from '../support/free-ports.ts'
import { runProgram, startProgram } from '../support/processes.ts'
import type { TemporaryFolder } from '../support/temp-folder.ts'

const READY_MS_MAX = 10_000
const LIFE_SECONDS = 90

/** Of baresip's module `rtcpsummary`: what it sent (`tx`) as its peer reports it, and what it received. */
export interface RtcpSummary {
  readonly packetsReceived: number
  readonly packetsSent: number
  readonly lost: { readonly received: number; readonly sent: number }
  readonly jitterMs: { readonly received: number; readonly sent: number }
}

export interface Baresip extends AsyncDisposable {
  /** `sip:<name>@127.0.0.1:<port>` */
  readonly uri: string
  readonly sipPort: number
  /** The keys that reached it as RFC 4733 events, as its console shows them. Leak tests look at the length only. */
  keysSeen(): string
  /** What its RTCP said at the end of its call; undefined before. */
  rtcpSummary(): RtcpSummary | undefined
  /** The suite of its call's SRTP; undefined in the clear. */
  srtpSuite(): string | undefined
  /** What it decodes, as its console names it; it falls back to others where its only codec is misspelt. */
  decodes(): string | undefined
  /** Resolves when its call is up; rejects after the time. */
  established(timeoutMs: number): Promise<void>
  /** Resolves when its call is over and the recording is complete. */
  hungUp(timeoutMs: number): Promise<void>
  /** What it heard in its one call. */
  recording(): Promise<Int16Array>
  /** Presses and releases a key: RFC 4733 events beside the audio. */
  press(key: string): Promise<void>
  /** Any single-key or `/` command of its console: `x` hold, `X` resume, `b` hang up. */
  command(text: string): Promise<void>
}

export interface BaresipOptions {
  readonly name: string
  readonly folder: TemporaryFolder
  /** What it says, from the start of the call; silence afterwards and by default. */
  readonly says?: Int16Array
  /** Where it calls as soon as it is up; an agent, which calls nobody, answers at once. */
  readonly dials?: string
  /** The only codec it speaks; PCMA by default. */
  readonly codec?: 'PCMA' | 'PCMU' | 'G722' | 'opus'
  /** SRTP with SDES, or with DTLS: none by default; with `required` and `dtls` it takes and makes no call without. */
  readonly srtp?: keyof typeof mediaEncryptions
}

const mediaEncryptions = { offered: 'srtp', required: 'srtp-mand', dtls: 'dtls_srtp' } as const

/** Its own resampler smears tones: it is given the rate that its codec wants. */
const ratesHz = { PCMA: 8_000, PCMU: 8_000, G722: 16_000, opus: 48_000 } as const

export async function startBaresip(options: BaresipOptions): Promise<Baresip> {
  const home = options.folder.file(options.name)
  const recordings = join(home, 'recordings')
  await mkdir(recordings, { recursive: true })
  const first = await freePorts(24)
  const uri = `sip:${options.name}@127.0.0.1:${first}`
  await writeFile(join(home, 'contacts'), '')
  const { codec = 'PCMA' } = options
  const rateHz = ratesHz[codec]
  const says = padded(options.says ?? new Int16Array())
  const saysAtRate = fromBaseRate(says, rateHz, (says.length * rateHz) / 8_000)
  await writeFile(join(home, 'says.wav'), writeWav([saysAtRate], rateHz))
  await writeFile(join(home, 'config'), await configuration(home, first, rateHz, options.srtp === 'dtls'))
  // baresip names G.722 by its rate, not by its clock.
  const codecs = `audio_codecs=${codec}/${rateHz}/1`
  const answer = options.dials === undefined ? 'answermode=auto;' : ''
  const encryption = options.srtp === undefined ? '' : `mediaenc=${mediaEncryptions[options.srtp]};`
  await writeFile(join(home, 'accounts'), `<${uri}>;regint=0;${answer}${encryption}${codecs}\n`)

  const program = startProgram(
    'baresip',
    ['-f', home, '-t', String(LIFE_SECONDS), ...(options.dials === undefined ? [] : ['-e', `/dial ${options.dials}`])],
    { lifeMs: (LIFE_SECONDS + 10) * 1_000 },
  )
  await program.waitFor(/baresip is ready/, READY_MS_MAX)
  return {
    uri,
    sipPort: first,
    keysSeen: () => [...program.output().matchAll(/received event: '(.)' \(end=1\)/g)].map(([, key]) => key).join(''),
    rtcpSummary: () => readSummary(program.output()),
    srtpSuite: () =>
      /(?:SRTP is Enabled \(cryptosuite|DTLS-SRTP complete \(.*\) Profile)=(\w+)/.exec(program.output())?.[1],
    decodes: () => /Set audio decoder: (\w+)/.exec(program.output())?.[1],
    async established(timeoutMs) {
      await program.waitFor(/Call established/, timeoutMs)
    },
    async hungUp(timeoutMs) {
      await program.waitFor(/terminated \(duration/, timeoutMs)
    },
    recording: () => readRecording(recordings),
    async press(key) {
      await sendToConsole(consolePort(first), key)
      // 4 is the console's word for "key released".
      await sendToConsole(consolePort(first), '\u0004')
    },
    command: (text) => sendToConsole(consolePort(first), text),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  }
}

/** Ports from the first: SIP, SIP over TLS, console, a gap, and eight pairs for RTP and RTCP. */
function consolePort(first: number): number {
  return first + 2
}

async function configuration(home: string, first: number, rateHz: number, isMuxed: boolean): Promise<string> {
  return [
    `module_path ${await modulePath()}`,
    'poll_method epoll',
    'net_interface 127.0.0.1',
    `sip_listen 127.0.0.1:${first}`,
    `rtp_ports ${first + 4}-${first + 22}`,
    'rtp_timeout 0',
    `audio_source aufile,${join(home, 'says.wav')}`,
    `audio_player aufile,${join(home, 'unused.wav')}`,
    `ausrc_srate ${rateHz}`,
    `auplay_srate ${rateHz}`,
    'ausrc_channels 1',
    'auplay_channels 1',
    'module g711.so',
    'module g722.so',
    'module opus.so',
    // A phone as they come: copies of the frame before.
    'opus_inbandfec yes',
    'opus_bitrate 64000',
    'opus_stereo no',
    'opus_sprop_stereo no',
    'module aufile.so',
    'module sndfile.so',
    'module srtp.so',
    'module dtls_srtp.so',
    // As trunks in the manner of WebRTC have it.
    `rtcp_mux ${isMuxed ? 'yes' : 'no'}`,
    'module cons.so',
    'module rtcpsummary.so',
    `cons_listen 127.0.0.1:${consolePort(first)}`,
    `snd_path ${join(home, 'recordings')}`,
    'module_app account.so',
    'module_app menu.so',
    'module_tmp uuid.so',
    '',
  ].join('\n')
}

/** `EX=BareSip;…;PR=<received>;PS=<sent>;PL=<lost received>,<lost sent>;…;JI=<received>,<sent>;…` */
function readSummary(output: string): RtcpSummary | undefined {
  const line = /EX=BareSip;[^\n]*/.exec(output)?.[0]
  const pair = (name: string): number[] =>
    (new RegExp(`;${name}=([-\\d.,]+)`).exec(line ?? '')?.[1] ?? '').split(',').map(Number)
  const [packetsReceived] = pair('PR')
  const [packetsSent] = pair('PS')
  const [lostReceived, lostSent] = pair('PL')
  const [jitterReceived, jitterSent] = pair('JI')
  if (line === undefined || packetsReceived === undefined || packetsSent === undefined) return undefined
  return {
    packetsReceived,
    packetsSent,
    lost: { received: lostReceived ?? Number.NaN, sent: lostSent ?? Number.NaN },
    jitterMs: { received: jitterReceived ?? Number.NaN, sent: jitterSent ?? Number.NaN },
  }
}

/** Debian's own place, or where the package says (multi-arch). */
async function modulePath(): Promise<string> {
  const usual = '/usr/lib/baresip/modules'
  if (existsSync(usual)) return usual
  const { stdout } = await runProgram('dpkg', ['-L', 'baresip-core'], { timeoutMs: 10_000 })
  const found = stdout.toString('utf8').match(/^(.*)\/g711\.so$/m)
  if (found?.[1] === undefined) throw new Error('baresip modules not found')
  return found[1]
}

/** baresip stops sending when its file is over: a minute of silence keeps the stream alive. */
function padded(samples: Int16Array): Int16Array {
  const whole = new Int16Array(samples.length + 60 * 8_000)
  whole.set(samples)
  return whole
}

async function readRecording(folder: string): Promise<Int16Array> {
  const heard = (await readdir(folder)).filter((name) => name.endsWith('-dec.wav'))
  const [only, another] = heard
  if (only === undefined || another !== undefined) throw new Error(`${heard.length} recordings, expected one`)
  return await readMono(join(folder, only))
}

function sendToConsole(port: number, text: string): Promise<void> {
  const socket = createSocket('udp4')
  return new Promise((resolve, reject) => {
    socket.send(text, port, '127.0.0.1', (error) => {
      socket.close()
      if (error === null) resolve()
      else reject(error)
    })
  })
}
