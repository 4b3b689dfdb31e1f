'use strict'

// `npm run reliability`

require('./contest').contest('Reliability', 'reliability')
