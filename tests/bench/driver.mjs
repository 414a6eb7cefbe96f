#!/usr/bin/env node
// Load driver for any OpenID Connect provider on 127.0.0.1; measures one cell and prints it as one JSON line.
//   node driver.mjs CELL.json
// The cell says: issuer, pid (root of the server's process tree), cpus [server, driver], client_id, client_secret,
// redirect_uri, scope, alg, people [{ identifiant, mot_de_passe }], workload, concurrency, seconds, warmup, tries.
// Each virtual user has a browser session, tokens and a keep-alive connection of its own. Every response is checked,
// and before measuring one flow is checked in full: ID Token signature, alg, iss, aud, nonce, sub of userinfo.
import fs from 'node:fs'
import crypto from 'node:crypto'
import { Browser, Conn, forms, submit } from './http.mjs'
import { sample, cpuBusyMs } from './proc.mjs'

const T = JSON.parse(fs.readFileSync(process.argv[2]))
const MAX_FOREIGN = 0.15 // share of a CPU that other processes may take before a measurement is made again
const QUIET_WAIT = 2000 // milliseconds to wait for an idle moment

const base = new URL(T.issuer)
if (base.hostname !== '127.0.0.1') throw new Error('refusing to drive anything but 127.0.0.1')
const b64u = (n) => crypto.randomBytes(n).toString('base64url')
const fail = (what, r) => { throw new Error(`${what}: HTTP ${r.status} ${r.headers.location || ''} ${r.body.slice(0, 300)}`) }
const pathOf = (u) => { const x = new URL(u, base); return x.pathname + x.search }

const asking = new Conn(base.hostname, +base.port)
const discovery = await asking.request('GET', '/.well-known/openid-configuration', {})
if (discovery.status !== 200) fail('discovery', discovery)
const meta = JSON.parse(discovery.body)
asking.close()
const at = {
  authorize: pathOf(meta.authorization_endpoint), token: pathOf(meta.token_endpoint),
  userinfo: pathOf(meta.userinfo_endpoint), jwks: pathOf(meta.jwks_uri)
}
const basic = 'Basic ' + Buffer.from(`${encodeURIComponent(T.client_id)}:${encodeURIComponent(T.client_secret)}`).toString('base64')

function authorizationRequest() {
  const verifier = b64u(32); const state = b64u(12); const nonce = b64u(12)
  const q = new URLSearchParams({
    response_type: 'code', client_id: T.client_id, redirect_uri: T.redirect_uri, scope: T.scope, state, nonce,
    code_challenge: crypto.createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256'
  }).toString()
  return { url: at.authorize + '?' + q, verifier, state, nonce }
}
// Requests of the service carry no cookie of the browser.
const api = (vu, method, p, headers, body) => vu.b.conn.request(method, p, headers, body)

// Follow redirects and fill in the sign-in form until the service is reached; the jar then holds a session.
async function login(vu) {
  const values = T.people[vu.i % T.people.length] || {}
  let r = await vu.b.follow(await vu.b.req('GET', authorizationRequest().url), T.redirect_uri)
  for (let step = 0; step < 4; step++) {
    if (r.headers.location?.startsWith(T.redirect_uri)) return
    const form = forms(r.body).find((f) => f.method === 'post' && Object.keys(values).some((k) => k in f.fields))
    if (!form) fail(`no sign-in form on ${r.path}`, r)
    r = await vu.b.follow(await submit(vu.b, r, form, values), T.redirect_uri)
  }
  throw new Error('the sign-in did not reach the service')
}
async function code(vu) {
  const a = authorizationRequest()
  const r = await vu.b.follow(await vu.b.req('GET', a.url), T.redirect_uri)
  const loc = r.headers.location
  if (!loc || !loc.startsWith(T.redirect_uri)) fail('authorize did not redirect to the service', r)
  const q = new URL(loc).searchParams
  if (!q.get('code') || q.get('state') !== a.state) fail('authorize answer', r)
  a.code = q.get('code')
  return a
}
async function token(vu, params) {
  const r = await api(vu, 'POST', at.token, { Authorization: basic, Accept: 'application/json' }, new URLSearchParams(params).toString())
  if (r.status !== 200) fail('token', r)
  const t = JSON.parse(r.body)
  if (!t.access_token) fail('token: no access_token', r)
  return t
}
async function userinfo(vu, accessToken) {
  const r = await api(vu, 'GET', at.userinfo, { Authorization: 'Bearer ' + accessToken, Accept: 'application/json' })
  if (r.status !== 200) fail('userinfo', r)
  const u = JSON.parse(r.body)
  if (!u.sub) fail('userinfo: no sub', r)
  return u
}
async function flow(vu) {
  const a = await code(vu)
  const t = await token(vu, { grant_type: 'authorization_code', code: a.code, redirect_uri: T.redirect_uri, code_verifier: a.verifier })
  if (!t.id_token || t.id_token.split('.').length !== 3) throw new Error('token: no id_token')
  const u = await userinfo(vu, t.access_token)
  return { a, t, u }
}
// A sign-in in a new browser: the page, then the form.
async function password(vu) {
  const person = T.people[vu.i % T.people.length]
  vu.b.jar = new vu.b.jar.constructor()
  const page = await vu.b.req('GET', '/connexion')
  const form = forms(page.body).find((f) => 'mot_de_passe' in f.fields)
  if (!form) fail('no sign-in form', page)
  const r = await submit(vu.b, page, form, person)
  if (r.status !== 303 || !r.cookies.some((c) => c.includes('mcp-session'))) fail('sign-in', r)
}
async function refresh(vu) {
  const t = await token(vu, { grant_type: 'refresh_token', refresh_token: vu.refreshToken })
  if (!t.refresh_token || t.refresh_token === vu.refreshToken) throw new Error('the refresh token was not rotated')
  if (!t.id_token) throw new Error('refresh: no id_token')
  vu.refreshToken = t.refresh_token
}
async function jwks(vu) {
  const r = await api(vu, 'GET', at.jwks, {})
  if (r.status !== 200 || !r.body.includes('"keys"')) fail('jwks', r)
}

async function verifyOnce(vu) {
  const { a, t, u } = await flow(vu)
  const [h, p, s] = t.id_token.split('.')
  const head = JSON.parse(Buffer.from(h, 'base64url')); const claims = JSON.parse(Buffer.from(p, 'base64url'))
  const { keys } = JSON.parse((await api(vu, 'GET', at.jwks, {})).body)
  const jwk = keys.find((k) => k.kid === head.kid)
  const ok = crypto.verify('sha256', Buffer.from(h + '.' + p), { key: crypto.createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' }, Buffer.from(s, 'base64url'))
  if (!ok) throw new Error('the signature of the ID Token does not verify')
  if (claims.iss !== meta.issuer) throw new Error('iss ' + claims.iss)
  if (![].concat(claims.aud).includes(T.client_id)) throw new Error('aud ' + claims.aud)
  if (claims.nonce !== a.nonce) throw new Error('nonce ' + claims.nonce)
  if (claims.sub !== u.sub) throw new Error('sub differs')
  if (head.alg !== T.alg) throw new Error(`alg ${head.alg}, wanted ${T.alg}`)
}

const vus = []
for (let i = 0; i < T.concurrency; i++) {
  const vu = { i, b: new Browser(base) }
  if (['code-flow', 'refresh', 'userinfo'].includes(T.workload)) {
    await login(vu)
    if (i === 0) await verifyOnce(vu)
    if (T.workload !== 'code-flow') {
      const { t } = await flow(vu)
      vu.accessToken = t.access_token; vu.refreshToken = t.refresh_token
    }
  }
  vus.push(vu)
}
const work = { 'code-flow': flow, refresh, userinfo: (vu) => userinfo(vu, vu.accessToken), jwks, password }[T.workload]

async function phase(seconds) {
  const lat = []; let errors = 0; let firstError
  const [serverCpu, driverCpu] = T.cpus
  const s0 = sample(T.pid); const g0 = process.cpuUsage(); const b0 = [cpuBusyMs(serverCpu), cpuBusyMs(driverCpu)]
  const t0 = performance.now(); const end = t0 + seconds * 1000
  await Promise.all(vus.map(async (vu) => {
    while (performance.now() < end) {
      const a = performance.now()
      try { await work(vu); lat.push(performance.now() - a) } catch (e) {
        firstError ??= String(e.message || e); if (++errors > 20) return
      }
    }
  }))
  const wall = performance.now() - t0
  const s1 = sample(T.pid); const g = process.cpuUsage(g0)
  const b1 = [cpuBusyMs(serverCpu), cpuBusyMs(driverCpu)]; const genMs = (g.user + g.system) / 1000
  // The share of either CPU that was used by anything but the server and this driver.
  const foreign = Math.max((b1[0] - b0[0] - (s1.cpuMs - s0.cpuMs)) / wall, (b1[1] - b0[1] - genMs) / wall)
  lat.sort((x, y) => x - y)
  const n = lat.length; const r3 = (x) => Math.round(x * 1000) / 1000
  const q = (p) => n ? r3(lat[Math.min(n - 1, Math.floor(p * n))]) : null
  return {
    n, errors, first_error: firstError, per_second: r3(n / wall * 1000), p50_ms: q(0.5), p99_ms: q(0.99),
    cpu_ms: n ? r3((s1.cpuMs - s0.cpuMs) / n) : null, rss_mb: Math.round(s1.rssMb), foreign: r3(foreign)
  }
}
async function quiet() {
  const end = performance.now() + QUIET_WAIT
  while (performance.now() < end) {
    const b = T.cpus.map(cpuBusyMs)
    await new Promise((r) => setTimeout(r, 250))
    if (T.cpus.every((cpu, i) => cpuBusyMs(cpu) - b[i] <= 50)) return
  }
}

if (T.warmup > 0) await phase(T.warmup)
// A measurement that other processes disturbed is made again; the least disturbed one counts.
let best
for (let i = 0; i < T.tries; i++) {
  await quiet()
  const measured = await phase(T.seconds)
  if (!best || measured.foreign < best.foreign) best = measured
  if (measured.foreign <= MAX_FOREIGN) break
}
console.log(JSON.stringify(best))
for (const vu of vus) vu.b.conn.close()
