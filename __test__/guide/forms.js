'use strict'

const surecal = require('surecal')

/** The two forms in which an old call site can hold the service: the module itself after one configure, or an instance. */
const FORMS = [
  [
    'the module after configure()',
    (config) => {
      surecal.configure(config)
      return surecal
    },
  ],
  ['an instance of CalendarService', (config) => new surecal.CalendarService(config)],
]

module.exports = { FORMS }
