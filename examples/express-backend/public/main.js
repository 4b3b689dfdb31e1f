import { ask } from './ask.js'
import { element } from './elements.js'
import { tell } from './messages.js'
import { studentView } from './student.js'
import { teacherView } from './teacher.js'

const view = document.querySelector('#view')
const personPlace = document.querySelector('#person')

const AFTER_GOOGLE = {
  connected: { kind: 'good', title: 'Google Calendar is connected', text: 'What you filled in is still there.' },
  refused: { kind: 'watch', title: 'Google Calendar was not connected', text: 'Nothing was changed.' },
}

async function start() {
  const { body: me, status } = await ask('GET', '/me')
  if (status === 0) return tell({ kind: 'bad', title: 'The backend does not answer', text: 'Load the page again.' })
  showPerson(me)
  if (!me) return signInView()
  const parameters = new URLSearchParams(location.search)
  if (parameters.has('google')) {
    tell(AFTER_GOOGLE[parameters.get('google')])
    history.replaceState(null, '', '/')
  }
  const refresh = await (me.role === 'instructor' ? teacherView(view, me) : studentView(view, me))
  document.addEventListener('visibilitychange', () => document.hidden || refresh())
}

function showPerson(me) {
  if (!me) return personPlace.replaceChildren()
  const signOut = async () => {
    await ask('DELETE', '/session')
    location.assign('/')
  }
  personPlace.replaceChildren(
    ...[
      me.role === 'instructor' && element('a', { href: '/dashboard' }, 'Dashboard'),
      element('span.who', {}, initials(me.name), element('span.who-name', {}, me.name)),
      element('button.plain', { type: 'button', on: { click: signOut } }, 'Sign out'),
    ].filter(Boolean),
  )
}

const initials = (name) =>
  element(
    'span.initials',
    { 'aria-hidden': 'true' },
    name
      .split(' ')
      .map(([letter]) => letter)
      .join(''),
  )

async function signInView() {
  const { body: people } = await ask('GET', '/people')
  const choose = async (personId) => {
    await ask('PUT', '/session', { body: { personId } })
    location.assign('/')
  }
  const choices = (role) =>
    people
      .filter((person) => person.role === role)
      .map(({ id, name }) =>
        element(
          'button.choice',
          { type: 'button', on: { click: () => choose(id) } },
          initials(name),
          element('span', {}, name),
        ),
      )
  view.replaceChildren(
    element(
      'section.card.sign-in',
      { 'aria-labelledby': 'sign-in-title' },
      element('h1', { id: 'sign-in-title' }, 'Who are you today?'),
      element(
        'p.quiet',
        {},
        'This stands for your own sign-in. Teachers make classes in their Google Calendar; students join them.',
      ),
      element('h2', {}, 'Teachers'),
      element('div.choices', {}, ...choices('instructor')),
      element('h2', {}, 'Students'),
      element('div.choices', {}, ...choices('student')),
    ),
  )
}

start()
