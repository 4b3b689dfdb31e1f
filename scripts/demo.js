'use strict'

// `npm run demo`

require('./contest').contest('Demo', 'demo')
