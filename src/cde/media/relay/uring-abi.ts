/** Numbers of linux/io_uring.h, as the kernel's ABI fixes them for good. Sizes and offsets in octets. */

export const SYS_SETUP = 425
export const SYS_ENTER = 426
export const SYS_REGISTER = 427

export const REGISTER_FILES = 2
export const REGISTER_FILES_UPDATE = 6
export const REGISTER_PBUF_RING = 22

export const ENTER_GETEVENTS = 1
export const ENTER_EXT_ARG = 1 << 3

export const SETUP_CQSIZE = 1 << 3
export const SETUP_COOP_TASKRUN = 1 << 8
export const SETUP_SINGLE_ISSUER = 1 << 12
export const SETUP_DEFER_TASKRUN = 1 << 13

export const OFFSET_SQES = 0x1000_0000
export const PARAMS_OCTETS = 120
/** `struct io_uring_getevents_arg`. */
export const GETEVENTS_ARG_OCTETS = 24
/** `struct io_uring_recvmsg_out`, which stands before the room for the name, and that before the payload. */
export const RECVMSG_OUT_OCTETS = 16

export const OP_NOP = 0
export const OP_RECVMSG = 10
export const OP_ASYNC_CANCEL = 14
export const OP_READ = 22
export const OP_SEND = 26
export const OP_RECV = 27

export const SQE_WORDS = 16
export const SQE_FIXED_FILE = 1
export const SQE_BUFFER_SELECT = 1 << 5
export const SQE_SKIP_SUCCESS = 1 << 6
export const RECV_MULTISHOT = 2

export const CQE_BUFFER = 1
export const CQE_MORE = 2
