import { askOnce, isSecondClick } from './ask.js'
import { card, element, labelled, plural } from './elements.js'
import { failureMessage, tell } from './messages.js'
import { nextMonday } from './times.js'

const DRAFT = 'lessons.draft'

/** The form as it was left: also after the way to Google and back. */
function savedDraft() {
  try {
    return JSON.parse(sessionStorage.getItem(DRAFT))
  } catch {
    return null
  }
}

/** The form of a new class. `changed` is called after a class was made. */
export function classForm({ me, changed }) {
  const freshForm = () => ({
    title: '',
    timeZone: me.timeZone,
    schedules: [{ first: nextMonday(), minutes: 60, weeks: 3 }],
  })
  const title = element('input', {
    required: true,
    maxLength: 120,
    autocomplete: 'off',
    placeholder: 'Algebra for beginners',
  })
  const timeZone = element(
    'select',
    {},
    ...Intl.supportedValuesOf('timeZone').map((name) => element('option', { value: name }, name.replaceAll('_', ' '))),
  )
  const rows = element('div.schedules')
  const count = element('p.count', { 'aria-live': 'polite' })
  const submit = element('button.primary', { type: 'submit' }, 'Create class')
  const another = element('button', { type: 'button', on: { click: () => addRow() } }, 'Add another schedule')

  const readRows = () =>
    [...rows.children].map((row) => {
      const [first, minutes, weeks] = row.querySelectorAll('input')
      return { first: first.value, minutes: Number(minutes.value), weeks: Number(weeks.value) }
    })
  const read = () => ({ title: title.value, timeZone: timeZone.value, schedules: readRows() })

  function addRow({ first = nextMonday(), minutes = 60, weeks = 3 } = {}) {
    const row = element(
      'fieldset.schedule',
      {},
      element('legend.hidden', {}, `Schedule ${rows.children.length + 1}`),
      labelled('First lesson', element('input', { type: 'datetime-local', required: true, value: first })),
      labelled('Minutes', element('input', { type: 'number', required: true, min: 5, max: 1440, value: minutes })),
      labelled('Weeks', element('input', { type: 'number', required: true, min: 1, max: 60, value: weeks })),
      element(
        'button.plain.remove',
        {
          type: 'button',
          'aria-label': 'Remove this schedule',
          on: {
            click: () => {
              row.remove()
              noteChange()
            },
          },
        },
        'Remove',
      ),
    )
    rows.append(row)
    noteChange()
  }
  function fill(form) {
    title.value = form.title
    timeZone.value = form.timeZone
    rows.replaceChildren()
    for (const schedule of form.schedules) addRow(schedule)
  }
  function noteChange() {
    const form = read()
    const lessons = form.schedules.reduce((sum, { weeks }) => sum + weeks, 0)
    count.textContent = `${plural(lessons, 'lesson')}, each an event in your Google Calendar`
    rows.classList.toggle('only-one', rows.children.length === 1)
    try {
      sessionStorage.setItem(DRAFT, JSON.stringify(form))
    } catch {
      // Then a reload begins with an empty form.
    }
  }

  let waiting = 0
  async function create(event) {
    event.preventDefault()
    const form = read()
    waiting += 1
    submit.setAttribute('aria-busy', 'true')
    const answer = await askOnce('create-class', 'POST', '/classes', form)
    waiting -= 1
    if (waiting === 0) submit.removeAttribute('aria-busy')
    if (isSecondClick(answer)) return
    if (!answer.ok) {
      const words = { role: 'instructor', failed: 'The class was not made', again: 'Press “Create class” again.' }
      tell(failureMessage(answer, words))
      return changed()
    }
    fill(freshForm())
    const lessons = plural(answer.body.lessons, 'lesson')
    tell({
      kind: 'good',
      title: `“${form.title.trim()}” is made`,
      text: `${lessons} are in your calendar, read back from Google.`,
    })
    await changed()
  }

  const form = element(
    'form',
    { on: { submit: create, input: noteChange } },
    labelled('Title', title),
    labelled('Time zone', timeZone),
    rows,
    element('p', {}, another),
    element('div.submit', {}, submit, count),
  )
  fill(savedDraft() ?? freshForm())
  return card('New class', { id: 'new-class' }, form)
}
