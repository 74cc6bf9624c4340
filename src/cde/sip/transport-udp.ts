import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Address } from '../../lib/address.ts'
import type { Clock } from '../../lib/clock.ts'
import { sipLimits } from '../../lib/limits.ts'
import type { LegEvent, Output, UserAgent } from './user-agent.ts'

export interface SipTransport {
  /** The bound address, with the real port when 0 was asked for. */
  readonly local: Address
  /** Carries out what an order to the UserAgent returned, and re-arms the timer. */
  run(outputs: readonly Output[]): void
  /** Lets what was handed to `run` leave the machine (a closed socket forgets it), for a bounded time; then closes. */
  close(): Promise<void>
}

/**
 * Binds a UDP socket for the UserAgent and drives it: datagrams in and out, one timer.
 * When `ua.local.port` is 0 it is set to the bound port. Events are handed to `onEvent` one by one, in order; orders
 * made inside it go through `run`. Errors of single datagrams never leave this file: the UserAgent is told.
 * Rejects with the socket's error when the address cannot be bound.
 */
export async function openUdpTransport(
  ua: UserAgent,
  bind: Address,
  clock: Clock,
  onEvent: (event: LegEvent) => void,
): Promise<SipTransport> {
  const socket = createSocket({ type: isIPv6(bind.host) ? 'udp6' : 'udp4', recvBufferSize: 4 * 1024 * 1024 })
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ address: bind.host, port: bind.port }, () => {
      socket.off('error', reject)
      resolve()
    })
  })
  const local: Address = { host: bind.host, port: socket.address().port }
  if (ua.local.port === 0) ua.local = { host: ua.local.host, port: local.port }
  let closing: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  /** A dgram socket sends after a look-up of the address, even of a literal one: never within `send` itself. */
  let underWay = 0
  let onAllSent = (): void => {}

  const send = (to: Address, datagram: Uint8Array): void => {
    const failed = (): void => {
      if (closing === undefined) run(ua.sendFailed(datagram, clock.monotonicMs()))
    }
    try {
      socket.send(datagram, to.port, to.host, (error) => {
        if (--underWay === 0) onAllSent()
        if (error !== null) failed()
      })
      underWay++
    } catch {
      // An address the socket cannot take (port 0, wrong family): as if the network had refused it, but not re-entrant.
      queueMicrotask(failed)
    }
  }
  const run = (outputs: readonly Output[]): void => {
    if (closing !== undefined) return
    for (const output of outputs) {
      if (output.type === 'send') send(output.to, output.datagram)
      else {
        onEvent(output.event)
        // The body of an INFO may be a key press: it does not outlive its event.
        if (output.event.type === 'info') output.event.body.fill(0)
      }
    }
    arm()
  }
  const arm = (): void => {
    clearTimeout(timer)
    const atMs = ua.nextWakeAtMs()
    if (closing !== undefined || atMs === undefined) return
    timer = setTimeout(() => run(ua.wake(clock.monotonicMs())), Math.max(1, Math.ceil(atMs - clock.monotonicMs())))
  }

  socket.on('message', (datagram, source) => {
    const outputs = ua.receive(datagram, { host: source.address, port: source.port }, clock.monotonicMs())
    datagram.fill(0)
    run(outputs)
  })
  // Errors that belong to no datagram (a refused port reported late): the transaction timers deal with the silence.
  socket.on('error', () => {})

  const shut = async (): Promise<void> => {
    clearTimeout(timer)
    if (underWay > 0) {
      await new Promise<void>((resolve) => {
        onAllSent = resolve
        timer = setTimeout(resolve, sipLimits.closeMs)
      })
      clearTimeout(timer)
    }
    await new Promise<void>((resolve) => socket.close(() => resolve()))
  }
  return { local, run, close: () => (closing ??= shut()) }
}
