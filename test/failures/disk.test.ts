/** GIT.md section 2: a disk that is full. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
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
