'use strict'

/**
 * The backend's database. It is a server of its own, as in production: it outlives every backend process, what it has
 * acknowledged is kept, and nothing ever goes wrong with it.
 */
class Database {
  #users = new Map()
  #schoolClasses = new Map()
  #eventOwners = new Map()
  #classRows = new Map()
  #enrollments = new Map()

  addUser(user) {
    this.#users.set(user.email, { ...user })
  }

  addSchoolClass({ classId, teacher, events }) {
    this.#schoolClasses.set(classId, { classId, teacher, eventIds: events.map(({ id }) => id) })
    for (const { id } of events) this.#eventOwners.set(id, teacher)
  }

  /** As time does: the access token has expired, and that was to be foreseen. */
  expire(email) {
    this.#users.get(email).google_token_expiry = Date.now() - 1_000
  }

  enrollments() {
    return new Set(this.#enrollments.keys())
  }

  /** What a backend asks, by name. */
  ask(name, ...args) {
    return this.#queries[name](...args)
  }

  #queries = {
    findUser: (email) => ({ ...this.#users.get(email) }),
    saveTokens: (email, tokens) => void Object.assign(this.#users.get(email), tokens),
    findSchoolClass: (classId) => this.#schoolClasses.get(classId),
    findOwnerOfEvent: (eventId) => this.#eventOwners.get(eventId),
    findClassByKey: (organizer, key) => this.#classRows.get(`${organizer} ${key}`) ?? null,
    saveClass: (row) => void this.#classRows.set(`${row.organizer_id} ${row.idempotency_key}`, row),
    findEnrollment: (classId, student) => this.#enrollments.get(`${classId} ${student}`) ?? null,
    saveEnrollment: (classId, student) => void this.#enrollments.set(`${classId} ${student}`, { classId, student }),
    deleteEnrollment: (classId, student) => void this.#enrollments.delete(`${classId} ${student}`),
  }
}

module.exports = { Database }
