'use strict'

/** Who can be chosen on the first page. With your own Google account, put your own addresses here (`PEOPLE=file.json`). */
const PEOPLE = [
  { id: 'ada', name: 'Ada Lovelace', email: 'ada@school.test', role: 'instructor', timeZone: 'Europe/London' },
  { id: 'emmy', name: 'Emmy Noether', email: 'emmy@school.test', role: 'instructor', timeZone: 'Europe/Berlin' },
  { id: 'ben', name: 'Ben Okafor', email: 'ben@school.test', role: 'student', timeZone: 'Europe/London' },
  { id: 'cleo', name: 'Cleo Marín', email: 'cleo@school.test', role: 'student', timeZone: 'Europe/Madrid' },
  { id: 'dan', name: 'Dan Iyer', email: 'dan@school.test', role: 'student', timeZone: 'Asia/Kolkata' },
]

module.exports = { PEOPLE }
