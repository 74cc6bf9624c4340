import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

// Below Linux's range for outgoing sockets (32768 and up), so that no client's socket takes a port between our look and its use.
const PORT_MIN = 20_000
const PORT_MAX = 32_000
const TRIES_MAX = 200

const handedOut = new Set<number>()

/**
 * The first of `count` consecutive ports of 127.0.0.1 that are free for UDP and TCP now; it is even, as RTP wants it (RFC 3550 11),
 * and none of them was handed out before in this process.
 */
export async function freePorts(count: number): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    // Test files run as separate processes: a random start keeps them apart.
    const first = PORT_MIN + 2 * Math.floor((Math.random() * (PORT_MAX - PORT_MIN - count)) / 2)
    const ports = Array.from({ length: count }, (_, i) => first + i)
    if (ports.some((port) => handedOut.has(port))) continue
    if (!(await allFree(ports))) continue
    for (const port of ports) handedOut.add(port)
    return first
  }
  throw new Error(`no ${count} consecutive free ports between ${PORT_MIN} and ${PORT_MAX}`)
}

async function allFree(ports: readonly number[]): Promise<boolean> {
  for (const port of ports) {
    if (!(await udpFree(port)) || !(await tcpFree(port))) return false
  }
  return true
}

async function udpFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4')
  try {
    socket.bind(port, '127.0.0.1')
    await once(socket, 'listening')
    return true
  } catch {
    return false
  } finally {
    socket.close()
  }
}

async function tcpFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}
