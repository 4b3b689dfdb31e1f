import { element } from './elements.js'

const place = document.querySelector('#message')

/**
 * Says what happened, to eyes and screen readers.
 *
 * @param {{kind: 'good'|'bad'|'watch', title: string, text?: string, action?: {label: string, href: string}} | null} message
 */
export function tell(message) {
  if (!message) return place.replaceChildren()
  const { kind, title, text, action } = message
  place.replaceChildren(
    element(
      'div.message',
      { data: { kind } },
      element('div', {}, element('strong', {}, title), text && element('p', {}, text)),
      action && element('a.button.primary', { href: action.href }, action.label),
      element(
        'button.close',
        { type: 'button', 'aria-label': 'Close this message', on: { click: () => tell(null) } },
        '×',
      ),
    ),
  )
  place.scrollIntoView({ block: 'nearest' })
}

/** Google does not let us in. Whose grant it is decides who can do something about it. */
function grantMessage({ body, role, again }) {
  const isGone = body.code === 'GOOGLE_AUTH_REQUIRED' || body.requiresReauth
  if (role === 'student') {
    return {
      kind: 'watch',
      title: isGone
        ? 'The teacher has to reconnect Google Calendar'
        : 'The teacher’s calendar cannot be reached just now',
      text: isGone
        ? 'Until then nobody can join or leave this class. Nothing was changed.'
        : 'Nothing was changed. Try again in a moment.',
    }
  }
  if (!isGone) {
    return { kind: 'watch', title: 'Google cannot be reached just now', text: `Nothing was changed. ${again}` }
  }
  return {
    kind: 'watch',
    title: 'Reconnect your Google Calendar',
    text: `Google no longer lets Lessons write to it. Nothing was changed, and what you filled in is kept. Reconnect it first. ${again}`,
    action: { label: 'Reconnect Google', href: '/google/connect' },
  }
}

/**
 * A failed write in words. The only question is whether anything is in the calendar, and the backend answers it.
 *
 * @param {{status: number, body: any}} answer
 * @param {{role: string, failed: string, again: string}} words `failed`: "You are not enrolled"; `again`: what to do next
 */
export function failureMessage({ status, body }, { role, failed, again }) {
  if (status === 0) return { kind: 'watch', title: 'No answer came', text: `${again} Nothing can happen twice.` }
  if (['GOOGLE_AUTH_REQUIRED', 'GOOGLE_AUTH_FAILED'].includes(body?.code)) return grantMessage({ body, role, again })
  if (body?.outcome === 'unknown') {
    return {
      kind: 'watch',
      title: 'Not certain yet',
      text: `Google did not say what became of it. What is left of it is being taken back. ${again} Nothing can happen twice.`,
    }
  }
  if (body?.outcome) {
    return {
      kind: 'bad',
      title: failed,
      text: `Google refused a part of it, so all of it was taken back: nothing was changed. ${again}`,
    }
  }
  return { kind: 'bad', title: failed, text: body?.message ?? again }
}
