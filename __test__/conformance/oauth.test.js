'use strict'

// The OAuth token endpoint.

const { OAuth2Client, JWT } = require('google-auth-library')
const { Gaxios } = require('gaxios')
const { generateKeyPairSync } = require('node:crypto')
const { setStage } = require('../support/stage')
const { googleClient, told } = require('../support/google_client')

const stage = setStage()
let user

beforeEach(async () => {
  user = await stage.user()
})

/** A POST as Google documents it. */
async function token(form) {
  const { clientId, clientSecret, tokenUrl } = stage.google.config
  const body = new URLSearchParams({
    client_id: clientId,
    client_secret: clientSecret,
    grant_type: 'refresh_token',
    refresh_token: user.refreshToken,
    ...form,
  })
  const reply = await fetch(tokenUrl, { method: 'POST', body })
  return { status: reply.status, body: await reply.json(), headers: reply.headers }
}

test('a refresh answers access_token, expires_in, scope and token_type, and no refresh token', async () => {
  const { status, body } = await token()
  expect(status).toBe(200)
  expect(body).toEqual({
    access_token: expect.stringMatching(/^ya29\./),
    expires_in: expect.any(Number),
    scope: 'https://www.googleapis.com/auth/calendar',
    token_type: 'Bearer',
  })
})

test('the new access token opens the calendar', async () => {
  const { body } = await token()
  const client = googleClient(stage.google, body.access_token)
  await expect(told(client.events.list({ calendarId: 'primary' }))).resolves.toMatchObject({ status: 200 })
})

test.each([
  ['a refresh token nobody issued', { refresh_token: '1//nobody' }, 400, 'invalid_grant'],
  ['no refresh token', { refresh_token: '' }, 400, 'invalid_request'],
  ['a wrong client id', { client_id: 'else' }, 401, 'invalid_client'],
  ['a wrong client secret', { client_secret: 'else' }, 401, 'invalid_client'],
  ['a grant type nobody knows', { grant_type: 'password' }, 400, 'unsupported_grant_type'],
])('%s: the error is a string, not the calendar’s object', async (_what, form, status, error) => {
  const answer = await token(form)
  expect(answer.status).toBe(status)
  expect(answer.body).toEqual({ error, error_description: expect.any(String) })
})

test('a revoked grant is 400 invalid_grant in Google’s words', async () => {
  await stage.google.revokeTokens({ refreshToken: user.refreshToken })
  await expect(token()).resolves.toMatchObject({
    status: 400,
    body: { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' },
  })
})

test('revoking a grant kills its access tokens too', async () => {
  await stage.google.revokeTokens({ refreshToken: user.refreshToken })
  const client = googleClient(stage.google, user.accessToken)
  await expect(told(client.events.list({ calendarId: 'primary' }))).resolves.toMatchObject({ status: 401 })
})

test.each([500, 503, 429])('the endpoint can fail with %i, which is no dead grant', async (status) => {
  await stage.google.fault({ operation: 'oauth.token', nth: 1, fault: { kind: 'status', status } })
  const answer = await token()
  expect(answer.status).toBe(status)
  expect(answer.body.error).not.toBe('invalid_grant')
  await expect(token()).resolves.toMatchObject({ status: 200 })
})

test('a rotated refresh token comes in the reply, and the old one is dead', async () => {
  await stage.google.fault({ operation: 'oauth.token', nth: 1, fault: { kind: 'rotate' } })
  const { body } = await token()
  expect(body.refresh_token).toEqual(expect.any(String))
  expect(body.refresh_token).not.toBe(user.refreshToken)
  await expect(token()).resolves.toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  await expect(token({ refresh_token: body.refresh_token })).resolves.toMatchObject({ status: 200 })
})

test('Google’s own OAuth2Client refreshes here', async () => {
  const { clientId, clientSecret, tokenUrl } = stage.google.config
  const auth = new OAuth2Client({
    clientId,
    clientSecret,
    endpoints: { oauth2TokenUrl: tokenUrl },
    transporter: new Gaxios({ fetchImplementation: fetch }),
  })
  auth.setCredentials({ refresh_token: user.refreshToken, access_token: 'ya29.old', expiry_date: 1 })
  const { token: fresh } = await auth.getAccessToken()
  expect(fresh).not.toBe('ya29.old')
  expect(auth.credentials.expiry_date).toBeGreaterThan(Date.now())
  const client = googleClient(stage.google, fresh)
  await expect(told(client.events.list({ calendarId: 'primary' }))).resolves.toMatchObject({ status: 200 })
})

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const assertion = (claims) => {
  const text = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${text({ alg: 'RS256', typ: 'JWT' })}.${text(claims)}.c2lnbmF0dXJl`
}
const byAssertion = (claims) =>
  token({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: assertion(claims) })

test('a service account trades a signed assertion for a token', async () => {
  const scope = 'https://www.googleapis.com/auth/calendar'
  await expect(byAssertion({ iss: user.email, scope })).resolves.toMatchObject({
    status: 200,
    body: { access_token: expect.any(String), token_type: 'Bearer' },
  })
})

test('an assertion for somebody it was not delegated to is 401 unauthorized_client', async () => {
  await expect(byAssertion({ iss: user.email, sub: 'nobody@elsewhere.test' })).resolves.toMatchObject({
    status: 401,
    body: { error: 'unauthorized_client' },
  })
})

test('Google’s own JWT client gets a token here', async () => {
  const robot = await stage.user({ serviceAccount: true })
  // The client's address of the token endpoint is fixed: its requests are led here, with nothing else changed.
  const fetchImplementation = (_url, init) => fetch(stage.google.config.tokenUrl, init)
  const jwt = new JWT({
    email: robot.email,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    scopes: ['https://www.googleapis.com/auth/calendar'],
    transporter: new Gaxios({ fetchImplementation }),
  })
  const { access_token: accessToken } = await jwt.authorize()
  const client = googleClient(stage.google, accessToken)
  await expect(told(client.events.list({ calendarId: 'primary' }))).resolves.toMatchObject({ status: 200 })
})
