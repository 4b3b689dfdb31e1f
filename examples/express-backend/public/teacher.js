import { ask, askOnce, isSecondClick } from './ask.js'
import { classForm } from './class_form.js'
import { card, classSection, element, labelled, plural, showList } from './elements.js'
import { failureMessage, tell } from './messages.js'
import { clockHere, dayOf, later, minutesOf, momentHere, timeOf } from './times.js'

const TROUBLES = [
  ['lostAnswer', 'Lose the next answer', 'Google makes the next event, and its answer never arrives.'],
  ['refusingLesson', 'Refuse one lesson', 'The last lesson of the newest class takes no students.'],
  ['expiredToken', 'Expire my token', 'The next call has to renew it first.'],
  ['revokedGrant', 'Revoke my grant', 'As if you had removed Lessons in your Google account.'],
  ['none', 'No more trouble', 'Google behaves again. A revoked grant stays revoked.'],
]

/** What teachers see; resolves to a function that shows it anew. */
export async function teacherView(view, me) {
  const connection = element('p.connection', { id: 'connection' })
  const classes = element('div.classes')
  const events = element('div', { id: 'events' })
  const log = element('div', { id: 'log' })
  const rehearsal = element('div')
  const main = element(
    'div.column',
    {},
    element('div.greeting', {}, element('h1', {}, 'Your classes'), connection),
    classForm({ me, changed: refresh }),
    classes,
  )
  const side = element(
    'aside.column',
    { 'aria-label': 'Your calendar' },
    card('In your Google Calendar', { id: 'google', note: 'As Google lists it now' }, events),
    card('What was done', { id: 'done', note: 'One line for each write; no event text' }, log),
    rehearsal,
  )
  view.replaceChildren(element('div.columns', {}, main, side))

  async function refresh() {
    const answers = await Promise.all(['/google', '/classes', '/me/log'].map((path) => ask('GET', path)))
    const [google, all, entries] = answers.map(({ body }) => body)
    if (answers.some(({ ok }) => !ok)) return
    showConnection(connection, google)
    showList(
      classes,
      all.filter(({ mine }) => mine),
      (one) => classCard(one, refresh),
    )
    log.replaceChildren(logTable(entries))
    if (google.rehearsal && rehearsal.children.length === 0) rehearsal.append(rehearsalCard(refresh))
    if (!google.connected) return events.replaceChildren(element('p.quiet', {}, 'Shown when Google is connected.'))
    const listed = await ask('GET', '/google/events')
    events.replaceChildren(
      listed.ok ? eventList(listed.body) : element('p.quiet', {}, 'Google cannot be asked just now.'),
    )
  }
  await refresh()
  return refresh
}

function showConnection(place, { connected }) {
  place.dataset.state = connected ? 'good' : 'watch'
  place.replaceChildren(
    element('span.dot', { 'aria-hidden': 'true' }),
    connected ? 'Google Calendar connected' : 'Google Calendar is not connected',
    connected ? '' : element('a.button.primary', { href: '/google/connect' }, 'Connect Google'),
  )
}

export const lessonChips = (lessons) =>
  element(
    'ul.lessons',
    { 'aria-label': 'Lessons' },
    ...lessons.map(({ start, end }) =>
      element('li', {}, element('b', {}, dayOf(start)), element('span', {}, `${timeOf(start)}–${timeOf(end)}`)),
    ),
  )

function classCard(one, refresh) {
  const { id, title, timeZone, lessons, students } = one
  const body = element('div')
  const edit = element('button', { type: 'button', 'aria-expanded': 'false', on: { click: open } }, 'Edit')
  function close() {
    edit.setAttribute('aria-expanded', 'false')
    body.replaceChildren(
      lessonChips(lessons),
      element(
        'p.students',
        {},
        element(
          'span.quiet',
          {},
          students.length === 0 ? 'No students yet' : `${plural(students.length, 'student')}: `,
        ),
        students.join(', '),
      ),
    )
  }
  function open() {
    if (edit.getAttribute('aria-expanded') === 'true') return close()
    edit.setAttribute('aria-expanded', 'true')
    body.replaceChildren(editForm(one, { close, refresh }))
    body.querySelector('input').focus()
  }
  close()
  return classSection({ id, title, note: timeZone.replaceAll('_', ' '), action: edit }, body)
}

function editForm({ id, title, version, lessons }, { close, refresh }) {
  const titleField = element('input', { required: true, maxLength: 120, value: title })
  const starts = lessons.map(({ start }) =>
    element('input', { type: 'datetime-local', required: true, value: start.slice(0, 16) }),
  )
  const save = element('button.primary', { type: 'submit' }, 'Save changes')
  async function submit(event) {
    event.preventDefault()
    save.setAttribute('aria-busy', 'true')
    const moved = lessons.map((lesson, index) => ({
      start: starts[index].value,
      end: later(starts[index].value, minutesOf(lesson)),
    }))
    const body = { title: titleField.value, version, lessons: moved }
    const answer = await askOnce(`update-class-${id}-${version}`, 'PUT', `/classes/${id}`, body)
    save.removeAttribute('aria-busy')
    if (isSecondClick(answer)) return
    if (answer.ok) {
      tell({
        kind: 'good',
        title: `“${titleField.value.trim()}” is changed`,
        text: 'Students keep their places and answers.',
      })
      return refresh()
    }
    tell(
      failureMessage(answer, {
        role: 'instructor',
        failed: 'The class is as it was',
        again: 'Press “Save changes” again.',
      }),
    )
    if (answer.body?.code === 'CHANGED_MEANWHILE') await refresh()
  }
  return element(
    'form',
    { on: { submit } },
    labelled('Title', titleField),
    element(
      'div.edit-lessons',
      {},
      ...starts.map((field, index) => labelled(`Lesson ${index + 1}`, field, `${minutesOf(lessons[index])} minutes`)),
    ),
    element('div.submit', {}, save, element('button', { type: 'button', on: { click: close } }, 'Cancel')),
  )
}

function eventList(events) {
  if (events.length === 0) return element('p.quiet', {}, 'No events from today on.')
  const lines = events.map(({ summary, start, guests }) =>
    element(
      'li',
      {},
      element('span.event-title', {}, summary ?? '(no title)'),
      element('span.quiet', {}, `${momentHere(start)}${guests > 0 ? `, ${plural(guests, 'guest')}` : ''}`),
    ),
  )
  return element('div', {}, element('p.big', {}, plural(events.length, 'event')), element('ol.events', {}, ...lines))
}

function logTable(entries) {
  if (entries.length === 0) return element('p.quiet', {}, 'Nothing yet.')
  const row = ({ at, what, status, attempts, elapsedMs, errorCode, settled }) =>
    element(
      'tr',
      {},
      element('td', {}, clockHere(at)),
      element('td', {}, what),
      element('td', { data: { kind: status === 'SUCCESS' ? 'good' : 'bad' } }, worded(settled ?? errorCode ?? 'done')),
      element('td.number', { title: plural(attempts, 'request') }, `${elapsedMs} ms`),
    )
  const head = ['Time', 'What', 'Outcome', 'Took'].map((name) => element('th', { scope: 'col' }, name))
  return element(
    'div.table-place',
    { tabIndex: 0, role: 'region', 'aria-label': 'What was done' },
    element('table', {}, element('thead', {}, element('tr', {}, ...head)), element('tbody', {}, ...entries.map(row))),
  )
}

/** PERMISSION_DENIED -> permission denied */
const worded = (code) => code.toLowerCase().replaceAll('_', ' ')

function rehearsalCard(refresh) {
  const bring = async (trouble, label) => {
    const answer = await ask('PUT', '/rehearsal', { body: { trouble } })
    if (answer.ok) tell({ kind: 'good', title: label, text: 'Now go on as if nothing had happened.' })
    else tell({ kind: 'bad', title: 'That trouble cannot be had', text: answer.body?.message })
    await refresh()
  }
  const buttons = TROUBLES.map(([trouble, label, what]) =>
    element(
      'li',
      {},
      element('button', { type: 'button', on: { click: () => bring(trouble, label) } }, label),
      element('span.quiet', {}, what),
    ),
  )
  return card(
    'Rehearse trouble',
    { id: 'rehearsal', note: 'An emulator stands in for Google' },
    element('ul.troubles', {}, ...buttons),
  )
}
