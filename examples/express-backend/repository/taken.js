'use strict'

/** The database has refused a second row where there may be one only. */
class Taken extends Error {
  name = 'Taken'
}

module.exports = { Taken }
