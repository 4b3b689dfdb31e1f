import surecal from './index.js'

export default surecal

export const {
  createEvent,
  createEvents,
  verifyEvent,
  getEvent,
  listEvents,
  updateEvent,
  deleteEvent,
  getRefreshedOAuthClient,
  requireGoogleAuth,
  executeWithRetry,
  withTimeout,
  isRetryableError,
  resolveCalendar,
  logOperation,
  configure,
  pending,
  recover,
  metrics,
  close,
  CalendarService,
  CalendarError,
  CALENDAR_ERROR_CODE,
  CALENDAR_OPERATION,
  OPERATION_STATUS,
  CALENDAR_RETRY_CONFIG,
  CALENDAR_OPERATION_TIMEOUT,
} = surecal
