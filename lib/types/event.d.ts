/** Events as Google's Calendar API has them. */

/** A start or an end: `date` for whole days, else `dateTime` (RFC 3339), with an offset or with `timeZone`. */
export interface EventTime {
  /** `2027-03-01`, for all-day events; the end is the day after the last one. */
  date?: string | null
  /** `2027-03-01T10:00:00+01:00`, or without an offset and with `timeZone`. */
  dateTime?: string | null
  /** IANA name. Recurring events need it; @default the calendar's `timeZone` from `resolveCalendar` or the config. */
  timeZone?: string | null
}

export interface EventAttendee {
  email?: string | null
  displayName?: string | null
  additionalGuests?: number | null
  comment?: string | null
  id?: string | null
  optional?: boolean | null
  organizer?: boolean | null
  resource?: boolean | null
  /** `needsAction`, `declined`, `tentative` or `accepted`. */
  responseStatus?: string | null
  self?: boolean | null
}

/**
 * An event as Google's API has it; the type is interchangeable with `calendar_v3.Schema$Event` of Google's client.
 * What Google alone writes (`etag`, `htmlLink`, `creator`, …) is not sent; `id` is refused, for ids come from the
 * idempotency key.
 */
export interface CalendarEvent {
  anyoneCanAddSelf?: boolean | null
  attachments?: EventAttachment[]
  attendees?: EventAttendee[]
  attendeesOmitted?: boolean | null
  birthdayProperties?: {
    contact?: string | null
    customTypeName?: string | null
    type?: string | null
  }
  colorId?: string | null
  conferenceData?: ConferenceData
  created?: string | null
  creator?: { displayName?: string; email?: string; id?: string; self?: boolean } | null
  description?: string | null
  end?: EventTime
  endTimeUnspecified?: boolean | null
  etag?: string | null
  eventLabelId?: string | null
  eventType?: string | null
  extendedProperties?: {
    private?: { [key: string]: string }
    shared?: { [key: string]: string }
  } | null
  focusTimeProperties?: {
    autoDeclineMode?: string | null
    chatStatus?: string | null
    declineMessage?: string | null
  }
  gadget?: {
    display?: string
    height?: number
    iconLink?: string
    link?: string
    preferences?: { [key: string]: string }
    title?: string
    type?: string
    width?: number
  } | null
  guestsCanInviteOthers?: boolean | null
  guestsCanModify?: boolean | null
  guestsCanSeeOtherGuests?: boolean | null
  hangoutLink?: string | null
  htmlLink?: string | null
  iCalUID?: string | null
  id?: string | null
  kind?: string | null
  location?: string | null
  locked?: boolean | null
  organizer?: { displayName?: string; email?: string; id?: string; self?: boolean } | null
  originalStartTime?: EventTime
  outOfOfficeProperties?: {
    autoDeclineMode?: string | null
    declineMessage?: string | null
  }
  privateCopy?: boolean | null
  recurrence?: string[] | null
  recurringEventId?: string | null
  reminders?: {
    overrides?: Array<{ method?: string | null; minutes?: number | null }>
    useDefault?: boolean
  } | null
  sequence?: number | null
  source?: { title?: string; url?: string } | null
  start?: EventTime
  status?: string | null
  summary?: string | null
  transparency?: string | null
  updated?: string | null
  visibility?: string | null
  workingLocationProperties?: {
    customLocation?: { label?: string } | null
    homeOffice?: any | null
    officeLocation?: {
      buildingId?: string
      deskId?: string
      floorId?: string
      floorSectionId?: string
      label?: string
    } | null
    type?: string | null
  }
}

export interface EventAttachment {
  fileId?: string | null
  fileUrl?: string | null
  iconLink?: string | null
  mimeType?: string | null
  title?: string | null
}

/** See Google's reference; `createRequest` with `conferenceSolutionKey: { type: 'hangoutsMeet' }` asks for a Meet link. */
export interface ConferenceData {
  conferenceId?: string | null
  conferenceSolution?: { iconUri?: string | null; key?: { type?: string | null }; name?: string | null }
  createRequest?: {
    conferenceSolutionKey?: { type?: string | null }
    requestId?: string | null
    status?: { statusCode?: string | null }
  }
  entryPoints?: Array<{
    accessCode?: string | null
    entryPointFeatures?: string[] | null
    entryPointType?: string | null
    label?: string | null
    meetingCode?: string | null
    passcode?: string | null
    password?: string | null
    pin?: string | null
    regionCode?: string | null
    uri?: string | null
  }>
  notes?: string | null
  parameters?: { addOnParameters?: { parameters?: { [key: string]: string } | null } }
  signature?: string | null
}
