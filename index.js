'use strict'

const { CalendarService, moduleService } = require('./lib/service')
const { CalendarError } = require('./lib/errors')
const {
  CALENDAR_ERROR_CODE,
  CALENDAR_OPERATION,
  OPERATION_STATUS,
  CALENDAR_RETRY_CONFIG,
  CALENDAR_OPERATION_TIMEOUT,
} = require('./lib/constants')

// The module is itself a service, ready after one configure(): a `require` line is all that changes in an old file.
const surecal = Object.assign(moduleService(), {
  CalendarService,
  CalendarError,
  CALENDAR_ERROR_CODE,
  CALENDAR_OPERATION,
  OPERATION_STATUS,
  CALENDAR_RETRY_CONFIG,
  CALENDAR_OPERATION_TIMEOUT,
})

// For TypeScript's `import surecal from 'surecal'` without esModuleInterop.
surecal.default = surecal

module.exports = surecal
