/**
 * How much a remote grows, and how fast a machine joins a fleet with a long history: simulated days of one push a minute
 * with payloads of 1 KiB, laid out as `sync/publish.ts` does. `npm run growth -- [--days 30] [--text] [--json]`. The payload
 * is the sealed record; with `--text` the agent's text alone has 1 KiB, which its envelope lifts to the next size, 2 KiB.
 */
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { generateSigner } from '../credentials/index.ts'
import { machineFiles } from '../src/app/home.ts'
import { app } from '../src/app.ts'
import type { Home } from '../src/app-types.ts'
import { openStore } from '../src/store/index.ts'
import { extend, LOG_START, type Position } from '../sync/chain.ts'
import { countObjects } from '../sync/growth-maintenance.ts'
import { machineRef, type Oid } from '../sync/index.ts'
import { signMachineNote } from '../sync/machine-note.ts'
import { encodeLine } from '../sync/records.ts'
import { numberOf, optionsOr } from './usage.ts'

const USAGE = `npm run growth -- [options]

  --days N     simulated days of one push a minute (30)
  --text       1 KiB is the agent's text, not the sealed record
  --json       one object as the last line
  --help       this text

Exit code 1 when a limit is not met, 2 for a wrong option.`
const PUSHES_PER_DAY = 1440
const PAYLOAD = 1024
/** With heartbeats of 30 s every peer has said that it holds a line before the next push, a minute later, is made. */
const WINDOW = 1
const PEERS = 8

interface Figures {
  readonly days: number
  readonly pushes: number
  readonly payload_kb: number
  readonly loose_kb: number
  readonly packed_kb: number
  readonly gc_kb: number
  readonly kb_per_kb_unpacked: number
  readonly kb_per_kb_packed: number
  readonly kb_per_kb_gc: number
  readonly ready_s: number
}

async function git(dir: string, args: readonly string[], input?: AsyncIterable<string>): Promise<string> {
  const child = spawn('git', ['-C', dir, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const done = once(child, 'close')
  let out = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  for await (const text of input ?? []) if (!child.stdin.write(text)) await once(child.stdin, 'drain')
  child.stdin.end()
  const [code] = await done
  if (code !== 0) throw new Error(`git ${args[0]} ended with ${code}`)
  return out.trim()
}

/** One machine's log as it is pushed: a note, a line a push, and the cut that follows what the peers hold. */
class Writer {
  readonly #signer = generateSigner()
  readonly #key = randomBytes(32)
  readonly #fleet = randomBytes(16).toString('hex')
  readonly #peers = Array.from({ length: PEERS }, (_, i) => `peer-${i}-${randomBytes(4).toString('hex')}`)
  #head: Position = LOG_START
  readonly #live: { path: string; end: Position }[] = []
  readonly #text: boolean

  /** @param text true: 1 KiB is what the agent wrote, which with its envelope is padded to 2 KiB; else what is sealed. */
  constructor(text: boolean) {
    this.#text = text
  }

  /** The fast-import commands of a push; `from` names the commit before the first. */
  push(ref: string, from: string | null): string {
    const before = this.#live.length >= WINDOW ? this.#live.shift() : undefined
    const n = this.#head.seq + 1
    const tail = before?.end ?? LOG_START
    const line = this.#line(n)
    this.#head = extend(this.#head, line)
    const path = `log/${n}-${n}.jsonl`
    this.#live.push({ path, end: this.#head })
    const note = Buffer.from(this.#note(n, tail)).toString()
    const blob = (name: string, text: string) => `M 100644 inline ${name}\ndata ${Buffer.byteLength(text)}\n${text}\n`
    const message = 'gitwire [skip ci]\n'
    return [
      `commit ${ref}\ncommitter gitwire <gitwire@localhost> 1767225600 +0000\ndata ${message.length}\n${message}`,
      from === null ? '' : `from ${from}\n`,
      before === undefined ? '' : `D ${before.path}\n`,
      blob('manifest', note),
      blob(path, `${line}\n`),
      '\n',
    ].join('')
  }

  #line(k: number): string {
    const c = createHash('sha256').update(this.#fleet).digest('hex').slice(0, 16)
    const id = randomBytes(16).toString('hex')
    const record = { t: 'message', id, k, lamport: k, from: 'a', to: ['b'], at: k, text: '' }
    const size = this.#text ? PAYLOAD : PAYLOAD - JSON.stringify(record).length
    record.text = randomBytes(PAYLOAD).toString('hex').slice(0, size)
    return encodeLine({ fleet: this.#fleet, machine: 'alpha' }, this.#key, {
      c,
      e: 1,
      g: 9,
      salt: randomBytes(16),
      record,
    })
  }

  #note(n: number, tail: Position): Uint8Array {
    const peers = new Map(this.#peers.map((peer) => [peer, { n, seq: n }]))
    const about = { fleet: this.#fleet, machine: 'alpha', incarnation: '00000001', n, everySeconds: 30, reads: 1 }
    const control: [number, string] = [9, '0'.repeat(64)]
    return signMachineNote({ ...about, control, tail, head: this.#head, peers, replaces: null }, this.#signer)
  }
}

/** Days of pushes on top of a ref; every day's objects arrive loose, as pushes bring them, and are packed as upkeep does. */
async function live(remote: string, ref: string, days: number, text: boolean): Promise<{ loose: number }> {
  const writer = new Writer(text)
  let loose = 0
  for (let day = 0; day < days; day++) {
    const before = (await countObjects(remote)).bytes
    const start = `${ref}^0`
    const stream = async function* () {
      for (let i = 0; i < PUSHES_PER_DAY; i++) yield writer.push(ref, i === 0 ? start : null)
      yield 'done\n'
    }
    const args = ['-c', 'fastimport.unpackLimit=1000000', 'fast-import', '--quiet', '--done', '--force']
    await git(remote, args, stream())
    loose += (await countObjects(remote)).bytes - before
    await git(remote, ['repack', '-d', '-q', '--geometric=2'])
  }
  return { loose }
}

async function measure(days: number, text: boolean): Promise<Figures> {
  const dir = mkdtempSync(join(tmpdir(), 'gitwire-growth-'))
  try {
    const home = app.home({ GITWIRE_HOME: join(dir, 'lead') })
    const founded = await app.init({ home, agent: 'lead', remote: null })
    const { remote } = founded
    const before = (await countObjects(remote)).bytes
    const store = openStore(machineFiles(home, founded.fleet).database, Date.now)
    const self = store.self.read()
    const ref = machineRef(self.prefix, self)
    const { loose } = await live(remote, ref, days, text)
    const packed = (await countObjects(remote)).bytes - before
    // The machine goes on where its history ends: the same files as before it.
    const end = async function* () {
      const tree = await git(remote, ['rev-parse', `${self.tip}^{tree}`])
      yield `commit ${ref}\ncommitter gitwire <gitwire@localhost> 1767225600 +0000\ndata 0\nfrom ${ref}^0\nM 040000 ${tree} \n\ndone\n`
    }
    await git(remote, ['fast-import', '--quiet', '--done', '--force'], end())
    store.self.write({ tip: (await git(remote, ['rev-parse', ref])) as Oid })
    store.close()
    const ready = await timeToReady(dir, home, founded.fleet)
    await git(remote, ['gc', '--quiet'])
    const gc = (await countObjects(remote)).bytes - before
    const payload = days * PUSHES_PER_DAY * PAYLOAD
    const ratio = (bytes: number) => Math.round((bytes / payload) * 100) / 100
    const kb = (bytes: number) => Math.round(bytes / 1024)
    return {
      days,
      pushes: days * PUSHES_PER_DAY,
      payload_kb: kb(payload),
      loose_kb: kb(loose),
      packed_kb: kb(packed),
      gc_kb: kb(gc),
      kb_per_kb_unpacked: ratio(loose),
      kb_per_kb_packed: ratio(packed),
      kb_per_kb_gc: ratio(gc),
      ready_s: ready,
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** From the pasted line to a conversation that is open, in a home that knows nothing. */
async function timeToReady(dir: string, home: Home, fleet: string): Promise<number> {
  const machine = await app.open(home, { fleet })
  const { line } = await machine.invite({ agent: 'newcomer', role: 'worker' })
  const newcomer = app.home({ GITWIRE_HOME: join(dir, 'newcomer') })
  const start = performance.now()
  const joined = await app.join({ home: newcomer, line })
  const seconds = Math.round(performance.now() - start) / 1000
  await machine.close()
  if (joined.state !== 'connected') throw new Error(`the new machine is ${joined.state}`)
  return seconds
}

const options = optionsOr(USAGE, () => {
  const { values } = parseArgs({
    options: {
      days: { type: 'string', default: '30' },
      text: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  return { ...values, days: numberOf('days', values.days, 1) }
})
const figures = await measure(options.days, options.text)
if (options.json) console.log(JSON.stringify(figures))
else console.table(figures)
// `gc` adds a commit graph and bitmaps, 0.1 KB a push, which serve readers and are not the fleet's growth.
const small = options.text || figures.kb_per_kb_packed < 2
if (!small) console.error('over the limit of 2 KB of repository per KB of payload after maintenance')
if (figures.ready_s >= 10) console.error('over the limit of 10 s until a new machine is ready')
process.exitCode = small && figures.ready_s < 10 ? 0 : 1
