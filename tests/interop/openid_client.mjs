// A relying party on npm's `openid-client`: code flow with PKCE, refresh, userinfo.
// Arguments: issuer, client_id, redirect_uri, scope. The secret is in OPENID_CLIENT_SECRET.
// Prints one JSON document a line; after the first, { url }, it reads the callback's URL from standard input.
import { createInterface } from 'node:readline/promises'
import * as client from 'openid-client'

const [issuer, clientId, redirectUri, scope] = process.argv.slice(2)
const print = (document) => console.log(JSON.stringify(document))

const config = await client.discovery(
  new URL(issuer),
  clientId,
  undefined,
  client.ClientSecretBasic(process.env.OPENID_CLIENT_SECRET),
  // Plain http is for a loopback issuer only.
  { execute: issuer.startsWith('http:') ? [client.allowInsecureRequests] : [] },
)

const verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const nonce = client.randomNonce()
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: redirectUri,
  scope,
  state,
  nonce,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
})
print({ url: url.href })

const input = createInterface({ input: process.stdin })
const { value: callback } = await input[Symbol.asyncIterator]().next()
input.close()

const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true }
const tokens = await client.authorizationCodeGrant(config, new URL(callback), checks)
const claims = tokens.claims()
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
print({ claims, userinfo, scope: tokens.scope, expires_in: tokens.expiresIn() })

const fresh = await client.refreshTokenGrant(config, tokens.refresh_token)
print({
  claims: fresh.claims() ?? null,
  userinfo: await client.fetchUserInfo(config, fresh.access_token, claims.sub),
  rotated: fresh.refresh_token !== undefined && fresh.refresh_token !== tokens.refresh_token,
  another_access_token: fresh.access_token !== tokens.access_token,
})

await client.tokenRevocation(config, fresh.refresh_token ?? tokens.refresh_token)
try {
  await client.refreshTokenGrant(config, fresh.refresh_token ?? tokens.refresh_token)
  print({ after_revocation: 'refreshed' })
} catch (error) {
  print({ after_revocation: error.error })
}
