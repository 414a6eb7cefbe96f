// The provider that we compare with: npm `oidc-provider`, everything in memory, one process.
// Environment: PORT, ALG (RS256 or ES256). Signs in and consents by itself; rotates refresh tokens, as ours does.
import http from 'node:http'
import crypto from 'node:crypto'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const modules = createRequire(new URL('../interop/package.json', import.meta.url))
const { default: Provider } = await import(pathToFileURL(modules.resolve('oidc-provider')))
const { PORT, ALG } = process.env

const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const ec = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const ordered = ALG === 'ES256' ? [ec, rsa] : [rsa, ec]

const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  jwks: { keys: ordered.map((key) => ({ ...key.export({ format: 'jwk' }), use: 'sig' })) },
  clients: [{
    client_id: 'bench', client_secret: process.env.CLIENT_SECRET, redirect_uris: ['https://client.example/cb'],
    grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic', id_token_signed_response_alg: ALG
  }],
  cookies: { keys: ['a-fixed-key-for-the-benchmark'] },
  features: { devInteractions: { enabled: false } },
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  findAccount: (_, sub) => ({ accountId: sub, claims: async () => ({ sub, email: `${sub}@example.org`, email_verified: true }) }),
  issueRefreshToken: () => true,
  rotateRefreshToken: true,
  pkce: { required: () => true },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` }
})
provider.on('server_error', (_, error) => console.error(error))

const answer = provider.callback()
http.createServer(async (request, response) => {
  if (!request.url.startsWith('/interaction/')) return answer(request, response)
  try {
    const { prompt, params, session, grantId } = await provider.interactionDetails(request, response)
    if (prompt.name === 'login') return await provider.interactionFinished(request, response, { login: { accountId: 'alice' } })
    const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
    grant.addOIDCScope(params.scope)
    await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true })
  } catch (error) { console.error(error); response.statusCode = 500; response.end(String(error)) }
}).listen(+PORT, '127.0.0.1')
