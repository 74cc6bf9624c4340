/**
 * The system calls of the relay's engines, called through koffi. The only file that names it. Pointers are plain numbers: the
 * addresses of a process lie below 2^47. Importing this file loads a native addon: it fails where that is not allowed.
 */
import koffi from 'koffi'

/** Memory that the kernel may know: mapped by us, so that no garbage collection moves or frees it, and never unmapped. */
export interface Region {
  readonly address: number
  readonly octets: Uint8Array<ArrayBuffer>
}

type Call = (...args: readonly (number | null)[]) => number

const library = koffi.load('libc.so.6')
const call = (definition: string): Call => library.func(definition)
/** `syscall` takes any number of arguments; each use of it declares its own. */
const systemCall = (argumentTypes: readonly string[]): Call =>
  library.func('syscall', 'long', ['long', ...argumentTypes])

const mmap = call('int64 mmap(int64, size_t, int, int, int, int64)')
const PROT_READ_WRITE = 3
const MAP_PRIVATE_ANONYMOUS = 0x22
const MAP_SHARED_POPULATE = 0x8001

/** Zeroed memory of our own. @throws when the system has none */
export function mapMemory(octets: number): Region {
  return mapped(octets, MAP_PRIVATE_ANONYMOUS, -1, 0)
}

function mapped(octets: number, flags: number, fd: number, offset: number): Region {
  const address = mmap(0, octets, PROT_READ_WRITE, flags, fd, offset)
  if (address <= 0) throw new Error(`no memory mapped: errno ${koffi.errno()}`)
  return { address, octets: new Uint8Array(koffi.view(BigInt(address), octets)) }
}

/** As a table, so that tests can put one in its place whose calls fail. */
export const libc = {
  /** Memory shared with the kernel through a file descriptor. @throws when it is refused */
  mapDescriptor: (fd: number, octets: number, offset: number): Region =>
    mapped(octets, MAP_SHARED_POPULATE, fd, offset),
  /** Of this thread's last call that failed. */
  errno: (): number => koffi.errno(),
  socket: call('int socket(int, int, int)'),
  bind: call('int bind(int, int64, int)'),
  connect: call('int connect(int, int64, int)'),
  getsockname: call('int getsockname(int, int64, int64)'),
  setsockopt: call('int setsockopt(int, int, int, int64, int)'),
  close: call('int close(int)'),
  eventfd: call('int eventfd(uint, int)'),
  read: call('long read(int, int64, size_t)'),
  write: call('long write(int, int64, size_t)'),
  /** `usleep(microseconds)`, below one second. */
  usleep: call('int usleep(uint)'),
  recv: call('int recv(int, int64, int, int)'),
  send: call('int send(int, int64, int, int)'),
  recvfrom: call('int recvfrom(int, int64, int, int, int64, int64)'),
  sendto: call('int sendto(int, int64, int, int, int64, int)'),
  epollCreate: call('int epoll_create1(int)'),
  epollControl: call('int epoll_ctl(int, int, int, int64)'),
  epollWait: call('int epoll_wait(int, int64, int, int)'),
  /** `io_uring_setup(entries, params)`, with its number before it. */
  uringSetup: systemCall(['uint', 'int64']),
  /** `io_uring_enter(fd, to_submit, min_complete, flags, sig, sz)` */
  uringEnter: systemCall(['int', 'uint', 'uint', 'uint', 'int64', 'int64']),
  /** `io_uring_register(fd, opcode, arg, nr_args)` */
  uringRegister: systemCall(['int', 'uint', 'int64', 'uint']),
} as const

export const errnoOf = libc.errno

export type Libc = typeof libc
