/**
 * What a screen reader says when the panel changes: states, not single keys, so that it never talks over the caller.
 */
import type { Field } from './contract.ts'
import { type Link, type Panel, rows, screenOf } from './state.ts'
import {
  brandNames,
  callerSilentSentence,
  fieldErrorSentence,
  labelOf,
  linkWords,
  noticeOf,
  uncertainSentence,
} from './words.ts'

/** @returns one sentence, or an empty text when nothing worth saying has changed */
export function announce(before: Panel, now: Panel): string {
  const screen = screenOf(now)
  if (screen !== screenOf(before)) return screen === 'card' ? 'Ready to take a card.' : resultSentence(now)
  if (now.notice !== undefined && now.notice !== before.notice) return noticeOf(now.notice)
  if (now.callerSilent && !before.callerSilent) return callerSilentSentence
  if (now.cardZone !== before.cardZone)
    return now.cardZone === 'up' ? 'Cards can be taken again.' : 'Cards cannot be taken for a moment.'
  if (now.call !== before.call && now.call === 'ended') return 'The call has ended.'
  if (now.link !== before.link && now.link !== 'connecting') return linkSentence(before.link, now.link)
  const old = new Map(rows(before).map((field) => [field.field, said(field)]))
  const changed = rows(now).filter((field) => old.get(field.field) !== said(field))
  return changed.map(fieldSentence).filter(Boolean).join(' ')
}

function linkSentence(before: Link, now: Link): string {
  if (now === 'live') return before === 'lost' || before === 'unreachable' ? 'Connected again.' : ''
  return now === 'lost' ? 'Connection lost, trying again.' : (linkWords[now] ?? '')
}

/** What of a field is worth saying, as a word to compare by. */
function said(field: Field): string {
  return field.uncertain === undefined ? field.state : `${field.state} uncertain`
}

function fieldSentence(field: Field): string {
  const label = labelOf(field.field)
  switch (field.state) {
    case 'requested':
      // In one go, what was wrong is said when the field is asked for again by itself.
      return field.error === undefined ? `${label}: waiting for the caller.` : `${label}: ${fieldErrorSentence(field)}`
    case 'valid':
      return field.brand === undefined || field.lastFour === undefined
        ? `${label}: complete.`
        : `${label}: complete, ${brandNames[field.brand]} ending in ${field.lastFour}.`
    case 'error':
      return `${label}: ${fieldErrorSentence(field)}`
    case 'collecting':
      return field.uncertain === undefined ? '' : `${label}: ${uncertainSentence}`
    case 'idle':
      return ''
  }
}

function resultSentence(panel: Panel): string {
  const payment = panel.payment
  switch (screenOf(panel)) {
    case 'charging':
      return 'Charging the card.'
    case 'approved':
      return `Approved. ${payment?.authCode === undefined ? '' : `Authorisation code ${payment.authCode}.`}`
    case 'declined':
      return `Declined. ${payment?.message ?? ''}`
    case 'checking':
      return 'Checking with the bank. Do not take the card again.'
    case 'not-sent':
      return 'Not sent. Nothing was charged.'
    case 'reversed':
      return 'Taken back. Nothing is charged.'
    case 'needs-review':
      return 'Needs a look. Do not take the card again.'
    case 'card':
      return ''
  }
}
