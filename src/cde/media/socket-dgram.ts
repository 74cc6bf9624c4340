import { createSocket, type Socket } from 'node:dgram'
import type { Address } from '../../lib/address.ts'
import { isUnspecified } from './ip-host.ts'
import { type Frame, type MediaEngine, MediaOpenError, type MediaOpenReason, type MediaSocket } from './socket.ts'

const openReasons: Readonly<Record<string, MediaOpenReason>> = {
  EADDRINUSE: 'address-in-use',
  EADDRNOTAVAIL: 'address-not-here',
}

/** Node's own UDP sockets: runs everywhere, carries a few hundred calls per core. */
export const dgramEngine: MediaEngine = {
  open: (local, onPacket, onFrame) =>
    new Promise((resolve, reject) => {
      const isIpv6 = local.host.includes(':')
      const socket = createSocket({
        type: isIpv6 ? 'udp6' : 'udp4',
        ipv6Only: isIpv6,
        // Destinations are IP literals; a name must never make the card zone ask a name server.
        lookup: (host, _options, callback) => callback(null, host, host.includes(':') ? 6 : 4),
      })
      socket.once('error', (error: NodeJS.ErrnoException) => {
        socket.close()
        reject(new MediaOpenError(openReasons[error.code ?? ''] ?? 'failed'))
      })
      socket.bind({ address: local.host, port: local.port }, () => {
        socket.removeAllListeners('error')
        // An ICMP "port unreachable" or a passing network fault shows up here: the next packet may well go through.
        socket.on('error', () => {})
        socket.on('message', (octets, { address, port }) => {
          const from = { host: address, port }
          if (onFrame?.({ octets, start: 0, length: octets.length, from }) !== true) onPacket(octets, from)
        })
        resolve(new DgramSocket(socket))
      })
    }),
}

class DgramSocket implements MediaSocket {
  readonly local: Address
  readonly #socket: Socket
  #open = true

  constructor(socket: Socket) {
    const { address, port } = socket.address()
    this.local = { host: address, port }
    this.#socket = socket
  }

  send(packet: Uint8Array, to: Address): void {
    if (!this.#open || isUnspecified(to.host) || !Number.isInteger(to.port) || to.port < 1 || to.port > 65_535) return
    this.#socket.send(packet, to.port, to.host, ignoreSendError)
  }

  // Node made the datagram's memory for it alone, so it may wait in a queue.
  forward({ octets, start, length }: Frame, to: Address): void {
    this.send(octets.subarray(start, start + length), to)
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#socket.close()
  }
}

// Without a callback Node would raise the fault as an 'error' event; it is loss, no more.
function ignoreSendError(): void {}
