// The authorization server of the tests: oidc-provider, over TLS and, for Dovecot's questions, in plain text.
// usage: node server.mjs FOLDER PORT PLAIN_PORT CERTIFICATE KEY SERVICE_PUBLIC_KEY
// Writes FOLDER/RS256.pem, the public key of its tokens, and a line of JSON for each grant to the standard output.
// FOLDER/node_modules holds oidc-provider: modules are looked for beside this file, so it runs from a copy there.
import { readFileSync, writeFileSync } from 'node:fs'
import { createPublicKey, createVerify, generateKeyPairSync } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import { errors, Provider } from 'oidc-provider'

const [, , folder, port, plainPort, certificate, key, serviceKey] = process.argv
const issuer = `https://localhost:${port}`
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
writeFileSync(`${folder}/RS256.pem`, publicKey.export({ type: 'spki', format: 'pem' }))

const person = {
  token_endpoint_auth_method: 'none',
  application_type: 'native',
  grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'authorization_code', 'refresh_token'],
  response_types: ['code'],
  redirect_uris: ['http://127.0.0.1/', 'http://localhost/'],
}
const job = { response_types: [], redirect_uris: [] }
const accessSeconds = (client) => (client.clientId === 'brief' ? 5 : 3600)

const provider = new Provider(issuer, {
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256', use: 'sig' }] },
  clients: [
    { ...person, client_id: 'mailconn' },
    { ...person, client_id: 'brief' }, // its access tokens live for 5 seconds
    { ...person, client_id: 'hasty' }, // its device codes live for 2 seconds
    { ...person, client_id: 'opaque' }, // its access tokens say nothing by themselves
    { ...person, client_id: 'confidential', client_secret: 'c0nf', token_endpoint_auth_method: 'client_secret_post' },
    { ...job, client_id: 'robot', client_secret: 'r0bot', grant_types: ['client_credentials'], token_endpoint_auth_method: 'client_secret_post' },
    { ...job, client_id: 'robot-brief', client_secret: 'r0bot', grant_types: ['client_credentials'] },
    { ...job, client_id: 'service', token_endpoint_auth_method: 'none', grant_types: [JWT_BEARER] },
    { ...job, client_id: 'dovecot', client_secret: 'dov3cot', grant_types: [], introspection_endpoint_auth_method: 'client_secret_basic' },
  ],
  scopes: ['openid', 'offline_access', 'email'],
  claims: { openid: ['sub'], email: ['email'] },
  extraTokenClaims: (ctx, token) => ({ email: token.accountId || 'alice' }),
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, email: id }) }),
  features: {
    devInteractions: { enabled: true }, // takes any user and password
    deviceFlow: { enabled: true },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'urn:mail',
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource, client) => ({
        scope: 'mail',
        audience: 'mail',
        accessTokenFormat: client.clientId === 'opaque' ? 'opaque' : 'jwt',
        accessTokenTTL: accessSeconds(client),
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
  conformIdTokenClaims: false, // the account's name stands in the ID token
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: (ctx, client, code) => client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  ttl: {
    AccessToken: (ctx, token, client) => accessSeconds(client),
    ClientCredentials: (ctx, token, client) => (client.clientId === 'robot-brief' ? 5 : 3600),
    DeviceCode: (ctx, token, client) => (client.clientId === 'hasty' ? 2 : 600),
    RefreshToken: 86400,
    Session: 600,
    Grant: 86400,
    Interaction: 600,
    IdToken: 600,
  },
  // Dovecot 2.3 takes a JWT of the type JWT alone; oidc-provider says at+jwt (RFC 9068).
  formats: { customizers: { jwt: (ctx, token, parts) => Object.assign(parts, { header: { ...parts.header, typ: 'JWT' } }) } },
  cookies: { keys: ['test'] },
})

// A service account as at Google (RFC 7523): the assertion is the whole login.
provider.registerGrantType(
  JWT_BEARER,
  async (ctx) => {
    const [header, claims, signature] = ctx.oidc.params.assertion.split('.')
    const told = JSON.parse(Buffer.from(claims, 'base64url'))
    const verify = createVerify('RSA-SHA256').update(`${header}.${claims}`)
    const good = verify.verify(createPublicKey(readFileSync(serviceKey)), signature, 'base64url')
    if (!good || told.aud !== `${issuer}/token` || told.exp * 1000 < Date.now()) {
      throw new errors.InvalidGrant('Invalid JWT Signature.')
    }
    const grant = new provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: told.sub })
    grant.addResourceScope('urn:mail', 'mail')
    const token = new provider.AccessToken({
      accountId: told.sub, client: ctx.oidc.client, grantId: await grant.save(), gty: 'jwt_bearer', scope: 'mail', claims: {},
    })
    token.resourceServer = new provider.ResourceServer('urn:mail', {
      scope: 'mail', audience: 'mail', accessTokenFormat: 'jwt', accessTokenTTL: 3600, jwt: { sign: { alg: 'RS256' } },
    })
    ctx.body = { access_token: await token.save(), expires_in: token.expiration, token_type: 'Bearer' }
  },
  ['assertion', 'scope'],
)

const tell = (what) => (ctx) => {
  const { grant_type: grant, client_id: client } = ctx.oidc.params ?? {}
  // What nobody may find anywhere; the tests look for it.
  const { code, code_verifier, device_code, client_secret, refresh_token, assertion } = ctx.oidc.params ?? {}
  const { access_token, refresh_token: next, id_token } = ctx.body ?? {}
  const secrets = [code, code_verifier, device_code, client_secret, refresh_token, assertion, access_token, next, id_token]
  console.log(JSON.stringify({ what, grant, client: ctx.oidc.client?.clientId ?? client, secrets: secrets.filter(Boolean) }))
}
provider.on('grant.success', tell('granted'))
provider.on('grant.error', tell('refused'))
provider.on('grant.revoked', tell('revoked'))
// Every second in place of every five, so that no test waits for long.
provider.use(async (ctx, next) => {
  await next()
  if (ctx.body?.device_code) ctx.body.interval = 1
})
provider.proxy = true // the plain port speaks for the issuer, too
const answer = provider.callback()
const options = { cert: readFileSync(certificate), key: readFileSync(key) }
http.createServer(answer).listen(Number(plainPort), '127.0.0.1', () => {
  https.createServer(options, answer).listen(Number(port), '127.0.0.1')
})
