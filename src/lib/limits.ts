/**
 * Every bound in Tonewall, in one place (DESIGN invariant 7). Units are in the names.
 * A bound that is reached is counted and answered with a clear refusal; nothing grows past it.
 */

/** The wall between the zones. */
export const wallLimits = {
  /** Where a total begins again at zero: eleven digits, because the shortest card number has twelve. */
  totalMax: 99_999_999_999,
  messageOctetsMax: 64 * 1024,
  /** Orders come from control only; the settings of 10,000 numbers are the largest. */
  orderOctetsMax: 8 * 1024 * 1024,
  queuedMessagesMax: 10_000,
  /** Of these places the last fifth is kept for messages that must not be lost. */
  droppableQueuedMax: 8_000,
} as const

/** Calls and captures that one CDE holds. */
export const callLimits = {
  callsMax: 1_000,
  ringMs: 120_000,
  callMs: 4 * 3_600_000,
  portTriesMax: 10,
  copiedHeadersMax: 64,
  copiedHeaderOctetsMax: 4_096,
  copiedHeadersOctetsMax: 16_384,
  reportedHeadersMax: 32,
  reportedHeadersOctetsMax: 16_384,
  /** Faster keys than these are no finger's: they are masked, and told to nobody. */
  keysPerSecondMax: 25,
  keysBurstMax: 40,
  /** Trunks whose keys are counted each for itself; a row of the report is 200 octets. */
  trunksMax: 128,
} as const

/** RTP, RTCP and SDP. */
export const mediaLimits = {
  packetOctetsMax: 1_500,
  sdpOctetsMax: 65_536,
  sdpLinesMax: 2_000,
  sdpMediaMax: 32,
  sdpFormatsMax: 64,
  /** A source whose numbers jump further must show two packets in a row (sip.md 6.1). */
  sequenceJumpMax: 1_000,
  /** A new SSRC counts when the one before it was quiet for so long: more than the 20 ms between its packets, less than two. */
  streamQuietMs: 30,
  /** After so long without a packet of the old one, the new one is the stream. */
  streamGoneMs: 1_000,
  /** An armed caller who was not heard for so long is reported (sip.md 6.1). */
  sourceSilentMs: 2_000,
  learnPacketsMax: 5,
  learnMs: 500,
  rtcpPacketsPerDatagramMax: 32,
  keepAliveMs: 15_000,
  rtcpIntervalMs: 5_000,
  /** A transit time that changes by more is the source's doing (hold, a clock set anew), not the network's: no jitter. */
  transitChangeMsMax: 1_000,
  /** How often the quality of a live call is reported. */
  qualityEveryMs: 30_000,
  /** A longer way there and back is a peer's mistake. */
  roundTripMsMax: 10_000,
  /** A freed port pair stays bound until it was quiet for this long (MED-11). */
  portQuietMs: 30_000,
  portDrainMs: 600_000,
  /** After so long without a word about the noise of a pause, the pause is silent. */
  comfortFillMs: 60_000,
  /** Pairs of one Opus encoder and one decoder in a thread: 90 kB each. A stream that gets none is silent. */
  opusPairsMax: 4_000,
} as const

/** SRTP and its keys in SDP. */
export const srtpLimits = {
  /** Sources (SSRC) of one leg under one key; a new one beyond it is refused, for forgetting one would let it be replayed. */
  sourcesMax: 64,
  cryptoLinesMax: 16,
  keysPerLineMax: 8,
  /** RFC 4568 6.1. */
  mkiOctetsMax: 128,
  sessionParametersMax: 16,
  /** After a new key the old one counts for so long: packets cross with the answer. */
  oldKeyMs: 2_000,
} as const

/** DTLS-SRTP. */
export const dtlsLimits = {
  /** Of a datagram of ours, IP and UDP not counted: it crosses every path unbroken. */
  datagramOctetsMax: 1_200,
  /** A flight of ours has about a thousand; of what a peer sends no more is looked at. */
  flightOctetsMax: 16_384,
  fingerprintsMax: 8,
  /** Handshakes of one leg that may fail: what somebody injects into one must not end the call, nor keep us busy for ever. */
  attemptsMax: 8,
  attemptEveryMs: 1_000,
  /** A flight is sent again after so many microseconds, and then after twice as many, to a maximum. */
  retransmitUsMin: 200_000,
  retransmitUsMax: 2_000_000,
  /** A handshake that takes longer has failed. */
  handshakeMsMax: 20_000,
  /** Datagrams that are kept of a peer whose handshake comes before its answer in SDP. */
  earlyDatagramsMax: 4,
  /** Datagrams of one leg that OpenSSL is given in a second; a handshake needs a dozen. */
  datagramsPerSecondMax: 64,
} as const

/** The relay's own engines. */
export const relayLimits = {
  /** Two legs with two ports each of 2,000 calls. */
  portsMax: 8_000,
  /** Datagrams that a port takes in per millisecond; a call needs one in 20. What is beyond waits in the kernel, or is lost there. */
  packetsPerPortAndTickMax: 64,
  /** So many of one source in a row, the one that the port sends to, and it gets a connected socket of its own. */
  packetsUntilConnected: 10,
  connectsPerTurnMax: 64,
  /** Receives that ended for want of buffers and are begun again in one turn. */
  restartsPerTurnMax: 64,
  /** Datagrams of all ports in one turn, before timers and orders have theirs. */
  packetsPerTurnMax: 1_024,
  /** How often an engine looks for packets: each wake of a thread costs more than a packet. */
  tickMs: 1,
  /** So many in one turn and the next follows at once. */
  busyTurnPackets: 48,
  /** So long a thread takes turn after turn before its event loop has one; a message from another thread gets its turn at once. */
  turnsMs: 10,
  /** So many packets end the gathering of a waiting engine early. */
  gatheredPacketsMax: 128,
  /** No thread is blocked for longer, whatever it waits for. */
  waitMsMax: 100,
} as const

/** The media threads, seen from the card zone's main thread. */
export const threadLimits = {
  threadsMax: 64,
  countersEveryMs: 2_000,
  silenceMs: 10_000,
  stopMs: 1_000,
} as const

/** Calls whose packets the kernel forwards by itself. */
export const kernelLimits = {
  /** Per thread: two directions of each of its calls. */
  flowsMax: 4_096,
  /** So many packets in a row of each direction, relayed in the plainest way, and a call may go into the kernel. */
  plainPacketsMin: 50,
  /** After a call came out of the kernel, our own packets wait at most so long for the source's number. */
  numbersAwaitedMs: 200,
  /** An agent of whom no packet came to user space for so long is silent; below `keepAliveMs`, above 128 packets of 60 ms. */
  silenceMs: 10_000,
  /** The kernel's counters of a flow are read no more often. */
  countsEveryMs: 1_000,
  /** A change of routes is noticed after so long at most. */
  routesEveryMs: 5_000,
  /** When the kernel refused a call, it is not asked again before. */
  retryMs: 30_000,
  /** When strange packets come, whether the forwarded streams are alive is asked so often at most; well below `streamQuietMs`. */
  strangeMs: 5,
} as const

/** Recordings read by the tools. */
export const wavLimits = {
  octetsMax: 1_024 * 1_024 * 1_024,
  chunksMax: 1_000,
  channelsMax: 8,
  rateHzMax: 192_000,
} as const

/** The agent's widget, in a browser. */
export const widgetLimits = {
  eventCharactersMax: 256 * 1_024,
  /** Control sends a heartbeat every 15 s; a stream quiet for longer than this is taken for dead. */
  streamQuietMs: 40_000,
  reconnectFirstMs: 500,
  reconnectLongestMs: 10_000,
  requestMs: 15_000,
  amountMinorMax: 99_999_999_999,
} as const

/** The simulators. */
export const simLimits = {
  /** A simulated phone hangs up a line on which nothing was heard for so long. */
  deadLineMs: 5_000,
  /** A recording longer than this keeps its beginning. */
  recordingMs: 15 * 60_000,
  /** Late packets that a phone sends at once when its process was held up; older media time is skipped. */
  catchUpPackets: 5,
  queuedPresses: 64,
  pressMsMin: 20,
  pressMsMax: 20_000,
  clipMs: 60_000,
  voiceFileOctetsMax: 2 * 1_024 * 1_024,
  requestOctetsMax: 4_096,
  headersTimeoutMs: 5_000,
  liveClientsMax: 16,
  /** The page's call is hung up when no browser has listened for so long; a reload is much shorter. */
  desertedMs: 30_000,
  /** A browser that does not keep up loses frames beyond this backlog. */
  liveBacklogOctetsMax: 256 * 1_024,
  staticFileOctetsMax: 16 * 1_024 * 1_024,
  widgetTokenTries: 5,
  widgetTokenTimeoutMs: 3_000,
  settingsOctetsMax: 64 * 1_024,
} as const

/** The card zone's process, seen from control. */
export const cdeProcessLimits = {
  restartDelayMsMin: 200,
  restartDelayMsMax: 10_000,
  /** It reports every 5 s. */
  silenceMs: 20_000,
  stopMs: 3_000,
} as const

/** Captures and the digits in them. */
export const captureLimits = {
  capturesMax: 1_000,
  /** Orders for a capture whose line is not masked yet. */
  ordersWaitingMax: 64,
  /** Ids of closed captures that are still told apart from unknown ones. */
  closedRememberedMax: 1_000,
  digitsPerFieldMax: 32,
  /** V8 moves typed arrays of up to 64 octets off its heap without clearing the old copy; ours never live there. */
  digitStoreOctets: 128,
  /** How often the same field is asked again by itself when everything is entered in one go. */
  automaticRequestsMax: 3,
  /** An expiry further ahead than this is read as one of the last century. */
  expiryYearsAheadMax: 20,
} as const

/** Payment gateways, seen from the card zone. */
export const gatewayLimits = {
  connectMs: 3_000,
  requestOctetsMax: 16 * 1_024,
  answerOctetsMax: 64 * 1_024,
  credentialOctetsMax: 4_096,
} as const

/** The simulated sandbox gateway. */
export const sandboxLimits = {
  chargesMax: 100_000,
  requestOctetsMax: 16 * 1_024,
  headersTimeoutMs: 5_000,
  /** A charge that is never answered is cut off after this. */
  silenceMs: 120_000,
} as const

/** SIP: sizes of what is read, numbers of what is held. */
export const sipLimits = {
  messageOctetsMax: 65_535,
  headersMax: 256,
  /** Lines of a message's head, continuation lines and empty lines before it included. */
  headLinesMax: 1_024,
  headerOctetsMax: 8_192,
  legsMax: 4_000,
  transactionsMax: 40_000,
  /** SIP-34: what is left beyond these is for requests inside dialogs. */
  newCallTransactionsMax: 30_000,
  retryAfterS: 5,
  /** Far more than a trunk of 1,000 calls begins; INVITEs beyond it are dropped, and come again after T1. */
  newCallsPerSourcePerS: 50,
  newCallsPerSourceBurst: 100,
  callSourcesMax: 4_096,
  /** Early dialogs and 2xx answers of one forked INVITE. */
  forksMax: 16,
  /** 491 answers to one offer before it is given up. */
  glareRetriesMax: 6,
  /** RFC 7332, SIP-29: a request without Max-Forwards counts as having this. */
  maxForwardsDefault: 70,
  /** How long a closing transport waits for datagrams that are being sent. */
  closeMs: 500,
} as const

const T1_MS = 500

/** SIP timers over UDP, RFC 3261 table 4 and RFC 6026 (reference: sip.md section 3). */
export const sipTimers = {
  t1Ms: T1_MS,
  t2Ms: 4_000,
  t4Ms: 5_000,
  /** 64·T1: timers B, D, F, H, J, L, M, the wait for an ACK, and how long a closed dialog answers a crossing BYE. */
  giveUpMs: 64 * T1_MS,
  /** RFC 3261 13.3.1.1: a provisional answer is repeated every minute, or proxies cancel the call. */
  provisionalRepeatMs: 60_000,
  /** A re-INVITE of ours without a final answer is cancelled then. */
  reinviteMs: 60_000,
} as const

/** Control: its API, its event streams, and the resolving of payments in doubt. */
export const controlLimits = {
  bodyOctetsMax: 16 * 1024,
  requestMs: 10_000,
  /** How long an API call waits for the CDE to confirm a capture. */
  captureStartMs: 2_000,
  reportsWaitingMax: 10_000,
  /** Reports that are written in one transaction, when so many wait. */
  reportsPerCommitMax: 64,
  /** A report that could not be written is tried again after this, then after twice as long, up to the bound. */
  reportRetryMs: 100,
  reportRetryMsMax: 5_000,
  /** After so many tries a report that the store itself does not take is left, so that the others get through. */
  reportTriesMax: 6,
  transactionsWaitingMax: 5_000,
  listRowsMax: 200,
  widgetTokenMs: 30 * 60_000,
  widgetTokensPerCallMax: 32,
  capturesPerCallMax: 100,
  attemptsPerOrderMax: 50,
  streamsMax: 2_000,
  streamsPerHolderMax: 200,
  /** What may wait for one slow stream client before it is cut; it resumes with Last-Event-ID. */
  streamQueuedOctetsMax: 256 * 1024,
  streamDrainMs: 30_000,
  streamReplayRowsMax: 200,
  heartbeatMs: 15_000,
  cdeCountersMax: 512,
  idempotencyKeptMs: 7 * 24 * 3_600_000,
  cleanUpEveryMs: 6 * 3_600_000,
  /** Old events go in steps of so many, with a pause, so that nothing else waits for the writer. */
  eventsDeletedPerCommit: 1_000,
  eventsDeletePauseMs: 200,
} as const

/** The resolver of attempts whose end is unknown (reference/gateways R3, R4, R8). */
export const resolverLimits = {
  /** A submit order that is not answered by then is in doubt: longer than any exchange of the CDE with a gateway. */
  submitMs: 90_000,
  /** A query or reversal that is not answered by then is asked again. Longer than any exchange of the CDE. */
  answerMs: 30_000,
  firstDelayMs: 500,
  delayMsMax: 300_000,
  /** After these many tries without an end, a person decides: about two and a half hours. */
  triesMax: 40,
  perMerchantPerRoundMax: 5,
  merchantsPerRoundMax: 1_000,
  roundMs: 200,
  cdeDownRetryMs: 1_000,
} as const

/** The caller's direction: masking and reporting of keys. */
export const dtmfLimits = {
  /** A block is four octets; 16 of them are more than any phone queues (RFC 4733 2.3.5). */
  eventPayloadOctetsMax: 64,
  /** One packet of audio: 10–60 ms are usual. */
  audioSamplesMin: 40,
  audioSamplesMax: 960,
  /** Event presses whose packets are still told apart from new presses. */
  eventPressesMax: 16,
  /** A key held longer than this is not a press any more. */
  pressMs: 60_000,
  /** Presses waiting for their twin from another carriage. */
  pressesMax: 16,
  /** Presses of the last second that may have doubles: more than fingers, or a line that doubles, make. */
  slowPressesMax: 32,
  /** Packets made up for in one go after the process was held up. */
  catchUpTicksMax: 10,
  infoBodyOctetsMax: 1_024,
} as const
