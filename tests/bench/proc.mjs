// CPU time and resident memory of a process tree, and how busy a CPU is, from /proc.
import fs from 'node:fs'
import { execFileSync } from 'node:child_process'

const HZ = +execFileSync('getconf', ['CLK_TCK']).toString()

function statOf(pid) {
  try {
    const s = fs.readFileSync(`/proc/${pid}/stat`, 'latin1')
    const f = s.slice(s.lastIndexOf(')') + 2).split(' ')
    return { ppid: +f[1], ticks: +f[11] + +f[12] + +f[13] + +f[14] } // with waited-for children
  } catch { return null }
}

// The children of `root` and theirs, itself first.
function tree(root) {
  const kids = new Map(); const all = new Map()
  for (const d of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(d)) continue
    const st = statOf(d); if (!st) continue
    all.set(+d, st)
    if (!kids.has(st.ppid)) kids.set(st.ppid, [])
    kids.get(st.ppid).push(+d)
  }
  const out = []; const todo = all.has(root) ? [root] : []
  while (todo.length) { const p = todo.pop(); out.push([p, all.get(p)]); todo.push(...(kids.get(p) || [])) }
  return out
}

// Milliseconds of CPU that a process tree has used so far, and its memory.
export function sample(root) {
  let ticks = 0; let rssKb = 0
  for (const [pid, st] of tree(root)) {
    ticks += st.ticks
    try { rssKb += +(fs.readFileSync(`/proc/${pid}/status`, 'latin1').match(/VmRSS:\s+(\d+)/)?.[1] ?? 0) } catch {}
  }
  return { cpuMs: ticks * 1000 / HZ, rssMb: rssKb / 1024 }
}

// Busy milliseconds of one CPU since boot, everything included (also steal).
export function cpuBusyMs(n) {
  const f = fs.readFileSync('/proc/stat', 'latin1').match(new RegExp(`^cpu${n} (.*)$`, 'm'))[1].split(' ').map(Number)
  return (f[0] + f[1] + f[2] + f[5] + f[6] + f[7]) * 1000 / HZ
}
