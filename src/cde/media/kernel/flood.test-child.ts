/** Sends RTP without end, each packet with the time at which it left (monotonic, one clock for all processes). */
import process from 'node:process'
import { mapMemory, libc } from '../relay/libc.ts'
import { writeSockaddr } from '../relay/sockaddr.ts'
import { bindUdp } from '../relay/udp.ts'
import { rtp } from './kernel.test-kit.ts'

const [host = '', port = '', toHost = '', toPort = ''] = process.argv.slice(2)
const { fd } = bindUdp(libc, { host, port: Number(port) })
const { address, octets } = mapMemory(4_096)
const PACKET_AT = 64
const addressOctets = writeSockaddr(octets, 0, { host: toHost, port: Number(toPort) })
const packet = rtp(1)
octets.set(packet, PACKET_AT)
const view = new DataView(octets.buffer)
process.stdout.write('flooding\n')
for (;;) {
  view.setBigUint64(PACKET_AT + 12, process.hrtime.bigint())
  libc.sendto(fd, address + PACKET_AT, packet.length, 0, address, addressOctets)
}
