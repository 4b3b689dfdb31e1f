// A lesson's times are local times of the class's zone. They are shown as they are, whatever zone the browser is in.

const asIfUtc = (local) => new Date(`${local.slice(0, 16)}:00Z`)
const format = (options) => new Intl.DateTimeFormat('en-GB', { ...options, timeZone: 'UTC' })

const DAY = format({ weekday: 'short', day: 'numeric', month: 'short' })
const TIME = format({ hour: '2-digit', minute: '2-digit' })
const HERE = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
})
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })

export const dayOf = (local) => DAY.format(asIfUtc(local))
export const timeOf = (local) => TIME.format(asIfUtc(local))

/** An instant, in the zone of whoever looks. */
export const momentHere = (instant) => HERE.format(new Date(instant))
export const clockHere = (instant) => CLOCK.format(new Date(instant))

export const minutesOf = ({ start, end }) => (asIfUtc(end) - asIfUtc(start)) / 60_000

/** A local time so many minutes later. */
export const later = (local, minutes) =>
  new Date(asIfUtc(local).getTime() + minutes * 60_000).toISOString().slice(0, 19)

/** Next Monday at ten. */
export function nextMonday() {
  const day = new Date()
  day.setDate(day.getDate() + ((8 - day.getDay()) % 7 || 7))
  const two = (number) => String(number).padStart(2, '0')
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}T10:00`
}
