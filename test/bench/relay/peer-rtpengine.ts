import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { type StartedProgram, startProgram } from '../../support/processes.ts'
import { type BenchNet, type CallPorts, loopback, type RelayUnderTest } from './relay-under-test.ts'

const NG_PORT = 45_222

/** rtpengine in user space (`--table=-1`) with one thread, its calls set up by its ng protocol. */
export async function startRtpengine(calls: number, core: number, net: BenchNet = loopback): Promise<RelayUnderTest> {
  const args = ['-n', '-20', 'taskset', '-c', String(core), 'rtpengine', '--config-file=none', '--table=-1']
  const own = [
    `--interface=${net.relay}`,
    `--listen-ng=127.0.0.1:${NG_PORT}`,
    '--port-min=20100',
    '--port-max=29999',
    '--num-threads=1',
    '--foreground',
    '--log-stderr',
    '--log-level=3',
  ]
  const program = startProgram('nice', [...args, ...own], { lifeMs: 120_000 })
  const ng = createSocket('udp4')
  ng.bind(0, '127.0.0.1')
  await once(ng, 'listening')
  const ask = asker(ng)
  await untilAlive(ask)
  const ports: CallPorts[] = []
  for (let call = 0; call < calls; call++) ports.push(await setUp(ask, call, net))
  return { pid: program.pid, ports, close: () => close(program, ng) }
}

type Ask = (command: Readonly<Record<string, unknown>>) => Promise<Record<string, unknown>>

function asker(ng: ReturnType<typeof createSocket>): Ask {
  let cookie = 0
  return async (command) => {
    const name = `c${cookie++}`
    ng.send(`${name} ${JSON.stringify(command)}`, NG_PORT, '127.0.0.1')
    const signal = AbortSignal.timeout(2_000)
    for (;;) {
      const [message] = (await once(ng, 'message', { signal })) as [Buffer]
      const text = message.toString()
      if (text.startsWith(`${name} `)) return JSON.parse(text.slice(name.length + 1)) as Record<string, unknown>
    }
  }
}

async function untilAlive(ask: Ask): Promise<void> {
  for (let tries = 0; tries < 10; tries++) {
    const answer = await ask({ command: 'ping' }).catch(() => undefined)
    if (answer?.['result'] === 'pong') return
    await delay(200)
  }
  throw new Error('rtpengine does not answer')
}

async function setUp(ask: Ask, call: number, net: BenchNet): Promise<CallPorts> {
  const ids = { 'call-id': `bench-${call}`, 'from-tag': 'caller', flags: ['trust-address'], ICE: 'remove' }
  const offer = await ask({ command: 'offer', ...ids, sdp: sdp(net.leg(call, 1)) })
  const answer = await ask({ command: 'answer', ...ids, 'to-tag': 'agent', sdp: sdp(net.leg(call, 2)) })
  // The offer's SDP goes to the agent and names the agent leg's port; the answer's names the caller leg's.
  return { caller: portOf(answer), agent: portOf(offer) }
}

function sdp(host: string): string {
  return `v=0\r\no=- 1 1 IN IP4 ${host}\r\ns=-\r\nc=IN IP4 ${host}\r\nt=0 0\r\nm=audio 20000 RTP/AVP 8\r\na=sendrecv\r\n`
}

function portOf(answer: Readonly<Record<string, unknown>>): number {
  const port = /m=audio (\d+)/.exec(String(answer['sdp']))?.[1]
  if (port === undefined) throw new Error(`rtpengine refused: ${JSON.stringify(answer)}`)
  return Number(port)
}

async function close(program: StartedProgram, ng: ReturnType<typeof createSocket>): Promise<void> {
  ng.close()
  await program.stop()
}
