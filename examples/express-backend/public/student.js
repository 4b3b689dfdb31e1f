import { ask, askOnce, isSecondClick } from './ask.js'
import { card, classSection, element, plural, showList } from './elements.js'
import { failureMessage, tell } from './messages.js'
import { lessonChips } from './teacher.js'
import { momentHere } from './times.js'

/** What students see; resolves to a function that shows it anew. */
export async function studentView(view) {
  const classes = element('div.classes')
  const none = card('No classes yet', {}, element('p.quiet', {}, 'A teacher has to make one.'))
  const reminders = element('div', { id: 'reminders' })
  view.replaceChildren(
    element(
      'div.columns',
      {},
      element('div.column', {}, element('div.greeting', {}, element('h1', {}, 'Classes')), none, classes),
      element(
        'aside.column',
        { 'aria-label': 'Your reminders' },
        card('Reminders', { id: 'reminder-card', note: 'An hour before each lesson' }, reminders),
      ),
    ),
  )

  async function refresh() {
    const [all, mine] = await Promise.all([ask('GET', '/classes'), ask('GET', '/me/reminders')])
    if (!all.ok || !mine.ok) return
    none.hidden = all.body.length > 0
    showList(classes, all.body, (one) => classCard(one, refresh))
    reminders.replaceChildren(reminderList(mine.body))
  }
  await refresh()
  return refresh
}

function classCard({ id, title, timeZone, organizer, lessons, places, enrolled }, refresh) {
  const actions = element('div.actions')
  const wish = async (button, { method, intent, done, failed, again }) => {
    button.setAttribute('aria-busy', 'true')
    const answer = await askOnce(`${intent}-${id}`, method, `/classes/${id}/enrollment`)
    button.removeAttribute('aria-busy')
    if (isSecondClick(answer)) return
    tell(answer.ok ? { kind: 'good', ...done } : failureMessage(answer, { role: 'student', failed, again }))
    await refresh()
  }
  const enroll = element('button.primary', { type: 'button' }, 'Enroll')
  enroll.addEventListener('click', () =>
    wish(enroll, {
      method: 'PUT',
      intent: 'enroll',
      done: {
        title: `You are in “${title}”`,
        text: `${plural(lessons.length, 'invitation')} and as many reminders are on their way.`,
      },
      failed: 'You are not enrolled',
      again: 'You may press “Enroll” again.',
    }),
  )
  const leave = element('button', { type: 'button' }, 'Leave class')
  leave.addEventListener('click', () => {
    const stay = element('button', { type: 'button', on: { click: () => actions.replaceChildren(leave) } }, 'Stay')
    const sure = element('button.danger', { type: 'button' }, 'Yes, leave')
    sure.addEventListener('click', ({ detail }) => {
      // The second click of a double click: it was meant for “Leave class”.
      if (detail > 1) return
      wish(sure, {
        method: 'DELETE',
        intent: 'leave',
        done: { title: `You have left “${title}”`, text: 'Its reminders are cancelled.' },
        failed: 'You are still enrolled',
        again: 'You may try to leave again.',
      })
    })
    actions.replaceChildren(stay, sure)
    stay.focus()
  })
  actions.append(enrolled ? leave : enroll)

  const badge = enrolled && element('span.badge', {}, 'Enrolled')
  const note = `${organizer} · ${timeZone.replaceAll('_', ' ')} · ${plural(places, 'student')}`
  return classSection({ id, title, badge, note, action: actions }, lessonChips(lessons))
}

function reminderList(reminders) {
  if (reminders.length === 0) return element('p.quiet', {}, 'None. They come with a class and go with it.')
  const lines = reminders.map(({ title, lesson, dueAt, sentAt }) =>
    element(
      'li',
      {},
      element('span.event-title', {}, `${title}, lesson ${lesson + 1}`),
      element('span.quiet', {}, sentAt ? `sent ${momentHere(sentAt)}` : momentHere(dueAt)),
    ),
  )
  return element('ol.events', {}, ...lines)
}
