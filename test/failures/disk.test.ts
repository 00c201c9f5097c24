/** GIT.md section 2: a disk that is full. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { tempDir } from '../kit/temp.ts'
import { gitBefore, leftovers, machineAt, newDirectory, REF } from './kit.ts'

it('row 34: a fetch that fills the disk leaves no temporary pack, and the next one works when there is space', async () => {
  const url = newDirectory()
  const a = await machineAt({ url })
  const oid = await a.commit('1')
  await a.push(oid)
  // git's own words and leavings, as seen on a full tmpfs; `$DIR/full` is the full disk.
  const { runner, dir } = gitBefore(
    `case "$*" in *" fetch "*) if [ ! -f "$DIR/space" ]; then d=\${1#--git-dir=}; touch "$d/objects/pack/tmp_pack_x"
echo "fatal: write error: No space left on device" >&2; echo "fatal: fetch-pack: invalid index-pack output" >&2; exit 128; fi;; esac
exec "$GIT" "$@"`,
  )
  const b = await machineAt({ url, runner })
  await expect(b.remote.fetch([{ ref: REF, oid }])).rejects.toMatchObject({
    code: 'disk-full',
    retryable: true,
    hint: expect.stringContaining('Free some disk space'),
  })
  expect(leftovers(b.repository.dir)).toEqual([])
  writeFileSync(join(dir, 'space'), '')
  await b.remote.fetch([{ ref: REF, oid }])
  expect(await b.repository.has(oid)).toBe(true)
})

/** A file system of our own that a test may fill; not every system lets us make one. */
const mounts = spawnSync('unshare', ['-Urm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0

it.skipIf(!mounts)(
  'row 34: on a disk that is really full a fetch says so and leaves nothing, and works when there is space',
  async () => {
    const url = newDirectory()
    const a = await machineAt({ url })
    const puts = new Map([0, 1, 2].map((i): [string, Uint8Array] => [`f${i}`, randomBytes(900_000)]))
    const oid = await a.repository.commit({ parent: null, puts })
    await a.push(oid)
    const disk = tempDir()
    const script = `
    const { openGitMachine } = await import(${JSON.stringify(join(import.meta.dirname, '../kit/git-machine.ts'))})
    const { execFileSync } = await import('node:child_process')
    const { readdirSync } = await import('node:fs')
    const { remote, repository } = await openGitMachine({ dir: '${disk}', url: '${url}' })
    const fetch = () => remote.fetch([{ ref: '${REF}', oid: '${oid}' }]).then(() => 'fetched', ({ code }) => code)
    const full = await fetch()
    const left = readdirSync(repository.dir, { recursive: true }).filter((name) => /tmp_|[.]lock$/.test(name))
    execFileSync('mount', ['-o', 'remount,size=50m', '${disk}'])
    console.log(JSON.stringify([full, left, await fetch(), await repository.has('${oid}')]))
    await repository.close()`
    const args = [
      '-Urm',
      'sh',
      '-c',
      `mount -t tmpfs -o size=1m tmpfs ${disk} && exec "$0" --input-type=module -e "$1"`,
    ]
    const { stdout, stderr } = spawnSync('unshare', [...args, process.execPath, script])
    expect(stderr.toString()).toBe('')
    expect(JSON.parse(stdout.toString())).toEqual(['disk-full', [], 'fetched', true])
  },
)
