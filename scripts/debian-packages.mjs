// The Debian packages that the tests use, each with its reason, and their installer. Plain JavaScript: it runs on any Node ≥ 20.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import process from 'node:process'

const UPDATE_MS_MAX = 120_000
const INSTALL_MS_MAX = 480_000

/**
 * `proof`: a program on the PATH, or the end of a file's path under /usr, that is there when the package is.
 * `tests`: what is skipped without it. Tests name the packages they need in `missing()` of test/support/have.ts.
 */
export const debianPackages = [
  {
    name: 'sip-tester',
    proof: { program: 'sipp' },
    reason: 'SIPp: scripted callers and callees, RTP from pcap and A-law files',
    tests: 'calls from SIPp',
  },
  {
    name: 'baresip-core',
    proof: { program: 'baresip' },
    reason: 'a headless softphone that records what it hears: the agent of the leak tests',
    tests: 'all tests with real peers',
  },
  {
    name: 'multimon-ng',
    proof: { program: 'multimon-ng' },
    reason: 'first independent DTMF decoder that looks for digits in the recording of the agent',
    tests: 'all tests with real peers',
  },
  {
    name: 'libspandsp-dev',
    proof: { file: 'include/spandsp.h', multiarch: true },
    reason: 'second independent DTMF decoder, with other blind spots than the first',
    tests: 'all tests with real peers',
  },
  {
    name: 'libtiff-dev',
    proof: { file: 'include/tiffio.h', multiarch: true },
    reason: 'spandsp.h includes its header',
    tests: 'all tests with real peers',
  },
  {
    name: 'gcc',
    proof: { program: 'gcc' },
    reason: 'compiles the fifteen lines of C that feed samples to spandsp',
    tests: 'all tests with real peers',
  },
  {
    name: 'libc6-dev',
    proof: { file: 'include/stdio.h' },
    reason: 'headers for gcc',
    tests: 'all tests with real peers',
  },
  {
    name: 'libsrtp2-dev',
    proof: { file: 'include/srtp2/srtp.h' },
    reason: 'a second implementation of SRTP, to compare ours with bit by bit',
    tests: 'the comparison of SRTP with libsrtp',
  },
  {
    name: 'sox',
    proof: { program: 'sox' },
    reason: 'resamples recordings for multimon-ng',
    tests: 'all tests with real peers',
  },
  {
    name: 'ffmpeg',
    proof: { program: 'ffmpeg' },
    reason: 'second implementation of G.722, with which ours must agree bit by bit',
    tests: 'codecs compared with ffmpeg',
  },
  {
    name: 'tshark',
    proof: { program: 'tshark' },
    reason: 'reads our RTCP, and measures loss, jitter and round trip from the packets by itself',
    tests: 'call quality compared with tshark',
  },
  {
    name: 'chromium',
    proof: { program: 'chromium' },
    reason: 'opens the demo page: a card is keyed by clicks',
    tests: 'tests of the page and the widget in a browser',
  },
  {
    name: 'asterisk-core-sounds-en-wav',
    proof: { file: 'share/asterisk/sounds/en_US_f_Allison/agent-incorrect.wav' },
    reason: 'recorded human speech for the callers (CC-BY-SA-3.0: used from where it is installed, never copied)',
    tests: 'nothing; the callers then speak with the synthetic voice in assets/voice',
  },
]

/** What only benchmarks use: not installed for the tests. `apt-get install` them by hand; a benchmark without its peer says so. */
export const benchPackages = [
  {
    name: 'rtpengine-daemon',
    proof: { program: 'rtpengine' },
    reason: 'the relay that ours is measured against',
    tests: 'the ratios of bench:relay',
  },
]

/** @returns {boolean} whether what the package brings is on this machine, whoever put it there */
export function isPresent({ proof }) {
  if (proof.program !== undefined) {
    return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, proof.program)))
  }
  if (existsSync(join('/usr', proof.file))) return true
  if (!proof.multiarch || !existsSync('/usr/include')) return false
  // Debian keeps headers that differ by processor in /usr/include/<triplet>.
  const header = proof.file.replace('include/', '')
  return readdirSync('/usr/include').some((folder) => existsSync(join('/usr/include', folder, header)))
}

/**
 * Installs what is missing when it may: Linux with apt-get, as root or by sudo without a password, and TONEWALL_TEST_INSTALL is not "no".
 * Never asks, never throws, bounded in time, prints one line per fact. Tests skip by themselves what is still missing afterwards.
 * @returns {{name: string, tests: string}[]} what is still missing
 */
export function installDebianPackages(say = console.log) {
  const wanted = debianPackages.filter((entry) => !isPresent(entry))
  if (wanted.length === 0) {
    say(`Debian packages for the tests: all ${debianPackages.length} are here`)
    return []
  }
  const names = wanted.map(({ name }) => name)
  const prefix = rootPrefix()
  if (typeof prefix === 'string') {
    say(`Debian packages for the tests: not installing ${names.join(', ')}: ${prefix}`)
    return wanted
  }
  say(`Debian packages for the tests: installing ${names.join(', ')}`)
  aptGet(prefix, ['update', '-qq'], UPDATE_MS_MAX)
  const installed = aptGet(prefix, ['install', '-qq', '-y', '--no-install-recommends', ...names], INSTALL_MS_MAX)
  // One package that this distribution lacks must not keep the others away.
  if (!installed)
    for (const name of names) aptGet(prefix, ['install', '-qq', '-y', '--no-install-recommends', name], 120_000)
  const missing = wanted.filter((entry) => !isPresent(entry))
  if (missing.length > 0) {
    say(
      `Debian packages for the tests: apt-get could not bring ${missing.map(({ name }) => name).join(', ')} (offline?)`,
    )
  }
  return missing
}

/** @returns {string[] | string} what to put before apt-get, or why it may not be used */
function rootPrefix() {
  if (process.env.TONEWALL_TEST_INSTALL === 'no') return 'TONEWALL_TEST_INSTALL is "no"'
  if (process.platform !== 'linux' || !existsSync('/usr/bin/apt-get')) return 'this system has no apt-get'
  if (process.getuid?.() === 0) return []
  const sudo = spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore', timeout: 5_000 })
  return sudo.status === 0 ? ['sudo', '-n'] : 'neither root nor sudo without a password'
}

function aptGet(prefix, args, timeoutMs) {
  const [command, ...rest] = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...options, ...args]
  const { status } = spawnSync(command, rest, { stdio: 'ignore', timeout: timeoutMs })
  return status === 0
}

// Offline it gives up in seconds; beside another apt-get it waits half a minute.
const options = ['-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=10', '-o', 'DPkg::Lock::Timeout=30']
