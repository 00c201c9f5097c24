/** What can be wrong on one's own disk: each says what, where and what to do, and loses nothing. */
import { chmodSync, closeSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  failure,
  gitwire,
  inboxOf,
  json,
  makeFleet,
  PATIENCE_MS,
  type Place,
  sendFrom,
  start,
  stateDir,
  syncAll,
  withMachine,
} from '../kit/real-fleet.ts'
import { makeTempDir, removeTempDir } from '../kit/temp.ts'

let folder: string
let lead: Place
let worker: Place
beforeAll(async () => {
  folder = makeTempDir('gitwire-local')
  const fleet = await makeFleet(folder, ['backend'])
  lead = fleet.lead
  worker = fleet.workers[0] as Place
})
afterAll(() => removeTempDir(folder))

const database = () => join(stateDir(worker), 'gitwire.db')

describe('a configuration file', () => {
  it.each([
    ['with an unknown key', '{"interval_secs": 5}', /interval_secs/],
    ['with a value out of range', '{"interval_seconds": 0}', /interval_seconds/],
    ['that is not JSON', '{', /not JSON/],
  ])('%s is refused by its path', async (_, text, said) => {
    const file = join(worker.home, 'gw', 'config.json')
    writeFileSync(file, text)
    const refused = await failure(worker, ['status'])
    rmSync(file)
    expect(refused).toMatchObject({ exit: 2, code: 'usage', message: expect.stringContaining(file) })
    expect(refused.message).toMatch(said)
    expect(refused.hint).not.toBe('')
  })

  it('or an environment variable that is no number is refused by its name', async () => {
    const place = { ...worker, env: { ...worker.env, GITWIRE_DEADLINE_SECONDS: 'soon' } }
    expect(await failure(place, ['status'])).toMatchObject({
      exit: 2,
      message: expect.stringContaining('GITWIRE_DEADLINE_SECONDS'),
    })
  })
})

describe('a key file', () => {
  it('that others can read is refused before it is used', async () => {
    const file = join(stateDir(worker), 'keys', 'machine.key')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    chmodSync(file, 0o644)
    const refused = await failure(worker, ['sync'])
    chmodSync(file, 0o600)
    expect(refused).toMatchObject({ exit: 1, code: 'key-file-mode', message: expect.stringContaining(file) })
    expect(refused.hint).toContain(`chmod 600 ${file}`)
  })
})

describe('a database', () => {
  it('of a newer version is left as it is', async () => {
    const db = new Database(database())
    const version = db.pragma('user_version', { simple: true })
    db.pragma('user_version = 999')
    const refused = await failure(worker, ['inbox'])
    expect(db.pragma('user_version', { simple: true })).toBe(999)
    db.pragma(`user_version = ${version}`)
    db.close()
    expect(refused).toMatchObject({ exit: 1, code: 'database-newer', hint: expect.stringContaining('upgrade') })
    expect(refused.message).toContain(database())
    expect((await gitwire(worker, ['inbox'])).code).toBe(0)
  })

  it('row 34: on a full disk refuses a message instead of losing it; reading goes on, and what was stored leaves later', async () => {
    await sendFrom(worker, 'lead', 'stored before the disk was full')
    const place = { ...worker, env: { ...worker.env, NODE_OPTIONS: `--import ${limitModule()}` } }
    const refused = await failure(place, ['send', 'lead', '-'], 'x'.repeat(1_000_000))
    expect(refused).toMatchObject({ exit: 1, code: 'disk-full', hint: expect.stringContaining('free some space') })
    expect((await gitwire(place, ['log'])).out).toContain('stored before the disk was full')
    await syncAll(worker, lead)
    expect((await inboxOf(lead)).map(({ text }) => text)).toEqual(['stored before the disk was full'])
  })

  it('row 34: on a disk that fills while a worker serves is told once, and the worker goes on when there is space', async () => {
    const flag = join(folder, 'full')
    const place = { ...worker, env: { ...worker.env, NODE_OPTIONS: `--import ${fullWhile(flag)}` } }
    const serving = start(place, ['serve', '--interval', '1s'])
    await serving.printed('started')
    writeFileSync(flag, '')
    await serving.printed('is full or failing')
    rmSync(flag)
    await sendFrom(worker, 'lead', 'when there is space')
    await expect
      .poll(
        async () => {
          await syncAll(lead)
          return (await inboxOf(lead)).map(({ text }) => text)
        },
        { timeout: PATIENCE_MS },
      )
      .toEqual(['when there is space'])
    expect((await serving.stop()).code).toBe(0)
  })

  it('that is damaged says so, and rebuild goes on from the remote', async () => {
    await sendFrom(lead, 'backend', 'before the damage')
    await syncAll(lead)
    const db = new Database(database())
    db.pragma('wal_checkpoint(TRUNCATE)')
    db.close()
    const fd = openSync(database(), 'r+')
    writeSync(fd, Buffer.alloc(100, 0x41), 0, 100, 0)
    closeSync(fd)
    expect(await failure(worker, ['inbox'])).toMatchObject({
      exit: 1,
      code: 'database-damaged',
      message: expect.stringContaining(database()),
      hint: expect.stringContaining('gitwire rebuild'),
    })
    await json(worker, ['rebuild'])
    await syncAll(lead, worker)
    expect((await inboxOf(worker)).map(({ text }) => text)).toEqual(['before the damage'])
    await sendFrom(worker, 'lead', 'after the damage')
    await syncAll(worker, lead)
    expect((await inboxOf(lead)).map(({ text }) => text)).toEqual(['after the damage'])
  })

  it('while another process syncs is not rebuilt', async () => {
    const serving = start(worker, ['serve'])
    await expect
      .poll(() => withMachine(worker, ({ bridge }) => bridge.fleet().sync.leader?.pid), { timeout: 20_000 })
      .toBe(serving.pid)
    expect(await failure(worker, ['rebuild'])).toMatchObject({
      exit: 5,
      code: 'refused',
      hint: expect.stringContaining('stop'),
    })
    await serving.stop()
  })
})

/** A module that plays a disk which is full while a file is there: the worker cannot write down how a cycle went. */
function fullWhile(flag: string): string {
  const file = join(folder, 'full-while.mjs')
  writeFileSync(
    file,
    `import { existsSync } from 'node:fs'
import Database from ${JSON.stringify(import.meta.resolve('better-sqlite3'))}
const prepare = Database.prototype.prepare
Database.prototype.prepare = function (sql) {
  const statement = prepare.call(this, sql)
  if (!sql.startsWith('INSERT INTO meta VALUES (?')) return statement
  const run = statement.run.bind(statement)
  statement.run = (...values) => {
    if (existsSync(${JSON.stringify(flag)})) throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' })
    return run(...values)
  }
  return statement
}
`,
  )
  return file
}

/** A module that plays a full disk in a process: SQLite may not make the file longer than it is. */
function limitModule(): string {
  const file = join(folder, 'full-disk.mjs')
  const sqlite = import.meta.resolve('better-sqlite3')
  writeFileSync(
    file,
    `import Database from ${JSON.stringify(sqlite)}
const pragma = Database.prototype.pragma
Database.prototype.pragma = function (text, options) {
  const result = pragma.call(this, text, options)
  if (text === 'synchronous = FULL') pragma.call(this, 'max_page_count = ' + pragma.call(this, 'page_count', { simple: true }))
  return result
}
`,
  )
  return file
}
